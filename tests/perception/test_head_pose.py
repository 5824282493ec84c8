import math

import pytest
import torch
from synthetic_people import PX_PER_M, person

from dreamactor.perception.base import RawPerson
from dreamactor.perception.head import body_yaw, find_head_facing, fuse_angles, read_face


def reading(people: list[RawPerson]):
    return read_face(torch.stack([p.face for p in people]), torch.tensor([p.face_found for p in people]))


def fused_degrees(people: list[RawPerson]) -> torch.Tensor:
    joints = torch.stack([p.joints_m for p in people])
    seen, face = torch.ones(len(people), dtype=torch.bool), reading(people)
    return torch.rad2deg(fuse_angles(face, find_head_facing(face, joints, seen, fps=25.0), seen))


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (20, 0, 0), (-20, 10, 5), (5, -15, -20), (12, 8, 30)])
def test_the_mesh_gives_back_the_angles_it_was_turned_by(yaw: float, pitch: float, roll: float) -> None:
    people = [person(yaw=yaw, pitch=pitch, roll=roll)]
    # The line from chin to forehead leans by less than a degree in this face.
    assert torch.rad2deg(reading(people).angles_rad)[0].tolist() == pytest.approx([yaw, pitch, roll], abs=1.0)


def test_the_body_tells_the_yaw_in_every_direction() -> None:
    degrees = torch.arange(-180, 181, 15)
    joints = torch.stack([person(yaw=float(d)).joints_m for d in degrees])
    read = torch.rad2deg(body_yaw(joints))
    torch.testing.assert_close(read - read[12] + 0, degrees.float(), atol=0.5, rtol=0)


def test_yaw_runs_through_a_full_turn_without_a_jump() -> None:
    degrees = [4.0 * i for i in range(91)]
    people = [person(yaw=d, face=abs((d + 180) % 360 - 180) < 65) for d in degrees]
    yaw = fused_degrees(people)[:, 0]
    assert float(yaw.diff().min()) > -1.0
    assert float(yaw.diff().abs().max()) < 9.0
    # Readings are exact here; the curve that mends a real estimator's bends them by up to some 12 degrees.
    assert float((yaw - torch.tensor(degrees)).abs().max()) < 13.0


def test_near_frontal_the_mesh_decides_and_turned_the_body() -> None:
    near = [person(yaw=8)] * 25
    far = [person(yaw=70)] * 25
    lying_mesh_near = [RawPerson(**fields(p, face=person(yaw=12).face)) for p in near]
    lying_mesh_far = [RawPerson(**fields(p, face=person(yaw=45).face)) for p in far]
    assert fused_degrees(lying_mesh_near)[12, 0] == pytest.approx(12, abs=1)
    assert fused_degrees(lying_mesh_far)[12, 0] == pytest.approx(70, abs=8)


def test_a_quick_shake_of_the_head_is_followed_by_the_mesh() -> None:
    """The body does not see it at all; 20 degrees at 3 Hz."""
    swing = 20 * torch.sin(2 * torch.pi * 3 * torch.arange(50) / 25)
    people = [RawPerson(**fields(person(yaw=0), face=person(yaw=float(d)).face)) for d in swing]
    yaw = fused_degrees(people)[:, 0]
    assert float((yaw[10:40] - swing[10:40]).abs().mean()) < 6.0
    assert float(yaw[10:40].max()) > 13.0


def test_a_face_that_comes_and_goes_makes_no_jump() -> None:
    """Mesh and body disagree by 8 degrees; the difference is carried over the gap."""
    people = [RawPerson(**fields(person(yaw=5), face=person(yaw=13).face, face_found=not 10 <= i < 20)) for i in range(30)]
    yaw = fused_degrees(people)[:, 0]
    assert float(yaw.diff().abs().max()) < 0.5
    assert float((yaw - 13).abs().max()) < 2.0


def test_without_any_face_pitch_and_roll_are_zero() -> None:
    angles = fused_degrees([person(yaw=180, face=False)] * 5)
    assert (angles[:, 1:] == 0).all()
    assert abs(float(angles[2, 0])) == pytest.approx(180, abs=1)


def test_a_wide_open_mouth_does_not_grow_the_head() -> None:
    from dreamactor.geometry.skeleton import FACE_POINT

    closed = person()
    face = closed.face.clone()
    face[FACE_POINT["chin"], 1] += 0.03 * PX_PER_M
    opened = RawPerson(**fields(closed, face=face))
    assert float(reading([opened]).unit_px) == pytest.approx(float(reading([closed]).unit_px))


def fields(base: RawPerson, **changes) -> dict:
    return {name: changes.get(name, getattr(base, name)) for name in base.__dataclass_fields__}


def test_roll_is_counter_clockwise_as_seen() -> None:
    raised = person(roll=30).face
    from dreamactor.geometry.skeleton import FACE_POINT

    left, right = raised[FACE_POINT["left_eye_0"]], raised[FACE_POINT["right_eye_0"]]
    assert left[1] < right[1]  # the eye at image right is higher: y runs down
    assert math.degrees(float(reading([person(roll=30)]).angles_rad[0, 2])) == pytest.approx(30, abs=1)
