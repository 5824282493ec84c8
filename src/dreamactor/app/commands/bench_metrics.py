"""`dreamactor bench metrics`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    truths: Annotated[int, typer.Option(min=3, max=99, help="Rendered clips that are distorted.")] = 9,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the values here.")] = None,
) -> None:
    """Check the metrics themselves: each must get worse with graded distortions of rendered truth, or stay as it is.

    Examples:

      dreamactor bench metrics

      dreamactor bench metrics --truths 12 --json metrics.json
    """
    from dataclasses import asdict

    from dreamactor.app.bench.metrics import bench_metrics, label
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.data.distorted import DISTORTIONS
    from dreamactor.evaluation.judge import load_judge
    from dreamactor.video.output import check_output

    if json_file is not None:
        check_output(json_file, suffixes=(".json",))
    judge = load_judge()
    with named_bars() as bars:
        trends = bench_metrics(judge, num_truths=truths, report=lambda done, total: bars("clips", done, total))
    for name, about in DISTORTIONS.items():
        typer.echo(f"\n{name}: {about}")
        for trend in (one for one in trends if one.distortion == name):
            values = "".join(f"{value:10.3f}" for value in trend.values)
            typer.echo(f"  {label(trend.metric):24}{values}   {trend.expected:6} {'yes' if trend.holds else 'NO'}")
    held = sum(trend.holds for trend in trends)
    typer.echo(f"\n{held} of {len(trends)} as expected. Not tried: LPIPS, FID and FVD, whose networks do not come along.")
    if json_file is not None:
        write_scores(json_file, [asdict(trend) for trend in trends], judge_sha256=judge.sha256, truths=truths)
