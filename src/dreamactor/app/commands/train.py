"""`dreamactor train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the run; the same folder resumes it.")],
    preset: Annotated[str, typer.Argument(help="What to train: actor (the embedded model) or judge.")] = "actor",
    samples: Annotated[
        int | None,
        typer.Option(min=4, help="Clips of actors to draw (800), or the judge's actors (884).", show_default=False),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=64, max=512, help="Pixels of a side, a multiple of 32 (256).", show_default=False)
    ] = None,
    scale: Annotated[float, typer.Option(min=0.0005, help="Multiplies all step counts.")] = 1.0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that draw.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of everything.")] = 0,
) -> None:
    """Train the embedded model from nothing (draw actors, then VAE, face encoder, DiT and decoder), or the judge.

    Examples:

      dreamactor train --output run

      dreamactor train --output quick --samples 16 --size 64 --scale 0.01

      dreamactor train judge --output judge-run
    """
    from dataclasses import replace

    from dreamactor.app.progress import named_bars
    from dreamactor.errors import ConfigError
    from dreamactor.recipes.actor import ActorRecipe, train_actor
    from dreamactor.recipes.judge import JudgeRecipe, train_judge

    if preset not in ("actor", "judge"):
        raise ConfigError(f"Unknown preset '{preset}'. Known: actor, judge.")

    def scaled(steps: int) -> int:
        return max(2, round(steps * scale))

    if preset == "judge":
        if size is not None:
            raise ConfigError("--size does not apply to the judge: its networks see crops of fixed sizes. Leave it out.")
        own = JudgeRecipe(workers=workers, seed=seed)
        steps = {name: scaled(getattr(own, name)) for name in ("points_steps", "head_steps", "who_steps")}
        own = replace(own, num_actors=samples or own.num_actors, **steps)
        with named_bars() as report:
            judge = train_judge(output, own, report)
        typer.echo(f"{judge} (measure it with: dreamactor bench judge --judge {judge})")
        return
    recipe = ActorRecipe(workers=workers, seed=seed)
    recipe = replace(recipe, num_samples=samples or recipe.num_samples, size=size or recipe.size)
    if recipe.size % 32:
        raise ConfigError(f"--size must be a multiple of 32, got {recipe.size}.")
    names = ("vae_steps", "face_steps", "dit_steps", "decoder_steps", "face_actors")
    recipe = replace(recipe, **{name: scaled(getattr(recipe, name)) for name in names})
    with named_bars() as report:
        model = train_actor(output, recipe, report)
    typer.echo(f"{model} (use it with --model {model})")
