"""Measures motion guidance part by part, on held-out actors whose truth is known.

Every part is a module of its own with one function `rows(report)`; this one only knows their names.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from dreamactor.errors import ConfigError
from dreamactor.inference.bundle import load_face_encoders

PARTS: Final = {
    "heads": "dreamactor.app.bench.guidance_heads",
    "camera": "dreamactor.app.bench.guidance_camera",
    "lengths": "dreamactor.app.bench.guidance_lengths",
    "skeleton": "dreamactor.app.bench.guidance_skeleton",
    "joints": "dreamactor.app.bench.guidance_joints",
    "yaw": "dreamactor.app.bench.guidance_yaw",
    "proxy": "dreamactor.app.bench.guidance_proxy",
    "faces": "dreamactor.app.bench.guidance_faces",
    "micro": "dreamactor.app.bench.guidance_micro",
}
"""What can be measured -> the module that does."""
FACE_PARTS: Final = ("faces", "micro")
"""Parts that measure a model's face encoders: their `rows` takes them, too."""


def bench_guidance(
    only: tuple[str, ...], report: Callable[[str, int, int | None], None], *, faces: str = "actor"
) -> list[dict[str, Any]]:
    """Rows {part, set, metric, value, n, ...} of the parts asked for, in the order of `PARTS`.

    Args:
        only: names of parts; empty for all.
        report: called with (part, done, in all).
        faces: model, or run of `train face`, whose face encoders are measured.

    Raises:
        ConfigError: a part that does not exist.
    """
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise ConfigError(f"Unknown part '{unknown[0]}' of the guidance bench. Known: {', '.join(PARTS)}.")
    rows: list[dict[str, Any]] = []
    for part, module in PARTS.items():
        if part in only or not only:
            own = {"faces": load_face_encoders(faces)} if part in FACE_PARTS else {}
            found = importlib.import_module(module).rows(lambda done, total, part=part: report(part, done, total), **own)
            rows += [{"part": part, **row} for row in found]
    return rows
