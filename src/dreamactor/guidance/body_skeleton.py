"""Draws the body skeleton: bones of body and both hands, from the neck down (section 3.2). Knows nothing of the head.

One colour per bone, far bones first, so that a crossing tells which limb is in front. Head pose lives in the head
sphere alone: nothing here depends on it.
"""

from __future__ import annotations

import colorsys
import math
from typing import Final

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from dreamactor.geometry.skeleton import HAND_PARENTS, SKELETON_BONES
from dreamactor.types.track import PersonTrack

MIN_CONFIDENCE: Final = 0.3
"""Joints below this are not drawn."""

HAND_BONES: Final = tuple((parent, joint) for joint, parent in enumerate(HAND_PARENTS) if parent >= 0)
_WIDTH_PER_SIDE: Final = 0.016
"""Line width of a body bone relative to the geometric mean of the canvas sides."""
_HAND_WIDTH: Final = 0.45
"""Line width of a finger relative to a body bone."""


_Bone = tuple[list[float], list[float], float, tuple[int, int, int]]
"""Both ends (x, y, z), line width in pixels, RGB."""


def _hues(count: int, *, saturation: float, value: float) -> tuple[tuple[int, int, int], ...]:
    """Evenly spread hues, neighbours in the list far apart."""
    step = next(s for s in range(count // 2 - 1, 0, -1) if math.gcd(s, count) == 1)
    colours = (colorsys.hsv_to_rgb((i * step % count) / count, saturation, value) for i in range(count))
    return tuple((round(r * 255), round(g * 255), round(b * 255)) for r, g, b in colours)


BODY_COLOURS: Final = _hues(len(SKELETON_BONES), saturation=1.0, value=1.0)
"""RGB of each bone of `SKELETON_BONES`."""
HAND_COLOURS: Final = (
    _hues(len(HAND_BONES), saturation=0.5, value=1.0),
    _hues(len(HAND_BONES), saturation=1.0, value=0.6),
)
"""RGB of each bone of `HAND_BONES` for the left and the right hand."""


def draw_body_skeleton(track: PersonTrack, *, width: int, height: int) -> Tensor:
    """Draws body and hand bones on black.

    Args:
        track: any number of frames, coordinates on a canvas of this size; joints may lie outside.

    Returns:
        [T, H, W, 3] uint8 RGB; black where no body is tracked. Bones with an end below `MIN_CONFIDENCE` and hands that
        are not tracked are left out.
    """
    maps = np.zeros((track.num_frames, height, width, 3), dtype=np.uint8)
    oversample = 4 if max(width, height) <= 384 else 2
    line_px = max(_WIDTH_PER_SIDE * float(np.sqrt(width * height)), 1.5)
    body, hands = track.body.joints.tolist(), track.hands.joints.tolist()
    confident = (track.body.confidence >= MIN_CONFIDENCE).tolist()
    hand_tracked = track.hands.tracked.tolist()
    for t in torch.nonzero(track.body.tracked).flatten().tolist():
        bones: list[_Bone] = [
            (body[t][a], body[t][b], line_px, colour)
            for (a, b), colour in zip(SKELETON_BONES, BODY_COLOURS, strict=True)
            if confident[t][a] and confident[t][b]
        ]
        for hand in (0, 1):
            if hand_tracked[t][hand]:
                points = hands[t][hand]
                bones += [
                    (points[a], points[b], line_px * _HAND_WIDTH, colour)
                    for (a, b), colour in zip(HAND_BONES, HAND_COLOURS[hand], strict=True)
                ]
        maps[t] = _draw_bones(bones, width=width, height=height, oversample=oversample)
    return torch.from_numpy(maps)


def _draw_bones(bones: list[_Bone], *, width: int, height: int, oversample: int) -> np.ndarray:
    """[H, W, 3] uint8: lines with round ends, drawn larger and reduced, so that edges are soft and sub-pixel exact."""
    canvas = Image.new("RGB", (width * oversample, height * oversample))
    pen = ImageDraw.Draw(canvas)
    for start, end, line_px, colour in sorted(bones, key=lambda bone: -(bone[0][2] + bone[1][2])):
        visible = _clip_segment(start, end, width=width, height=height, margin=line_px)
        if visible is None:
            continue
        x0, y0, x1, y1 = (value * oversample - 0.5 for value in visible)
        half = 0.5 * line_px * oversample
        length = max(math.hypot(x1 - x0, y1 - y0), 1e-6)
        nx, ny = half * (y0 - y1) / length, half * (x1 - x0) / length
        pen.polygon([(x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny)], fill=colour)
        for x, y in ((x0, y0), (x1, y1)):
            pen.ellipse((x - half, y - half, x + half, y + half), fill=colour)
    return np.asarray(canvas.reduce(oversample))


def _clip_segment(
    start: list[float], end: list[float], *, width: int, height: int, margin: float
) -> tuple[float, float, float, float] | None:
    """x0, y0, x1, y1 of the part of a segment near the canvas (Liang and Barsky), or None; far joints cost no time."""
    first, last = 0.0, 1.0
    for axis, size in ((0, width), (1, height)):
        origin, delta = start[axis], end[axis] - start[axis]
        if abs(delta) < 1e-9:
            if not -margin <= origin <= size + margin:
                return None
            continue
        enter, leave = sorted(((-margin - origin) / delta, (size + margin - origin) / delta))
        first, last = max(first, enter), min(last, leave)
    if first > last:
        return None
    dx, dy = end[0] - start[0], end[1] - start[1]
    return start[0] + first * dx, start[1] + first * dy, start[0] + last * dx, start[1] + last * dy
