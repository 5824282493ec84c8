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
    track: Annotated[Path | None, typer.Option(help="Also write the exact track (.npz).")] = None,
    cast: Annotated[str | None, typer.Option(help="Who is drawn: of cast 3 (default) or 2.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Draw many instead: people, turns, expressions or motions.")] = None,
) -> None:
    """Draw a procedural actor, or film its performance.

    Examples:

      dreamactor actor --seed 7 -o actor.png

      dreamactor actor --seed 7 --perform --seconds 4 -o performance.mp4 --track exact.npz

      dreamactor actor --seed 7 --perform --kind jump --seconds 6 -o jump.mp4

      dreamactor actor --sheet people -o people.png --size 128
    """
    from dreamactor.app.actor_sheets import SHEETS, draw_sheet
    from dreamactor.app.casts import chosen_cast
    from dreamactor.app.film import film_actor, picture_actor
    from dreamactor.app.progress import named_bars
    from dreamactor.data.actors import FRAMINGS
    from dreamactor.data.actors.acting.sample import KINDS_OF
    from dreamactor.errors import ConfigError

    if framing not in FRAMINGS:
        raise ConfigError(f"Unknown framing '{framing}'. Known: {', '.join(FRAMINGS)}.")
    people = chosen_cast(cast)
    kinds = KINDS_OF[people]
    if kind is not None and kind not in kinds:
        raise ConfigError(f"Unknown kind '{kind}' of cast {people}. Known: {', '.join(kinds)}.")
    if sheet is not None and sheet not in SHEETS:
        raise ConfigError(f"Unknown sheet '{sheet}'. Known: {', '.join(SHEETS)}.")
    if sheet is not None and (perform or track is not None):
        raise ConfigError("--sheet draws many actors; --perform and --track are for one. Give one or the other.")
    if size % 2:
        raise ConfigError(f"--size must be even, got {size}.")
    if sheet is not None:
        with named_bars() as bars:
            draw_sheet(
                output, what=sheet, seed=seed, framing=framing, cell=size, cast=people,
                report=lambda done, total: bars(sheet, done, total),
            )  # fmt: skip
        typer.echo(str(output))
    elif perform:
        count = film_actor(
            output, seed=seed, seconds=seconds, framing=framing, size=size, kind=kind, track=track, cast=people
        )
        typer.echo(f"{output} ({count} frames)")
    else:
        picture_actor(output, seed=seed, framing=framing, size=size, track=track, cast=people)
        typer.echo(str(output))
