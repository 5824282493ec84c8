"""What a stored job asks of the library."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from dreamactor.app.studio.jobs import Job, JobFolder
from dreamactor.errors import ConfigError
from dreamactor.inference.request import PARTS, AnimateRequest


def animate_request(job: Job, folder: JobFolder) -> AnimateRequest:
    """The request of a job.

    Raises:
        ConfigError: settings and files do not go together.
    """
    given = {role: [folder.inputs / name for name in names] for role, names in job.files.items()}
    settings = {name: value for name, value in job.settings.items() if name not in ("kind", "label")}
    for part in PARTS:
        chosen = settings[f"{part}_from"]
        if chosen == "file" and not given.get(part):
            raise ConfigError(f"{part}_from is 'file', and no file came for the {part}. Send one as '{part}'.")
        if chosen != "file" and given.get(part):
            raise ConfigError(f"A file came for the {part}, but {part}_from is '{chosen}'. Set it to 'file'.")
        if chosen == "file":
            settings[f"{part}_from"] = given[part][0]
    settings |= _speech(given)
    return AnimateRequest(references=tuple(given.get("references", ())), driving=_first(given, "driving"), **settings)


def can_speak() -> bool:
    """Whether this version of the library can be driven by speech."""
    return "audio" in {field.name for field in fields(AnimateRequest)}


def _speech(given: dict[str, list[Path]]) -> dict[str, Any]:
    """Speech that moves the mouth, where this version of the library can."""
    audio = _first(given, "audio")
    if audio is None:
        return {}
    if not can_speak():
        raise ConfigError("This version cannot be driven by speech. Send a driving video.")
    return {"audio": audio}


def _first(given: dict[str, list[Path]], role: str) -> Path | None:
    return next(iter(given.get(role, ())), None)
