"""Measures motion guidance part by part, on held-out actors whose truth is known.

Every part is a module of its own with one function `rows(report)`; this one only knows their names.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from dreamactor.errors import ConfigError

PARTS: Final = {
    "heads": "dreamactor.app.bench.guidance_heads",
    "camera": "dreamactor.app.bench.guidance_camera",
    "lengths": "dreamactor.app.bench.guidance_lengths",
    "skeleton": "dreamactor.app.bench.guidance_skeleton",
    "joints": "dreamactor.app.bench.guidance_joints",
    "yaw": "dreamactor.app.bench.guidance_yaw",
    "proxy": "dreamactor.app.bench.guidance_proxy",
}
"""What can be measured -> the module that does."""


def bench_guidance(only: tuple[str, ...], report: Callable[[str, int, int | None], None]) -> list[dict[str, Any]]:
    """Rows {part, set, metric, value, n, ...} of the parts asked for, in the order of `PARTS`.

    Args:
        only: names of parts; empty for all.
        report: called with (part, done, in all).

    Raises:
        ConfigError: a part that does not exist.
    """
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise ConfigError(f"Unknown part '{unknown[0]}' of the guidance bench. Known: {', '.join(PARTS)}.")
    rows: list[dict[str, Any]] = []
    for part, module in PARTS.items():
        if part in only or not only:
            found = importlib.import_module(module).rows(lambda done, total, part=part: report(part, done, total))
            rows += [{"part": part, **row} for row in found]
    return rows
