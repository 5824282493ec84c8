"""A person at ease breathes with the chest, turns the head as one piece, and blinks; nothing else moves."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch.testing import assert_close

from dreamactor.geometry.skeleton import FACE_POINT, JOINT
from dreamactor.guidance.face_crop import move_points, normalize_landmarks
from dreamactor.guidance.idle import BREATH_HZ, blinks, breathe, emphasis, sway_head
from dreamactor.types.track import PersonTrack, take_frames
from factories import make_track


def _still(count: int = 100) -> PersonTrack:
    return take_frames(make_track(num_frames=1, head_angles_rad=(0.2, 0.1, 0.0)), torch.zeros(count, dtype=torch.int64))


def test_breath_lifts_shoulders_and_leaves_legs() -> None:
    still, alive = _still(), breathe(_still(), seed=1)
    moved = still.body.joints[..., 1] - alive.body.joints[..., 1]
    assert float(moved[:, JOINT["left_shoulder"]].max()) > 0.2
    for name in ("pelvis", "left_hip", "left_ankle"):
        assert float(moved[:, JOINT[name]].abs().max()) == 0.0
    period = round(25 / BREATH_HZ)
    assert_close(moved[:-period], moved[period:], atol=0.02, rtol=0)


def test_a_swaying_head_stays_in_one_piece_and_starts_as_in_the_picture() -> None:
    still = _still()
    swayed = sway_head(still, seed=4, stress=torch.zeros(100))
    assert_close(swayed.head.angles_rad[0], still.head.angles_rad[0], atol=1e-5, rtol=0)
    assert_close(swayed.face.landmarks[0], still.face.landmarks[0], atol=1e-3, rtol=0)
    assert float((swayed.head.angles_rad - still.head.angles_rad).abs().max()) > 0.01
    assert_close(
        normalize_landmarks(swayed.face, swayed.head), normalize_landmarks(still.face, still.head), atol=1e-4, rtol=0
    )
    neck = still.body.joints[:, JOINT["neck"]]
    assert_close((swayed.head.center - neck).norm(dim=-1), (still.head.center - neck).norm(dim=-1))
    assert_close(swayed.body.joints[:, JOINT["left_wrist"]], still.body.joints[:, JOINT["left_wrist"]])


def test_stress_dips_the_head() -> None:
    stress = torch.zeros(100)
    stress[50] = 1.0
    still = _still()
    nod = (
        sway_head(still, seed=4, stress=stress).head.angles_rad - sway_head(still, seed=4, stress=0 * stress).head.angles_rad
    )
    assert float(nod[50, 1]) > 0.03
    assert float(nod[49].abs().max()) < 1e-5


def test_blinks_are_short_and_rare() -> None:
    lids = blinks(torch.arange(60 * 25) / 25, seed=2)
    assert float(lids.min()) >= 0
    assert float(lids.max()) <= 1
    shut = lids > 0.8
    assert 5 < int((shut[1:] & ~shut[:-1]).sum()) < 45
    assert float(shut.float().mean()) < 0.1
    assert_close(lids, blinks(torch.arange(60 * 25) / 25, seed=2))


def test_emphasis_is_where_it_gets_loud() -> None:
    times = torch.arange(200) / 50
    loudness = torch.full((200,), -10.0)
    loudness[50:150] = -4.0
    loudness[95:105] = 0.0
    stress = emphasis(loudness, times)
    assert int(stress.argmax()) in range(90, 110)
    assert float(stress[:40].max()) < 0.2
    assert float(emphasis(torch.full((200,), -12.0), times).max()) < 1e-3


def test_points_are_moved_in_the_heads_own_axes() -> None:
    track = _still(3)
    moves = torch.zeros(3, *track.face.landmarks.shape[1:])
    moves[:, [FACE_POINT["lip_outer_9"], FACE_POINT["lip_outer_8"]], 1] = 0.05
    moved = replace(track, face=move_points(track.face, track.head, moves))
    before, after = (normalize_landmarks(one.face, one.head) for one in (track, moved))
    assert_close(after - before, moves, atol=1e-4, rtol=0)
    assert_close(move_points(track.face, track.head, 0 * moves).landmarks, track.face.landmarks)
