"""Takes one job after another off the queue and has the worker process do it. Nothing here is lost with the process."""

from __future__ import annotations

import logging
import multiprocessing
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Final, Literal

from dreamactor.app.studio.jobs import Job, JobProgress
from dreamactor.app.studio.store import JobStore
from dreamactor.app.studio.worker import Message, clean_folder, work

GRACE_S: Final = 15.0
"""A job that was asked to stop and does not is ended with its process."""
MAX_CRASHES: Final = 2
_POLL_S: Final = 0.2
_LAST: Final = ("done", "failed", "stopped")
"""What a worker says last of a job."""
_CANCELLED: Final = "cancelled"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    stop: Event


class Runner(threading.Thread):
    """The queue's only consumer on one device.

    Args:
        store: the jobs.
        folder: jobs' folders lie in it, by id.
        model: name or folder.
        timeout_s: a job that takes longer is ended.
    """

    def __init__(self, store: JobStore, folder: Path, *, model: str, timeout_s: float) -> None:
        super().__init__(name="runner", daemon=True)
        self._store, self._folder, self._model, self._timeout_s = store, folder, model, timeout_s
        self._wake, self._closing = threading.Event(), threading.Event()
        self._cancel: set[str] = set()
        self._worker: _Worker | None = None
        self.state: Literal["ready", "busy", "starting"] = "starting"

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def cancel(self, job_id: str) -> None:
        """Ends the job, whether it waits or runs."""
        if not self._store.cancel_waiting(job_id):
            self._cancel.add(job_id)

    def close(self) -> None:
        """Ends the worker; a job that was being done waits again."""
        self._closing.set()
        self._wake.set()
        self.join(timeout=10)
        self._end_worker()

    def run(self) -> None:
        self._start_worker()
        while not self._closing.is_set():
            job = self._store.claim()
            if job is None:
                self._wake.wait(timeout=1.0)
                self._wake.clear()
                continue
            self.state = "busy"
            try:
                self._do(job)
            except Exception:
                _log.exception("Job %s could not be run", job.id)
                self._store.finish(job.id, "failed", error="The server could not run this job; its log tells why.")
                self._end_worker()
            finally:
                self._cancel.discard(job.id)
                self.state = "ready"

    def _do(self, job: Job) -> None:
        worker = self._worker if self._worker is not None and self._worker.process.is_alive() else self._start_worker()
        path = self._folder / job.id
        clean_folder(path)
        worker.stop.clear()
        deadline_s = time.monotonic() + self._timeout_s
        kill_s: float | None = None
        why, progress = "", JobProgress()
        try:
            worker.pipe.send((job, path))
            while True:
                message = worker.pipe.recv() if worker.pipe.poll(_POLL_S) else None
                if message is not None and message.what in _LAST:
                    self._finish(job, message, why)
                    return
                progress = self._note(job, message, progress)
                if self._closing.is_set():
                    self._end_worker()
                    self._store.put_back(job.id, crashed=False)
                    return
                now_s = time.monotonic()
                if not why and (job.id in self._cancel or now_s > deadline_s):
                    why = _CANCELLED if job.id in self._cancel else f"It took longer than {self._timeout_s:g} s."
                    kill_s = now_s + GRACE_S
                    worker.stop.set()
                if kill_s is not None and now_s > kill_s:
                    worker.process.kill()
        except (EOFError, OSError):  # the process is gone, and its end of the pipe with it
            self._end_worker()
            self._crashed(job, _CANCELLED if not why and job.id in self._cancel else why)

    def _note(self, job: Job, message: Message | None, progress: JobProgress) -> JobProgress:
        """Stores what a running job says; returns its progress."""
        if message is not None and message.what == "progress":
            progress = progress.after(*message.body, now_s=time.time())
            self._store.report(job.id, progress)
        elif message is not None and message.what == "line":
            self._store.say(job.id, message.body)
        return progress

    def _finish(self, job: Job, message: Message, why: str) -> None:
        if message.what == "done":
            self._store.finish(job.id, "done", outcome=message.body)
        elif message.what == "failed":
            self._store.finish(job.id, "failed", error=message.body)
        elif why == _CANCELLED:
            self._store.finish(job.id, "cancelled")
        else:
            self._store.finish(job.id, "failed", error=why)

    def _crashed(self, job: Job, why: str) -> None:
        """The worker process is gone: what it did waits again once, unless it was to end anyway."""
        if why == _CANCELLED:
            self._store.finish(job.id, "cancelled")
        elif why:
            self._store.finish(job.id, "failed", error=why)
        elif job.crashes + 1 >= MAX_CRASHES:
            said = "The process that worked on this job ended twice, perhaps for lack of memory. Try a smaller size."
            self._store.finish(job.id, "failed", error=said)
        else:
            self._store.put_back(job.id, crashed=True)

    def _start_worker(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        stop = context.Event()
        process = context.Process(target=work, args=(theirs, stop, self._model), daemon=True)
        process.start()
        theirs.close()
        self._worker = _Worker(process=process, pipe=ours, stop=stop)
        self.state = "ready"
        return self._worker

    def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()
