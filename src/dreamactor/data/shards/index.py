"""What a folder of shards holds: one row per clip, and one per stretch of video that was left out, with the reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Self

from dreamactor.data.buckets import Bucket
from dreamactor.errors import ConfigError, InputError
from dreamactor.video.output import atomic_path

INDEX_FILE: Final = "index.json"
_FORMAT: Final = "dreamactor-clips"
_VERSION: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipEntry:
    """One clip.

    Attributes:
        key: of its record.
        source: video file or actor, for people; camera: which of several, else "".
        kind, category, framing, exact, seed: as in `ClipRecord`.
        start_frame: of the clip in its source; num_frames: T.
        start_s, end_s: on the source's clock, from its first frame.
        fps: mean frame rate.
        width, height: in pixels.
        yaw_deg: least, median and greatest yaw of the head in the whole performance, -180 to 180, 0 towards the camera;
            empty where the head was never found.
        references: view, frame in the performance, and whether that frame is one of the clip's, of every reference.
        shard: file; offset, num_bytes: where in it the record lies.
    """

    key: str
    source: str
    camera: str
    kind: str
    category: str
    framing: str
    exact: bool
    seed: int
    start_frame: int
    num_frames: int
    start_s: float
    end_s: float
    fps: float
    width: int
    height: int
    yaw_deg: tuple[float, ...]
    references: tuple[tuple[str, int, bool], ...]
    shard: Path = Path()
    offset: int = 0
    num_bytes: int = 0

    @property
    def bucket(self) -> Bucket:
        return self.num_frames, self.height, self.width

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejection:
    """A stretch of a source that gives no clip.

    Attributes:
        source, camera: as in `ClipEntry`.
        start_s, end_s: on the source's clock; both 0 where the file could not be read at all.
        reason: one of a few, to be counted.
        detail: what was measured and what was needed.
    """

    source: str
    camera: str = ""
    start_s: float
    end_s: float
    reason: str
    detail: str

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardSettings:
    """What every clip of a folder has in common.

    Attributes:
        size: side in pixels of a square of the clips' area.
        lengths: of clips in frames, longest first.
        latents: which VAE's latents the records hold; "" for none.
    """

    size: int
    lengths: tuple[int, ...]
    latents: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardIndex:
    """Everything known about one folder of shards, or several.

    Attributes:
        settings: of the folder (the first, of several).
        clips: in the order of their keys, so that the order of building changes nothing.
        rejected: what was left out.
        done: names of the sources that were looked at.
    """

    settings: ShardSettings
    clips: tuple[ClipEntry, ...] = ()
    rejected: tuple[Rejection, ...] = ()
    done: frozenset[str] = frozenset()

    @classmethod
    def load(cls, *folders: Path) -> Self:
        """Reads the index of one folder, or of several as one.

        Raises:
            InputError: no index there, or a damaged one.
            ConfigError: two folders hold a clip of the same name.
        """
        read = [_read(folder) for folder in folders]
        clips = [clip for one in read for clip in one.clips]
        keys = [clip.key for clip in clips]
        if len(set(keys)) < len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ConfigError(f"Clip {twice} is in more than one of the folders. Give every folder once.")
        return cls(
            settings=read[0].settings,
            clips=tuple(sorted(clips, key=lambda clip: clip.key)),
            rejected=tuple(row for one in read for row in one.rejected),
            done=frozenset().union(*(one.done for one in read)),
        )

    def extended(self, clips: Iterable[ClipEntry], rejected: Iterable[Rejection], done: Iterable[str]) -> Self:
        """The index with more rows."""
        return replace(
            self,
            clips=tuple(sorted((*self.clips, *clips), key=lambda clip: clip.key)),
            rejected=(*self.rejected, *rejected),
            done=self.done | frozenset(done),
        )

    def save(self, folder: Path) -> None:
        """Writes `index.json` into the folder that holds the shards, one row a line."""
        lines: dict[str, Sequence[Any]] = {
            "clips": [asdict(clip) | {"shard": clip.shard.name} for clip in self.clips],
            "rejected": [asdict(row) for row in self.rejected],
            "done": sorted(self.done),
        }
        head = {"format": _FORMAT, "version": _VERSION, "settings": asdict(self.settings)}
        parts = [f'"{name}": {json.dumps(value)}' for name, value in head.items()]
        parts += [f'"{name}": [{_rows(rows)}]' for name, rows in lines.items()]
        with atomic_path(folder / INDEX_FILE) as part:
            part.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")

    def fingerprint(self) -> str:
        """Of the clips that can be drawn: equal for equal clips, wherever they lie."""
        digest = hashlib.sha256()
        for clip in self.clips:
            digest.update(f"{clip.key} {clip.bucket} {clip.category} {clip.kind}\n".encode())
        return digest.hexdigest()[:16]


def _rows(rows: Sequence[Any]) -> str:
    return ",\n".join(json.dumps(row) for row in rows)


def _read(folder: Path) -> ShardIndex:
    path = folder / INDEX_FILE
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if (said["format"], said["version"]) != (_FORMAT, _VERSION):
            raise ValueError(f"format {said['format']!r} version {said['version']}, needed {_FORMAT!r} version {_VERSION}")
        settings = said["settings"]
        return ShardIndex(
            settings=ShardSettings(**settings | {"lengths": tuple(settings["lengths"])}),
            clips=tuple(_clip(row, folder) for row in said["clips"]),
            rejected=tuple(Rejection(**row) for row in said["rejected"]),
            done=frozenset(said["done"]),
        )
    except FileNotFoundError as error:
        raise InputError(
            f"No clips in {folder} (no {INDEX_FILE}). Make some with `dreamactor build-data {folder} --videos FOLDER`."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read ({error}). Delete {folder} and run `dreamactor build-data` again; tracks are kept apart."
        ) from error


def _clip(row: dict[str, Any], folder: Path) -> ClipEntry:
    unknown = set(row) - {field.name for field in fields(ClipEntry)}
    if unknown:
        raise ValueError(f"unknown fields {', '.join(sorted(unknown))}")
    references = tuple((view, frame, inside) for view, frame, inside in row["references"])
    own = {"shard": folder / row["shard"], "yaw_deg": tuple(row["yaw_deg"]), "references": references}
    return ClipEntry(**row | own)
