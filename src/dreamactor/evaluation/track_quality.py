"""How calm and how prompt a track is, without any truth: jumps of the trunk, spikes of limbs, lag behind the raw points.

Lengths are in torsos (neck to pelvis in 3D, the median of a second around each frame), so that neither the person's
size in the picture nor bowing counts. Only joints that would be drawn are judged, and nothing across a cut.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from dreamactor.geometry.skeleton import JOINT
from dreamactor.types.track import PersonTrack

SURE: Final = 0.3
"""Joints below this confidence are not drawn, and not judged."""
TRUNK: Final = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
LIMBS: Final = tuple(f"{side}_{part}" for side in ("left", "right") for part in ("elbow", "wrist", "knee", "ankle", "toe"))
SPIKE_TORSOS: Final = 0.3
"""A spike leaps at least so far between two frames..."""
SPIKE_FRAMES: Final = 3
"""... and within so many frames is back..."""
BACK_TORSOS: Final = 0.1
"""... where it was before, up to this..."""
STILL: Final = 0.5
"""... and the steps before and after are less than this share of the leap: limbs that swing to and fro slow down first."""
MOST_LAG: Final = 5
LEAST_MOTION_TORSOS: Final = 0.01
"""Mean way per frame below which a point hardly moves and has no lag to speak of."""


def torso_px(track: PersonTrack) -> Tensor:
    """[T] pixels, at least 1: length of the torso in 3D, the median over about a second."""
    spine = (track.body.joints[:, JOINT["neck"]] - track.body.joints[:, JOINT["pelvis"]]).norm(dim=-1)
    reach = max(1, round(float(track.times.fps) / 2))
    padded = torch.nn.functional.pad(spine[None, None], (reach, reach), mode="replicate")[0, 0]
    return padded.unfold(0, 2 * reach + 1, 1).median(dim=-1).values.clamp_min(1.0)


def trunk_jumps(track: PersonTrack, camera_px: Tensor | None = None) -> Tensor:
    """[T - 1, 4] way of `TRUNK` from each frame to the next in the picture, in torsos; NaN where it is not judged.

    Args:
        track: any number of frames.
        camera_px: [T, 2] way of the whole picture from the frame before, in pixels, to be taken off; none if None.
    """
    place, sure = _judged(track, TRUNK)
    way = place[1:] - place[:-1]
    if camera_px is not None:
        way = way - camera_px[1:, None]
    step = way.norm(dim=-1) / torso_px(track)[1:, None]
    return step.masked_fill(~(sure[1:] & sure[:-1] & ~track.cut[1:, None]), torch.nan)


def limb_spikes(track: PersonTrack) -> Tensor:
    """[T, 10] bool: `LIMBS` that leapt here and are back within `SPIKE_FRAMES` frames."""
    place, sure = _judged(track, LIMBS)
    torso, shot = torso_px(track), track.cut.cumsum(0)
    spikes = torch.zeros(place.shape[:2], dtype=torch.bool)
    step = torch.zeros(len(place) + 1, place.shape[1])  # into each frame; none into the first and out of the last
    step[1:-1] = (place[1:] - place[:-1]).norm(dim=-1)
    for length in range(1, SPIKE_FRAMES + 1):
        for start in range(1, len(place) - length):
            before, after = start - 1, start + length
            if shot[before] != shot[after]:
                continue
            sudden = torch.maximum(step[before], step[after + 1]) < STILL * step[start]
            back = (place[after] - place[before]).norm(dim=-1) < BACK_TORSOS * torso[start]
            leapt = step[start] > SPIKE_TORSOS * torso[start]
            spikes[start] |= leapt & sudden & back & sure[before : after + 1].all(dim=0)
    return spikes


def lag_frames(calm: Tensor, raw: Tensor, known: Tensor) -> float | None:
    """By how many frames a smoothed path runs behind the raw one: where their speeds correlate best.

    Args:
        calm, raw: [T, D] places, in torsos.
        known: [T] bool.

    Returns:
        Frames, negative where it runs ahead; between two frames by the parabola through the best three correlations. None
        where the point is not known for a second or hardly moves.
    """
    pair = known[1:] & known[:-1]
    fast, slow = raw.diff(dim=0), calm.diff(dim=0)
    if int(pair.sum()) < 12 or float(fast[pair].norm(dim=-1).mean()) < LEAST_MOTION_TORSOS:
        return None
    fast, slow = (torch.where(pair[:, None], step, torch.zeros(())) for step in (fast, slow))
    lags = range(-MOST_LAG, MOST_LAG + 1)
    likeness = torch.tensor([
        float((slow[max(lag, 0) : len(slow) + min(lag, 0)] * fast[max(-lag, 0) : len(fast) - max(lag, 0)]).sum())
        for lag in lags
    ])  # fmt: skip
    best = int(likeness.argmax())
    if best in (0, len(likeness) - 1):
        return float(lags[best])
    left, middle, right = likeness[best - 1 : best + 2].tolist()
    bend = left - 2 * middle + right
    return lags[best] + (0.5 * (left - right) / bend if bend < 0 else 0.0)


def _judged(track: PersonTrack, names: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """Places [T, N, 2] in pixels, and [T, N] bool whether they are drawn."""
    joints = [JOINT[name] for name in names]
    sure = (track.body.confidence[:, joints] >= SURE) & track.body.tracked[:, None]
    return track.body.joints[:, joints, :2], sure
