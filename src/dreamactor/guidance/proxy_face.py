"""A reference's face that follows an expression: its texture is redrawn frame by frame before it is carried along.

Lids and lips are layers: skin that moves over an eyeball and over the inside of a mouth. Around each eye and around the
mouth every column of the face is stretched between lines that keep their thickness (brow, lash line, lips) and lines that
stand still, so a lid takes the skin above the eye with it and a chin takes the outline of the face with it. An eye or mouth
that does not move keeps its pixels untouched.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import torch

from dreamactor.geometry.rotation import angles_to_matrix, flip_axes
from dreamactor.geometry.skeleton import FACE_POINT
from dreamactor.guidance.face_transfer import BROWS, CHIN, EYES, IRIS, LIPS_INNER, LIPS_OUTER, face_in_view, plane_points
from dreamactor.guidance.inpaint import fill_holes
from dreamactor.guidance.proxy_parts import PART
from dreamactor.guidance.proxy_raster import Surface, bilinear, texels
from dreamactor.types.track import PersonTrack

_LEAST_RADIUS: Final = 8.0
"""Head radius in pixels below which a face has too few pixels to be warped."""
_TEETH: Final = (205.0, 200.0, 190.0)
"""Colour of upper teeth that no reference saw."""
_LEAST_VIEW: Final = 0.4
"""How far a reference's face must be in view, see `face_in_view`."""
_STILL_PX: Final = 0.2
"""Moves smaller than this are not drawn."""
_BROW: Final = 0.28
"""Half the thickness that a brow keeps, in half widths of the eye."""
_LASH: Final = 0.16
"""Width above the lid's edge that moves with it as it is, in half widths of the eye."""
_LARGEST_RAISE: Final = 0.3
"""Head radii by which a brow may be raised."""
_LID: Final = 0.8
"""Height of the skin above and below the eye that lids stretch, in half widths of the eye; glasses are farther away."""
_INVENTED: Final = 0.3
"""A mouth that the reference shows less open than this share is not stretched but left to be invented."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceRig:
    """One reference's face, ready to move.

    Attributes:
        points: [P, 2] float64 plane points in the picture's own view (head radii, see `face_transfer`); what
            `transfer_expression` is asked about is `posed`.
        posed: [P, 2] float32 tensor, the same with the head's turn taken out in depth as well.
        window: rows and columns of the texture that may change.
        plane: [h, w, 2] float32 plane coordinates of the window's texels.
        to_px: [2, 2] plane to texels.
        eyes: of both sides.
        inside: [3] colour of a mouth that was never seen inside.
    """

    points: np.ndarray
    posed: torch.Tensor
    window: tuple[slice, slice]
    plane: np.ndarray
    to_px: np.ndarray
    eyes: tuple[_Eye, ...]
    inside: np.ndarray


def prepare_face(person: PersonTrack, texture: np.ndarray, *, pad: int) -> FaceRig | None:
    """Finds lids and lips of one reference; None where its face is too small or too far from the front.

    Args:
        person: one frame.
        texture: [Ht, Wt, 3] float32, the padded picture.
        pad: texels around the picture.
    """
    radius = float(person.head.radius_px[0])
    if radius < _LEAST_RADIUS or float(face_in_view(person)[0]) < _LEAST_VIEW:
        return None
    marks = person.face.landmarks[0, :, :2].numpy().astype(np.float64) + pad
    middle = marks[[EYES["right"][0], EYES["left"][0]]].mean(axis=0)
    to_px = flip_axes(angles_to_matrix(person.head.angles_rad[0]))[:2, :2].numpy().astype(np.float64) * radius
    to_plane = np.linalg.inv(to_px)
    points = (marks - middle) @ to_plane.T
    margin = np.array((0.15, 0.4))
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    corners = np.array([(x, y) for x in (low[0], high[0]) for y in (low[1], high[1])]) @ to_px.T + middle
    x0, y0 = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(corners.max(axis=0)).astype(int), (texture.shape[1], texture.shape[0]))
    if x1 - x0 < 4 or y1 - y0 < 4:
        return None
    texels = np.stack(np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5), axis=-1)
    plane = ((texels - middle) @ to_plane.T).astype(np.float32)
    window = (slice(int(y0), int(y1)), slice(int(x0), int(x1)))
    eyes = tuple(_Eye.of(side, points, plane, texture[window], texel=1.0 / radius) for side in EYES)
    lips = (points[[LIPS_OUTER[i] for i in (3, 9)]] + points[[LIPS_INNER[i] for i in (2, 6)]]) / 2
    inside = 0.3 * bilinear(texture, lips @ to_px.T + middle).mean(axis=0)
    return FaceRig(
        points=points, posed=plane_points(person)[0], window=window, plane=plane, to_px=to_px, eyes=eyes,
        inside=inside,
    )  # fmt: skip


def paint_face(rig: FaceRig, moved: np.ndarray, base: Surface, canvas: Surface) -> None:
    """Writes the face into the canvas.

    Args:
        moved: [P, 2] how far each point moves, in plane coordinates.
        base: the skin as the reference shows it.
        canvas: overwritten inside the rig's window.
    """
    window = rig.window
    for one in fields(base):
        getattr(canvas, one.name)[window] = getattr(base, one.name)[window]
    goal = rig.points + moved
    radius = float(np.linalg.norm(rig.to_px[:, 1]))
    shift = np.zeros_like(rig.plane)
    covers: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # share, colour, known
    still = _STILL_PX / radius
    for eye in rig.eyes:
        involved = [*EYES[eye.side], *BROWS[eye.side], IRIS[eye.side]]
        if np.abs(moved[involved]).max() > still:
            covers.append(_move_eye(rig, eye, goal, shift, texel=1.0 / radius))
    mouth = [*LIPS_OUTER, *LIPS_INNER, CHIN]
    if np.abs(moved[mouth]).max() > still:
        covers.append(_move_mouth(rig, goal, shift, base.texture, texel=1.0 / radius))
    if not covers:
        return
    width = shift.shape[1]
    offset = shift.reshape(-1, 2) @ rig.to_px.T.astype(np.float32)
    changed = np.abs(offset).max(axis=1) > 0.02
    for share, _, _ in covers:
        changed |= share.reshape(-1) > 0
    where = np.flatnonzero(changed)
    y, x = where // width, where % width
    source = np.stack((x + window[1].start + 0.5, y + window[0].start + 0.5), axis=1) - offset[where]
    colour = bilinear(base.texture, source)
    known = np.ones(len(where), dtype=bool)
    for share, over, seen in covers:
        part = share.reshape(-1)[where, None]
        colour += (over.reshape(-1, 3)[where] - colour) * part
        known &= seen.reshape(-1)[where] | (part[:, 0] < 0.5)
    _write(base, canvas, (y + window[0].start, x + window[1].start), source, colour, known)


def _write(
    base: Surface, canvas: Surface, to: tuple[np.ndarray, np.ndarray], source: np.ndarray, colour: np.ndarray,
    known: np.ndarray,
) -> None:  # fmt: skip
    """Copies what belongs to the head where it came from, and moves the head's outline with it."""
    head = PART["head"]
    at_y, at_x = texels(source, base.owner.shape)
    is_head, was_head = base.owner[at_y, at_x] == head, base.owner[to] == head
    here = (to[0][is_head], to[1][is_head])
    canvas.texture[here] = canvas.inner_texture[here] = colour[is_head]
    canvas.known[here] = known[is_head]
    fresh = is_head & ~was_head
    new = (to[0][fresh], to[1][fresh])
    canvas.owner[new] = head
    canvas.exists[new] |= 1 << head
    canvas.shown_depth[new] = np.abs(base.shown_depth[at_y[fresh], at_x[fresh]]) + 1e3  # whatever was there is behind now
    gone = (to[0][was_head & ~is_head], to[1][was_head & ~is_head])
    canvas.owner[gone] = -1
    canvas.exists[gone] &= ~(1 << head)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Frame:
    """Frame of one eye: origin between its corners, first axis to the outer corner, unit half its width."""

    middle: np.ndarray
    axes: np.ndarray
    half: float

    def place(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates along and down of points [..., 2]."""
        away = (points - self.middle.astype(points.dtype)) @ (self.axes.T / self.half).astype(points.dtype)
        return away[..., 0], away[..., 1]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Eye:
    """One eye of the reference; arrays over the texels of its box, heights in its frame.

    Attributes:
        side: "left" or "right".
        frame: of the eye.
        box: rows and columns of the window.
        across, down: coordinates of the texels.
        bow: 1 - across squared, not below 0.
        upper, lower, brow: lines of the reference there.
        brow_basis: [3, h, w] what three coefficients of a parabola are multiplied with.
        brow_fit: [3, 5] from the heights of the brow's points to those coefficients.
        eyeball: [h, w, 3] the picture with lids taken away.
    """

    side: str
    frame: _Frame
    box: tuple[slice, slice]
    across: np.ndarray
    down: np.ndarray
    bow: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    brow: np.ndarray
    brow_basis: np.ndarray
    brow_fit: np.ndarray
    eyeball: np.ndarray

    @staticmethod
    def of(side: str, points: np.ndarray, plane: np.ndarray, picture: np.ndarray, *, texel: float) -> _Eye:
        outer, inner = points[EYES[side][0]], points[EYES[side][3]]
        half = max(float(np.linalg.norm(outer - inner)) / 2, 1e-3)
        axis = (outer - inner) / (2 * half)
        down_axis = np.array((-axis[1], axis[0])) * (1.0 if axis[0] > 0 else -1.0)
        frame = _Frame(middle=(outer + inner) / 2, axes=np.stack((axis, down_axis)), half=half)
        brow_x, brow_y = frame.place(points[BROWS[side]])
        across, down = frame.place(plane)
        box = _box((np.abs(across) < 1.9) & (down > brow_y.min() - 2.0 - _LARGEST_RAISE / half) & (down < 1.6))
        across, down = across[box], down[box]
        bow = np.maximum(1.0 - across**2, 0.0)
        upper, lower = _lids(side, frame, points, across, bow)
        along = np.clip(across, brow_x.min(), brow_x.max())
        basis = np.stack((np.ones_like(along), along, along**2))
        fit = np.linalg.pinv(np.vander(brow_x, 3, increasing=True)).astype(np.float32)
        soft = texel / half
        shown = (down > upper + 0.5 * soft + _LASH) & (down < lower - 0.7 * soft) & (np.abs(across) < 0.95)
        eyeball = fill_holes(picture[box], shown, smooth_steps=1) if shown.sum() >= 4 else picture[box]
        return _Eye(
            side=side, frame=frame, box=box, across=across, down=down, bow=bow, upper=upper, lower=lower,
            brow=np.tensordot(fit @ brow_y.astype(np.float32), basis, axes=1), brow_basis=basis, brow_fit=fit,
            eyeball=eyeball,
        )  # fmt: skip


def _lids(
    side: str, frame: _Frame, points: np.ndarray, across: np.ndarray, bow: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Height of the upper and the lower lid of a face [P, 2] at places along the eye."""
    found = []
    for pair in (EYES[side][1:3], EYES[side][4:6]):
        u, v = frame.place(points[pair])
        u = np.clip(u, -0.8, 0.8)
        value = v / (1.0 - u**2)
        apart = u[0] - u[1]
        slope = float(np.clip((value[0] - value[1]) / apart, -0.8, 0.8)) if abs(apart) > 0.1 else 0.0
        found.append(bow * (np.float32(value.mean() - slope * u.mean()) + np.float32(slope) * across))
    return found[0], np.maximum(found[1], found[0])


def _move_eye(
    rig: FaceRig, eye: _Eye, goal: np.ndarray, shift: np.ndarray, *, texel: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Adds an eye's share to the skin's shift; returns the eyeball's share, colour and whether it was seen."""
    frame, across, down = eye.frame, eye.across, eye.down
    upper, lower = _lids(eye.side, frame, goal, across, eye.bow)
    heights = frame.place(goal[BROWS[eye.side]])[1].astype(np.float32)
    brow = np.tensordot(eye.brow_fit @ heights, eye.brow_basis, axes=1)
    raised = (brow - eye.brow) * (1.0 - _smooth(np.abs(across), 1.15, 1.9))
    soft = texel / frame.half
    lash = max(_LASH, 1.3 * soft)  # what is mixed with the eye moves with the eye's edge
    opened, lowered = upper - eye.upper, lower - eye.lower
    calm = np.minimum(np.maximum(brow + _BROW, eye.upper - _LID), upper - lash)
    knots = [
        np.minimum(brow, eye.brow) - 0.9 - np.abs(raised), brow - _BROW, brow + _BROW, calm, upper - lash, upper,
        lower, lower + 0.7 * lash, lower + _LID,
    ]  # fmt: skip
    moves = [0.0, raised, raised, 0.2 * raised, opened, opened, lowered, lowered, 0.0]
    shift[eye.box] += _ramps(down, knots, moves)[..., None] * (frame.half * frame.axes[1]).astype(np.float32)
    share = np.clip((down - upper) / soft + 0.5, 0, 1) * np.clip((lower - down) / soft + 0.5, 0, 1)
    share *= np.clip((1.0 - np.abs(across)) / soft + 0.5, 0, 1) * np.clip((lower - upper) / soft, 0, 1)
    gaze = (goal - rig.points)[IRIS[eye.side]] @ rig.to_px.T
    y, x = np.nonzero(share)
    colour = np.zeros((*share.shape, 3), dtype=np.float32)
    colour[y, x] = bilinear(eye.eyeball, np.stack((x + 0.5 - gaze[0], y + 0.5 - gaze[1]), axis=1).astype(np.float32))
    return _whole(shift, eye.box, share, colour, eye.lower - eye.upper > 0.35 * (lower - upper))


def _whole(
    shift: np.ndarray, box: tuple[slice, slice], share: np.ndarray, colour: np.ndarray, seen: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A box of the window as the whole window: share (0 outside), colour, seen (True outside)."""
    height, width, _ = shift.shape
    shares, colours = np.zeros((height, width), dtype=np.float32), np.zeros((height, width, 3), dtype=np.float32)
    all_seen = np.ones((height, width), dtype=bool)
    shares[box], colours[box], all_seen[box] = share, colour, seen
    return shares, colours, all_seen


def _move_mouth(
    rig: FaceRig, goal: np.ndarray, shift: np.ndarray, texture: np.ndarray, *, texel: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Adds the mouth's and the jaw's share to the skin's shift; returns the mouth's inside as `_move_eye` does."""
    before, after = _Mouth.of(rig.points), _Mouth.of(goal)
    base = float(rig.points[[FACE_POINT["right_ala"], FACE_POINT["left_ala"]], 1].mean()) + 0.03
    rows, columns = _box(rig.plane[..., 1] > base)
    x, y = rig.plane[rows, columns, 0], rig.plane[rows, columns, 1]
    place = (x - after.middle) / after.half
    was, now = before.curves(place), after.curves(place)
    chin = goal[CHIN, 1]
    drop = float((goal - rig.points)[CHIN, 1])
    reach = max(float(np.abs(rig.points[[FACE_POINT["right_cheek"], FACE_POINT["left_cheek"]], 0]).mean()), 0.3)
    jaw = drop * (1.0 - _smooth(np.abs(x) / reach, 0.5, 1.05))
    fade = 1.0 - _smooth(np.abs(place), 1.0, 2.0)
    lips = [0.45 * jaw + (new - old - 0.45 * jaw) * fade for new, old in zip(now, was, strict=True)]
    knots = [np.full_like(x, base), *now, np.full_like(x, chin)]
    down = _ramps(y, knots, [0.0, *lips, jaw])
    aside = (after.middle - before.middle) + np.clip(place, -1, 1) * (after.half - before.half)
    level = np.clip((y - base) / np.maximum(now[0] - base, 0.02), 0, 1)
    level = level * np.clip((chin + 0.1 - y) / np.maximum(chin + 0.1 - now[3], 0.02), 0, 1)
    shift[rows, columns] += np.stack((aside * fade * level, down), axis=-1).astype(np.float32)
    gap, was_gap = now[2] - now[1], was[2] - was[1]
    share = np.clip((y - now[1]) / texel + 0.5, 0, 1) * np.clip((now[2] - y) / texel + 0.5, 0, 1)
    share *= np.clip((gap - 0.012) / 0.02, 0, 1) * (np.abs(place) < 1.0)
    from_top = np.clip((y - now[1]) / np.maximum(gap, 1e-3), 0, 1)
    source = np.stack((before.middle + place * before.half, was[1] + from_top * was_gap), axis=-1)
    origin = np.array((rig.window[1].start, rig.window[0].start)) + 0.5 - rig.plane[0, 0] @ rig.to_px.T
    seen = (was_gap > 0.03) & (was_gap > _INVENTED * gap)
    colour = np.broadcast_to(rig.inside.astype(np.float32), (*share.shape, 3)).copy()
    colour[(y - now[1] < np.minimum(0.4 * gap, 0.075)) & (np.abs(place) < 0.85)] = _TEETH
    shown = seen & (share > 0)
    colour[shown] = bilinear(texture, source[shown] @ rig.to_px.T + origin)
    return _whole(shift, (rows, columns), share, colour, seen)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mouth:
    """Lip lines over the place across the mouth, -1 at its right corner (image left) and 1 at the left one."""

    middle: float
    half: float
    lines: tuple[tuple[np.ndarray, np.ndarray], ...]

    @staticmethod
    def of(points: np.ndarray) -> _Mouth:
        right, left = points[LIPS_OUTER[0]], points[LIPS_OUTER[6]]
        middle, half = float(right[0] + left[0]) / 2, max(float(left[0] - right[0]) / 2, 0.02)
        lines = []
        for group in (
            LIPS_OUTER[:7],
            [LIPS_OUTER[0], *LIPS_INNER[:5], LIPS_OUTER[6]],
            [LIPS_OUTER[0], LIPS_INNER[0], *LIPS_INNER[:3:-1], LIPS_OUTER[6]],
            [LIPS_OUTER[0], *LIPS_OUTER[:6:-1], LIPS_OUTER[6]],
        ):
            place = (points[group, 0] - middle) / half
            lines.append((np.maximum.accumulate(place), points[group, 1]))
        return _Mouth(middle=middle, half=half, lines=tuple(lines))

    def curves(self, place: np.ndarray) -> list[np.ndarray]:
        """y of upper outer, upper inner, lower inner and lower outer line, in this order downwards."""
        found = [np.interp(place, *line).astype(np.float32) for line in self.lines]
        for upper, lower in ((0, 1), (1, 2), (2, 3)):
            found[lower] = np.maximum(found[lower], found[upper])
        return found


def _ramps(value: np.ndarray, knots: list[np.ndarray], moves: list[np.ndarray | float]) -> np.ndarray:
    """Piecewise linear function of `value` through (knot, move), where every place has knots of its own."""
    total = np.zeros_like(value) + moves[0]
    low = knots[0]
    for index in range(1, len(knots)):
        high = np.maximum(knots[index], low)
        share = np.clip((value - low) / np.maximum(high - low, 1e-3), 0.0, 1.0)
        total += share * (moves[index] - moves[index - 1])
        low = high
    return total


def _smooth(value: np.ndarray, low: float, high: float) -> np.ndarray:
    share = np.clip((value - low) / (high - low), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def _box(inside: np.ndarray) -> tuple[slice, slice]:
    """Bounding box of a mask [H, W]; empty where it is nowhere true."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if rows.size == 0:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
