"""The examples of the documentation run, on a tiny model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dreamactor
from dreamactor.inference import animator
from dreamactor.recipes.tiny import tiny_bundle

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", ["docs/python.md", "README.md"])
def test_examples_run(
    page: str, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("actor.png", "clip.mp4"):
        (tmp_path / name).write_bytes((shared / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(animator, "load_bundle", lambda name: tiny_bundle())
    blocks = _BLOCK.findall((ROOT / page).read_text())
    assert blocks
    exec(compile("\n".join(blocks), page, "exec"), {})  # names of one block are used in the next
    assert "7" in capsys.readouterr().out


def test_every_public_name_is_there() -> None:
    for name in dreamactor.__all__:
        assert getattr(dreamactor, name) is not None
