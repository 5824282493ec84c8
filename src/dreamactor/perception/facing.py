"""Which way a head points through whole turns: the most likely path through what body and face say, frame by frame.

An estimator that sees one picture at a time confuses front and back: a body seen from behind may come out as one that
faces the camera, with left and right exchanged and its depth right (`EXCHANGED`) or mirrored too (`MIRRORED`). Near the
profile its yaw sticks at 90 degrees. Single frames cannot settle that. But a person turns evenly and never by half a
turn in a frame, such confusions last, a face that is not found tells a back from a front, and the head's pixels show to
which side it turns (`turning.py`). So we take the path of yaw and confusion that makes all frames of the shot together
most likely (Viterbi), which lags neither way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import pi, radians
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import avg_pool1d

from dreamactor.geometry.skeleton import BODY_JOINTS, JOINT
from dreamactor.perception.base import RawPerson
from dreamactor.perception.smoothing import even_path, frames_to_known, running_median

RIGHT, MIRRORED, EXCHANGED = 0, 1, 2
"""How the estimator took the body in a frame; see the module."""

_OTHER_SIDE: Final = [
    JOINT[name.replace("left_", "right_") if name.startswith("left_") else name.replace("right_", "left_")]
    for name in BODY_JOINTS
]

_BINS: Final = 120
_STEP_RAD: Final = 2 * pi / _BINS

_TRUE_DEG: Final = (0.0, 30.0, 45.0, 60.0, 75.0, 90.0, 105.0, 120.0, 135.0, 150.0, 165.0, 180.0)
_READ_DEG: Final = (0.0, 25.0, 42.0, 60.0, 78.0, 87.0, 96.0, 119.0, 148.0, 168.0, 176.0, 180.0)
_SPREAD_DEG: Final = (8.0, 10.0, 12.0, 15.0, 13.0, 8.0, 12.0, 22.0, 22.0, 14.0, 10.0, 8.0)
"""The body's reading (ears and nose) of a head that truly points so far away from the camera, and half the distance from its
16th to its 84th percentile: medians over drawn turns (training actors), moved towards what real people read, who come out
turned too far where the actors come out turned too little (up to 60 degrees, and from 100 to 150)."""

_SHOULDERS_DEG: Final = (0.0, 20.0, 35.0, 54.0, 73.0, 87.0, 102.0, 122.0, 146.0, 165.0, 175.0, 180.0)
_SHOULDERS_SPREAD_DEG: Final = (40.0, 40.0, 40.0, 40.0, 40.0, 32.0, 26.0, 22.0, 22.0, 20.0, 14.0, 12.0)
"""The shoulders' yaw and its spread for the same yaws of the head. Seen from behind they are steadier than the ears; up to
the profile they say little, because people look over their shoulders."""

_CONFUSED: Final = (0.01, 0.01, 0.01, 0.02, 0.03, 0.05, 0.06, 0.06, 0.1, 0.2, 0.25, 0.25)
"""Share of readings that confuse front and back, by the same yaw."""

_CONFUSED_WEIGHT: Final = 0.5

_STRAY: Final = 0.02
"""How likely a reading is, against one that fits, wherever the head points: no reading says more than this."""
_SWITCH_COST: Final = 7.0
_TURN_RAD_PER_S: Final = radians(200.0)
_MOST_RAD_PER_S: Final = radians(590.0)
"""Heads usually turn slower than the first, and never faster than the second."""

_TURNED_SHARE: Final = (0.5, 3.0)
_TURNED_SPREAD_RAD: Final = radians(4.0)
_TURNED_STRAY: Final = 0.05
"""A head turns by so many times what its pixels say (hair and hats are no spheres, and plain ones show less than all), give
or take the second; now and then they are about something else."""

_FACE_DEG: Final = (0.0, 50.0, 65.0, 80.0, 95.0, 180.0)
_FACE_FOUND: Final = (1.0, 0.97, 0.85, 0.3, 0.05, 0.05)
"""Share of frames with a face, by yaw (drawn turns; as a multiple of the share near the front in this shot)."""
_LOST_MEMORY_FRAMES: Final = 16.0
"""A face that has been away so much longer says e times less by being away: it may be hidden."""
_MESH_DEG: Final = (0.0, 28.0, 42.0, 52.0, 54.0, 54.0)
_MESH_SPREAD_DEG: Final = (6.0, 8.0, 8.0, 11.0, 18.0, 60.0)
_MESH_KNOTS_DEG: Final = (0.0, 30.0, 45.0, 60.0, 75.0, 180.0)
"""The mesh's reading of a head's yaw and its spread, between drawn heads (exact up to 50 degrees) and real ones (a half)."""

_FRONT_RAD: Final = radians(45.0)

_COLLAPSE_RAD: Final = radians(40.0)
_COLLAPSE_S: Final = 0.3
_SIDE_RAD: Final = radians(60.0)
"""Shoulders off their usual yaw by more than the first, for less time than the second, under heads turned by the third."""

_EVEN_KNOTS_DEG: Final = (0.0, 45.0, 75.0, 105.0, 135.0, 180.0)
_UNSURE_DEG: Final = (5.0, 8.0, 12.0, 15.0, 22.0, 14.0)
"""How far off the path is, by yaw."""
_EVENNESS: Final = 60.0
"""Weight of even turning at 25 frames per second: near the front the path is smoothed over some 5, sideways and behind over
some 10 frames to either side (of 36 drawn turns of training actors the 95th percentile of the error falls with it)."""
_COURSE_S: Final = 0.28
_COURSE_SHARE: Final = 0.5
_COURSE_LEAST_RAD: Final = 0.3
"""The path is as even as can be about a share of the course that the head's pixels show, a mean over so long, where that
goes as far as this: heads halt and hurry within a turn, and hair shows less of it than faces (same turns)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facing:
    """The most likely path.

    Attributes:
        yaw_rad: [T] yaw in radians, unwrapped and smooth; quick movements near the front are the face mesh's to tell.
        confusion: [T] int64, `RIGHT`, `MIRRORED` or `EXCHANGED`.
    """

    yaw_rad: Tensor
    confusion: Tensor


def find_facing(
    ears: Tensor, shoulders: Tensor, seen: Tensor, *, mesh: Tensor, found: Tensor, fps: float, turned: Tensor | None = None
) -> Facing:
    """Finds the path through one shot.

    Args:
        ears: [T] yaw that ears and nose of the body show, radians.
        shoulders: [T] yaw that its shoulders show, radians.
        seen: [T] bool, whether there is a body.
        mesh: [T] yaw of the face mesh, radians.
        found: [T] bool, whether there is a face.
        fps: frames per second.
        turned: [T] how far the head's pixels turned since the frame before, radians; NaN where they tell nothing.
    """
    angles = torch.arange(_BINS) * _STEP_RAD - pi  # [S]
    score = _confusion_likelihood(angles) * torch.ones(len(ears), 1, 1)  # [T, 3, S]
    score += _reading_likelihood(ears, seen, angles, _READ_DEG, _SPREAD_DEG)
    score += _reading_likelihood(shoulders, seen, angles, _SHOULDERS_DEG, _SHOULDERS_SPREAD_DEG)
    score += _face_likelihood(ears, seen, mesh, found, angles)[:, None]
    step = _wrap(angles[:, None] - angles)  # [S to, S from]
    move = -0.5 * (step * fps / _TURN_RAD_PER_S).square()
    move = move.masked_fill(step.abs() > max(_MOST_RAD_PER_S / fps, 1.5 * _STEP_RAD), -torch.inf)

    told = torch.full((len(ears),), torch.nan) if turned is None else turned
    modes, places = _best_path(score, (move + _turn_likelihood(step, one) for one in told[1:]))
    turns = torch.round(torch.diff(angles[places]) / (2 * pi)).cumsum(0)
    yaw = angles[places] - 2 * pi * torch.cat((torch.zeros(1), turns))
    unsure = _interpolate(_wrap(yaw).abs(), torch.tensor(_EVEN_KNOTS_DEG).deg2rad(), torch.tensor(_UNSURE_DEG))
    course = _COURSE_SHARE * _course(told, yaw, fps=fps)
    yaw = course + even_path(yaw - course, unsure**-2, stiffness=_EVENNESS * (fps / 25.0) ** 4)
    return Facing(yaw_rad=yaw, confusion=modes)


def _best_path(score: Tensor, moves: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Confusion [T] and bin [T] of the path with the highest sum of scores [T, 3, S] and moves (T - 1 times [S to, S from]:
    Viterbi)."""
    stay = torch.arange(3)[:, None].expand(3, score.shape[-1])
    best = score[0].clone()
    best[MIRRORED:] -= _SWITCH_COST
    came_mode, came_bin = [], []
    for now, move in zip(score[1:], moves, strict=True):
        moved, from_bin = (best[:, None] + move).max(dim=-1)  # [3, S]
        entered, from_mode = moved.max(dim=0)  # out of another confusion, at a cost
        switch = entered - _SWITCH_COST > moved
        before = torch.where(switch, from_mode.expand_as(moved), stay)
        came_mode.append(before)
        came_bin.append(from_bin.gather(0, before))
        best = now + torch.where(switch, entered - _SWITCH_COST, moved)
    path = [divmod(int(best.argmax()), score.shape[-1])]
    for modes, bins in zip(reversed(came_mode), reversed(came_bin), strict=True):
        path.append((int(modes[path[-1]]), int(bins[path[-1]])))
    mode, place = torch.tensor(path[::-1]).unbind(-1)
    return mode, place


def undo_confusion(person: RawPerson, confusion: int) -> RawPerson:
    """The person as they stand: left and right exchanged back, and the depth too where it was mirrored."""
    if confusion == RIGHT or not person.found:
        return person
    joints_m = person.joints_m[_OTHER_SIDE].clone()
    if confusion == MIRRORED:
        joints_m[:, 2] *= -1
    return replace(
        person, joints_px=person.joints_px[_OTHER_SIDE], joints_m=joints_m, confidence=person.confidence[_OTHER_SIDE],
        hands=person.hands.flip(0), hand_found=person.hand_found.flip(0),
    )  # fmt: skip


def find_collapses(shoulders: Tensor, facing: Facing, *, fps: float) -> Tensor:
    """[T] bool: a body seen from the side or behind twists away for a moment, by the yaw of its shoulders [T].

    An estimator that goes over from one idea of a back to another shows the whole body squeezed in between.
    """
    turned = facing.yaw_rad + _wrap(shoulders - facing.yaw_rad)
    usual = running_median(turned, radius=max(1, round(_COLLAPSE_S * fps)))
    return ((turned - usual).abs() > _COLLAPSE_RAD) & (_wrap(facing.yaw_rad).abs() > _SIDE_RAD)


def _confusion_likelihood(angles: Tensor) -> Tensor:
    """[3, S] logarithm of how usual each confusion is at a true yaw, against a back view."""
    confused = _interpolate(angles.abs(), torch.tensor(_TRUE_DEG).deg2rad(), torch.tensor(_CONFUSED))
    rarer = _CONFUSED_WEIGHT * (confused / max(_CONFUSED)).log()
    return torch.stack((torch.zeros_like(rarer), rarer, rarer))


def _turn_likelihood(step: Tensor, told: Tensor) -> Tensor:
    """[S, S] logarithm of how well steps [S to, S from] fit the turn that the head's pixels show; 0 where they show none."""
    if told.isnan():
        return torch.zeros(())
    low, high = torch.stack([share * told for share in _TURNED_SHARE]).sort().values
    off = step - step.clamp(low, high)
    near = torch.exp(-0.5 * (off / _TURNED_SPREAD_RAD).square())
    return ((1 - _TURNED_STRAY) * near + _TURNED_STRAY).log()


def _course(told: Tensor, yaw: Tensor, *, fps: float) -> Tensor:
    """[T] radians: how the yaw [T] goes on by the turns that the head's pixels show, scaled to fit it best; zeros where they
    show next to none."""
    radius = round(_COURSE_S * fps / 2)
    turned = avg_pool1d(told.nan_to_num()[None], 2 * radius + 1, 1, radius, count_include_pad=False)[0]
    course = turned.cumsum(0)
    course = course - course.mean()
    if course.abs().max() < _COURSE_LEAST_RAD:
        return torch.zeros_like(yaw)
    scale = (course @ (yaw - yaw.mean()) / course.square().sum()).clamp(0.0, 2.0)
    return scale * course


def _reading_likelihood(
    said: Tensor, seen: Tensor, angles: Tensor, expected_deg: tuple[float, ...], spread_deg: tuple[float, ...]
) -> Tensor:
    """[T, 3, S] logarithm of how likely a reading of the body is, by confusion and true yaw."""
    meant = torch.stack((said, pi - said, said + pi), dim=-1)  # [T, 3]
    fit = _fit(meant.flatten(), angles, _TRUE_DEG, expected_deg, spread_deg).unflatten(0, meant.shape)
    return torch.where(seen[:, None, None], fit, torch.zeros(()))


def _fit(
    said: Tensor,
    angles: Tensor,
    knots_deg: tuple[float, ...],
    expected_deg: tuple[float, ...],
    spread_deg: tuple[float, ...],
) -> Tensor:
    """[N, S] logarithm of how well readings [N] fit true yaws [S], 0 where they are as expected.

    Not divided by the spread: where readings scatter less, a path must not be likelier for that alone.
    """
    away, knots = angles.abs(), torch.tensor(knots_deg).deg2rad()
    expected = _interpolate(away, knots, torch.tensor(expected_deg).deg2rad()) * torch.sign(angles)
    width = _interpolate(away, knots, torch.tensor(spread_deg).deg2rad())
    near = torch.exp(-0.5 * (_wrap(said[:, None] - expected) / width).square())
    return ((1 - _STRAY) * near + _STRAY).log()


def _face_likelihood(ears: Tensor, seen: Tensor, mesh: Tensor, found: Tensor, angles: Tensor) -> Tensor:
    """[T, S] logarithm of how likely the face's being there or not, and its yaw, are."""
    frontal = seen & (_wrap(ears).abs() < _FRONT_RAD)
    usual = float(found[frontal].float().mean().clamp(max=0.97)) ** 0.5 if frontal.any() else 0.0
    shown = usual * _interpolate(angles.abs(), torch.tensor(_FACE_DEG).deg2rad(), torch.tensor(_FACE_FOUND))  # [S]
    there = shown.clamp_min(1e-3).log() + _fit(mesh, angles, _MESH_KNOTS_DEG, _MESH_DEG, _MESH_SPREAD_DEG)
    news = (-frames_to_known(found) / _LOST_MEMORY_FRAMES).exp() * seen  # [T]
    return torch.where((found & seen)[:, None], there, news[:, None] * (1 - shown).log())


def _interpolate(x: Tensor, knots: Tensor, values: Tensor) -> Tensor:
    """Straight lines between (knots, values); knots [K] increasing."""
    above = torch.searchsorted(knots, x.contiguous()).clamp(1, len(knots) - 1)
    share = (x - knots[above - 1]) / (knots[above] - knots[above - 1])
    return torch.lerp(values[above - 1], values[above], share.clamp(0.0, 1.0))


def _wrap(angle_rad: Tensor) -> Tensor:
    return torch.remainder(angle_rad + pi, 2 * pi) - pi
