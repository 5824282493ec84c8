"""Jobs over HTTP, on a tiny model: what is accepted is done, what is hostile is refused in one line, nothing is lost."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from studio_hostile import HOSTILE_BODIES, HOSTILE_NAMES, HOSTILE_PATHS, HOSTILE_SETTINGS, JOBS, form, hostile_files

from dreamactor.app.studio.api import build_app
from dreamactor.app.studio.jobs import Job
from dreamactor.app.studio.service import StudioService
from dreamactor.app.studio.settings import MIB, StudioSettings
from dreamactor.errors import ConfigError
from dreamactor.video.provenance import read_credentials
from dreamactor.video.reader import read_clip

LOCAL = "http://127.0.0.1"


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


def _finished(client: TestClient, job_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The job at its end, and everything that was said on the way."""
    told = []
    with client.stream("GET", f"{JOBS}/{job_id}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        told = [json.loads(line.removeprefix("data:")) for line in stream.iter_lines() if line.startswith("data:")]
    return told[-1], told


def test_a_job_goes_from_its_files_to_a_signed_video(studio: TestClient, shared: Path, tmp_path: Path) -> None:
    sent = studio.post(JOBS, **form(shared, {"seed": 5, "label": True}))
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
    sent = form(shared)
    arrays = zipfile.ZipFile(shared / "exact.npz")
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("header.npy", arrays.read("header.npy")[:-40])
    sent["files"][1] = ("driving", ("a.npz", broken.getvalue()))
    bad, good = studio.post(JOBS, **sent).json()["id"], studio.post(JOBS, **form(shared)).json()["id"]
    job, _ = _finished(studio, bad)
    assert job["state"] == "failed"
    assert "motion file" in job["error"]
    assert "/" not in job["error"]
    assert _finished(studio, good)[0]["state"] == "done"


def test_a_running_job_is_cancelled(studio: TestClient, shared: Path) -> None:
    job_id = studio.post(JOBS, **form(shared, {"steps": 100, "size": 256})).json()["id"]
    while studio.get(f"{JOBS}/{job_id}").json()["state"] == "queued":
        time.sleep(0.05)
    assert studio.post(f"{JOBS}/{job_id}/cancel").status_code == 200
    job, _ = _finished(studio, job_id)
    assert job["state"] == "cancelled"
    assert "result.mp4" not in job["files"]
    assert studio.get(f"{JOBS}/{job_id}/result").status_code == 409


def test_hostile_requests_are_refused_in_one_line_and_leave_nothing(
    idle: StudioService, shared: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.png").write_bytes((shared / "actor.png").read_bytes())
    studio = TestClient(build_app(idle), base_url=LOCAL)
    answers = [(name, studio.post(JOBS, **sent)) for name, sent in hostile_files(shared)]
    answers += [(text[:40], studio.post(JOBS, **{**form(shared), "data": {"settings": text}})) for text in HOSTILE_SETTINGS]
    answers += [(f"{method} {path[:60]}", studio.request(method, path)) for method, path in HOSTILE_PATHS]
    answers += [
        (kind[:40], studio.post(JOBS, content=body, headers={"content-type": kind})) for kind, body in HOSTILE_BODIES
    ]
    for name in (*HOSTILE_NAMES, str(tmp_path / "secret.png")):
        named = {"references": [name], "driving": str(shared / "exact.npz")}
        answers.append((name[:40], studio.post(f"{JOBS}/from-paths", json=named)))
    foreign = {"origin": "https://elsewhere.example"}
    answers.append(("foreign page", studio.post(JOBS, **form(shared), headers=foreign)))
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
    sent = form(shared)
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(lambda _: client.post(JOBS, **sent), range(30)))
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
    first, second = (client.post(JOBS, **form(shared)).json()["id"] for _ in range(2))
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
    client.post(JOBS, **form(shared))
    look = client.post(JOBS, **form(shared, {"kind": "look"})).json()
    assert look["position"] == 0
    claimed = idle._store.claim()
    assert claimed is not None
    assert claimed.id == look["id"]


def test_results_are_shown_only_when_they_are_finished(idle: StudioService, shared: Path) -> None:
    client = TestClient(build_app(idle), base_url=LOCAL)
    job_id = client.post(JOBS, **form(shared)).json()["id"]
    job = idle._store.claim()
    assert isinstance(job, Job)
    idle.folder(job).result.write_bytes(b"half")
    assert client.get(f"{JOBS}/{job_id}/result").status_code == 409
    idle._store.finish(job_id, "done")
    assert client.get(f"{JOBS}/{job_id}/result").content == b"half"


def test_old_jobs_and_leftovers_are_swept(idle: StudioService, shared: Path) -> None:
    client = TestClient(build_app(idle), base_url=LOCAL)
    job_id = client.post(JOBS, **form(shared)).json()["id"]
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
