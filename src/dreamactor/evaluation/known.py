"""What is known about a video beside its pixels, in files beside it: the motion file, and mask, expression and identity.

truth.mp4         the video
truth.npz         where the person is (a motion file, see docs/motion-file.md); optional
truth.known.npz   mask, expression and seed of a drawn actor; optional
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from dreamactor.errors import InputError
from dreamactor.evaluation.coefficients import UNNAMED, missing
from dreamactor.perception.track_file import load_track
from dreamactor.types.track import PersonTrack
from dreamactor.video.output import atomic_path

SUFFIX: Final = ".known.npz"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What lies beside a video.

    Attributes:
        track: of the person, or None.
        mask: [T, H, W] uint8 0 or 255, or None.
        expression: [T, E] float32, or None.
        coefficients: what each of the E columns is.
        actor: seed, or None.
        tags: what the clip is.
    """

    track: PersonTrack | None = None
    mask: Tensor | None = None
    expression: Tensor | None = None
    coefficients: tuple[str, ...] = ()
    actor: int | None = None
    tags: dict[str, str] = field(default_factory=dict)


def known_path(video: Path) -> Path:
    """Where mask, expression and identity of a video lie."""
    return video.with_name(video.stem + SUFFIX)


def save_known(
    video: Path, *, mask: Tensor, expression: Tensor, coefficients: Sequence[str], actor: int, tags: dict[str, str]
) -> None:
    """Writes the file beside `video`, atomically. The mask is stored as bits: above 127 is the person."""
    about = json.dumps({"shape": list(mask.shape), "actor": actor, "tags": tags, "coefficients": list(coefficients)})
    with atomic_path(known_path(video)) as part:
        np.savez_compressed(
            part, mask=np.packbits((mask > 127).numpy()), expression=expression.numpy(), about=np.array(about)
        )


def load_known(video: Path) -> Known:
    """Reads whatever lies beside a video; an empty record where nothing does.

    Raises:
        InputError: a file is there and damaged, or belongs to another video (MotionFileError is one of those).
    """
    motion = video.with_suffix(".npz")
    track = load_track(motion) if motion.is_file() else None
    path = known_path(video)
    if not path.is_file():
        return Known(track=track)
    try:
        with np.load(path, allow_pickle=False) as archive:
            about = json.loads(str(archive["about"]))
            frames, height, width = about["shape"]
            bits = np.unpackbits(archive["mask"], count=frames * height * width)
            expression = torch.from_numpy(archive["expression"]).float()
        mask = torch.from_numpy(bits.reshape(frames, height, width) * 255)
        tags = {str(name): str(value) for name, value in about["tags"].items()}
        actor = int(about["actor"])
        coefficients = tuple(str(name) for name in about.get("coefficients", UNNAMED))
    except (OSError, EOFError, KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged ({error}). Export the case again, or remove the file.") from error
    needed = (frames, len(coefficients))
    if expression.shape != needed or not bool(expression.isfinite().all()):
        raise InputError(f"{path} has expressions of shape {list(expression.shape)}, needed {list(needed)} finite numbers.")
    if why := missing(coefficients):
        raise InputError(f"{path} is not usable: {why}. Export the case again, or remove the file.")
    return Known(track=track, mask=mask, expression=expression, coefficients=coefficients, actor=actor, tags=tags)
