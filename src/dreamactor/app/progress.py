"""Progress bars with time left, fed by the library's progress callback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from dreamactor.inference.request import Progress as Step


@contextmanager
def stage_bars() -> Iterator[Callable[[Step], None]]:
    """One bar per stage, on standard error; yields the callback that moves them."""
    columns = (
        TextColumn("{task.description:>9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as bars:
        known: dict[str, int] = {}

        def report(step: Step) -> None:
            if step.stage not in known:
                known[step.stage] = bars.add_task(step.stage, total=step.total)
            bars.update(known[step.stage], completed=step.done, total=step.total)  # type: ignore[arg-type]

        yield report
