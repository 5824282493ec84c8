"""Laws of facing: which way somebody points through whole turns, and bodies taken for their own back."""

import dataclasses
from fractions import Fraction
from math import pi, radians

import pytest
import torch
from synthetic_people import HEIGHT, WIDTH, person

from dreamactor.geometry.skeleton import JOINT
from dreamactor.perception.assemble import assemble_shot
from dreamactor.perception.base import RawPerson
from dreamactor.perception.facing import EXCHANGED, MIRRORED, RIGHT, find_collapses, find_facing, undo_confusion
from dreamactor.types.track import PersonTrack
from dreamactor.types.video import FrameTimes

STEP_DEG = 5.0


def turning() -> list[RawPerson]:
    """One whole turn; the face is seen while it points to the camera."""
    degrees = [STEP_DEG * i for i in range(73)]
    return [person(yaw=d, face=abs((d + 180) % 360 - 180) < 65) for d in degrees]


def assemble(people: list[RawPerson]) -> PersonTrack:
    times = FrameTimes.constant(len(people), Fraction(25))
    return assemble_shot(people, times=times, width=WIDTH, height=HEIGHT)


def readings(degrees: torch.Tensor, found: torch.Tensor, *, fps: float = 25.0):
    seen = torch.ones(len(degrees), dtype=torch.bool)
    return find_facing(degrees.deg2rad(), degrees.deg2rad(), seen, mesh=degrees.deg2rad(), found=found, fps=fps)


@pytest.mark.parametrize("confusion", [MIRRORED, EXCHANGED])
def test_undoing_a_confusion_twice_changes_nothing(confusion: int) -> None:
    somebody = person(yaw=150, face=False)
    again = undo_confusion(undo_confusion(somebody, confusion), confusion)
    assert undo_confusion(somebody, RIGHT) is somebody
    torch.testing.assert_close(again.joints_m, somebody.joints_m)
    torch.testing.assert_close(again.joints_px, somebody.joints_px)


@pytest.mark.parametrize("confusion", [MIRRORED, EXCHANGED])
def test_a_back_taken_for_a_front_is_turned_round(confusion: int) -> None:
    truth = turning()
    confused = [undo_confusion(p, confusion) if 26 <= i < 48 else p for i, p in enumerate(truth)]
    clean, mended = assemble(truth), assemble(confused)
    apart = torch.remainder(mended.head.angles_rad - clean.head.angles_rad + pi, 2 * pi) - pi
    assert float(apart[:, 0].abs().max()) < radians(15)
    assert float(torch.rad2deg(mended.head.angles_rad[:, 0]).diff().abs().max()) < 3 * STEP_DEG
    off = (mended.body.joints - clean.body.joints).norm(dim=-1)
    assert float(off[28:46].max()) < 0.1 * 0.5 * 200
    # Without mending, the shoulders would lie on the wrong sides.
    left, right = JOINT["left_shoulder"], JOINT["right_shoulder"]
    assert float(confused[36].joints_px[left, 0]) > float(confused[36].joints_px[right, 0])
    assert float(mended.body.joints[36, left, 0]) < float(mended.body.joints[36, right, 0])


@pytest.mark.parametrize("frames", [10, 25, 100, 400])
def test_a_hidden_face_is_no_back_view(frames: int) -> None:
    found = torch.ones(frames + 40, dtype=torch.bool)
    found[20:-20] = False
    facing = readings(torch.full((frames + 40,), 5.0), found)
    assert (facing.confusion == RIGHT).all()
    assert float(facing.yaw_rad.abs().max()) < radians(15)


def test_no_face_in_the_whole_shot_says_nothing() -> None:
    facing = readings(torch.full((50,), 10.0), torch.zeros(50, dtype=torch.bool))
    assert float(facing.yaw_rad.abs().max()) < radians(20)


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_the_pixels_of_a_head_say_which_way_round_it_went(direction: float) -> None:
    """Somebody is seen from the front and then for a moment not at all; half a turn later they are seen from behind."""
    front, lost = 20, 36
    degrees = torch.cat([torch.zeros(front + lost), torch.full((20,), 180.0)])
    seen = torch.ones(len(degrees), dtype=torch.bool)
    seen[front : front + lost] = False
    found = torch.arange(len(degrees)) < front
    turned = torch.zeros(len(degrees))
    turned[front : front + lost] = radians(direction * 180.0 / lost)
    facing = find_facing(
        degrees.deg2rad(), degrees.deg2rad(), seen, mesh=degrees.deg2rad(), found=found, fps=25.0, turned=turned
    )
    travelled = torch.rad2deg(facing.yaw_rad[-1] - facing.yaw_rad[0])
    assert float(travelled) == pytest.approx(direction * 180.0, abs=15.0)


def test_a_mirrored_shot_turns_the_other_way() -> None:
    degrees = torch.tensor([STEP_DEG * i for i in range(73)])
    found = ((degrees + 180) % 360 - 180).abs() < 65
    there, back = readings(degrees, found), readings(-degrees, found)
    torch.testing.assert_close(there.yaw_rad - there.yaw_rad[0], back.yaw_rad[0] - back.yaw_rad, atol=0.12, rtol=0)


def test_turns_are_counted_on() -> None:
    degrees = torch.tensor([6.0 * i for i in range(121)])
    found = ((degrees + 180) % 360 - 180).abs() < 65
    assert float(torch.rad2deg(readings(degrees, found).yaw_rad)[-1]) == pytest.approx(720, abs=15)


def test_the_rate_of_frames_does_not_change_the_path() -> None:
    def turn(fps: float) -> torch.Tensor:
        degrees = torch.arange(int(3 * fps) + 1) / fps * 120
        found = ((degrees + 180) % 360 - 180).abs() < 65
        return torch.rad2deg(readings(degrees, found, fps=fps).yaw_rad)

    torch.testing.assert_close(turn(50.0)[::2], turn(25.0), atol=6.0, rtol=0)


def test_a_face_the_wrong_way_up_is_none() -> None:
    base = person()
    middle = base.face.mean(0)
    turned = base.face - middle
    turned[:, :2] *= -1
    assert not assemble([dataclasses.replace(base, face=turned + middle)] * 5).face.tracked.any()


def test_a_short_sighting_elsewhere_is_dropped_and_one_that_agrees_is_kept() -> None:
    here, elsewhere = person(), person(shift=(120, 0))
    gone = dataclasses.replace(here, found=False)
    people = [elsewhere] * 3 + [gone] * 6 + [here] * 20
    assert assemble(people).body.tracked.tolist() == [False] * 9 + [True] * 20
    agreeing = [here] * 3 + [gone] * 6 + [here] * 20
    assert assemble(agreeing).body.tracked[:3].all()


def test_a_body_squeezed_for_a_moment_behind_is_bridged_and_in_front_is_believed() -> None:
    degrees = torch.full((40,), 150.0)
    facing = readings(degrees, torch.zeros(40, dtype=torch.bool))
    squeezed = degrees.clone()
    squeezed[18:22] = 60.0
    assert find_collapses(squeezed.deg2rad(), facing, fps=25.0).nonzero().flatten().tolist() == [18, 19, 20, 21]
    lasting = degrees.clone()
    lasting[20:] = 60.0
    assert not find_collapses(lasting.deg2rad(), facing, fps=25.0).any()
    front = readings(torch.zeros(40), torch.ones(40, dtype=torch.bool))
    assert not find_collapses((squeezed - 150).deg2rad(), front, fps=25.0).any()

    behind = [person(yaw=180, face=False) for _ in range(40)]
    spoilt = [person(yaw=90, face=False) if 18 <= i < 22 else p for i, p in enumerate(behind)]
    clean, mended = assemble(behind), assemble(spoilt)
    assert mended.body.tracked.all()
    torch.testing.assert_close(mended.body.joints, clean.body.joints, atol=1.0, rtol=0)
