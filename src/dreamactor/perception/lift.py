"""Depth for joints that are known in the picture alone: as much as keeps every limb as long as its longest views show it.

Which way a limb points is not in the picture, so it is taken to point the way limbs bend: thighs, feet and arms to where
the person faces, shins to the other side. In profile the picture shows that bend itself, and there is no depth.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from dreamactor.geometry.skeleton import BODY_JOINTS, BODY_PARENTS, JOINT

_TOWARDS_FRONT: Final = {"elbow": 1.0, "wrist": 1.0, "knee": 1.0, "ankle": -1.0, "toe": 1.0}
"""End of a bone -> whether the bone bends to the front (1) or to the back (-1); others are left in the plane."""

_FULL_LENGTH: Final = 0.95
"""Quantile over frames of a limb's length in the picture that counts as its true length."""


def lift_limbs(joints: Tensor, known: Tensor) -> Tensor:
    """Gives limbs depth.

    Args:
        joints: [T, J, 2] pixels of a person who keeps about the same distance from the camera.
        known: [T, J] bool.

    Returns:
        [T, J] z in pixels, positive away from the camera; 0 for the trunk.
    """
    depth = torch.zeros(joints.shape[:2])
    facing = _facing(joints, known)
    for joint, parent in enumerate(BODY_PARENTS):
        part = BODY_JOINTS[joint].rpartition("_")[2]
        depth[:, joint] = depth[:, max(parent, 0)]
        if part not in _TOWARDS_FRONT:
            continue
        lengths = []
        for each in ("left", "right"):
            end = JOINT[f"{each}_{part}"]
            start = BODY_PARENTS[end]
            lengths.append((joints[:, end] - joints[:, start]).norm(dim=-1)[known[:, end] & known[:, start]])
        seen = torch.cat(lengths)
        if seen.numel():
            across = (joints[:, joint] - joints[:, parent]).norm(dim=-1)
            hidden = (seen.quantile(_FULL_LENGTH).square() - across.square()).clamp_min(0.0).sqrt()
            depth[:, joint] = depth[:, joint] - facing * _TOWARDS_FRONT[part] * hidden
    return depth


def _facing(joints: Tensor, known: Tensor) -> Tensor:
    """[T] from 1 (the person faces the camera) over 0 (profile) to -1 (seen from the back), by shoulders and hips."""
    widths = []
    for part in ("shoulder", "hip"):
        left, right = JOINT[f"left_{part}"], JOINT[f"right_{part}"]
        both = known[:, left] & known[:, right]
        width = (joints[:, left] - joints[:, right])[:, 0] * both
        full = (joints[:, left] - joints[:, right]).norm(dim=-1)[both]
        widths.append(width / full.quantile(_FULL_LENGTH).clamp_min(1e-6) if full.numel() else torch.zeros(len(joints)))
    return (2 * torch.stack(widths).mean(0)).clamp(-1.0, 1.0)
