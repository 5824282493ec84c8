"""`dreamactor bench faces`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of videos of faces.", show_default=False)],
    faces: Annotated[
        str, typer.Option(help="Model, or folder of `train face`, whose face encoders are measured.")
    ] = "actor",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write scores and curves here.")] = None,
) -> None:
    """Measure how well face tokens follow real faces: mouth and eyes, by each encoder.

    The read-outs are learnt on drawn actors; they are compared, over time, with what the geometry of perception's face
    points shows: the gap between the lips, and the height of the eyes over their width.

    Examples:

      dreamactor bench faces clips/

      dreamactor bench faces clips/ --faces face-run --json faces.json
    """
    from dreamactor.app.bench.drivers import find_clips
    from dreamactor.app.bench.real_faces import bench_faces, real_face_rows, real_face_table
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.inference.bundle import load_face_encoders
    from dreamactor.video.output import check_output

    given = find_clips(folder)
    if json_file is not None:
        check_output(json_file, given, suffixes=(".json",))
    encoders = load_face_encoders(faces)
    with named_bars() as bars:
        clips = bench_faces(encoders, folder, report=bars)
    typer.echo(real_face_table(clips))
    if json_file is not None:
        curves = {
            clip.clip: {
                "error": clip.error,
                "auto": None if clip.taken is None else str(clip.taken),
                "perception": {name: series.tolist() for name, series in clip.proxies.items()},
                **{encoder: {n: s.tolist() for n, s in found.items()} for encoder, found in clip.read.items()},
            }
            for clip in clips
        }
        write_scores(json_file, real_face_rows(clips), faces=faces, curves=curves)
        typer.echo(str(json_file))
