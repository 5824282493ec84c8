"""Reads the character's pictures onto one canvas and perceives them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from math import radians
from pathlib import Path

from torch import Tensor

from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.inference.described import read_described_person
from dreamactor.perception.base import PersonEstimator
from dreamactor.perception.perceive import perceive_image
from dreamactor.perception.told_yaw import turn_as_told
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.latent import LatentGrid
from dreamactor.types.track import PersonTrack, resize_track
from dreamactor.video.image import read_image
from dreamactor.video.resize import cover_canvas, resize_frames

log = logging.getLogger(__name__)

PERCEIVE_PX = 768
"""Longer side of a reference while it is perceived."""

MAX_ASPECT_CHANGE = 0.02
"""Of the canvas against the first reference; beyond it the user is told."""


def choose_canvas(width: int, height: int, *, size: int, grid: LatentGrid) -> tuple[int, int]:
    """Canvas of the reference's aspect and about size x size pixels, each side the nearest multiple the model can draw."""
    step = grid.size_multiple
    aspect = (width / height) ** 0.5
    return max(step, round(size * aspect / step) * step), max(step, round(size / aspect / step) * step)


def read_references(
    paths: tuple[Path, ...],
    *,
    size: int,
    grid: LatentGrid,
    estimator: PersonEstimator,
    described: tuple[Path, ...] = (),
    yaw_deg: Sequence[float | None] = (),
) -> ReferenceSet:
    """Reads and perceives the references.

    Args:
        paths: pictures; the first decides the canvas.
        size: side of a square of the canvas's area, in pixels.
        grid: of the model.
        estimator: for still pictures.
        described: JSON files that say by hand where the person is, for the first pictures in order; these are not
            perceived (see `dreamactor.inference.described`).
        yaw_deg: which way the person faces in the first pictures, by hand; None leaves that one as it was found.

    Raises:
        MediaError: a file is not a usable picture.
        InputError: a description is not as documented.
    """
    found: list[ReferenceImage] = []
    canvas: tuple[int, int] | None = None
    for index, path in enumerate(paths):
        picture = read_image(path)
        if canvas is None:
            canvas = choose_canvas(picture.shape[1], picture.shape[0], size=size, grid=grid)
            aspect = picture.shape[1] / picture.shape[0]
            if abs(canvas[0] / canvas[1] / aspect - 1) > MAX_ASPECT_CHANGE:
                log.warning(
                    "%s (%dx%d) is cut to the canvas %dx%d, whose sides are multiples of %d; another --size may fit better.",
                    path.name, picture.shape[1], picture.shape[0], *canvas, grid.size_multiple,
                )  # fmt: skip
        placed, matrix = cover_canvas(picture, width=canvas[0], height=canvas[1])
        if index < len(described):
            person = read_described_person(described[index], matrix=matrix, width=canvas[0], height=canvas[1])
            mask = None
        else:
            person, mask = _perceive_finely(picture, canvas, estimator=estimator, source=str(path))
        if not bool(person.body.tracked[0]):
            log.warning(
                "Nobody was found in %s: the motion is placed in the middle of the canvas. Say where head and joints are "
                "with --reference-json.",
                path.name,
            )
        told = yaw_deg[index] if index < len(yaw_deg) else None
        if told is not None:
            person = turn_as_told(person, radians(told))
        found.append(ReferenceImage(image=placed, person=person, mask=mask))
    people = [image.person for image in found if bool(image.person.body.tracked[0])]
    proportions = estimate_proportions(people or [found[0].person])
    return ReferenceSet(images=tuple(found), proportions=proportions)


def perceive_picture(picture: Tensor, *, canvas: tuple[int, int], estimator: PersonEstimator, source: str) -> ReferenceImage:
    """A picture [H, W, 3] uint8 of any size on a canvas of (width, height), with the person found in it."""
    placed, _ = cover_canvas(picture, width=canvas[0], height=canvas[1])
    person, mask = _perceive_finely(picture, canvas, estimator=estimator, source=source)
    return ReferenceImage(image=placed, person=person, mask=mask)


def _perceive_finely(
    picture: Tensor, canvas: tuple[int, int], *, estimator: PersonEstimator, source: str
) -> tuple[PersonTrack, Tensor | None]:
    """Perceives what lies on the canvas at a whole multiple of its size, so that a small canvas costs no detection."""
    width, height = canvas
    fold = max(1, round(PERCEIVE_PX / max(canvas)))
    large, _ = cover_canvas(picture, width=width * fold, height=height * fold)
    person, mask = perceive_image(large, estimator=estimator, source=source)
    if mask is not None:
        mask = resize_frames(mask[..., None].expand(-1, -1, 3).contiguous(), width=width, height=height)[..., 0]
    return resize_track(person, width=width, height=height), mask
