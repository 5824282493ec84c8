"""Arrays as one .npz file that appears complete or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dreamactor.errors import OutputError


def write_archive(path: Path, arrays: Mapping[str, Any]) -> None:
    """Writes a compressed archive of plain arrays.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise OutputError(f"Cannot write {path} ({error.strerror}). Choose a folder that exists and is writable.") from error
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez_compressed(stream, **arrays)
        Path(unfinished).replace(path)
    except OSError as error:
        raise OutputError(f"Cannot write {path} ({error.strerror}). Is the disk full?") from error
    finally:
        Path(unfinished).unlink(missing_ok=True)
