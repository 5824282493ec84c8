"""The API does what its OpenAPI description says, whatever is sent: schemathesis makes the requests."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from studio_server import StudioServer

pytestmark = pytest.mark.slow
pytest.importorskip("schemathesis", reason="pip install -e '.[serve-checks]'")


OPTIONS = ("--checks", "all", "--seed", "1", "--exclude-path-regex", "events$", "--request-timeout", "60", "--no-color")
"""A stream of events does not end while a job waits."""
CONFIG = """
[[operations]]
include-path-regex = "/jobs(/from-paths|/[^/]*/again)?$"
checks.positive_data_acceptance.expected-statuses = ["2xx", 404, 409, 422, 429]
"""
"""A schema cannot say what a picture is, which files a folder holds, or which settings go with which files."""
KNOWN = """
[parameters]
"path.job_id" = "{job}"
"""


def _run(server: StudioServer, folder: Path, config: str, *more: str) -> None:
    (folder / "schemathesis.toml").write_text(config)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"]
    command += [f"{server.url}/api/openapi.json", *OPTIONS, *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=1800)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_generated_requests_find_no_mistake(shared: Path, tmp_path: Path) -> None:
    server = StudioServer(tmp_path / "studio", shared / "model", "--no-page", "--max-queue", "100")
    server.start()
    try:
        job = server.submit(shared / "actor.png", shared / "exact.npz", '{"steps": 1}')
        while server.get(f"/api/v1/jobs/{job}")["state"] != "done":
            time.sleep(0.2)
        _run(server, tmp_path, CONFIG, "--max-examples", "25")
        of_a_job = ("--include-path-regex", "{job_id}", "--exclude-method", "DELETE", "--max-examples", "10")
        _run(server, tmp_path, CONFIG + KNOWN.format(job=job), *of_a_job)
    finally:
        server.stop()
