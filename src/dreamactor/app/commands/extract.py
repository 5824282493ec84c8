"""`dreamactor extract`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    video: Annotated[Path, typer.Argument(help="Video with a person.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Motion file to write (.npz).")],
    preview: Annotated[Path | None, typer.Option(help="Also write driving, skeleton, sphere and face side by side.")] = None,
    person: Annotated[int | None, typer.Option(min=1, help="Which person, 1 for the largest.")] = None,
    estimator: Annotated[
        str, typer.Option(help="mediapipe, or rtmlib (an extra, with networks of your own).")
    ] = "mediapipe",
    estimator_weights: Annotated[Path | None, typer.Option(help="Folder with the ONNX files for rtmlib.")] = None,
) -> None:
    """Find the motion in a video and save it.

    Examples:

      dreamactor extract dance.mp4 -o motion.npz

      dreamactor extract dance.mp4 -o motion.npz --preview look.mp4

      dreamactor extract dance.mp4 -o motion.npz --estimator rtmlib --estimator-weights networks
    """
    from dreamactor.app.extract import extract_to_file
    from dreamactor.guidance.camera import describe_camera

    track = extract_to_file(video, output, preview=preview, person=person, backend=estimator, weights=estimator_weights)

    def share(tracked: object) -> str:
        return f"{float(tracked.float().mean()):.0%}"  # type: ignore[attr-defined]

    typer.echo(
        f"{output} ({track.num_frames} frames: body {share(track.body.tracked)}, face {share(track.face.tracked)}, "
        f"left hand {share(track.hands.tracked[:, 0])}, right hand {share(track.hands.tracked[:, 1])})"
        + (f", {preview}" if preview else "")
    )
    typer.echo(describe_camera(track))
