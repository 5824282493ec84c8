"""`dreamactor build-data`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(help="Where the samples go; made if need be.")],
    num: Annotated[int, typer.Option(min=1, help="How many samples.")] = 400,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first one.")] = 0,
    size: Annotated[int, typer.Option(min=64, max=1024, help="Width and height in pixels.")] = 256,
    frames: Annotated[int, typer.Option(min=1, max=73, help="Frames a clip.")] = 13,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Draw actor samples for training. Samples that are there already are kept, so it resumes.

    Examples:

      dreamactor build-data samples --num 400

      dreamactor build-data samples --num 800 --workers 4
    """
    from rich.progress import track

    from dreamactor.data.actors import FIRST_HELD_OUT_SEED
    from dreamactor.data.build import build_actor_data
    from dreamactor.errors import ConfigError

    if first_seed + num > FIRST_HELD_OUT_SEED:
        raise ConfigError(
            f"Seeds from {FIRST_HELD_OUT_SEED} on are held out; {first_seed} + {num} goes beyond. Use lower seeds."
        )
    steps = iter(track(range(num), description="samples"))

    def report(done: int, total: int) -> None:
        next(steps, None)

    build_actor_data(
        folder, seeds=range(first_seed, first_seed + num), size=size, num_frames=frames, workers=workers, report=report
    )
    typer.echo(f"{folder} ({num} samples)")
