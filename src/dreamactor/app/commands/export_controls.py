"""`dreamactor export-controls`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    references: Annotated[list[Path], typer.Argument(help="One or more pictures of the character; the first is exported.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="New folder to write.")],
    driving: Annotated[Path | None, typer.Option(help="Video whose motion drives the character, or a motion file.")] = None,
    body_from: Annotated[str, typer.Option(help="Body and hands: a video, a motion file, driving, reference or none.")] = (
        "driving"
    ),
    head_from: Annotated[str, typer.Option(help="The head's rotation: the same choice.")] = "driving",
    face_from: Annotated[str, typer.Option(help="The expression: the same choice; none gives black crops.")] = "driving",
    format: Annotated[str, typer.Option(help="wan-animate or vace.")] = "wan-animate",
    replace: Annotated[bool, typer.Option("--replace", help="Also background and mask, to replace the driver.")] = False,
    size: Annotated[int | None, typer.Option(help="Side of a square of the canvas's area, in pixels (960).")] = None,
    framing: Annotated[str, typer.Option(help="auto, reference or driving.")] = "auto",
    camera: Annotated[str, typer.Option(help="Motion of the body's own camera: ignore or follow.")] = "ignore",
    person: Annotated[int | None, typer.Option(help="Which person of the driving video, 1 for the largest.")] = None,
    proportions: Annotated[str, typer.Option(help="Bone lengths of reference, driving, or 0 (driving) to 1.")] = "reference",
) -> None:
    """Write the control videos of Wan-Animate or VACE alone, for ComfyUI or their own scripts.

    wan-animate: src_pose.mp4, src_face.mp4 (512 x 512), src_ref.png; with --replace src_bg.mp4 and src_mask.mp4. vace:
    control.mp4, mask.mp4 (white where something is drawn), reference.png. All have the driving video's frames and sound.

    Examples:

      dreamactor export-controls photo.jpg --driving dance.mp4 -o controls

      dreamactor export-controls photo.jpg --driving dance.mp4 -o controls --format vace --replace --size 640
    """
    from dreamactor.app.export_controls import export_controls
    from dreamactor.inference.character_build import parse_proportions
    from dreamactor.inference.request import AnimateRequest, parse_source

    request = AnimateRequest(
        references=tuple(references),
        driving=driving,
        body_from=parse_source(body_from),
        head_from=parse_source(head_from),
        face_from=parse_source(face_from),
        size=size,
        framing=framing,  # type: ignore[arg-type]
        camera=camera,  # type: ignore[arg-type]
        person=person,
        proportions=parse_proportions(proportions),
    )
    files = export_controls(request, output, format=format, replaces=replace)
    typer.echo(f"{output} ({', '.join(files)})")
