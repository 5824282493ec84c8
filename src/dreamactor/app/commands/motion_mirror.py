"""`dreamactor motion mirror`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[Path, typer.Argument(help="Motion file (.npz).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Motion file to write (.npz).")],
) -> None:
    """Exchange left and right: body, hands, head, face and camera.

    Examples:

      dreamactor motion mirror motion.npz -o mirrored.npz
    """
    from dreamactor.app.motion import edit_motion
    from dreamactor.guidance.motion_edit import mirror

    edit_motion([file], output, lambda tracks: mirror(tracks[0]))
