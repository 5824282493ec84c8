"""A track at other frame times. Both clocks start with their own first frame; after its last frame a track stands still.

Between two frames of one shot in which a part is known, its numbers lie on a straight line. Elsewhere (a cut between
them, or the part lost in one of them) the nearer frame's are taken, as are all flags and pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dreamactor.types.track import PersonTrack, take_frames
from dreamactor.types.video import FrameTimes

_SAME_S = 1e-5
"""Frame times that differ by less are equal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where new frames lie among old ones.

    Attributes:
        before, after, nearest: [N] int64 old frames.
        share: [N] float32 in 0..1, how far on the way from `before` to `after`.
    """

    before: Tensor
    after: Tensor
    nearest: Tensor
    share: Tensor

    def between(self, values: Tensor, known: Tensor) -> Tensor:
        """[N, ...] values [T, ...] of the old frames, on the line where `known` [T, ...] holds at both of its ends."""
        wide = (-1, *[1] * (values.ndim - 1))
        both = known[self.before] & known[self.after]
        both = both.reshape(*both.shape, *[1] * (values.ndim - both.ndim))
        line = torch.lerp(values[self.before], values[self.after], self.share.reshape(wide).expand_as(values[self.before]))
        return torch.where(both, line, values[self.nearest])


def resample(track: PersonTrack, times: FrameTimes) -> PersonTrack:
    """The track at `times`, of which only the distances from the first one count."""
    own, wanted = _from_start(track.times), _from_start(times)
    if len(own) == len(wanted) and float((own - wanted).abs().max()) < _SAME_S:
        return replace(track, times=times)
    place = _find(own, wanted, track.cut)
    taken = take_frames(track, place.nearest, times)
    shot = track.cut.long().cumsum(0)[place.nearest]
    changed = torch.zeros(len(times), dtype=torch.bool)
    changed[1:] = shot.diff() != 0
    body, hands, head, face = track.body, track.hands, track.head, track.face
    camera = taken.camera
    if camera is not None and track.camera is not None:
        everywhere = torch.ones(track.num_frames, dtype=torch.bool)
        camera = replace(camera, matrix=place.between(track.camera.matrix, everywhere))
    return replace(
        taken,
        body=replace(
            taken.body,
            joints=place.between(body.joints, body.tracked),
            joints_m=place.between(body.joints_m, body.tracked),
            confidence=place.between(body.confidence, body.tracked),
        ),
        hands=replace(taken.hands, joints=place.between(hands.joints, hands.tracked)),
        head=replace(
            taken.head,
            angles_rad=place.between(head.angles_rad, head.tracked),
            center=place.between(head.center, head.tracked),
            radius_px=place.between(head.radius_px, head.tracked),
        ),
        face=replace(
            taken.face,
            landmarks=place.between(face.landmarks, face.tracked),
            box=place.between(face.box, face.tracked),
        ),
        cut=changed,
        camera=camera,
    )


def nearest_frames(own: FrameTimes, times: FrameTimes) -> Tensor:
    """[N] int64: for each of `times` the frame of `own` that is nearest; what pictures are taken from."""
    seconds = _from_start(own)
    return _find(seconds, _from_start(times), torch.zeros(len(seconds), dtype=torch.bool)).nearest


def _from_start(times: FrameTimes) -> Tensor:
    seconds = times.seconds
    return seconds - seconds[0]


def _find(own: Tensor, wanted: Tensor, cut: Tensor) -> _Place:
    """Places of `wanted` [N] among `own` [T], both in seconds."""
    last = len(own) - 1
    before = (torch.searchsorted(own, wanted + _SAME_S, right=True) - 1).clamp(0, last)
    after = (before + 1).clamp(max=last)
    share = ((wanted - own[before]) / (own[after] - own[before]).clamp_min(_SAME_S)).clamp(0.0, 1.0)
    share = torch.where((after == before) | (share * (own[after] - own[before]) < _SAME_S), 0.0, share)
    nearest = torch.where(share > 0.5 + 1e-6, after, before)  # halfway is the earlier one, whatever the rounding
    apart = cut[after] & (after != before)
    alone = apart | (share == 0.0)
    before, after = torch.where(alone, nearest, before), torch.where(alone, nearest, after)
    return _Place(before=before, after=after, nearest=nearest, share=share.float())
