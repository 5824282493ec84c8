"""Of many pictures those are shown that differ most; the first always is."""

from __future__ import annotations

from dataclasses import replace
from math import radians

import pytest
import torch

from dreamactor.inference.reference_choice import choose_references
from dreamactor.types.guidance import ReferenceImage
from tiny_scene import reference_image


def _at(yaw_deg: float) -> ReferenceImage:
    return reference_image(yaw_rad=radians(yaw_deg))


def _empty() -> ReferenceImage:
    image, never = reference_image(), torch.zeros(1, dtype=torch.bool)
    person = replace(image.person, head=replace(image.person.head, tracked=never))
    return replace(image, person=person)


@pytest.mark.parametrize("most", [1, 2, 3, 4, 9])
def test_as_many_as_the_model_takes_and_the_first_among_them(most: int) -> None:
    images = [_at(yaw) for yaw in (170, 0, 5, -90, 90, 175)]
    kept = choose_references(images, most=most).kept
    assert len(kept) == min(most, len(images))
    assert kept[0] == 0
    assert list(kept) == sorted(kept)


def test_the_most_different_sides_are_kept() -> None:
    assert choose_references([_at(yaw) for yaw in (0, 10, 180, -5, 90, -90, 20)], most=4).kept == (0, 2, 4, 5)


def test_whole_turns_are_nothing() -> None:
    kept = choose_references([_at(yaw) for yaw in (0, 361, 180, -359)], most=2).kept
    assert kept == (0, 2)


def test_a_picture_without_a_person_goes_first_and_is_said() -> None:
    choice = choose_references([_at(0), _empty(), _at(3)], most=2)
    assert choice.kept == (0, 2)
    said = " ".join(choice.lines(["a.png", "b.png", "c.png"], most=2))
    assert "b.png (nobody found)" in said.split("Left out")[1]
    assert "c.png (yaw 3" in said


def test_of_one_picture_nothing_is_said() -> None:
    assert choose_references([_at(0)], most=4).lines(["a.png"], most=4) == []
