"""Laws of the rasteriser: it agrees with asking every triangle about every place, one by one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.testing import assert_close

from dreamactor.data.actors.raster import SUBSAMPLES, Fragments, Raster

WIDTH, HEIGHT, FRAMES, TRIANGLES = 13, 11, 3, 40
FACES = torch.arange(3 * TRIANGLES).view(TRIANGLES, 3).T


def _soup(seed: int) -> Tensor:
    """u, v and depth of loose triangles, [3, FRAMES, 3 * TRIANGLES]: some turn away, some lie outside or behind."""
    draw = torch.Generator().manual_seed(seed)
    middle = torch.rand(2, FRAMES, TRIANGLES, 1, generator=draw) * torch.tensor([WIDTH, HEIGHT]).view(2, 1, 1, 1) * 1.4 - 2
    flat = middle + 3.0 * torch.randn(2, FRAMES, TRIANGLES, 3, generator=draw)
    depth = 0.2 + 3 * torch.rand(1, FRAMES, TRIANGLES, 3, generator=draw)
    depth[:, :, ::9] = -0.5
    return torch.cat([flat, depth]).flatten(2)


def _brute(triangles: list[list[list[float]]], x: float, y: float) -> tuple[int, float] | None:
    """Nearest triangle and its depth at a place; a triangle is the u, v and depth of three corners."""
    best: tuple[int, float] | None = None
    for face, (a, b, c) in enumerate(triangles):
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area >= 0 or min(a[2], b[2], c[2]) <= 0:
            continue
        second = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area
        third = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area
        if min(second, third, 1 - second - third) >= 0:
            depth = a[2] + second * (b[2] - a[2]) + third * (c[2] - a[2])
            if best is None or depth < best[1]:
                best = (face, depth)
    return best


def _check(found: Fragments, samples: list[tuple[int, float, float]], seen: Tensor) -> None:
    """Every sample (frame, x, y) shows what it should, or nothing."""
    frames = seen.unflatten(2, (TRIANGLES, 3)).permute(1, 2, 3, 0).tolist()  # [t, F, corner, 3]
    shown = {int(sample): row for row, sample in enumerate(found.sample)}
    for sample, (frame, x, y) in enumerate(samples):
        expected = _brute(frames[frame], x, y)
        assert (expected is None) == (sample not in shown)
        if expected is not None:
            row = shown[sample]
            assert (int(found.frame[row]), int(found.face[row])) == (frame, expected[0])
            assert (float(found.u[row]), float(found.v[row])) == (x, y)
            assert abs(float(found.depth[row]) - expected[1]) < 1e-4


def test_every_pixel_shows_the_nearest_triangle_that_faces_the_camera() -> None:
    seen = _soup(0)
    found = Raster(seen.unbind(), FACES, width=WIDTH, height=HEIGHT).nearest()
    assert 0.2 < len(found.sample) / (FRAMES * HEIGHT * WIDTH) < 0.95
    _check(found, [(t, x + 0.5, y + 0.5) for t in range(FRAMES) for y in range(HEIGHT) for x in range(WIDTH)], seen)


def test_edge_pixels_are_seen_at_four_places() -> None:
    seen = _soup(1)
    edge = torch.rand(FRAMES * HEIGHT * WIDTH, generator=torch.Generator().manual_seed(2)) < 0.2
    found = Raster(seen.unbind(), FACES, width=WIDTH, height=HEIGHT).nearest_fine(edge)
    samples = []
    for pixel in edge.nonzero()[:, 0].tolist():
        t, rest = divmod(pixel, HEIGHT * WIDTH)
        y, x = divmod(rest, WIDTH)
        samples += [(t, x + 0.5 + across, y + 0.5 + down) for across, down in SUBSAMPLES]
    _check(found, samples, seen)


def test_a_frame_alone_is_the_frame_among_others() -> None:
    seen = _soup(3)
    together = Raster(seen.unbind(), FACES, width=WIDTH, height=HEIGHT).nearest()
    for t in range(FRAMES):
        alone = Raster(seen[:, t : t + 1].unbind(), FACES, width=WIDTH, height=HEIGHT).nearest()
        here = together.frame == t
        assert torch.equal(together.face[here], alone.face)
        assert torch.equal(together.second[here], alone.second)
        assert torch.equal(together.sample[here] - t * HEIGHT * WIDTH, alone.sample)


def test_nothing_in_view_shows_nothing() -> None:
    away = _soup(4) + torch.tensor([100.0, 0.0, 0.0]).view(3, 1, 1)
    raster = Raster(away.unbind(), FACES, width=WIDTH, height=HEIGHT)
    assert len(raster.nearest().sample) == 0
    assert len(raster.nearest_fine(torch.ones(FRAMES * HEIGHT * WIDTH, dtype=torch.bool)).sample) == 0


def test_shares_lead_back_to_the_place() -> None:
    seen = _soup(5)
    found = Raster(seen.unbind(), FACES, width=WIDTH, height=HEIGHT).nearest()
    corner = [seen[:, found.frame, FACES[k, found.face]] for k in range(3)]
    place = corner[0] * (1 - found.second - found.third) + corner[1] * found.second + corner[2] * found.third
    assert_close(place, torch.stack([found.u, found.v, found.depth]), atol=1e-3, rtol=0)
