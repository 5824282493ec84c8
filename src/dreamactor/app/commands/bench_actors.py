"""`dreamactor bench actors`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    model: Annotated[str, typer.Option(help="Model name or folder.")] = "actor",
    quick: Annotated[bool, typer.Option("--quick", help="Clips of 25 frames, some sets left out: minutes.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many cases of each set.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; their number changes no result.")] = 2,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots and pictures here (.html).")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet of the first cases here (.png).")] = None,
) -> None:
    """Measure a model on ActorBench: held-out actors with rendered truth, beside baselines. Resumes where it stopped.

    Examples:

      dreamactor bench actors --quick --json scores.json --html report.html

      dreamactor bench actors --model run/model --json scores.json

      dreamactor bench actors --limit 1
    """
    from dreamactor.app.bench.actors import bench_actors
    from dreamactor.app.bench.actors_output import show_bench
    from dreamactor.app.progress import named_bars
    from dreamactor.inference.bundle import load_bundle
    from dreamactor.video.output import check_output

    if json_file is not None:
        check_output(json_file, suffixes=(".json",))
    if html is not None:
        check_output(html, suffixes=(".html", ".htm"))
    if sheet is not None:
        check_output(sheet, suffixes=(".png",))
    load_bundle(model)  # a damaged model is found before the work starts
    with named_bars() as bars:
        result = bench_actors(
            model, quick=quick, limit=limit, workers=workers, report=lambda done, total: bars("cases", done, total)
        )
    show_bench(result, model=model, quick=quick, json_file=json_file, html=html, sheet=sheet)
