"""What every source of clips offers: a performance, as one or several cameras saw it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from dreamactor.data.clips import ClipReference, Kind
from dreamactor.data.shards.index import Rejection
from dreamactor.types.guidance import ReferenceImage
from dreamactor.types.track import PersonTrack


@dataclass(frozen=True, kw_only=True, slots=True)
class Still:
    """A picture wanted of a performance.

    Attributes:
        frame: of the take.
        box: [4] x0, y0, x1, y1 in canvas pixels, in the canvas's shape; None for all of it.
    """

    frame: int
    box: Tensor | None = None


class Take(Protocol):
    """One camera's view of a performance without cuts.

    Attributes:
        camera: which camera, "" where there is one.
        track: the whole performance, in canvas pixels.
        start_frame: of the performance in its source; origin_s: time of the source's first frame on the track's clock.
        spans: the clips to make; None leaves that to the lengths that fit.
        expression: [T, E] of the whole performance, where it is known.
    """

    camera: str
    track: PersonTrack
    start_frame: int
    origin_s: float
    spans: tuple[slice, ...] | None
    expression: Tensor | None

    def stills(self, wanted: Sequence[Still]) -> list[ReferenceImage]:
        """Pictures on the canvas, with track and mask."""

    def clips(self, spans: Sequence[slice]) -> Iterator[tuple[Tensor, Tensor]]:
        """Frames [t, H, W, 3] and masks [t, H, W] of stretches of the performance, in the order of time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Performance:
    """What one person did, from one cut to the next.

    Attributes:
        name: unlike that of every other performance.
        source: file or actor, for people.
        kind: of the clips.
        takes: of all cameras; references may come from any of them.
        exact: whether tracks and masks are the truth. Then nothing is filtered.
        seed: of an actor.
        standing: further references, that are no frames of the performance.
        magnification: canvas pixels per pixel of the source; above 1 the pictures were enlarged.
        left_out: what of the source is in no take, with the reasons.
    """

    name: str
    source: str
    kind: Kind
    takes: tuple[Take, ...]
    exact: bool
    seed: int
    standing: tuple[ClipReference, ...] = ()
    magnification: float = 1.0
    left_out: tuple[Rejection, ...] = ()
