"""The only door to the queue: page and API both go through here."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Final, Literal

from dreamactor.app.studio.intake import MAX_REFERENCES, FileKind, below_roots, store
from dreamactor.app.studio.jobs import Job, JobFolder
from dreamactor.app.studio.plan import animate_request
from dreamactor.app.studio.runner import Runner
from dreamactor.app.studio.schemas import JobOut, JobSettings, ProgressOut
from dreamactor.app.studio.settings import StudioSettings
from dreamactor.app.studio.store import JobStore, QueueFullError
from dreamactor.errors import ConfigError, DreamActorError

WANTED: Final[dict[str, tuple[FileKind, ...]]] = {
    "driving": ("video", "motion"),
    "body": ("video", "motion"),
    "head": ("video", "motion"),
    "face": ("video", "motion"),
    "audio": ("sound", "video"),
}
"""Role of a file other than a reference -> what it may be."""
RESULTS: Final = ("result.mp4", "beside.mp4", "look.png")
_DAY_S: Final = 86400.0
_log = logging.getLogger(__name__)


class UnknownJobError(DreamActorError):
    """No such job."""


class StudioService:
    """Jobs of one server, from submission to deletion. Methods may be called from any thread."""

    def __init__(self, settings: StudioSettings) -> None:
        """Opens the folder and takes up what an earlier server left.

        Raises:
            ConfigError: another server works in the folder, or it cannot be written.
        """
        self.settings = settings
        self._jobs = settings.folder / "jobs"
        try:
            self._jobs.mkdir(parents=True, exist_ok=True)
            self._lock = (settings.folder / "lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(f"Another server works in {settings.folder}. End it, or pass another --folder.") from error
        except OSError as error:
            raise ConfigError(f"Cannot write to {settings.folder}: {error.strerror}. Pass another --folder.") from error
        self._store = JobStore(settings.folder / "jobs.sqlite3")
        resumed = self._store.put_back_all()
        if resumed:
            _log.info("%d jobs that were running go on.", len(resumed))
        self.sweep()
        self._runner = Runner(self._store, self._jobs, model=settings.model, timeout_s=settings.job_timeout_s)

    def start(self) -> None:
        """Begins to work."""
        self._runner.start()

    def close(self) -> None:
        """Ends the worker; what it was doing goes on when a server is started again."""
        self._runner.close()
        self._store.close()
        self._lock.close()

    @property
    def is_full(self) -> bool:
        return self._store.num_queued() >= self.settings.max_queue

    @property
    def worker_state(self) -> Literal["ready", "busy", "starting"]:
        return self._runner.state

    def num_queued(self) -> int:
        return self._store.num_queued()

    def submit(self, settings: JobSettings, references: Sequence[IO[bytes]], others: Mapping[str, IO[bytes]]) -> Job:
        """Accepts a job, or refuses it and leaves nothing of it.

        Args:
            settings: what is asked for.
            references: pictures of the character.
            others: role -> file; roles are those of `WANTED`.

        Raises:
            QueueFullError: too many jobs wait.
            DreamActorError: a file or a setting cannot be used.
        """
        if self.is_full:
            raise QueueFullError(f"{self.settings.max_queue} jobs wait already. Try again when some are done.")
        if len(references) > MAX_REFERENCES:
            raise ConfigError(f"{len(references)} pictures of the character came; {MAX_REFERENCES} is the limit.")
        with tempfile.TemporaryDirectory(dir=self.settings.folder, prefix="incoming-") as name:
            incoming = JobFolder(path=Path(name) / "job")
            incoming.inputs.mkdir(parents=True)

            def keep(source: IO[bytes], role: str, wanted: tuple[FileKind, ...]) -> str:
                return store(source, incoming.inputs, role, wanted=wanted, limits=self.settings)

            kept = [keep(source, f"reference_{index}", ("picture",)) for index, source in enumerate(references)]
            files = {"references": kept} | {role: [keep(source, role, WANTED[role])] for role, source in others.items()}
            return self._accept(settings, files, incoming)

    def submit_paths(self, settings: JobSettings, references: Sequence[str], others: Mapping[str, str]) -> Job:
        """The same with files on this machine, below the allowed folders; they are copied, so later changes do not count."""
        with ExitStack() as stack:

            def opened(name: str) -> IO[bytes]:
                return stack.enter_context(below_roots(name, self.settings.roots).open("rb"))

            return self.submit(settings, [opened(name) for name in references], {k: opened(v) for k, v in others.items()})

    def again(self, job_id: str, changes: Mapping[str, object]) -> Job:
        """The same files once more with some settings changed."""
        old = self.get(job_id)
        settings = JobSettings.model_validate({**old.settings, **changes})
        with tempfile.TemporaryDirectory(dir=self.settings.folder, prefix="incoming-") as name:
            incoming = JobFolder(path=Path(name) / "job")
            incoming.path.mkdir()
            shutil.copytree(self.folder(old).inputs, incoming.inputs, copy_function=os.link)  # inputs never change
            return self._accept(settings, old.files, incoming)

    def get(self, job_id: str) -> Job:
        """Raises UnknownJobError."""
        job = self._store.get(job_id)
        if job is None:
            raise UnknownJobError("No such job. It may have been deleted.")
        return job

    def newest(self, limit: int = 50) -> list[Job]:
        return self._store.newest(limit)

    def cancel(self, job_id: str) -> None:
        """Asks for a job's end; one that is finished stays as it is."""
        if not self.get(job_id).is_final:
            self._runner.cancel(job_id)

    def remove(self, job_id: str) -> None:
        """Deletes a finished job and its files.

        Raises:
            ConfigError: it is not finished.
        """
        self.get(job_id)
        if not self._store.remove(job_id):
            raise ConfigError("The job is not finished. Cancel it first.")
        shutil.rmtree(self._jobs / job_id, ignore_errors=True)

    def folder(self, job: Job) -> JobFolder:
        return JobFolder(path=self._jobs / job.id)

    def file(self, job: Job, name: str) -> Path | None:
        """A file of a job that may be shown now: results of finished jobs, whole pictures of running ones; else None."""
        folder = self.folder(job)
        if name in RESULTS:
            path = folder.path / name
            return path if job.state == "done" and path.is_file() else None
        if name == folder.preview.name:
            return folder.preview if folder.preview.is_file() else None
        role = name.removeprefix("input-")
        kept = job.files.get(role, [])
        return folder.inputs / kept[0] if name.startswith("input-") and kept else None

    def files(self, job: Job) -> list[str]:
        """Names that `file` knows now."""
        names = [*RESULTS, "preview.jpg", *(f"input-{role}" for role in job.files)]
        return [name for name in names if self.file(job, name) is not None]

    def describe(self, job: Job) -> JobOut:
        """A job as it goes over the wire."""
        stage = job.progress.stage
        done, total = job.progress.stages.get(stage, (0, None))
        share = 1.0 if job.state == "done" else job.progress.share(job.kind)
        frames_done, num_frames = job.progress.stages.get("decode", (0, None))
        progress = ProgressOut(
            stage=stage, done=done, total=total, share=share, frames_done=frames_done, num_frames=num_frames,
            seconds_left=job.seconds_left(time.time()),
        )  # fmt: skip
        return JobOut(
            id=job.id, kind=job.kind, state=job.state, created_s=job.created_s, started_s=job.started_s,
            finished_s=job.finished_s, attempts=job.attempts, settings=job.settings, lines=job.lines, error=job.error,
            outcome=job.outcome, progress=progress, files=self.files(job),
            position=self._store.position(job) if job.state == "queued" else None,
        )  # fmt: skip

    def sweep(self) -> None:
        """Deletes jobs that are too old, and files that belong to no job."""
        for job_id in self._store.finished_before(time.time() - self.settings.keep_days * _DAY_S):
            self.remove(job_id)
        known = self._store.ids()
        leftovers = [path for path in self._jobs.iterdir() if path.name not in known]
        for path in [*leftovers, *self.settings.folder.glob("incoming-*")]:
            if time.time() - path.stat().st_mtime > 3600 or path in leftovers:
                shutil.rmtree(path, ignore_errors=True)

    def _accept(self, settings: JobSettings, files: dict[str, list[str]], incoming: JobFolder) -> Job:
        job = Job(
            id=uuid.uuid4().hex, kind=settings.kind, state="queued", settings=settings.model_dump(exclude={"kind"}),
            files=files, created_s=time.time(),
        )  # fmt: skip
        animate_request(job, incoming)
        final = self._jobs / job.id
        incoming.path.rename(final)
        try:
            self._store.add(job, max_queue=self.settings.max_queue)
        except BaseException:
            with suppress(OSError):
                shutil.rmtree(final)
            raise
        self._runner.wake()
        return job
