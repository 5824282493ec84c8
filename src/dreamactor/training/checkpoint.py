"""Checkpoints that are whole or not there: whatever happens while one is written, the one before it stays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from dreamactor.errors import InputError, OutputError

FORMAT = 2


def write_checkpoint(path: Path, saved: dict[str, Any]) -> None:
    """Writes tensors, numbers and text to one file, durably.

    Raises:
        OutputError: the disk is full or the file cannot be written; what was at `path` is still there.
    """
    part = path.with_suffix(".part")
    try:
        with part.open("wb") as file:
            torch.save({"format": FORMAT, **saved}, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a failed write as a RuntimeError
        part.unlink(missing_ok=True)
        kept = f" The last good one ({path}) is kept." if path.exists() else ""
        raise OutputError(
            f"Cannot write the checkpoint {path} ({_reason(error)}).{kept} Free some space, then run the same command again."
        ) from error


def _reason(error: Exception) -> str:
    """The operating system's words, which torch's own exception may hide."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error).splitlines()[0]


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Reads what `write_checkpoint` wrote, on the CPU; nothing in it is executed.

    Raises:
        InputError: damaged, or of another version.
    """
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(f"The checkpoint {path} is damaged ({error}). Delete it to begin this training again.") from error
    if saved.get("format") != FORMAT:
        raise InputError(
            f"The checkpoint {path} is of format {saved.get('format', 1)}, this version reads {FORMAT}. Delete it to begin "
            "this training again, or finish it with the version that wrote it."
        )
    return saved
