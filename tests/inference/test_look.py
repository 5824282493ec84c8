"""What a look counts and measures, before it warns."""

from __future__ import annotations

import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from dreamactor.data.actors import neutral_performance, render, sample_actor, sample_scene
from dreamactor.inference.look import BLURRED, count_people, head_sharpness
from dreamactor.types.track import PersonTrack


def _boxes(*boxes: tuple[float, float, float, float]) -> Tensor:
    return torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("boxes", "people"),
    [
        ([], 0),
        ([(0, 0, 100, 300)], 1),
        ([(0, 0, 100, 300), (120, 0, 210, 280)], 2),  # beside each other
        ([(0, 0, 100, 300), (50, 0, 150, 290)], 2),  # half hidden behind
        ([(0, 0, 100, 300), (10, 60, 80, 290)], 1),  # one person, found twice
        ([(0, 0, 100, 300), (0, 0, 100, 300)], 1),
        ([(0, 0, 100, 300), (150, 0, 170, 60)], 1),  # far behind
        ([(0, 0, 100, 300), (120, 0, 220, 300), (5, 5, 90, 280), (125, 9, 210, 290)], 2),
    ],
)
def test_people_are_counted_once(boxes: list[tuple[float, float, float, float]], people: int) -> None:
    assert count_people(_boxes(*boxes)) == people


@pytest.fixture(scope="module")
def head() -> tuple[Tensor, PersonTrack]:
    drawn = render(
        sample_actor(3),
        neutral_performance(framing="portrait", seed=3),
        sample_scene(3, framing="portrait"),
        width=256,
        height=256,
    )
    return drawn.frames[0], drawn.track


def _blurred(image: Tensor, person: PersonTrack, share: float) -> Tensor:
    """By a share of the head's height."""
    sigma = share * 2 * float(person.head.radius_px[0])
    return torch.from_numpy(gaussian_filter(image.numpy(), sigma=(sigma, sigma, 0)))


def test_sharpness_falls_with_blur_and_only_a_blurred_head_is_called_so(head: tuple[Tensor, PersonTrack]) -> None:
    image, person = head
    found = [head_sharpness(_blurred(image, person, share), person) for share in (0.0, 0.01, 0.02, 0.04)]
    assert None not in found
    assert found == sorted(found, reverse=True)
    assert found[1] > BLURRED > found[3]
