"""What goes over the wire."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dreamactor.app.studio.jobs import JobKind, JobState

SourceName = Literal["driving", "reference", "none", "file"]


class JobSettings(BaseModel):
    """What is asked for, apart from the files."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    kind: JobKind = Field(default="animate", description="`animate` makes the video; `look` shows what would drive it.")
    body_from: SourceName = Field(default="driving", description="`file`: the file sent as `body`.")
    head_from: SourceName = "driving"
    face_from: SourceName = "driving"
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    steps: int | None = Field(default=None, ge=1, le=100, description="Sampling steps; the model's own if left out.")
    size: int | None = Field(default=None, ge=64, le=768, description="Side of a square of the output's area, in pixels.")
    guidance_reference: float | None = Field(default=None, ge=0, le=20)
    guidance_motion: float | None = Field(default=None, ge=0, le=20)
    framing: Literal["auto", "reference", "driving"] = "auto"
    camera: Literal["ignore", "follow"] = "ignore"
    person: int | None = Field(default=None, ge=1, le=20)
    proportions: float = Field(default=1.0, ge=0, le=1, description="Bone lengths: 0 the driver's, 1 the character's.")
    use_proxy: bool = True
    label: bool = Field(default=False, description="Write AI-generated into every picture.")


class PathJob(BaseModel):
    """A job whose files lie on the server already."""

    model_config = ConfigDict(extra="forbid")

    references: list[str] = Field(min_length=1, max_length=8)
    driving: str | None = None
    body: str | None = None
    head: str | None = None
    face: str | None = None
    audio: str | None = None
    settings: JobSettings = JobSettings()


class ProgressOut(BaseModel):
    """How far a job is."""

    stage: str = Field(description="perceive, prepare, denoise or decode; empty before the first report.")
    done: int
    total: int | None
    share: float = Field(description="Of the whole work, estimated, 0 to 1.")
    frames_done: int = Field(description="Pictures that are finished.")
    num_frames: int | None = Field(description="Pictures of the whole video; null before the first are finished.")
    seconds_left: float | None = Field(description="Told once the first pictures are finished.")


class JobOut(BaseModel):
    """A job."""

    id: str
    kind: JobKind
    state: JobState
    position: int | None = Field(description="Jobs that are begun before it; null where it does not wait.")
    created_s: float
    started_s: float | None
    finished_s: float | None
    attempts: int
    settings: dict[str, Any]
    progress: ProgressOut
    lines: list[str] = Field(description="What was said about it.")
    error: str
    outcome: dict[str, Any]
    files: list[str] = Field(description="What can be fetched now, from /api/v1/jobs/ID/files/NAME.")


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str | list[Any]


class Health(BaseModel):
    """How the server is."""

    version: str
    model: str
    worker: Literal["ready", "busy", "starting"]
    queued: int
