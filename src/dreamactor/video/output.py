"""Where results go: checks before the work starts, and files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from dreamactor.errors import OutputError


def check_output(path: Path, inputs: Sequence[Path] = (), *, suffixes: Sequence[str] = ()) -> None:
    """Checks that a result can be written to `path`, before any work starts. Leaves nothing behind.

    Args:
        path: where the result shall go; an ordinary file there would be replaced.
        inputs: files that are read; the result must not replace one of them (links are followed).
        suffixes: file endings that can be written, such as ".mp4"; empty for any.

    Raises:
        OutputError: with the reason and what to do.
    """
    path = Path(path)
    if suffixes and path.suffix.lower() not in suffixes:
        raise OutputError(f"Cannot write {path}: the name must end in {' or '.join(suffixes)}.")
    if path.is_dir():
        raise OutputError(f"Cannot write {path}: it is a folder. Give a file name.")
    if path.exists() and not path.is_file():
        raise OutputError(f"Cannot write {path}: it is not an ordinary file. Give another name.")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise OutputError(f"Cannot write {path}: folder {folder} does not exist. Create it first.")
    for source in inputs:
        if _same_file(path, Path(source)):
            raise OutputError(f"Cannot write {path}: it is an input of this command. Choose another output name.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"Cannot write to folder {folder}: {error.strerror}. Choose another output folder.") from error


def _same_file(one: Path, other: Path) -> bool:
    with suppress(OSError):
        if one.samefile(other):
            return True
    return one.resolve() == other.resolve()


def part_path(path: Path) -> Path:
    """Name of the unfinished file: in the same folder, with the same ending, different for every process."""
    real = path.resolve()
    return real.with_name(f".{real.stem}.{os.getpid()}.part{real.suffix}")


def remove_parts(path: Path) -> None:
    """Removes unfinished files that killed processes left for `path`. Not for one that a running process writes."""
    real = path.resolve()
    start, end = f".{real.stem}.", f".part{real.suffix}"
    for part in real.parent.iterdir():
        if part.name.startswith(start) and part.name.removeprefix(start).removesuffix(end).isdecimal():
            part.unlink(missing_ok=True)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Gives a temporary name beside `path`; a clean exit moves that file to `path`, an exception removes it."""
    path = Path(path)
    check_output(path)
    part = part_path(path)
    try:
        yield part
        part.replace(path.resolve())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
