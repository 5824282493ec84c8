"""Jobs: what is asked for, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

JobKind = Literal["animate", "look"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
FINAL: Final[tuple[JobState, ...]] = ("done", "failed", "cancelled")

_STAGE_SHARE: Final = {"perceive": (0.0, 0.25), "prepare": (0.25, 0.05), "denoise": (0.30, 0.45), "decode": (0.30, 0.25)}
"""Where a stage begins and how much of the whole work it is; denoising and decoding take turns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobProgress:
    """How far a running job is.

    Attributes:
        stages: stage -> (done, total); total is None where nobody can know.
        share: 0..1 of the whole work, estimated.
    """

    stages: dict[str, tuple[int, int | None]] = field(default_factory=dict)

    def after(self, stage: str, done: int, total: int | None) -> JobProgress:
        """With one more report."""
        return JobProgress(stages={**self.stages, stage: (done, total)})

    @property
    def stage(self) -> str:
        """The latest stage."""
        return next(reversed(self.stages), "")

    @property
    def share(self) -> float:
        share = 0.0
        for stage, (done, total) in self.stages.items():
            _, weight = _STAGE_SHARE.get(stage, (0.0, 0.0))
            share += weight * (done / total if total else 0.0)
        reached = max((_STAGE_SHARE[stage][0] for stage in self.stages if stage in _STAGE_SHARE), default=0.0)
        return min(1.0, max(share, reached))


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
        """Estimated from what is done; None before there is anything to estimate from."""
        share = self.progress.share
        if self.state != "running" or self.started_s is None or share < 0.03:
            return None
        return max(0.0, (now_s - self.started_s) * (1 - share) / share)


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
