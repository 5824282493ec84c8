"""Progress bars with time left, fed by the library's progress callback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from dreamactor.inference.request import Progress as Step


@contextmanager
def named_bars() -> Iterator[Callable[[str, int, int | None], None]]:
    """One bar per name, on standard error; yields the callback (name, done, total) that moves them."""
    columns = (
        TextColumn("{task.description:>9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as bars:
        known: dict[str, TaskID] = {}

        def report(name: str, done: int, total: int | None) -> None:
            if name not in known:
                known[name] = bars.add_task(name, total=total)
            bars.update(known[name], completed=done, total=total)

        yield report


@contextmanager
def stage_bars() -> Iterator[Callable[[Step], None]]:
    """The same for the stages of an animation."""
    with named_bars() as report:
        yield lambda step: report(step.stage, step.done, step.total)
