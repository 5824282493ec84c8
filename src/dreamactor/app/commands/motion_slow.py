"""`dreamactor motion slow`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[Path, typer.Argument(help="Motion file (.npz).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Motion file to write (.npz).")],
    factor: Annotated[float, typer.Option(help="How many times as long; below 1 it gets faster.")] = 2.0,
) -> None:
    """Slow a motion down or speed it up at the same frame rate; frames between are interpolated.

    Examples:

      dreamactor motion slow motion.npz --factor 2 -o slow.npz

      dreamactor motion slow motion.npz --factor 0.5 -o fast.npz
    """
    from dreamactor.app.motion import edit_motion
    from dreamactor.guidance.motion_edit import slow

    edit_motion([file], output, lambda tracks: slow(tracks[0], factor))
