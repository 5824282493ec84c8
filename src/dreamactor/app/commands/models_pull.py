"""`dreamactor models pull`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[str, typer.Argument(help="Name of the model, as `dreamactor models` lists it.")],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A folder that has it already, without a network: it is linked, not copied."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the download.")] = False,
) -> None:
    """Download a model, or go on with a download that broke off. Its size is said, and asked about, before it starts.

    Models lie in $DREAMACTOR_MODELS, or ~/.cache/dreamactor/models.

    Examples:

      dreamactor models pull wan-animate-14b

      dreamactor models pull wan-animate-14b --from /media/disk/Wan2.2-Animate-14B-Diffusers
    """
    from dreamactor.app.models import pull

    typer.echo(str(pull(name, source=source, yes=yes)))
