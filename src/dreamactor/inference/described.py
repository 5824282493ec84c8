"""A person described by hand, for a picture in which nothing is found (creatures, heavy stylisation).

A JSON file, in pixels of the picture as it is seen (x right, y down):

    {
      "head_box": [412, 80, 610, 305],
      "joints": {"neck": [510, 330], "left_shoulder": [600, 350], "left_elbow": [640, 480]},
      "head_angles_deg": [0, 0, 0]
    }

`head_box` (x0, y0, x1, y1) reaches from ear to ear and from crown to chin. `joints` names those of `BODY_JOINTS` that can
be seen; "left" is the person's own. The others are guessed from an average body and never drawn as seen. `joints` and
`head_angles_deg` (yaw, pitch, roll) may be left out.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dreamactor.errors import InputError
from dreamactor.geometry.skeleton import BODY_JOINTS, BODY_PARENTS, JOINT, NUM_BODY_JOINTS
from dreamactor.guidance.human_build import PRIOR_HEAD_RADIUS, standing_offsets
from dreamactor.types.track import BodyTrack, HeadTrack, PersonTrack, empty_track
from dreamactor.types.video import FrameTimes

TORSO_M = 0.5
_KEYS = ("head_box", "joints", "head_angles_deg")


def read_described_person(path: Path, *, matrix: Tensor, width: int, height: int) -> PersonTrack:
    """A track of one frame from a description.

    Args:
        path: the JSON file.
        matrix: [3, 3] from pixels of the picture to pixels of the canvas.
        width, height: of the canvas.

    Raises:
        InputError: not readable, or something in it is not as documented.
    """
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is not a readable JSON file ({error}).") from error
    if not isinstance(described, dict) or set(described) - set(_KEYS) or "head_box" not in described:
        raise InputError(f'{path} must have "head_box" and may have "joints" and "head_angles_deg", nothing else.')
    box = _numbers(path, "head_box", described["head_box"], 4)
    if box[0] >= box[2] or box[1] >= box[3]:
        raise InputError(f'{path}: "head_box" must be x0, y0, x1, y1 with x0 < x1 and y0 < y1, got {box}.')
    given = described.get("joints", {})
    if not isinstance(given, dict):
        raise InputError(f'{path}: "joints" must give names and places, such as {{"neck": [510, 330]}}.')
    unknown = sorted(set(given) - set(BODY_JOINTS))
    if unknown:
        raise InputError(f"{path}: unknown joint '{unknown[0]}'. Known: {', '.join(BODY_JOINTS)}.")
    angles = _numbers(path, "head_angles_deg", described.get("head_angles_deg", [0, 0, 0]), 3)
    corners = _on_canvas(matrix, [box[:2], box[2:]])
    places = {name: _on_canvas(matrix, [_numbers(path, name, place, 2)])[0] for name, place in given.items()}
    return _build(corners, places, [math.radians(a) for a in angles], width=width, height=height, source=str(path))


def _numbers(path: Path, name: str, value: Any, count: int) -> list[float]:
    fits = isinstance(value, list) and len(value) == count
    if not fits or not all(isinstance(v, int | float) and math.isfinite(v) for v in value):
        raise InputError(f'{path}: "{name}" must be {count} numbers, got {value}.')
    return [float(v) for v in value]


def _on_canvas(matrix: Tensor, points: list[list[float]]) -> Tensor:
    """[N, 2] float32 points on the canvas."""
    source = torch.tensor([[x, y, 1.0] for x, y in points], dtype=torch.float64)
    return (source @ matrix.T)[:, :2].float()


def _build(
    corners: Tensor, places: dict[str, Tensor], angles_rad: list[float], *, width: int, height: int, source: str
) -> PersonTrack:
    radius = float(corners[1, 1] - corners[0, 1]) / 2
    torso = radius / PRIOR_HEAD_RADIUS
    if "neck" in places and "pelvis" in places:
        torso = max(1.0, float((places["neck"] - places["pelvis"]).norm()))
    offsets = standing_offsets() * torso
    known = {"head": corners.mean(dim=0), **places}
    joints = torch.zeros(NUM_BODY_JOINTS, 3)
    neck = known.get("neck", known["head"] - offsets[JOINT["head"], :2])
    joints[0, :2] = known.get("pelvis", neck - offsets[JOINT["neck"], :2])
    for index, name in enumerate(BODY_JOINTS):
        if name in known:
            joints[index, :2] = known[name]
        elif name == "neck":
            joints[index, :2] = neck
        elif index:
            joints[index] = joints[BODY_PARENTS[index]] + offsets[index]
    confidence = torch.tensor([float(name in known) for name in BODY_JOINTS])
    found = torch.ones(1, dtype=torch.bool)
    nobody = empty_track(1, width=width, height=height, times=FrameTimes.constant(1, Fraction(25)), source=source)
    return replace(
        nobody,
        body=BodyTrack(
            joints=joints[None],
            joints_m=((joints - joints[0]) * TORSO_M / torso)[None],
            confidence=confidence[None],
            tracked=found,
        ),
        head=HeadTrack(
            angles_rad=torch.tensor([angles_rad]),
            center=joints[None, JOINT["head"]],
            radius_px=torch.tensor([radius]),
            tracked=found,
        ),
    )
