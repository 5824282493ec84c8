"""The order in which clips are drawn: endless, fixed by a seed, in batches of one bucket, and resumable at the exact clip.

Nothing is read here. Which clip comes when depends on the index, the seed and the number of the batch alone, never on how
many workers read. Balance is kept by counting, not by chance: whatever is furthest behind its share comes next, so that
the shares hold over any stretch of training and not only on average.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from dreamactor.data.buckets import Bucket
from dreamactor.data.clips import CATEGORIES
from dreamactor.data.shards.index import ClipEntry, ShardIndex
from dreamactor.errors import ConfigError

HEADS: Final = "heads"
Group = str
"""A category, or `HEADS`: what shares are held for."""
Stream = tuple[Bucket, Group]


class ShardSampler:
    """An endless iterator over batches of clips; iterating goes on where the last iteration stopped.

    All ranks build it with equal arguments but `rank`. The clips of one step, over all ranks, are of one bucket.
    """

    def __init__(
        self,
        index: ShardIndex,
        *,
        batch_size: int,
        seed: int,
        full_share: float = 0.5,
        heads_share: float = 0.0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        """
        Args:
            index: of all clips.
            batch_size: clips a batch, on each rank.
            seed: of the order.
            full_share: full-body clips among those that are no multi-view heads (section 4.1: half and half).
            heads_share: multi-view heads among all clips; 0 leaves them out, for stages before they are mixed in.
            rank, world_size: which of how many processes this is.

        Raises:
            ConfigError: there is no clip of a group whose share is above 0.
        """
        if not (0 <= full_share <= 1 and 0 <= heads_share <= 1):
            raise ConfigError(f"Shares lie between 0 and 1, got full {full_share} and heads {heads_share}.")
        if batch_size < 1 or not 0 <= rank < world_size:
            raise ConfigError(
                f"Batches need at least one clip and ranks count from 0, got {batch_size}, {rank}/{world_size}."
            )
        self._clips: dict[Stream, list[ClipEntry]] = defaultdict(list)
        for clip in index.clips:
            self._clips[clip.bucket, HEADS if clip.kind == HEADS else clip.category].append(clip)
        self._shares = _shares(self._clips, full_share=full_share, heads_share=heads_share)
        self._buckets = sorted({bucket for bucket, _ in self._shares})
        self._batch_size, self._seed = batch_size, seed
        self._rank, self._world_size = rank, world_size
        self._fingerprint = index.fingerprint()
        self._setting = f"{batch_size * world_size} clips a step, full {full_share:g}, heads {heads_share:g}"
        self._restart()

    def __iter__(self) -> Iterator[list[ClipEntry]]:
        while True:
            yield self.next_batch()

    def next_batch(self) -> list[ClipEntry]:
        """This rank's next batch."""
        streams = self._plan()
        clips = [self._draw(stream) for stream in streams]
        return clips[self._rank :: self._world_size]

    def state_dict(self) -> dict[str, Any]:
        """Where the sampler stands; `batches` is how many it has given."""
        return {
            "batches": self._batches, "seed": self._seed, "setting": self._setting, "clips": self._fingerprint,
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes to where a sampler of the same clips and settings stood.

        Raises:
            ConfigError: it was drawn from other clips, or with other settings; the order would be another.
        """
        own = self.state_dict()
        for name, what in (("clips", "clips"), ("seed", "seed"), ("setting", "batches")):
            if state[name] != own[name]:
                raise ConfigError(
                    f"The run was drawing from other {what} ({state[name]}, here {own[name]}). Resume it with the data and "
                    "settings it was started with, or start a new run from its weights."
                )
        self._restart()
        for _ in range(int(state["batches"])):
            for stream in self._plan():
                self._drawn[stream] += 1

    def _restart(self) -> None:
        self._batches = 0
        self._drawn: dict[Stream, int] = dict.fromkeys(self._shares, 0)
        phases = np.random.Generator(np.random.PCG64([self._seed, 0x5A3D])).random(len(self._buckets))
        self._phase = dict(zip(self._buckets, phases.tolist(), strict=True))
        self._steps: dict[Bucket, int] = dict.fromkeys(self._buckets, 0)
        self._orders: dict[Stream, tuple[int, np.ndarray]] = {}

    def _plan(self) -> list[Stream]:
        """The streams of one step's clips over all ranks, all of one bucket; counts the step."""
        self._batches += 1
        wanted = dict.fromkeys(self._buckets, 0.0)
        for (bucket, _), share in self._shares.items():
            wanted[bucket] += share
        bucket = max(self._buckets, key=lambda b: self._batches * wanted[b] - self._steps[b] + self._phase[b])
        self._steps[bucket] += 1
        groups = [stream for stream in self._shares if stream[0] == bucket]
        planned = {stream: self._drawn[stream] for stream in groups}
        total = sum(self._drawn.values())
        streams = []
        for slot in range(self._batch_size * self._world_size):
            now = total + slot + 1
            behind = {stream: now * self._shares[stream] - planned[stream] for stream in groups}
            stream = max(groups, key=behind.__getitem__)
            planned[stream] += 1
            streams.append(stream)
        return streams

    def _draw(self, stream: Stream) -> ClipEntry:
        """The stream's next clip: every clip once, then all again in another order."""
        clips = self._clips[stream]
        turn, place = divmod(self._drawn[stream], len(clips))
        self._drawn[stream] += 1
        known = self._orders.get(stream)
        if known is None or known[0] != turn:
            (frames, height, width), group = stream
            spice = [self._seed, turn, frames, height, width, (*CATEGORIES, HEADS).index(group)]
            known = turn, np.random.Generator(np.random.PCG64(spice)).permutation(len(clips))
            self._orders[stream] = known
        return clips[int(known[1][place])]


def _shares(clips: dict[Stream, list[ClipEntry]], *, full_share: float, heads_share: float) -> dict[Stream, float]:
    """Share of every stream that is drawn from; within a group, of its clips by number."""
    rest = 1 - heads_share
    wanted: dict[Group, float] = {"full": rest * full_share, "half": rest * (1 - full_share), HEADS: heads_share}
    shares: dict[Stream, float] = {}
    for group, share in wanted.items():
        streams = {stream: len(found) for stream, found in clips.items() if stream[1] == group}
        if share > 0 and not streams:
            raise ConfigError(
                f"No clip is of the kind '{group}', which is to be {share:.0%} of all. Build some, or set its share to 0."
            )
        if share > 0:
            total = sum(streams.values())
            shares |= {stream: share * count / total for stream, count in sorted(streams.items())}
    return shares
