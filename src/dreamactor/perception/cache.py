"""Tracks by content: the same file looked at in the same way is looked at once.

The key is a hash of the file's bytes, of the settings and of `PERCEPTION_VERSION`. Files lie in `$DREAMACTOR_CACHE`, or
`~/.cache/dreamactor` where that is not set; deleting them is always safe.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from dreamactor.errors import MotionFileError, OutputError
from dreamactor.perception.track_file import load_track, save_track
from dreamactor.types.track import PersonTrack

PERCEPTION_VERSION = 3
"""Raised whenever the same picture would give another track."""

_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Where tracks are kept; it need not exist."""
    chosen = os.environ.get("DREAMACTOR_CACHE")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "dreamactor"


def cached_track(source: Path, settings: str, compute: Callable[[], PersonTrack]) -> PersonTrack:
    """The track of a file, from the cache if it is there.

    Args:
        source: the video or picture; its bytes are hashed, its name and place do not matter.
        settings: everything else that changes the result, as text (estimator settings, person number).
        compute: makes the track; called only on a miss.

    A cache that cannot be read or written costs time, never the result: a damaged entry is made again, and where
    nothing can be stored the track is returned all the same.
    """
    entry = cache_folder() / "tracks" / f"{_key(source, settings)}.npz"
    if entry.is_file():
        try:
            return load_track(entry)
        except MotionFileError as error:
            _log.warning("Cached track is damaged and is made again: %s", error)
    track = compute()
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        save_track(entry, track)
    except (OSError, OutputError) as error:
        _log.warning("Track cannot be cached: %s", error)
    return track


def _key(source: Path, settings: str) -> str:
    """Hex digest of the file's bytes and of how it is looked at."""
    with source.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashlib.sha256(f"{content}\n{settings}\n{PERCEPTION_VERSION}".encode()).hexdigest()[:40]
