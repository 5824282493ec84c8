"""What the judge networks learn from: one actor seen in several performances, cut out along the true boxes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from dreamactor.data.actors import FIRST_HELD_OUT_SEED, Framing, render, sample_actor, sample_performance, sample_scene
from dreamactor.guidance.person_box import crop_boxes, enlarge, head_boxes, judged_points, person_boxes

FIRST_LOOK_SEED: Final = 500_000
"""Actors from here up to the held-out ones are the judge's; the generator is trained on lower seeds."""
SIZE: Final = 256
SURPLUS: Final = 1.125
"""How much larger than the true box a crop is, so that training can move it about."""
PERSON_PX, HEAD_PX = 144, 108
"""Sides of the crops, surplus included."""
PERFORMANCE_FRAMES: Final = 73


@dataclass(frozen=True, kw_only=True, slots=True)
class Looks:
    """Pictures of one actor, N in all.

    Attributes:
        person: [N, 3, 144, 144] uint8, the person box enlarged by `SURPLUS`.
        head: [N, 3, 108, 108] uint8, the head box enlarged by `SURPLUS`.
        points: [N, P, 2] float32 judged points in the person box, -1..1.
        seen: [N, P] bool, the point lies in the picture.
        angles_rad: [N, 3] yaw, pitch, roll of the head.
        radius_px: [N] of the head.
        landmarks: [N, L, 2] float32 face points in the head box, -1..1.
        expression: [N, E].
        take: [N] int64, which performance (another scene for each).
        framing: [N] int64, index into `FRAMINGS`.
    """

    person: Tensor
    head: Tensor
    points: Tensor
    seen: Tensor
    angles_rad: Tensor
    radius_px: Tensor
    landmarks: Tensor
    expression: Tensor
    take: Tensor
    framing: Tensor


def _in_box(points: Tensor, box: Tensor) -> Tensor:
    """Pixels [N, P, 2] in boxes [N, 4]: -1..1 from edge to edge."""
    middle, half = (box[:, :2] + box[:, 2:]) / 2, (box[:, 2:] - box[:, :2]) / 2
    return (points - middle[:, None]) / half[:, None]


def _takes(seed: int) -> list[tuple[int, Framing, slice]]:
    """Seed, framing and frames of every performance: two of one framing, one of another."""
    first = sample_performance(seed, num_frames=1).framing
    other: Framing = "full" if first == "portrait" else "portrait"
    return [
        (seed, first, slice(0, PERFORMANCE_FRAMES, 9)),
        (seed + 200_000, first, slice(4, PERFORMANCE_FRAMES, 20)),
        (seed + 400_000, other, slice(2, PERFORMANCE_FRAMES, 13)),
    ]


def draw_looks(seed: int) -> Looks:
    """Draws one actor's pictures; equal seeds give equal pictures. Whoever trains uses seeds below the held-out ones."""
    actor = sample_actor(seed)
    parts: list[dict[str, Tensor]] = []
    for take, (what, framing, frames) in enumerate(_takes(seed)):
        performance = sample_performance(what, num_frames=PERFORMANCE_FRAMES, framing=framing)
        drawn = render(actor, performance, sample_scene(what, framing=framing), width=SIZE, height=SIZE, frames=frames)
        box = person_boxes(drawn.track)
        points, seen = judged_points(drawn.track)
        parts.append(
            {
                "person": crop_boxes(drawn.frames, enlarge(box, SURPLUS), size_px=PERSON_PX),
                "head": crop_boxes(drawn.frames, enlarge(head_boxes(drawn.track), SURPLUS), size_px=HEAD_PX),
                "points": _in_box(points, box),
                "seen": seen,
                "angles_rad": drawn.track.head.angles_rad,
                "radius_px": drawn.track.head.radius_px,
                "landmarks": _in_box(drawn.track.face.landmarks[..., :2], head_boxes(drawn.track)),
                "expression": drawn.expression,
                "take": torch.full((len(box),), take),
                "framing": torch.full((len(box),), ("portrait", "upper", "full").index(framing)),
            }
        )
    return Looks(**{field.name: torch.cat([part[field.name] for part in parts]) for field in fields(Looks)})


def look_path(folder: Path, seed: int) -> Path:
    """Where the pictures of an actor lie."""
    return folder / f"looks_{seed:06d}.safetensors"


def build_looks(folder: Path, seed: int) -> Path:
    """Draws one actor's pictures to a file, atomically; what is there is kept.

    Raises:
        ValueError: a held-out seed.
    """
    if seed >= FIRST_HELD_OUT_SEED:
        raise ValueError(f"Held-out seeds start at {FIRST_HELD_OUT_SEED}, got {seed}.")
    path = look_path(folder, seed)
    if not path.exists():
        looks = draw_looks(seed)
        part = path.with_suffix(".part")
        save_file({field.name: getattr(looks, field.name).contiguous() for field in fields(Looks)}, part)
        part.rename(path)
    return path


def load_looks(path: Path) -> Looks:
    """Reads what `build_looks` wrote."""
    return Looks(**load_file(path))
