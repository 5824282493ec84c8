"""Laws of resizing: a matrix carries points with their picture."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from dreamactor.video.resize import (
    box_matrix,
    cover_canvas,
    crop_box,
    crop_square,
    fit_inside,
    fit_to_canvas,
    map_points,
    resize_frames,
)


def spot(center: tuple[float, float], width: int = 120, height: int = 90) -> Tensor:
    """[H, W, 3] uint8: a soft white spot on black."""
    x, y = torch.arange(width) + 0.5, torch.arange(height)[:, None] + 0.5
    glow = torch.exp(-((x - center[0]) ** 2 + (y - center[1]) ** 2) / 50)
    return (glow * 255).round().to(torch.uint8)[..., None].expand(height, width, 3).contiguous()


def centroid(image: Tensor) -> Tensor:
    weight = image[..., 0].double()
    x, y = torch.arange(image.shape[1]) + 0.5, torch.arange(image.shape[0]) + 0.5
    return torch.stack([(weight.sum(0) * x).sum(), (weight.sum(1) * y).sum()]) / weight.sum()


BOX = torch.tensor([31.3, 22.7, 81.6, 73.0])
WAYS: dict[str, Callable[[Tensor], tuple[Tensor, Tensor]]] = {
    "fit_inside": lambda image: fit_inside(image, width=64, height=64, multiple=16),
    "fit_to_canvas": lambda image: fit_to_canvas(image, width=200, height=240, background=(0, 0, 0)),
    "cover_canvas": lambda image: cover_canvas(image, width=60, height=80),
    "crop_box": lambda image: crop_box(image, BOX, width=70, height=96),
    "crop_box, enlarged": lambda image: crop_box(image, BOX, width=224, height=224),
}


@pytest.mark.parametrize("way", WAYS)
def test_matrix_carries_points(way: str) -> None:
    center = (57.4, 46.2)
    moved, matrix = WAYS[way](spot(center))
    assert matrix.dtype == torch.float64
    expected = map_points(matrix, torch.tensor(center, dtype=torch.float64))
    assert (centroid(moved) - expected).abs().max() < 0.1
    back = map_points(matrix.inverse(), expected)
    assert torch.allclose(back, torch.tensor(center, dtype=torch.float64))


def test_fit_keeps_the_shape_and_pads_with_background() -> None:
    canvas, matrix = fit_to_canvas(torch.full((30, 60, 3), 7, dtype=torch.uint8), width=40, height=40, background=(1, 2, 3))
    assert canvas.shape == (40, 40, 3)
    assert (canvas[10:30] == 7).all()
    assert (canvas[:10] == torch.tensor([1, 2, 3])).all()
    assert (canvas[30:] == torch.tensor([1, 2, 3])).all()
    assert map_points(matrix, torch.tensor([0.0, 0.0])).tolist() == [0.0, 10.0]


def test_sizes_are_what_was_asked_for() -> None:
    frames = torch.zeros(3, 90, 120, 3, dtype=torch.uint8)
    assert fit_inside(frames, width=64, height=64, multiple=16)[0].shape == (3, 48, 64, 3)
    assert fit_inside(frames, width=61, height=1000)[0].shape == (3, 46, 61, 3)
    assert fit_to_canvas(frames, width=33, height=57)[0].shape == (3, 57, 33, 3)
    assert cover_canvas(frames, width=33, height=57)[0].shape == (3, 57, 33, 3)
    assert resize_frames(frames, width=8, height=6).shape == (3, 6, 8, 3)


def test_shrinking_does_not_alias() -> None:
    stripes = (torch.arange(128) % 2 * 255).to(torch.uint8).expand(128, 128)[..., None].expand(128, 128, 3).contiguous()
    for small in (
        resize_frames(stripes, width=16, height=16),
        crop_square(stripes, torch.tensor([0.0, 0, 128, 128]), 16),
    ):
        assert (small[1:-1, 1:-1].float() - 127.5).abs().max() < 12


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = torch.randint(0, 256, (5, 20, 30, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    whole = resize_frames(frames, width=13, height=9)
    monkeypatch.setattr("dreamactor.video.resize._CHUNK_VALUES", 1)
    assert torch.equal(resize_frames(frames, width=13, height=9), whole)


@pytest.mark.parametrize("size", [12, 50])
def test_crop_of_the_whole_picture_is_a_resize(size: int) -> None:
    image = torch.randint(0, 256, (30, 40, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    cropped, _ = crop_box(image, torch.tensor([0.0, 0.0, 40.0, 30.0]), width=size, height=size)
    exact = F.interpolate(image.permute(2, 0, 1)[None].float(), size=(size, size), mode="bilinear", antialias=True)
    inner = slice(1, -1)  # at the border a crop repeats the edge, a resize leaves it out
    assert (cropped.float() - exact[0].permute(1, 2, 0))[inner, inner].abs().max() <= 0.51


def test_crop_of_whole_pixels_copies_them() -> None:
    image = torch.randint(0, 256, (30, 40, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    assert torch.equal(crop_square(image, torch.tensor([5.0, 6.0, 21.0, 22.0]), 16), image[6:22, 5:21])


def test_crop_outside_repeats_the_edge() -> None:
    image = torch.randint(0, 256, (30, 40, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    corner = crop_square(image, torch.tensor([-8.0, -8.0, 8.0, 8.0]), 16)
    assert (corner[:8, :8] == image[0, 0]).all()
    assert torch.equal(corner[8:, 8:], image[:8, :8])
    assert torch.equal(corner[8:, 0], image[:8, 0])
    assert (crop_square(image, torch.tensor([100.0, 100.0, 116.0, 116.0]), 16) == image[-1, -1]).all()


def test_boxes_per_frame_equal_crops_one_by_one() -> None:
    frames = torch.randint(0, 256, (4, 30, 40, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(4))
    boxes = torch.tensor([[0.0, 0, 10, 10], [0.0, 0, 10, 10], [3.3, 2.2, 20.1, 19.0], [-4.0, 5, 14, 23]])
    crops, matrices = crop_box(frames, boxes, width=24, height=24)
    for index in range(4):
        alone, matrix = crop_box(frames[index], boxes[index], width=24, height=24)
        assert torch.equal(crops[index], alone)
        assert torch.equal(matrices[index], matrix)
    assert torch.equal(crop_square(frames, boxes[2], 24)[1], crop_square(frames[1], boxes[2], 24))


def test_box_matrix_maps_corners() -> None:
    matrix = box_matrix(BOX, width=70, height=96)
    corners = map_points(matrix, BOX.double().reshape(2, 2))
    assert torch.allclose(corners, torch.tensor([[0.0, 0.0], [70.0, 96.0]], dtype=torch.float64))


@pytest.mark.parametrize("box", [[0.0, 0, 0, 10], [0.0, 0, float("nan"), 10], [10.0, 0, 5, 10]])
def test_impossible_boxes_are_refused(box: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        crop_square(torch.zeros(30, 40, 3, dtype=torch.uint8), torch.tensor(box), 16)
