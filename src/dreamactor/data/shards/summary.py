"""An index in figures: hours by framing and category, reasons with counts, references from outside their clips."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dreamactor.data.shards.index import ClipEntry, Rejection, ShardIndex


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of a table.

    Attributes:
        table: kind, framing, category, bucket, kept or left out.
        name: what is counted.
        count: clips, or stretches of video.
        hours: how long they are together.
    """

    table: str
    name: str
    count: int
    hours: float


def summary_rows(index: ShardIndex) -> list[Row]:
    """Tables of what is there and of what was left out, in the order in which they are shown."""
    rows = [
        row
        for table, name in (
            ("kind", lambda clip: clip.kind),
            ("framing", lambda clip: clip.framing),
            ("category", lambda clip: clip.category),
            ("bucket", lambda clip: f"{clip.num_frames} frames {clip.width}x{clip.height}"),
        )
        for row in _table(table, index.clips, name)
    ]
    lost = _table("left out", index.rejected, lambda row: row.reason)
    return rows + sorted(lost, key=lambda row: (-row.hours, -row.count))


def outside_share(index: ShardIndex) -> tuple[float, int]:
    """Share of the references that are frames of the performance outside their clip, and of how many references."""
    told = [inside for clip in index.clips for _, frame, inside in clip.references if frame >= 0]
    return (told.count(False) / len(told) if told else 0.0), len(told)


def _table(
    table: str, items: Iterable[ClipEntry] | Iterable[Rejection], name: Callable[..., str]
) -> list[Row]:  # fmt: skip
    count: Counter[str] = Counter()
    seconds: defaultdict[str, float] = defaultdict(float)
    for item in items:
        count[name(item)] += 1
        seconds[name(item)] += item.seconds
    return [Row(table=table, name=key, count=count[key], hours=seconds[key] / 3600) for key in sorted(count)]
