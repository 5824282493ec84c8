"""`dreamactor gallery sources`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Picture to write.")],
    folder: Annotated[Path | None, typer.Option(help="Also keep pictures and videos here; made if need be.")] = None,
    seconds: Annotated[float, typer.Option(min=0.2, max=60, help="Length of the body's performance.")] = 3.0,
    size: Annotated[int, typer.Option(min=64, max=1024, help="Side of the sources in pixels (even).")] = 384,
    model: Annotated[str, typer.Option(help="Model name or folder.")] = "actor",
    seed: Annotated[int, typer.Option(min=0, help="First of four actors: face, head, body, and who is animated.")] = 900_304,
) -> None:
    """Draw a sheet: the face of one actor, the head of a second, the body of a third, and a fourth who gets them.

    Examples:

      dreamactor gallery sources -o sources.png

      dreamactor gallery sources -o sources.png --folder sources --seed 900300
    """
    from dreamactor.app.gallery_sources import draw_sources_sheet
    from dreamactor.errors import ConfigError
    from dreamactor.video.writer import check_output

    check_output(output, suffixes=(".png", ".jpg"))
    if size % 2:
        raise ConfigError(f"--size must be even, got {size}.")
    draw_sources_sheet(output, folder=folder, seconds=seconds, size=size, model=model, seed=seed)
    typer.echo(str(output))
