"""Stopwatch, FLOP counter, memory gauge and the facts of the machine. Knows nothing about what is measured."""

from __future__ import annotations

import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

Row = dict[str, Any]
Totals = dict[str, float]

MATMUL_SIDE: Final = 1024
MATMUL_REPEATS: Final = 20
_STATM: Final = Path("/proc/self/statm")
_SAMPLE_S: Final = 0.005


def measured(kind: str, method: str, metric: str, value: float, *, n: int, **more: Any) -> Row:
    """One measurement; `n` is how often it was taken, and a time is the fastest of them."""
    return {"set": kind, "method": method, "metric": metric, "value": value, "n": n, **more}


def not_measured(kind: str, method: str, metric: str, why: str) -> Row:
    """A measurement that was left out, and why."""
    return {"set": kind, "method": method, "metric": metric, "value": None, "n": 0, "note": f"not measured ({why})"}


def _attention_flop(query: torch.Size, key: torch.Size, value: torch.Size, *_: Any, **__: Any) -> int:
    return sdpa_flop_count(query, key, value)


_CPU_ATTENTION: Final = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flop}
"""Attention as the CPU runs it, which torch's counter passes over."""


@contextmanager
def seconds(totals: Totals, name: str) -> Iterator[None]:
    """Adds the seconds that the body takes to `totals[name]`."""
    start = time.perf_counter()
    yield
    totals[name] = totals.get(name, 0.0) + time.perf_counter() - start


@contextmanager
def gflops(totals: Totals, name: str) -> Iterator[None]:
    """Adds the GFLOP of the body to `totals[name]`: products, convolutions and attentions; a multiply-add is two."""
    with FlopCounterMode(display=False, custom_mapping=_CPU_ATTENTION) as counter:
        yield
    totals[name] = totals.get(name, 0.0) + counter.get_total_flops() / 1e9


def count_gflop(call: Callable[[], object]) -> float:
    """GFLOP of one call."""
    totals: Totals = {}
    with gflops(totals, "call"):
        call()
    return totals["call"]


def race(runners: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, float]:
    """Fastest seconds of each runner. They take turns, so that a busy machine slows them alike; a first round warms up."""
    laps: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(repeats + 1):
        for name, run in runners.items():
            lap: Totals = {}
            with seconds(lap, name):
                run()
            laps[name].append(lap[name])
    return {name: min(taken[1:]) for name, taken in laps.items()}


def matmul_gflops() -> float:
    """What this machine makes of a plain matrix product in single precision: GFLOP/s, the fastest of some."""
    one, other = torch.randn(2, MATMUL_SIDE, MATMUL_SIDE, generator=torch.Generator().manual_seed(0))
    fastest = race({"matmul": lambda: one @ other}, repeats=MATMUL_REPEATS)["matmul"]
    return 2 * MATMUL_SIDE**3 / fastest / 1e9


class PeakMemory:
    """The most memory the process held while the body ran, children not counted: `mb` after it, in MiB.

    A body in several laps says where each ends; `laps_mb` then holds the most of each.
    """

    def __enter__(self) -> Self:
        self.laps_mb: list[float] = []
        self._lap_mb = resident_mb()
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._done.set()
        self._sampler.join()
        self.mb = max([*self.laps_mb, self._lap_mb, resident_mb()])

    def lap(self) -> None:
        """Ends a lap."""
        self.laps_mb.append(self._lap_mb)
        self._lap_mb = resident_mb()

    def _sample(self) -> None:
        while not self._done.wait(_SAMPLE_S):
            now_mb = resident_mb()  # first, since reading lets other threads run and they may end a lap
            self._lap_mb = max(self._lap_mb, now_mb)


def resident_mb() -> float:
    """Resident memory of this process in MiB: now on Linux, elsewhere the highest since it started."""
    if _STATM.exists():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    import resource  # not on every system, and not needed on Linux

    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest / 2**20 if sys.platform == "darwin" else highest / 2**10


def machine_facts() -> dict[str, Any]:
    """What a figure means nothing without."""
    every = f"resident set read from {_STATM} every {_SAMPLE_S * 1000:.0f} ms"
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "date": datetime.now(UTC).date().isoformat(),
        "memory": every if _STATM.exists() else "highest resident set since the process started (getrusage)",
    }


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
