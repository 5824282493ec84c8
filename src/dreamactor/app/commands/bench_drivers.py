"""`dreamactor bench drivers`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of driving videos.", show_default=False)],
    model: Annotated[str, typer.Option(help="Model name or folder.")] = "actor",
    seconds: Annotated[float, typer.Option(help="Animate at most so many seconds from the start of each clip.")] = 3.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the model's noise; equal seeds give equal numbers.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores here, clip by clip too.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write driver, skeleton and output at three moments of every clip here (.png).")
    ] = None,
) -> None:
    """Measure how well real drivers move drawn actors: jaw, lids and head over time, and the directions of limbs.

    Every clip drives a held-out actor of its own. What perception sees in the driver is compared with what the judge, which
    was trained on drawn actors, reads in the output. Only the first --seconds of each clip count.

    Examples:

      dreamactor bench drivers clips/

      dreamactor bench drivers clips/ --model run/model --seconds 2 --json scores.json --sheet sheet.png
    """
    from dreamactor.app.bench.drivers import (
        DRIVER_SETTINGS,
        bench_drivers,
        clip_entries,
        driver_rows,
        driver_sheet,
        driver_table,
        find_clips,
    )
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.evaluation.judge import load_judge
    from dreamactor.inference.animator import Animator
    from dreamactor.video.image import write_image
    from dreamactor.video.output import check_output

    given = find_clips(folder)
    if json_file is not None:
        check_output(json_file, given, suffixes=(".json",))
    if sheet is not None:
        check_output(sheet, given, suffixes=(".png",))
    animator, judge = Animator.from_pretrained(model), load_judge()
    with named_bars() as bars:
        clips = bench_drivers(
            animator, judge, folder, seconds=seconds, seed=seed, pictures=sheet is not None, report=bars
        )  # fmt: skip
    typer.echo(driver_table(clips))
    if json_file is not None:
        write_scores(
            json_file, driver_rows(clips), model=model, seconds_per_clip=seconds, seed=seed,
            size=animator.bundle.defaults.size, judge_sha256=judge.sha256, settings=DRIVER_SETTINGS,
            clips=clip_entries(clips),
        )  # fmt: skip
        typer.echo(str(json_file))
    if sheet is not None:
        picture = driver_sheet(clips)
        if picture is None:
            typer.echo(f"{sheet} was not written: no clip could be animated.", err=True)
        else:
            write_image(sheet, picture)
            typer.echo(str(sheet))
