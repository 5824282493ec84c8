"""Jobs over HTTP, on a tiny model: what is accepted is done, what is hostile is refused in one line, nothing is lost."""

from __future__ import annotations

import io
import json
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dreamactor.app.studio.api import build_app
from dreamactor.app.studio.jobs import Job
from dreamactor.app.studio.service import StudioService
from dreamactor.app.studio.settings import MIB, StudioSettings
from dreamactor.errors import ConfigError
from dreamactor.video.provenance import read_credentials
from dreamactor.video.reader import read_clip

LOCAL = "http://127.0.0.1"
JOBS = "/api/v1/jobs"


@pytest.fixture(scope="module")
def studio(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server with a worker; the folder of the shared files may be named."""
    folder = tmp_path_factory.mktemp("studio")
    settings = StudioSettings(folder=folder, model=str(shared / "model"), roots=(shared,))
    with TestClient(build_app(StudioService(settings)), base_url=LOCAL) as client:
        yield client


@pytest.fixture
def idle(shared: Path, tmp_path: Path) -> StudioService:
    """A service whose worker was never started: what is submitted waits."""
    settings = StudioSettings(
        folder=tmp_path / "idle", model=str(shared / "model"), max_queue=3, roots=(shared,), max_upload_bytes=MIB
    )
    return StudioService(settings)


def _form(shared: Path, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    files = [
        ("references", ("me.png", (shared / "actor.png").read_bytes())),
        ("driving", ("../../evil.npz", (shared / "exact.npz").read_bytes())),
    ]
    return {"files": files, "data": {"settings": json.dumps({"steps": 1, **(settings or {})})}}


def _finished(client: TestClient, job_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The job at its end, and everything that was said on the way."""
    told = []
    with client.stream("GET", f"{JOBS}/{job_id}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        told = [json.loads(line.removeprefix("data:")) for line in stream.iter_lines() if line.startswith("data:")]
    return told[-1], told


def test_a_job_goes_from_its_files_to_a_signed_video(studio: TestClient, shared: Path, tmp_path: Path) -> None:
    sent = studio.post(JOBS, **_form(shared, {"seed": 5, "label": True}))
    assert sent.status_code == 202
    job, told = _finished(studio, sent.json()["id"])
    assert (job["state"], job["outcome"]) == ("done", {"frames": 7})
    shares = [entry["progress"]["share"] for entry in told]
    assert shares == sorted(shares)
    assert len(set(shares)) > 2
    video = tmp_path / "result.mp4"
    answer = studio.get(f"{JOBS}/{job['id']}/result")
    assert answer.headers["content-type"] == "video/mp4"
    video.write_bytes(answer.content)
    assert read_clip(video).num_frames == 7
    assert read_credentials(video).settings["seed"] == 5
    part = studio.get(f"{JOBS}/{job['id']}/files/result.mp4", headers={"range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)
    assert {"result.mp4", "beside.mp4", "preview.jpg"} <= set(job["files"])
    assert str(shared) not in json.dumps(told)
    again = studio.post(f"{JOBS}/{job['id']}/again", json={"seed": 6})
    assert again.status_code == 202
    assert again.json()["settings"] == job["settings"] | {"seed": 6}
    assert _finished(studio, again.json()["id"])[0]["state"] == "done"
    assert studio.delete(f"{JOBS}/{job['id']}").status_code == 204
    assert studio.get(f"{JOBS}/{job['id']}").status_code == 404


def test_a_look_warns_before_anything_is_generated(studio: TestClient, shared: Path) -> None:
    named = {"references": [str(shared / "actor.png")], "driving": str(shared / "clip.mp4"), "settings": {"kind": "look"}}
    sent = studio.post(f"{JOBS}/from-paths", json=named)
    assert sent.status_code == 202
    job, _ = _finished(studio, sent.json()["id"])
    assert job["state"] == "done", job
    assert job["files"] == ["look.png", "input-references", "input-driving"]
    assert any("head" in text for text in job["outcome"]["warnings"]), "a head of a few pixels on a canvas of 64"


def test_a_job_that_cannot_work_fails_with_a_line_and_the_next_one_is_done(studio: TestClient, shared: Path) -> None:
    form = _form(shared)
    arrays = zipfile.ZipFile(shared / "exact.npz")
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("header.npy", arrays.read("header.npy")[:-40])
    form["files"][1] = ("driving", ("a.npz", broken.getvalue()))
    bad, good = studio.post(JOBS, **form).json()["id"], studio.post(JOBS, **_form(shared)).json()["id"]
    job, _ = _finished(studio, bad)
    assert job["state"] == "failed"
    assert "motion file" in job["error"]
    assert "/" not in job["error"]
    assert _finished(studio, good)[0]["state"] == "done"


def test_a_running_job_is_cancelled(studio: TestClient, shared: Path) -> None:
    job_id = studio.post(JOBS, **_form(shared, {"steps": 100, "size": 256})).json()["id"]
    while studio.get(f"{JOBS}/{job_id}").json()["state"] == "queued":
        time.sleep(0.05)
    assert studio.post(f"{JOBS}/{job_id}/cancel").status_code == 200
    job, _ = _finished(studio, job_id)
    assert job["state"] == "cancelled"
    assert "result.mp4" not in job["files"]
    assert studio.get(f"{JOBS}/{job_id}/result").status_code == 409


def _png(width: int, height: int) -> bytes:
    """A picture that is small as a file and claims to be large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def _zip_bomb() -> bytes:
    """300 MiB of zeros, which take 300 kB."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.npy", b"x")
        with archive.open("big.npy", "w") as member:
            for _ in range(300):
                member.write(bytes(MIB))
    return bomb.getvalue()


def _hostile_files(shared: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Uploads that must be refused."""
    picture, motion = (shared / "actor.png").read_bytes(), (shared / "exact.npz").read_bytes()
    clip = (shared / "clip.mp4").read_bytes()
    bad_pictures = {
        "empty": b"", "text": b"hello" * 99, "script": b"#!/bin/sh\nrm -rf /", "html": b"<html><script>", "pdf": b"%PDF-1.7",
        "elf": b"\x7fELF" + bytes(99), "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>", "huge": _png(60_000, 60_000),
        "cut": picture[:40], "head alone": picture[:8], "gif": b"GIF89a" + bytes(50), "tiff": b"II*\x00" + bytes(50),
        "video": clip, "motion": motion, "gzip": b"\x1f\x8b" + bytes(60), "zeros": bytes(5000), "one byte": b"\x89",
        "heic": b"\x00\x00\x00\x18ftypheic" + bytes(60), "bomb": _png(30_000, 30_000), "webp": b"RIFF\xff\xff\xff\xffWEBP",
        "jpeg": b"\xff\xd8\xff" + bytes(200), "playlist": b"#EXTM3U\nfile:///etc/passwd\n",
    }  # fmt: skip
    for name, data in bad_pictures.items():
        yield f"picture {name}", {"files": [("references", ("a.png", data)), ("driving", ("a.npz", motion))]}
    bad_drivers = {
        "empty": b"", "text": b"hello" * 99, "picture": picture, "cut": clip[:200], "ftyp alone": clip[:32],
        "zip": _plain_zip(), "zip bomb": _zip_bomb(), "cut zip": motion[: len(motion) // 2], "mkv": b"\x1a\x45\xdf\xa3" * 9,
        "avi": b"RIFF\x00\x00\x00\x00AVI LIST", "sound": b"RIFF\x00\x00\x00\x00WAVEfmt ", "playlist": b"#EXTM3U\nhttp://a/b\n",
        "concat": b"ffconcat version 1.0\nfile /etc/passwd", "sdp": b"v=0\r\no=- 0 0 IN IP4 127.0.0.1", "zeros": bytes(9000),
    }  # fmt: skip
    for name, data in bad_drivers.items():
        yield f"driver {name}", {"files": [("references", ("a.png", picture)), ("driving", ("a.mp4", data))]}
    many = [("references", ("a.png", picture))] * 9
    yield "nine pictures", {"files": [*many, ("driving", ("a.npz", motion))]}
    yield "no driver", {"files": [("references", ("a.png", picture))]}
    yield "no picture", {"files": [("driving", ("a.npz", motion))]}
    yield (
        "a file for a part that is not asked for",
        {**_form(shared), "files": [*_form(shared)["files"], ("face", ("a", motion))]},
    )


def _plain_zip() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("../../etc/passwd", "x")
    return archive.getvalue()


HOSTILE_SETTINGS: tuple[str, ...] = (
    "nonsense", "[]", "null", "1", '{"seed": -1}', '{"seed": 1e400}', '{"seed": "x"}', '{"steps": 0}', '{"steps": 999}',
    '{"size": 100000}', '{"size": NaN}', '{"proportions": Infinity}', '{"proportions": 2}', '{"framing": "../x"}',
    '{"camera": 7}', '{"kind": "delete"}', '{"unknown": 1}', '{"face_from": "/etc/passwd"}', '{"face_from": "file"}',
    '{"body_from": "none", "head_from": "none", "face_from": "none"}', "{" * 9000, '"' + "x" * 20_000 + '"',
    '{"person": 0}', '{"label": "maybe"}', '{"guidance_motion": 1e9}', "\x00", '{"seed": 99999999999999999999999}',
)  # fmt: skip

HOSTILE_PATHS: tuple[tuple[str, str], ...] = (
    ("GET", f"{JOBS}/{'0' * 32}"), ("GET", f"{JOBS}/nonsense"), ("GET", f"{JOBS}/../../etc/passwd"),
    ("GET", f"{JOBS}/%2e%2e%2f%2e%2e%2fetc%2fpasswd"), ("GET", f"{JOBS}/{'0' * 32}/files/..%2f..%2fjobs.sqlite3"),
    ("GET", f"{JOBS}/{'0' * 32}/files/jobs.sqlite3"), ("GET", f"{JOBS}/{'0' * 32}/events"), ("GET", f"{JOBS}?limit=-1"),
    ("GET", f"{JOBS}?limit=99999999999999999999"), ("GET", f"{JOBS}?limit=x"), ("DELETE", f"{JOBS}/{'0' * 32}"),
    ("POST", f"{JOBS}/{'0' * 32}/cancel"), ("PUT", JOBS), ("PATCH", f"{JOBS}/x"), ("DELETE", JOBS), ("GET", "/etc/passwd"),
    ("GET", f"{JOBS}/{'a' * 5000}"), ("GET", f"{JOBS}/%00"), ("GET", f"{JOBS}/' OR 1=1 --"), ("GET", f"{JOBS}/{'A' * 32}"),
    ("GET", "/file=/etc/passwd"), ("GET", "/api/v1/../../jobs.sqlite3"), ("TRACE", JOBS), ("POST", "/api/v1/health"),
)  # fmt: skip

HOSTILE_BODIES: tuple[tuple[str, bytes], ...] = (
    ("multipart/form-data", b"x"), ("multipart/form-data; boundary=", b"--x"), ("multipart/form-data; boundary=x", b""),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="driving"; filename="a"\r\n\r\nabc'),
    ("multipart/form-data; boundary=x", b"--x\r\n" * 500), ("application/json", b"{}"), ("text/plain", b"hello"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--"), ("", b"\xff" * 200),
    ("application/x-www-form-urlencoded", b"references=1&driving=2"), ("multipart/form-data; boundary=" + "x" * 300, b"--x"),
)  # fmt: skip

HOSTILE_NAMES: tuple[str, ...] = (
    "/etc/passwd", "../../../etc/passwd", "", "\x00", "/dev/zero", "/proc/self/environ", "~/.ssh/id_rsa", "a" * 9000,
    "http://127.0.0.1/", "file:///etc/passwd", "/", ".",
)  # fmt: skip


def test_hostile_requests_are_refused_in_one_line_and_leave_nothing(
    idle: StudioService, shared: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.png").write_bytes((shared / "actor.png").read_bytes())
    studio = TestClient(build_app(idle), base_url=LOCAL)
    answers = [(name, studio.post(JOBS, **form)) for name, form in _hostile_files(shared)]
    answers += [(text[:40], studio.post(JOBS, **{**_form(shared), "data": {"settings": text}})) for text in HOSTILE_SETTINGS]
    answers += [(f"{method} {path[:60]}", studio.request(method, path)) for method, path in HOSTILE_PATHS]
    answers += [
        (kind[:40], studio.post(JOBS, content=body, headers={"content-type": kind})) for kind, body in HOSTILE_BODIES
    ]
    for name in (*HOSTILE_NAMES, str(tmp_path / "secret.png")):
        named = {"references": [name], "driving": str(shared / "exact.npz")}
        answers.append((name[:40], studio.post(f"{JOBS}/from-paths", json=named)))
    foreign = {"origin": "https://elsewhere.example"}
    answers.append(("foreign page", studio.post(JOBS, **_form(shared), headers=foreign)))
    answers.append(("rebound name", studio.get(JOBS, headers={"host": "evil.example"})))
    answers.append(("announced", studio.post(JOBS, content=b"x", headers={"content-length": str(10 * 2**30)})))
    pieces = [b'--x\r\nContent-Disposition: form-data; name="driving"; filename="a"\r\n\r\n', *([bytes(MIB // 8)] * 10)]
    form_data = {"content-type": "multipart/form-data; boundary=x"}
    answers.append(("too long", studio.post(JOBS, content=iter(pieces), headers=form_data)))
    assert len(answers) > 100
    wrong = [(name, answer.status_code, answer.text[:200]) for name, answer in answers if answer.status_code // 100 != 4]
    assert wrong == []
    told = [name for name, answer in answers if "Traceback" in answer.text or str(tmp_path) in answer.text]
    assert told == []
    assert dict(answers)["announced"].status_code == dict(answers)["too long"].status_code == 413
    assert studio.get(JOBS).json() == []
    assert studio.get("/api/v1/health").status_code == 200
    left = [path for path in idle.settings.folder.rglob("*") if path.is_file()]
    assert {path.name.split("-")[0] for path in left} <= {"jobs.sqlite3", "lock"}, "nothing of them is kept"


def test_as_many_jobs_wait_as_may_and_the_others_are_told_so(idle: StudioService, shared: Path) -> None:
    client = TestClient(build_app(idle), base_url=LOCAL)  # not entered: nothing starts
    form = _form(shared)
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(lambda _: client.post(JOBS, **form), range(30)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [202] * 3 + [429] * 27
    assert all("wait already" in answer.json()["detail"] for answer in answers if answer.status_code == 429)
    jobs = client.get(JOBS).json()
    assert sorted(job["position"] for job in jobs) == [0, 1, 2]
    assert len(list((idle.settings.folder / "jobs").iterdir())) == 3
    assert not list(idle.settings.folder.glob("incoming-*"))
    assert client.post(f"{JOBS}/{jobs[0]['id']}/cancel").json()["state"] == "cancelled"
    assert client.delete(f"{JOBS}/{jobs[1]['id']}").status_code == 409


def test_a_restarted_server_takes_up_what_was_running(idle: StudioService, shared: Path) -> None:
    client = TestClient(build_app(idle), base_url=LOCAL)
    first, second = (client.post(JOBS, **_form(shared)).json()["id"] for _ in range(2))
    claimed = idle._store.claim()
    assert claimed is not None
    assert claimed.id == first
    with pytest.raises(ConfigError, match="Another server"):
        StudioService(idle.settings)
    idle._store.close()
    idle._lock.close()
    later = StudioService(idle.settings)
    assert [later.get(job_id).state for job_id in (first, second)] == ["queued", "queued"]
    resumed = later._store.claim()
    assert resumed is not None
    assert (resumed.id, resumed.attempts) == (first, 2)


def test_looks_go_first(idle: StudioService, shared: Path) -> None:
    client = TestClient(build_app(idle), base_url=LOCAL)
    client.post(JOBS, **_form(shared))
    look = client.post(JOBS, **_form(shared, {"kind": "look"})).json()
    assert look["position"] == 0
    claimed = idle._store.claim()
    assert claimed is not None
    assert claimed.id == look["id"]


def test_results_are_shown_only_when_they_are_finished(idle: StudioService, shared: Path) -> None:
    client = TestClient(build_app(idle), base_url=LOCAL)
    job_id = client.post(JOBS, **_form(shared)).json()["id"]
    job = idle._store.claim()
    assert isinstance(job, Job)
    idle.folder(job).result.write_bytes(b"half")
    assert client.get(f"{JOBS}/{job_id}/result").status_code == 409
    idle._store.finish(job_id, "done")
    assert client.get(f"{JOBS}/{job_id}/result").content == b"half"


def test_old_jobs_and_leftovers_are_swept(idle: StudioService, shared: Path) -> None:
    client = TestClient(build_app(idle), base_url=LOCAL)
    job_id = client.post(JOBS, **_form(shared)).json()["id"]
    client.post(f"{JOBS}/{job_id}/cancel")
    (idle.settings.folder / "jobs" / "nobodys").mkdir()
    idle._store._db.execute("UPDATE jobs SET finished_s = 1")
    idle.sweep()
    assert client.get(JOBS).json() == []
    assert list((idle.settings.folder / "jobs").iterdir()) == []


def test_beyond_this_machine_a_token_is_needed(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="DREAMACTOR_TOKEN"):
        StudioSettings(folder=tmp_path, host="0.0.0.0")
    token = "a-long-secret-for-tests"
    settings = StudioSettings(folder=tmp_path, host="0.0.0.0", token=token, model=str(shared / "model"))
    client = TestClient(build_app(StudioService(settings)), base_url="http://studio.example")
    assert client.get(JOBS).status_code == 401
    assert client.get(JOBS, headers={"authorization": "Bearer wrong"}).status_code == 401
    assert client.get(JOBS, headers={"authorization": f"Bearer {token}"}).status_code == 200
    opened = client.get(JOBS, params={"token": token}, follow_redirects=False)
    assert opened.status_code == 303
    assert token not in opened.headers["location"]
    assert client.get(JOBS).status_code == 200, "the cookie carries it from now on"
