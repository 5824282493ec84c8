"""How the character is built: measured from its references, from another picture, or said by hand.

A JSON file, in units of the torso (neck to pelvis):

    {
      "bones": {"shoulder": 0.36, "upper_arm": 0.56, "forearm": 0.49, "hip": 0.2, "thigh": 0.84, "shin": 0.82,
                "heel": 0.16, "foot": 0.33, "neck_to_head": 0.42},
      "head_radius": 0.23,
      "hand": 0.36,
      "guessed": ["thigh", "shin"]
    }

`shoulder` and `hip` are half widths, `foot` reaches from ankle to toe, `neck_to_head` to the middle of the head, whose
radius is half the distance from chin to crown; `hand` reaches from the wrist to the tip of the middle finger. Everything may
be left out: what is missing stays as measured. Once a bone is given, all lengths are taken as they stand
(`Proportions.doubt` is 0). `guessed` names what no picture showed when the file was written; it is not read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch

from dreamactor.errors import ConfigError, InputError, NoPersonError
from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.perception.base import PersonEstimator
from dreamactor.perception.perceive import perceive_image
from dreamactor.types.track import PersonTrack, Proportions
from dreamactor.video.image import read_image
from dreamactor.video.output import atomic_path

BONES: Final = {
    "shoulder": "shoulder", "upper_arm": "elbow", "forearm": "wrist", "hip": "hip", "thigh": "knee", "shin": "ankle",
    "heel": "heel", "foot": "toe", "neck_to_head": "head",
}  # fmt: skip
"""Name in the file -> joint at the bone's far end."""
SHORTEST, LONGEST = 0.01, 10.0
_KEYS: Final = ("bones", "head_radius", "hand", "guessed")


def parse_proportions(text: str) -> float:
    """`reference`, `driving` or a number from 0 (driving) to 1 (reference) -> that number.

    Raises:
        ConfigError: anything else.
    """
    named = {"reference": 1.0, "driving": 0.0}
    try:
        share = named[text] if text in named else float(text)
    except ValueError:
        share = math.nan
    if not 0.0 <= share <= 1.0:
        raise ConfigError(f"--proportions must be reference, driving, or a number from 0 (driving) to 1, got '{text}'.")
    return share


def measure_pictures(paths: Sequence[Path], *, estimator: PersonEstimator) -> Proportions:
    """Measures one person in pictures.

    Raises:
        MediaError: a file is not a usable picture.
        NoPersonError: nobody in one of them.
    """
    people: list[PersonTrack] = []
    for path in paths:
        person, _ = perceive_image(read_image(path), estimator=estimator, source=path.name)
        if not bool(person.body.tracked[0]):
            raise NoPersonError(
                f"No person in {path}. Proportions need a picture in which a body is seen, best from head to foot; give "
                "another one, or the lengths by hand with --proportions-json."
            )
        people.append(person)
    return estimate_proportions(people)


def character_build(
    measured: Proportions, *, image: Path | None, described: Path | None, estimator: PersonEstimator
) -> Proportions:
    """How a character is built.

    Args:
        measured: from its references.
        image: a picture of the character, such as an A-pose made by an editor, that is measured instead (the paper's route).
        described: a JSON file (see the top of this file) whose lengths count more than what was measured.
        estimator: for still pictures.
    """
    build = measure_pictures((image,), estimator=estimator) if image is not None else measured
    return read_proportions(described, build) if described is not None else build


def joints_of(bone: str) -> list[int]:
    """Indices of the joints that a bone of the file ends at, on one side or both."""
    joint = BONES[bone]
    return [JOINT[joint]] if joint in JOINT else [JOINT[f"left_{joint}"], JOINT[f"right_{joint}"]]


def read_proportions(path: Path, measured: Proportions) -> Proportions:
    """Lengths from a file in place of measured ones.

    Raises:
        InputError: not readable, or something in it is not as documented.
    """
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not a readable JSON file ({error}).") from error
    if not isinstance(described, dict) or set(described) - set(_KEYS):
        raise InputError(f"{path} may have {', '.join(_KEYS)}, nothing else. Write one with `dreamactor proportions`.")
    bones = described.get("bones", {})
    if not isinstance(bones, dict) or set(bones) - set(BONES):
        unknown = sorted(set(bones) - set(BONES)) if isinstance(bones, dict) else [str(bones)]
        raise InputError(f"{path}: unknown bone '{unknown[0]}'. Known: {', '.join(BONES)}.")
    lengths, known = measured.bone_length.clone(), measured.known.clone()
    for bone, value in bones.items():
        lengths[joints_of(bone)] = _length(path, bone, value)
        known[joints_of(bone)] = True
    return replace(
        measured,
        bone_length=lengths,
        known=known,
        head_radius=_length(path, "head_radius", described.get("head_radius", measured.head_radius)),
        hand_length=_length(path, "hand", described.get("hand", measured.hand_length)),
        doubt=0.0 if bones else measured.doubt,
    )


def _length(path: Path, name: str, value: Any) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value) or not SHORTEST <= value <= LONGEST:
        raise InputError(f'{path}: "{name}" must be a number of torso lengths from {SHORTEST} to {LONGEST}, got {value}.')
    return float(value)


def write_proportions(path: Path, build: Proportions) -> None:
    """Writes a file that `read_proportions` reads, for a user to correct."""
    described = {
        "bones": {bone: round(float(build.bone_length[joints_of(bone)[0]]), 4) for bone in BONES},
        "head_radius": round(build.head_radius, 4),
        "hand": round(build.hand_length, 4),
        "guessed": guessed_bones(build),
    }
    with atomic_path(path) as part:
        part.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def guessed_bones(build: Proportions) -> list[str]:
    """Names of the bones that nothing showed."""
    return [bone for bone in BONES if not bool(torch.any(build.known[joints_of(bone)]))]
