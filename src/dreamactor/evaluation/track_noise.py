"""What perception's errors are like: perceived tracks against exact ones, as the few numbers a noise model needs.

An error over time is taken apart into what stays for the whole clip (bias), what wanders (drift) and what is new in every
frame (shake). Spreads are robust (1.48 times the median distance from zero or from the clip's own mean), so that a body
that was mistaken altogether does not count as noise: such frames are left out (`_MISTAKEN_TORSOS`), and rare.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import pi
from typing import Final

import torch
from torch import Tensor

from dreamactor.evaluation.tracks import SURE
from dreamactor.geometry.skeleton import JOINT, NUM_HAND_JOINTS
from dreamactor.types.track import PersonTrack

Pair = tuple[PersonTrack, PersonTrack]
"""What was found, and the truth."""

JOINT_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "trunk": ("left_shoulder", "right_shoulder", "left_hip", "right_hip"),
    "middle": ("left_elbow", "right_elbow", "left_knee", "right_knee"),
    "far": ("left_wrist", "right_wrist", "left_ankle", "right_ankle", "left_toe", "right_toe"),
}
"""Along the limbs errors grow."""

DRAWN: Final = 0.3
"""Joints below this confidence are not drawn: lost."""

_MISTAKEN_TORSOS: Final = 0.5
_FRONT_RAD: Final = pi / 3
"""Only up to here must a face be found; the noise of angles is that of heads up to here too."""
_TURNED_RAD: Final = 5 * pi / 12
_ROBUST: Final = 1.4826
_LAG: Final = 4


def noise_statistics(pairs: Sequence[Pair]) -> dict[str, float]:
    """Statistics of the errors over clips of at least five frames; lengths in torsos, of faces and heads in head radii.

    Returns:
        name -> value, NaN where nothing could be judged. Of points (`trunk`, `middle` and `far` joints, a `hand` about its
        wrist, the `face` about its middle, the `head_place`): `*_bias`, `*_drift`, `*_shake`, and `*_memory`, how alike an
        error without its bias is after 4 frames (-1..1); `depth_ratio`, errors along the line of sight over those across it.
        Of angles (`yaw`, `pitch`, `roll`, and `yaw_turned` beyond 75 degrees) the same in degrees, and `yaw_gain`, perceived
        over true yaw. Of the head's size: `head_size_offset` and `head_size_spread` (logarithms). Of losses: shares of
        frames and mean lengths in frames.
    """
    out: dict[str, float] = {}
    for group, names in JOINT_GROUPS.items():
        out |= _spread(f"{group}", list(_joint_errors(pairs, [JOINT[name] for name in names])))
    out["depth_ratio"] = _depth_ratio(pairs)
    out |= _spread("hand", list(_hand_errors(pairs)))
    out |= _spread("face", list(_face_errors(pairs)))
    for axis, name in enumerate(("yaw", "pitch", "roll")):
        out |= _in_degrees(_spread(name, list(_angle_errors(pairs, axis))))
    out |= _in_degrees(_spread("yaw_turned", list(_angle_errors(pairs, 0, turned=True))))
    out |= _spread("head_place", list(_place_errors(pairs)))
    out["yaw_gain"] = _yaw_gain(pairs)
    out |= _head_size(pairs)
    out |= _losses(pairs)
    return out


def _spread(name: str, errors: list[Tensor]) -> dict[str, float]:
    """Bias, drift, shake and memory of errors, one [T, N] per clip, NaN where they are not judged."""
    means, wander, shakes, products, squares = [], [], [], [], []
    for clip in errors:
        enough = (~clip.isnan()).sum(0) >= 5
        clip = clip[:, enough]
        if not clip.shape[1]:
            continue
        mean = clip.nanmean(0)
        means.append(mean)
        rest = clip - mean
        wander.append(rest[~rest.isnan()])
        bend = clip.diff(n=2, dim=0)
        shakes.append(bend[~bend.isnan()])
        later = rest[_LAG:] * rest[:-_LAG]
        products.append(later[~later.isnan()])
        squares.append(rest[~rest.isnan()].square())
    if not means:
        return {f"{name}_{part}": float("nan") for part in ("bias", "drift", "shake", "memory")}
    shake = _robust(torch.cat(shakes)) / 6**0.5
    drift = max(_robust(torch.cat(wander)) ** 2 - shake**2, 0.0) ** 0.5
    memory = float(_clipped_mean(torch.cat(products)) / _clipped_mean(torch.cat(squares)).clamp_min(1e-12))
    return {
        f"{name}_bias": _robust(torch.cat(means)), f"{name}_drift": drift, f"{name}_shake": shake, f"{name}_memory": memory,
    }  # fmt: skip


def _in_degrees(spread: dict[str, float]) -> dict[str, float]:
    return {name: value if name.endswith("memory") else value * 180 / pi for name, value in spread.items()}


def _robust(values: Tensor) -> float:
    return _ROBUST * float(values.abs().median()) if len(values) else float("nan")


def _clipped_mean(values: Tensor) -> Tensor:
    """Mean without the outermost twentieth on either side."""
    low, high = values.quantile(torch.tensor([0.05, 0.95])) if len(values) < 10**6 else (values.min(), values.max())
    return values[(values >= low) & (values <= high)].mean() if len(values) else torch.tensor(torch.nan)


def _torso(truth: PersonTrack) -> Tensor:
    """Length of the torso in 3D, pixels: the median over the clip."""
    return (truth.body.joints[:, JOINT["neck"]] - truth.body.joints[:, JOINT["pelvis"]]).norm(dim=-1).median().clamp_min(1.0)


def _sound(found: PersonTrack, truth: PersonTrack) -> Tensor:
    """[T] bool: the right body was found, more or less."""
    apart = (found.body.joints[..., :2] - truth.body.joints[..., :2]).norm(dim=-1) / _torso(truth)
    judged = truth.body.confidence > SURE
    return found.body.tracked & (apart.masked_fill(~judged, torch.nan).nanmedian(dim=1).values < _MISTAKEN_TORSOS)


def _joint_errors(pairs: Sequence[Pair], joints: list[int], *, axes: tuple[int, ...] = (0, 1)) -> Iterator[Tensor]:
    for found, truth in pairs:
        error = (found.body.joints - truth.body.joints)[:, joints][..., list(axes)] / _torso(truth)
        judged = (truth.body.confidence[:, joints] > SURE) & _sound(found, truth)[:, None]
        yield error.masked_fill(~judged[..., None], torch.nan).flatten(1)


def _depth_ratio(pairs: Sequence[Pair]) -> float:
    joints = [JOINT[name] for names in JOINT_GROUPS.values() for name in names]
    along, across = (
        torch.cat([error.flatten() for error in _joint_errors(pairs, joints, axes=axes)]) for axes in ((2,), (0, 1))
    )
    return _robust(along[~along.isnan()]) / _robust(across[~across.isnan()])


def _hand_errors(pairs: Sequence[Pair]) -> Iterator[Tensor]:
    for found, truth in pairs:
        local = [track.hands.joints[..., :2] - track.hands.joints[:, :, :1, :2] for track in (found, truth)]
        judged = found.hands.tracked & truth.hands.tracked & _sound(found, truth)[:, None]  # [T, 2]
        error = ((local[0] - local[1]) / _torso(truth)).masked_fill(~judged[..., None, None], torch.nan)
        yield error[:, :, 1:].reshape(len(error), 2 * (NUM_HAND_JOINTS - 1) * 2)


def _face_errors(pairs: Sequence[Pair]) -> Iterator[Tensor]:
    for found, truth in pairs:
        local = [
            track.face.landmarks[..., :2] - track.face.landmarks[..., :2].mean(1, keepdim=True) for track in (found, truth)
        ]
        error = (local[0] - local[1]) / truth.head.radius_px[:, None, None]
        judged = found.face.tracked & _frontal(truth)
        yield error.masked_fill(~judged[:, None, None], torch.nan).flatten(1)


def _frontal(truth: PersonTrack) -> Tensor:
    """[T] bool: a face that can be seen."""
    return truth.face.tracked & (_wrap(truth.head.angles_rad[:, 0]).abs() < _FRONT_RAD)


def _angle_errors(pairs: Sequence[Pair], axis: int, *, turned: bool = False) -> Iterator[Tensor]:
    """Of heads that point to the camera, or of those turned away."""
    for found, truth in pairs:
        error = _wrap(found.head.angles_rad[:, axis] - truth.head.angles_rad[:, axis])
        away = _wrap(truth.head.angles_rad[:, 0]).abs()
        judged = _sound(found, truth) & found.head.tracked & ((away > _TURNED_RAD) if turned else (away < _FRONT_RAD))
        yield error.masked_fill(~judged, torch.nan)[:, None]


def _place_errors(pairs: Sequence[Pair]) -> Iterator[Tensor]:
    for found, truth in pairs:
        error = (found.head.center - truth.head.center)[:, :2] / truth.head.radius_px[:, None]
        yield error.masked_fill(~(_sound(found, truth) & found.head.tracked)[:, None], torch.nan)


def _yaw_gain(pairs: Sequence[Pair]) -> float:
    """Slope of the perceived over the true yaw of heads that are turned by 15 to 60 degrees: the median ratio."""
    ratios = []
    for found, truth in pairs:
        true = _wrap(truth.head.angles_rad[:, 0])
        turned = (true.abs() > pi / 12) & (true.abs() < _FRONT_RAD) & _sound(found, truth)
        ratios.append((_wrap(found.head.angles_rad[:, 0]) / true)[turned])
    every = torch.cat(ratios)
    return float(every.median()) if len(every) else float("nan")


def _head_size(pairs: Sequence[Pair]) -> dict[str, float]:
    sizes = []
    for found, truth in pairs:
        sound = _sound(found, truth) & found.head.tracked
        if int(sound.sum()) >= 5:
            sizes.append((found.head.radius_px / truth.head.radius_px)[sound].log().median())
    if not sizes:
        return dict.fromkeys(("head_size_offset", "head_size_spread"), float("nan"))
    every = torch.stack(sizes)
    return {"head_size_offset": float(every.median()), "head_size_spread": _robust(every - every.median())}


def _losses(pairs: Sequence[Pair]) -> dict[str, float]:
    """Shares of frames in which something that is there was not found, and how long that lasts."""
    hands, faces, joints = [], [], []
    limbs = [JOINT[name] for group in ("middle", "far") for name in JOINT_GROUPS[group]]
    for found, truth in pairs:
        hands += [(found.hands.tracked[:, side], truth.hands.tracked[:, side]) for side in (0, 1)]
        faces.append((found.face.tracked, _frontal(truth)))
        seen = (truth.body.confidence[:, limbs] > SURE) & found.body.tracked[:, None]
        drawn = found.body.confidence[:, limbs] >= DRAWN
        joints += list(zip(drawn.unbind(1), seen.unbind(1), strict=True))
    out = {}
    for name, cases in (("hand", hands), ("face", faces), ("joint", joints)):
        there = torch.cat([there for _, there in cases])
        lost = torch.cat([there & ~got for got, there in cases])
        lengths = torch.tensor([float(length) for got, there in cases for length in _runs(there & ~got)])
        out[f"{name}_lost_share"] = float(lost.sum() / there.sum().clamp_min(1))
        out[f"{name}_lost_frames"] = float(lengths.mean()) if len(lengths) else 0.0
    everything = torch.cat([found.body.tracked for found, _ in pairs])
    return out | {"body_lost_share": 1 - float(everything.float().mean())}


def _runs(flags: Tensor) -> list[int]:
    """Lengths of the runs of True."""
    edges = torch.cat([torch.zeros(1), flags.float(), torch.zeros(1)]).diff()
    return (torch.nonzero(edges < 0) - torch.nonzero(edges > 0)).flatten().tolist()


def _wrap(angle_rad: Tensor) -> Tensor:
    return torch.remainder(angle_rad + pi, 2 * pi) - pi
