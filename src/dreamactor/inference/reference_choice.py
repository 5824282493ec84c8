"""Which of many pictures of a character a model is shown: those that show the most different sides and framings of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import degrees, pi
from typing import Final

import torch

from dreamactor.guidance.half_body import shown_levels
from dreamactor.types.guidance import ReferenceImage, ReferenceSet

_LEVELS: Final = ("head and shoulders", "down to the hips", "down to the knees", "head to foot")
_LEVEL_RAD: Final = pi / 9
"""Another framing counts as much as so large a turn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceChoice:
    """Which pictures are shown to the model.

    Attributes:
        kept: numbers of the pictures, rising; the first picture always is one of them.
        views: yaw in radians (None where nobody was found) and framing (see `shown_levels`) of every picture.
    """

    kept: tuple[int, ...]
    views: tuple[tuple[float | None, int], ...]

    def lines(self, names: Sequence[str], *, most: int) -> list[str]:
        """What a user should know: nothing for a single picture."""
        if len(self.views) == 1:
            return []
        said = [f"References: {', '.join(self._view(names, i) for i in self.kept)}."]
        left = [self._view(names, i) for i in range(len(self.views)) if i not in self.kept]
        if left:
            said.append(f"Left out, because the model takes {most} and these show the least that is new: {', '.join(left)}.")
        if any(yaw is not None for yaw, _ in self.views[1:]):
            said.append("Where a yaw is wrong, --reference-yaw corrects it.")
        return said

    def _view(self, names: Sequence[str], index: int) -> str:
        yaw_rad, level = self.views[index]
        if yaw_rad is None:
            return f"{names[index]} (nobody found)"
        return f"{names[index]} (yaw {degrees(yaw_rad):.0f}, {_LEVELS[level]})"


def choose_references(images: Sequence[ReferenceImage], *, most: int) -> ReferenceChoice:
    """The first picture, then one after another the one that differs most from those before, up to `most`.

    How much two differ: their yaw on the circle, and a share for other framings. A picture in which nobody was found differs
    from none, so it goes first where there are too many.
    """
    views = tuple(_view_of(image) for image in images)
    kept = [0]
    while len(kept) < min(most, len(images)):
        rest = [index for index in range(len(images)) if index not in kept]
        kept.append(max(rest, key=lambda index: min(_apart(views[index], views[other]) for other in kept)))
    return ReferenceChoice(kept=tuple(sorted(kept)), views=views)


def keep_chosen(references: ReferenceSet, choice: ReferenceChoice) -> ReferenceSet:
    """The chosen pictures; the character's proportions stay those of all."""
    return replace(references, images=tuple(references.images[index] for index in choice.kept))


def with_images(references: ReferenceSet, images: Sequence[ReferenceImage]) -> ReferenceSet:
    """Further pictures behind the others."""
    return replace(references, images=(*references.images, *images))


def carried_images(references: ReferenceSet) -> ReferenceSet:
    """The pictures whose pixels are worth carrying along: not the crops of made pictures, which hold none of their own."""
    whole: list[ReferenceImage] = []
    for image in references.images:
        same_pose = any(
            image.made and other.made and torch.equal(image.person.head.angles_rad, other.person.head.angles_rad)
            for other in whole
        )
        if not same_pose:
            whole.append(image)
    return replace(references, images=tuple(whole))


def _view_of(image: ReferenceImage) -> tuple[float | None, int]:
    if not bool(image.person.head.tracked[0]):
        return None, 0
    return wrapped(float(image.person.head.angles_rad[0, 0])), int(shown_levels(image.person)[0])


def _apart(one: tuple[float | None, int], other: tuple[float | None, int]) -> float:
    if one[0] is None:
        return -1.0
    if other[0] is None:
        return pi
    return yaw_apart(one[0], other[0]) + _LEVEL_RAD * abs(one[1] - other[1])


def wrapped(angle_rad: float) -> float:
    """The same angle in -pi..pi."""
    return (angle_rad + pi) % (2 * pi) - pi


def yaw_apart(one_rad: float, other_rad: float) -> float:
    """Distance on the circle, 0..pi."""
    return abs(wrapped(one_rad - other_rad))
