"""The server is killed in the middle of its work: nothing that was accepted is lost, nothing half-written is served."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import torch
from studio_server import StudioServer

from dreamactor.app.film import exact_performance_track
from dreamactor.perception.track_file import save_track
from dreamactor.video.provenance import read_credentials
from dreamactor.video.reader import read_clip

pytestmark = pytest.mark.slow


@pytest.fixture
def server(shared: Path, tmp_path: Path) -> Iterator[StudioServer]:
    server = StudioServer(tmp_path / "studio", shared / "model", "--no-page", "--max-queue", "40")
    server.start()
    yield server
    server.stop()


def _check_results(server: StudioServer, folder: Path, known: set[str]) -> set[str]:
    """Whatever is served is whole; returns the jobs that are done."""
    done = set()
    for job in server.get("/api/v1/jobs?limit=200"):
        answer = httpx.get(f"{server.url}/api/v1/jobs/{job['id']}/result", timeout=60)
        if answer.status_code == 200:
            done.add(job["id"])
            if job["id"] not in known:
                video = folder / f"{job['id']}.mp4"
                video.write_bytes(answer.content)
                assert read_clip(video).num_frames == 7
                assert read_credentials(video).intact
        else:
            assert answer.status_code == 409
            assert job["state"] in ("queued", "running"), job
    return done


def test_of_twenty_jobs_and_three_kills_none_is_lost(server: StudioServer, shared: Path, tmp_path: Path) -> None:
    moments = random.Random(1)
    submitted = {
        server.submit(shared / "actor.png", shared / "exact.npz", f'{{"steps": 1, "seed": {seed}}}') for seed in range(20)
    }
    done: set[str] = set()
    for _ in range(3):
        wanted = len(done) + moments.randint(2, 5)
        while len(done) < wanted:
            time.sleep(0.5)
            done = _check_results(server, tmp_path, done)
        time.sleep(moments.uniform(0, 3))
        server.kill()
        server.start()
    deadline_s = time.monotonic() + 1500
    while done != submitted:
        assert time.monotonic() < deadline_s
        time.sleep(0.5)
        done = _check_results(server, tmp_path, done)
    jobs = server.get("/api/v1/jobs?limit=200")
    assert {job["id"] for job in jobs} == submitted
    assert max(job["attempts"] for job in jobs) > 1, "no kill came in the middle of a job"
    assert not list((tmp_path / "studio").rglob("*.part*"))


def test_a_killed_job_goes_on_after_its_last_finished_segment(server: StudioServer, shared: Path, tmp_path: Path) -> None:
    motion = tmp_path / "long.npz"
    save_track(motion, exact_performance_track(4, count=900, framing="full", size=192, kind="wave"))
    broken, whole = (server.submit(shared / "actor.png", motion, '{"steps": 6, "size": 96}') for _ in range(2))
    while True:
        job = server.get(f"/api/v1/jobs/{broken}")
        assert job["state"] in ("queued", "running")
        if job["progress"]["stage"] in ("denoise", "decode") and job["progress"]["done"] > 7:
            break
        time.sleep(0.02)
    server.kill()
    server.start()
    for job_id in (broken, whole):
        while (job := server.get(f"/api/v1/jobs/{job_id}"))["state"] in ("queued", "running"):
            time.sleep(0.5)
        assert job["state"] == "done", job
        (tmp_path / f"{job_id}.mp4").write_bytes(httpx.get(f"{server.url}/api/v1/jobs/{job_id}/result").content)
    job = server.get(f"/api/v1/jobs/{broken}")
    assert any(line.startswith("Resuming after") for line in job["lines"]), job["lines"]
    clips = [read_clip(tmp_path / f"{job_id}.mp4") for job_id in (broken, whole)]
    assert torch.equal(clips[0].frames, clips[1].frames), "it is the video that would have been without the kill"
