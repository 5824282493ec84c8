"""`dreamactor bench judge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    judge: Annotated[Path | None, typer.Option(help="Folder of a judge; the shipped one otherwise.")] = None,
    model: Annotated[str, typer.Option(help="Model whose VAE makes the round trips.")] = "actor",
    actors: Annotated[int, typer.Option(min=2, max=500, help="Held-out actors per framing.")] = 60,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the errors here.")] = None,
) -> None:
    """Measure the judge's own error: joints, head, expression and identity of held-out actors.

    Examples:

      dreamactor bench judge --json judge.json

      dreamactor bench judge --judge run/judge --actors 20
    """
    from dreamactor.app.bench.judge import bench_judge
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.evaluation.judge import load_judge
    from dreamactor.inference.bundle import load_bundle
    from dreamactor.video.output import check_output

    if json_file is not None:
        check_output(json_file, suffixes=(".json",))
    networks, vae = load_judge(judge), load_bundle(model).vae
    with named_bars() as bars:
        rows = bench_judge(networks, vae, num_actors=actors, report=lambda done, total: bars("actors", done, total))
    sets = list(dict.fromkeys(row["set"] for row in rows))
    found = {(row["set"], row["method"], row["metric"]): row["value"] for row in rows}
    columns = [(name, kind) for name in sets for kind in ("rendered", "vae")]
    typer.echo(" " * 26 + "".join(f"{f'{name} {kind}':>18}" for name, kind in columns))
    for metric in dict.fromkeys(row["metric"] for row in rows):
        cells = (found.get((name, kind, metric)) for name, kind in columns)
        typer.echo(f"{metric:26}" + "".join(f"{'-':>18}" if value is None else f"{value:18.3f}" for value in cells))
    if json_file is not None:
        write_scores(json_file, rows, judge_sha256=networks.sha256)
