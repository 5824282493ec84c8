"""`dreamactor motion smooth`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[Path, typer.Argument(help="Motion file (.npz).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Motion file to write (.npz).")],
    radius: Annotated[int, typer.Option(help="Frames to either side that are averaged.")] = 2,
) -> None:
    """Calm body, hands and head of a motion, without lag; the face stays sharp. Files of `extract` are calm already.

    Examples:

      dreamactor motion smooth capture.npz -o calm.npz

      dreamactor motion smooth capture.npz --radius 4 -o calm.npz
    """
    from dreamactor.app.motion import edit_motion
    from dreamactor.perception.motion_smooth import smooth_track

    edit_motion([file], output, lambda tracks: smooth_track(tracks[0], radius=radius))
