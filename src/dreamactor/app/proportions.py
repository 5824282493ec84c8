"""Measures how a character is built, writes it for a user to correct, and shows what adjustment does."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from dreamactor.app.progress import stage_bars
from dreamactor.errors import ConfigError
from dreamactor.guidance.body_skeleton import draw_body_skeleton
from dreamactor.guidance.head_sphere import draw_head_sphere
from dreamactor.guidance.human_build import prior_proportions
from dreamactor.guidance.retarget import RetargetOptions, retarget
from dreamactor.inference.character_build import character_build, read_proportions, write_proportions
from dreamactor.inference.references import read_references
from dreamactor.inference.sources import perceive_driving
from dreamactor.perception.build import build_estimator
from dreamactor.types.guidance import ReferenceSet
from dreamactor.types.latent import LatentGrid
from dreamactor.types.track import PersonTrack, Proportions
from dreamactor.video.compose import contact_sheet, side_by_side
from dreamactor.video.image import write_image
from dreamactor.video.output import check_output
from dreamactor.video.writer import VIDEO_SUFFIXES, VideoWriter

PICTURE_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp")
PREVIEW_PX: Final = 384
PREVIEW_FRAMES: Final = 4
FRAMES_AT_ONCE: Final = 24
TITLES: Final = ("driver as is", "adjusted", "reference")
_GRID: Final = LatentGrid(temporal=4, spatial=8, patch=2)
"""Of the preview's canvas only: sides are multiples of 16."""


def measure_character(
    pictures: tuple[Path, ...],
    *,
    described: Path | None,
    json_file: Path | None,
    driving: Path | None,
    preview: Path | None,
    mix: float,
) -> Proportions:
    """Measures a character in its pictures; writes the lengths and a preview where asked to.

    Args:
        pictures: of one person.
        described: a JSON file with corrected lengths.
        json_file: where the lengths go.
        driving: a video or motion file whose skeleton the preview shows as it is and adjusted.
        preview: a picture or a video.
        mix: how far the adjusted skeleton takes the reference's proportions, 0..1.
    """
    inputs = [path for path in (*pictures, described, driving) if path is not None]
    if json_file is not None:
        check_output(json_file, inputs, suffixes=(".json",))
    if (driving is None) != (preview is None):
        raise ConfigError("A preview shows a driver before and after. Give both --driving and --preview, or neither.")
    if preview is not None:
        check_output(preview, inputs, suffixes=(*PICTURE_SUFFIXES, *VIDEO_SUFFIXES))
    if described is not None:
        read_proportions(described, prior_proportions())
    with closing(build_estimator("mediapipe", static=True)) as estimator:
        references = read_references(pictures, size=PREVIEW_PX, grid=_GRID, estimator=estimator)
        build = character_build(references.proportions, image=None, described=described, estimator=estimator)
    if json_file is not None:
        write_proportions(json_file, build)
    if driving is not None and preview is not None:
        with stage_bars() as report:
            track = perceive_driving(driving, person=None, report=report)
        write_before_after(track, replace(references, proportions=build), preview, mix=mix)
    return build


def write_before_after(driving: PersonTrack, references: ReferenceSet, preview: Path, *, mix: float) -> None:
    """Skeleton of the driver as is | adjusted | the reference with its own, on the reference's canvas.

    Args:
        preview: a video of all frames, or a picture of a few.
    """
    tracks = [retarget(driving, references, RetargetOptions(proportions=share)) for share in (0.0, mix)]
    still = _over(references.images[0].image[None], references.images[0].person)
    if preview.suffix.lower() in PICTURE_SUFFIXES:
        moments = torch.linspace(0, driving.num_frames - 1, min(PREVIEW_FRAMES, driving.num_frames)).round().int().tolist()
        panels = [[_drawn(track, slice(moment, moment + 1))[0] for track in tracks] for moment in moments]
        write_image(preview, contact_sheet([[*row, still[0]] for row in panels], titles=TITLES))
        return
    first = _panels(tracks, still, slice(0, 1))
    with VideoWriter(preview, width=first.shape[2], height=first.shape[1], times=driving.times) as writer:
        for start in range(0, driving.num_frames, FRAMES_AT_ONCE):
            writer.write(_panels(tracks, still, slice(start, min(start + FRAMES_AT_ONCE, driving.num_frames))))


def _panels(tracks: list[PersonTrack], still: Tensor, span: slice) -> Tensor:
    drawn = [_drawn(track, span) for track in tracks]
    return side_by_side([*drawn, still.expand(len(drawn[0]), -1, -1, -1)], height=int(still.shape[1]))


def _drawn(track: PersonTrack, span: slice) -> Tensor:
    """[t, H, W, 3] uint8 head sphere and body skeleton on black."""
    piece = track[span]
    sphere = draw_head_sphere(piece, width=track.width, height=track.height)
    bones = draw_body_skeleton(piece, width=track.width, height=track.height)
    return torch.where((bones > 0).any(-1, keepdim=True), bones, sphere)


def _over(frames: Tensor, person: PersonTrack) -> Tensor:
    """The skeleton drawn over pictures [t, H, W, 3]."""
    bones = draw_body_skeleton(person, width=person.width, height=person.height)
    return torch.where((bones > 0).any(-1, keepdim=True), bones, frames // 2 + 64)
