"""Sheets that show what procedural actors look like and can do: people, turns, expressions, motions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.actors import (
    Cast,
    Framing,
    Performance,
    neutral_performance,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.acting.faces import MOODS
from dreamactor.data.actors.acting.sample import KINDS_OF
from dreamactor.data.actors.acting.visemes import VISEMES
from dreamactor.data.actors.coefficients import COEFFICIENT, SCHEMA
from dreamactor.video.compose import contact_sheet
from dreamactor.video.image import write_image
from dreamactor.video.resize import resize_frames
from dreamactor.video.writer import check_output

COLUMNS: Final = 10
FACES_IN_ROW: Final = 7
PEOPLE: Final = 100
TURNING: Final = 6
ANGLES_DEG: Final = tuple(range(0, 360, 36))
SECONDS: Final = 4
FPS: Final = 25


def draw_sheet(
    output: Path, *, what: str, seed: int, framing: Framing, cell: int, cast: Cast, report: Callable[[int, int], None]
) -> None:
    """Writes one sheet.

    Args:
        output: picture to write.
        what: one of `SHEETS`.
        seed: of the first actor.
        framing: of people, turns and motions; expressions are portraits.
        cell: side of every picture in pixels.
        cast: whose actors.
        report: called with (pictures done, in all).
    """
    check_output(output)
    rows, labels = SHEETS[what](seed, framing, cell, cast, report)
    write_image(output, contact_sheet(rows, labels, cell_height=cell))


def _people(
    seed: int, framing: Framing, cell: int, cast: Cast, report: Callable[[int, int], None]
) -> tuple[list[list[Tensor]], list[str] | None]:
    """Consecutive seeds, as they come."""
    pictures = []
    for index in range(PEOPLE):
        pictures.append(_still(seed + index, neutral_performance(framing=framing, seed=seed + index), cell, cast))
        report(index + 1, PEOPLE)
    return [pictures[i : i + COLUMNS] for i in range(0, PEOPLE, COLUMNS)], None


def _turns(
    seed: int, framing: Framing, cell: int, cast: Cast, report: Callable[[int, int], None]
) -> tuple[list[list[Tensor]], list[str] | None]:
    """Some actors all around."""
    rows: list[list[Tensor]] = []
    for index in range(TURNING):
        row = []
        for angle in ANGLES_DEG:
            row.append(_still(seed + index, neutral_performance(framing=framing, yaw_deg=angle), cell, cast))
            report(index * len(ANGLES_DEG) + len(row), TURNING * len(ANGLES_DEG))
        rows.append(row)
    return rows, None


def _expressions(
    seed: int, framing: Framing, cell: int, cast: Cast, report: Callable[[int, int], None]
) -> tuple[list[list[Tensor]], list[str] | None]:
    """Every coefficient alone, every sound, every mood; one actor a row."""
    faces = {one.name: {one.name: 1.0} for one in SCHEMA}
    faces |= {f"-{one.name}": {one.name: -1.0} for one in SCHEMA if one.low < 0}
    faces |= {f"sound {name}": dict(sound.shape) for name, sound in VISEMES.items()}
    faces |= {f"mood {name}": mood for name, mood in MOODS.items()}
    rows: list[list[Tensor]] = []
    names: list[list[str]] = []
    for index, (name, values) in enumerate(faces.items()):
        if index % FACES_IN_ROW == 0:
            rows.append([])
            names.append([])
        pose = neutral_performance(framing="portrait")
        expression = torch.zeros(1, len(SCHEMA))
        for coefficient, value in values.items():
            expression[0, COEFFICIENT[coefficient]] = value
        rows[-1].append(_head(seed + len(rows) - 1, replace(pose, expression=expression), cell, cast))
        names[-1].append(name)
        report(index + 1, len(faces))
    return rows, ["\n".join(row) for row in names]


def _motions(
    seed: int, framing: Framing, cell: int, cast: Cast, report: Callable[[int, int], None]
) -> tuple[list[list[Tensor]], list[str] | None]:
    """Every kind of motion at ten moments; one actor a row."""
    kinds = KINDS_OF[cast]
    rows = []
    for index, kind in enumerate(kinds):
        who = seed + index
        performance = sample_performance(who, num_frames=SECONDS * FPS, fps=FPS, framing=framing, kind=kind, cast=cast)
        every = slice(0, SECONDS * FPS, SECONDS * FPS // COLUMNS)
        rows.append(list(_drawn(who, performance, cell, cast, every)))
        report(index + 1, len(kinds))
    return rows, list(kinds)


def _head(seed: int, pose: Performance, cell: int, cast: Cast) -> Tensor:
    """The head alone, from near."""
    actor, scene = sample_actor(seed, cast=cast), sample_scene(seed, framing="portrait", cast=cast)
    drawn = render(actor, pose, scene, width=3 * cell, height=3 * cell)
    radius = float(drawn.track.head.radius_px[0]) * 1.25
    x, y = (float(v) for v in drawn.track.head.center[0, :2])
    box = drawn.frames[0, max(0, round(y - radius)) : round(y + radius), max(0, round(x - radius)) : round(x + radius)]
    return resize_frames(box[None], width=cell, height=cell)[0]


def _still(seed: int, pose: Performance, cell: int, cast: Cast) -> Tensor:
    return _drawn(seed, pose, cell, cast, slice(0, 1))[0]


def _drawn(seed: int, performance: Performance, cell: int, cast: Cast, frames: slice) -> Tensor:
    actor, scene = sample_actor(seed, cast=cast), sample_scene(seed, framing=performance.framing, cast=cast)
    return render(actor, performance, scene, width=cell, height=cell, frames=frames).frames


SHEETS: Final = {"people": _people, "turns": _turns, "expressions": _expressions, "motions": _motions}
"""What can be shown -> what draws its rows and their labels."""
