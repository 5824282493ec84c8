"""Who imports whom, read off the code: left may import right, never back, and packages of one rank keep apart."""

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
HEAVY = ("torch", "mediapipe", "diffusers", "av", "cv2")


def _imports(code: str, home: tuple[str, ...]) -> set[str]:
    """Packages and modules right below `dreamactor` that a module imports; `home` is the package the module lies in."""
    targets: list[tuple[str, ...]] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            targets += [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = home[: len(home) - node.level + 1] if node.level else ()
            base = (*above, *(node.module.split(".") if node.module else ()))
            targets += [(*base, alias.name) for alias in node.names]
    return {target[1] for target in targets if target[0] == "dreamactor" and len(target) > 1}


def _imports_of(path: Path) -> set[str]:
    return _imports(path.read_text(encoding="utf-8"), ("dreamactor", *path.relative_to(SOURCE).parent.parts))


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import torch", set()),
        ("import dreamactor.video.reader", {"video"}),
        ("from dreamactor import guidance, models", {"guidance", "models"}),
        ("def f():\n    from dreamactor.types.video import VideoClip", {"types"}),
        ("from . import reader", {"video"}),
        ("from ..flow.path import velocity", {"flow"}),
    ],
)
def test_every_way_to_import_is_seen(code: str, found: set[str]) -> None:
    assert _imports(code, ("dreamactor", "video")) == found


@pytest.mark.parametrize("package", sorted(RANK))
def test_a_package_imports_only_lower_ranks(package: str) -> None:
    wrong = [
        f"{path.relative_to(SOURCE)} imports {other}"
        for path in sorted((SOURCE / package).rglob("*.py"))
        for other in sorted(_imports_of(path) - {package})
        if other in RANK and RANK[other] <= RANK[package]
    ]
    assert wrong == []


def test_errors_are_below_everything() -> None:
    assert _imports_of(SOURCE / "errors.py") == set()


def test_every_package_has_a_rank() -> None:
    packages = {path.parent.name for path in SOURCE.glob("*/*.py")}
    assert packages <= set(RANK)


@pytest.mark.parametrize("module", ["dreamactor", "dreamactor.app.main"])
def test_starting_loads_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
