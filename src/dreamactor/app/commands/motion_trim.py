"""`dreamactor motion trim`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[Path, typer.Argument(help="Motion file (.npz).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Motion file to write (.npz).")],
    start: Annotated[float, typer.Option(min=0, help="First moment that is kept, in seconds.")] = 0.0,
    end: Annotated[float | None, typer.Option(min=0, help="First moment that is not kept; the end if left out.")] = None,
) -> None:
    """Keep a part of a motion; its clock starts at zero again.

    Examples:

      dreamactor motion trim motion.npz --start 1.5 --end 4 -o part.npz
    """
    from dreamactor.app.motion import edit_motion
    from dreamactor.guidance.motion_edit import trim

    edit_motion([file], output, lambda tracks: trim(tracks[0], start_s=start, end_s=end))
