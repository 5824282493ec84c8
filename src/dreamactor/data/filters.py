"""Reasons not to train on a stretch of video, one function each: what was measured against what is needed, or None.

Tracks are in canvas pixels, frames are the canvas's. Exact clips are not filtered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor

from dreamactor.data.clips import Category
from dreamactor.types.track import PersonTrack

TOO_SHORT: Final = "too short"
LEFT_OVER: Final = "left over"
NO_PERSON: Final = "no person"
SEVERAL_PEOPLE: Final = "several people"
BODY_LOST: Final = "body found too rarely"
FACE_LOST: Final = "face found too rarely"
TOO_SMALL: Final = "person too small"
LOW_RESOLUTION: Final = "low resolution"
BLURRED: Final = "blurred"
STATIC: Final = "static"
CAMERA_JOLTS: Final = "camera jolts"
UNREADABLE: Final = "cannot be read"
"""Every reason there is, as it is counted."""

_BESIDE: Final = 0.75
"""Whoever is farther to the side than this, in widths of the one who is followed, is somebody else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterLimits:
    """Where a stretch is left out; docs/data.md says how the numbers were found.

    Attributes:
        body_share: least share of the frames in which the body must be found.
        face_share: the same for the face, of clips that do not show the whole body (a turned back has none).
        nobody_share: below it there is nobody at all.
        head_size: least median height of the head, as a share of the canvas's side (the root of its area).
        magnification: most that a picture may be enlarged to fill the canvas.
        other_size: from this size on, against the largest, a second person counts.
        other_share: share of the frames looked at that may show a second person.
        blur: most blur of the person (`blur_of`), median over the frames looked at.
        movement: least movement of the person's picture (`movement_of`).
        jolt: most that the camera's way from frame to frame may differ from its usual way, in shorter sides.
    """

    body_share: float = 0.9
    face_share: float = 0.5
    nobody_share: float = 0.1
    head_size: float = 0.05
    magnification: float = 1.25
    other_size: float = 0.5
    other_share: float = 0.34
    blur: float = 0.62
    movement: float = 0.004
    jolt: float = 0.03


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a stretch is left out."""

    reason: str
    detail: str


def judge_track(track: PersonTrack, *, category: Category, magnification: float, limits: FilterLimits) -> Finding | None:
    """The first reason that the track [t frames] alone gives, the cheapest to measure first."""
    body, face = float(track.body.tracked.float().mean()), float(track.face.tracked.float().mean())
    if body < limits.nobody_share:
        return Finding(NO_PERSON, f"found in {body:.0%} of the frames, needed {limits.nobody_share:.0%}")
    if body < limits.body_share:
        return Finding(BODY_LOST, f"found in {body:.0%} of the frames, needed {limits.body_share:.0%}")
    if category == "half" and face < limits.face_share:
        return Finding(FACE_LOST, f"found in {face:.0%} of the frames, needed {limits.face_share:.0%}")
    if magnification > limits.magnification:
        return Finding(
            LOW_RESOLUTION, f"enlarged {magnification:.2f} times to fill the canvas, at most {limits.magnification}"
        )
    head = head_size(track)
    if head < limits.head_size:
        return Finding(TOO_SMALL, f"head {head:.1%} of the canvas's side, needed {limits.head_size:.1%}")
    jolt = jolt_of(track)
    if jolt > limits.jolt:
        return Finding(CAMERA_JOLTS, f"leaps by {jolt:.1%} of the shorter side, at most {limits.jolt:.1%}")
    return None


def judge_pictures(
    frames: Tensor, track: PersonTrack, *, people: Mapping[int, Tensor], limits: FilterLimits
) -> Finding | None:
    """The first reason that the pictures give.

    Args:
        frames: [t, H, W, 3] uint8.
        track: of these frames.
        people: for some of the frames, [N, 4] boxes of everybody.
    """
    boxes = person_boxes(track)
    crowded = [other_size(everybody, boxes[at]) >= limits.other_size for at, everybody in people.items()]
    share = sum(crowded) / max(len(crowded), 1)
    if share > limits.other_share:
        return Finding(SEVERAL_PEOPLE, f"in {sum(crowded)} of {len(crowded)} frames looked at")
    blur = float(np.median([blur_of(frames[at], boxes[at]) for at in spread(len(frames), 5)]))
    if blur > limits.blur:
        return Finding(BLURRED, f"blur {blur:.2f}, at most {limits.blur}")
    movement = movement_of(frames, boxes)
    if movement < limits.movement:
        return Finding(STATIC, f"movement {movement:.4f}, needed {limits.movement}")
    return None


def spread(num_frames: int, count: int) -> list[int]:
    """At most `count` different frames, evenly spread."""
    return sorted(set(np.linspace(0, num_frames - 1, count).round().astype(int).tolist()))


def head_size(track: PersonTrack) -> float:
    """Median height of the head where it was found, as a share of the root of the canvas's area; 0 where it never was."""
    radius = track.head.radius_px[track.head.tracked]
    return float(2 * radius.median()) / (track.width * track.height) ** 0.5 if len(radius) else 0.0


def jolt_of(track: PersonTrack) -> float:
    """Most that the way of the picture's middle from one frame to the next differs from the median way around then, in
    shorter sides of the picture; 0 where nobody looked at the camera. A camera that travels evenly has no jolts."""
    if track.camera is None or track.num_frames < 3:
        return 0.0
    middle = torch.tensor((track.width / 2, track.height / 2))
    matrix = track.camera.matrix
    way = (matrix[:, :, :2] @ middle + matrix[:, :, 2]).diff(dim=0).numpy()  # [T - 1, 2]
    reach = 4
    padded = np.pad(way, ((reach, reach), (0, 0)), mode="edge")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0), axis=-1)
    known = (track.camera.known[1:] & track.camera.known[:-1]).numpy()
    leaps = np.linalg.norm(way - usual, axis=1) * known
    return float(leaps.max()) / min(track.width, track.height)


def person_boxes(track: PersonTrack) -> Tensor:
    """[T, 4] boxes around head and sure joints, inside the picture and at least a tenth of its shorter side wide."""
    sure = (track.body.confidence > 0.5)[..., None]
    joints = track.body.joints[..., :2]
    head, radius = track.head.center[:, None, :2], track.head.radius_px[:, None, None]
    low = torch.cat([torch.where(sure, joints, torch.inf), head - radius], dim=1).amin(dim=1)
    high = torch.cat([torch.where(sure, joints, -torch.inf), head + radius], dim=1).amax(dim=1)
    size = torch.tensor((track.width, track.height), dtype=torch.float32)
    least = 0.1 * min(track.width, track.height)
    low = torch.minimum(low.clamp_min(0), size - least).clamp_min(0)
    high = torch.maximum(torch.minimum(high, size), low + least)
    return torch.cat([low, high], dim=-1)


def blur_of(frame: Tensor, box: Tensor) -> float:
    """How little a further blur changes what is in a box: 0 (all pixels differ from their neighbours) to 1 (flat, blurred).

    Method: F. Crete et al., The blur effect: perception and estimation with a new no-reference perceptual blur metric, 2007.
    """
    x0, y0, x1, y1 = box.round().int().tolist()
    pixels = frame[y0:y1, x0:x1].contiguous().numpy()
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    worst = 0.0
    for axis, kernel in ((0, (1, 9)), (1, (9, 1))):
        soft = cv2.blur(grey, kernel)
        sharp, left = np.abs(np.diff(grey, axis=axis)), np.abs(np.diff(soft, axis=axis))
        lost = np.maximum(sharp - left, 0).sum()
        worst = max(worst, 1.0 - float(lost / max(sharp.sum(), 1e-6)))
    return worst


def movement_of(frames: Tensor, boxes: Tensor) -> float:
    """How far frames differ from their median in the person's place, 0..1: mean over frames of a coarse picture, in which
    noise has averaged out. A photograph gives next to nothing."""
    low, high = boxes[:, :2].median(dim=0).values, boxes[:, 2:].median(dim=0).values
    x0, y0 = low.floor().int().tolist()
    x1, y1 = high.ceil().int().tolist()
    cells = [
        cv2.resize(frame[y0:y1, x0:x1].contiguous().numpy(), (24, 24), interpolation=cv2.INTER_AREA) for frame in frames
    ]
    coarse = np.stack(cells).astype(np.float32) / 255
    return float(np.abs(coarse - np.median(coarse, axis=0)).mean())


def other_size(everybody: Tensor, person: Tensor) -> float:
    """Height of the largest other person against the one who is followed; 0 where there is no other.

    Args:
        everybody: [N, 4] boxes as the detector gives them: whole bodies, also where they leave the picture (of a close face
            even the feet are guessed), and the same person more than once.
        person: [4] box of the one who is followed. A box is the same person's if its middle lies in this one, or if it
            covers most of it and stands above or below it, not beside.
    """
    if not len(everybody):
        return 0.0
    low, high = everybody[:, :2], everybody[:, 2:]
    middle, size = (low + high) / 2, person[2:] - person[:2]
    inside = ((middle >= person[:2]) & (middle <= person[2:])).all(dim=1)
    shared = (torch.minimum(high, person[2:]) - torch.maximum(low, person[:2])).clamp_min(0).prod(dim=1) / size.prod()
    beside = (middle[:, 0] - (person[0] + person[2]) / 2).abs() > _BESIDE * size[0]
    own = inside | ((shared > 0.5) & ~beside)
    heights = everybody[:, 3] - everybody[:, 1]
    if bool(own.all()):
        return 0.0
    followed = heights[own].max() if bool(own.any()) else person[3] - person[1]
    return float(heights[~own].max() / followed)
