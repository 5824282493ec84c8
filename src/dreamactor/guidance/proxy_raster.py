"""Draws a deformed triangle sheet into a picture with numpy: for every pixel the nearest triangle and its texture
place.

Knows nothing about people. Triangles are handled in groups of equal bounding box, so that everything is one array
operation; a texture test ("does this sheet exist here?") cuts sheets along pixel-exact borders.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import torch

_BOXES: Final = (2, 3, 4, 5, 6, 8, 10, 13, 17, 24, 36, 64)
"""Bounding box sides by which triangles are grouped; larger ones are drawn one by one."""
_HIDDEN_MARGIN: Final = 1.0
"""Pixels by which a hidden surface lies at least behind the one that hid it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheets:
    """Triangles of all parts of one figure.

    Attributes:
        triangles: [N, 3] int64 vertex indices; clockwise on the picture (y down) when seen from outside in the rest
        pose. layer: [N] int32 which part's texture mask applies.
        facing: [N] int8, +1 for a sheet whose outside was seen in the rest pose, -1 for a back sheet, 0 for a wall that
            is drawn from both sides.
        texture: [V, 2] float32 texture place of each vertex, x and y in texels.
        rest_depth: [V] float32 depth of each vertex in the rest pose.
        rest_area: [N] float32 twice the triangle's area in the rest pose.
    """

    triangles: np.ndarray
    layer: np.ndarray
    facing: np.ndarray
    texture: np.ndarray
    rest_depth: np.ndarray
    rest_area: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Surface:
    """The picture on the sheets, and where on it which sheet is.

    Attributes:
        texture: [Ht, Wt, 3] float32 RGB, the padded picture; around the figure its own colours reach outwards.
        inner_texture: [Ht, Wt, 3] float32 RGB, the same with the figure's outermost pixels replaced from further
            inside.
        known: [Ht, Wt] bool, False where the picture was made up.
        exists: [Ht, Wt] int64, bit `layer` is set where that part's sheet exists.
        owner: [Ht, Wt] int16, the layer that the picture shows there.
        shown_depth: [Ht, Wt] float32 rest depth of the surface that the picture shows.
    """

    texture: np.ndarray
    inner_texture: np.ndarray
    known: np.ndarray
    exists: np.ndarray
    owner: np.ndarray
    shown_depth: np.ndarray

    def copy(self) -> Surface:
        return Surface(**{f.name: getattr(self, f.name).copy() for f in fields(self)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Hits:
    """What is seen in the covered pixels; K of them.

    Attributes:
        pixel: [K] int64 index y * width + x, each at most once.
        triangle: [K] int64.
        weights: [K, 3] float32 barycentric weights of the triangle's vertices.
        texture: [K, 2] float32 texture place.
        own: [K] bool, whether the texture picture shows this layer there.
        stretch: [K] float32 area of the triangle on the picture relative to the rest pose.
    """

    pixel: np.ndarray
    triangle: np.ndarray
    weights: np.ndarray
    texture: np.ndarray
    own: np.ndarray
    stretch: np.ndarray


def rasterize(sheets: Sheets, surface: Surface, vertices: np.ndarray, *, width: int, height: int) -> Hits:
    """Nearest sheet per pixel.

    Args:
        vertices: [V, 3] float32 px3.
    """
    x, y = vertices[:, 0][sheets.triangles.T], vertices[:, 1][sheets.triangles.T]  # [3, N]
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    # first and last pixel centre (at +0.5) inside the bounding box, cut to the canvas
    x0 = np.ceil(np.clip(np.minimum(np.minimum(x[0], x[1]), x[2]), 0, width) - 0.5)
    y0 = np.ceil(np.clip(np.minimum(np.minimum(y[0], y[1]), y[2]), 0, height) - 0.5)
    x1 = np.floor(np.clip(np.maximum(np.maximum(x[0], x[1]), x[2]), -1, width) - 0.5)
    y1 = np.floor(np.clip(np.maximum(np.maximum(y[0], y[1]), y[2]), -1, height) - 0.5)
    shown = np.where(sheets.facing == 0, np.abs(area), area * sheets.facing) > 1e-3
    keep = np.flatnonzero(shown & (x1 >= x0) & (y1 >= y0))
    if keep.size == 0:
        return _no_hits()
    x, y, area = x[:, keep], y[:, keep], area[keep]
    left, top = x0[keep].astype(np.int64), y0[keep].astype(np.int64)
    side = np.maximum(x1[keep] - left, y1[keep] - top).astype(np.int64) + 1

    # barycentric weights of corners 1 and 2 as linear functions of x and y
    inverse = 1.0 / area
    w1 = ((y[2] - y[0]) * inverse, (x[0] - x[2]) * inverse)
    w2 = ((y[0] - y[1]) * inverse, (x[1] - x[0]) * inverse)
    start_x, start_y = x0[keep] + np.float32(0.5) - x[0], y0[keep] + np.float32(0.5) - y[0]
    c1 = w1[0] * start_x + w1[1] * start_y
    c2 = w2[0] * start_x + w2[1] * start_y

    found: list[tuple[np.ndarray, ...]] = []
    bounds = (0, *_BOXES, *sorted({int(s) for s in side[side > _BOXES[-1]]}))
    for smaller, box in itertools.pairwise(bounds):
        group = np.flatnonzero((side > smaller) & (side <= box))
        if group.size == 0:
            continue
        steps = np.arange(box, dtype=np.float32)
        across1 = c1[group, None] + w1[0][group, None] * steps  # [G, box] along a row
        across2 = c2[group, None] + w2[0][group, None] * steps
        b1 = across1[:, None] + (w1[1][group, None] * steps)[..., None]  # [G, rows, columns]
        b2 = across2[:, None] + (w2[1][group, None] * steps)[..., None]
        inside = (b1 >= -1e-4) & (b2 >= -1e-4) & (b1 + b2 <= 1.0 + 1e-4)
        hit = np.flatnonzero(inside)
        which, cell = hit // (box * box), hit % (box * box)
        member = group[which]
        found.append((member, top[member] + cell // box, left[member] + cell % box, b1.ravel()[hit], b2.ravel()[hit]))
    local, row, column, b1, b2 = (np.concatenate(parts) for parts in zip(*found, strict=True))
    on_canvas = (row < height) & (column < width)
    triangle = keep[local]
    weights = np.stack((1.0 - b1 - b2, b1, b2), axis=1).astype(np.float32)
    index = sheets.triangles[triangle]
    texture = interpolate(sheets.texture, index, weights)
    texel_y, texel_x = texels(texture, surface.exists.shape)
    layer = sheets.layer[triangle]
    real = on_canvas & ((surface.exists[texel_y, texel_x] >> layer) & 1).astype(bool)
    local, triangle, weights, texture = local[real], triangle[real], weights[real], texture[real]
    if triangle.size == 0:
        return _no_hits()
    own = surface.owner[texel_y[real], texel_x[real]] == layer[real]
    depth = interpolate(vertices[:, 2:], index[real], weights)[:, 0]
    # what another layer hid in the rest pose was behind it there, whatever the rough depths say
    hidden = np.flatnonzero(~own & (sheets.facing[triangle] >= 0))
    rest = interpolate(sheets.rest_depth[:, None], index[real][hidden], weights[hidden])[:, 0]
    shown = surface.shown_depth[texel_y[real][hidden], texel_x[real][hidden]]
    depth[hidden] += np.maximum(shown + _HIDDEN_MARGIN - rest, 0.0)
    pixel = row[real] * width + column[real]
    nearest = _nearest(pixel, depth, width * height)
    chosen = triangle[nearest]
    return Hits(
        pixel=pixel[nearest],
        triangle=chosen,
        weights=weights[nearest],
        texture=texture[nearest],
        own=own[nearest],
        stretch=np.abs(area[local[nearest]]) / sheets.rest_area[chosen],
    )


def interpolate(values: np.ndarray, corners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """[K, C] values of vertices [V, C] between three corners [K, 3] with barycentric weights [K, 3]."""
    total = values[corners[:, 0]] * weights[:, :1]
    total += values[corners[:, 1]] * weights[:, 1:2]
    total += values[corners[:, 2]] * weights[:, 2:]
    return total


def texels(place: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the texels at places [K, 2] (x, y) of a texture of a shape (Ht, Wt, ...)."""
    row = np.clip(place[:, 1].astype(np.int64), 0, shape[0] - 1)
    return row, np.clip(place[:, 0].astype(np.int64), 0, shape[1] - 1)


def bilinear(texture: np.ndarray, place: np.ndarray) -> np.ndarray:
    """[K, C] texture [H, W, C] read at places [K, 2] (x, y; texel centres at +0.5)."""
    height, width, _ = texture.shape
    x, y = np.clip(place[:, 0] - 0.5, 0, width - 1.001), np.clip(place[:, 1] - 0.5, 0, height - 1.001)
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = (x - x0)[:, None], (y - y0)[:, None]
    flat, start = texture.reshape(height * width, -1), y0.astype(np.int64) * width + x0.astype(np.int64)
    top_left, bottom_left = flat[start], flat[start + width]
    top = top_left + (flat[start + 1] - top_left) * fx
    bottom = bottom_left + (flat[start + width + 1] - bottom_left) * fx
    return top + (bottom - top) * fy


def _nearest(pixel: np.ndarray, depth: np.ndarray, num_pixels: int) -> np.ndarray:
    """Indices of the candidates that have the smallest depth of their pixel."""
    low, high = float(depth.min()), float(depth.max())
    level = ((depth - low) * ((2.0**30 - 1) / max(high - low, 1e-6))).astype(np.int64)
    key = torch.from_numpy((level << 32) | np.arange(len(depth)))
    best = torch.full((num_pixels,), torch.iinfo(torch.int64).max)
    best.scatter_reduce_(0, torch.from_numpy(pixel), key, reduce="amin")
    winners = best[best != torch.iinfo(torch.int64).max]
    return (winners & 0xFFFFFFFF).numpy()


def _no_hits() -> Hits:
    none = np.zeros(0, dtype=np.float32)
    return Hits(
        pixel=none.astype(np.int64), triangle=none.astype(np.int64), weights=none.reshape(0, 3),
        texture=none.reshape(0, 2), own=none.astype(bool), stretch=none,
    )  # fmt: skip
