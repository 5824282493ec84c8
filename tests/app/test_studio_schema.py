"""The API does what its OpenAPI description says, whatever is sent: schemathesis makes the requests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from studio_server import StudioServer

pytestmark = pytest.mark.slow
pytest.importorskip("schemathesis", reason="pip install -e '.[serve-checks]'")


def test_generated_requests_find_no_mistake(shared: Path, tmp_path: Path) -> None:
    server = StudioServer(tmp_path / "studio", shared / "model", "--no-page", "--max-queue", "100")
    server.start()
    try:
        options = ["--checks", "all", "--max-examples", "25", "--seed", "1", "--exclude-path-regex", "events$"]
        options += ["--request-timeout", "60", "--no-color"]
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/openapi.json", *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=1800)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    finally:
        server.stop()
