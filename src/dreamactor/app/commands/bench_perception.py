"""`dreamactor bench perception`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    frames: Annotated[int, typer.Option(min=8, max=10000, help="Frames per framing.")] = 200,
    size: Annotated[int, typer.Option(min=64, max=1024, help="Width and height in pixels.")] = 256,
    cast: Annotated[str | None, typer.Option(help="Who performs: the actors of cast 3 (default) or 2.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
) -> None:
    """Measure how well the ordinary perception sees drawn actors, whose truth is known.

    A body counts as found when its median joint lies within 15 % of the torso, a face when its box overlaps the true one
    by more than half; rates are given over all actors and by style.

    Examples:

      dreamactor bench perception --json perception.json

      dreamactor bench perception --frames 40 --cast 2
    """
    from dreamactor.app.bench.perception import bench_perception
    from dreamactor.app.casts import chosen_cast
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.video.writer import check_output

    performers = chosen_cast(cast)
    if json_file is not None:
        check_output(json_file)
    with named_bars() as bars:
        rows = bench_perception(
            num_frames=frames, size=size, cast=performers, report=lambda done, total: bars("perceive", done, total)
        )
    for row in rows:
        typer.echo(f"{row['set']:9} {row['mode']:8} {row['metric']:22} {row['value']:8.3f}  (n {row['n']})")
    if json_file is not None:
        write_scores(json_file, rows)
