"""`animate` with many references, told yaws and pseudo references; the benches of both and of long videos."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dreamactor.app.main import run
from dreamactor.data import turning
from dreamactor.inference.bundle import save_bundle
from dreamactor.recipes.tiny import tiny_bundle
from dreamactor.video.reader import read_clip


def test_pseudo_references_are_made_kept_and_used_again(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sides, output = tmp_path / "sides", tmp_path / "out.mp4"
    files = [str(shared / "actor.png"), "--driving", str(shared / "exact.npz"), "-o", str(output)]
    command = ["animate", *files, "--model", str(shared / "model"), "--steps", "1", "--pseudo-folder", str(sides)]
    assert run(command) == 2
    assert "--pseudo-references" in capsys.readouterr().err
    assert run([*command[:-1], str(shared / "actor.png"), "--pseudo-references"]) == 2
    assert "it is no folder" in capsys.readouterr().err
    assert run([*command, "--pseudo-turn"]) == 0
    said = capsys.readouterr().err
    assert "Pseudo references: view_1 (the turn's step" in said
    kept = {path: path.read_bytes() for path in sides.iterdir()}
    assert {path.suffix for path in kept} == {".png", ".npz"}
    first = read_clip(output).frames
    assert run([*command, "--pseudo-references"]) == 0
    assert f"view_1 (from {sides}" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in sides.iterdir()} == kept
    assert read_clip(output).frames.shape == first.shape


def test_too_many_references_are_chosen_from_and_a_yaw_is_taken(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "person.json").write_text('{"head_box": [56, 10, 72, 30]}')
    pictures = [str(shared / "actor.png")] * 5 + ["--reference-json", str(tmp_path / "person.json")] * 5
    files = [*pictures, "--driving", str(shared / "exact.npz"), "-o", str(tmp_path / "out.mp4")]
    command = ["animate", *files, "--model", str(shared / "model"), "--steps", "1", "--no-proxy"]
    assert run([*command, "--reference-yaw", "auto", "--reference-yaw", "180", "--reference-yaw", "-90"]) == 0
    said = capsys.readouterr().err
    assert "yaw -180" in said or "yaw 180" in said
    assert "yaw -90" in said
    assert "Left out, because the model takes 4" in said
    assert run([*command, "--reference-yaw", "behind"]) == 2
    assert "--reference-yaw" in capsys.readouterr().err


def test_the_benches_of_references_and_of_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turning, "SIZE", 64)
    model, scores = tmp_path / "model", tmp_path / "scores.json"
    save_bundle(model, tiny_bundle(segment_frames=5))
    common = ["--model", str(model), "--cases", "1", "--json", str(scores), "--sheets", str(tmp_path / "sheets")]
    methods = [part for name in ("single", "pseudo", "truth") for part in ("--method", name)]
    assert run(["bench", "references", "--period", "4", "--set", "half", *methods, *common]) == 0
    rows = json.loads(scores.read_text())["rows"]
    assert {row["method"] for row in rows} == {"single", "pseudo", "truth"}
    assert any("minus_single" in row for row in rows)
    assert run(["bench", "drift", "--frames", "13", "--clips", "1", *common]) == 0
    rows = json.loads(scores.read_text())["rows"]
    assert {row["metric"] for row in rows} >= {"colour", "sharpness", "identity", "peak_rss_mb"}
    assert len(rows[0]["curves"][0]) == 3
    assert len(list((tmp_path / "sheets").glob("*.png"))) == 2
    assert run(["bench", "references", "--set", "quarter"]) == 2
    assert run(["bench", "references", "--period", "5"]) == 2
    assert run(["bench", "drift", "--frames", "13"]) == 2
