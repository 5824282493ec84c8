"""`dreamactor bench actors`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    model: Annotated[str, typer.Option(help="Model name or folder.")] = "actor",
    cases: Annotated[int, typer.Option(min=1, max=1000, help="Held-out cases (consecutive seeds).")] = 32,
    size: Annotated[int, typer.Option(min=64, max=1024, help="Width and height in pixels.")] = 256,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Write a contact sheet here (.png).")] = None,
) -> None:
    """Measure the model on held-out actors: a character does what somebody of another build does.

    Examples:

      dreamactor bench actors --json scores.json --sheet cases.png

      dreamactor bench actors --cases 4
    """
    from dreamactor.app.actor_bench import bench_actors
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.inference.animator import Animator
    from dreamactor.video.writer import check_output

    for path in (json_file, sheet):
        if path is not None:
            check_output(path)
    animator = Animator.from_pretrained(model)
    with named_bars() as bars:
        rows = bench_actors(
            animator, num_cases=cases, size=size, sheet=sheet, report=lambda done, total: bars("cases", done, total)
        )
    for row in rows:
        low, high = row["ci95"]
        better = f"  model better on {row['model_better']}/{row['n']}" if "model_better" in row else ""
        typer.echo(f"{row['method']:10} {row['metric']:17} {row['value']:7.3f}  [{low:.3f}, {high:.3f}]{better}")
    if json_file is not None:
        write_scores(json_file, rows, model=model)
