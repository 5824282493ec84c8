"""Heads before many cameras at once: drawn ones, and a licensed copy of NeRSemble by its path.

NeRSemble (Kirschstein et al. 2023), version 2, as its own downloader lays it out:

    FOLDER/PARTICIPANT/sequences/SEQUENCE/images/cam_SERIAL.mp4

Whoever points to a copy has signed its licence; nothing of it is part of the project.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from dreamactor.data.actors import sample_actor
from dreamactor.data.actors.heads import head_performance, head_scene, ring_of_cameras, seen_from
from dreamactor.data.clips import seed_of
from dreamactor.data.filters import NO_PERSON, UNREADABLE
from dreamactor.data.shards.index import Rejection
from dreamactor.data.takes.actors import WHOLE_FRAMES, ActorTake
from dreamactor.data.takes.base import Performance
from dreamactor.data.takes.videos import VideoTake, perceive_file
from dreamactor.errors import InputError, NoPersonError
from dreamactor.perception.masks import PersonMasker


def drawn_heads(seed: int, *, name: str, size: int, num_frames: int, cameras: int) -> Performance:
    """One performance of an actor before a ring of cameras, one clip each, all of the same moment.

    Args:
        seed: of actor and performance.
        name: of the performance.
        size: width and height in pixels.
        num_frames: of the clips.
        cameras: how many.
    """
    acting, actor = head_performance(seed, num_frames=num_frames + WHOLE_FRAMES), sample_actor(seed)
    start = seed_of(name) % (WHOLE_FRAMES + 1)
    takes = tuple(
        ActorTake(
            actor,
            seen_from(acting, side),
            head_scene(seed, side),
            size=size,
            spans=(slice(start, start + num_frames),),
            camera=f"cam{number:02d}",
        )
        for number, side in enumerate(ring_of_cameras(seed, cameras))
    )
    return Performance(name=name, source=f"actor {seed}", kind="heads", takes=takes, exact=True, seed=seed)


def find_sequences(folder: Path) -> list[Path]:
    """Folders of all sequences of a NeRSemble copy that hold videos, in the order of their names.

    Raises:
        InputError: there are none.
    """
    found = sorted({path.parent.parent for path in folder.glob("*/sequences/*/images/cam_*.mp4")})
    if not found:
        raise InputError(
            f"No NeRSemble sequences in {folder}. Needed are files PARTICIPANT/sequences/SEQUENCE/images/cam_SERIAL.mp4, "
            "as the data set's own downloader makes them."
        )
    return found


def filmed_heads(sequence: Path, *, name: str, source: str, size: int, masker: Callable[[], PersonMasker]) -> Performance:
    """One NeRSemble sequence, all its cameras; one that cannot be read, or shows nobody, is left out and has a row.

    Args:
        sequence: its folder.
        name: of the performance; source: for people.
        size: side of a square of the canvas's area.
        masker: gives the masker when it is first needed.

    Raises:
        NoPersonError: no camera shows anybody.
    """
    takes, left_out = [], []
    for path in sorted((sequence / "images").glob("cam_*.mp4")):
        try:
            track = perceive_file(path)
        except InputError as error:
            reason = NO_PERSON if isinstance(error, NoPersonError) else UNREADABLE
            row = Rejection(source=source, camera=path.stem, start_s=0.0, end_s=0.0, reason=reason, detail=str(error))
            left_out.append(row)
            continue
        # One shot each: where a cut was seen, it is a flash or a fault, and the cameras would no longer agree.
        whole = replace(track, cut=torch.zeros_like(track.cut))
        takes.append(VideoTake(path, whole, slice(0, whole.num_frames), size=size, masker=masker, camera=path.stem))
    if not takes:
        raise NoPersonError(f"No camera of {sequence} shows a person. Check that the videos play.")
    return Performance(
        name=name, source=source, kind="heads", takes=tuple(takes), exact=False, seed=seed_of(name),
        magnification=max(take.magnification for take in takes), left_out=tuple(left_out),
    )  # fmt: skip
