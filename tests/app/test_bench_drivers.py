"""Real drivers on held-out actors, with a tiny model: what is written, what is left out, and bad folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dreamactor.app.bench.drivers import FIRST_SEED, MOMENTS, framing_of
from dreamactor.app.commands.bench_drivers import command
from dreamactor.data.actors import FIRST_HELD_OUT_SEED
from dreamactor.errors import ConfigError, InputError, OutputError
from dreamactor.geometry.skeleton import JOINT
from dreamactor.video.image import read_image
from factories import make_track


def _folder(shared: Path, tmp_path: Path) -> Path:
    """A text that calls itself a video, and a good clip."""
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "a.mp4").write_text("This is no video.\n" * 40)
    (folder / "b.mp4").write_bytes((shared / "clip.mp4").read_bytes())
    (folder / "notes.txt").write_text("not a clip")
    return folder


def test_a_clip_is_scored_beside_the_still_picture_and_a_bad_file_is_a_row_with_its_reason(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, scores, sheet = _folder(shared, tmp_path), tmp_path / "scores.json", tmp_path / "sheet.png"
    command(folder, model=str(shared / "model"), seconds=3.0, seed=0, json_file=scores, sheet=sheet)
    written = json.loads(scores.read_text())
    bad, good = written["clips"]
    assert (bad["clip"], bad["values"], bad["frames"]) == ("a.mp4", {}, 0)
    assert "a.mp4" in bad["error"]
    assert (good["clip"], good["error"], good["frames"], good["set"]) == ("b.mp4", None, 7, "full")
    assert good["actor"] == FIRST_SEED + 1 >= FIRST_HELD_OUT_SEED
    assert "7 frames" in good["left_out"]["yaw_correlation"]
    assert written["seconds_per_clip"] == 3.0
    rows = {(row["set"], row["method"], row["metric"]): row for row in written["rows"]}
    assert set(rows) == {(name, who, "limb_angle_deg") for name in ("full", "all") for who in ("model", "reference")}
    for (_, who, metric), row in rows.items():
        assert row["n"] == 1
        assert row["ci95"] == [row["value"], row["value"]]
        assert row["value"] == good["values"][who][metric]
    picture = read_image(sheet)
    assert picture.shape[1] > 3 * MOMENTS * 160
    said = capsys.readouterr().out
    assert "mean of full" in said
    assert f"a.mp4: {bad['error']}" in said
    assert all(f"{value['limb_angle_deg']:.3f}" in said for value in good["values"].values())


def test_equal_seeds_give_equal_numbers_and_seconds_cap_the_clip(shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "b.mp4").write_bytes((shared / "clip.mp4").read_bytes())
    written = []
    for name in ("one.json", "two.json"):
        command(folder, model=str(shared / "model"), seconds=0.2, seed=5, json_file=tmp_path / name, sheet=None)
        written.append((tmp_path / name).read_text())
    assert written[0] == written[1]
    assert json.loads(written[0])["clips"][0]["frames"] == 5


@pytest.mark.parametrize(("kind", "says"), [("missing", "nothing at"), ("empty", "no video in"), ("file", "is a file")])
def test_a_folder_without_clips_is_one_line(shared: Path, tmp_path: Path, kind: str, says: str) -> None:
    path = tmp_path / "clips"
    if kind == "empty":
        path.mkdir()
    elif kind == "file":
        path.touch()
    with pytest.raises(InputError, match=says) as refused:
        command(path, model=str(shared / "model"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("seconds", [0.0, 61.0, float("nan")])
def test_seconds_that_cannot_work_are_refused_before_the_work(shared: Path, seconds: float) -> None:
    with pytest.raises(ConfigError, match="--seconds"):
        command(shared, model=str(shared / "model"), seconds=seconds)


def test_results_never_replace_a_clip(shared: Path) -> None:
    with pytest.raises(OutputError):
        command(shared, model=str(shared / "model"), json_file=shared / "clip.mp4")


@pytest.mark.parametrize(
    ("unseen", "framing"), [((), "full"), (("ankle",), "upper"), (("ankle", "knee", "hip", "elbow", "wrist"), "portrait")]
)
def test_the_framing_follows_what_perception_sees(unseen: tuple[str, ...], framing: str) -> None:
    track = make_track()
    for side in ("left", "right"):
        for part in unseen:
            track.body.confidence[:, JOINT[f"{side}_{part}"]] = 0.1
    assert framing_of(track) == framing
