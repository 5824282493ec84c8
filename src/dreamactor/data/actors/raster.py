"""Which triangle is seen at which sample: batched over frames, without a loop over triangles or frames.

Triangles that turn away or lie outside the picture go first. One flat list of (triangle, pixel) pairs from the others'
screen boxes, barycentric tests for all pairs at once, and the nearest by one scatter. Then only the triangles whose boxes
hold an edge pixel are tested again, at four places of those pixels.

Every number lies in a row of its own, [N] and never [N, 3]: that is several times faster. Axis letters: t frames,
V vertices, F triangles, S those that can be seen, P pairs, N samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors.rows import take, where

SUBSAMPLES = ((-0.125, -0.375), (0.375, -0.125), (-0.375, 0.125), (0.125, 0.375))
"""Places of the four samples of an edge pixel about its centre."""
_CENTER_REACH, _FINE_REACH = 0.02, 0.45
"""How far outside a triangle's own extent pixel centres are tested; the second holds all four places of a pixel."""
_NEAREST_M = 0.02


@dataclass(frozen=True, kw_only=True)
class Fragments:
    """Samples that show a triangle.

    Attributes:
        sample: [N] int64 index of the sample, ascending.
        frame, face: [N] int64 which frame and which of its triangles.
        second, third: [N] barycentric shares of the second and third corner.
        depth: [N] depth in metres.
        u, v: [N] place in the picture, pixels.
    """

    sample: Tensor
    frame: Tensor
    face: Tensor
    second: Tensor
    third: Tensor
    depth: Tensor
    u: Tensor
    v: Tensor

    def take(self, kept: Tensor) -> Fragments:
        """Those at indices `kept`."""
        return Fragments(**dict(zip(_FIELDS, take(kept, *(getattr(self, name) for name in _FIELDS)), strict=True)))

    def __add__(self, others: Fragments) -> Fragments:
        return Fragments(**{name: torch.cat([getattr(self, name), getattr(others, name)]) for name in _FIELDS})


_FIELDS: Final = tuple(Fragments.__dataclass_fields__)


class Raster:
    """The triangles of some frames that a camera can see."""

    def __init__(self, seen: Sequence[Tensor], faces: Tensor, *, width: int, height: int) -> None:
        """`seen` holds u, v and depth [t, V] of every vertex; `faces` [3, F] the corners."""
        self.width, self.height, self.num_frames = width, height, len(seen[0])
        corners = [[row.index_select(1, corner).flatten() for row in seen] for corner in faces]
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners
        abx, aby, acx, acy = bx - ax, by - ay, cx - ax, cy - ay
        area = (abx * acy).sub_(aby * acx)
        (low_x, high_x), (low_y, high_y) = _extent(ax, bx, cx), _extent(ay, by, cy)
        first_x, last_x = _pixels(low_x, high_x, _FINE_REACH, width)
        first_y, last_y = _pixels(low_y, high_y, _FINE_REACH, height)
        nearest = torch.minimum(torch.minimum(az, bz), cz)
        # y runs down on the screen, so faces that turn to the camera have negative area.
        shown = (area.numpy() < -1e-9) & (nearest.numpy() > _NEAREST_M)
        shown &= (last_x.numpy() > first_x.numpy()) & (last_y.numpy() > first_y.numpy())
        face = where(shown)
        first_x, last_x, first_y, last_y = take(face, first_x, last_x, first_y, last_y)
        low_x, high_x, low_y, high_y = take(face, low_x, high_x, low_y, high_y)
        abx, aby, acx, acy, ax, ay, az, bz, cz, area = take(face, abx, aby, acx, acy, ax, ay, az, bz, cz, area)
        inverse = 1 / area
        # shares as affine functions of the place relative to the box's first pixel centre
        ox, oy = first_x + 0.5 - ax, first_y + 0.5 - ay
        b_x, b_y, c_x, c_y = acy * inverse, -acx * inverse, -aby * inverse, abx * inverse
        self.shares = (b_x * ox + b_y * oy, b_x, b_y, c_x * ox + c_y * oy, c_x, c_y)
        self.depth = (az, bz - az, cz - az)
        self.frame = torch.div(face, faces.shape[1], rounding_mode="floor")
        self.face = face - self.frame * faces.shape[1]
        self.first_x, self.last_x, self.first_y, self.last_y = first_x, last_x, first_y, last_y
        self.row = self.frame * height + first_y.long()
        self.center_x = _pixels(low_x, high_x, _CENTER_REACH, width)
        self.center_y = _pixels(low_y, high_y, _CENTER_REACH, height)

    def nearest(self) -> Fragments:
        """What every pixel's centre shows; samples are pixels [t * H * W]."""
        (x0, x1), (y0, y1) = self.center_x, self.center_y
        x0, x1 = torch.maximum(x0, self.first_x), torch.minimum(x1, self.last_x)
        y0, y1 = torch.maximum(y0, self.first_y), torch.minimum(y1, self.last_y)
        filled = where((x1.numpy() > x0.numpy()) & (y1.numpy() > y0.numpy()))
        x0, y0, wide, high = take(filled, x0 - self.first_x, y0 - self.first_y, x1 - x0, y1 - y0)
        owner, x, y, pixel = self._pairs(filled, x0, y0, wide, high)
        hits = self._hits(owner, x, y, pixel, [(0.0, 0.0)])
        return self._nearest(hits, num_samples=self.num_frames * self.height * self.width)

    def nearest_fine(self, edge: Tensor) -> Fragments:
        """What four places of each edge pixel show, `edge` [t * H * W] bool; samples are [E * 4]."""
        total = torch.from_numpy(cv2.integral(edge.numpy().view(np.uint8).reshape(-1, self.width))).flatten()
        stride, left, right = self.width + 1, self.first_x.long(), self.last_x.long()
        top = self.row * stride
        bottom = top + (self.last_y - self.first_y).long() * stride
        a, b, c, d = (
            total.index_select(0, corner).numpy() for corner in (top + left, top + right, bottom + left, bottom + right)
        )
        touched = where(a + d > b + c)
        wide, high = take(touched, self.last_x - self.first_x, self.last_y - self.first_y)
        owner, x, y, pixel = self._pairs(touched, torch.zeros_like(wide), torch.zeros_like(high), wide, high)
        slot = edge.cumsum(0)
        owner, x, y, pixel = take(where(edge.index_select(0, pixel)), owner, x, y, pixel)
        hits = self._hits(owner, x, y, 4 * slot.index_select(0, pixel) - 4, SUBSAMPLES)
        return self._nearest(hits, num_samples=4 * int(slot[-1]))

    def _pairs(self, box: Tensor, x0: Tensor, y0: Tensor, wide: Tensor, high: Tensor) -> list[Tensor]:
        """All pixels of some triangles' boxes.

        Args:
            box: [S'] the triangles.
            x0, y0, wide, high: [S'] a box's first pixel, from the triangle's own first one, and its size (at least 1).

        Returns:
            [P] triangle, x and y from the triangle's first pixel, flat index of the pixel.
        """
        count = (wide * high).long()
        end = count.cumsum(0)
        total = int(end[-1]) if len(end) else 0
        starts = torch.zeros(total, dtype=torch.int32)
        starts.index_fill_(0, end[:-1], 1)
        nth = starts.cumsum(0)
        origin = self.row.index_select(0, box) * self.width + self.first_x.index_select(0, box).long()
        start, across, x0, y0, owner, origin = take(nth, (end - count).float(), wide, x0, y0, box, origin)
        inside = torch.arange(total, dtype=torch.float32).sub_(start)
        row = ((inside + 0.25) / across).floor_()
        x = inside.sub_(row * across).add_(x0)
        y = row.add_(y0)
        return [owner, x, y, origin.add_((y * self.width + x).long())]

    def _hits(
        self, owner: Tensor, x: Tensor, y: Tensor, sample: Tensor, offsets: Sequence[tuple[float, float]]
    ) -> list[Tensor]:
        """Places on triangles, of all pairs of a triangle and a pixel at some offsets from its centre.

        Returns:
            [P'] triangle, second and third share, x and y, sample (`sample` counted up by the index of the offset).
        """
        b_0, b_x, b_y, c_0, c_x, c_y = take(owner, *self.shares)
        found = []
        for index, (across, down) in enumerate(offsets):
            u, v = x + across, y + down
            b = (b_x * u).add_(b_0).add_(b_y * v)
            c = (c_x * u).add_(c_0).add_(c_y * v)
            hit = where((b.numpy() >= 0) & (c.numpy() >= 0) & ((b + c).numpy() <= 1))
            found.append(take(hit, owner, b, c, u, v, sample + index))
        return [torch.cat(rows) for rows in zip(*found, strict=True)]

    def _nearest(self, hits: list[Tensor], *, num_samples: int) -> Fragments:
        """Of all hits of a sample, the one nearest to the camera."""
        owner, b, c, x, y, sample = hits
        az, ab, ac = take(owner, *self.depth)
        depth = az.add_(b * ab).add_(c * ac)
        # Positive floats are ordered like their bits; among equals the first triangle wins.
        order = depth.view(torch.int32).long().bitwise_left_shift_(32).add_(torch.arange(len(sample)))
        none = torch.iinfo(torch.int64).max
        best = torch.full((num_samples,), none).scatter_reduce_(0, sample, order, "amin")
        shown = where(best.numpy() != none)
        winner = best.index_select(0, shown) & 0xFFFFFFFF
        owner, b, c, depth, x, y = take(winner, owner, b, c, depth, x, y)
        frame, face, first_x, first_y = take(owner, self.frame, self.face, self.first_x, self.first_y)
        u, v = first_x.add_(0.5).add_(x), first_y.add_(0.5).add_(y)
        return Fragments(sample=shown, frame=frame, face=face, second=b, third=c, depth=depth, u=u, v=v)


def _extent(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    return torch.minimum(torch.minimum(a, b), c), torch.maximum(torch.maximum(a, b), c)


def _pixels(low: Tensor, high: Tensor, reach: float, limit: int) -> tuple[Tensor, Tensor]:
    """First pixel, and the one after the last, whose centres lie at most `reach` outside low..high."""
    return (low - (0.5 + reach)).ceil_().clamp_(0, limit), (high - (0.5 - reach)).floor_().add_(1).clamp_(0, limit)
