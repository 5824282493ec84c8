"""`dreamactor bench speed`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dreamactor.app.bench.speed_meter import Row

UNITS = {
    "seconds_per_frame": "s",
    "cpu_seconds_per_frame": "s",
    "cpu_seconds_per_actor": "s",
    "frames_per_second": "1/s",
    "frames_per_second_dressed": "1/s",
    "matmul_gflop_per_frame": "GFLOP",
    "matmul_gflop_per_actor": "GFLOP",
    "seconds_per_video": "s",
    "seconds_per_step": "s",
    "seconds_per_forward": "s",
    "prepare_seconds_per_video": "s",
    "gflop_per_frame": "GFLOP",
    "gflop_per_video": "GFLOP",
    "gflop_per_forward": "GFLOP",
    "peak_rss_mb": "MiB",
    "median_peak_rss_mb": "MiB",
}
"""Other metrics are plain ratios."""


def command(
    model: Annotated[str, typer.Option(help="Model name or folder.")] = "actor",
    frames: Annotated[int, typer.Option(min=25, max=730, help="Longest video; longer ones are listed, not run.")] = 365,
    repeats: Annotated[int, typer.Option(min=1, max=100, help="The fastest of so many counts.")] = 3,
    only: Annotated[list[str] | None, typer.Option(help="A part to measure; repeat for more. All if left out.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the measurements here.")] = None,
) -> None:
    """Measure drawing of actors, time by stage and by length of the video, memory, and diffusers' transformers beside ours.

    Videos of 25, 73, 145, 365 and 730 frames show whether time per frame and memory stay level; --frames 730 runs them all
    and takes about twice as long as the default. Leave the machine alone meanwhile: times are wall times, but
    actors are timed by the processor's seconds on one thread.

    Examples:

      dreamactor bench speed --json speed.json

      dreamactor bench speed --frames 73 --repeats 1

      dreamactor bench speed --only actors
    """
    from dreamactor.app.bench.speed import SpeedOptions, bench_speed
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.inference.bundle import load_bundle
    from dreamactor.video.writer import check_output

    if json_file is not None:
        check_output(json_file)
    options = SpeedOptions(max_frames=frames, repeats=repeats, only=tuple(only or ()))
    bundle = load_bundle(model)
    with named_bars() as bars:
        rows, machine = bench_speed(bundle, options, bars)
    for fact, value in machine.items():
        typer.echo(f"{fact:14} {value:.1f}" if isinstance(value, float) else f"{fact:14} {value}")
    typer.echo(f"\n{'set':14} {'method':28} {'metric':25} {'value':>10} {'unit':5}  times")
    for row in rows:
        typer.echo(_line(row))
    if json_file is not None:
        write_scores(json_file, rows, model=model, machine=machine)


def _line(row: Row) -> str:
    what = f"{row['set']:14} {row['method']:28} {row['metric']:25}"
    value, note = row["value"], row.get("note", "")
    if value is None:
        return f"{what} {note}"
    return f"{what} {value:10.4g} {UNITS.get(row['metric'], ''):5}  {row['n']:<5} {note}".rstrip()
