"""The loop every training shares: step, average, log, save, resume. Does not know what it trains.

A checkpoint holds weights, averaged weights, optimizer, step, the open log window, all random states, the place in the data
and the settings, so that a resumed run equals an uninterrupted one, wherever it was killed.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from dreamactor.errors import ConfigError, OutputError, TrainingError
from dreamactor.training.checkpoint import read_checkpoint, write_checkpoint
from dreamactor.training.distributed import Workers, alone, gathered, shard, spread_like
from dreamactor.training.run_log import RunLog
from dreamactor.training.schedule import begins_cooldown, rate_share
from dreamactor.training.signals import StopRequest, TrainingStopped

log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.pt"
STABLE = "before_cooldown.pt"
"""The checkpoint that a longer run continues from."""
FAILED = "failed_step.pt"
MAX_GRADIENT_NORM = 1.0

LossOf = Callable[[torch.Generator], tuple[Tensor, dict[str, float]]]
"""Draws a batch with the generator it is given and returns the loss and numbers to log."""


class Resumable(Protocol):
    """Something whose place in the data is part of a checkpoint: plain values and tensors."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopConfig:
    """How long and how fast.

    Attributes:
        num_steps: optimizer steps.
        learning_rate: peak of AdamW's.
        warmup: steps of linear rise.
        cooldown: steps of linear fall at the end of a constant rate, so that a run can be continued beyond its end;
            None: the rate falls to a tenth by a cosine over all steps.
        ema_decay: of the averaged weights that are shipped.
        save_every_s: seconds between checkpoints.
        log_every: steps between log lines.
        max_seconds: stop after so long, as if interrupted; None for no limit.
        bfloat16: run the forward pass in bfloat16 (worth it only where the processor has units for it).
    """

    num_steps: int
    learning_rate: float
    warmup: int = 50
    cooldown: int | None = None
    ema_decay: float = 0.995
    save_every_s: float = 180.0
    log_every: int = 20
    max_seconds: float | None = None
    bfloat16: bool = False


def bfloat16_pays(device: torch.device | None = None) -> bool:
    """Whether to compute in bfloat16: on a GPU that knows it; on the processor (None) where matrix products are so much
    faster than in float32 (measured) that training is.

    Products that are 2.3 times as fast make a step of the DiT 1.6 times as fast: norms and losses stay in float32.
    """
    if device is not None and device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    seconds = dict.fromkeys((torch.float32, torch.bfloat16), math.inf)
    for _ in range(8):  # by turns, and the fastest of each counts: others use the machine too
        for dtype in seconds:
            a = torch.randn(768, 768, dtype=dtype)
            start = time.perf_counter()
            a @ a
            seconds[dtype] = min(seconds[dtype], time.perf_counter() - start)
    return seconds[torch.float32] > 1.6 * seconds[torch.bfloat16]


class TrainingLoop:
    """Steps modules towards lower loss; picks up where an earlier run in the same folder stopped."""

    def __init__(
        self, modules: dict[str, nn.Module], config: LoopConfig, folder: Path, *, seed: int,
        source: Resumable | None = None, settings: Mapping[str, Any] | None = None,
        workers: Workers | None = None, parts: tuple[nn.Module, ...] = (), methods: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Prepares a run, or continues the one in `folder`.

        Args:
            modules: what is trained; parameters that need no gradient stay as they are.
            config: how long and how fast.
            folder: of checkpoint and log.
            seed: of the generator that `run` hands on.
            source: whose place in the data is saved and restored.
            settings: what must be the same in a resumed run; saved with it.
            workers: the processes that share every batch; None: this one alone, on the processor.
            parts, methods: see `shard`.

        Raises:
            ConfigError: the folder holds a run with other settings.
            InputError: its checkpoint is damaged.
        """
        self.workers = workers or alone()
        self.modules = nn.ModuleDict(modules).to(self.workers.device)
        self.config, self.folder, self.source = config, folder, source
        self.settings = json.loads(json.dumps(dict(settings or {})))
        self.generator = torch.Generator().manual_seed(seed)
        self.step = 0
        self.batch: Mapping[str, Any] = {}
        """Tensors of the current batch, if whoever computes the loss puts them here: saved when the loss is not finite."""
        self._window: list[dict[str, float]] = []
        folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = folder / CHECKPOINT
        saved = self._read()
        if saved:
            self.modules.load_state_dict(saved["weights"])
        if self.workers.count > 1:
            for module in modules.values():
                shard(module, parts=[part for part in parts if part in set(module.modules())], methods=methods)
        self.parameters = [p for p in self.modules.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=config.learning_rate, betas=(0.9, 0.95), weight_decay=0.01)
        self.ema = {name: value.detach().clone() for name, value in self.modules.state_dict().items()}
        if saved:
            self._restore(saved)

    # ---- state

    def _read(self) -> dict[str, Any]:
        """The checkpoint to continue from; empty where there is none."""
        if not self.checkpoint.exists():
            return {}
        saved = read_checkpoint(self.checkpoint)
        before = json.loads(saved["config"])
        differing = [name for name, value in self.settings.items() if before["settings"].get(name) != value]
        if differing:
            name = differing[0]
            raise ConfigError(
                f"{self.folder} holds a training with {name} = {before['settings'].get(name)}, this one has "
                f"{name} = {self.settings[name]}. Use the same settings to resume it, or another --output."
            )
        ended, cooldown = before["loop"]["num_steps"], before["loop"]["cooldown"] or 0
        stable = self.folder / STABLE
        if self.config.num_steps > ended and saved["step"] > ended - cooldown and stable.exists():
            saved = read_checkpoint(stable)
            log.info("%s goes on at step %d, before its cool-down.", self.folder.name, saved["step"])
        return saved

    def _restore(self, saved: dict[str, Any]) -> None:
        self.ema = {name: spread_like(saved["ema"][name], value) for name, value in self.ema.items()}
        optimizer = saved["optimizer"]
        for index, state in optimizer["state"].items():
            like = self.parameters[index]
            for name, value in state.items():
                if value.shape == like.shape:
                    state[name] = spread_like(value, like)
        self.optimizer.load_state_dict(optimizer)
        self.generator.set_state(saved["generator"])
        torch.set_rng_state(saved["torch_rng"])
        self.step, self._window = saved["step"], saved["window"]
        if self.source is not None:
            self.source.load_state_dict(saved["source"])

    def _state(self) -> dict[str, Any]:
        """Everything a resumed run needs, whole and on the CPU; every process must ask."""

        def whole(tensors: Mapping[str, Any]) -> dict[str, Any]:
            return {name: gathered(v).detach().cpu() if isinstance(v, Tensor) else v for name, v in tensors.items()}

        optimizer = self.optimizer.state_dict()
        optimizer["state"] = {index: whole(state) for index, state in optimizer["state"].items()}
        return {
            "weights": whole(self.modules.state_dict()),
            "ema": whole(self.ema),
            "optimizer": optimizer,
            "generator": self.generator.get_state(),
            "torch_rng": torch.get_rng_state(),
            "source": self.source.state_dict() if self.source is not None else {},
            "step": self.step,
            "window": self._window,
            "config": json.dumps({"loop": asdict(self.config), "settings": self.settings}),
        }

    def save(self, name: str = CHECKPOINT) -> None:
        """Writes a checkpoint; the one before it stays until the new one is whole.

        Raises:
            OutputError: it cannot be written.
        """
        state, failure = self._state(), None
        if self.workers.main:
            try:
                write_checkpoint(self.folder / name, state)
            except OutputError as error:
                failure = error
        if self.workers.largest(int(failure is not None)):  # all or none: a process alone would wait for ever
            raise failure or OutputError(f"The main process could not write {self.folder / name}.")

    def averaged(self) -> dict[str, Tensor]:
        """The averaged weights, whole and on the CPU; every process must ask."""
        return {name: gathered(value).detach().cpu() for name, value in self.ema.items()}

    @torch.no_grad()
    def load_averaged(self) -> None:
        """Puts the averaged weights into the modules."""
        for name, value in self.modules.state_dict().items():
            value.copy_(self.ema[name])

    # ---- steps

    def learning_rate(self) -> float:
        """Of the next step."""
        config = self.config
        share = rate_share(self.step, num_steps=config.num_steps, warmup=config.warmup, cooldown=config.cooldown)
        return config.learning_rate * share

    def run(self, loss_of: LossOf, *, sheet: Callable[[int], None] | None = None, sheet_every: int = 0) -> dict[str, float]:
        """Trains until `num_steps` or the time limit; returns the mean of the last log window.

        Args:
            loss_of: of this process's share of the batch; draws with the generator it is given.
            sheet: called with the step every `sheet_every` steps, with the averaged weights in place.
            sheet_every: 0 for never.

        Raises:
            TrainingError: loss or gradient is not finite; what led there is in `failed_step.pt`.
            TrainingStopped: SIGTERM or Ctrl-C; the checkpoint is written.
            OutputError: the last checkpoint cannot be written.
        """
        config = self.config
        started = saved = time.monotonic()
        latest: dict[str, float] = {}
        lines = RunLog(self.folder, step=self.step, num_steps=config.num_steps, quiet=not self.workers.main)
        with StopRequest() as request:
            while self.step < config.num_steps:
                self._window.append(self._advance(loss_of))
                now = time.monotonic()
                if self.step % config.log_every == 0 or self.step == config.num_steps:
                    latest = {name: sum(w[name] for w in self._window) / len(self._window) for name in self._window[0]}
                    lines.write(self.step, latest)
                    self._window = []
                if sheet is not None and sheet_every and self.step % sheet_every == 0:
                    self._draw(sheet)
                if begins_cooldown(self.step, num_steps=config.num_steps, cooldown=config.cooldown):
                    self._save_or_say(STABLE)
                stop = self.workers.largest(request.number)
                if stop:
                    self.save()
                    lines.close()
                    log.info("%s stopped at step %d; the same command goes on there.", self.folder.name, self.step)
                    raise TrainingStopped(stop)
                out_of_time = config.max_seconds is not None and now - started > config.max_seconds
                if self.workers.largest(int(out_of_time)):
                    break
                if self.workers.largest(int(now - saved > config.save_every_s)):
                    self._save_or_say(CHECKPOINT)
                    saved = now
        lines.close()
        self.save()
        return latest

    def _advance(self, loss_of: LossOf) -> dict[str, float]:
        """One optimizer step; returns its numbers."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        before = self.generator.get_state()
        with torch.autocast(self.workers.device.type, torch.bfloat16, enabled=self.config.bfloat16):
            loss, numbers = loss_of(self.generator)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = gathered(torch.nn.utils.clip_grad_norm_(self.parameters, MAX_GRADIENT_NORM))
        names = ["loss", *numbers]
        values = torch.tensor([float(loss.detach()), *numbers.values()], dtype=torch.float64, device=self.workers.device)
        means = dict(zip(names, self.workers.mean(values).tolist(), strict=True))
        if not (math.isfinite(means["loss"]) and bool(torch.isfinite(norm))):
            self._fail(means["loss"], float(norm), before)
        self.optimizer.step()
        self.step += 1
        self._average()
        return means

    def _fail(self, loss: float, norm: float, generator: Tensor) -> None:
        """Saves what led to a loss or gradient that is not finite, and ends the training before it does harm."""
        file = self.folder / FAILED.replace(".pt", f"_{self.workers.rank}.pt" if self.workers.count > 1 else ".pt")
        batch = {name: value.detach().cpu() if isinstance(value, Tensor) else value for name, value in self.batch.items()}
        weights = {name: gathered(value).detach().cpu() for name, value in self.modules.state_dict().items()}
        kept = f"Weights, random state and batch are in {file}."
        try:
            write_checkpoint(
                file,
                {"step": self.step, "loss": loss, "norm": norm, "generator": generator, "batch": batch, "weights": weights},
            )
        except OutputError as error:
            kept = f"They could not be saved: {error}"
        raise TrainingError(
            f"Step {self.step + 1} of {self.folder} has loss {loss:g} and gradient norm {norm:g}; both must be finite. "
            f"{kept} The last checkpoint is from before. Look at the batch, lower the learning rate, or begin anew."
        )

    def _save_or_say(self, name: str) -> None:
        """A checkpoint between others: where it cannot be written, the run goes on and tries again later."""
        try:
            self.save(name)
        except OutputError as error:
            log.warning("%s The training goes on meanwhile.", error)

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        for name, value in self.modules.state_dict().items():
            if value.dtype.is_floating_point:
                self.ema[name].lerp_(value, 1 - decay)
            else:
                self.ema[name].copy_(value)

    @torch.no_grad()
    def _draw(self, sheet: Callable[[int], None]) -> None:
        own = {name: value.detach().clone() for name, value in self.modules.state_dict().items()}
        self.load_averaged()
        sheet(self.step)
        for name, value in self.modules.state_dict().items():
            value.copy_(own[name])
