"""Scores of real drivers: what equals the driver is perfect, and what cannot be told is left out with its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from dreamactor.evaluation.coefficients import JUDGED
from dreamactor.evaluation.drivers import LIMBS, limb_angles_deg, score_driver, score_still
from dreamactor.evaluation.perceived import lid_opening, mouth_opening
from dreamactor.geometry.skeleton import FACE_POINT, JOINT
from dreamactor.guidance.person_box import judged_points
from dreamactor.types.track import PersonTrack
from factories import make_track

FRAMES = 16
LIMB = list(LIMBS)


def _driver(*, moves: bool = True) -> PersonTrack:
    """Somebody who talks, blinks and shakes the head while the arms go up; the face is still where `moves` is False."""
    track = make_track(
        num_frames=FRAMES, width=300, height=420, scale_px=200.0, pelvis_px=(150.0, 200.0), arm_swing_rad=0.8
    )  # fmt: skip
    time = torch.arange(FRAMES) * 0.9
    landmarks = track.face.landmarks.clone()
    for above, below, rest, swing, start in (
        ("lip_inner_2", "lip_inner_6", 0.20, 0.15, 0.0),
        ("left_eye_1", "left_eye_5", 0.10, 0.06, 1.0),
        ("right_eye_1", "right_eye_5", 0.10, 0.05, 2.0),
    ):
        gap = (rest + swing * moves * torch.sin(time + start)) * track.head.radius_px
        landmarks[:, FACE_POINT[below]] = landmarks[:, FACE_POINT[above]]
        landmarks[:, FACE_POINT[below], 1] += gap
    angles = track.head.angles_rad.clone()
    angles[:, 0] += 0.3 * moves * torch.sin(time)
    return replace(
        track, face=replace(track.face, landmarks=landmarks), head=replace(track.head, angles_rad=angles)
    )  # fmt: skip


def _reading(track: PersonTrack) -> dict[str, Any]:
    """What a perfect reader reads off an output that does exactly what the driver did."""
    expression = torch.zeros(track.num_frames, len(JUDGED))
    expression[:, JUDGED.index("jaw_open")] = mouth_opening(track)
    lids = lid_opening(track)
    for index, side in enumerate(("left", "right")):
        expression[:, JUDGED.index(f"blink_{side}")] = 1 - lids[:, index]
    return {
        "points": judged_points(track)[0], "angles_rad": track.head.angles_rad, "expression": expression,
        "coefficients": JUDGED,
    }  # fmt: skip


def test_a_reading_that_equals_the_driver_is_perfect() -> None:
    track = _driver()
    found = score_driver(track, track, **_reading(track))
    assert found.missing == {}
    assert found.values.pop("limb_angle_deg") == pytest.approx(0.0, abs=0.05)
    assert found.values == pytest.approx(dict.fromkeys(("jaw_correlation", "lid_correlation", "yaw_correlation"), 1.0))


def test_correlations_do_not_ask_how_far_something_moves_but_which_way() -> None:
    track = _driver()
    read = _reading(track)
    other = read | {"expression": 4 * read["expression"] - 2, "angles_rad": 0.5 * read["angles_rad"] + 0.1}
    against = read | {"expression": 1 - read["expression"], "angles_rad": -read["angles_rad"]}
    for reading, value in ((other, 1.0), (against, -1.0)):
        found = score_driver(track, track, **reading)
        for name in ("jaw_correlation", "lid_correlation", "yaw_correlation"):
            assert found.values[name] == pytest.approx(value, abs=1e-6)


def test_what_hardly_moves_in_the_output_is_zero_and_not_the_jitter_of_the_reader() -> None:
    track = _driver()
    read = _reading(track)
    faint = read | {"expression": 1e-3 * read["expression"], "angles_rad": 1e-3 * read["angles_rad"]}
    found = score_driver(track, track, **faint)
    assert [found.values[name] for name in ("jaw_correlation", "lid_correlation", "yaw_correlation")] == [0.0, 0.0, 0.0]


def test_a_still_face_is_left_out_with_the_reason() -> None:
    track = _driver(moves=False)
    found = score_driver(track, track, **_reading(_driver()))
    assert set(found.missing) == {"jaw_correlation", "lid_correlation", "yaw_correlation"}
    assert all("hardly moves" in reason for reason in found.missing.values())
    assert "limb_angle_deg" in found.values


def test_too_few_frames_with_a_face_are_left_out_with_the_reason() -> None:
    track = _driver()
    away = replace(track, face=replace(track.face, tracked=torch.arange(FRAMES) < 5))
    found = score_driver(away, track, **_reading(track))
    assert set(found.missing) == {"jaw_correlation", "lid_correlation"}
    assert all("in 5 frames" in reason for reason in found.missing.values())


def test_whole_turns_of_the_head_change_nothing() -> None:
    track = _driver()
    wound = replace(track, head=replace(track.head, angles_rad=track.head.angles_rad + 2 * torch.pi))
    assert score_driver(wound, wound, **_reading(track)).values["yaw_correlation"] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("turn_deg", [10.0, -75.0, 180.0])
def test_a_turned_limb_gives_its_angle(turn_deg: float) -> None:
    track = _driver()
    points = judged_points(track)[0].clone()
    elbow, wrist = JOINT["left_elbow"], JOINT["left_wrist"]
    turn = torch.deg2rad(torch.tensor(turn_deg))
    matrix = torch.stack([torch.stack([turn.cos(), -turn.sin()]), torch.stack([turn.sin(), turn.cos()])])
    points[:, wrist] = points[:, elbow] + (points[:, wrist] - points[:, elbow]) @ matrix.T
    angles = limb_angles_deg(track, track, points)
    turned = LIMB.index("left_forearm")
    torch.testing.assert_close(angles[:, turned], torch.full((FRAMES,), abs(turn_deg)), atol=0.05, rtol=0)
    others = [index for index in range(len(LIMB)) if index != turned]
    assert float(angles[:, others].nan_to_num().abs().max()) < 0.05


def test_only_limbs_that_were_seen_and_lie_in_the_picture_and_in_its_plane_are_judged() -> None:
    track = _driver()
    confidence, joints = track.body.confidence.clone(), track.body.joints.clone()
    confidence[:, JOINT["left_wrist"]] = 0.5
    joints[:, JOINT["right_ankle"], 1] = track.height + 1.0
    joints[:, JOINT["left_ankle"]] = joints[:, JOINT["left_knee"]] + torch.tensor([2.0, 2.0, -80.0])
    driving = replace(track, body=replace(track.body, confidence=confidence))
    placed = replace(track, body=replace(track.body, joints=joints))
    judged = limb_angles_deg(driving, placed, judged_points(track)[0]).isfinite()
    left_out = {name for index, name in enumerate(LIMB) if not bool(judged[:, index].any())}
    assert left_out == {"left_forearm", "right_shin", "left_shin"}


def test_a_picture_that_does_not_move_errs_by_what_the_limbs_did() -> None:
    track = _driver()
    read = _reading(track)
    still = score_still(track, track, points=read["points"][0])
    arms = [LIMB.index(f"{side}_upper_arm") for side in ("left", "right")]
    angles = limb_angles_deg(track, track, read["points"][:1].expand(FRAMES, -1, -1))[:, arms]
    swing_deg = torch.rad2deg(torch.linspace(0, 0.8, FRAMES))
    torch.testing.assert_close(angles, swing_deg[:, None].expand(-1, 2), atol=0.1, rtol=0)
    assert set(still.values) == {"limb_angle_deg"}


def test_without_a_limb_there_is_a_reason_instead_of_an_angle() -> None:
    track = _driver()
    unseen = replace(track, body=replace(track.body, confidence=torch.zeros_like(track.body.confidence)))
    assert "no limb" in score_driver(unseen, track, **_reading(track)).missing["limb_angle_deg"]
