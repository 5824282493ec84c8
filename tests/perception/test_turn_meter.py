"""Laws of the turn meter: a head's pixels tell how far it turns, whatever side of it is seen, and nothing else does."""

import numpy as np
import pytest
import torch
from synthetic_people import HEIGHT, WIDTH, person

from dreamactor.geometry.skeleton import JOINT
from dreamactor.perception.base import nobody
from dreamactor.perception.turning import TurnMeter

SOMEBODY = person()
RADIUS = 24.0


def ball(yaw_deg: float, *, shift: float = 0.0, zoom: float = 1.0, contrast: float = 90.0) -> torch.Tensor:
    """A patterned ball in the place of the head, turned so far; [H, W, 3] uint8."""
    x0, y0 = SOMEBODY.joints_px[JOINT["head"]].tolist()
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    x, y = (columns + 0.5 - x0 - shift) / (RADIUS * zoom), (rows + 0.5 - y0) / (RADIUS * zoom)
    inside = x**2 + y**2 < 1
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0, 1))
    longitude = np.arctan2(x, z) - np.deg2rad(yaw_deg)
    pattern = np.sin(7 * longitude + 5 * y) + np.sin(4 * longitude - 6 * y + 1)
    grey = 120 + contrast / 2 * np.where(inside, pattern, 0.0)
    return torch.from_numpy(np.repeat(grey[..., None], 3, axis=-1).astype(np.uint8))


def turns(pictures: list[torch.Tensor]) -> list[float]:
    """Degrees from each picture to the next."""
    meter = TurnMeter()
    for index, picture in enumerate(pictures):
        meter.observe(picture, SOMEBODY, new_shot=index == 0)
    told = torch.rad2deg(meter.turned_rad())
    assert len(told) == len(pictures)
    assert told[0].isnan()
    return told[1:].tolist()


@pytest.mark.parametrize("start", [0.0, 90.0, 180.0, 250.0])
@pytest.mark.parametrize("step", [-6.0, 3.0, 8.0])
def test_a_turn_is_told_from_every_side(start: float, step: float) -> None:
    for told in turns([ball(start + step * index) for index in range(4)]):
        assert told == pytest.approx(step, rel=0.35)


def test_a_head_that_moves_or_comes_nearer_does_not_turn() -> None:
    assert turns([ball(20.0, shift=1.5 * index) for index in range(4)]) == pytest.approx([0.0] * 3, abs=1.5)
    assert turns([ball(20.0, zoom=1.02**index) for index in range(4)]) == pytest.approx([0.0] * 3, abs=1.5)


def test_nothing_is_told_of_plain_heads_new_shots_and_nobody() -> None:
    assert np.isnan(turns([ball(10.0 * index, contrast=0.0) for index in range(3)])).all()
    meter = TurnMeter()
    for index, (somebody, new_shot) in enumerate([(SOMEBODY, True), (SOMEBODY, True), (nobody(), False), (SOMEBODY, False)]):
        meter.observe(ball(5.0 * index), somebody, new_shot=new_shot)
    assert meter.turned_rad().isnan().all()


def test_a_mirrored_picture_turns_the_other_way() -> None:
    pictures = [ball(4.0 * index) for index in range(3)]
    x0 = float(SOMEBODY.joints_px[JOINT["head"], 0])
    assert x0 == pytest.approx(WIDTH / 2, abs=1.0)
    there, back = turns(pictures), turns([picture.flip(1) for picture in pictures])
    assert back == pytest.approx([-told for told in there], abs=1.0)
