"""`dreamactor bench wan-memory`."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    width: Annotated[int, typer.Option(min=64, help="Of the canvas in pixels, a multiple of 16.")] = 1280,
    height: Annotated[int, typer.Option(min=64, help="Of the canvas in pixels, a multiple of 16.")] = 720,
) -> None:
    """Count what Wan-Animate's networks need at work, against what the memory modes plan with.

    Five of the transformer's forty blocks at their real width, of random weights: on a GPU where there is one, else on
    tensors without values.

    Examples:

      dreamactor bench wan-memory

      dreamactor bench wan-memory --width 832 --height 480
    """
    from dreamactor.errors import ConfigError

    if width % 16 or height % 16:
        raise ConfigError(f"Width and height must be multiples of 16, got {width}x{height}.")
    try:
        from dreamactor.app.bench.wan_memory import count_memory
    except ImportError as error:
        raise ConfigError(f"Wan-Animate's packages are missing ({error}). Use: pip install 'dreamactor[wan]'.") from error
    from dreamactor.inference.wan.quiet import quiet_libraries

    with quiet_libraries():
        found = count_memory(width=width, height=height)
    for counted in found:
        typer.echo(str(counted))
