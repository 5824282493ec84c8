"""Where a person and its head are in a picture, read off a track: square boxes, and the pictures cut out along them."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from dreamactor.geometry.skeleton import BODY_JOINTS, FACE_POINT, FACE_POINTS, HAND_JOINTS, HANDS
from dreamactor.types.shapes import expect_shape
from dreamactor.types.track import PersonTrack

PERSON_MARGIN = 0.08
"""Room around the joints, as a share of their extent."""
HEAD_REACH = 1.35
"""Half the side of a head box in head radii: chin, ears and the roots of the hair are inside."""


def _square(low: Tensor, high: Tensor) -> Tensor:
    half = (high - low).amax(dim=-1, keepdim=True) / 2
    middle = (low + high) / 2
    return torch.cat([middle - half, middle + half], dim=-1)


def person_boxes(track: PersonTrack) -> Tensor:
    """[T, 4] squares x0, y0, x1, y1 in pixels around what the picture shows of the person: joints, hands and head.

    Where nobody is tracked, the whole picture.
    """
    size = torch.tensor([track.width, track.height], dtype=torch.float32)
    reach = 1.25 * track.head.radius_px[:, None]
    center = track.head.center[:, :2]
    corners = torch.stack([center - reach, center + reach], dim=1)
    points = torch.cat([track.body.joints[..., :2], track.hands.joints[..., :2].flatten(1, 2), corners], dim=1)
    held = track.hands.tracked.repeat_interleave(track.hands.joints.shape[2], dim=1)
    known = torch.cat(
        [
            track.body.tracked[:, None].expand(-1, track.body.joints.shape[1]),
            held,
            track.head.tracked[:, None].expand(-1, 2),
        ],
        dim=1,
    )[..., None]
    inside = torch.minimum(points.clamp(min=0), size)
    low = inside.masked_fill(~known, float("inf")).amin(dim=1)
    high = inside.masked_fill(~known, float("-inf")).amax(dim=1)
    nobody = ~known[..., 0].any(dim=1)[:, None]
    low, high = torch.where(nobody, torch.zeros_like(low), low), torch.where(nobody, size, high)
    room = PERSON_MARGIN * (high - low).amax(dim=-1, keepdim=True)
    return _square(low - room, high + room)


def head_boxes(track: PersonTrack) -> Tensor:
    """[T, 4] squares around the head, in pixels; they may reach outside the picture."""
    half = HEAD_REACH * track.head.radius_px[:, None]
    center = track.head.center[:, :2]
    return torch.cat([center - half, center + half], dim=-1)


def hand_boxes(track: PersonTrack) -> Tensor:
    """[T, 2, 4] squares around each hand (left, right) with a quarter of room, in pixels."""
    points = track.hands.joints[..., :2]
    expect_shape("hands", points, f"T {len(HANDS)} J 2")
    low, high = points.amin(dim=2), points.amax(dim=2)
    room = 0.25 * (high - low).amax(dim=-1, keepdim=True)
    return _square(low - room, high + room)


def enlarge(box: Tensor, factor: float) -> Tensor:
    """Boxes [..., 4] grown about their middles."""
    middle = (box[..., :2] + box[..., 2:]) / 2
    half = (box[..., 2:] - box[..., :2]) / 2 * factor
    return torch.cat([middle - half, middle + half], dim=-1)


def box_mask(box: Tensor, *, width: int, height: int) -> Tensor:
    """[..., H, W] bool, the pixels whose middle lies in a box [..., 4]."""
    x, y = torch.arange(width) + 0.5, torch.arange(height) + 0.5
    across = (x >= box[..., 0:1]) & (x < box[..., 2:3])
    down = (y >= box[..., 1:2]) & (y < box[..., 3:4])
    return down[..., :, None] & across[..., None, :]


def crop_boxes(frames: Tensor, box: Tensor, *, size_px: int, wanted: Tensor | None = None) -> Tensor:
    """Cuts boxes out of frames, each stretched to a square.

    Args:
        frames: [T, H, W, 3] uint8 RGB.
        box: [T, 4] pixels; it may reach outside the picture (the picture's edge pixels are repeated there).
        size_px: side of the result.
        wanted: [T] bool; the others are left black. None: all.

    Returns:
        [T, 3, S, S] uint8 RGB; black where the box misses the picture or is smaller than a pixel.
    """
    crops = torch.zeros(frames.shape[0], 3, size_px, size_px, dtype=torch.uint8)
    height, width = int(frames.shape[1]), int(frames.shape[2])
    chosen = range(len(frames)) if wanted is None else torch.nonzero(wanted).flatten().tolist()
    for t in chosen:
        x0, y0, x1, y1 = (float(v) for v in box[t])
        if x1 - x0 < 1.0 or y1 - y0 < 1.0 or x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
            continue
        # A window of whole pixels first, so that cost follows the box's size and not the frame's.
        left, top = max(int(x0) - 2, 0), max(int(y0) - 2, 0)
        right, bottom = min(int(x1) + 3, width), min(int(y1) + 3, height)
        window = frames[t, top:bottom, left:right].permute(2, 0, 1)[None].float()
        across, down = max(1, int((x1 - x0) / size_px)), max(1, int((y1 - y0) / size_px))
        if across > 1 or down > 1:  # a large box is averaged down first, or bilinear reading would skip pixels
            window = functional.avg_pool2d(window, (down, across), ceil_mode=True, count_include_pad=False)
        steps = (torch.arange(size_px) + 0.5) / size_px
        xs = (x0 + steps * (x1 - x0) - left) / across / window.shape[3] * 2 - 1
        ys = (y0 + steps * (y1 - y0) - top) / down / window.shape[2] * 2 - 1
        grid = torch.stack((xs[None].expand(size_px, -1), ys[:, None].expand(-1, size_px)), dim=-1)[None]
        crop = functional.grid_sample(window, grid, mode="bilinear", padding_mode="border", align_corners=False)
        crops[t] = crop[0].round().clamp(0, 255).to(torch.uint8)
    return crops


def other_side(name: str) -> str:
    """The name with left and right exchanged."""
    return name.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")


def _mirrored_face_point(name: str) -> str:
    """The same place on the other half of the face; lips are numbered around the mouth."""
    part, _, number = name.rpartition("_")
    if part == "lip_outer":
        return f"{part}_{(6 - int(number)) % 12}"
    if part == "lip_inner":
        return f"{part}_{(4 - int(number)) % 8}"
    return other_side(name)


MIRRORED_FACE_POINTS: Final = [FACE_POINT[_mirrored_face_point(name)] for name in FACE_POINTS]
"""For every face point the one it becomes in a mirror."""
MIRRORED_JOINTS: Final = [BODY_JOINTS.index(other_side(name)) for name in BODY_JOINTS]
"""The same for body joints."""

JUDGED_FINGERS: Final = ("middle_mcp", "thumb_tip", "index_tip", "middle_tip", "little_tip")
"""Points of each hand that are judged; the wrists are among the body's joints."""
JUDGED_POINTS: Final = (*BODY_JOINTS, *(f"{side}_{name}" for side in HANDS for name in JUDGED_FINGERS))
"""Names of the points that generated people are judged by, in storage order."""
MIRRORED_POINTS: Final = [JUDGED_POINTS.index(other_side(name)) for name in JUDGED_POINTS]
"""For every judged point the one it becomes in a mirror."""
_FINGERS: Final = [HAND_JOINTS.index(name) for name in JUDGED_FINGERS]


def judged_points(track: PersonTrack) -> tuple[Tensor, Tensor]:
    """The points a picture is judged by: [T, P, 2] pixels in the order of `JUDGED_POINTS`, and [T, P] bool whether the
    point lies in the picture (hidden by the body or not)."""
    fingers = track.hands.joints[:, :, _FINGERS, :2].flatten(1, 2)
    points = torch.cat([track.body.joints[..., :2], fingers], dim=1)
    size = torch.tensor([track.width, track.height], dtype=torch.float32)
    inside = ((points > 0) & (points < size)).all(dim=-1)
    found = torch.cat(
        [track.body.tracked[:, None].expand(-1, len(BODY_JOINTS)), track.hands.tracked.repeat_interleave(len(_FINGERS), 1)],
        dim=1,
    )
    return points, inside & found
