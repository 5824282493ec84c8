"""Which triangle is seen at which sample: batched over frames, without a loop over triangles or frames.

Triangles that turn away or lie outside the picture go first. One flat list of (triangle, pixel) pairs from the others'
screen boxes, barycentric tests for all pairs at once, and the nearest by one scatter. Then only the triangles whose boxes
hold an edge pixel are tested again, at four places of those pixels.

Every number lies in a row of its own, [N] and never [N, 3]: that is several times faster. Axis letters: t frames,
V vertices, F triangles, S those that can be seen, P pairs, N samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

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
        triangle: [N] int64 index into the frames' triangles, frame by frame ([t * F]).
        second, third: [N] barycentric shares of the second and third corner.
        depth: [N] depth in metres.
    """

    sample: Tensor
    triangle: Tensor
    second: Tensor
    third: Tensor
    depth: Tensor

    def take(self, kept: Tensor) -> Fragments:
        """Those at indices `kept`."""
        return Fragments(**{name: getattr(self, name).index_select(0, kept) for name in Fragments.__dataclass_fields__})

    def followed_by(self, others: Fragments, *, sample: Tensor) -> Fragments:
        """These and then others; all get new samples."""
        joined = {
            name: torch.cat([getattr(self, name), getattr(others, name)])
            for name in ("triangle", "second", "third", "depth")
        }
        return Fragments(sample=sample, **joined)


class Raster:
    """The triangles of some frames that a camera can see."""

    def __init__(self, seen: Tensor, faces: Tensor, *, width: int, height: int) -> None:
        """`seen` [3, t, V]: pixels and depth of every vertex; `faces` [3, F] its corners."""
        self.width, self.height, self.num_frames = width, height, seen.shape[1]
        corners = [[row.index_select(1, corner).flatten() for row in seen] for corner in faces]
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = corners
        abx, aby, acx, acy = bx - ax, by - ay, cx - ax, cy - ay
        area = abx * acy - aby * acx
        x, y = _extent(ax, bx, cx), _extent(ay, by, cy)
        first_x, last_x = _pixels(*x, _FINE_REACH, width)
        first_y, last_y = _pixels(*y, _FINE_REACH, height)
        # y runs down on the screen, so faces that turn to the camera have negative area.
        shown = (area < -1e-9) & (last_x > first_x) & (last_y > first_y)
        shown &= torch.minimum(torch.minimum(az, bz), cz) > _NEAREST_M
        self.face = face = where(shown)

        def of(*rows: Tensor) -> list[Tensor]:
            return [row.index_select(0, face) for row in rows]

        self.first_x, self.last_x, self.first_y, self.last_y = of(first_x, last_x, first_y, last_y)
        low_x, high_x, low_y, high_y = of(*x, *y)
        self.center_x = _pixels(low_x, high_x, _CENTER_REACH, width)
        self.center_y = _pixels(low_y, high_y, _CENTER_REACH, height)
        abx, aby, acx, acy, ax, ay, az, bz, cz = of(abx, aby, acx, acy, ax, ay, az, bz, cz)
        inverse = 1 / of(area)[0]
        # shares as affine functions of the place relative to the box's first pixel centre
        ox, oy = self.first_x + 0.5 - ax, self.first_y + 0.5 - ay
        b_x, b_y, c_x, c_y = acy * inverse, -acx * inverse, -aby * inverse, abx * inverse
        self.plane = (b_x * ox + b_y * oy, b_x, b_y, c_x * ox + c_y * oy, c_x, c_y)
        self.depth = (az, bz - az, cz - az)
        frame = torch.div(face, faces.shape[1], rounding_mode="floor")
        self.first = (frame * height + self.first_y.long()) * width + self.first_x.long()
        self.frame = frame

    def nearest(self) -> Fragments:
        """What every pixel's centre shows; samples are pixels [t * H * W]."""
        (x0, x1), (y0, y1) = self.center_x, self.center_y
        x0, x1 = torch.maximum(x0, self.first_x), torch.minimum(x1, self.last_x)
        y0, y1 = torch.maximum(y0, self.first_y), torch.minimum(y1, self.last_y)
        owner, x, y, pixel = self._pairs(x0 - self.first_x, y0 - self.first_y, x1 - x0, y1 - y0)
        plane = [row.index_select(0, owner) for row in self.plane]
        return self._resolve(plane, x, y, pixel, owner, self.num_frames * self.height * self.width)

    def nearest_fine(self, edge: Tensor) -> Fragments:
        """What four places of each edge pixel show, `edge` [t * H * W] bool; samples are [E * 4]."""
        total = torch.from_numpy(cv2.integral(edge.numpy().view(np.uint8).reshape(-1, self.width))).flatten()
        stride = self.width + 1
        top = (self.frame * self.height + self.first_y.long()) * stride
        bottom = (self.frame * self.height + self.last_y.long()) * stride
        left, right = self.first_x.long(), self.last_x.long()
        inside = total.index_select(0, bottom + right) - total.index_select(0, bottom + left)
        inside -= total.index_select(0, top + right) - total.index_select(0, top + left)
        touched = where(inside > 0)
        x0, y0 = torch.zeros(len(touched)), torch.zeros(len(touched))
        wide = (self.last_x - self.first_x).index_select(0, touched)
        high = (self.last_y - self.first_y).index_select(0, touched)
        owner, x, y, pixel = self._pairs(x0, y0, wide, high, touched)
        slot = (edge.cumsum(0) - 1).index_select(0, pixel)
        kept = where(edge.index_select(0, pixel))
        owner, x, y, slot = (row.index_select(0, kept) for row in (owner, x, y, slot))
        offset = torch.tensor(SUBSAMPLES)
        plane = [row.index_select(0, owner) for row in self.plane]
        sample = slot * 4 + torch.arange(4)[:, None]
        return self._resolve(plane, x + offset[:, :1], y + offset[:, 1:], sample, owner.expand(4, -1), 4 * int(edge.sum()))

    def _pairs(
        self, x0: Tensor, y0: Tensor, wide: Tensor, high: Tensor, among: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """All pixels of a box in every triangle's own box.

        Args:
            x0, y0, wide, high: first pixel (from the triangle's first one) and size.
            among: [S'] which triangles; all of them without.

        Returns:
            owner [P] index of the triangle, x, y [P] place from its first pixel, pixel [P] flat index.
        """
        filled = where((wide > 0) & (high > 0))
        x0, y0, wide, high = (row.index_select(0, filled) for row in (x0, y0, wide, high))
        owner = filled if among is None else among.index_select(0, filled)
        count = (wide * high).long()
        end = count.cumsum(0)
        total = int(end[-1]) if len(end) else 0
        starts = torch.zeros(total, dtype=torch.int32)
        starts.index_fill_(0, end[:-1], 1)
        box = starts.cumsum(0)
        inside = (torch.arange(total) - (end - count).index_select(0, box)).float()
        across = wide.index_select(0, box)
        row = torch.div(inside + 0.25, across, rounding_mode="floor")
        x = inside - row * across + x0.index_select(0, box)
        y = row + y0.index_select(0, box)
        owner = owner.index_select(0, box)
        pixel = self.first.index_select(0, owner) + (y * self.width + x).long()
        return owner, x, y, pixel

    def _resolve(
        self, plane: list[Tensor], x: Tensor, y: Tensor, sample: Tensor, owner: Tensor, num_samples: int
    ) -> Fragments:
        b = plane[0] + plane[1] * x + plane[2] * y
        c = plane[3] + plane[4] * x + plane[5] * y
        hit = where(((b >= 0) & (c >= 0) & (b + c <= 1)).flatten())
        b, c, sample, owner = (row.reshape(-1).index_select(0, hit) for row in (b, c, sample, owner))
        az, ab, ac = (row.index_select(0, owner) for row in self.depth)
        depth = az + b * ab + c * ac
        # Positive floats are ordered like their bits; among equals the first triangle wins.
        order = depth.view(torch.int32).long() << 32 | torch.arange(len(hit))
        none = torch.iinfo(torch.int64).max
        best = torch.full((num_samples,), none).scatter_reduce_(0, sample, order, "amin")
        shown = where(best != none)
        winner = best.index_select(0, shown) & 0xFFFFFFFF
        owner, b, c, depth = (row.index_select(0, winner) for row in (owner, b, c, depth))
        return Fragments(sample=shown, triangle=self.face.index_select(0, owner), second=b, third=c, depth=depth)


def _extent(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    return torch.minimum(torch.minimum(a, b), c), torch.maximum(torch.maximum(a, b), c)


def _pixels(low: Tensor, high: Tensor, reach: float, limit: int) -> tuple[Tensor, Tensor]:
    """First pixel, and the one after the last, whose centres lie at most `reach` outside low..high."""
    return (low - (0.5 + reach)).ceil().clamp(0, limit), ((high - (0.5 - reach)).floor() + 1).clamp(0, limit)


def where(mask: Tensor) -> Tensor:
    """Indices at which a flat mask is true; numpy finds them several times faster than torch."""
    return torch.from_numpy(np.flatnonzero(mask.numpy()))
