"""Reads the character's pictures onto one canvas and perceives them."""

from __future__ import annotations

import logging
from pathlib import Path

from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.inference.described import read_described_person
from dreamactor.perception.base import PersonEstimator
from dreamactor.perception.perceive import perceive_image
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.latent import LatentGrid
from dreamactor.video.image import read_image
from dreamactor.video.resize import cover_canvas

log = logging.getLogger(__name__)


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
) -> ReferenceSet:
    """Reads and perceives the references.

    Args:
        paths: pictures; the first decides the canvas.
        size: side of a square of the canvas's area, in pixels.
        grid: of the model.
        estimator: for still pictures.
        described: JSON files that say by hand where the person is, for the first pictures in order; these are not
            perceived (see `dreamactor.inference.described`).

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
            log.info("Canvas %dx%d for %s (%dx%d).", *canvas, path.name, picture.shape[1], picture.shape[0])
        placed, matrix = cover_canvas(picture, width=canvas[0], height=canvas[1])
        if index < len(described):
            person = read_described_person(described[index], matrix=matrix, width=canvas[0], height=canvas[1])
            mask = None
        else:
            person, mask = perceive_image(placed, estimator=estimator, source=str(path))
        if not bool(person.body.tracked[0]):
            log.warning(
                "Nobody was found in %s: the motion is placed in the middle of the canvas. Say where head and joints are "
                "with --reference-json.",
                path.name,
            )
        found.append(ReferenceImage(image=placed, person=person, mask=mask))
    people = [image.person for image in found if bool(image.person.body.tracked[0])]
    proportions = estimate_proportions(people or [found[0].person])
    return ReferenceSet(images=tuple(found), proportions=proportions)
