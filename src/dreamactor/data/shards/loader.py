"""Reads the sampler's batches ahead of training, in the sampler's order.

Threads do that: reading and decoding pictures leave Python's lock free, nothing has to be copied between processes, and
an endless loader can be left at any time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from dreamactor.data.clips import ClipRecord
from dreamactor.data.shards.record import load_clip
from dreamactor.data.shards.sampler import ShardSampler


class ClipLoader:
    """An endless iterator over batches of clips that knows how many of them were *used*, however many were read ahead.

    Its state resumes at the exact clip: what was read ahead and not used is read again.
    """

    def __init__(self, sampler: ShardSampler, *, workers: int = 2, batches_ahead: int = 2) -> None:
        """
        Args:
            sampler: says which clips; this loader moves it.
            workers: threads that read; they change no result.
            batches_ahead: how many batches are read before they are asked for.
        """
        self._sampler, self._workers, self._ahead = sampler, workers, batches_ahead
        self._state: dict[str, Any] = sampler.state_dict()

    def __iter__(self) -> Iterator[list[ClipRecord]]:
        self._sampler.load_state_dict(self._state)
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="clips")
        pending: deque[list[Future[ClipRecord]]] = deque()
        try:
            while True:
                while len(pending) <= self._ahead:
                    pending.append([pool.submit(load_clip, entry) for entry in self._sampler.next_batch()])
                batch = [clip.result() for clip in pending.popleft()]
                self._state = self._state | {"batches": self._state["batches"] + 1}
                yield batch
        finally:
            pool.shutdown(cancel_futures=True)

    def state_dict(self) -> dict[str, Any]:
        """Where training stands: after the batches that were used."""
        return dict(self._state)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes to where training stood; errors are those of `ShardSampler.load_state_dict`."""
        self._sampler.load_state_dict(state)
        self._state = dict(state)
