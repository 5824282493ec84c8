"""Draws samples to a folder, in parallel and resumable: a sample that is there is not drawn again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from dreamactor.data.samples import draw_sample, save_sample
from dreamactor.data.workers import in_parallel


def sample_path(folder: Path, seed: int) -> Path:
    """Where the sample of a seed lies."""
    return folder / f"sample_{seed:06d}.safetensors"


def _draw_one(seed: int, *, folder: Path, size: int, num_frames: int) -> int:
    save_sample(sample_path(folder, seed), draw_sample(seed, size=size, num_frames=num_frames))
    return seed


def build_actor_data(
    folder: Path,
    *,
    seeds: range,
    size: int,
    num_frames: int,
    workers: int,
    report: Callable[[int, int], None] | None = None,
) -> None:
    """Draws the samples of `seeds` that are not in `folder` yet.

    Args:
        folder: made if need be.
        seeds: training seeds.
        size: width and height in pixels.
        num_frames: frames a clip.
        workers: processes.
        report: called with (done, total).
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [seed for seed in seeds if not sample_path(folder, seed).exists()]
    done = len(seeds) - len(missing)
    draw = partial(_draw_one, folder=folder, size=size, num_frames=num_frames)
    for count, _ in enumerate(in_parallel(draw, missing, workers=workers), start=done + 1):
        if report:
            report(count, len(seeds))


def list_samples(folder: Path) -> Iterator[Path]:
    """All samples of a folder, in the order of their seeds."""
    yield from sorted(folder.glob("sample_*.safetensors"))
