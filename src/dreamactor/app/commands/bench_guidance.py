"""`dreamactor bench guidance`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    only: Annotated[list[str] | None, typer.Option(help="A part to measure; repeat for more. All if left out.")] = None,
    faces: Annotated[
        str, typer.Option(help="Model, or folder of `train face`, whose face encoders are measured.")
    ] = "actor",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
) -> None:
    """Measure motion guidance, part by part, on held-out actors whose truth is known.

    Examples:

      dreamactor bench guidance --json guidance.json

      dreamactor bench guidance --only heads

      dreamactor bench guidance --only faces --only micro --faces face-run
    """
    from dreamactor.app.bench.guidance import bench_guidance
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.video.writer import check_output

    if json_file is not None:
        check_output(json_file)
    with named_bars() as bars:
        rows = bench_guidance(tuple(only or ()), bars, faces=faces)
    for row in rows:
        typer.echo(f"{row['part']:10} {row['set']:28} {row['metric']:36} {row['value']:9.3f}  (n {row['n']})")
    if json_file is not None:
        write_scores(json_file, rows)
