"""A performance -> clips with their references, and a row for every stretch that gives none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from dreamactor.data.buckets import cut_lengths
from dreamactor.data.clips import ClipRecord, ClipReference
from dreamactor.data.filters import (
    LEFT_OVER,
    NO_PERSON,
    TOO_SHORT,
    FilterLimits,
    Finding,
    judge_pictures,
    judge_track,
    spread,
)
from dreamactor.data.framing import category_of, framing_of
from dreamactor.data.reference_choice import Chosen, choose_references, yaw_range_deg
from dreamactor.data.shards.index import ClipEntry, Rejection
from dreamactor.data.takes.base import Performance, Take

_LOOKS = 3
"""Frames of a clip in which everybody is looked for."""

Made = tuple[ClipRecord, ClipEntry] | Rejection


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipMaker:
    """How clips are made.

    Attributes:
        lengths: in frames, longest first.
        limits: of the filters.
        people: boxes [N, 4] of everybody in a picture [H, W, 3], largest first.
    """

    lengths: tuple[int, ...]
    limits: FilterLimits
    people: Callable[[Tensor], Tensor]

    def make(self, performance: Performance) -> Iterator[Made]:
        """Clips of a performance, each with its (still unplaced) row of the index, and what was left out."""
        yield from performance.left_out
        planned: list[tuple[int, list[slice]]] = []
        for number, take in enumerate(performance.takes):
            spans = []
            for span in self._cut(take):
                if isinstance(span, slice):
                    finding = None if performance.exact else self._judge_track(performance, take, span)
                    if finding is None:
                        spans.append(span)
                        continue
                    yield _rejected(performance, take, span, finding)
                else:
                    yield _rejected(performance, take, *span)
            planned.append((number, spans))
        if not any(spans for _, spans in planned):
            return
        tracks = [take.track for take in performance.takes]
        generator = torch.Generator().manual_seed(performance.seed)
        chosen = choose_references(tracks, generator=generator)
        if not chosen and not performance.standing:
            headless = Finding(NO_PERSON, "the head was never found, so there is no reference")
            for number, spans in planned:
                for span in spans:
                    yield _rejected(performance, performance.takes[number], span, headless)
            return
        references = _draw(performance, chosen)
        yaw_deg = yaw_range_deg(tracks)
        for number, spans in planned:
            take = performance.takes[number]
            for span, (frames, mask) in zip(spans, take.clips(spans), strict=True):
                finding = None if performance.exact else self._judge_pictures(take, span, frames)
                if finding is not None:
                    yield _rejected(performance, take, span, finding)
                    continue
                yield _clip(performance, number, span, frames, mask, list(zip(chosen, references, strict=True)), yaw_deg)

    def _cut(self, take: Take) -> Iterator[slice | tuple[slice, Finding]]:
        """Stretches to make clips of, and those that are too short, each with the reason."""
        if take.spans is not None:
            yield from take.spans
            return
        frames, least = take.track.num_frames, self.lengths[-1]
        spans = cut_lengths(frames, self.lengths)
        yield from spans
        end = spans[-1].stop if spans else 0
        if end < frames:
            reason = LEFT_OVER if spans else TOO_SHORT
            yield slice(end, frames), Finding(reason, f"{frames - end} frames, needed {least}")

    def _judge_track(self, performance: Performance, take: Take, span: slice) -> Finding | None:
        track = take.track[span]
        return judge_track(
            track, category=category_of(framing_of(track)), magnification=performance.magnification, limits=self.limits
        )  # fmt: skip

    def _judge_pictures(self, take: Take, span: slice, frames: Tensor) -> Finding | None:
        people = {at: self.people(frames[at]) for at in spread(len(frames), _LOOKS)}
        return judge_pictures(frames, take.track[span], people=people, limits=self.limits)


def _draw(performance: Performance, chosen: list[Chosen]) -> list[ClipReference]:
    """The chosen references, in their order; each take is asked once."""
    drawn: dict[int, ClipReference] = {}
    for number, take in enumerate(performance.takes):
        own = [place for place, one in enumerate(chosen) if one.take == number]
        for place, picture in zip(own, take.stills([chosen[place].still for place in own]) if own else [], strict=True):
            frame = chosen[place].still.frame
            drawn[place] = ClipReference(view=chosen[place].view, picture=picture, frame=frame, inside=False)
    return [drawn[place] for place in range(len(chosen))]


def _clip(
    performance: Performance, number: int, span: slice, frames: Tensor, mask: Tensor,
    references: list[tuple[Chosen, ClipReference]], yaw_deg: tuple[float, ...],
) -> tuple[ClipRecord, ClipEntry]:  # fmt: skip
    take = performance.takes[number]
    track = take.track[span]
    framing = framing_of(track)
    category = category_of(framing)
    fitting = [
        ClipReference(
            view=made.view,
            picture=made.picture,
            frame=made.frame,
            inside=one.take == number and span.start <= made.frame < span.stop,
        )
        for one, made in references
        if category == "full" or made.view != "half_body"
    ]
    fitting += performance.standing
    place = f"-{take.camera.replace('_', '')}" if take.camera else ""
    key = f"{performance.name}{place}-f{take.start_frame + span.start:06d}"
    clip = ClipRecord(
        key=key,
        source=performance.source,
        kind=performance.kind,
        category=category,
        framing=framing,
        frames=frames,
        mask=mask,
        track=track,
        exact=performance.exact,
        references=tuple(fitting),
        expression=None if take.expression is None else take.expression[span],
        seed=performance.seed,
        camera=take.camera,
    )
    start_s, end_s = _seconds(take, span)
    entry = ClipEntry(
        key=key,
        source=performance.source,
        camera=take.camera,
        kind=performance.kind,
        category=category,
        framing=framing,
        exact=performance.exact,
        seed=performance.seed,
        start_frame=take.start_frame + span.start,
        num_frames=len(frames),
        start_s=start_s,
        end_s=end_s,
        fps=round(float(track.times.fps), 4),
        width=int(frames.shape[2]),
        height=int(frames.shape[1]),
        yaw_deg=yaw_deg,
        references=tuple((one.view, one.frame, one.inside) for one in fitting),
    )
    return clip, entry


def _rejected(performance: Performance, take: Take, span: slice, finding: Finding) -> Rejection:
    start_s, end_s = _seconds(take, span)
    return Rejection(
        source=performance.source, camera=take.camera, start_s=start_s, end_s=end_s, reason=finding.reason,
        detail=finding.detail,
    )  # fmt: skip


def _seconds(take: Take, span: slice) -> tuple[float, float]:
    """Begin and end on the source's clock; the last frame is shown for one mean step."""
    times = take.track.times[span]
    start = float(times.seconds[0]) - take.origin_s
    return round(start, 4), round(start + len(times) / float(times.fps), 4)
