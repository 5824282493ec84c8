"""Rows of an index without any files, for what only looks at rows."""

from __future__ import annotations

from dreamactor.data.buckets import Bucket
from dreamactor.data.shards.index import ClipEntry, ShardIndex, ShardSettings

SETTINGS = ShardSettings(size=64, lengths=(25, 13))


def entry(key: str, *, category: str = "half", kind: str = "video", bucket: Bucket = (25, 64, 64)) -> ClipEntry:
    frames, height, width = bucket
    return ClipEntry(
        key=key, source=f"{key}.mp4", camera="", kind=kind, category=category,
        framing="full" if category == "full" else "portrait", exact=False, seed=0, start_frame=0, num_frames=frames,
        start_s=0.0, end_s=frames / 25, fps=25.0, width=width, height=height, yaw_deg=(-10.0, 0.0, 10.0),
        references=(("yaw_median", 3, True), ("yaw_min", 70, False)),
    )  # fmt: skip


def index_of(*entries: ClipEntry) -> ShardIndex:
    return ShardIndex(settings=SETTINGS).extended(entries, (), (one.source for one in entries))


def mixed_index() -> ShardIndex:
    """Many half-body clips, few full-body ones, two sizes and two lengths, and some heads."""
    square, tall, short = (25, 64, 64), (25, 96, 64), (13, 64, 64)
    return index_of(
        *(entry(f"half{n:02d}", bucket=square if n % 3 else short) for n in range(24)),
        *(entry(f"full{n:02d}", category="full", bucket=tall if n % 2 else square) for n in range(7)),
        *(entry(f"heads{n:02d}", kind="heads", bucket=square) for n in range(5)),
    )
