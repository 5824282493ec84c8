"""Proportions from the command line: measured, written, corrected, shown, and used by `animate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dreamactor.app.main import run
from dreamactor.video.image import read_image
from dreamactor.video.reader import read_clip


def _animate(shared: Path, output: Path, *more: str) -> int:
    files = [str(shared / "actor.png"), "--driving", str(shared / "exact.npz"), "-o", str(output)]
    return run(["animate", *files, "--model", str(shared / "model"), "--steps", "1", *more])


def test_measured_lengths_can_be_corrected_and_seen(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, sheet, film = tmp_path / "build.json", tmp_path / "sheet.png", tmp_path / "film.mp4"
    picture = str(shared / "actor.png")
    assert run(["proportions", picture, "--json", str(file)]) == 0
    written = json.loads(file.read_text())
    assert f"thigh         {written['bones']['thigh']:6.3f}" in capsys.readouterr().out
    written["bones"]["thigh"] = 1.6
    file.write_text(json.dumps(written))
    more = ["--proportions-json", str(file), "--driving", str(shared / "exact.npz")]
    assert run(["proportions", picture, *more, "--preview", str(sheet)]) == 0
    assert "thigh          1.600" in capsys.readouterr().out
    assert run(["proportions", picture, *more, "--preview", str(film), "--proportions", "0.5"]) == 0
    assert read_image(sheet).shape[1] > read_image(sheet).shape[0] / 2
    assert read_clip(film).num_frames == 7


def test_animate_takes_lengths_by_hand_and_a_mix(shared: Path, tmp_path: Path) -> None:
    long_legs = tmp_path / "long.json"
    long_legs.write_text(json.dumps({"bones": {"thigh": 2.5}}))
    outputs = {name: tmp_path / f"{name}.mp4" for name in ("plain", "long", "driving", "image")}
    assert _animate(shared, outputs["plain"]) == 0
    assert _animate(shared, outputs["long"], "--proportions-json", str(long_legs)) == 0
    assert _animate(shared, outputs["driving"], "--proportions-json", str(long_legs), "--proportions", "driving") == 0
    assert _animate(shared, outputs["image"], "--proportions-image", str(shared / "actor.png")) == 0
    assert (read_clip(outputs["plain"]).frames != read_clip(outputs["long"]).frames).any()
    assert (read_clip(outputs["driving"]).frames != read_clip(outputs["long"]).frames).any()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not a readable JSON file"),
        ('{"bone": {}}', "may have bones, head_radius, hand, guessed, nothing else"),
        ('{"bones": {"tail": 1}}', "unknown bone 'tail'"),
        ('{"bones": {"thigh": -1}}', '"thigh" must be a number of torso lengths from 0.01 to 10.0, got -1'),
        ('{"head_radius": "big"}', '"head_radius" must be a number'),
    ],
)
def test_a_wrong_file_is_refused_with_its_reason(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(content)
    assert run(["proportions", str(shared / "actor.png"), "--proportions-json", str(file)]) == 2
    assert message in capsys.readouterr().err


def test_wrong_options_are_refused(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _animate(shared, tmp_path / "out.mp4", "--proportions", "half") == 2
    assert (
        "--proportions must be reference, driving, or a number from 0 (driving) to 1, got 'half'" in capsys.readouterr().err
    )
    assert run(["proportions", str(shared / "actor.png"), "--preview", str(tmp_path / "p.png")]) == 2
    assert "Give both --driving and --preview" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
