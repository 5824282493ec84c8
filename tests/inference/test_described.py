"""A person described by hand becomes a track; a wrong description is refused with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from dreamactor.errors import InputError
from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.inference.described import read_described_person
from dreamactor.types.track import PersonTrack

HALF = torch.tensor([[0.5, 0.0, 10.0], [0.0, 0.5, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)


def _read(folder: Path, described: Any) -> PersonTrack:
    path = folder / "person.json"
    path.write_text(json.dumps(described))
    return read_described_person(path, matrix=HALF, width=128, height=192)


def test_places_are_carried_to_the_canvas(tmp_path: Path) -> None:
    joints = {"neck": [100, 100], "pelvis": [100, 200], "left_shoulder": [140, 100]}
    track = _read(tmp_path, {"head_box": [80, 40, 120, 80], "joints": joints})
    assert track.num_frames == 1
    assert track.head.radius_px.item() == pytest.approx(10)
    assert track.head.center[0, :2].tolist() == pytest.approx([60, 30])
    assert track.body.joints[0, JOINT["left_shoulder"], :2].tolist() == pytest.approx([80, 50])


def test_only_what_was_said_counts_as_seen(tmp_path: Path) -> None:
    joints = {"neck": [100, 100], "pelvis": [100, 200], "left_shoulder": [140, 100]}
    track = _read(tmp_path, {"head_box": [80, 40, 120, 80], "joints": joints})
    seen = {name for name, index in JOINT.items() if track.body.confidence[0, index] > 0}
    assert seen == {"head", *joints}
    proportions = estimate_proportions([track])
    assert proportions.bone_length[JOINT["left_shoulder"]].item() == pytest.approx(0.4)
    assert not bool(proportions.known[JOINT["left_knee"]])


def test_a_head_box_is_enough_for_a_whole_body(tmp_path: Path) -> None:
    track = _read(tmp_path, {"head_box": [80, 40, 120, 80], "head_angles_deg": [30, 0, 0]})
    y = {name: track.body.joints[0, index, 1].item() for name, index in JOINT.items()}
    assert y["head"] < y["neck"] < y["pelvis"] < y["left_knee"] < y["left_ankle"]
    assert track.head.angles_rad[0, 0].item() == pytest.approx(torch.pi / 6)


@pytest.mark.parametrize(
    ("described", "says"),
    [
        ([], "head_box"),
        ({"joints": {}}, "head_box"),
        ({"head_box": [0, 0, 1, 1], "hat": 1}, "nothing else"),
        ({"head_box": [0, 0, 1]}, "4 numbers"),
        ({"head_box": [0, 0, 1, float("nan")]}, "4 numbers"),
        ({"head_box": [5, 0, 1, 1]}, "x0 < x1"),
        ({"head_box": [0, 0, 1, 1], "joints": {"tail": [1, 2]}}, "unknown joint 'tail'"),
        ({"head_box": [0, 0, 1, 1], "joints": {"neck": [1]}}, "2 numbers"),
        ({"head_box": [0, 0, 1, 1], "joints": [1]}, "names and places"),
    ],
)
def test_a_wrong_description_is_refused(tmp_path: Path, described: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        _read(tmp_path, described)


def test_a_description_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "person.json"
    path.write_text("head here")
    with pytest.raises(InputError, match="JSON"):
        read_described_person(path, matrix=HALF, width=64, height=64)
