"""What a user asks for, and what is said while it is being done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from dreamactor.errors import ConfigError
from dreamactor.guidance.retarget import CAMERA_MODES, FRAMINGS, CameraMode, Framing
from dreamactor.inference.face_motion import CHOICES, FaceEncoderChoice

MIN_SIZE, MAX_SIZE = 64, 1536

Part = Literal["body", "head", "face"]
PARTS: Final[tuple[Part, ...]] = ("body", "head", "face")
SourceWord = Literal["driving", "reference", "none"]
SOURCE_WORDS: Final[tuple[SourceWord, ...]] = ("driving", "reference", "none")
"""Where a part's motion comes from, if not from a file of its own: the driving video, held as in the first reference
picture, or nowhere."""
Made = Literal["reference", "none", "idle", "audio"]
"""What moves a part that no clip drives: `idle` is held as in the picture but breathes and sways, `audio` speaks."""
MAX_MOUTH_STRENGTH: Final = 3.0
PseudoPoses = Literal["driving", "turn"]
PSEUDO_POSES: Final[tuple[PseudoPoses, ...]] = ("driving", "turn")
"""Poses of pseudo references: the driver's own, or a turn on the spot."""


def parse_source(text: str) -> Path | SourceWord:
    """What is typed for a part's source: one of `SOURCE_WORDS`, else a file."""
    return next((word for word in SOURCE_WORDS if word == text), Path(text))


@dataclass(frozen=True, kw_only=True, slots=True)
class AnimateRequest:
    """One animation.

    Attributes:
        references: pictures of the character; the first decides canvas and background.
        driving: a video, or a motion file (.npz) made by `extract`; None where every part has another source.
        body_from, head_from, face_from: where that part's motion comes from: a video, a motion file, or one of
            `SOURCE_WORDS`. Hands belong to the body.
        seed: of all randomness.
        steps: sampling steps; None: the model's own.
        size: side in pixels of a square of the output's area; None: the model's own.
        guidance_reference, guidance_motion: guidance scales; None: the model's own.
        framing: see `dreamactor.guidance.retarget`.
        camera: `ignore` takes the motion of the body's camera out, `follow` keeps it.
        person: which person of the driving video, 1 for the largest.
        described: JSON files that say by hand where the person is in the first references, see
            `dreamactor.inference.described`.
        proportions: how far the driver's skeleton takes the character's proportions: 0 (driving) to 1 (reference).
        proportions_image: a picture that is measured instead of the references, such as an A-pose made by an editor.
        proportions_json: lengths by hand, see `dreamactor.inference.character_build`.
        use_proxy: carry the references' own pixels along; off is the paper's pure mode.
        reference_yaw_deg: which way the person faces in the first references, by hand: 0 to the camera, 90 to the image's
            right, 180 away; None leaves that one to perception.
        pseudo_references: make pictures of the character's other sides first and use them as further references, see
            `dreamactor.inference.pseudo_references`: in the driver's poses, or turning on the spot.
        pseudo_folder: where these are kept; pictures that are there already are used instead of making any.
        face_encoder: which of the model's encoders reads the driver's face, see `dreamactor.inference.face_motion`.
        face_weights: own weights of the implicit encoder, a safetensors file.
        audio: a sound or video file whose speech moves the mouth, and whose sound the result has. Where the face has another
            source, all but the mouth is that source's (dubbing); else the whole face is made to fit, which `face_from` may
            also ask for by the word `audio`. Parts that nothing drives are at ease.
        mouth_strength: how far speech opens the mouth: 0 not at all, 1 as learnt.

    Raises:
        ConfigError: a value that cannot work.
    """

    references: tuple[Path, ...]
    driving: Path | None = None
    body_from: Path | SourceWord = "driving"
    head_from: Path | SourceWord = "driving"
    face_from: Path | SourceWord | Literal["audio"] = "driving"
    seed: int = 0
    steps: int | None = None
    size: int | None = None
    guidance_reference: float | None = None
    guidance_motion: float | None = None
    framing: Framing = "auto"
    camera: CameraMode = "ignore"
    person: int | None = None
    described: tuple[Path, ...] = ()
    proportions: float = 1.0
    proportions_image: Path | None = None
    proportions_json: Path | None = None
    use_proxy: bool = True
    reference_yaw_deg: tuple[float | None, ...] = ()
    pseudo_references: PseudoPoses | None = None
    pseudo_folder: Path | None = None
    face_encoder: FaceEncoderChoice = "auto"
    face_weights: Path | None = None
    audio: Path | None = None
    mouth_strength: float = 1.0

    def __post_init__(self) -> None:
        if not self.references:
            raise ConfigError("No reference picture given. Pass at least one picture of the character.")
        if len(self.described) > len(self.references):
            raise ConfigError(
                f"--reference-json was given {len(self.described)} times for {len(self.references)} references. "
                "Give at most one for each."
            )
        if len(self.reference_yaw_deg) > len(self.references):
            raise ConfigError(
                f"--reference-yaw was given {len(self.reference_yaw_deg)} times for {len(self.references)} references. "
                "Give at most one for each."
            )
        if not all(yaw is None or -360 <= yaw <= 360 for yaw in self.reference_yaw_deg):
            raise ConfigError(f"--reference-yaw must be from -360 to 360 degrees or 'auto', got {self.reference_yaw_deg}.")
        if self.pseudo_references is not None and self.pseudo_references not in PSEUDO_POSES:
            raise ConfigError(f"Unknown poses '{self.pseudo_references}'. Known: {', '.join(PSEUDO_POSES)}.")
        if self.pseudo_folder is not None and self.pseudo_references is None:
            raise ConfigError("--pseudo-folder has no use without --pseudo-references.")
        if self.steps is not None and not 1 <= self.steps <= 1000:
            raise ConfigError(f"--steps must be from 1 to 1000, got {self.steps}.")
        if self.size is not None and not MIN_SIZE <= self.size <= MAX_SIZE:
            raise ConfigError(f"--size must be from {MIN_SIZE} to {MAX_SIZE} pixels, got {self.size}.")
        for name, value in (("ref", self.guidance_reference), ("motion", self.guidance_motion)):
            if value is not None and not (math.isfinite(value) and 0 <= value <= 20):
                raise ConfigError(f"--guidance-{name} must be a number from 0 to 20, got {value}.")
        if self.person is not None and self.person < 1:
            raise ConfigError(f"--person counts from 1 (the largest), got {self.person}.")
        if not 0.0 <= self.proportions <= 1.0:
            raise ConfigError(f"--proportions must be from 0 (driving) to 1 (reference), got {self.proportions}.")
        if self.face_encoder not in CHOICES:
            raise ConfigError(f"Unknown face encoder '{self.face_encoder}'. Known: {', '.join(CHOICES)}.")
        if self.face_weights is not None and self.face_encoder == "landmarks":
            raise ConfigError("--face-weights are of the implicit encoder; they have no use with --face-encoder landmarks.")
        if self.framing not in FRAMINGS:
            raise ConfigError(f"Unknown framing '{self.framing}'. Known: {', '.join(FRAMINGS)}.")
        if self.camera not in CAMERA_MODES:
            raise ConfigError(f"Unknown --camera '{self.camera}'. Known: {', '.join(CAMERA_MODES)}.")
        if not 0 <= self.mouth_strength <= MAX_MOUTH_STRENGTH:
            raise ConfigError(f"--mouth-strength must be from 0 to {MAX_MOUTH_STRENGTH:g}, got {self.mouth_strength}.")
        if self.audio is None and self.mouth_strength != 1:
            raise ConfigError("--mouth-strength is of speech; it has no use without --audio or --face-from audio:FILE.")
        self._check_sources()

    def source(self, part: Part) -> Path | Made:
        """Where a part's motion comes from, `driving` resolved."""
        chosen: Path | SourceWord | Literal["audio"] = getattr(self, f"{part}_from")
        if isinstance(chosen, Path) or chosen != "driving":
            return chosen  # type: ignore[return-value]  # "driving" is out
        if self.driving is not None:
            return self.driving
        return "audio" if part == "face" else "idle"

    def _check_sources(self) -> None:
        chosen: dict[Part, Path | str] = {part: getattr(self, f"{part}_from") for part in PARTS}
        for part, source in chosen.items():
            if (part, source) == ("face", "audio"):
                if self.audio is None:
                    raise ConfigError(
                        "The face is to follow speech, and there is none. Name the file: --face-from audio:FILE."
                    )
            elif not isinstance(source, Path) and source not in SOURCE_WORDS:
                raise ConfigError(f"--{part}-from must be a file or one of {', '.join(SOURCE_WORDS)}, got '{source}'.")
        by_driving = [part for part, source in chosen.items() if source == "driving"]
        if self.audio is not None:
            if self.face_from == "none":
                raise ConfigError("--audio moves the mouth, and --face-from none draws no face. Leave one of them out.")
        elif self.driving is None and by_driving:
            raise ConfigError(
                f"No motion for the {by_driving[0]}. Pass --driving, or --{by_driving[0]}-from with a video, a motion file, "
                "reference or none."
            )
        if self.driving is not None and not by_driving:
            raise ConfigError("--driving is not used, because body, head and face all come from elsewhere. Leave it out.")
        clips = [self.audio, *chosen.values()]
        if self.driving is None and not any(isinstance(source, Path) for source in clips):
            raise ConfigError(
                "Nothing moves: at least one of body, head and face must come from a video or motion file, or from --audio."
            )
        if self.driving is None and self.person is not None:
            raise ConfigError(
                "--person chooses in the video of --driving, and there is none. Choose with `extract --person` and pass the "
                "motion file."
            )


def parse_yaw(text: str) -> float | None:
    """Degrees, or None for `auto`.

    Raises:
        ConfigError: neither.
    """
    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"--reference-yaw must be degrees or 'auto', got '{text}'.") from None


Stage = Literal["perceive", "prepare", "denoise", "decode"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a stage is; `total` is None where nobody can know."""

    stage: Stage
    done: int
    total: int | None
