"""`dreamactor build-data`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(help="Where the clips go; made if need be. The same folder goes on.")],
    videos: Annotated[Path | None, typer.Option(help="Make clips of all videos in this folder and below it.")] = None,
    actors: Annotated[
        str | None, typer.Option(metavar="N|A-B", help="Make clips of procedural actors with these seeds.")
    ] = None,
    views: Annotated[
        str | None, typer.Option(help="heads: with --actors, one performance each, filmed by 12 cameras at once.")
    ] = None,
    nersemble: Annotated[
        Path | None, typer.Option(help="Make clips of a licensed copy of NeRSemble (see docs/data.md).")
    ] = None,
    size: Annotated[int, typer.Option(min=64, max=1024, help="Side of a square of the clips' area, in pixels.")] = 256,
    frames: Annotated[
        str | None, typer.Option(metavar="N|A-B", help="Frames a clip (25-121; loose samples: 13).", show_default=False)
    ] = None,
    latents: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Also store latents, by the VAE of this model.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    num: Annotated[int, typer.Option(min=1, help="Loose samples: how many.")] = 400,
    first_seed: Annotated[int, typer.Option(min=0, help="Loose samples: seed of the first one.")] = 0,
) -> None:
    """Turn videos, or actors, into clips for training. What is there is kept, so it resumes.

    Without --videos, --actors or --nersemble it draws loose samples of actors, which `dreamactor train actor` reads.

    Examples:

      dreamactor build-data clips --videos my-videos

      dreamactor build-data clips --videos my-videos --size 256 --frames 25-73 --latents actor

      dreamactor build-data clips --actors 0-999 --frames 25

      dreamactor build-data clips --actors 1000-1099 --views heads --frames 25

      dreamactor build-data clips --nersemble /data/nersemble

      dreamactor build-data samples --num 400
    """
    from dreamactor.errors import ConfigError

    if views not in (None, "heads"):
        raise ConfigError(f"Unknown --views '{views}'. Known: heads.")
    if views and actors is None:
        raise ConfigError("--views heads needs --actors N or A-B: it says which actors are filmed.")
    if videos is None and actors is None and nersemble is None:
        if latents:
            raise ConfigError("--latents applies to clips. Say of what: --videos, --actors or --nersemble.")
        _loose_samples(folder, num=num, first_seed=first_seed, size=size, frames=frames or "13", workers=workers)
        return
    from dreamactor.app.build_data import build_shards, read_range
    from dreamactor.data.sources import actor_sources, nersemble_sources, video_sources

    sources = []
    if videos is not None:
        sources += video_sources(videos)
    if nersemble is not None:
        sources += nersemble_sources(nersemble)
    if actors is not None:
        sources += actor_sources(read_range(actors, option="--actors"), heads=views == "heads")
    typer.echo(
        build_shards(folder, sources, size=size, frames=frames or "25-121", workers=workers, latents=latents)
    )  # fmt: skip


def _loose_samples(folder: Path, *, num: int, first_seed: int, size: int, frames: str, workers: int) -> None:
    from rich.progress import track

    from dreamactor.data.actors import FIRST_HELD_OUT_SEED
    from dreamactor.data.build import build_actor_data
    from dreamactor.data.samples import PERFORMANCE_FRAMES
    from dreamactor.errors import ConfigError

    if first_seed + num > FIRST_HELD_OUT_SEED:
        raise ConfigError(
            f"Seeds from {FIRST_HELD_OUT_SEED} on are held out; {first_seed} + {num} goes beyond. Use lower seeds."
        )
    if not frames.isdigit() or not 1 <= int(frames) <= PERFORMANCE_FRAMES:
        raise ConfigError(f"Loose samples take --frames 1 to {PERFORMANCE_FRAMES}, got {frames}. Ranges need --actors.")
    steps = iter(track(range(num), description="samples"))

    def report(done: int, total: int) -> None:
        next(steps, None)

    seeds = range(first_seed, first_seed + num)
    build_actor_data(folder, seeds=seeds, size=size, num_frames=int(frames), workers=workers, report=report)
    typer.echo(f"{folder} ({num} samples)")
