"""What a reference did not show of a person: people are alike on both sides, and heads are round.

Gives every vertex of a skin the place in the picture where its mirror image is seen, and a plain colour for what even that
does not tell. Everything here is a guess and is marked as unseen.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dreamactor.geometry.rotation import angles_to_matrix, flip_axes
from dreamactor.guidance.proxy_bones import BONE, BoneFrames
from dreamactor.guidance.proxy_parts import PARTS, Field
from dreamactor.types.track import PersonTrack

_CENTRAL: Final = {"torso": "chest", "head": "head", "neck": "neck"}
"""Parts that are their own mirror image, and the bone whose frame tells their sides."""
_LEFT_AXIS: Final = {"torso": 0, "head": 0}
"""Column of that frame that points to the person's left; the last one in all others."""

COLOUR_BINS: Final = 10
"""Places along a part at which its plain colour is told."""
_ENOUGH_TEXELS: Final = 8
"""So many are enough to tell a colour."""
_UNLIKE: Final = 30.0
"""Colours at least this far apart are not the same stuff."""


def mirrored_part(index: int) -> int:
    """The part on the other side of the body."""
    name = PARTS[index]
    swapped = name.replace("left_", "*").replace("right_", "left_").replace("*", "right_")
    return PARTS.index(swapped)


MIRRORED: Final = np.array([mirrored_part(index) for index in range(len(PARTS))])
"""[P] part -> the part on the other side."""


def mirror_places(index: int, rest: np.ndarray, frames: BoneFrames) -> np.ndarray:
    """[V, 3] px3 of the mirror images of a part's points.

    Args:
        index: of the part.
        rest: [V, 3] px3 in the pose of `frames`.
        frames: of one time.
    """
    name, other = PARTS[index], PARTS[MIRRORED[index]]
    here, there = BONE[_CENTRAL.get(name, name)], BONE[_CENTRAL.get(other, other)]
    origin, basis = frames.origin[0].numpy(), frames.basis[0].numpy().astype(np.float64)
    local = (rest - origin[here]) @ np.linalg.pinv(basis[here], rcond=1e-4).T
    local[:, _LEFT_AXIS.get(name, 2)] *= -1.0
    return (local @ basis[there].T + origin[there]).astype(np.float32)


def fill_colours(fields: tuple[Field, ...], owner: np.ndarray, texture: np.ndarray) -> np.ndarray:
    """[P, bins, 3] colour along each part for its unseen sides: what is seen near the part's edges at that height."""
    table = np.zeros((len(PARTS), COLOUR_BINS, 3), dtype=np.float32)
    filled = np.zeros(len(PARTS), dtype=bool)
    for index, field in enumerate(fields):
        own = owner == index
        if not own.any():
            continue
        along, distance = field.along[own], field.distance[own]
        edge = distance >= 0.55 * np.quantile(distance, 0.95)
        place = np.minimum((along * COLOUR_BINS).astype(int), COLOUR_BINS - 1)
        pixels = texture[own]
        for places, values in ((place, pixels), (place[edge], pixels[edge])):
            for channel in range(3):
                total = np.bincount(places, values[:, channel], minlength=COLOUR_BINS)
                count = np.bincount(places, minlength=COLOUR_BINS)
                table[index, count > 0, channel] = (total / np.maximum(count, 1))[count > 0]
        have = np.bincount(place, minlength=COLOUR_BINS) > 0
        nearest = np.abs(np.arange(COLOUR_BINS)[:, None] - np.flatnonzero(have)[None]).argmin(1)
        table[index] = table[index, np.flatnonzero(have)[nearest]]
        filled[index] = True
    head = PARTS.index("head")
    table[head, : COLOUR_BINS * 2 // 3] = table[head, 0]  # the back of a head looks like its crown
    for index, name in enumerate(PARTS):
        if not filled[index]:
            table[index] = _borrowed_colour(name, table, filled)
    return table


def _borrowed_colour(name: str, table: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """Colours of a part that the picture does not show: the other side's, else those of the part it hangs on."""
    other = name.replace("left_", "*").replace("right_", "left_").replace("*", "right_")
    chain = {
        "hand": ("forearm", "upper_arm"), "forearm": ("upper_arm",), "upper_arm": (), "foot": ("shin", "thigh"),
        "shin": ("thigh",), "thigh": (), "neck": (), "head": (), "torso": (),
    }  # fmt: skip
    kind = name.removeprefix("left_").removeprefix("right_")
    relatives = [f"{prefix}{part}" for part in chain[kind] for prefix in (name[: -len(kind)], other[: -len(kind)])]
    for candidate in (other, *relatives, "torso", "neck", "head"):
        index = PARTS.index(candidate)
        if filled[index]:
            return table[index] if candidate == other else np.broadcast_to(table[index, -1], table[index].shape)
    return np.full_like(table[0], 127.0)


def hair_colour(texture: np.ndarray, owner: np.ndarray, person: PersonTrack, *, pad: int) -> np.ndarray | None:
    """[3] colour of a head's crown; None where the picture does not show it.

    Args:
        texture: [Ht, Wt, 3] float32, the padded picture.
        owner: [Ht, Wt] part that each texel shows.
    """
    return _of_head(texture, owner, person, (-2.0, -0.65), pad=pad)


def skin_colour(
    texture: np.ndarray, owner: np.ndarray, person: PersonTrack, hair: np.ndarray | None, *, pad: int
) -> np.ndarray | None:
    """[3] colour of the skin as nape, hands or neck show it, the first that is not the hair's; None where none is seen."""
    nape = _of_head(texture, owner, person, (0.65, 1.0), pad=pad)
    found = [nape] if nape is not None else []
    for names in (("left_hand", "right_hand"), ("neck",)):
        own = np.isin(owner, [PARTS.index(name) for name in names])
        if own.sum() >= _ENOUGH_TEXELS:
            found.append(np.median(texture[own], axis=0))
    for colour in found:
        if hair is None or np.abs(colour - hair).max() > _UNLIKE:
            return colour
    return found[0] if found else None


def _of_head(
    texture: np.ndarray, owner: np.ndarray, person: PersonTrack, down: tuple[float, float], *, pad: int
) -> np.ndarray | None:
    """[3] median colour of the head between two heights in head radii below its centre."""
    y, x = np.nonzero(owner == PARTS.index("head"))
    place = np.stack((x + 0.5 - pad, y + 0.5 - pad), axis=1) - person.head.center[0, :2].numpy()
    axis = flip_axes(angles_to_matrix(person.head.angles_rad[0])).numpy()[:2, 1]
    height = place @ axis / max(float(person.head.radius_px[0]), 1.0)
    there = (height > down[0]) & (height < down[1])
    return np.median(texture[y[there], x[there]], axis=0) if there.sum() >= _ENOUGH_TEXELS else None


def head_fill(
    rest: np.ndarray, fill: np.ndarray, person: PersonTrack, *, hair: np.ndarray | None, skin: np.ndarray | None
) -> np.ndarray:
    """[V, 3] plain colours of a head's points.

    Args:
        rest: [V, 3] px3.
        fill: [V, 3] what the head shows at that height.
        person: one frame.
        hair: [3] colour of the crown, for the back of the head; None where it is not known.
        skin: [3] colour of the neck or the hands, for the face of a head that is seen from behind; None where not known.
    """
    turn = flip_axes(angles_to_matrix(person.head.angles_rad[0])).numpy()
    local = (rest - person.head.center[0].numpy()) @ turn / max(float(person.head.radius_px[0]), 1.0)
    down, back = local[:, 1], local[:, 2]
    found = fill.astype(np.float32)
    if hair is not None:
        found[(back > -0.15) & (down < 0.5)] = hair
    if skin is not None and turn[2, 2] < 0.3:  # the picture hardly shows the face
        found[(back < -0.2) & (down > -0.45)] = skin
    return found
