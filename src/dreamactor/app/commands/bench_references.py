"""`dreamactor bench references`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    model: Annotated[str, typer.Option(help="Model name or folder.")] = "actor",
    cases: Annotated[int, typer.Option(min=1, max=200, help="Characters of each set.")] = 6,
    period: Annotated[int, typer.Option(min=4, max=200, help="Frames of one whole turn, an even number.")] = 24,
    only: Annotated[list[str] | None, typer.Option("--set", help="full or half; repeat for both. Both if left out.")] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help="single, pseudo, turn, views or truth; repeat for more. All if left out."),
    ] = None,
    sheets: Annotated[Path | None, typer.Option(help="Folder for a picture of every case, a method a row.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
) -> None:
    """Measure what more references are worth: one picture, pseudo references made from it, or pictures of all sides.

    Held-out characters turn round twice and do the same in both turns, seen from head to foot (full) or with a half-body
    reference (half). Scored on the person: agreement with the truth in frames seen from behind and from in front, how much
    the back changes from one turn to the next, flicker, and identity.

    Examples:

      dreamactor bench references --cases 2 --set full --method single --method views

      dreamactor bench references --json references.json --sheets sheets/
    """
    from dreamactor.app.bench.references import METHODS, SETS, bench_references, reference_table
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.errors import ConfigError
    from dreamactor.video.output import check_output

    if period % 2:
        raise ConfigError(f"--period must be an even number of frames, got {period}.")
    for name, given, known in (("--set", only, SETS), ("--method", method, METHODS)):
        unknown = [text for text in given or () if text not in known]
        if unknown:
            raise ConfigError(f"Unknown {name} '{unknown[0]}'. Known: {', '.join(known)}.")
    if json_file is not None:
        check_output(json_file, suffixes=(".json",))
    sets = [one for one in SETS if one in (only or SETS)]
    methods = [one for one in METHODS if one in (method or METHODS)]
    with named_bars() as bars:
        rows = bench_references(model, cases=cases, period=period, sets=sets, methods=methods, sheets=sheets, report=bars)
    typer.echo(reference_table(rows))
    if json_file is not None:
        write_scores(json_file, rows, model=model, cases=cases, period=period)
        typer.echo(str(json_file))
