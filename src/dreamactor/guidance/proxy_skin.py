"""One reference picture as a skin of triangle sheets: which pixel belongs to which part, how deep it lies, and which bones
move it.

Made once per reference; `textured_proxy` moves and draws it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from dreamactor.guidance.inpaint import fill_holes, grow
from dreamactor.guidance.proxy_bones import BONE, BONES, BoneFrames, bone_frames
from dreamactor.guidance.proxy_face import FaceRig, prepare_face
from dreamactor.guidance.proxy_guess import COLOUR_BINS, fill_colours, hair_colour, head_fill, mirror_places, skin_colour
from dreamactor.guidance.proxy_parts import (
    PARTS,
    Capsule,
    Field,
    capsule_field,
    fit_radii,
    label_pixels,
    outline_reach,
    part_links,
    person_capsules,
    reach_at,
    skirt_hem,
    surface_depth,
)
from dreamactor.guidance.proxy_raster import Sheets, Surface, interpolate, rasterize
from dreamactor.types.guidance import ReferenceImage
from dreamactor.types.track import PersonTrack

_HEAD_WIDTH, _HEAD_FRONT, _HEAD_BACK = 0.78, 0.85, 0.95
"""Half the width of a bald head, and how far it reaches to front and back, in head radii (half the height)."""
_FULLNESS: Final = 2.6
"""Exponent of a head's section: 2 is an ellipse, more is fuller."""
_POINTS_AT_ONCE: Final = 256
_TARGET_CELLS: Final = 1400
"""Grid cells that the person's pixels are divided into, about."""
_MADE_TRUST: Final = 0.3
"""Of a picture that a model made, against a given one that saw the surface as squarely."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxySkin:
    """One reference as a skin of sheets.

    Attributes:
        frames: bone frames of the reference's pose (one time).
        sheets: triangles; texture places in texels of the padded picture.
        rest: [V, 3] float32 px3 of every vertex in the reference's pose.
        weights: [V, B] float32, rows sum to one.
        fill: [V, 3] float32 RGB where nothing was seen.
        mirror: [V, 3] float32 texture place and depth of the vertex's mirror image on the other side of the body.
        facing: [V] float32 in 0..1, how squarely the reference saw the surface.
        surface: the padded picture.
        size: height and width of the picture.
        head_px: radius of the head in the picture.
        gain: [3] float32 factor of the colours that makes them those of the other references.
        face: the part of the picture that moves by itself; None where no face is in view.
        trust: factor of how well it saw a surface, against other references.
    """

    frames: BoneFrames
    sheets: Sheets
    rest: np.ndarray
    weights: np.ndarray
    fill: np.ndarray
    mirror: np.ndarray
    facing: np.ndarray
    surface: Surface
    size: tuple[int, int]
    head_px: float
    gain: np.ndarray
    face: FaceRig | None
    trust: float


def person_mask(reference: ReferenceImage) -> np.ndarray:
    """[H, W] bool; the capsules' own outline where no mask could be had."""
    if reference.mask is not None:
        return reference.mask.numpy() > 127
    height, width, _ = reference.image.shape
    x, y = np.arange(width, dtype=np.float32)[None] + 0.5, np.arange(height, dtype=np.float32)[:, None] + 0.5
    inside = np.zeros((height, width), dtype=bool)
    for capsule in person_capsules(reference.person):
        inside |= capsule_field(capsule, x, y).outside < 0.1 * max(capsule.radius)
    return inside


def build_skin(reference: ReferenceImage) -> ProxySkin:
    """Lifts one reference to a skin of sheets."""
    mask = person_mask(reference)
    height, width = mask.shape
    pad = max(height, width) // 2  # parts outside the picture may come into it
    capsules = fit_radii(person_capsules(reference.person), mask)

    # pixels: which part shows, and where hidden parts reach
    x = np.arange(-pad, width + pad, dtype=np.float32)[None, :] + 0.5
    y = np.arange(-pad, height + pad, dtype=np.float32)[:, None] + 0.5
    fields = tuple(capsule_field(capsule, x, y) for capsule in capsules)
    window = (slice(pad, pad + height), slice(pad, pad + width))
    owner = np.full(fields[0].distance.shape, -1, dtype=np.int16)
    owner[window] = np.where(mask, label_pixels(capsules, fields)[window], -1)
    allowed = np.ones(owner.shape, dtype=bool)  # a part may hide where the picture does not show background
    allowed[window] = mask
    hem = skirt_hem(capsules, mask)
    exists = np.zeros(owner.shape, dtype=np.int64)
    for index, field in enumerate(fields):
        hidden = allowed & (field.outside < 0)
        if PARTS[index].endswith("thigh") and hem > 0.0:  # legs under cloth are never seen through it
            hidden &= field.along > hem
        if PARTS[index].endswith("shin") and hem > 1.0:
            hidden &= field.along > hem - 1.0
        exists |= ((owner == index) | hidden).astype(np.int64) << index

    texture = np.zeros((*owner.shape, 3), dtype=np.float32)
    picture = reference.image.numpy().astype(np.float32)
    texture[window] = fill_holes(picture, mask, smooth_steps=0)
    inner = np.zeros_like(texture)  # edge pixels are mixed with the background: not fit to be stretched
    inner[window] = fill_holes(picture, ~grow(~mask, max(1, round(min(mask.shape) / 160))), smooth_steps=0)
    colours = fill_colours(fields, owner, inner)
    cell = int(np.clip(round(float(np.sqrt(mask.sum() / _TARGET_CELLS))), 2, 32))
    return _stitch(reference, capsules, fields, owner, exists, (texture, inner), colours, hem=hem, pad=pad, cell=cell)


def _stitch(
    reference: ReferenceImage,
    capsules: tuple[Capsule, ...],
    fields: tuple[Field, ...],
    owner: np.ndarray,
    exists: np.ndarray,
    textures: tuple[np.ndarray, np.ndarray],
    colours: np.ndarray,
    *,
    hem: float,
    pad: int,
    cell: int,
) -> ProxySkin:
    """Lays a grid over every part, lifts its points to the part's front and back, and binds them to bones."""
    grid_y, grid_x = (np.arange(0, size + cell, cell, dtype=np.float32) for size in owner.shape)
    at_x, at_y = grid_x[None, :] - pad, grid_y[:, None] - pad  # [gh, gw] in the picture's pixels
    seen_from = tuple(capsule_field(capsule, at_x, at_y) for capsule in capsules)
    lifted = []
    for index, (capsule, field) in enumerate(zip(capsules, seen_from, strict=True)):
        if PARTS[index] == "head" and (owner == index).any():
            hull, skull = (
                _inflated(reference.person, owner == index, owner < 0, pad=pad, x=at_x, y=at_y),
                surface_depth(capsule, field),
            )
            lifted.append((np.minimum(hull[0], skull[0]), np.maximum(hull[1], skull[1])))
            continue
        reach = reach_at(field, outline_reach(fields[index], owner == index))
        lifted.append(surface_depth(capsule, field, reach))
    links = part_links(capsules, hem)
    frames = bone_frames(reference.person)
    hair = hair_colour(textures[1], owner, reference.person, pad=pad)
    skin = skin_colour(textures[1], owner, reference.person, hair, pad=pad)
    vertices: dict[str, list[np.ndarray]] = {k: [] for k in ("rest", "weights", "fill", "mirror", "texture", "facing")}
    faces: dict[str, list[np.ndarray]] = {k: [] for k in ("triangles", "layer", "facing")}
    count = 0

    def add(points: dict[str, np.ndarray], triangles: np.ndarray, facing: int, index: int) -> None:
        nonlocal count
        for key, values in points.items():
            vertices[key].append(values)
        faces["triangles"].append(triangles + count)
        faces["layer"].append(np.full(len(triangles), index, dtype=np.int32))
        faces["facing"].append(np.full(len(triangles), facing, dtype=np.int8))
        count += len(points["rest"])

    for index in range(len(PARTS)):
        here = (exists >> index & 1).astype(bool)
        corner, cells = _active_cells(here, cell, at_x.shape[1])
        if corner.size == 0:
            continue
        rows, columns = corner // at_x.shape[1], corner % at_x.shape[1]
        shares = _skin_weights(index, seen_from, links[index], at_x, at_y, rows, columns)
        near = sum(share * lifted[part][0][rows, columns] for part, _, share in shares)
        far = sum(share * lifted[part][1][rows, columns] for part, _, share in shares)
        own_depth = max(capsules[index].depth)
        place = seen_from[index].along[rows, columns]
        texel = np.stack((grid_x[columns], grid_y[rows]), axis=1)
        shared = {
            "weights": _bone_weights(shares, seen_from[0].along[rows, columns]),
            "fill": colours[index, np.minimum((place * COLOUR_BINS).astype(int), COLOUR_BINS - 1)],
            "mirror": np.zeros((len(corner), 3), dtype=np.float32),
            "texture": texel,
            "facing": np.clip((far - near) / (2.0 * own_depth), 0.0, 1.0),
        }
        front = {**shared, "rest": np.stack((texel[:, 0] - pad, texel[:, 1] - pad, near), axis=1)}
        back = {**shared, "rest": np.stack((texel[:, 0] - pad, texel[:, 1] - pad, far), axis=1)}
        for sheet in (front, back):
            sheet["mirror"] = mirror_places(index, sheet["rest"], frames) + np.array((pad, pad, 0.0), dtype=np.float32)
            if PARTS[index] == "head":
                sheet["fill"] = head_fill(sheet["rest"], sheet["fill"], reference.person, hair=hair, skin=skin)
        add(front, cells, 1, index)
        add(back, cells, -1, index)
        rim, inside = _rim(here, ~here)
        lookup = np.full(grid_x.size * grid_y.size, -1)
        lookup[corner] = np.arange(len(corner))
        ends = [_along_sheet(sheet, lookup, rim, inside, cell, at_x.shape[1]) for sheet in (front, back)]
        quads = 2 * np.arange(len(rim) // 2)[:, None]
        back_row = len(rim)
        walls = np.concatenate((quads + (0, 1, back_row), quads + (1, back_row + 1, back_row)))  # noqa: RUF005
        add({key: np.concatenate((ends[0][key], ends[1][key])) for key in front}, walls, 0, index)
    merged = {key: np.concatenate(parts).astype(np.float32) for key, parts in vertices.items()}
    triangles = np.concatenate(faces["triangles"])
    corners = merged["rest"][triangles]
    edge1, edge2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    sheets = Sheets(
        triangles=triangles,
        layer=np.concatenate(faces["layer"]),
        facing=np.concatenate(faces["facing"]),
        texture=merged["texture"],
        rest_depth=merged["rest"][:, 2],
        rest_area=np.maximum(np.abs(edge1[:, 0] * edge2[:, 1] - edge1[:, 1] * edge2[:, 0]), 1e-3),
    )
    surface = Surface(
        texture=textures[0],
        inner_texture=textures[1],
        known=np.ones(owner.shape, dtype=bool),
        exists=exists,
        owner=owner,
        shown_depth=np.full(owner.shape, 1e6, dtype=np.float32),
    )
    return ProxySkin(
        frames=frames,
        sheets=sheets,
        rest=merged["rest"],
        weights=merged["weights"],
        fill=merged["fill"],
        mirror=merged["mirror"],
        facing=merged["facing"],
        surface=replace(surface, shown_depth=_shown_depth(sheets, surface, merged["rest"], pad)),
        size=(int(reference.image.shape[0]), int(reference.image.shape[1])),
        gain=np.ones(3, dtype=np.float32),
        head_px=float(reference.person.head.radius_px[0]),
        face=prepare_face(reference.person, textures[0], pad=pad),
        trust=_MADE_TRUST if reference.made else 1.0,
    )


def _inflated(
    person: PersonTrack, own: np.ndarray, outside: np.ndarray, *, pad: int, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Depth of a head's front and back: round towards its outline whatever that is, so hair and hats have a volume too.

    Args:
        person: one frame.
        own, outside: [Ht, Wt] bool, texels of the head, texels of the background.
        pad: texels around the picture.
        x, y: [1, w], [h, 1] grid points in pixels.
    """
    center, radius = person.head.center[0].numpy(), max(float(person.head.radius_px[0]), 1.0)
    points = _rim(own, outside)[0][::2] - pad
    within = np.full(np.broadcast_shapes(x.shape, y.shape), radius if len(points) == 0 else 0.0, dtype=np.float32)
    if len(points):
        texel_y, texel_x = (np.clip(v.astype(int) + pad, 1, n - 1) for v, n in zip((y, x), own.shape, strict=True))
        rows, columns = np.nonzero(own[texel_y, texel_x] | own[texel_y - 1, texel_x - 1])
        for start in range(0, len(rows), _POINTS_AT_ONCE):
            one = slice(start, start + _POINTS_AT_ONCE)
            away = np.hypot(x[0, columns[one], None] - points[None, :, 0], y[rows[one], 0, None] - points[None, :, 1])
            within[rows[one], columns[one]] = away.min(axis=1)
    rounded = (1.0 - (1.0 - np.clip(within / radius, 0.0, 1.0)) ** _FULLNESS) ** (1.0 / _FULLNESS)
    hair = float(np.clip(within.max() / radius - _HEAD_WIDTH, 0.0, 0.4))  # cover all around as thick as at the sides
    towards = float(torch.cos(person.head.angles_rad[0, :2]).prod())  # 1 seen from the front, -1 from behind
    side, face, back = _HEAD_WIDTH + hair, _HEAD_FRONT, _HEAD_BACK + hair
    near, far = (face, back) if towards > 0 else (back, face)
    near, far = (side + abs(towards) * (depth - side) for depth in (near, far))
    return (center[2] - near * radius * rounded).astype(np.float32), (center[2] + far * radius * rounded).astype(np.float32)


def _shown_depth(sheets: Sheets, surface: Surface, rest: np.ndarray, pad: int) -> np.ndarray:
    """[Ht, Wt] float32 depth of the surface that the reference shows in each texel, for sheets that lack it so far."""
    height, width = surface.owner.shape
    hits = rasterize(sheets, surface, rest + np.array((pad, pad, 0.0), dtype=np.float32), width=width, height=height)
    depth = np.full(height * width, -1e6, dtype=np.float32)
    depth[hits.pixel] = interpolate(rest[:, 2:], sheets.triangles[hits.triangle], hits.weights)[:, 0]
    return depth.reshape(height, width)


def _active_cells(here: np.ndarray, cell: int, grid_width: int) -> tuple[np.ndarray, np.ndarray]:
    """Grid points and triangles that cover a part.

    Args:
        here: [Ht, Wt] bool, texels of the part.

    Returns:
        [V] grid point numbers (row * grid_width + column), [N, 3] triangles as positions in that list.
    """
    height, width = here.shape
    tall, wide = -(-height // cell) * cell, -(-width // cell) * cell
    padded = np.zeros((tall, wide), dtype=bool)
    padded[:height, :width] = here
    active = padded.reshape(tall // cell, cell, wide // cell, cell).any(axis=(1, 3))
    rows, columns = np.nonzero(active)
    a = rows * grid_width + columns
    b, c, d = a + 1, a + grid_width, a + grid_width + 1
    corners = np.concatenate((np.stack((a, b, c), 1), np.stack((b, d, c), 1)))
    points, triangles = np.unique(corners, return_inverse=True)
    return points, triangles.reshape(-1, 3)


def _rim(here: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sides of texels where a part ends.

    Args:
        here: [Ht, Wt] bool, texels of the part.
        outside: [Ht, Wt] bool, texels beyond a side that counts.

    Returns:
        [2 E, 2] float32 both ends (x, y) of every side, one after the other, and the same points moved a little into
        the part's texel.
    """
    padded = np.pad(outside, 1, constant_values=True)
    points, nudged = [], []
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        beyond = padded[1 + dy : padded.shape[0] - 1 + dy, 1 + dx : padded.shape[1] - 1 + dx]
        y, x = np.nonzero(here & beyond)
        middle = np.stack((x + 0.5 + 0.5 * dx, y + 0.5 + 0.5 * dy), axis=1)
        half = np.array((0.5 * dy, 0.5 * dx))
        ends = np.stack((middle + half, middle - half), axis=1)  # [E, 2, 2]
        center = np.stack((x + 0.5, y + 0.5), axis=1)[:, None]
        points.append(ends.reshape(-1, 2))
        nudged.append((ends + 0.3 * (center - ends)).reshape(-1, 2))
    return np.concatenate(points).astype(np.float32), np.concatenate(nudged).astype(np.float32)


def _along_sheet(
    sheet: dict[str, np.ndarray],
    lookup: np.ndarray,
    points: np.ndarray,
    texture: np.ndarray,
    cell: int,
    grid_width: int,
) -> dict[str, np.ndarray]:
    """Vertices that lie on a sheet's triangles at the given texture places, so that walls meet it without a gap.

    Args:
        lookup: [grid points] position in the sheet's vertex list.
        points: [K, 2] places on the sheet.
        texture: [K, 2] texture places to give the vertices.
    """
    inner = np.floor(texture / cell).astype(np.int64)  # the cell of the texel inside
    share = points / cell - inner
    corner = inner[:, 1] * grid_width + inner[:, 0]
    a, b, c, d = (lookup[corner + step] for step in (0, 1, grid_width, grid_width + 1))
    fx, fy = share[:, 0], share[:, 1]
    upper = fx + fy <= 1.0
    weights = (
        np.where(upper, 1.0 - fx - fy, 0.0), np.where(upper, fx, 1.0 - fy),
        np.where(upper, fy, 1.0 - fx), np.where(upper, 0.0, fx + fy - 1.0),
    )  # fmt: skip
    found = {}
    for key, values in sheet.items():
        parts = zip((a, b, c, d), weights, strict=True)
        wide = values.reshape(len(values), -1)
        found[key] = sum(wide[where] * weight[:, None] for where, weight in parts).reshape(len(points), *values.shape[1:])
    found["texture"] = texture
    return found


def _bone_weights(shares: list[tuple[int, int | None, np.ndarray]], spine: np.ndarray) -> np.ndarray:
    """[V, B] weights from shares of parts; the torso's own share bends along the spine from chest to hips.

    Args:
        spine: [V] place along the torso, 0 at the top.
    """
    weights = np.zeros((len(spine), len(BONES)), dtype=np.float32)
    low = _smoothstep(spine, 0.25, 0.85)
    for _, bone, share in shares:
        if bone is None:
            weights[:, BONE["chest"]] += share * (1.0 - low)
            weights[:, BONE["hips"]] += share * low
        else:
            weights[:, bone] += share
    return weights


def _skin_weights(
    index: int,
    seen_from: tuple[Field, ...],
    links: tuple,
    at_x: np.ndarray,
    at_y: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
) -> list[tuple[int, int | None, np.ndarray]]:
    """(part, bone or None for the torso's own, [V] share); shares sum to one, half and half where two parts meet."""
    own = seen_from[index].outside[rows, columns]
    x, y = at_x[0, columns], at_y[rows, 0]
    total = np.ones_like(own)
    found: list[tuple[int, int | None, np.ndarray]] = []
    for link in links:
        from_joint = np.hypot(x - link.joint[0], y - link.joint[1])
        fade = np.exp(-((np.maximum(from_joint - 1.2 * link.radius, 0.0) / (0.6 * link.radius)) ** 2))
        other = seen_from[link.part].outside[rows, columns]
        share = np.exp(np.clip((own - other) / (0.4 * link.radius), -20.0, 3.0)) * fade
        found.append((link.part, link.bone, share))
        total = total + share
    found.append((index, None if index == 0 else BONE[PARTS[index]], np.ones_like(own)))
    return [(part, bone, share / total) for part, bone, share in found]


def _smoothstep(value: np.ndarray, low: float, high: float) -> np.ndarray:
    share = np.clip((value - low) / (high - low), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)
