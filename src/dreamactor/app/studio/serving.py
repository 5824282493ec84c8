"""Runs the server."""

from __future__ import annotations

import logging
import os
import socket

import typer

from dreamactor.app.studio.settings import StudioSettings
from dreamactor.errors import ConfigError


def serve(settings: StudioSettings, *, with_page: bool) -> None:
    """Serves until it is asked to stop.

    Raises:
        ConfigError: the packages are not installed, or the port is taken.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(settings.folder / "page")
    try:
        import uvicorn

        from dreamactor.app.studio.api import build_app
        from dreamactor.app.studio.service import StudioService

        if with_page:
            from dreamactor.app.studio.page import mount_page
    except ModuleNotFoundError as error:
        raise ConfigError(f"{error.name} is not installed. Run: pip install 'dreamactor[serve]'") from error
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    _check_port(settings)
    service = StudioService(settings)
    app = build_app(service)
    if with_page:
        app = mount_page(app, service)
    typer.echo(f"http://{settings.host}:{settings.port}" + ("" if with_page else "/api/docs"))
    uvicorn.run(
        app, host=settings.host, port=settings.port, log_level="warning", server_header=False, timeout_keep_alive=15,
        timeout_graceful_shutdown=5,
    )  # fmt: skip


def _check_port(settings: StudioSettings) -> None:
    """Says in one line that the port is taken, before anything is loaded."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        raise ConfigError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Choose another --port."
        ) from error
