"""`dreamactor demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

REFERENCE_SEED, DRIVER_SEED = 900_014, 900_012


def command(
    folder: Annotated[Path, typer.Option(help="Where to write; made if need be.")] = Path("demo"),
    seconds: Annotated[float, typer.Option(min=0.04, max=60, help="Length of the driving video.")] = 4.0,
    model: Annotated[str, typer.Option(help="Model name or folder.")] = "actor",
    reference_seed: Annotated[int, typer.Option(min=0, help="Who is animated.")] = REFERENCE_SEED,
    driver_seed: Annotated[int, typer.Option(min=0, help="Who is filmed.")] = DRIVER_SEED,
) -> None:
    """Draw an actor, film another one, animate the first by the second.

    Everything after the two files are drawn is what `dreamactor animate` does with any picture and video.

    Examples:

      dreamactor demo

      dreamactor demo --folder /tmp/demo --driver-seed 900033
    """
    from dreamactor.app.animate import animate_to_file
    from dreamactor.app.film import film_actor, picture_actor
    from dreamactor.errors import OutputError
    from dreamactor.inference.bundle import model_folder
    from dreamactor.inference.request import AnimateRequest

    model_folder(model)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot make the folder {folder} ({error.strerror}). Pass --folder with another place."
        ) from error
    reference, driving = folder / "reference.png", folder / "driving.mp4"
    output, both = folder / "output.mp4", folder / "side_by_side.mp4"
    picture_actor(reference, seed=reference_seed, framing="full", size=512)
    film_actor(driving, seed=driver_seed, seconds=seconds, framing="full", size=512, kind="dance")
    count = animate_to_file(
        AnimateRequest(references=(reference,), driving=driving), model=model, output=output, preview=both
    )
    typer.echo(f"reference    {reference.resolve()}")
    typer.echo(f"driving      {driving.resolve()}")
    typer.echo(f"output       {output.resolve()} ({count} frames)")
    typer.echo(f"side by side {both.resolve()}")
