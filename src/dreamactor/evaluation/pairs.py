"""Which video belongs to which truth: files, or folders whose files have the same names.

In a folder the name of a clip is its path without the ending. Where a folder holds a `truth.*` video, that folder is one
clip and gives it its name; its other videos (the driver's) are no truths. So the output for `body/case/truth.mp4` may be
called `body/case.mp4`, or be the one video in `body/case/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dreamactor.errors import InputError

VIDEO_SUFFIXES: Final = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """One clip.

    Attributes:
        clip: its name.
        made, truth: the files; None where there is none.
        error: why they cannot be compared; None where both are there.
    """

    clip: str
    made: Path | None
    truth: Path | None
    error: str | None = None


def match(generated: Path, truth: Path) -> list[Pair]:
    """Pairs two files, or the videos of two folders, in the order of their names.

    Raises:
        InputError: one of them is not there, one is a file and the other a folder, or there is no truth at all.
    """
    for path in (generated, truth):
        if not path.exists():
            raise InputError(f"There is nothing at {path}. Give a video or a folder of videos.")
    if generated.is_dir() != truth.is_dir():
        folder, file = (generated, truth) if generated.is_dir() else (truth, generated)
        raise InputError(f"{folder} is a folder and {file} is a file. Give two files or two folders.")
    if not generated.is_dir():
        return [Pair(clip=generated.stem, made=generated, truth=truth)]
    truths = _truths(truth)
    if not truths:
        raise InputError(f"There is no video in {truth} (known endings: {', '.join(VIDEO_SUFFIXES)}).")
    made = _named(generated)
    pairs, used = [], set()
    for clip, path in truths.items():
        own = [file for name, file in made.items() if name == clip] or [
            file for name, file in made.items() if str(Path(name).parent) == clip
        ]
        error = None
        if not own:
            error = f"no video called {clip} in {generated}"
        elif len(own) > 1:
            error = f"{len(own)} videos in {generated / clip}, needed is one"
        used.update(own)
        pairs.append(Pair(clip=clip, made=own[0] if len(own) == 1 else None, truth=path, error=error))
    for name, file in made.items():
        if file not in used:
            pairs.append(Pair(clip=name, made=file, truth=None, error=f"no truth called {name} in {truth}"))
    return pairs


def _videos(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file() and not path.name.startswith(".")
    )


def _named(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in _videos(folder)}


def _truths(folder: Path) -> dict[str, Path]:
    """Clip -> truth."""
    every = _named(folder)
    exported = {path.parent for path in every.values() if path.stem == "truth" and path.parent != folder}
    found = {}
    for name, path in every.items():
        if path.parent not in exported:
            found[name] = path
        elif path.stem == "truth":
            found[path.parent.relative_to(folder).as_posix()] = path
    return dict(sorted(found.items()))
