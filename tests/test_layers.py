"""Who imports whom, read off the code: left may import right, never back."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "dreamactor"
RANKS = (
    ("app",),
    ("recipes",),
    ("training",),
    ("inference", "data", "evaluation"),
    ("perception", "guidance", "models", "flow", "video"),
    ("types",),
    ("geometry",),
)
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("dreamactor."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("dreamactor.")}
    return found


@pytest.mark.parametrize("package", sorted(RANK))
def test_a_package_imports_only_lower_ranks(package: str) -> None:
    wrong = [
        f"{path.relative_to(SOURCE)} imports {other}"
        for path in (SOURCE / package).rglob("*.py")
        for other in _imports(path)
        if other in RANK and other != package and RANK[other] <= RANK[package]
    ]
    assert wrong == []


def test_every_package_has_a_rank() -> None:
    packages = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert packages <= set(RANK)


def test_the_command_line_starts_without_heavy_libraries() -> None:
    code = "import sys, dreamactor.app.main; print([m for m in ('torch', 'mediapipe', 'diffusers', 'av') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
