"""Draws the pose video that Wan-Animate was trained on, from COCO-WholeBody points. Knows nothing of tracks.

Twenty body points, nineteen limbs and both hands on black, in OpenPose's colours; a point below `MIN_CONFIDENCE` takes its
limbs with it. Pixel coordinates are cut to whole pixels, as in the drawings of the training set.
"""

from __future__ import annotations

import colorsys
import math
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor

from dreamactor.geometry.layouts import COCO_WHOLEBODY_133, hand_points
from dreamactor.geometry.skeleton import HAND_PARENTS, HANDS
from dreamactor.types.shapes import expect_shape

MIN_CONFIDENCE: Final = 0.5
"""Points below this are not drawn, nor what hangs on them."""

_POINT: Final = {name: index for index, name in enumerate(COCO_WHOLEBODY_133)}
_MEANS: Final = {
    "neck": ("left_shoulder", "right_shoulder"),
    "left_toe": ("left_big_toe", "left_small_toe"),
    "right_toe": ("right_big_toe", "right_small_toe"),
}
"""Points that are means of two others, coordinates and confidence alike."""
WAN_BODY: Final = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "right_eye", "left_eye", "right_ear",
    "left_ear", "left_toe", "right_toe",
)  # fmt: skip
"""The drawn points in their order."""
WAN_LIMBS: Final = (
    ("neck", "right_shoulder"), ("neck", "left_shoulder"), ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"), ("neck", "right_hip"),
    ("right_hip", "right_knee"), ("right_knee", "right_ankle"), ("neck", "left_hip"), ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"), ("neck", "nose"), ("nose", "right_eye"), ("right_eye", "right_ear"), ("nose", "left_eye"),
    ("left_eye", "left_ear"), ("left_ankle", "left_toe"), ("right_ankle", "right_toe"),
)  # fmt: skip
"""In drawing order: OpenPose's seventeen, then the feet."""
PALETTE: Final = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255),
    (255, 0, 170), (255, 0, 85), (200, 200, 0), (100, 100, 0),
)  # fmt: skip
"""RGB: limb k and point k have colour k."""
LIMB_SHADE: Final = 0.6
"""Of a limb's colour."""
HAND_BONES: Final = tuple((parent, joint) for joint, parent in enumerate(HAND_PARENTS) if parent >= 0)
HAND_JOINT_COLOUR: Final = (0, 0, 255)


def half_width(width: int, height: int) -> int:
    """Half the width of a limb and radius of a point, in pixels."""
    return max(int(min(width, height) / 200) - 1, 1)


def draw_wan_pose(points: Tensor, confidence: Tensor, *, width: int, height: int) -> Tensor:
    """Draws every frame of a pose video.

    Args:
        points: [T, 133, 2] float pixels of the canvas (pixel centres at +0.5), order of COCO-WholeBody; they may lie
            outside.
        confidence: [T, 133] in 0..1.

    Returns:
        [T, H, W, 3] uint8 RGB.
    """
    dims = expect_shape("points", points, f"T {len(COCO_WHOLEBODY_133)} 2")
    expect_shape("confidence", confidence, f"T {len(COCO_WHOLEBODY_133)}", **dims)
    frames = np.zeros((len(points), height, width, 3), dtype=np.uint8)
    body, sure = _body(points, confidence)
    for t in range(len(points)):
        _draw_body(frames[t], body[t], sure[t])
        for side in HANDS:
            chosen = [_POINT[name] for name in hand_points(side)]
            _draw_hand(frames[t], points[t, chosen].double().numpy(), confidence[t, chosen].numpy() >= MIN_CONFIDENCE)
    return torch.from_numpy(frames)


def _body(points: Tensor, confidence: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """[T, 20, 2] float64 and [T, 20] bool, the drawn points in their order and whether they are sure enough."""
    first = [_POINT[_MEANS.get(name, (name, name))[0]] for name in WAN_BODY]
    second = [_POINT[_MEANS.get(name, (name, name))[1]] for name in WAN_BODY]
    mean = (points[:, first].double() + points[:, second].double()) / 2
    sure = (confidence[:, first].double() + confidence[:, second].double()) / 2 >= MIN_CONFIDENCE
    return mean.numpy(), (sure & torch.isfinite(mean).all(-1)).numpy()


def _draw_body(canvas: np.ndarray, points: np.ndarray, sure: np.ndarray) -> None:
    half = half_width(canvas.shape[1], canvas.shape[0])
    index = {name: place for place, name in enumerate(WAN_BODY)}
    for (start, end), colour in zip(WAN_LIMBS, PALETTE, strict=False):
        a, b = index[start], index[end]
        if not (sure[a] and sure[b]):
            continue
        across, down = points[a] - points[b]
        middle = (points[a] + points[b]) / 2
        turn = int(math.degrees(math.atan2(down, across)))
        axes = (int(math.hypot(across, down) / 2), half)
        outline = cv2.ellipse2Poly((int(middle[0]), int(middle[1])), axes, turn, 0, 360, 1)
        cv2.fillConvexPoly(canvas, np.asarray(outline), tuple(int(channel * LIMB_SHADE) for channel in colour))
    for point, colour, seen in zip(points, PALETTE, sure, strict=True):
        if seen:
            cv2.circle(canvas, (int(point[0]), int(point[1])), half, colour, thickness=-1)


def _draw_hand(canvas: np.ndarray, points: np.ndarray, sure: np.ndarray) -> None:
    """Points [21, 2], sure [21] bool; twenty bones in twenty hues, the joints blue above them."""
    half = half_width(canvas.shape[1], canvas.shape[0])
    sure = sure & np.isfinite(points).all(axis=-1)
    places = [(int(x), int(y)) if seen else (0, 0) for (x, y), seen in zip(points, sure, strict=True)]
    for number, (a, b) in enumerate(HAND_BONES):
        if sure[a] and sure[b]:
            colour = tuple(round(255 * channel) for channel in colorsys.hsv_to_rgb(number / len(HAND_BONES), 1.0, 1.0))
            cv2.line(canvas, places[a], places[b], colour, thickness=max(half // 2, 1))
    for place, seen in zip(places, sure, strict=True):
        if seen:
            cv2.circle(canvas, place, half, HAND_JOINT_COLOUR, thickness=-1)
