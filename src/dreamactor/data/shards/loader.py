"""Reads the sampler's batches, ahead of training and in several processes if wanted, in the sampler's order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from dreamactor.data.clips import ClipRecord
from dreamactor.data.shards.index import ClipEntry
from dreamactor.data.shards.record import load_clip
from dreamactor.data.shards.sampler import ShardSampler


class _Read(Dataset[ClipRecord]):
    """Turns entries into clips; the entry is the index."""

    def __getitem__(self, entry: ClipEntry) -> ClipRecord:
        return load_clip(entry)


class ClipLoader:
    """An endless iterator over batches of clips that knows how many of them were *used*, however many were read ahead.

    Its state resumes at the exact clip: what was read ahead and not used is read again.
    """

    def __init__(self, sampler: ShardSampler, *, workers: int = 0) -> None:
        self._sampler, self._workers = sampler, workers
        self._start: dict[str, Any] = sampler.state_dict()
        self._used = int(self._start["batches"])

    def __iter__(self) -> Iterator[list[ClipRecord]]:
        self._sampler.load_state_dict(self._start | {"batches": self._used})
        loader = DataLoader(
            _Read(), batch_sampler=self._sampler, collate_fn=list, num_workers=self._workers,
            multiprocessing_context="spawn" if self._workers else None,
            generator=torch.Generator(),  # else it would draw from the generator that training draws from
        )  # fmt: skip
        for batch in loader:
            self._used += 1
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """Where training stands: after the batches that were used."""
        return self._start | {"batches": self._used}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes to where training stood; errors are those of `ShardSampler.load_state_dict`."""
        self._sampler.load_state_dict(state)
        self._used = int(state["batches"])
