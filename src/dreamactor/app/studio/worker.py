"""The process that holds the model and does one job after another. It ends with the server that started it."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Literal

from dreamactor.app.studio.jobs import Job, JobFolder
from dreamactor.errors import DreamActorError, OutputError

_log = logging.getLogger(__name__)
PREVIEW_PX = 320


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What the worker tells the server.

    Attributes:
        what: "ready" once; "progress" and "line" during a job; "done" or "failed" at its end.
        body: of progress (stage, done, total); of a line or a failure its text; of a done job its outcome.
    """

    what: Literal["ready", "progress", "line", "done", "failed", "stopped"]
    body: Any = None


class Stopped(BaseException):
    """The server asked for this job's end; no `Exception`, so that nothing on the way swallows it."""


def work(jobs: Connection, stop: Event, model: str) -> None:
    """Serves until the server closes the connection or is gone.

    Args:
        jobs: gives (Job, path of its folder), takes `Message`s.
        stop: set by the server to end the job that is being done, and cleared by it before the next one.
        model: name or folder.
    """
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    from dreamactor.inference.animator import Animator

    animator = Animator.from_pretrained(model)
    jobs.send(Message(what="ready"))
    while True:
        try:
            job, path = jobs.recv()
        except EOFError:
            return
        folder = JobFolder(path=path)
        try:
            outcome = _do(job, folder, animator, model, _Telling(jobs, stop))
            jobs.send(Message(what="done", body=outcome))
        except Stopped:
            jobs.send(Message(what="stopped"))
        except DreamActorError as error:
            jobs.send(Message(what="failed", body=_without_paths(str(error), folder)))
        except Exception as error:
            _log.exception("Job %s failed", job.id)
            said = f"Something in the program failed ({type(error).__name__}); the server's log tells where."
            jobs.send(Message(what="failed", body=said))


class _Telling:
    """Passes progress and lines on, and stops the job where that was asked for."""

    def __init__(self, jobs: Connection, stop: Event) -> None:
        self._jobs, self._stop = jobs, stop
        self._next_s = 0.0
        self._stage = ""

    def progress(self, step: Any) -> None:
        """A report of the library; at most ten a second are passed on, but every stage's first and last."""
        if self._stop.is_set():
            raise Stopped
        now_s = time.monotonic()
        if step.stage != self._stage or step.done == step.total or now_s >= self._next_s:
            self._stage, self._next_s = step.stage, now_s + 0.1
            self._jobs.send(Message(what="progress", body=(step.stage, step.done, step.total)))

    def line(self, text: str) -> None:
        if self._stop.is_set():  # what a broken-off command says of going on with it is for terminals
            return
        self._jobs.send(Message(what="line", body=text))


def _do(job: Job, folder: JobFolder, animator: Any, model: str, telling: _Telling) -> dict[str, Any]:
    from dreamactor.app.studio.plan import animate_request

    request = animate_request(job, folder)
    if job.kind == "look":
        from dreamactor.app.look import look_to_file

        return {"warnings": look_to_file(request, folder.look, animator=animator, report=telling.progress)}
    from dreamactor.app.animate import animate_to_file
    from dreamactor.inference.unfinished import folder_beside

    def animate(*, resume: bool) -> int:
        return animate_to_file(
            request, model=model, output=folder.result, preview=folder.beside, resume=resume, label=job.settings["label"],
            animator=animator, report=telling.progress, say=_sayer(telling, folder), show=_shower(folder),
        )  # fmt: skip

    if job.attempts <= 1:
        return {"frames": animate(resume=False)}
    try:
        return {"frames": animate(resume=True)}
    except OutputError:  # left by another version, or damaged: what is kept saves time and decides nothing
        shutil.rmtree(folder_beside(folder.result), ignore_errors=True)
        return {"frames": animate(resume=False)}


def _sayer(telling: _Telling, folder: JobFolder) -> Callable[[str], None]:
    return lambda text: telling.line(_without_paths(text, folder))


def _shower(folder: JobFolder) -> Callable[[Any], None]:
    """Writes a small picture of the latest frame."""

    def show(clip: Any) -> None:
        from dreamactor.video.image import write_image
        from dreamactor.video.resize import resize_frames

        width, height = clip.size
        scale = min(1.0, PREVIEW_PX / max(width, height))
        small = resize_frames(clip.frames[-1:], width=max(1, round(width * scale)), height=max(1, round(height * scale)))
        write_image(folder.preview, small[0])

    return show


def _without_paths(text: str, folder: JobFolder) -> str:
    """A message as it may be shown to others: without where things lie on the server."""
    return text.replace(f"{folder.inputs}{os.sep}", "").replace(f"{folder.path}{os.sep}", "")


def _end_with(server: int) -> None:
    """Ends this process soon after the server is gone, whatever it is doing."""
    while os.getppid() == server:
        time.sleep(0.5)
    os._exit(1)


def clean_folder(path: Path) -> None:
    """Removes what an attempt left half-written; finished segments and results stay."""
    for part in path.rglob("*.part*"):
        if part.is_file():
            part.unlink()
