"""Builds shards of clips, shows the progress, and says what came of it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import torch
from torch import Tensor

from dreamactor.app.progress import named_bars
from dreamactor.data.buckets import clip_lengths
from dreamactor.data.shards import ShardIndex
from dreamactor.data.shards.index import ShardSettings
from dreamactor.data.shards.summary import outside_share, summary_rows
from dreamactor.data.sources import ClipSource
from dreamactor.data.write_shards import Encode, write_shards
from dreamactor.errors import ConfigError


def read_range(text: str, *, option: str, first: int = 0) -> range:
    """The numbers of "N" (from `first`, N of them) or "A-B" (A to B, both included).

    Raises:
        ConfigError: it is neither, or the numbers are in the wrong order.
    """
    match = re.fullmatch(r"(?:(\d+)-)?(\d+)", text.strip())
    if match is None:
        raise ConfigError(f"{option} takes N or A-B, got '{text}'. Example: {option} 0-99")
    low, high = match.groups()
    chosen = range(first, first + int(high)) if low is None else range(int(low), int(high) + 1)
    if not chosen:
        raise ConfigError(f"{option} {text} is nothing. Use a number above 0, or A-B with A not above B.")
    return chosen


def read_lengths(text: str) -> tuple[int, ...]:
    """Clip lengths of "N" or "A-B" frames; errors are those of `clip_lengths` and `read_range`."""
    if "-" in text:
        frames = read_range(text, option="--frames")
        return clip_lengths(frames.start, frames.stop - 1)
    most = len(read_range(text, option="--frames"))
    return clip_lengths(most, most)


def build_shards(
    folder: Path, sources: list[ClipSource], *, size: int, frames: str, workers: int, latents: str | None
) -> str:
    """Makes clips of all sources and returns the tables that say what came of it."""
    encode, named = _encoder(latents, frames) if latents else (None, "")
    settings = ShardSettings(size=size, lengths=read_lengths(frames), latents=named)
    with named_bars() as report:
        index = write_shards(
            folder,
            sources,
            settings=settings,
            workers=workers,
            encode=encode,
            report=lambda done, total: report("sources", done, total),
        )
    return describe_index(folder, index)


def describe_index(folder: Path, index: ShardIndex) -> str:
    """The summary, for people."""
    seconds = sum(clip.seconds for clip in index.clips)
    shards = {clip.shard for clip in index.clips}
    megabytes = sum(clip.num_bytes for clip in index.clips) / 1e6
    lines = [
        f"{folder}: {len(index.clips)} clips, {_hours(seconds / 3600)}, in {len(shards)} shards ({megabytes:.0f} MB), "
        f"from {len(index.done)} sources"
    ]
    table = ""
    for row in summary_rows(index):
        if row.table != table:
            table = row.table
            lines.append(f"\n{table:<32}{'clips' if table != 'left out' else 'stretches':>10}{'length':>12}")
        lines.append(f"  {row.name:<30}{row.count:>10}{_hours(row.hours):>12}")
    share, told = outside_share(index)
    if told:
        lines.append(f"\nreferences: {share:.0%} of {told} lie outside their clip")
    files = [row for row in index.rejected if row.seconds == 0]
    lines += [f"{' '.join(filter(None, (row.source, row.camera)))}: {row.reason}: {row.detail}" for row in files]
    return "\n".join(lines)


def _hours(hours: float) -> str:
    """Hours where there are some, else seconds: a summary of a small folder must not say 0.00 everywhere."""
    return f"{hours:.2f} h" if hours >= 0.1 else f"{3600 * hours:.1f} s"


def _encoder(model: str, frames: str) -> tuple[Encode, str]:
    """The model's VAE as a function, and a name that changes with its weights."""
    from dreamactor.inference.bundle import load_bundle, model_folder
    from dreamactor.video.tensor import to_model

    vae = load_bundle(model).vae.eval()
    stride = vae.config.temporal
    wrong = [length for length in read_lengths(frames) if (length - 1) % stride]
    if wrong:
        raise ConfigError(f"The VAE of {model} takes {stride} n + 1 frames, got clips of {wrong[0]}. Use other --frames.")

    @torch.no_grad()
    def encode(pictures: Tensor) -> Tensor:
        return vae.encode(to_model(pictures))[0].float()

    weights = (model_folder(model) / "vae.safetensors").read_bytes()
    return encode, f"VAE {hashlib.sha256(weights).hexdigest()[:12]}"
