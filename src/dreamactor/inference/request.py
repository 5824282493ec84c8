"""What a user asks for, and what is said while it is being done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dreamactor.errors import ConfigError
from dreamactor.guidance.retarget import FRAMINGS, Framing
from dreamactor.inference.face_motion import CHOICES, FaceEncoderChoice

MIN_SIZE, MAX_SIZE = 64, 1536


@dataclass(frozen=True, kw_only=True, slots=True)
class AnimateRequest:
    """One animation.

    Attributes:
        references: pictures of the character; the first decides canvas and background.
        driving: a video, or a motion file (.npz) made by `extract`.
        seed: of all randomness.
        steps: sampling steps; None: the model's own.
        size: side in pixels of a square of the output's area; None: the model's own.
        guidance_reference, guidance_motion: guidance scales; None: the model's own.
        framing: see `dreamactor.guidance.retarget`.
        person: which person of the driving video, 1 for the largest.
        described: JSON files that say by hand where the person is in the first references, see
            `dreamactor.inference.described`.
        use_proxy: carry the references' own pixels along; off is the paper's pure mode.
        face_encoder: which of the model's encoders reads the driver's face, see `dreamactor.inference.face_motion`.
        face_weights: own weights of the implicit encoder, a safetensors file.

    Raises:
        ConfigError: a value that cannot work.
    """

    references: tuple[Path, ...]
    driving: Path
    seed: int = 0
    steps: int | None = None
    size: int | None = None
    guidance_reference: float | None = None
    guidance_motion: float | None = None
    framing: Framing = "auto"
    person: int | None = None
    described: tuple[Path, ...] = ()
    use_proxy: bool = True
    face_encoder: FaceEncoderChoice = "auto"
    face_weights: Path | None = None

    def __post_init__(self) -> None:
        if not self.references:
            raise ConfigError("No reference picture given. Pass at least one picture of the character.")
        if len(self.described) > len(self.references):
            raise ConfigError(
                f"--reference-json was given {len(self.described)} times for {len(self.references)} references. "
                "Give at most one for each."
            )
        if self.steps is not None and not 1 <= self.steps <= 1000:
            raise ConfigError(f"--steps must be from 1 to 1000, got {self.steps}.")
        if self.size is not None and not MIN_SIZE <= self.size <= MAX_SIZE:
            raise ConfigError(f"--size must be from {MIN_SIZE} to {MAX_SIZE} pixels, got {self.size}.")
        for name, value in (("ref", self.guidance_reference), ("motion", self.guidance_motion)):
            if value is not None and not (math.isfinite(value) and 0 <= value <= 20):
                raise ConfigError(f"--guidance-{name} must be a number from 0 to 20, got {value}.")
        if self.person is not None and self.person < 1:
            raise ConfigError(f"--person counts from 1 (the largest), got {self.person}.")
        if self.face_encoder not in CHOICES:
            raise ConfigError(f"Unknown face encoder '{self.face_encoder}'. Known: {', '.join(CHOICES)}.")
        if self.face_weights is not None and self.face_encoder == "landmarks":
            raise ConfigError("--face-weights are of the implicit encoder; they have no use with --face-encoder landmarks.")
        if self.framing not in FRAMINGS:
            raise ConfigError(f"Unknown framing '{self.framing}'. Known: {', '.join(FRAMINGS)}.")


Stage = Literal["perceive", "prepare", "denoise", "decode"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a stage is; `total` is None where nobody can know."""

    stage: Stage
    done: int
    total: int | None
