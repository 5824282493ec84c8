"""Jobs in SQLite: what was accepted is not lost when the server ends, however it ends."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from dreamactor.app.studio.jobs import FINAL, Job, JobProgress
from dreamactor.errors import DreamActorError

MAX_ATTEMPTS: Final = 20
"""A job that was begun so often has brought the server down."""
MAX_LINES: Final = 50
_JSON: Final = ("settings", "files", "progress", "lines", "outcome")
_COLUMNS: Final = tuple(field.name for field in fields(Job))


class QueueFullError(DreamActorError):
    """As many jobs wait as may wait."""


class JobStore:
    """All jobs of one server. Every method is one transaction and may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, kind TEXT, state TEXT, settings TEXT, files TEXT, "
            "created_s REAL, started_s REAL, finished_s REAL, attempts INTEGER, crashes INTEGER, progress TEXT, lines TEXT, "
            "error TEXT, outcome TEXT)"
        )

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def add(self, job: Job, *, max_queue: int) -> None:
        """Accepts a job.

        Raises:
            QueueFullError: too many wait already.
        """
        row = _to_row(job)
        places = ", ".join(f":{name}" for name in _COLUMNS)
        with self._lock:
            added = self._db.execute(
                f"INSERT INTO jobs ({', '.join(_COLUMNS)}) SELECT {places} "
                "WHERE (SELECT count(*) FROM jobs WHERE state = 'queued') < :max_queue",
                row | {"max_queue": max_queue},
            )
            if added.rowcount == 0:
                raise QueueFullError(f"{max_queue} jobs wait already. Try again when some are done.")

    def get(self, job_id: str) -> Job | None:
        with self._lock:
            row = self._db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else _to_job(row)

    def newest(self, limit: int) -> list[Job]:
        """The latest jobs, newest first."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM jobs ORDER BY created_s DESC, id LIMIT ?", (limit,)).fetchall()
        return [_to_job(row) for row in rows]

    def num_queued(self) -> int:
        with self._lock:
            return int(self._db.execute("SELECT count(*) FROM jobs WHERE state = 'queued'").fetchone()[0])

    def position(self, job: Job) -> int:
        """How many jobs are begun before a waiting one."""
        with self._lock:
            found = self._db.execute(
                "SELECT count(*) FROM jobs WHERE state = 'queued' AND (kind != 'look', created_s, id) < (?, ?, ?)",
                (job.kind != "look", job.created_s, job.id),
            )
            return int(found.fetchone()[0])

    def claim(self) -> Job | None:
        """Begins the next job, looks before animations (they are short, and somebody waits for them); None: none waits."""
        with self._lock:
            row = self._db.execute(
                "UPDATE jobs SET state = 'running', started_s = ?, attempts = attempts + 1, progress = '{}' WHERE id = "
                "(SELECT id FROM jobs WHERE state = 'queued' ORDER BY kind != 'look', created_s, id LIMIT 1) RETURNING *",
                (time.time(),),
            ).fetchone()
        return None if row is None else _to_job(row)

    def report(self, job_id: str, progress: JobProgress) -> None:
        self._set(job_id, "running", progress=_progress_to_json(progress))

    def say(self, job_id: str, line: str) -> None:
        """Adds a line for the user; only the first ones are kept."""
        job = self.get(job_id)
        if job is not None and len(job.lines) < MAX_LINES and line not in job.lines:
            self._set(job_id, "running", lines=json.dumps([*job.lines, line]))

    def finish(self, job_id: str, state: str, *, error: str = "", outcome: dict[str, Any] | None = None) -> None:
        """Ends a running job."""
        self._set(job_id, "running", state=state, error=error, outcome=json.dumps(outcome or {}), finished_s=time.time())

    def put_back(self, job_id: str, *, crashed: bool) -> None:
        """A running job waits again; the next attempt resumes it."""
        job = self.get(job_id)
        if job is not None:
            self._set(job_id, "running", state="queued", crashes=job.crashes + int(crashed))

    def cancel_waiting(self, job_id: str) -> bool:
        """Ends a job that was not begun; False where it was."""
        return self._set(job_id, "queued", state="cancelled", finished_s=time.time())

    def put_back_all(self) -> list[str]:
        """After a restart: what was running waits again. Returns the ids."""
        with self._lock:
            self._db.execute(
                "UPDATE jobs SET state = 'failed', finished_s = ?, error = ? WHERE state = 'running' AND attempts >= ?",
                (time.time(), f"The server ended {MAX_ATTEMPTS} times while it worked on this job.", MAX_ATTEMPTS),
            )
            rows = self._db.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running' RETURNING id").fetchall()
        return [row["id"] for row in rows]

    def remove(self, job_id: str) -> bool:
        """Forgets a finished job; False where it is not finished or not known."""
        with self._lock:
            places = ", ".join("?" for _ in FINAL)
            gone = self._db.execute(f"DELETE FROM jobs WHERE id = ? AND state IN ({places})", (job_id, *FINAL))
            return gone.rowcount == 1

    def finished_before(self, moment_s: float) -> list[str]:
        with self._lock:
            places = ", ".join("?" for _ in FINAL)
            rows = self._db.execute(
                f"SELECT id FROM jobs WHERE state IN ({places}) AND finished_s < ?", (*FINAL, moment_s)
            ).fetchall()
        return [row["id"] for row in rows]

    def ids(self) -> set[str]:
        with self._lock:
            return {row["id"] for row in self._db.execute("SELECT id FROM jobs")}

    def _set(self, job_id: str, only_in: str, **values: object) -> bool:
        """Changes columns of a job that is in one state; whether it was."""
        changes = ", ".join(f"{name} = :{name}" for name in values)
        with self._lock:
            done = self._db.execute(
                f"UPDATE jobs SET {changes} WHERE id = :job_id AND jobs.state = :only_in",
                values | {"job_id": job_id, "only_in": only_in},
            )
            return done.rowcount == 1


def _to_row(job: Job) -> dict[str, Any]:
    row = {name: json.dumps(value) if name in _JSON else value for name, value in asdict(job).items()}
    return row | {"progress": _progress_to_json(job.progress)}


def _progress_to_json(progress: JobProgress) -> str:
    return json.dumps({"stages": progress.stages, "ends_s": progress.ends_s})


def _to_job(row: sqlite3.Row) -> Job:
    values = {name: json.loads(row[name]) if name in _JSON else row[name] for name in _COLUMNS}
    told = {"stages": {}, "ends_s": None} | values["progress"]
    stages = {stage: (done, total) for stage, (done, total) in told["stages"].items()}
    return Job(**values | {"progress": JobProgress(stages=stages, ends_s=told["ends_s"])})
