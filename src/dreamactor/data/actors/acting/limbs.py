"""Angles of arms and legs from places: two-bone inverse kinematics on a standard body.

Everything is in leg lengths of that body (x to the person's left, y up, z to the front), as wide and long as the median
actor. Other bodies take the angles; their hands and feet come near the places. Plain numpy.

Axis letters: T moments.
"""

from __future__ import annotations

from typing import Final

import numpy as np

THIGH: Final = 17 / 32
SHIN: Final = 15 / 32
HIP_HALF: Final = 0.1185
FOOT: Final = 0.296
UPPER_ARM: Final = 0.375
FOREARM: Final = 0.325
SHOULDER_HALF: Final = 0.245
TORSO: Final = 0.64
ANKLE: Final = 0.34 * FOOT
"""Height of the ankle of a flat foot above the floor."""
HEEL_PLACE: Final = (-0.22 * FOOT, -0.24 * FOOT)
TOE_PLACE: Final = (0.68 * FOOT, -0.26 * FOOT)
"""Heel and ball of the foot about the ankle: ahead, up."""
SOLE: Final = 0.08 * FOOT
"""Thickness of the sole below heel and toe."""
LEVEL_LIMIT_DEG: Final = np.rad2deg(0.6)
"""Up to here feet stay level by themselves (`body.pose_body`)."""


def about(axis: str, angle_deg: np.ndarray | float) -> np.ndarray:
    """[..., 3, 3] rotation about "x", "y" or "z"."""
    angle = np.deg2rad(np.asarray(angle_deg, dtype=np.float64))
    c, s = np.cos(angle), np.sin(angle)
    one, zero = np.ones_like(c), np.zeros_like(c)
    rows = {
        "x": (one, zero, zero, zero, c, -s, zero, s, c),
        "y": (c, zero, s, zero, one, zero, -s, zero, c),
        "z": (c, -s, zero, s, c, zero, zero, zero, one),
    }[axis]
    return np.stack(rows, -1).reshape(*np.shape(angle), 3, 3)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)


def limb_angles(rotation: np.ndarray, sign: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sideways, forward and twist angles in degrees of Rz(sign sideways) Rx(-forward) Ry(sign twist) [..., 3, 3]."""
    forward = -np.arcsin(np.clip(rotation[..., 2, 1], -1, 1))
    sideways = np.arctan2(-rotation[..., 0, 1], rotation[..., 1, 1])
    twist = np.arctan2(-rotation[..., 2, 0], rotation[..., 2, 2])
    return np.rad2deg(sign * sideways), np.rad2deg(forward), np.rad2deg(sign * twist)


def _elbow(length: np.ndarray, first: float, second: float) -> np.ndarray:
    """Bend in radians of two bones whose ends are `length` apart."""
    cosine = (length**2 - first**2 - second**2) / (2 * first * second)
    return np.arccos(np.clip(cosine, -1, 1))


def bend_leg(hip_to_ankle: np.ndarray, ahead: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bends a leg so that its ankle comes to a place.

    Args:
        hip_to_ankle: [T, 3] in the root's axes.
        ahead: [T, 3] where the foot points, same axes.

    Returns:
        [T, 3, 3] rotation of the thigh in the root's axes, and [T] knee bend in degrees.
    """
    length = np.clip(np.linalg.norm(hip_to_ankle, axis=-1), 0.35, 0.9995)
    knee = _elbow(length, THIGH, SHIN)
    up = -_unit(hip_to_ankle)
    # The hinge of a standing leg is level and square to the foot; a leg that swings away carries it along its shortest arc.
    hinge = _unit(np.stack([ahead[:, 2], np.zeros(len(ahead)), -ahead[:, 0]], -1))
    axis = np.cross((0.0, 1.0, 0.0), up)
    cosine = up[:, 1:2]
    hinge = hinge + np.cross(axis, hinge) + np.cross(axis, np.cross(axis, hinge)) / np.maximum(1 + cosine, 1e-3)
    front = np.cross(hinge, up)
    lag = np.arctan2(SHIN * np.sin(knee), THIGH + SHIN * np.cos(knee))[:, None]
    y = np.cos(lag) * up - np.sin(lag) * front
    z = np.sin(lag) * up + np.cos(lag) * front
    return np.stack([hinge, y, z], -1), np.rad2deg(knee)


def bend_arm(wrist: np.ndarray, elbow_towards: np.ndarray) -> tuple[np.ndarray, float]:
    """Bends a left arm so that its wrist comes to a place.

    Args:
        wrist: [3] from the shoulder, in the chest's axes.
        elbow_towards: [3] direction the elbow points to.

    Returns:
        [3, 3] rotation of the upper arm in the chest's axes, and the elbow's bend in degrees.
    """
    length = np.clip(np.linalg.norm(wrist), 0.15, 0.995 * (UPPER_ARM + FOREARM))
    bend = float(_elbow(length, UPPER_ARM, FOREARM))
    up = -_unit(wrist)
    front = -_unit(elbow_towards - (elbow_towards @ up) * up)
    hinge = np.cross(up, front)
    lag = np.arctan2(FOREARM * np.sin(bend), UPPER_ARM + FOREARM * np.cos(bend))
    y = np.cos(lag) * up + np.sin(lag) * front
    z = -np.sin(lag) * up + np.cos(lag) * front
    return np.stack([hinge, y, z], -1), float(np.rad2deg(bend))


def quaternion(rotation: np.ndarray) -> np.ndarray:
    """[4] of one rotation matrix, scalar first and not negative."""
    m = rotation
    w = np.sqrt(max(0.0, 1 + m[0, 0] + m[1, 1] + m[2, 2])) / 2
    x = np.copysign(np.sqrt(max(0.0, 1 + m[0, 0] - m[1, 1] - m[2, 2])) / 2, m[2, 1] - m[1, 2])
    y = np.copysign(np.sqrt(max(0.0, 1 - m[0, 0] + m[1, 1] - m[2, 2])) / 2, m[0, 2] - m[2, 0])
    z = np.copysign(np.sqrt(max(0.0, 1 - m[0, 0] - m[1, 1] + m[2, 2])) / 2, m[1, 0] - m[0, 1])
    return np.array([w, x, y, z])


def turned_by(quaternions: np.ndarray) -> np.ndarray:
    """[T, 3, 3] of quaternions [T, 4] of any length."""
    w, x, y, z = _unit(quaternions).T
    rows = (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip
    return np.stack(rows, -1).reshape(-1, 3, 3)
