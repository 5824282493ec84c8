import dataclasses
from fractions import Fraction

import pytest
import torch
from synthetic_people import CENTER, HEIGHT, PX_PER_M, WIDTH, person

from dreamactor.geometry.skeleton import JOINT, NUM_HAND_JOINTS
from dreamactor.perception.assemble import assemble_shot, image_scale
from dreamactor.perception.base import RawPerson, nobody
from dreamactor.types.track import PersonTrack
from dreamactor.types.video import FrameTimes


def assemble(people: list[RawPerson]) -> PersonTrack:
    times = FrameTimes.constant(len(people), Fraction(25))
    return assemble_shot(people, times=times, width=WIDTH, height=HEIGHT)


def with_hand(base: RawPerson, *, offset: tuple[float, float] = (0, 0), side: int = 0) -> RawPerson:
    """A flat hand hanging from the wrist."""
    wrist = base.joints_px[JOINT["left_wrist" if side == 0 else "right_wrist"]]
    hands, found = base.hands.clone(), base.hand_found.clone()
    along = torch.linspace(0, 36, NUM_HAND_JOINTS)
    hands[side, :, 0] = wrist[0] + offset[0]
    hands[side, :, 1] = wrist[1] + offset[1] + along
    hands[side, :, 2] = along / 4
    found[side] = True
    return dataclasses.replace(base, hands=hands, hand_found=found)


def test_depth_is_metres_times_the_image_scale_about_the_pelvis() -> None:
    body = assemble([person(yaw=40)] * 7).body
    torch.testing.assert_close(body.joints[..., 2], body.joints_m[..., 2] * PX_PER_M, atol=0.5, rtol=0)
    assert (body.joints[:, JOINT["pelvis"], 2] == 0).all()
    torch.testing.assert_close(body.joints[3, JOINT["pelvis"], :2], CENTER)


def test_image_scale_survives_wrong_joints() -> None:
    raw = person(yaw=20)
    pixels = raw.joints_px.clone()
    pixels[JOINT["left_wrist"]] += 150
    scale = image_scale(pixels[None], raw.joints_m[None], raw.confidence[None])
    assert float(scale) == pytest.approx(PX_PER_M, rel=0.03)


def test_neck_and_pelvis_stay_the_means_that_define_them() -> None:
    generator = torch.Generator().manual_seed(1)
    people = []
    for i in range(30):
        base = person(shift=(3.0 * i, 0))
        people.append(dataclasses.replace(base, joints_px=base.joints_px + torch.randn(22, 2, generator=generator)))
    joints = assemble(people).body.joints
    for middle, left, right in (("neck", "left_shoulder", "right_shoulder"), ("pelvis", "left_hip", "right_hip")):
        expected = (joints[:, JOINT[left]] + joints[:, JOINT[right]]) / 2
        torch.testing.assert_close(joints[:, JOINT[middle]], expected, atol=1e-3, rtol=0)


def test_joints_outside_the_picture_lose_their_confidence() -> None:
    body = assemble([person(shift=(0, 150))] * 3).body
    assert (body.confidence[:, JOINT["left_ankle"]] == 0).all()
    assert (body.confidence[:, JOINT["neck"]] == 1).all()


def test_five_lost_frames_are_bridged_and_six_are_marked() -> None:
    moving = [person(shift=(4.0 * i, 0)) for i in range(40)]
    people = [nobody() if 10 <= i < 15 or 25 <= i < 31 else p for i, p in enumerate(moving)]
    track = assemble(people)
    assert track.body.tracked[:25].all()
    assert not track.body.tracked[25:31].any()
    expected = torch.stack([p.joints_px for p in moving])
    torch.testing.assert_close(track.body.joints[:25, :, :2], expected[:25], atol=0.5, rtol=0)
    assert torch.isfinite(track.body.joints).all()
    assert (track.body.confidence[25:31] == 0).all()


def test_a_wrist_that_leaps_for_two_frames_is_put_back() -> None:
    people = [person()] * 20
    wild = person().joints_px.clone()
    wild[JOINT["left_wrist"]] += torch.tensor([-160.0, -120.0])
    people[9] = people[10] = dataclasses.replace(person(), joints_px=wild)
    joints = assemble(people).body.joints
    torch.testing.assert_close(joints[9:11, JOINT["left_wrist"]], joints[5:7, JOINT["left_wrist"]], atol=0.5, rtol=0)


def test_head_circle_covers_chin_to_crown() -> None:
    head = assemble([person()] * 9).head
    true_center = CENTER + torch.tensor([0.0, -0.68 * PX_PER_M])
    assert (head.center[4, :2] - true_center).norm() < 0.1 * head.radius_px[4]
    assert float(head.radius_px[4]) == pytest.approx(0.1125 * PX_PER_M, rel=0.08)


def test_in_a_back_view_the_head_is_tracked_and_the_face_is_not() -> None:
    track = assemble([person(yaw=180, face=False)] * 9)
    assert track.head.tracked.all()
    assert not track.face.tracked.any()
    assert float(track.head.radius_px[4]) == pytest.approx(0.1125 * PX_PER_M, rel=0.15)


def test_face_points_are_not_smoothed_but_the_box_is_steady() -> None:
    generator = torch.Generator().manual_seed(2)
    people = []
    for _ in range(40):
        base = person()
        people.append(dataclasses.replace(base, face=base.face + torch.randn(base.face.shape, generator=generator)))
    face = assemble(people).face
    torch.testing.assert_close(face.landmarks, torch.stack([p.face for p in people]))
    assert face.box.diff(dim=0).abs().mean() < 0.5
    sides = face.box[:, 2:] - face.box[:, :2]
    torch.testing.assert_close(sides[:, 0], sides[:, 1])


def test_a_face_far_from_the_head_is_refused() -> None:
    base = person()
    poster = base.face + torch.tensor([150.0, 100.0, 0.0])
    assert not assemble([dataclasses.replace(base, face=poster)] * 5).face.tracked.any()


def test_hands_hang_on_the_wrist_in_depth_too() -> None:
    track = assemble([with_hand(person(yaw=50))] * 7)
    assert track.hands.tracked[:, 0].all()
    assert not track.hands.tracked[:, 1].any()
    torch.testing.assert_close(track.hands.joints[:, 0, 0], track.body.joints[:, JOINT["left_wrist"]], atol=0.5, rtol=0)
    torch.testing.assert_close(track.hands.joints[:, 0, 20, 2] - track.hands.joints[:, 0, 0, 2], torch.full((7,), 9.0))


def test_a_hand_far_from_its_wrist_is_refused() -> None:
    assert not assemble([with_hand(person(), offset=(70, 0))] * 7).hands.tracked.any()


def test_the_same_hand_seen_twice_counts_once() -> None:
    folded = person()
    joints = folded.joints_px.clone()
    joints[JOINT["right_wrist"]] = joints[JOINT["left_wrist"]] + torch.tensor([-12.0, 0.0])
    folded = dataclasses.replace(folded, joints_px=joints)
    both = with_hand(with_hand(folded), side=1, offset=(12, 0))
    assert assemble([both] * 7).hands.tracked.sum(1).tolist() == [1] * 7


def test_a_hand_gap_goes_where_the_arm_goes() -> None:
    people = [with_hand(person(shift=(4.0 * i, 0))) for i in range(20)]
    people = [dataclasses.replace(p, hand_found=p.hand_found & torch.tensor(not 8 <= i < 12)) for i, p in enumerate(people)]
    hands = assemble(people).hands
    assert hands.tracked[:, 0].all()
    expected = torch.stack([with_hand(person(shift=(4.0 * i, 0))).hands[0, :, :2] for i in range(20)])
    torch.testing.assert_close(hands.joints[:, 0, :, :2], expected, atol=1.0, rtol=0)


def test_nobody_gives_an_empty_track() -> None:
    track = assemble([nobody()] * 3)
    assert not track.body.tracked.any()
    assert not track.head.tracked.any()
    assert (track.body.joints == 0).all()
