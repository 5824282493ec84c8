"""Which pictures of a performance are its references: by yaw, over all of it, and the upper half of a full body (3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.clips import View
from dreamactor.data.framing import framing_of
from dreamactor.data.takes.base import Still
from dreamactor.guidance.half_body import half_body_box as trunk_box
from dreamactor.guidance.view_picks import pick_by_yaw, towards_camera, yaw_order
from dreamactor.types.track import PersonTrack

_ABOVE_HEAD: Final = (0.15, 0.6)
"""Room above the crown of a half-body picture, in head radii, at random."""
_BELOW_HIPS: Final = (-0.15, 0.25)
"""How far below the hips it ends, in lengths of the trunk, at random."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """A reference to be drawn: which take's picture, and why."""

    take: int
    still: Still
    view: View


def choose_references(tracks: Sequence[PersonTrack], *, generator: torch.Generator) -> list[Chosen]:
    """The references of a performance.

    Args:
        tracks: of its takes, each of the whole performance.
        generator: draws the half-body crop.

    Returns:
        The view of the median yaw first. Empty where the head was never found.
    """
    known = [torch.nonzero(track.head.tracked & track.body.tracked).flatten() for track in tracks]
    places = [(take, int(frame)) for take, frames in enumerate(known) for frame in frames]
    if not places:
        return []
    yaw = torch.cat([track.head.angles_rad[frames, 0] for track, frames in zip(tracks, known, strict=True)])
    turned, middle = towards_camera(yaw), yaw_order(yaw)[1]

    def view(pick: int) -> View:
        return "yaw_median" if pick == middle else "yaw_min" if turned[pick] < turned[middle] else "yaw_max"

    picks = sorted(pick_by_yaw(yaw), key=lambda pick: pick != middle)
    chosen = [Chosen(take=places[pick][0], still=Still(frame=places[pick][1]), view=view(pick)) for pick in picks]
    whole = [take for take, track in enumerate(tracks) if framing_of(track) == "full" and len(known[take])]
    if whole:
        take = whole[int(torch.randint(len(whole), (), generator=generator))]
        frame = int(known[take][int(torch.randint(len(known[take]), (), generator=generator))])
        box = half_body_box(tracks[take], frame, generator=generator)
        chosen.append(Chosen(take=take, still=Still(frame=frame, box=box), view="half_body"))
    return chosen


def yaw_range_deg(tracks: Sequence[PersonTrack]) -> tuple[float, ...]:
    """Least, median and greatest yaw over all takes, in degrees; empty where no head was found."""
    yaw = torch.cat([track.head.angles_rad[track.head.tracked, 0] for track in tracks])
    return tuple(round(float(torch.rad2deg(towards_camera(yaw)[at])), 1) for at in yaw_order(yaw)) if len(yaw) else ()


def half_body_box(track: PersonTrack, frame: int, *, generator: torch.Generator) -> Tensor:
    """[4] box around head and trunk with some room at random, in the picture's shape and inside it."""

    def between(limits: tuple[float, float]) -> float:
        return limits[0] + (limits[1] - limits[0]) * float(torch.rand((), generator=generator))

    return trunk_box(track, frame, above_head=between(_ABOVE_HEAD), below_hips=between(_BELOW_HIPS))
