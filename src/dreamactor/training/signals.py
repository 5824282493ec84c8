"""Asks a training to stop between two steps, where its checkpoint is whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Self

_CAUGHT = (signal.SIGTERM, signal.SIGINT)


class TrainingStopped(SystemExit):
    """A training was asked to stop and has written its checkpoint; the exit code is 128 + the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


class StopRequest:
    """While it is entered, SIGTERM and Ctrl-C are noted instead of obeyed at once; a second one is obeyed."""

    def __init__(self) -> None:
        self.number = 0
        """Of the signal that came; 0: none."""
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python allows no handlers
            self._before = {number: signal.signal(number, self._note) for number in _CAUGHT}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before = {}
