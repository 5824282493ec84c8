"""The loop every training shares: step, average, log, save, resume. Does not know what it trains."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, kw_only=True, slots=True)
class LoopConfig:
    """How long and how fast.

    Attributes:
        num_steps: optimizer steps; the learning rate falls to a tenth over them by a cosine.
        learning_rate: peak of AdamW's.
        warmup: steps of linear rise.
        ema_decay: of the averaged weights that are shipped.
        save_every_s: seconds between checkpoints.
        log_every: steps between log lines.
        max_seconds: stop after so long, as if interrupted; None for no limit.
        bfloat16: run the forward pass in bfloat16 (worth it only where the processor has units for it).
    """

    num_steps: int
    learning_rate: float
    warmup: int = 50
    ema_decay: float = 0.995
    save_every_s: float = 180.0
    log_every: int = 20
    max_seconds: float | None = None
    bfloat16: bool = False


def bfloat16_pays() -> bool:
    """Whether matrix products in bfloat16 are so much faster than in float32 on this machine (measured) that training is.

    Products that are 2.3 times as fast make a step of the DiT 1.6 times as fast: norms and losses stay in float32.
    """
    seconds = dict.fromkeys((torch.float32, torch.bfloat16), math.inf)
    for _ in range(8):  # by turns, and the fastest of each counts: others use the machine too
        for dtype in seconds:
            a = torch.randn(768, 768, dtype=dtype)
            start = time.perf_counter()
            a @ a
            seconds[dtype] = min(seconds[dtype], time.perf_counter() - start)
    return seconds[torch.float32] > 1.6 * seconds[torch.bfloat16]


class TrainingLoop:
    """Steps modules towards lower loss; picks up where an earlier run in the same folder stopped.

    A checkpoint holds weights, averaged weights, optimizer state, step and the generator's state, so that a resumed run
    equals an uninterrupted one.
    """

    def __init__(self, modules: dict[str, nn.Module], config: LoopConfig, folder: Path, *, seed: int) -> None:
        self.modules = nn.ModuleDict(modules)
        self.config = config
        self.folder = folder
        self.parameters = [p for p in self.modules.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=config.learning_rate, betas=(0.9, 0.95), weight_decay=0.01)
        self.generator = torch.Generator().manual_seed(seed)
        self.step = 0
        self.ema = {name: value.detach().clone() for name, value in self.modules.state_dict().items()}
        folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint = folder / CHECKPOINT
        if self.checkpoint.exists():
            saved = torch.load(self.checkpoint, weights_only=True)
            self.modules.load_state_dict(saved["weights"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.generator.set_state(saved["generator"])
            self.ema, self.step = saved["ema"], saved["step"]

    def learning_rate(self) -> float:
        """Of the next step."""
        config = self.config
        share = min(self.step / max(config.num_steps, 1), 1.0)
        fall = 0.1 + 0.9 * 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * share))))
        return config.learning_rate * min(1.0, (self.step + 1) / max(config.warmup, 1)) * fall

    def run(self, loss_of: Callable[[torch.Generator], tuple[Tensor, dict[str, float]]]) -> dict[str, float]:
        """Trains until `num_steps` or the time limit; returns the mean of the last log window.

        Args:
            loss_of: draws a batch with the generator it is given and returns the loss and numbers to log.
        """
        started = saved = time.monotonic()
        window: list[dict[str, float]] = []
        latest: dict[str, float] = {}
        log = (self.folder / "log.jsonl").open("a")
        while self.step < self.config.num_steps:
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate()
            with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16):
                loss, numbers = loss_of(self.generator)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
            if torch.isfinite(norm):
                self.optimizer.step()
            self.step += 1
            self._average()
            window.append({**numbers, "loss": float(loss.detach())})
            now = time.monotonic()
            if self.step % self.config.log_every == 0 or self.step == self.config.num_steps:
                latest = {name: sum(w[name] for w in window) / len(window) for name in window[0]}
                line = {
                    "step": self.step,
                    "seconds": round(now - started, 1),
                    **{k: round(v, 5) for k, v in latest.items()},
                }
                log.write(json.dumps(line) + "\n")
                log.flush()
                window = []
            out_of_time = self.config.max_seconds is not None and now - started > self.config.max_seconds
            if now - saved > self.config.save_every_s or out_of_time:
                self.save()
                saved = now
            if out_of_time:
                break
        self.save()
        return latest

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        for name, value in self.modules.state_dict().items():
            if value.dtype.is_floating_point:
                self.ema[name].lerp_(value, 1 - decay)
            else:
                self.ema[name].copy_(value)

    def save(self) -> None:
        """Writes the checkpoint, atomically."""
        part = self.checkpoint.with_suffix(".part")
        torch.save(
            {
                "weights": self.modules.state_dict(),
                "ema": self.ema,
                "optimizer": self.optimizer.state_dict(),
                "generator": self.generator.get_state(),
                "step": self.step,
            },
            part,
        )
        part.rename(self.checkpoint)

    def load_averaged(self) -> None:
        """Puts the averaged weights into the modules."""
        self.modules.load_state_dict(self.ema)
