"""Clip lengths and picture sizes that training batches: frames x height x width."""

from __future__ import annotations

from typing import Final

from dreamactor.errors import ConfigError

TEMPORAL: Final = 4
"""Frames of a latent frame after the first: clips have s n + 1 frames, so that none must be padded."""
MULTIPLE: Final = 32
"""Width and height are multiples of this."""
STEP_FRAMES: Final = 12
"""Between two lengths, so that there are not too many buckets to fill a batch from each."""

Bucket = tuple[int, int, int]
"""Frames, height, width."""


def clip_lengths(least: int, most: int) -> tuple[int, ...]:
    """Lengths that clips are cut to, longest first: `most`, then `STEP_FRAMES` less and less, and `least`.

    Raises:
        ConfigError: one of them is not of the form s n + 1, or they are in the wrong order.
    """
    for frames in (least, most):
        if frames < 1 or (frames - 1) % TEMPORAL:
            near = 1 + max(0, round((frames - 1) / TEMPORAL)) * TEMPORAL
            raise ConfigError(f"Clips must have {TEMPORAL} n + 1 frames, got {frames}. Use {near}.")
    if least > most:
        raise ConfigError(f"The shortest clip ({least} frames) is longer than the longest ({most}). Exchange them.")
    return tuple(sorted({*range(most, least - 1, -STEP_FRAMES), least}, reverse=True))


def cut_lengths(num_frames: int, lengths: tuple[int, ...]) -> list[slice]:
    """Cuts a stretch of frames into clips, each the longest that still fits; what is left at the end is too short.

    Args:
        num_frames: of the stretch.
        lengths: as `clip_lengths` gives them.
    """
    spans: list[slice] = []
    start = 0
    while fits := [length for length in lengths if start + length <= num_frames]:
        spans.append(slice(start, start + fits[0]))
        start += fits[0]
    return spans


def canvas_for(width: int, height: int, *, size: int) -> tuple[int, int]:
    """(width, height) of about size x size pixels in the shape of a picture, each side the nearest multiple of 32."""
    aspect = (width / height) ** 0.5
    return max(1, round(size * aspect / MULTIPLE)) * MULTIPLE, max(1, round(size / aspect / MULTIPLE)) * MULTIPLE
