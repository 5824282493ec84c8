"""Where the DiT's training clips come from, and a source that holds them in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from dreamactor.training.encoded import EncodedSample

CONTINUE_RATE = 0.3
"""How often clips continue: they start at a latent cut out of the middle of a longer encoding."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """Some latent frames of an encoded sample.

    Attributes:
        sample: the whole encoding.
        start: its latent frame that comes first; from 1 on, a latent that stands for s frames.
        num_latents: F.
    """

    sample: EncodedSample
    start: int
    num_latents: int


class ClipSource(Protocol):
    """Gives batches of clips of one shape, in an order that its state fixes."""

    def draw(self, count: int) -> Sequence[Any]:
        """What the next clips are, in all processes alike: of one number of latent frames, height and width."""
        ...

    def load(self, drawn: Any) -> Window:
        """One of them; every process loads its own share."""
        ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class MemoryClips:
    """Samples of one height and width, in a new order every round; a batch is of one length."""

    def __init__(self, samples: Sequence[EncodedSample], *, seed: int, continue_rate: float = CONTINUE_RATE) -> None:
        """Holds the samples.

        Args:
            samples: at least one.
            seed: of order and windows.
            continue_rate: share of batches whose clips continue.
        """
        self.samples, self.continue_rate = samples, continue_rate
        self._generator = torch.Generator().manual_seed(seed)
        self._order: list[int] = []

    def draw(self, count: int) -> list[Window]:
        """The next clips, as long as the first of them.

        A batch of whole clips starts at the start; a batch that continues is a latent frame shorter.
        """
        picks: list[int] = []
        while len(picks) < count:
            if self._order:
                length = self._length(self._order[0])
                picks = [index for index in self._order if self._length(index) == length][:count]
            if len(picks) < count:
                self._order += torch.randperm(len(self.samples), generator=self._generator).tolist()
        for index in picks:
            self._order.remove(index)
        whole = self._length(picks[0])
        continues = whole > 1 and float(torch.rand((), generator=self._generator)) < self.continue_rate
        return [Window(sample=self.samples[index], start=int(continues), num_latents=whole - continues) for index in picks]

    def _length(self, index: int) -> int:
        return self.samples[index].clean.shape[1]

    def load(self, drawn: Window) -> Window:
        return drawn

    def state_dict(self) -> dict[str, Any]:
        return {"generator": self._generator.get_state(), "order": list(self._order)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._generator.set_state(state["generator"])
        self._order = list(state["order"])
