"""Keeps hands where they touch: a hand on the hip stays near the hip when the bones have other lengths.

Bone directions alone do not keep a touch: with longer forearms the hand on the hip ends below it. Where a wrist of the
driver comes close to something (the other wrist, its own side's hip or thigh, a knee, the head, the other arm), the
adjusted wrist is moved to the same place beside that thing, and shoulder and elbow follow by two-bone inverse
kinematics: bone lengths stay, the elbow keeps to its side, and a wrist that cannot reach stops at arm's length.

The correction fades in with closeness, so that nothing jumps. An arm that hangs straight down beside a hip touches nothing
on purpose: touches of hips and legs count only with a bent elbow. Nor does an arm that is waved or raised beside a head,
and the larger the driver's head, the nearer that arm is to it: the head counts only with an elbow bent past a right angle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dreamactor.geometry.rotation import normalize
from dreamactor.geometry.skeleton import JOINT

TOUCH: Final = 0.20
"""A wrist nearer than this many torsos touches."""
CLEAR: Final = 0.36
"""From here on it does not; between the two the correction fades."""
_DEPTH_SHARE: Final = 0.5
"""Depth counts less: estimators err there most."""
_HANGING_RAD: Final = (math.radians(30), math.radians(55))
"""Bend of the elbow up to which an arm hangs, and from which it is held."""
_TO_HEAD_RAD: Final = (math.radians(80), math.radians(110))
"""Bend of the elbow up to which an arm is raised beside the head, and from which its hand is at the head."""
_STRAIGHT: Final = 0.999
"""Of the arm's length, so that the elbow keeps a side to bend to; an arm that was straighter may stay so."""

_ROUNDS: Final = 4
"""What an arm touches may be an arm that moves itself."""
_SIDES: Final = (("left", "right"), ("right", "left"))


@dataclass(frozen=True, kw_only=True, slots=True)
class TouchedHead:
    """The head before and after the bones were adjusted.

    Attributes:
        center, center_adjusted: [T, 3].
        radius, radius_adjusted: [T].
    """

    center: Tensor
    center_adjusted: Tensor
    radius: Tensor
    radius_adjusted: Tensor


def keep_contacts(joints: Tensor, adjusted: Tensor, head: TouchedHead) -> Tensor:
    """Moves wrists (and elbows) of an adjusted skeleton so that touches of the driver are kept.

    Args:
        joints: [T, J, 3] the driver's joints, flat px3.
        adjusted: [T, J, 3] the same with other bone lengths, any unit, about any root.
        head: where the head is in both.

    Returns:
        [T, J, 3]; equal to `adjusted` in frames in which nothing touches.
    """
    torso = (joints[:, JOINT["neck"]] - joints[:, JOINT["pelvis"]]).norm(dim=-1).median().clamp_min(1e-6)
    torso_adjusted = (adjusted[:, JOINT["neck"]] - adjusted[:, JOINT["pelvis"]]).norm(dim=-1).median()
    scale = float(torso_adjusted / torso)
    kept = adjusted
    for _ in range(_ROUNDS):
        kept = _moved_once(joints, adjusted, kept, head, torso=float(torso), scale=scale)
    return kept


def _moved_once(joints: Tensor, adjusted: Tensor, now: Tensor, head: TouchedHead, *, torso: float, scale: float) -> Tensor:
    """The adjusted skeleton with both arms moved to what they touch, as that lies `now`."""
    kept = adjusted.clone()
    for side, other in _SIDES:
        shoulder, elbow, wrist = (adjusted[:, JOINT[f"{side}_{part}"]] for part in ("shoulder", "elbow", "wrist"))
        move, total = torch.zeros_like(wrist), torch.zeros(len(wrist))
        for weight, target in _touches(joints, now, head, side=side, other=other, torso=torso, scale=scale):
            move = move + weight[:, None] * (target - wrist)
            total = total + weight
        bent, reached = bend_arm(shoulder, elbow, wrist, wrist + move / total.clamp_min(1.0)[:, None])
        touching = (total > 0)[:, None]
        kept[:, JOINT[f"{side}_elbow"]] = torch.where(touching, bent, elbow)
        kept[:, JOINT[f"{side}_wrist"]] = torch.where(touching, reached, wrist)
    return kept


def _touches(
    joints: Tensor, adjusted: Tensor, head: TouchedHead, *, side: str, other: str, torso: float, scale: float
) -> list[tuple[Tensor, Tensor]]:
    """What one wrist may touch: how much it does [T], and where it should be for that [T, 3]."""
    wrist = joints[:, JOINT[f"{side}_wrist"]]

    def between(place: Tensor, a: str, b: str, share: float) -> Tensor:
        return place[:, JOINT[a]] * (1 - share) + place[:, JOINT[b]] * share

    def near(distance: Tensor) -> Tensor:
        share = ((CLEAR - distance / torso) / (CLEAR - TOUCH)).clamp(0, 1)
        return share * share * (3 - 2 * share)

    def apart(offset: Tensor) -> Tensor:
        return (offset * torch.tensor((1.0, 1.0, _DEPTH_SHARE))).norm(dim=-1)

    upper = joints[:, JOINT[f"{side}_elbow"]] - joints[:, JOINT[f"{side}_shoulder"]]
    lower = wrist - joints[:, JOINT[f"{side}_elbow"]]
    bend = torch.arccos(torch.cosine_similarity(upper, lower, dim=-1).clamp(-1, 1))
    held, to_head = (((bend - low) / (high - low)).clamp(0, 1) for low, high in (_HANGING_RAD, _TO_HEAD_RAD))
    found = []
    for a, b, share, counts in (
        (f"{side}_hip", f"{side}_knee", 0.0, held),
        (f"{side}_hip", f"{side}_knee", 0.5, held),
        (f"{side}_hip", f"{side}_knee", 1.0, held),
        (f"{other}_shoulder", f"{other}_elbow", 0.0, held),
        (f"{other}_shoulder", f"{other}_elbow", 0.6, held),
        (f"{other}_elbow", f"{other}_wrist", 0.3, held),
    ):
        offset = wrist - between(joints, a, b, share)
        found.append((near(apart(offset)) * counts, between(adjusted, a, b, share) + offset * scale))
    # Both hands meet half way, each on its own side of the middle.
    mine, theirs = JOINT[f"{side}_wrist"], JOINT[f"{other}_wrist"]
    offset = wrist - joints[:, theirs]
    middle = (adjusted[:, mine] + adjusted[:, theirs]) / 2
    found.append((near(apart(offset)), middle + offset * (scale / 2)))
    # The wrist is a hand's length from the face it touches; the head grows by its own ratio.
    offset = wrist - head.center
    growth = (head.radius_adjusted / head.radius.clamp_min(1e-6))[:, None]
    surface = (apart(offset) - head.radius).clamp_min(0)
    found.append((near(surface) * to_head, head.center_adjusted + offset * growth))
    return found


def bend_arm(shoulder: Tensor, elbow: Tensor, wrist: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
    """Two-bone inverse kinematics.

    Args:
        shoulder, elbow, wrist: [T, 3] the arm as it is.
        goal: [T, 3] where the wrist should be.

    Returns:
        Elbow and wrist [T, 3]: the same bone lengths, the elbow in the plane it was in, the wrist at the goal or, where that
        is too far or too near, as close to it as the arm reaches.
    """
    upper, lower = (elbow - shoulder).norm(dim=-1, keepdim=True), (wrist - elbow).norm(dim=-1, keepdim=True)
    way = goal - shoulder
    direction = normalize(way)
    reach = way.norm(dim=-1, keepdim=True)
    farthest = torch.maximum((upper + lower) * _STRAIGHT, (wrist - shoulder).norm(dim=-1, keepdim=True))
    reach = torch.minimum(torch.maximum(reach, (upper - lower).abs() / _STRAIGHT), farthest)
    along = (reach.square() + upper.square() - lower.square()) / (2 * reach.clamp_min(1e-6))
    beside = (upper.square() - along.square()).clamp_min(0).sqrt()

    def across(bone: Tensor) -> Tensor:
        return bone - (bone * direction).sum(-1, keepdim=True) * direction

    out = across(elbow - shoulder)
    on_the_line = out.norm(dim=-1, keepdim=True) < 1e-3 * upper  # then the forearm says which way the elbow bends
    out = torch.where(on_the_line, across(elbow - wrist), out)
    return shoulder + along * direction + beside * normalize(out), shoulder + reach * direction
