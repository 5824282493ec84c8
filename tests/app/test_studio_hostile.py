"""A server with its page, in a process of its own, under everything that is hostile at once: it answers, and stays small."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from studio_hostile import (
    HOSTILE_BODIES,
    HOSTILE_PAGE_PATHS,
    HOSTILE_PATHS,
    HOSTILE_SETTINGS,
    JOBS,
    form,
    hostile_files,
    hostile_page_calls,
    hostile_streams,
    solid_png,
)
from studio_server import StudioServer

from dreamactor.app.studio.settings import MIB

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc"),
]
UPLOAD_MIB = 8
MAX_QUEUE = 5


@pytest.fixture(scope="module")
def server(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioServer]:
    folder = tmp_path_factory.mktemp("hostile") / "studio"
    options = ("--max-queue", str(MAX_QUEUE), "--max-upload-mb", str(UPLOAD_MIB))
    server = StudioServer(folder, shared / "model", *options)
    server.start()
    yield server
    server.stop()


def _memory_mib(server: StudioServer, name: str) -> float:
    """`VmRSS`, what the server holds now, or `VmHWM`, the most that it ever held."""
    lines = Path(f"/proc/{server.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def _finished(server: StudioServer, job_id: str) -> dict[str, str]:
    while (job := server.get(f"{JOBS}/{job_id}"))["state"] in ("queued", "running"):
        time.sleep(0.2)
    return job


def _stream(server: StudioServer, sent: bytes) -> bytes:
    """What comes back for raw bytes, after which nothing more is sent; nothing where the server hangs up."""
    answer = b""
    address = ("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    with suppress(ConnectionError), socket.create_connection(address, timeout=30) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        while piece := line.recv(65536):
            answer += piece
    return answer


def test_everything_hostile_at_once_is_answered_and_the_server_stays_small(
    server: StudioServer, shared: Path, record_property: Callable[[str, object], None]
) -> None:
    good = httpx.post(f"{server.url}{JOBS}", **form(shared, {"seed": 1}), timeout=60)
    assert _finished(server, good.json()["id"])["state"] == "done"
    before_mib = _memory_mib(server, "VmRSS")
    answers: list[tuple[str, int, str]] = []
    fresh = httpx.Limits(max_keepalive_connections=0)  # who refuses a body unread closes the connection
    with httpx.Client(base_url=server.url, timeout=120, limits=fresh) as client:

        def ask(name: str, method: str, path: str, **more: object) -> None:
            answer = client.request(method, path, **more)  # type: ignore[arg-type]
            answers.append((name, answer.status_code, answer.text))

        for name, sent in hostile_files(shared):
            ask(name, "POST", JOBS, **sent)
        for text in HOSTILE_SETTINGS:
            ask(text[:40], "POST", JOBS, **{**form(shared), "data": {"settings": text}})
        for method, path in (*HOSTILE_PATHS, *HOSTILE_PAGE_PATHS):
            ask(f"{method} {path[:60]}", method, path)
        for target in (JOBS, "/gradio_api/upload", "/gradio_api/run/predict", "/gradio_api/queue/join"):
            for kind, body in HOSTILE_BODIES:
                ask(f"{target} {kind[:40]}", "POST", target, content=body, headers={"content-type": kind})
        wrong = [(name, status, text[:200]) for name, status, text in answers if status // 100 != 4 and text != "[]"]
        assert len(answers) > 100
        assert wrong == [], "an upload of no files is answered with the list of them"
        for name, body in hostile_page_calls(client.get("/config").json()):
            ask(name, "POST", "/gradio_api/run/predict", json=body)
            ask(f"queued {name}", "POST", "/gradio_api/queue/join", json=body | {"session_hash": "hostile"})
    assert [(name, status, text[:300]) for name, status, text in answers if status >= 500] == []
    assert [name for name, _, text in answers if "Traceback" in text or str(shared) in text] == []
    for sent in hostile_streams():
        answer = _stream(server, sent)
        assert not answer or answer.split()[1][:1] == b"4", (sent[:80], answer[:200])
        assert b"Traceback" not in answer

    sent = form(shared, {"seed": 2})
    large = {"files": [("references", ("a.png", bytes(UPLOAD_MIB * MIB - 4096)))]}
    over = {"files": [("references", ("a.png", bytes(UPLOAD_MIB * MIB + 4096)))]}

    def submit(number: int) -> int:
        what = (sent, large, sent, over)[number % 4]
        return httpx.post(f"{server.url}{JOBS}", **what, timeout=300).status_code

    with ThreadPoolExecutor(max_workers=200) as pool:
        codes = list(pool.map(submit, range(200)))
    assert set(codes) <= {202, 413, 422, 429}, codes
    assert 202 in codes
    for job in server.get(f"{JOBS}?limit=200"):
        assert _finished(server, job["id"])["state"] == "done"

    # The largest picture that is accepted is drawn by the worker; the server itself never decodes anything.
    bomb = {"references": ("a.png", solid_png(7000, 7000)), "driving": ("a.npz", (shared / "exact.npz").read_bytes())}
    answer = httpx.post(f"{server.url}{JOBS}", files=bomb, data={"settings": json.dumps({"steps": 1})}, timeout=120)
    assert answer.status_code == 202, answer.text
    assert _finished(server, answer.json()["id"])["state"] in ("done", "failed")
    again = httpx.post(f"{server.url}{JOBS}", **form(shared, {"seed": 3}), timeout=60)
    assert _finished(server, again.json()["id"])["state"] == "done", "the server is alive, and works"
    after_mib, most_mib = _memory_mib(server, "VmRSS"), _memory_mib(server, "VmHWM")
    found = {"requests": len(answers) + 200, "before_mib": before_mib, "most_mib": most_mib, "after_mib": after_mib}
    for name, value in found.items():
        record_property(name, value)
    assert most_mib - before_mib < 256, "200 uploads of 8 MiB at once would be 800 MiB"
