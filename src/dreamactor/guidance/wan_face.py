"""The face crops that Wan-Animate was trained on: where they lie, and what stands in for a face that was not found.

A crop is the box around the 68 face points, a little larger, most of it above; it is not square, and is stretched to one.
Upstream has no rule for a missing face. Ours: a gap of up to `MAX_GAP_S` in which the head does not look away is bridged
with boxes between its neighbours', so that the picture goes on; longer ones, and heads that look away, are black, which is
the model's own word for "no expression".
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor

from dreamactor.types.shapes import expect_shape
from dreamactor.types.track import PersonTrack, shots_of

CROP_PX: Final = 512
AREA_GROWTH: Final = 1.3
"""Of the box's area; its shape stays."""
ABOVE: Final = 0.75
"""Of the vertical growth that goes upwards."""
MAX_GAP_S: Final = 0.5
_AWAY_RAD: Final = math.radians(75)
"""A head turned further than this shows no face."""


def wan_face_boxes(points: Tensor, present: Tensor, *, width: int, height: int) -> Tensor:
    """Boxes around face points.

    Args:
        points: [T, P, 2] pixels.
        present: [T, P] bool, points that were found; frames without any have empty boxes.
        width, height: of the picture, to which boxes are cut.

    Returns:
        [T, 4] int64 x0, y0, x1, y1 in whole pixels, x1 and y1 outside.
    """
    dims = expect_shape("points", points, "T P 2")
    expect_shape("present", present, "T P", **dims)
    found = present[..., None]
    low = points.masked_fill(~found, float("inf")).amin(dim=1).double()
    high = points.masked_fill(~found, float("-inf")).amax(dim=1).double()
    sides = high - low
    grown = sides * (math.sqrt(AREA_GROWTH) - 1)
    x0, x1 = low[:, 0] - grown[:, 0] / 2, high[:, 0] + grown[:, 0] / 2
    y0, y1 = low[:, 1] - grown[:, 1] * ABOVE, high[:, 1] + grown[:, 1] * (1 - ABOVE)
    box = torch.stack([x0.clamp(0, width), y0.clamp(0, height), x1.clamp(0, width), y1.clamp(0, height)], dim=1)
    return torch.where(present.any(dim=1)[:, None], box, torch.zeros(())).nan_to_num(0.0).long()


def bridge_gaps(boxes: Tensor, track: PersonTrack) -> Tensor:
    """Fills short gaps by the rule at the top of this file.

    Args:
        boxes: [T, 4] int64 of the same frames; empty ones are gaps.
        track: tells cuts, times, and where the head looks.

    Returns:
        [T, 4] int64; what is still empty has no face to show.
    """
    filled = boxes.clone()
    seen = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    seconds = track.times.seconds
    yaw = torch.atan2(track.head.angles_rad[:, 0].sin(), track.head.angles_rad[:, 0].cos())
    away = track.head.tracked & (yaw.abs() > _AWAY_RAD)
    for shot in shots_of(track.cut):
        known = [t for t in range(*shot.indices(track.num_frames)) if bool(seen[t])]
        for before, after in pairwise(known):
            gap = slice(before + 1, after)
            if after == before + 1 or float(seconds[after] - seconds[before]) > MAX_GAP_S or bool(away[gap].any()):
                continue
            share = ((seconds[gap] - seconds[before]) / (seconds[after] - seconds[before]))[:, None]
            filled[gap] = torch.lerp(boxes[before].double(), boxes[after].double(), share).round().long()
    return filled
