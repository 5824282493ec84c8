"""`dreamactor serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    host: Annotated[str, typer.Option(help="Address to listen on. Beyond this machine DREAMACTOR_TOKEN must be set.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 7860,
    folder: Annotated[Path, typer.Option(help="Where jobs and results are kept; made if need be.")] = Path("studio"),
    model: Annotated[str, typer.Option(help="Model name, or a folder with a model.json.")] = "actor",
    root: Annotated[list[Path] | None, typer.Option(help="Folder whose files jobs may name; repeat for more.")] = None,
    max_queue: Annotated[int, typer.Option(min=1, help="Jobs that may wait.")] = 20,
    max_upload_mb: Annotated[int, typer.Option(min=1, help="Of one request, all files together.")] = 512,
    max_seconds: Annotated[float, typer.Option(min=1, help="Longest driving video.")] = 120,
    job_timeout: Annotated[float, typer.Option(min=1, help="Seconds after which a job is ended.")] = 3600,
    keep_days: Annotated[float, typer.Option(min=0.01, help="Finished jobs are deleted after so many days.")] = 30,
    page: Annotated[bool, typer.Option(help="Serve the page, or the HTTP API alone.")] = True,
) -> None:
    """Serve the page and the HTTP API. Jobs survive a restart: one that was running resumes.

    Open http://127.0.0.1:7860; the API's reference is at /api/docs.

    Examples:

      dreamactor serve

      dreamactor serve --port 8000 --root ~/clips --no-page

      DREAMACTOR_TOKEN=$(openssl rand -hex 24) dreamactor serve --host 0.0.0.0
    """
    import os

    from dreamactor.app.studio.serving import serve
    from dreamactor.app.studio.settings import MIB, StudioSettings
    from dreamactor.inference.bundle import model_folder

    model_folder(model)
    settings = StudioSettings(
        folder=folder.resolve(), model=model, host=host, port=port, token=os.environ.get("DREAMACTOR_TOKEN") or None,
        roots=tuple(root or ()), max_queue=max_queue, max_upload_bytes=max_upload_mb * MIB, max_seconds=max_seconds,
        job_timeout_s=job_timeout, keep_days=keep_days,
    )  # fmt: skip
    serve(settings, with_page=page)
