"""`dreamactor bench drift`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    model: Annotated[str, typer.Option(help="Model name or folder.")] = "actor",
    cases: Annotated[int, typer.Option(min=1, max=100, help="Long videos, a character each.")] = 2,
    clips: Annotated[int, typer.Option(min=0, max=200, help="Further characters with one segment, for the spread.")] = 8,
    frames: Annotated[int, typer.Option(min=3, max=100000, help="Frames of a long video.")] = 730,
    sheets: Annotated[Path | None, typer.Option(help="Folder for a picture of every case, a frame of each segment.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
) -> None:
    """Measure what changes in a long video from its first segment to its last: colour, sharpness, identity, time, memory.

    Held-out characters do the same in every segment, so nothing but drift can change. The change stands beside the spread of
    the same score over characters in a single segment.

    Examples:

      dreamactor bench drift --cases 1 --clips 4 --frames 241

      dreamactor bench drift --json drift.json --sheets sheets/
    """
    from dreamactor.app.bench.drift import bench_drift, drift_table
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.video.output import check_output

    if json_file is not None:
        check_output(json_file, suffixes=(".json",))
    with named_bars() as bars:
        rows = bench_drift(model, cases=cases, clips=clips, frames=frames, sheets=sheets, report=bars)
    typer.echo(drift_table(rows))
    if json_file is not None:
        write_scores(json_file, rows, model=model, frames=frames)
        typer.echo(str(json_file))
