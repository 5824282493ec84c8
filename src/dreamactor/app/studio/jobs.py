"""Jobs: what is asked for, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

JobKind = Literal["animate", "look"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
FINAL: Final[tuple[JobState, ...]] = ("done", "failed", "cancelled")

_STAGE_SHARE: Final[dict[JobKind, dict[str, tuple[float, float]]]] = {
    "animate": {"perceive": (0.0, 0.15), "prepare": (0.15, 0.05), "denoise": (0.2, 0.1), "decode": (0.2, 0.7)},
    "look": {"perceive": (0.0, 0.8), "prepare": (0.8, 0.2)},
}
"""Where a stage begins and how much of the whole work it is; denoising and decoding take turns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobProgress:
    """How far a running job is.

    Attributes:
        stages: stage -> (done, total); total is None where nobody can know.
        drawing: when the first picture of this attempt was begun, in seconds since 1970, and the share of all pictures
            that were finished then.
        ends_s: when the last picture will be finished, at the pace of those that are; None before the first are.
    """

    stages: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    drawing: tuple[float, float] | None = None
    ends_s: float | None = None

    def after(self, stage: str, done: int, total: int | None, *, now_s: float) -> JobProgress:
        """With one more report."""
        drawing, ends_s = self.drawing, self.ends_s
        finished = done / total if total else 0.0
        if stage == "denoise" and drawing is None:
            drawing = (now_s, finished)
        if stage == "decode" and drawing is not None and finished > drawing[1]:
            began_s, before = drawing
            ends_s = now_s + (1 - finished) * (now_s - began_s) / (finished - before)
        return JobProgress(stages={**self.stages, stage: (done, total)}, drawing=drawing, ends_s=ends_s)

    @property
    def stage(self) -> str:
        """The latest stage."""
        return next(reversed(self.stages), "")

    def share(self, kind: JobKind) -> float:
        """0..1 of the whole work, estimated; stages that were skipped, as for a known video, count as done."""
        known = [(*_STAGE_SHARE[kind][stage], done, total) for stage, (done, total) in self.stages.items()]
        reached = max((begins for begins, _, _, _ in known), default=0.0)
        return reached + sum(size * done / total for begins, size, done, total in known if begins == reached and total)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One piece of work, as it is stored.

    Attributes:
        id: 32 hexadecimal digits.
        settings: what was asked for, without files; the fields of `JobSettings`.
        files: role -> names in the job's folder of inputs: references, driving, body, head, face, audio.
        created_s, started_s, finished_s: seconds since 1970.
        attempts: how often it was begun; from the second one on the work resumes where it broke off.
        crashes: how often the worker died of it.
        lines: what was said about it.
        error: why it failed.
        outcome: what is known of a finished job: frames, warnings.
    """

    id: str
    kind: JobKind
    state: JobState
    settings: dict[str, Any]
    files: dict[str, list[str]]
    created_s: float
    started_s: float | None = None
    finished_s: float | None = None
    attempts: int = 0
    crashes: int = 0
    progress: JobProgress = JobProgress()
    lines: list[str] = field(default_factory=list)
    error: str = ""
    outcome: dict[str, Any] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    def seconds_left(self, now_s: float) -> float | None:
        """Until the last picture is drawn; None where it does not run, or before the first pictures are finished."""
        if self.state != "running" or self.progress.ends_s is None:
            return None
        return max(0.0, self.progress.ends_s - now_s)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFolder:
    """Where the files of a job lie."""

    path: Path

    @property
    def inputs(self) -> Path:
        return self.path / "inputs"

    @property
    def result(self) -> Path:
        return self.path / "result.mp4"

    @property
    def beside(self) -> Path:
        """Sources and result side by side."""
        return self.path / "beside.mp4"

    @property
    def preview(self) -> Path:
        """The latest finished picture."""
        return self.path / "preview.jpg"

    @property
    def look(self) -> Path:
        """What was seen in the driver, and on the character."""
        return self.path / "look.png"
