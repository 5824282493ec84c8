"""`dreamactor proportions`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    pictures: Annotated[list[Path], typer.Argument(help="One or more pictures of one character.")],
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the lengths here, to be corrected and given back.")
    ] = None,
    proportions_json: Annotated[
        Path | None, typer.Option(help="Lengths corrected by hand, used instead of measured.")
    ] = None,
    driving: Annotated[Path | None, typer.Option(help="Video or motion file (.npz) for the preview.")] = None,
    preview: Annotated[
        Path | None, typer.Option(help="Driver as is, adjusted, and reference side by side: a picture or a video.")
    ] = None,
    proportions: Annotated[str, typer.Option(help="Of the preview: reference, driving, or 0 (driving) to 1.")] = "reference",
) -> None:
    """Measure how a character is built, and see what bone length adjustment does.

    Lengths are in torsos (neck to pelvis). A star marks what no picture shows: it is guessed from the rest.

    Examples:

      dreamactor proportions front.png side.png --json build.json

      dreamactor proportions front.png --proportions-json build.json --driving dance.mp4 --preview before_after.png
    """
    from dreamactor.app.proportions import measure_character
    from dreamactor.inference.character_build import BONES, guessed_bones, joints_of, parse_proportions

    build = measure_character(
        tuple(pictures), described=proportions_json, json_file=json_file, driving=driving, preview=preview,
        mix=parse_proportions(proportions),
    )  # fmt: skip
    guessed = guessed_bones(build)
    for bone in BONES:
        typer.echo(f"{bone:14}{float(build.bone_length[joints_of(bone)[0]]):6.3f}{' *' if bone in guessed else ''}")
    typer.echo(f"{'head_radius':14}{build.head_radius:6.3f}")
    typer.echo(f"{'hand':14}{build.hand_length:6.3f}")
    written = [str(path) for path in (json_file, preview) if path is not None]
    if written:
        typer.echo(", ".join(written))
