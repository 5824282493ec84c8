"""Work on several processes, one thread each, that ends at once when it is interrupted."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import get_context
from typing import Final, TypeVar

import torch

_KEEP_MEMORY: Final = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "2000000000"}
"""For glibc, read when a process starts: memory that is given back is soon asked for again, and that takes time."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def _start() -> None:
    """One thread each, so that the number of workers changes no result; Ctrl-C is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)


def in_parallel(work: Callable[[Item], Result], items: Iterable[Item], *, workers: int) -> Iterator[Result]:
    """Yields what `work` makes of the items, in the order in which they get done.

    An exception in a worker is raised here; then, as when the caller stops, all workers end at once.

    Args:
        work: a function that can be pickled.
        items: arguments that can be pickled.
        workers: processes.
    """
    for name, value in _KEEP_MEMORY.items():
        os.environ.setdefault(name, value)
    with get_context("spawn").Pool(workers, initializer=_start) as pool:
        yield from pool.imap_unordered(work, items)
