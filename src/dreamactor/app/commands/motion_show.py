"""`dreamactor motion show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[Path, typer.Argument(help="Motion file (.npz).")],
    preview: Annotated[Path | None, typer.Option(help="Also draw skeleton, sphere and face points as a video.")] = None,
) -> None:
    """Say what is in a motion file: length, what was tracked, cuts, head range, camera.

    Examples:

      dreamactor motion show motion.npz

      dreamactor motion show motion.npz --preview look.mp4
    """
    from dreamactor.app.motion import describe_motion, write_motion_preview
    from dreamactor.perception.track_file import load_track

    track = load_track(file)
    for line in describe_motion(track):
        typer.echo(line)
    if preview is not None:
        write_motion_preview(track, preview, [file])
        typer.echo(str(preview))
