"""`dreamactor train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the run; the same folder resumes it.")],
    preset: Annotated[
        str, typer.Argument(help="What to train: actor (the embedded model), face (its face encoders) or judge.")
    ] = "actor",
    samples: Annotated[
        int | None,
        typer.Option(
            min=4,
            help="Clips of actors to draw (800), actors of the face encoders (1200) or of the judge (884).",
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=64, max=512, help="Pixels of a side, a multiple of 32 (256).", show_default=False)
    ] = None,
    scale: Annotated[
        float, typer.Option(min=0.0005, help="Multiplies all step counts, and how many actors the face encoders see.")
    ] = 1.0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that draw.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of everything.")] = 0,
    start_from: Annotated[
        str | None,
        typer.Option(
            help="Go on from a model (actor, or a folder) instead of from nothing; its VAE is kept.", show_default=False
        ),
    ] = None,
) -> None:
    """Train the embedded model from nothing (draw actors, then face encoders, VAE, DiT and decoder), or a part by itself.

    Examples:

      dreamactor train --output run

      dreamactor train --output quick --samples 16 --size 64 --scale 0.01

      dreamactor train --output more --start-from actor --scale 0.3

      dreamactor train face --output face-run

      dreamactor train judge --output judge-run
    """
    from dataclasses import replace

    from dreamactor.app.progress import named_bars
    from dreamactor.errors import ConfigError
    from dreamactor.recipes.actor import ActorRecipe, train_actor
    from dreamactor.recipes.face import FaceRecipe, train_faces
    from dreamactor.recipes.judge import JudgeRecipe, train_judge

    if preset not in ("actor", "face", "judge"):
        raise ConfigError(f"Unknown preset '{preset}'. Known: actor, face, judge.")
    if preset != "actor" and size is not None:
        raise ConfigError(f"--size does not apply to {preset}: its networks see crops of fixed sizes. Leave it out.")

    if preset != "actor" and start_from is not None:
        raise ConfigError(f"--start-from does not apply to {preset}. Leave it out.")

    def scaled(steps: int) -> int:
        return max(2, round(steps * scale))

    if preset == "judge":
        own = JudgeRecipe(workers=workers, seed=seed)
        steps = {name: scaled(getattr(own, name)) for name in ("points_steps", "head_steps", "who_steps")}
        own = replace(own, num_actors=samples or own.num_actors, **steps)
        with named_bars() as report:
            judge = train_judge(output, own, report)
        typer.echo(f"{judge} (measure it with: dreamactor bench judge --judge {judge})")
        return
    face = FaceRecipe(workers=workers, seed=seed)
    if preset == "face":
        if samples is not None and samples % 2:
            raise ConfigError(f"--samples must be even for the face encoders (actors learn in pairs), got {samples}.")
        face = replace(face.scaled(scale), num_actors=samples or face.num_actors)
        with named_bars() as report:
            train_faces(output, face, report)
        typer.echo(
            f"{output / 'model'} (measure it with: dreamactor bench guidance --only faces --faces {output / 'model'})"
        )
        return
    recipe = ActorRecipe(workers=workers, seed=seed, start=start_from)
    recipe = replace(recipe, num_samples=samples or recipe.num_samples, size=size or recipe.size)
    if recipe.size % 32:
        raise ConfigError(f"--size must be a multiple of 32, got {recipe.size}.")
    names = ("vae_steps", "dit_steps", "decoder_steps")
    counts: dict[str, Any] = {name: scaled(getattr(recipe, name)) for name in names}
    recipe = replace(recipe, face=face.scaled(scale), **counts)
    with named_bars() as report:
        model = train_actor(output, recipe, report)
    typer.echo(f"{model} (use it with --model {model})")
