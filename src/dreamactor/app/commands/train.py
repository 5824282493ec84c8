"""`dreamactor train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the run; the same folder resumes it.")],
    samples: Annotated[int, typer.Option(min=4, help="Clips of actors to draw.")] = 800,
    size: Annotated[int, typer.Option(min=64, max=512, help="Width and height in pixels, a multiple of 32.")] = 256,
    scale: Annotated[float, typer.Option(min=0.0005, help="Multiplies all step counts.")] = 1.0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that draw.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of everything.")] = 0,
) -> None:
    """Train the embedded model from nothing: draw actors, then VAE, face encoder, DiT and decoder.

    Examples:

      dreamactor train --output run

      dreamactor train --output quick --samples 16 --size 64 --scale 0.01
    """
    from dataclasses import replace

    from dreamactor.app.progress import named_bars
    from dreamactor.errors import ConfigError
    from dreamactor.recipes.actor import ActorRecipe, train_actor

    if size % 32:
        raise ConfigError(f"--size must be a multiple of 32, got {size}.")
    recipe = ActorRecipe(num_samples=samples, size=size, workers=workers, seed=seed)
    names = ("vae_steps", "face_steps", "dit_steps", "decoder_steps", "face_actors")
    recipe = replace(recipe, **{name: max(2, round(getattr(recipe, name) * scale)) for name in names})
    with named_bars() as report:
        model = train_actor(output, recipe, report)
    typer.echo(f"{model} (use it with --model {model})")
