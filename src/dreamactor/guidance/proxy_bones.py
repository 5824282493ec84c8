"""Coordinate frames of the textured proxy's bones: how each bone moves from the reference's pose to another pose.

Every bone has an origin and three basis vectors in px3. A point that is fixed to a bone keeps its coordinates in that
basis, so the map from reference to target is basis_target @ inverse(basis_reference). Basis vectors carry lengths:
along a limb the joint-to-joint distance, across it the body's scale. Joints therefore land exactly on joints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dreamactor.geometry.rotation import angles_to_matrix, flip_axes, frame_from_two, normalize, shortest_arc
from dreamactor.geometry.skeleton import HAND_JOINTS, JOINT
from dreamactor.types.track import PersonTrack

_ARM_AND_LEG: Final = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")
BONES: Final = (
    "chest", "hips", "neck", "head",
    *(f"left_{part}" for part in _ARM_AND_LEG),
    *(f"right_{part}" for part in _ARM_AND_LEG),
)  # fmt: skip
"""Bones of the proxy. Chest and hips share the spine; they differ in the line that gives their turn."""
BONE: Final = {name: index for index, name in enumerate(BONES)}

_ARM_REST: Final = {"left": (0.6, 0.6, -0.5), "right": (-0.6, 0.6, -0.5)}
"""Directions (person's left, down, back) from which an arm swings by the shortest arc. The opposite direction, where
the twist would be undefined, is one no arm can reach: across the back and up."""
_HAND_PALM: Final = tuple(HAND_JOINTS.index(name) for name in ("wrist", "middle_mcp", "index_mcp", "little_mcp"))


@dataclass(frozen=True, kw_only=True, slots=True)
class BoneFrames:
    """Where each bone is.

    Attributes:
        origin: [T, B, 3] float32 px3.
        basis: [T, B, 3, 3] float32, columns are the basis vectors in pixels.
        palm_basis: [T, 2, 3, 3] float32, basis of the left and right hand read from its own points.
        palm_tracked: [T, 2] bool, whether `palm_basis` is to be trusted.
        scale: [T] float32 pixels per body unit (a length that grows with the whole body).
    """

    origin: Tensor
    basis: Tensor
    palm_basis: Tensor
    palm_tracked: Tensor
    scale: Tensor


def bone_frames(track: PersonTrack) -> BoneFrames:
    """Frames of all bones in every frame of a track."""
    joints = track.body.joints

    def joint(name: str) -> Tensor:
        return joints[:, JOINT[name]]

    neck, pelvis, head = joint("neck"), joint("pelvis"), track.head.center
    spine = pelvis - neck
    shoulder_line = joint("left_shoulder") - joint("right_shoulder")
    hip_line = joint("left_hip") - joint("right_hip")
    scale = (spine.norm(dim=-1) + 2.0 * shoulder_line.norm(dim=-1)).clamp_min(1e-3) / 2.5
    across = scale[:, None, None]

    origin: dict[str, Tensor] = {"chest": neck, "hips": pelvis, "neck": neck, "head": head}
    turn: dict[str, Tensor] = {  # columns: person's left, down, back; the identity for somebody who faces the camera
        "chest": _torso_turn(spine, shoulder_line),
        "hips": _torso_turn(spine, hip_line),
    }
    basis: dict[str, Tensor] = {
        "chest": torch.stack((shoulder_line, spine, turn["chest"][..., 2] * scale[:, None]), dim=-1),
        "hips": torch.stack((hip_line, spine, turn["hips"][..., 2] * scale[:, None]), dim=-1),
        "head": flip_axes(angles_to_matrix(track.head.angles_rad)) * track.head.radius_px.clamp_min(1.0)[:, None, None],
    }

    def along(frame: Tensor, vector: Tensor) -> Tensor:
        """Stretches an orthonormal frame: its first axis to the vector's length, the others to the body's scale."""
        return torch.cat((vector[..., None], frame[..., 1:] * across), dim=-1)

    neck_frame = _limb(turn["chest"], (0.0, -1.0, 0.0), head - neck)
    basis["neck"] = along(neck_frame, head - neck)
    for side in ("left", "right"):
        shoulder, elbow, wrist = (joint(f"{side}_{name}") for name in ("shoulder", "elbow", "wrist"))
        upper = _limb(turn["chest"], _ARM_REST[side], elbow - shoulder)
        fore = _swing(upper, wrist - elbow)
        origin |= {f"{side}_upper_arm": shoulder, f"{side}_forearm": elbow, f"{side}_hand": wrist}
        basis[f"{side}_upper_arm"] = along(upper, elbow - shoulder)
        basis[f"{side}_forearm"] = along(fore, wrist - elbow)
        basis[f"{side}_hand"] = fore * across
        hip, knee, ankle, toe = (joint(f"{side}_{name}") for name in ("hip", "knee", "ankle", "toe"))
        thigh = _limb(turn["hips"], (0.0, 1.0, 0.0), knee - hip)
        shin = _swing(thigh, ankle - knee)
        ahead = torch.stack((shin[..., 1], shin[..., 0], -shin[..., 2]), dim=-1)  # first axis: where the shin faces
        origin |= {f"{side}_thigh": hip, f"{side}_shin": knee, f"{side}_foot": ankle}
        basis[f"{side}_thigh"] = along(thigh, knee - hip)
        basis[f"{side}_shin"] = along(shin, ankle - knee)
        basis[f"{side}_foot"] = along(_swing(ahead, toe - ankle), toe - ankle)

    wrist, middle, index, little = (track.hands.joints[:, :, i] for i in _HAND_PALM)  # each [T, 2, 3]
    palm = frame_from_two(middle - wrist, little - index)
    palm = torch.cat(((middle - wrist)[..., None], palm[..., 1:] * across[:, None]), dim=-1)
    size = (middle - wrist).norm(dim=-1) * (little - index).norm(dim=-1)
    return BoneFrames(
        origin=torch.stack([origin[name] for name in BONES], dim=1),
        basis=torch.stack([basis[name] for name in BONES], dim=1),
        palm_basis=palm,
        palm_tracked=track.hands.tracked & (size > 1e-4 * scale[:, None] ** 2),
        scale=scale,
    )


def bone_maps(reference: BoneFrames, target: BoneFrames) -> Tensor:
    """Affine maps of every bone from the reference's pose to each target pose.

    Args:
        reference: frames of exactly one time.
        target: frames of T times.

    Returns:
        [T, B, 3, 4] float32: target point = M[:, :3] @ reference point + M[:, 3].
    """
    source, goal = reference.basis.expand_as(target.basis).clone(), target.basis.clone()
    for hand, name in enumerate(("left_hand", "right_hand")):
        both = target.palm_tracked[:, hand] & reference.palm_tracked[:, hand]  # [T]
        source[both, BONE[name]] = reference.palm_basis[:, hand]
        goal[both, BONE[name]] = target.palm_basis[both, hand]
    linear = goal @ _inverse(source)
    shift = target.origin - (linear @ reference.origin[..., None])[..., 0]
    return torch.cat((linear, shift[..., None]), dim=-1)


def _torso_turn(spine: Tensor, left: Tensor) -> Tensor:
    """[T, 3, 3] orthonormal columns left, down, back."""
    frame = frame_from_two(spine, left)  # down, left, down x left = front
    return torch.stack((frame[..., 1], frame[..., 0], -frame[..., 2]), dim=-1)


def _limb(torso: Tensor, rest: tuple[float, float, float], axis: Tensor) -> Tensor:
    """[T, 3, 3] orthonormal frame of a limb that swings from its rest direction; the first column is its axis."""
    rest_axis = normalize(torch.tensor(rest, dtype=axis.dtype))
    local = normalize((torso.mT @ axis[..., None])[..., 0])
    rest_frame = frame_from_two(rest_axis, torch.tensor((0.05, 0.0, -1.0), dtype=axis.dtype))
    return torso @ shortest_arc(rest_axis, local) @ rest_frame


def _swing(frame: Tensor, axis: Tensor) -> Tensor:
    """Turns a frame by the shortest arc so that its first column points along `axis`."""
    return shortest_arc(frame[..., 0], normalize(axis)) @ frame


def _inverse(basis: Tensor) -> Tensor:
    """Inverse that survives a bone of no length (a limb the estimator collapsed)."""
    size = basis.norm(dim=(-2, -1), keepdim=True).clamp_min(1e-3)
    scaled = basis / size
    gram = scaled.mT @ scaled + 1e-9 * torch.eye(3, dtype=basis.dtype)
    return torch.linalg.solve(gram.double(), scaled.mT.double()).to(basis.dtype) / size
