"""Which triangle is seen at which sample: batched over frames, plain torch, no loop over triangles or frames.

One flat list of (triangle, pixel) pairs from screen boxes, barycentric tests for all of them at once, and the nearest by
one scatter. Edge pixels are tested again at four places from the same list of pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SUBSAMPLES = ((-0.125, -0.375), (0.375, -0.125), (-0.375, 0.125), (0.125, 0.375))
_DEPTH_STEPS = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Fragments:
    """Samples that show a triangle.

    Attributes:
        sample: [N] int64 index of the sample.
        triangle: [N] int64 index into the frames' triangles, frame by frame ([t * F]).
        shares: [N, 2] barycentric shares of the second and third corner.
        depth: [N] depth in metres.
    """

    sample: Tensor
    triangle: Tensor
    shares: Tensor
    depth: Tensor


class Pairs:
    """All (triangle, pixel) pairs of some frames."""

    def __init__(self, seen: Tensor, faces: Tensor, *, width: int, height: int) -> None:
        """`seen` [t, V, 3]: pixels and depth of every vertex."""
        self.width, self.height, self.num_frames = width, height, seen.shape[0]
        num_faces = len(faces)
        corner = seen[:, faces.reshape(-1)].view(-1, 3, 3)  # [t F, corner, xyz]
        a, b, c = corner.unbind(1)
        ab, ac = b - a, c - a
        area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
        flat = corner[..., :2]
        low = (flat.amin(1) - 0.95).ceil()
        high = (flat.amax(1) - 0.05).floor() + 1
        limit = torch.tensor([width, height], dtype=seen.dtype, device=seen.device)
        low, high = torch.minimum(low.clamp(min=0), limit), torch.minimum(high.clamp(min=0), limit)
        size = (high - low).clamp(min=0)
        # y runs down on the screen, so faces that turn to the camera have negative area.
        shown = (area < -1e-9) & (size[:, 0] > 0) & (size[:, 1] > 0) & (corner[..., 2].amin(1) > 0.02)
        face = shown.nonzero()[:, 0]
        inverse = 1 / area[face]
        ab, ac, a = ab[face], ac[face], a[face]
        low, size = low[face], size[face]
        # shares as affine functions of the place relative to the box's first pixel centre
        ox, oy = low[:, 0] + 0.5 - a[:, 0], low[:, 1] + 0.5 - a[:, 1]
        b_x, b_y = ac[:, 1] * inverse, -ac[:, 0] * inverse
        c_x, c_y = -ab[:, 1] * inverse, ab[:, 0] * inverse
        b_0, c_0 = b_x * ox + b_y * oy, c_x * ox + c_y * oy
        table = torch.stack([b_0, b_x, b_y, c_0, c_x, c_y, a[:, 2], ab[:, 2], ac[:, 2], size[:, 0]], -1)
        frame = torch.div(face, num_faces, rounding_mode="floor")
        first = (frame * height + low[:, 1].long()) * width + low[:, 0].long()
        count = (size[:, 0] * size[:, 1]).long()
        owner = torch.repeat_interleave(torch.arange(len(face), device=seen.device), count)
        inside = torch.arange(len(owner), device=seen.device) - torch.repeat_interleave(count.cumsum(0) - count, count)
        self.rows = table[owner]
        row = torch.div(inside.to(seen.dtype) + 0.25, self.rows[:, 9], rounding_mode="floor")
        self.x, self.y = inside.to(seen.dtype) - row * self.rows[:, 9], row
        self.pixel = first[owner] + (self.y * width + self.x).long()
        self.face, self.owner = face, owner

    def nearest(self) -> Fragments:
        """What every pixel's centre shows; samples are pixels [t * H * W]."""
        return self._resolve(self.rows, self.x, self.y, self.pixel, self.owner, self.num_frames * self.height * self.width)

    def nearest_fine(self, pixels: Tensor) -> Fragments:
        """What four places of each of `pixels` [E] show; samples are [E * 4]."""
        place = torch.full((self.num_frames * self.height * self.width,), -1, dtype=torch.int64, device=pixels.device)
        place[pixels] = torch.arange(len(pixels), device=pixels.device)
        where = place[self.pixel]
        kept = (where >= 0).nonzero()[:, 0]
        rows, x, y, where, owner = self.rows[kept], self.x[kept], self.y[kept], where[kept], self.owner[kept]
        offset = torch.tensor(SUBSAMPLES, device=rows.device)
        x = (x[:, None] + offset[:, 0]).reshape(-1)
        y = (y[:, None] + offset[:, 1]).reshape(-1)
        sample = (where[:, None] * 4 + torch.arange(4, device=rows.device)).reshape(-1)
        rows = rows[:, None].expand(-1, 4, -1).reshape(-1, rows.shape[-1])
        owner = owner[:, None].expand(-1, 4).reshape(-1)
        return self._resolve(rows, x, y, sample, owner, len(pixels) * 4)

    def _resolve(self, rows: Tensor, x: Tensor, y: Tensor, sample: Tensor, owner: Tensor, num_samples: int) -> Fragments:
        b = rows[:, 0] + rows[:, 1] * x + rows[:, 2] * y
        c = rows[:, 3] + rows[:, 4] * x + rows[:, 5] * y
        hit = ((b >= 0) & (c >= 0) & (b + c <= 1)).nonzero()[:, 0]
        b, c, sample, owner, rows = b[hit], c[hit], sample[hit], owner[hit], rows[hit]
        depth = rows[:, 6] + b * rows[:, 7] + c * rows[:, 8]
        order = (depth / 64 * _DEPTH_STEPS).long() << 32 | torch.arange(len(hit), device=rows.device)
        none = torch.iinfo(torch.int64).max
        best = torch.full((num_samples,), none, dtype=torch.int64, device=rows.device).scatter_reduce_(
            0, sample, order, "amin"
        )
        shown = (best != none).nonzero()[:, 0]
        winner = best[shown] & 0xFFFFFFFF
        return Fragments(
            sample=shown,
            triangle=self.face[owner[winner]],
            shares=torch.stack([b[winner], c[winner]], -1),
            depth=depth[winner],
        )
