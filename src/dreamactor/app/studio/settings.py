"""How a server is set up."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from dreamactor.errors import ConfigError

MIB = 2**20


@dataclass(frozen=True, kw_only=True, slots=True)
class StudioSettings:
    """One server.

    Attributes:
        folder: jobs, their files and results; made if need be.
        model: name or folder of the model.
        host, port: where to listen.
        token: what every request must carry; needed beyond loopback.
        roots: folders below which jobs may name files instead of uploading them.
        max_queue: jobs that may wait.
        max_upload_bytes: of one request, all its files together.
        max_seconds: longest driving video.
        max_pixels: of one frame of a video.
        job_timeout_s: a job that takes longer is ended.
        keep_days: finished jobs older than this are deleted.

    Raises:
        ConfigError: a value that cannot work.
    """

    folder: Path
    model: str = "actor"
    host: str = "127.0.0.1"
    port: int = 7860
    token: str | None = None
    roots: tuple[Path, ...] = ()
    max_queue: int = 20
    max_upload_bytes: int = 512 * MIB
    max_seconds: float = 120.0
    max_pixels: int = 4096 * 2304
    job_timeout_s: float = 3600.0
    keep_days: float = 30.0

    def __post_init__(self) -> None:
        if not self.is_loopback and not self.token:
            raise ConfigError(
                f"Listening on {self.host} lets others in. Set DREAMACTOR_TOKEN to a long secret that every request must "
                "carry, or listen on 127.0.0.1."
            )
        if self.token is not None and len(self.token) < 16:
            raise ConfigError("The token must have at least 16 characters. Make one with: openssl rand -hex 24")
        for name in ("max_queue", "max_upload_bytes", "max_seconds", "job_timeout_s", "keep_days"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"--{name.replace('_', '-')} must be above 0, got {getattr(self, name)}.")
        for root in self.roots:
            if not root.is_dir():
                raise ConfigError(f"--root {root} is not a folder.")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
