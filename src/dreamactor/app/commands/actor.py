"""`dreamactor actor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Picture, or with --perform a video, to write.")],
    seed: Annotated[int, typer.Option(min=0, help="Who: equal seeds give equal actors.")] = 0,
    perform: Annotated[bool, typer.Option("--perform", help="Film a performance instead of drawing a picture.")] = False,
    seconds: Annotated[float, typer.Option(min=0.04, max=3600, help="Length of the performance.")] = 4.0,
    framing: Annotated[str, typer.Option(help="portrait, upper or full.")] = "full",
    size: Annotated[int, typer.Option(min=64, max=2048, help="Width and height in pixels (even).")] = 512,
    kind: Annotated[str | None, typer.Option(help="Kind of motion, such as dance, talk, walk, turn, wave.")] = None,
    cast: Annotated[str | None, typer.Option(help="With --perform, who acts: 2 (the shipped model's) or 3.")] = None,
    track: Annotated[Path | None, typer.Option(help="Also write the exact track (.npz).")] = None,
) -> None:
    """Draw a procedural actor, or film its performance.

    Examples:

      dreamactor actor --seed 7 -o actor.png

      dreamactor actor --seed 7 --perform --seconds 4 -o performance.mp4 --track exact.npz

      dreamactor actor --seed 7 --perform --cast 3 --kind jump --seconds 6 -o jump.mp4
    """
    from dreamactor.app.casts import chosen_cast
    from dreamactor.app.film import film_actor, picture_actor
    from dreamactor.data.actors import FRAMINGS
    from dreamactor.data.actors.acting.sample import KINDS_OF
    from dreamactor.errors import ConfigError

    if framing not in FRAMINGS:
        raise ConfigError(f"Unknown framing '{framing}'. Known: {', '.join(FRAMINGS)}.")
    performers = chosen_cast(cast)
    kinds = KINDS_OF[performers]
    if kind is not None and kind not in kinds:
        raise ConfigError(f"Unknown kind '{kind}' of cast {performers}. Known: {', '.join(kinds)}.")
    if size % 2:
        raise ConfigError(f"--size must be even, got {size}.")
    if perform:
        count = film_actor(
            output,
            seed=seed,
            seconds=seconds,
            framing=framing,
            size=size,
            kind=kind,
            cast=performers,
            track=track,
        )
        typer.echo(f"{output} ({count} frames)")
    else:
        picture_actor(output, seed=seed, framing=framing, size=size, track=track)
        typer.echo(str(output))
