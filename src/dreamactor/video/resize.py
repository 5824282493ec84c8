"""Resizing and cropping that also say where each point went.

Points are pixel coordinates: x right, y down, pixel centres at +0.5. A matrix is [3, 3] float64 and maps (x, y, 1)
of the source to the new picture; its inverse leads back. "Pictures" are [H, W, 3] or [T, H, W, 3] uint8. All filters
are bilinear and antialiased.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_CHUNK_VALUES = 64_000_000
"""Frames are resized in chunks of about this many values, so that float copies stay small."""


def resize_frames(frames: Tensor, *, width: int, height: int) -> Tensor:
    """Stretches pictures to a size; [T, H, W, 3] -> [T, height, width, 3], or one picture."""
    if frames.ndim == 3:
        return resize_frames(frames[None], width=width, height=height)[0]
    _check_pictures(frames)
    num_frames, source_height, source_width, _ = frames.shape
    if (source_height, source_width) == (height, width):
        return frames.clone()
    resized = frames.new_empty(num_frames, height, width, 3)
    chunk = max(1, _CHUNK_VALUES // (3 * source_height * source_width))
    for start in range(0, num_frames, chunk):
        planes = frames[start : start + chunk].permute(0, 3, 1, 2)
        if planes.device.type != "cpu":  # only the CPU filters bytes
            planes = planes.float()
        planes = F.interpolate(planes, size=(height, width), mode="bilinear", antialias=True, align_corners=False)
        if planes.is_floating_point():
            planes = planes.round_().clamp_(0, 255).to(torch.uint8)
        resized[start : start + chunk] = planes.permute(0, 2, 3, 1)
    return resized


def fit_inside(pictures: Tensor, *, width: int, height: int, multiple: int = 1) -> tuple[Tensor, Tensor]:
    """Scales pictures to the largest size of their shape inside width x height; sides are multiples of `multiple`.

    Returns:
        The scaled pictures and the matrix.
    """
    source_height, source_width = pictures.shape[-3:-1]
    scale = min(width / source_width, height / source_height)
    sides = [
        min(max(round(side * scale / multiple), 1) * multiple, max(limit // multiple, 1) * multiple)
        for side, limit in ((source_width, width), (source_height, height))
    ]
    scaled = resize_frames(pictures, width=sides[0], height=sides[1])
    return scaled, _matrix(sides[0] / source_width, sides[1] / source_height, 0.0, 0.0)


def fit_to_canvas(
    pictures: Tensor, *, width: int, height: int, background: tuple[int, int, int] = (255, 255, 255)
) -> tuple[Tensor, Tensor]:
    """Scales pictures to fit a canvas, keeps their shape and fills the rest with `background`.

    Returns:
        [..., height, width, 3] uint8 and the matrix.
    """
    scaled, matrix = fit_inside(pictures, width=width, height=height)
    scaled_height, scaled_width = scaled.shape[-3:-1]
    left, top = (width - scaled_width) // 2, (height - scaled_height) // 2
    colour = torch.tensor(background, dtype=torch.uint8, device=pictures.device)
    canvas = colour.expand(*pictures.shape[:-3], height, width, 3).clone()
    canvas[..., top : top + scaled_height, left : left + scaled_width, :] = scaled
    return canvas, _matrix(1.0, 1.0, left, top) @ matrix


def cover_canvas(pictures: Tensor, *, width: int, height: int) -> tuple[Tensor, Tensor]:
    """Scales pictures to cover a canvas, keeps their shape and crops what stands over, equally on both sides.

    Returns:
        [..., height, width, 3] uint8 and the matrix.
    """
    source_height, source_width = pictures.shape[-3:-1]
    scale = max(width / source_width, height / source_height)
    scaled_width, scaled_height = max(width, round(source_width * scale)), max(height, round(source_height * scale))
    scaled = resize_frames(pictures, width=scaled_width, height=scaled_height)
    left, top = (scaled_width - width) // 2, (scaled_height - height) // 2
    covered = scaled[..., top : top + height, left : left + width, :].clone()
    shrink = _matrix(scaled_width / source_width, scaled_height / source_height, 0.0, 0.0)
    return covered, _matrix(1.0, 1.0, -left, -top) @ shrink


def crop_box(pictures: Tensor, box: Tensor, *, width: int, height: int) -> tuple[Tensor, Tensor]:
    """Cuts a box out of pictures and scales it, with sub-pixel accuracy; outside the picture its edge is repeated.

    Args:
        pictures: [H, W, 3] or [T, H, W, 3] uint8.
        box: [4] x0, y0, x1, y1 in pixels, or [T, 4] with one box per frame.
        width, height: size of the result; a box of another shape is stretched.

    Returns:
        [height, width, 3] or [T, height, width, 3] uint8, and the matrix, [3, 3] or [T, 3, 3].
    """
    if pictures.ndim == 3:
        if box.ndim != 1:
            raise ValueError(f"one picture needs one box [4], got {list(box.shape)}")
        cropped, matrix = crop_box(pictures[None], box, width=width, height=height)
        return cropped[0], matrix
    _check_pictures(pictures)
    boxes = box.detach().to("cpu", torch.float64).expand(len(pictures), 4)
    sides = boxes[:, 2:] - boxes[:, :2]
    if not bool(torch.isfinite(boxes).all()) or not bool((sides > 0).all()):
        raise ValueError("a crop box must be finite, with x0 < x1 and y0 < y1")
    cropped = pictures.new_empty(len(pictures), height, width, 3)
    filters, last = _box_filters(boxes[0], pictures, width=width, height=height) if len(boxes) else None, 0
    for index, picture in enumerate(pictures):
        if not torch.equal(boxes[index], boxes[last]):
            filters, last = _box_filters(boxes[index], pictures, width=width, height=height), index
        assert filters is not None
        (rows, top), (columns, left) = filters
        window = picture[top : top + rows.shape[1], left : left + columns.shape[1]].permute(2, 0, 1).float()
        values = rows @ window @ columns.T  # [3, height, width]
        cropped[index] = values.round_().clamp_(0, 255).to(torch.uint8).permute(1, 2, 0)
    matrix = box_matrix(boxes if box.ndim == 2 else boxes[0], width=width, height=height) if len(boxes) else sides
    return cropped, matrix


def crop_square(pictures: Tensor, box: Tensor, size: int) -> Tensor:
    """Square crops: `crop_box` to size x size, without the matrix (that is `box_matrix`)."""
    return crop_box(pictures, box, width=size, height=size)[0]


def box_matrix(box: Tensor, *, width: int, height: int) -> Tensor:
    """Matrix that maps a box, [4] or [N, 4] x0, y0, x1, y1, to a picture of width x height; [3, 3] or [N, 3, 3]."""
    box = box.detach().to("cpu", torch.float64)
    x0, y0, x1, y1 = box.unbind(-1)
    matrix = torch.zeros(*box.shape[:-1], 3, 3, dtype=torch.float64)
    matrix[..., 0, 0], matrix[..., 1, 1], matrix[..., 2, 2] = width / (x1 - x0), height / (y1 - y0), 1.0
    matrix[..., 0, 2], matrix[..., 1, 2] = -x0 * matrix[..., 0, 0], -y0 * matrix[..., 1, 1]
    return matrix


def map_points(matrix: Tensor, points: Tensor) -> Tensor:
    """Carries points [..., 2] along with a picture; keeps their dtype."""
    wide = points.to(torch.float64)
    mapped = wide @ matrix[:2, :2].to(wide.device).T + matrix[:2, 2].to(wide.device)
    return mapped.to(points.dtype)


def _box_filters(box: Tensor, pictures: Tensor, *, width: int, height: int) -> tuple[tuple[Tensor, int], tuple[Tensor, int]]:
    """Filters for the rows and columns of one box, on the pictures' device."""
    x0, y0, x1, y1 = box.tolist()
    rows, top = _axis_filter(y0, y1, pictures.shape[-3], height)
    columns, left = _axis_filter(x0, x1, pictures.shape[-2], width)
    return (rows.to(pictures.device), top), (columns.to(pictures.device), left)


def _axis_filter(start: float, end: float, source_size: int, size: int) -> tuple[Tensor, int]:
    """Weights of source pixels for each target pixel along one axis.

    Returns:
        [size, n] float32, rows sum to 1, for the n source pixels from the returned position on. Weights that fall
        outside the source go to its outermost pixel.
    """
    step = (end - start) / size
    reach = max(step, 1.0)  # a wider triangle when shrinking: no aliasing
    centres = start + (torch.arange(size, dtype=torch.float64) + 0.5) * step
    taps = torch.arange(int(start - reach) - 2, int(end + reach) + 2)
    weights = (1.0 - (taps + 0.5 - centres[:, None]).abs() / reach).clamp(min=0.0)
    weights /= weights.sum(dim=1, keepdim=True)
    inside = taps.clamp(0, source_size - 1)
    first, last = int(inside[0]), int(inside[-1])
    folded = torch.zeros(size, last - first + 1, dtype=torch.float64).index_add_(1, inside - first, weights)
    return folded.float(), first


def _matrix(scale_x: float, scale_y: float, shift_x: float, shift_y: float) -> Tensor:
    return torch.tensor([[scale_x, 0.0, shift_x], [0.0, scale_y, shift_y], [0.0, 0.0, 1.0]], dtype=torch.float64)


def _check_pictures(frames: Tensor) -> None:
    if frames.dtype != torch.uint8 or frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(f"pictures must be uint8 [T, H, W, 3], got {frames.dtype} {list(frames.shape)}")
