"""What a training says while it runs: log.jsonl, TensorBoard scalars where it is installed, a line with the time left."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

LOG_FILE = "log.jsonl"


def time_left(seconds: float) -> str:
    """12 s, 4 min, 3 h 05 min, 2 d 4 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


class RunLog:
    """One line per log window. A resumed run forgets the lines after its checkpoint: it is about to write them again."""

    def __init__(self, folder: Path, *, step: int, num_steps: int, quiet: bool = False) -> None:
        """Opens the log of a run that has done `step` of `num_steps` steps; quiet: writes and says nothing."""
        self.path, self.name, self.num_steps, self.quiet = folder / LOG_FILE, folder.name, num_steps, quiet
        self._started, self._first_step = time.monotonic(), step
        self._pending: list[str] = []
        self._board: Any = None
        if quiet:
            return
        if self.path.exists():
            lines = self.path.read_text().splitlines()
            kept = [line for line in lines if _step_of(line) <= step]
            if len(kept) < len(lines):
                part = self.path.with_suffix(".part")
                part.write_text("".join(line + "\n" for line in kept))
                part.replace(self.path)
        if find_spec("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)  # type: ignore[no-untyped-call]

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Logs the numbers of a window that ends at `step`; where the disk is full, later."""
        if self.quiet:
            return
        seconds = time.monotonic() - self._started
        rounded = {name: float(f"{value:.6g}") for name, value in numbers.items()}
        self._pending.append(json.dumps({"step": step, "seconds": round(seconds, 1), **rounded}) + "\n")
        whole = self.path.stat().st_size if self.path.exists() else 0
        try:
            with self.path.open("a") as file:
                file.write("".join(self._pending))
            self._pending = []
        except OSError as error:
            if self.path.exists():
                os.truncate(self.path, whole)  # a line may have been written in part
            log.warning("Cannot write %s (%s); its lines are kept and written later.", self.path, error.strerror)
        if self._board is not None:
            for name, value in numbers.items():
                self._board.add_scalar(name, value, step)
            self._board.flush()
        pace = seconds / max(step - self._first_step, 1)
        log.info(
            "%s %d/%d (%d %%)  loss %.4g  %s a step  %s left", self.name, step, self.num_steps,
            100 * step // self.num_steps, numbers["loss"], f"{pace:.2f} s" if pace >= 0.1 else f"{1000 * pace:.0f} ms",
            time_left(pace * (self.num_steps - step)),
        )  # fmt: skip

    def close(self) -> None:
        """Ends the TensorBoard file."""
        if self._board is not None:
            self._board.close()


def _step_of(line: str) -> float:
    """Step of a line; a line cut short by a crash belongs to no step."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")
