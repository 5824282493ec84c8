"""What the runner does with workers that obey, die, or do not listen. They do no work: only the runner is looked at."""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from dreamactor.app.studio import runner as runner_module
from dreamactor.app.studio.jobs import Job
from dreamactor.app.studio.runner import Runner
from dreamactor.app.studio.store import JobStore
from dreamactor.app.studio.worker import Message


def stand_in(jobs: Connection, stop: Event, model: str) -> None:
    """Does what `model` says."""
    while True:
        job, _ = jobs.recv()
        jobs.send(Message(what="progress", body=("denoise", 1, 4)))
        if model == "dies once" and job.attempts == 1:
            os._exit(1)
        if model == "dies":
            os._exit(1)
        if model == "waits":
            stop.wait()
            jobs.send(Message(what="stopped"))
            continue
        if model == "is deaf" and job.settings["seed"] == 0:
            time.sleep(1000)
        jobs.send(Message(what="done", body={"frames": job.attempts}))


def _run(folder: Path, does: str, monkeypatch: pytest.MonkeyPatch, *, timeout_s: float = 100.0, cancel: bool = False) -> Job:
    """One job with such a worker, at its end."""
    monkeypatch.setattr(runner_module, "work", stand_in)
    monkeypatch.setattr(runner_module, "GRACE_S", 0.3)
    store = JobStore(folder / "jobs.sqlite3")
    job = Job(id="0" * 32, kind="animate", state="queued", settings={"seed": 0}, files={}, created_s=0.0)
    (folder / job.id).mkdir()
    store.add(job, max_queue=1)
    runner = Runner(store, folder, model=does, timeout_s=timeout_s)
    runner.start()
    deadline_s = time.monotonic() + 120
    while True:
        found = store.get(job.id)
        assert found is not None
        if found.is_final:
            break
        assert time.monotonic() < deadline_s, found
        if cancel and found.progress.stages:
            runner.cancel(job.id)
        time.sleep(0.05)
    runner.close()
    store.close()
    return found


def test_a_worker_that_obeys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = _run(tmp_path, "works", monkeypatch)
    assert (job.state, job.outcome, job.attempts) == ("done", {"frames": 1}, 1)


def test_a_job_is_tried_again_when_its_process_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = _run(tmp_path, "dies once", monkeypatch)
    assert (job.state, job.outcome, job.crashes) == ("done", {"frames": 2}, 1)


def test_a_job_that_always_brings_its_process_down_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = _run(tmp_path, "dies", monkeypatch)
    assert (job.state, job.attempts) == ("failed", 2)
    assert "ended twice" in job.error


@pytest.mark.parametrize("does", ["waits", "is deaf"])
def test_cancelling_ends_a_job_whether_or_not_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    assert _run(tmp_path, does, monkeypatch, cancel=True).state == "cancelled"


def test_a_job_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = _run(tmp_path, "waits", monkeypatch, timeout_s=0.5)
    assert job.state == "failed"
    assert "longer than" in job.error
