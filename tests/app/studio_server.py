"""A server in a process of its own, for tests that end it the hard way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class StudioServer:
    """`dreamactor serve` on a port of its own."""

    def __init__(self, folder: Path, model: Path, *more: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        command = [sys.executable, "-m", "dreamactor", "serve", "--port", self.url.rsplit(":", 1)[1]]
        self._command = [*command, "--folder", str(folder), "--model", str(model), *more]
        self.log = folder.with_suffix(".log")

    def start(self) -> None:
        """Returns when it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=dict(os.environ))
        for _ in range(1200):
            assert self._process.poll() is None, self.log.read_text()
            try:
                httpx.get(f"{self.url}/api/v1/health", timeout=5)
            except httpx.TransportError:
                time.sleep(0.25)
            else:
                return
        raise TimeoutError(self.log.read_text())

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """Without a warning."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.url}{path}", timeout=60).json()

    def submit(self, reference: Path, driving: Path, settings: str) -> str:
        with reference.open("rb") as picture, driving.open("rb") as motion:
            files = {"references": picture, "driving": motion}
            answer = httpx.post(f"{self.url}/api/v1/jobs", files=files, data={"settings": settings}, timeout=120)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])
