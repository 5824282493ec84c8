"""Joins what several references show of one frame, and mends what fell between the sheets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_ALIKE: Final = 48.0
"""Colours farther apart than this show different things: the better one is taken, a mixture would be a ghost."""
_SOFTNESS: Final = 0.35
"""Of the better reference's quality: a reference that much worse no longer counts."""
GUESSED: Final = np.uint8(64)
"""In the mask of what was seen: copied from the other side of the body, probably about right."""
_GAIN_RANGE: Final = (-0.3, 0.3)
"""Logarithm of the factors by which a reference may be made darker or lighter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """What one reference contributes to a frame, in K pixels.

    Attributes:
        pixel: [K] int64 index y * width + x, each at most once.
        rgb: [K, 3] float32.
        seen: [K] bool, whether the reference saw the surface.
        guessed: [K] bool, whether it saw the surface's mirror image and shows that; never where it saw the surface itself.
        quality: [K] float32 how well it saw it: 1 squarely and no smaller than it is drawn, towards 0 the worse.
        trust: of the whole reference: 1, less for one that a model made.
    """

    pixel: np.ndarray
    rgb: np.ndarray
    seen: np.ndarray
    guessed: np.ndarray
    quality: np.ndarray
    trust: float


def compose(layers: Sequence[Layer], rgb: np.ndarray, seen: np.ndarray, figure: np.ndarray) -> None:
    """Writes the layers into one frame.

    The reference that saw most of what is in view gives the outline, a made one only where no given one saw much of it: the
    depth of its parts was guessed twice. Of the others only what they saw counts, for their unseen sides are rough, and only
    inside that outline or where most of all agree. Where several saw a surface, the better one wins, softly where they are
    about equally good and of one colour.

    Args:
        rgb: [H, W, 3] uint8, seen, figure: [H, W] uint8; written in place.
    """
    height, width = seen.shape
    flat_rgb, flat_seen, flat_figure = rgb.reshape(-1, 3), seen.reshape(-1), figure.reshape(-1)
    if not layers:
        return
    main = layers[int(np.argmax([layer.trust * layer.seen.sum() for layer in layers]))]
    flat_rgb[main.pixel] = _bytes(main.rgb)
    flat_seen[main.pixel] = np.where(main.seen, np.uint8(255), main.guessed * GUESSED)
    flat_figure[main.pixel] = 255
    if len(layers) == 1:
        return
    best, second = np.zeros(height * width, dtype=np.float32), np.zeros(height * width, dtype=np.float32)
    votes = np.zeros(height * width, dtype=np.int8)
    for layer in layers:
        votes[layer.pixel] += 1
    votes[main.pixel] = len(layers)
    trusted = votes * 2 > len(layers)
    first_rgb = np.zeros((height * width, 3), dtype=np.float32)
    other_rgb = first_rgb.copy()
    for layer in layers:
        quality = np.zeros(height * width, dtype=np.float32)
        quality[layer.pixel[layer.seen]] = 0.02 + layer.quality[layer.seen]
        quality = _box5(quality.reshape(height, width)).reshape(-1)
        pixel, colour, own = layer.pixel[layer.seen], layer.rgb[layer.seen], quality[layer.pixel[layer.seen]]
        better = own > best[pixel]
        now = pixel[better]
        second[now], other_rgb[now] = best[now], first_rgb[now]
        best[now], first_rgb[now] = own[better], colour[better]
        runner = ~better & (own > second[pixel])
        now = pixel[runner]
        second[now], other_rgb[now] = own[runner], colour[runner]
    shown = np.flatnonzero((best > 0) & trusted)
    share = 0.5 * np.clip((second[shown] / best[shown] - 1.0 + _SOFTNESS) / _SOFTNESS, 0.0, 1.0)
    share *= np.abs(first_rgb[shown] - other_rgb[shown]).max(axis=1) < _ALIKE
    flat_rgb[shown] = _bytes(first_rgb[shown] + (other_rgb[shown] - first_rgb[shown]) * share[:, None])
    flat_seen[shown] = 255
    flat_figure[shown] = 255


def colour_gain(first: Layer, other: Layer, num_pixels: int) -> np.ndarray:
    """[3] factors that bring another layer's colours to the first one's where both saw the same surface squarely."""
    place = np.full(num_pixels, -1)
    good = first.seen & (first.quality > 0.3)
    place[first.pixel[good]] = np.flatnonzero(good)
    match = place[other.pixel]
    both = (match >= 0) & other.seen & (other.quality > 0.3)
    if both.sum() < 50:
        return np.ones(3, dtype=np.float32)
    ratio = np.log(np.maximum(first.rgb[match[both]], 4.0) / np.maximum(other.rgb[both], 4.0))
    gain = np.median(ratio, axis=0)
    spread = np.median(np.abs(ratio - gain), axis=0).max()
    sure = np.clip((0.3 - spread) / 0.2, 0.0, 1.0)  # patterns and sheets that do not meet say nothing about light
    return np.exp(np.clip(gain * sure, *_GAIN_RANGE)).astype(np.float32)


def mend(rgb: np.ndarray, seen: np.ndarray, figure: np.ndarray) -> None:
    """Fills single unseen pixels from neighbours most of which are seen, and empty ones from neighbours that all are.

    Args:
        rgb: [H, W, 3] uint8, seen, figure: [H, W] uint8; written in place.
    """
    height, width = seen.shape
    known = np.pad(((seen > 127) & (figure > 127)).astype(np.uint8), 1)
    rows = known[:-2] + known[1:-1] + known[2:]
    count = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    y, x = np.nonzero((count >= np.where(figure > 127, 6, 8)) & (known[1:-1, 1:-1] == 0))
    if y.size == 0:
        return
    total, weight = np.zeros((len(y), 3), dtype=np.float32), np.zeros((len(y), 1), dtype=np.float32)
    for dy, dx in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
        at_y, at_x = np.clip(y + dy, 0, height - 1), np.clip(x + dx, 0, width - 1)
        share = known[y + dy + 1, x + dx + 1, None].astype(np.float32)
        total += rgb[at_y, at_x] * share
        weight += share
    rgb[y, x] = _bytes(total / weight)
    seen[y, x] = figure[y, x] = 255


def _bytes(colour: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(colour, 0.0, 255.0)).astype(np.uint8)


def _box5(image: np.ndarray) -> np.ndarray:
    """5 x 5 mean, zeros beyond the edge."""
    padded = np.pad(image, 2)
    rows = np.stack([padded[k : k + image.shape[0]] for k in range(5)]).sum(axis=0)
    return np.stack([rows[:, k : k + image.shape[1]] for k in range(5)]).sum(axis=0) / 25.0
