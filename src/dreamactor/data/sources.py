"""What clips are made of, named before anything is opened: video files, seeds of actors, sequences of filmed heads."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import av
from torch import Tensor

from dreamactor.data.actors import ACTOR_VERSION, FIRST_HELD_OUT_SEED
from dreamactor.data.buckets import canvas_for
from dreamactor.data.filters import NO_PERSON, UNREADABLE, FilterLimits
from dreamactor.data.make_clips import ClipMaker, Made
from dreamactor.data.shards.index import Rejection, ShardSettings
from dreamactor.data.takes.actors import actor_performance
from dreamactor.data.takes.base import Performance
from dreamactor.data.takes.heads import drawn_heads, filmed_heads, find_sequences
from dreamactor.data.takes.videos import find_videos, video_performances
from dreamactor.errors import ConfigError, InputError, NoPersonError
from dreamactor.perception.base import PersonEstimator
from dreamactor.perception.build import build_estimator
from dreamactor.perception.masks import PersonMasker

log = logging.getLogger(__name__)

HEAD_CAMERAS = 12
"""Cameras around a drawn head."""
_NAME_LENGTH = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipSource:
    """Something clips are made of.

    Attributes:
        name: unlike all others, safe in file names; equal files at equal places have equal names.
        label: for people.
        kind: what it is.
        path: of a video, or of a sequence of filmed heads.
        seed: of an actor.
    """

    name: str
    label: str
    kind: Literal["video", "actor", "drawn heads", "filmed heads"]
    path: Path = Path()
    seed: int = 0


def video_sources(folder: Path) -> list[ClipSource]:
    """All videos in a folder and below it.

    Raises:
        InputError: the folder is missing or holds none.
    """
    if not folder.is_dir():
        raise InputError(f"No folder {folder}. Give the folder that holds the videos.")
    paths = find_videos(folder)
    if not paths:
        raise InputError(f"No videos in {folder} or below it. Needed are files such as mp4, mov, mkv, webm or avi.")
    return [
        ClipSource(name=_name(path, folder), label=path.relative_to(folder).as_posix(), kind="video", path=path)
        for path in paths
    ]


def actor_sources(seeds: range, *, heads: bool) -> list[ClipSource]:
    """Actors by seed, in scenes of their own or, as heads, before a ring of cameras.

    Raises:
        ConfigError: a seed is held out from training.
    """
    if seeds.stop > FIRST_HELD_OUT_SEED:
        raise ConfigError(f"Seeds from {FIRST_HELD_OUT_SEED} on are held out; got {seeds.stop - 1}. Use lower seeds.")
    kind: Literal["actor", "drawn heads"] = "drawn heads" if heads else "actor"
    prefix = "heads" if heads else "actor"
    return [
        ClipSource(name=f"{prefix}-v{ACTOR_VERSION}-{seed:06d}", label=f"actor {seed}", kind=kind, seed=seed)
        for seed in seeds
    ]


def nersemble_sources(folder: Path) -> list[ClipSource]:
    """All sequences of a NeRSemble copy; errors are those of `find_sequences`."""
    return [
        ClipSource(name=_name(path, folder), label=path.relative_to(folder).as_posix(), kind="filmed heads", path=path)
        for path in find_sequences(folder)
    ]


def clips_of(source: ClipSource, *, settings: ShardSettings, limits: FilterLimits) -> Iterator[Made]:
    """Clips of a source and what was left out; a file that cannot be used is a row, whatever is wrong with it."""
    maker = ClipMaker(lengths=settings.lengths, limits=limits, people=_people)
    try:
        for performance in _performances(source, settings):
            yield from maker.make(performance)
    except NoPersonError as error:
        yield _row(source, NO_PERSON, error)
    except (InputError, av.error.FFmpegError, OSError, ValueError) as error:
        yield _row(source, UNREADABLE, error)


def _performances(source: ClipSource, settings: ShardSettings) -> list[Performance]:
    """Of one source; an actor's length is one of the lengths, by its seed."""
    size, name = settings.size, source.name
    side = canvas_for(size, size, size=size)[0]
    frames = settings.lengths[source.seed % len(settings.lengths)]
    match source.kind:
        case "video":
            return video_performances(source.path, name=name, source=source.label, size=size, masker=_masker)
        case "filmed heads":
            return [filmed_heads(source.path, name=name, source=source.label, size=size, masker=_masker)]
        case "drawn heads":
            return [drawn_heads(source.seed, name=name, size=side, num_frames=frames, cameras=HEAD_CAMERAS)]
        case "actor":
            return [actor_performance(source.seed, name=name, size=side, num_frames=frames)]


def _name(path: Path, folder: Path) -> str:
    """Of a file or folder by its place and size, in letters that any file system takes."""
    place = path.relative_to(folder).as_posix()
    num_bytes = path.stat().st_size if path.is_file() else 0
    mark = hashlib.sha256(f"{place} {num_bytes}".encode()).hexdigest()[:8]
    plain = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:_NAME_LENGTH]
    return f"{plain or 'video'}-{mark}"


def _row(source: ClipSource, reason: str, error: Exception) -> Rejection:
    if not isinstance(error, InputError):
        log.warning("%s: %s", source.label, error, exc_info=error)
    said = " ".join(str(error).split()) or type(error).__name__
    return Rejection(source=source.label, start_s=0.0, end_s=0.0, reason=reason, detail=said)


@cache
def _masker() -> PersonMasker:
    """One per process."""
    return PersonMasker()


@cache
def _finder() -> PersonEstimator:
    return build_estimator(static=True)


def _people(picture: Tensor) -> Tensor:
    """[N, 4] boxes of everybody, largest first."""
    return _finder().people(picture)
