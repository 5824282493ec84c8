"""Sources -> shards and their index, in parallel, resumable at any moment.

Every source is first made into a file of its own under `staged/`, then packed. A source is done when its clips are in
finished shards and its rows in the index, which is written last; until then its staged files stay. So whatever stops the
work, what was made is neither lost nor made again, and a shard is never seen half-written.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from dreamactor.data.filters import FilterLimits
from dreamactor.data.shards.index import INDEX_FILE, ClipEntry, Rejection, ShardIndex, ShardSettings
from dreamactor.data.shards.record import (
    Members,
    end_archive,
    pack_clip,
    pack_latents,
    split_members,
    unpack_clip,
    write_members,
)
from dreamactor.data.sources import ClipSource, clips_of
from dreamactor.data.workers import in_parallel
from dreamactor.errors import ConfigError, OutputError
from dreamactor.video.output import atomic_path

SHARD_BYTES: Final = 256 * 2**20
"""A shard is closed when it has so many."""
_STAGED: Final = "staged"

Encode = Callable[[Tensor], Tensor]
"""Frames [T, H, W, 3] uint8 -> latent [C, F, h, w]."""


def write_shards(
    folder: Path,
    sources: Sequence[ClipSource],
    *,
    settings: ShardSettings,
    limits: FilterLimits | None = None,
    workers: int = 1,
    encode: Encode | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> ShardIndex:
    """Makes the clips of all sources that are not done yet.

    Args:
        folder: of the shards; made if need be.
        sources: what to make clips of.
        settings: the folder's; `settings.latents` names what `encode` is.
        limits: of the filters; None for the usual ones.
        workers: processes; 1 works in this one.
        encode: precomputes latents, in this process.
        report: called with (sources done, sources).

    Returns:
        The index of everything in the folder.

    Raises:
        ConfigError: the folder was begun with other settings.
        OutputError: it cannot be written.
    """
    try:
        (folder / _STAGED).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot write to {folder} ({error.strerror}). Choose another folder.") from error
    index = _begin(folder, settings)
    missing = [source for source in sources if source.name not in index.done]
    packer = _Packer(folder, index, encode)
    done = len(sources) - len(missing)
    report(done, len(sources))
    stage = partial(_stage, folder=folder, settings=settings, limits=limits or FilterLimits())
    try:
        try:
            with closing(_staged(stage, missing, workers=workers)) as names:
                for name in names:
                    packer.add(name)
                    done += 1
                    report(done, len(sources))
        finally:  # Ctrl-C too: what is whole is kept
            packer.commit()
            _remove_unfinished(folder)
        shutil.rmtree(folder / _STAGED)
    except OSError as error:
        raise OutputError(f"Cannot write to {folder} ({error.strerror}). Free space; what is made is kept.") from error
    return packer.index


def _begin(folder: Path, settings: ShardSettings) -> ShardIndex:
    """The folder's index, or a new one; what a killed process left unfinished is removed."""
    _remove_unfinished(folder)
    if not (folder / INDEX_FILE).is_file():
        return ShardIndex(settings=settings)
    index = ShardIndex.load(folder)
    if index.settings != settings:
        own, asked = asdict(index.settings), asdict(settings)
        differ = "; ".join(f"{name} {own[name]} (asked for {asked[name]})" for name in own if own[name] != asked[name])
        raise ConfigError(f"{folder} was begun with {differ}. Use the same settings, or another folder.")
    return index


def _remove_unfinished(folder: Path) -> None:
    for part in folder.glob("**/.*.part*"):
        part.unlink(missing_ok=True)


def _staged(stage: Callable[[ClipSource], str], sources: list[ClipSource], *, workers: int) -> Generator[str, None, None]:
    """Names of the sources as they get staged; closing it ends the workers."""
    if workers == 1 or len(sources) < 2:
        yield from map(stage, sources)
    else:
        with closing(in_parallel(stage, sources, workers=workers)) as names:  # type: ignore[type-var]
            yield from names


def _stage(source: ClipSource, *, folder: Path, settings: ShardSettings, limits: FilterLimits) -> str:
    """Makes the clips of one source into files of its own, unless they are there; returns its name."""
    records, rows = _staged_files(folder, source.name)
    said = {"settings": asdict(settings), "limits": asdict(limits)}
    if rows.is_file():
        if {name: json.loads(rows.read_text())[name] for name in said} == json.loads(json.dumps(said)):
            return source.name
        rows.unlink()
    entries: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    with atomic_path(records) as part, part.open("wb") as stream:
        for made in clips_of(source, settings=settings, limits=limits):
            if isinstance(made, Rejection):
                rejected.append(asdict(made))
                continue
            clip, entry = made
            offset, num_bytes = write_members(stream, clip.key, pack_clip(clip))
            entries.append(asdict(replace(entry, offset=offset, num_bytes=num_bytes)) | {"shard": ""})
        end_archive(stream)
    with atomic_path(rows) as part:
        part.write_text(json.dumps(said | {"clips": entries, "rejected": rejected}))
    return source.name


def _staged_files(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / _STAGED / f"{name}.tar", folder / _STAGED / f"{name}.json"


class _Packer:
    """Appends staged sources to shards; `commit` makes them count."""

    def __init__(self, folder: Path, index: ShardIndex, encode: Encode | None) -> None:
        self.index = index
        self._folder, self._encode = folder, encode
        numbers = [int(clip.shard.stem.split("-")[-1]) for clip in index.clips]
        self._number = max(numbers, default=-1) + 1
        self._stream: io.BufferedWriter | None = None
        self._clips: list[ClipEntry] = []
        self._rejected: list[Rejection] = []
        self._names: list[str] = []

    def add(self, name: str) -> None:
        """Packs one staged source."""
        records, rows = _staged_files(self._folder, name)
        said = json.loads(rows.read_text())
        entries = []
        with records.open("rb") as staged:
            for row in said["clips"]:
                staged.seek(row["offset"])
                entries.append(self._append(row, staged.read(row["num_bytes"])))
        self._clips += entries
        self._rejected += [Rejection(**row) for row in said["rejected"]]
        self._names.append(name)
        if self._stream is not None and self._stream.tell() >= SHARD_BYTES:
            self.commit()

    def commit(self) -> None:
        """Finishes the shard, then writes the index, then removes what was staged."""
        if self._stream is not None:
            end_archive(self._stream)
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            self._part().replace(self._shard())
            self._stream, self._number = None, self._number + 1
        if not self._names:
            return
        self.index = self.index.extended(self._clips, self._rejected, self._names)
        self.index.save(self._folder)
        for name in self._names:
            for path in _staged_files(self._folder, name):
                path.unlink(missing_ok=True)
        self._clips, self._rejected, self._names = [], [], []

    def _append(self, row: dict[str, Any], record: bytes) -> ClipEntry:
        if self._stream is None:
            self._stream = self._part().open("wb")
        if self._encode is None:
            offset = self._stream.tell()
            self._stream.write(record)
            num_bytes = len(record)
        else:
            members = _with_latents(split_members(record)[row["key"]], self._encode)
            offset, num_bytes = write_members(self._stream, row["key"], members)
        lists = {"yaw_deg": tuple(row["yaw_deg"]), "references": tuple(tuple(one) for one in row["references"])}
        return ClipEntry(**row | lists | {"shard": self._shard(), "offset": offset, "num_bytes": num_bytes})

    def _shard(self) -> Path:
        return self._folder / f"clips-{self._number:06d}.tar"

    def _part(self) -> Path:
        return self._folder / f".clips-{self._number:06d}.part"


def _with_latents(members: Members, encode: Encode) -> Members:
    """The record with the latents of its frames and references, in half precision."""
    clip = unpack_clip(members)
    references: list[Tensor | None] = [encode(one.picture.image[None])[:, 0].half() for one in clip.references]
    return members | {"latent.safetensors": pack_latents(encode(clip.frames).half(), references)}
