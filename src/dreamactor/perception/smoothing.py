"""Time filters of a track: gaps, spikes and jitter. Works on plain tensors whose first axis is time, within one shot.

Every filter looks as far ahead as back, so none of them lags; near a gap or the end of a shot it looks less far both
ways, so that it stays centred there too. Knows nothing about people.
"""

from __future__ import annotations

from math import comb

import torch
from torch import Tensor

MAX_BRIDGED_FRAMES = 5
"""Longest gap that is filled and still counts as tracked."""

MAX_SPIKE_FRAMES = 3
"""A jump that is back within so many frames was never made by a body."""


def interpolate(values: Tensor, known: Tensor) -> Tensor:
    """Fills unknown frames: on a straight line between known neighbours, held before the first and after the last.

    Args:
        values: [T, ...] float.
        known: [T] bool.

    Returns:
        [T, ...]; unchanged where known, zeros everywhere if nothing is known.
    """
    if not known.any():
        return torch.zeros_like(values)
    before, after = _nearest_known(known)
    step = (torch.arange(len(known)) - before) / (after - before).clamp_min(1)  # [T] in 0..1
    step = step.to(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
    return values[before] + step * (values[after] - values[before])


def frames_to_known(known: Tensor) -> Tensor:
    """[T] float: distance in frames to the nearest known frame; infinite if nothing is known."""
    if not known.any():
        return torch.full((len(known),), torch.inf)
    before, after = _nearest_known(known)
    index = torch.arange(len(known))
    return torch.minimum((index - before).abs(), (after - index).abs()).to(torch.float32)


def bridge_gaps(values: Tensor, known: Tensor, *, max_frames: int = MAX_BRIDGED_FRAMES) -> tuple[Tensor, Tensor]:
    """Interpolates short gaps and holds the last value through long ones.

    Args:
        values: [T, ...] float.
        known: [T] bool.
        max_frames: longest gap that still counts as known afterwards.

    Returns:
        [T, ...] values without holes, and [T] bool: known or bridged.
    """
    bridged = known | _short_gaps(known, max_frames)
    if not known.any():
        return torch.zeros_like(values), bridged
    before, _ = _nearest_known(known)
    shape = (-1, *[1] * (values.ndim - 1))
    return torch.where(bridged.reshape(shape), interpolate(values, known), values[before]), bridged


def drop_short_runs(known: Tensor, *, min_frames: int) -> Tensor:
    """[T] bool without runs of True shorter than `min_frames`; a whole clip that is shorter stays as it is."""
    if len(known) < min_frames:
        return known
    kept = known.clone()
    for start, stop in _runs(known):
        if stop - start < min_frames:
            kept[start:stop] = False
    return kept


def find_spikes(points: Tensor, *, jump: Tensor, max_frames: int = MAX_SPIKE_FRAMES) -> Tensor:
    """Marks points that leap away and are back within a few frames.

    Args:
        points: [T, J, D] positions.
        jump: [T] a leap is at least this far, in units of `points`.
        max_frames: longest spike.

    Returns:
        [T, J] bool, True on the frames of a spike.
    """
    num_frames = len(points)
    spikes = torch.zeros(points.shape[:2], dtype=torch.bool)
    for length in range(1, max_frames + 1):
        for start in range(1, num_frames - length):
            stop = start + length
            far = jump[start]
            leap = (points[start] - points[start - 1]).norm(dim=-1)  # [J]
            back = (points[stop] - points[stop - 1]).norm(dim=-1)
            net = (points[stop] - points[start - 1]).norm(dim=-1)
            is_spike = (leap > far) & (back > far) & (net < 0.4 * torch.minimum(leap, back))
            spikes[start:stop] |= is_spike
    return spikes


def remove_spikes(points: Tensor, spikes: Tensor) -> Tensor:
    """[T, J, D] points with the marked ones [T, J] put on the line between their neighbours in time."""
    cleaned = points.clone()
    for joint in torch.nonzero(spikes.any(0)).flatten().tolist():
        cleaned[:, joint] = interpolate(points[:, joint], ~spikes[:, joint])
    return cleaned


def smooth(values: Tensor, known: Tensor, *, radius: Tensor | int) -> Tensor:
    """Binomial smoothing, centred on every frame.

    Args:
        values: [T, ...] float.
        known: [T] bool; unknown frames are left alone and never mixed into known ones.
        radius: frames to either side, one number or [T, ...] float that broadcasts to `values` (fractions blend
            neighbouring radii).

    Returns:
        [T, ...] smoothed.
    """
    shape = (-1, *[1] * (values.ndim - 1))
    room = _room(known).reshape(shape)
    wanted = torch.as_tensor(radius, dtype=values.dtype)
    reach = torch.minimum(room.to(values.dtype), wanted)  # broadcasts to [T, ...]
    smoothed = values
    for size in range(1, int(reach.max().ceil()) + 1):
        share = (reach - (size - 1)).clamp(0.0, 1.0)
        smoothed = torch.lerp(smoothed, _binomial(values, size), share.expand_as(values))
    return smoothed


def even_path(values: Tensor, weight: Tensor, *, stiffness: float) -> Tensor:
    """The path that stays near the values and bends little: least squares over the whole shot, so it lags neither way.

    Args:
        values: [T] float.
        weight: [T] positive, how much each value counts.
        stiffness: weight of the squared second differences; straight lines stay as they are whatever it is.

    Returns:
        [T], the minimum of sum(weight (path - values)^2) + stiffness sum(second difference of path^2).
    """
    count = len(values)
    if count < 3:
        return values
    # The normal equations have five diagonals: L D L' in one sweep forth, the solution in one back (two zeros in front of
    # and behind every list stand for what lies outside).
    main, near = [0.0] * count, [0.0] * count
    for row in range(count - 2):
        for offset, factor in enumerate((1.0, 4.0, 1.0)):
            main[row + offset] += factor * stiffness
        near[row] -= 2 * stiffness
        near[row + 1] -= 2 * stiffness
    far = [stiffness] * (count - 2) + [0.0, 0.0]
    diagonal, first, second, forth = ([0.0] * (count + 2) for _ in range(4))
    for i, (value, share) in enumerate(zip(values.tolist(), weight.tolist(), strict=True)):
        j = i + 2
        diagonal[j] = main[i] + share - diagonal[j - 1] * first[j - 1] ** 2 - diagonal[j - 2] * second[j - 2] ** 2
        first[j] = (near[i] - diagonal[j - 1] * first[j - 1] * second[j - 1]) / diagonal[j]
        second[j] = far[i] / diagonal[j]
        forth[j] = share * value - first[j - 1] * forth[j - 1] - second[j - 2] * forth[j - 2]
    path = [0.0] * (count + 2)
    for i in reversed(range(count)):
        path[i] = forth[i + 2] / diagonal[i + 2] - first[i + 2] * path[i + 1] - second[i + 2] * path[i + 2]
    return torch.tensor(path[:count], dtype=values.dtype)


def calm_radius(values: Tensor, *, slow: Tensor | float, fast: Tensor | float, most: int, least: int = 1) -> Tensor:
    """How far to smooth: much where a point rests, little where it moves.

    Args:
        values: [T, ..., D] points.
        slow, fast: speed per frame up to which `most`, and from which `least` frames to either side are used; numbers
            or tensors that broadcast to [T, ...].
        most, least: radii in frames.

    Returns:
        [T, ..., 1] float radius.
    """
    steady = _binomial(values, 2)
    ahead, behind = _shift(steady, 1), _shift(steady, -1)
    speed = (ahead - behind).norm(dim=-1) / 2  # [T, ...]
    quick = ((speed - slow) / (torch.as_tensor(fast) - slow)).clamp(0.0, 1.0)
    return (most + (least - most) * quick)[..., None]


def running_median(values: Tensor, *, radius: int) -> Tensor:
    """[T, ...] median over up to `radius` frames to either side (the nearest frame stands in beyond the ends)."""
    return torch.stack([_shift(values, offset) for offset in range(-radius, radius + 1)]).median(0).values


def _binomial(values: Tensor, radius: int) -> Tensor:
    """Weights 1, 2, 1 for radius 1, and so on; the nearest frame stands in beyond the ends."""
    total = torch.zeros_like(values)
    for offset in range(-radius, radius + 1):
        total += comb(2 * radius, radius + offset) / 4**radius * _shift(values, offset)
    return total


def _shift(values: Tensor, offset: int) -> Tensor:
    """values[t + offset], with the nearest frame beyond the ends."""
    index = (torch.arange(len(values)) + offset).clamp(0, len(values) - 1)
    return values[index]


def _room(known: Tensor) -> Tensor:
    """[T] int: how many frames to either side are known and inside the shot."""
    room = torch.zeros(len(known), dtype=torch.long)
    for start, stop in _runs(known):
        inside = torch.arange(stop - start)
        room[start:stop] = torch.minimum(inside, inside.flip(0))
    return room


def _short_gaps(known: Tensor, max_frames: int) -> Tensor:
    """[T] bool: unknown frames in gaps of at most `max_frames` that have known frames on both sides."""
    short = torch.zeros_like(known)
    for start, stop in _runs(~known):
        if start > 0 and stop < len(known) and stop - start <= max_frames:
            short[start:stop] = True
    return short


def _runs(flags: Tensor) -> list[tuple[int, int]]:
    """(start, stop) of every run of True."""
    padded = torch.cat([torch.zeros(1), flags.to(torch.float32), torch.zeros(1)]).diff()
    starts, stops = torch.nonzero(padded > 0).flatten().tolist(), torch.nonzero(padded < 0).flatten().tolist()
    return list(zip(starts, stops, strict=True))


def _nearest_known(known: Tensor) -> tuple[Tensor, Tensor]:
    """[T] indices of the last known frame up to, and the first from each frame on; where one is missing, the other."""
    index = torch.arange(len(known))
    before = torch.where(known, index, -1).cummax(0).values
    after = torch.where(known, index, len(known)).flip(0).cummin(0).values.flip(0)
    return torch.where(before < 0, after, before), torch.where(after == len(known), before, after)
