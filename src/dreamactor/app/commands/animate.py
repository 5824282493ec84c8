"""`dreamactor animate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    references: Annotated[list[Path], typer.Argument(help="One or more pictures of the character.")],
    driving: Annotated[Path, typer.Option(help="Video whose motion drives the character, or a motion file (.npz).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Video to write (.mp4, .m4v or .mov).")],
    model: Annotated[str, typer.Option(help="Model name, or a folder with a model.json.")] = "actor",
    seed: Annotated[int, typer.Option(help="Of all randomness; equal seeds give equal videos.")] = 0,
    steps: Annotated[int | None, typer.Option(help="Sampling steps; the model's own if left out.")] = None,
    size: Annotated[int | None, typer.Option(help="Side of a square of the output's area, in pixels.")] = None,
    guidance_ref: Annotated[float | None, typer.Option(help="Guidance scale of the references.")] = None,
    guidance_motion: Annotated[float | None, typer.Option(help="Guidance scale of the motion.")] = None,
    framing: Annotated[str, typer.Option(help="auto, reference or driving.")] = "auto",
    person: Annotated[int | None, typer.Option(help="Which person of the video, 1 for the largest.")] = None,
    reference_json: Annotated[
        list[Path] | None, typer.Option(help="Head box and joints of the first reference by hand; repeat for the next.")
    ] = None,
    proxy: Annotated[bool, typer.Option(help="Carry the reference's own pixels along.")] = True,
    face_encoder: Annotated[
        str, typer.Option(help="What reads the driver's face: auto, implicit (its pictures) or landmarks.")
    ] = "auto",
    face_weights: Annotated[
        Path | None, typer.Option(help="Own weights of the implicit face encoder (.safetensors).")
    ] = None,
    preview: Annotated[Path | None, typer.Option(help="Also write driving and result side by side.")] = None,
) -> None:
    """Animate a character by a driving video.

    Examples:

      dreamactor animate actor.png --driving dance.mp4 -o out.mp4

      dreamactor animate front.png back.png --driving turn.mp4 -o out.mp4 --preview both.mp4 --seed 3
    """
    from dreamactor.app.animate import animate_to_file
    from dreamactor.inference.request import AnimateRequest

    request = AnimateRequest(
        references=tuple(references),
        driving=driving,
        seed=seed,
        steps=steps,
        size=size,
        guidance_reference=guidance_ref,
        guidance_motion=guidance_motion,
        framing=framing,  # type: ignore[arg-type]
        person=person,
        described=tuple(reference_json or ()),
        use_proxy=proxy,
        face_encoder=face_encoder,  # type: ignore[arg-type]
        face_weights=face_weights,
    )
    num_frames = animate_to_file(request, model=model, output=output, preview=preview)
    typer.echo(f"{output} ({num_frames} frames)" + (f", {preview}" if preview else ""))
