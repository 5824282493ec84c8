"""Progress bars with time left, fed by the library's progress callback."""

from __future__ import annotations

import logging
import os
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
def named_bars(console: Console | None = None) -> Iterator[Callable[[str, int, int | None], None]]:
    """One bar per name, on standard error; yields the callback (name, done, total) that moves them."""
    columns = (
        TextColumn("{task.description:>9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console or Console(stderr=True), transient=False) as bars:
        known: dict[str, TaskID] = {}

        def report(name: str, done: int, total: int | None) -> None:
            if name not in known:
                known[name] = bars.add_task(name, total=total)
            bars.update(known[name], completed=done, total=total)

        yield report


@contextmanager
def training_lines() -> Iterator[Callable[[str, int, int | None], None]]:
    """The same bars, and what trainings log as plain lines above them; in the first process alone, of several."""
    if os.environ.get("RANK", "0") != "0":
        yield lambda name, done, total: None
        return
    lines = _Lines()
    logger = logging.getLogger("dreamactor")
    before = logger.level
    logger.addHandler(lines)
    logger.setLevel(logging.INFO)
    try:
        with named_bars(lines.console) as report:
            yield report
    finally:
        logger.removeHandler(lines)
        logger.setLevel(before)


class _Lines(logging.Handler):
    """Prints log lines so that bars stay below them."""

    def __init__(self) -> None:
        super().__init__()
        self.console = Console(stderr=True)

    def emit(self, record: logging.LogRecord) -> None:
        self.console.print(record.getMessage(), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def stage_bars() -> Iterator[Callable[[Step], None]]:
    """The same for the stages of an animation."""
    with named_bars() as report:
        yield lambda step: report(step.stage, step.done, step.total)
