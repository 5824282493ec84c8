"""Writes the scores of a bench."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dreamactor.data.actors import ACTOR_VERSION
from dreamactor.video.output import atomic_path


def write_scores(path: Path, rows: list[dict[str, Any]], **about: Any) -> None:
    """Writes rows of scores as JSON, with the version of the actors they were measured on."""
    with atomic_path(path) as part:
        part.write_text(json.dumps({**about, "actor_version": ACTOR_VERSION, "rows": rows}, indent=2) + "\n")
