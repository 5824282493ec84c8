"""The guidance bench runs from the command line, part by part."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dreamactor.app.bench import guidance_camera, guidance_heads
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


def test_a_known_camera_is_taken_out_whoever_finds_the_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidance_camera, "CLIPS", 1)
    monkeypatch.setattr(guidance_camera, "NUM_FRAMES", 6)
    monkeypatch.setattr(guidance_camera, "PATHS", ("pan",))
    file = tmp_path / "scores.json"
    assert run(["bench", "guidance", "--only", "camera", "--json", str(file)]) == 0
    rows = {(row["set"], row["metric"]): row["value"] for row in json.loads(file.read_text())["rows"]}
    for outline in ("exact outline", "perceived"):
        assert rows[f"pan, {outline}", "way_error_worst_percent"] < 0.5
    assert rows["pan, uncorrected", "way_error_median_percent"] > 5


def test_a_part_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "guidance", "--only", "feet"]) == 2
    assert "Unknown part 'feet' of the guidance bench. Known: heads, camera" in capsys.readouterr().err
