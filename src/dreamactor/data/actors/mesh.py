"""Triangle meshes and the four ways we make them: lofted rings, tubes, ellipsoids, and surface nets of a distance field.

Knows nothing about people. Axes everywhere: x right, y up, z to the viewer; faces are counter-clockwise seen from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """A surface.

    Attributes:
        vertices: [V, 3] float32.
        normals: [V, 3] float32, unit, outward.
        faces: [F, 3] int64.
    """

    vertices: Tensor
    normals: Tensor
    faces: Tensor

    def moved(self, rotation: Tensor | None = None, offset: Tensor | None = None, scale: float = 1.0) -> Mesh:
        """Scaled, then rotated by a proper [3, 3] rotation, then shifted."""
        vertices, normals = self.vertices * scale, self.normals
        if rotation is not None:
            vertices, normals = vertices @ rotation.T, normals @ rotation.T
        return replace(self, vertices=vertices if offset is None else vertices + offset, normals=normals)

    def mirrored(self) -> Mesh:
        """Mirrored at x = 0."""
        flip = torch.tensor([-1.0, 1.0, 1.0])
        return Mesh(vertices=self.vertices * flip, normals=self.normals * flip, faces=self.faces.flip(1))


def join(meshes: Sequence[Mesh]) -> Mesh:
    """Several meshes as one, in order."""
    start, faces = 0, []
    for mesh in meshes:
        faces.append(mesh.faces + start)
        start += len(mesh.vertices)
    return Mesh(
        vertices=torch.cat([m.vertices for m in meshes]),
        normals=torch.cat([m.normals for m in meshes]),
        faces=torch.cat(faces),
    )


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Area-weighted unit normals [..., V, 3] of vertices [..., V, 3]."""
    a, b, c = (vertices[..., faces[:, i], :] for i in range(3))
    face_normal = torch.linalg.cross(b - a, c - a)
    normals = torch.zeros_like(vertices)
    for i in range(3):
        normals.index_add_(-2, faces[:, i], face_normal)
    return torch.nn.functional.normalize(normals, dim=-1)


@lru_cache
def ring_faces(rings: int, sides: int) -> Tensor:
    """Faces of a closed-around grid of [rings, sides] vertices; rings go up, sides counter-clockwise seen from above."""
    ring, side = torch.meshgrid(torch.arange(rings - 1), torch.arange(sides), indexing="ij")
    a = ring * sides + side
    b = ring * sides + (side + 1) % sides
    c, d = a + sides, b + sides
    return torch.stack([torch.stack([a, b, d], -1), torch.stack([a, d, c], -1)], 2).reshape(-1, 3)


def loft(rings: Tensor) -> Mesh:
    """Skin over rings [R, S, 3] that go up and run counter-clockwise seen from above. Collapsed end rings close it."""
    count, sides, _ = rings.shape
    vertices = rings.reshape(-1, 3)
    faces = ring_faces(count, sides)
    normals = vertex_normals(vertices, faces).reshape(count, sides, 3)
    for end in (0, count - 1):
        if (rings[end] - rings[end, :1]).abs().max() < 1e-5:
            normals[end] = torch.nn.functional.normalize(normals[end].sum(0), dim=0)
    return Mesh(vertices=vertices, normals=normals.reshape(-1, 3), faces=faces)


def ring_angles(sides: int) -> Tensor:
    """[S] angles so that (sin, cos) = (x, z) runs counter-clockwise seen from above (+y), starting at the back."""
    return torch.arange(sides) / sides * 2 * torch.pi + torch.pi


def ellipsoid(center: Sequence[float], radii: Sequence[float], *, rings: int = 10, sides: int = 14) -> Mesh:
    """An ellipsoid along the axes."""
    lat = torch.linspace(-torch.pi / 2, torch.pi / 2, rings)[:, None]
    lon = ring_angles(sides)[None]
    unit = torch.stack([lat.cos() * lon.sin(), lat.sin().expand(-1, sides), lat.cos() * lon.cos()], -1)
    scale = torch.tensor(list(radii), dtype=torch.float32)
    mesh = loft(unit * scale + torch.tensor(list(center), dtype=torch.float32))
    normals = torch.nn.functional.normalize(unit.reshape(-1, 3) / scale, dim=-1)
    return replace(mesh, normals=normals)


def tube(path: Tensor, radii: Sequence[float], *, sides: int = 8, flat: float = 1.0, round_ends: bool = True) -> Mesh:
    """A tube along path [N, 3] with a radius per point, closed at both ends; `flat` squashes its second side axis."""
    radius = torch.tensor(list(radii), dtype=torch.float32)
    tangent = torch.zeros_like(path)
    tangent[1:] += path[1:] - path[:-1]
    tangent[:-1] += path[1:] - path[:-1]
    tangent = torch.nn.functional.normalize(tangent, dim=-1)
    helper = torch.tensor([0.0, 0.0, 1.0]) if float(tangent[:, 2].abs().max()) < 0.8 else torch.tensor([1.0, 0.0, 0.0])
    if float((tangent * helper).sum(-1).abs().max()) > 0.98:
        helper = torch.tensor([0.0, 1.0, 0.0])
    side_a = torch.nn.functional.normalize(torch.linalg.cross(helper.expand_as(tangent), tangent), dim=-1)
    side_b = torch.linalg.cross(tangent, side_a)
    points, width = [path], [radius]
    if round_ends:
        first = torch.stack([path[0] - tangent[0] * radius[0] * k for k in (1.0, 0.75)])
        last = torch.stack([path[-1] + tangent[-1] * radius[-1] * k for k in (0.75, 1.0)])
        points = [first, path, last]
        width = [radius[0] * torch.tensor([0.0, 0.66]), radius, radius[-1] * torch.tensor([0.66, 0.0])]
        side_a = torch.cat([side_a[:1].expand(2, 3), side_a, side_a[-1:].expand(2, 3)])
        side_b = torch.cat([side_b[:1].expand(2, 3), side_b, side_b[-1:].expand(2, 3)])
    else:
        points = [path[:1], path, path[-1:]]
        width = [torch.zeros(1), radius, torch.zeros(1)]
        side_a = torch.cat([side_a[:1], side_a, side_a[-1:]])
        side_b = torch.cat([side_b[:1], side_b, side_b[-1:]])
    center, reach = torch.cat(points)[:, None], torch.cat(width)[:, None, None]
    angle = torch.arange(sides)[None, :, None] / sides * 2 * torch.pi
    return loft(center + reach * (side_a[:, None] * angle.cos() + flat * side_b[:, None] * angle.sin()))


def surface_net(field: Callable[[Tensor], Tensor], low: Tensor, high: Tensor, cell: float) -> Mesh:
    """The zero surface of a distance field (negative inside) on a grid, pulled onto the field itself.

    Args:
        field: points [N, 3] -> distance [N].
        low, high: [3] corners of a box that holds the whole surface.
        cell: grid step.
    """
    size = [int(n) + 2 for n in ((high - low) / cell).ceil()]
    axes = [low[i] + cell * torch.arange(size[i]) for i in range(3)]
    # Points lie coordinate by coordinate, which makes the field's arithmetic faster.
    grid = torch.stack([axis.flatten() for axis in torch.meshgrid(*axes, indexing="ij")])
    value = field(grid.T).reshape(size)
    inside = value < 0
    corners = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]

    def corner(t: Tensor, c: tuple[int, int, int]) -> Tensor:
        return t[c[0] : size[0] - 1 + c[0], c[1] : size[1] - 1 + c[1], c[2] : size[2] - 1 + c[2]]

    count = torch.stack([corner(inside, c).int() for c in corners]).sum(0)
    cells = ((count > 0) & (count < 8)).nonzero()  # [N, 3]
    index = torch.full([s - 1 for s in size], -1, dtype=torch.int64)
    index[cells[:, 0], cells[:, 1], cells[:, 2]] = torch.arange(len(cells))
    vertices = (low + cell * (cells + 0.5)).T.contiguous().T
    normals = torch.zeros_like(vertices)
    for _ in range(4):
        normals, distance = _gradient(field, vertices, cell * 0.25)
        vertices = vertices - normals * distance[:, None].clamp(-0.5 * cell, 0.5 * cell)
    quads = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        first = inside.narrow(axis, 0, size[axis] - 1)
        second = inside.narrow(axis, 1, size[axis] - 1)
        edges = (first != second).nonzero()
        edges = edges[(edges[:, u] > 0) & (edges[:, v] > 0) & (edges[:, u] < size[u] - 1) & (edges[:, v] < size[v] - 1)]
        outward = first[edges[:, 0], edges[:, 1], edges[:, 2]]
        around = []
        for du, dv in ((-1, -1), (0, -1), (0, 0), (-1, 0)):
            at = edges.clone()
            at[:, u] += du
            at[:, v] += dv
            around.append(index[at[:, 0], at[:, 1], at[:, 2]])
        quad = torch.stack(around, -1)
        quads.append(torch.where(outward[:, None], quad, quad.flip(1)))
    quad = torch.cat(quads)
    faces = torch.cat([quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]])
    return Mesh(vertices=vertices, normals=normals, faces=faces)


def _gradient(field: Callable[[Tensor], Tensor], points: Tensor, step: float) -> tuple[Tensor, Tensor]:
    """Unit gradient [N, 3] and value [N] of a field."""
    shift = step * torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    places = torch.stack([(row + by[:, None]).flatten() for row, by in zip(points.T, shift.T, strict=True)])
    values = field(places.T).reshape(4, -1)
    gradient = torch.einsum("kn,kd->nd", values, shift)
    return torch.nn.functional.normalize(gradient, dim=-1), values.mean(0)
