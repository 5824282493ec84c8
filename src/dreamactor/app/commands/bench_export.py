"""`dreamactor bench export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(help="Where the cases go; made if need be.")],
    quick: Annotated[bool, typer.Option("--quick", help="The cases of the quick bench only.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many cases of each track.")] = None,
) -> None:
    """Write ActorBench's cases as files, for methods that run elsewhere. Cases that are there are kept, so it resumes.

    Examples:

      dreamactor bench export cases/

      dreamactor bench export cases/ --quick --limit 4
    """
    from dreamactor.app.bench.export import export_bench
    from dreamactor.app.progress import named_bars
    from dreamactor.errors import OutputError

    if folder.exists() and not folder.is_dir():
        raise OutputError(f"Cannot write to {folder}: it is a file. Give a folder.")
    with named_bars() as bars:
        count = export_bench(folder, quick=quick, limit=limit, report=lambda done, total: bars("cases", done, total))
    typer.echo(f"{folder} ({count} cases; see README.txt in it)")
