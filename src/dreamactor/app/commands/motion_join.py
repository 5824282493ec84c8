"""`dreamactor motion join`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    files: Annotated[list[Path], typer.Argument(help="Motion files (.npz), in order.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Motion file to write (.npz).")],
) -> None:
    """Put motions one after the other, with a cut at every seam. Every frame and its distance in time is kept; other
    picture sizes are fitted into the first one's.

    Examples:

      dreamactor motion join walk.npz wave.npz bow.npz -o all.npz
    """
    from dreamactor.app.motion import edit_motion
    from dreamactor.guidance.motion_edit import join

    edit_motion(files, output, join)
