"""One process or many: what torchrun started, and modules whose parameters are spread over all of it (FSDP2).

Models know nothing of this. Every process draws the same global batch and computes its own share of the clips.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

from dreamactor.errors import ConfigError

T = TypeVar("T")

PATIENCE = timedelta(hours=24)
"""How long processes wait for the first one, which draws the data."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Workers:
    """The processes of a run, seen from one of them.

    Attributes:
        rank: number of this process; 0 writes the files.
        count: of processes.
        device: that this process computes on.
    """

    rank: int = 0
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def main(self) -> bool:
        return self.rank == 0

    def share(self, items: Sequence[T]) -> list[T]:
        """This process's part of a global batch.

        Raises:
            ConfigError: the batch cannot be divided evenly.
        """
        if len(items) % self.count:
            raise ConfigError(f"A batch of {len(items)} clips does not divide over {self.count} processes.")
        return list(items[self.rank :: self.count])

    def mean(self, values: Tensor) -> Tensor:
        """The mean over all processes."""
        if self.count == 1:
            return values
        total = values.clone()
        dist.all_reduce(total)
        return total / self.count

    def in_turn(self, work: Callable[[], T]) -> T:
        """Every process does the work, one after the other: all but the first find on disk what it left there."""
        for turn in range(self.count):
            if turn == self.rank:
                done = work()
            if self.count > 1:
                dist.barrier()
        return done

    def largest(self, value: int) -> int:
        """The largest value of all processes."""
        if self.count == 1:
            return value
        found = torch.tensor(value, device=self.device)
        dist.all_reduce(found, op=dist.ReduceOp.MAX)
        return int(found)


def alone() -> Workers:
    """A process by itself, on the processor: what trains small networks."""
    return Workers()


def this_worker() -> Workers:
    """This process among those of `open_workers`, on a GPU where there is one."""
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", torch.cuda.current_device()) if cuda else torch.device("cpu")
    if not dist.is_initialized():
        return Workers(device=device)
    return Workers(rank=dist.get_rank(), count=dist.get_world_size(), device=device)


@contextmanager
def open_workers() -> Iterator[Workers]:
    """Joins the other processes that torchrun started, if it did."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield this_worker()
        return
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if cuda else "gloo", timeout=PATIENCE)
    try:
        yield this_worker()
    finally:
        dist.destroy_process_group()


def shard(module: nn.Module, *, parts: Sequence[nn.Module] = (), methods: Sequence[str] = ()) -> None:
    """Spreads parameters over all processes, in place.

    Args:
        module: the whole.
        parts: submodules that are gathered one at a time, such as blocks.
        methods: other than `forward`, of the whole or of a part, that use parameters.
    """
    for one in (*parts, module):
        fully_shard(one)
        for method in methods:
            if hasattr(one, method):
                register_fsdp_forward_method(one, method)


def gathered(value: Tensor) -> Tensor:
    """The whole of a spread tensor; every process must ask."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def spread_like(value: Tensor, like: Tensor) -> Tensor:
    """A whole tensor, spread as another one is."""
    if not isinstance(like, DTensor):
        return value.to(like.device)
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)
