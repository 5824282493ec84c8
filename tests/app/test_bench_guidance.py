"""The guidance bench runs from the command line, part by part."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dreamactor.app.bench import guidance_heads, guidance_joints
from dreamactor.app.main import run


def test_heads_keep_their_size_against_the_shoulders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidance_heads, "PAIRS", 1)
    monkeypatch.setattr(guidance_heads, "NUM_FRAMES", 3)
    file = tmp_path / "scores.json"
    assert run(["bench", "guidance", "--only", "heads", "--json", str(file)]) == 0
    rows = json.loads(file.read_text())["rows"]
    assert {row["part"] for row in rows} == {"heads"}
    assert len({row["set"] for row in rows}) == 9
    assert all(row["value"] < 5 for row in rows)


def test_motion_survives_joint_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidance_joints, "NUM_ACTORS", 3)
    monkeypatch.setattr(guidance_joints, "NUM_FRAMES", 5)
    file = tmp_path / "scores.json"
    assert run(["bench", "guidance", "--only", "joints", "--json", str(file)]) == 0
    rows = json.loads(file.read_text())["rows"]
    carried = [row["value"] for row in rows if row["metric"].startswith("carried")]
    assert len(carried) == 8
    assert max(carried) < 0.01
    angles = [row["value"] for row in rows if row["metric"].endswith("deg_median")]
    assert len(angles) == 27
    assert max(angles) < 15


def test_a_part_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "guidance", "--only", "feet"]) == 2
    assert "Unknown part 'feet' of the guidance bench. Known: heads" in capsys.readouterr().err
