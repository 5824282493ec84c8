"""Turned colours: alike for all pictures of a sample, and grey stays grey."""

from __future__ import annotations

import torch
from torch.testing import assert_close

from dreamactor.training.colours import turn_colours


def test_pictures_are_turned_alike() -> None:
    picture = torch.rand(2, 4, 4, 3) * 255
    one, two = turn_colours([picture, picture.clone()], generator=torch.Generator().manual_seed(3))
    assert_close(one, two)
    assert not torch.allclose(one, picture, atol=2)
    assert float(one.min()) >= 0
    assert float(one.max()) <= 255


def test_grey_has_no_hue_to_turn() -> None:
    grey = torch.full((1, 1, 1, 3), 128.0)
    for seed in range(5):
        turned = turn_colours([grey], generator=torch.Generator().manual_seed(seed))[0]
        assert float(turned.max() - turned.min()) < 1e-3
