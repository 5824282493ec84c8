"""`dreamactor bench ablations`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the run; the same folder resumes it.")],
    only: Annotated[list[str] | None, typer.Option(help="Name of a comparison; repeat for several. All otherwise.")] = None,
    preset: Annotated[
        str, typer.Option(help="tiny: seconds, tries the machinery. actor: hours, the embedded shapes.")
    ] = "tiny",
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each side.")] = 2,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the rows here.")] = None,
) -> None:
    """Compare the parts of the method with what the paper and we put in their place, each trained on an equal budget.

    Comparisons: references, bone_lengths, pose_control, face_encoder, reference_mode, textured_proxy.

    Examples:

      dreamactor bench ablations --output try --only references --only bone_lengths

      dreamactor bench ablations --output run --preset actor --json ablations.json
    """
    from dataclasses import asdict

    from dreamactor.app.bench.ablations import ablation_table, bench_ablations
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.recipes.ablations.variants import budget_of, choose_comparisons
    from dreamactor.video.output import check_output

    if json_file is not None:
        check_output(json_file, suffixes=(".json",))
    names = tuple(only or ())
    choose_comparisons(names)
    budget = budget_of(preset)
    with named_bars() as bars:
        result = bench_ablations(output, only=names, preset=preset, seeds=seeds, report=bars)
    typer.echo(ablation_table(result))
    if json_file is not None:
        write_scores(json_file, result.rows, preset=preset, seeds=seeds, budget=asdict(budget), not_run=result.not_run)
        typer.echo(str(json_file))
