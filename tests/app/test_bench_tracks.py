"""Benches of tracks run from the command line: whole turns, real clips, the noise of perception."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("mediapipe")

from dreamactor.app.bench import guidance_yaw, noise
from dreamactor.app.main import run
from dreamactor.data.actors import FIRST_HELD_OUT_SEED
from dreamactor.evaluation.tracks import head_errors_deg


def test_turns_go_all_the_way_round_and_grow_without_changing() -> None:
    few, more = (guidance_yaw.turn_cases(count, first_seed=5) for count in (4, 24))
    assert more[:4] == few
    assert {(case.framing, case.seconds, case.direction) for case in more[:12]} == {
        (case.framing, case.seconds, case.direction) for case in more[12:]
    }
    for case in few:
        turn = guidance_yaw.turn_performance(case).channel("root_yaw")
        assert float(turn[-1] - turn[0]) == pytest.approx(360 * case.direction)
        assert float(turn.diff().abs().max()) < 12
    assert guidance_yaw.FIRST_SEED >= FIRST_HELD_OUT_SEED > noise.FIRST_SEED + 10_000


def test_yaw_reads_the_error_of_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the truth in place of what is perceived there is none."""
    monkeypatch.setattr(guidance_yaw, "CASES", 2)
    monkeypatch.setattr(guidance_yaw, "TURN_SECONDS", (0.6, 0.6))
    monkeypatch.setattr(guidance_yaw, "SIZE", 64)
    truths = []
    drawn = guidance_yaw.draw_turn

    def remembered(case: guidance_yaw.TurnCase):
        turn = drawn(case)
        truths.append(turn.track)
        return turn

    monkeypatch.setattr(guidance_yaw, "draw_turn", remembered)
    monkeypatch.setattr(guidance_yaw, "perceive_frames", lambda frames, estimator: truths[-1])
    file = tmp_path / "scores.json"
    assert run(["bench", "guidance", "--only", "yaw", "--json", str(file)]) == 0
    rows = {(row["set"], row["metric"]): row["value"] for row in json.loads(file.read_text())["rows"]}
    assert rows["all", "head_found_share"] == 1.0
    assert rows["all", "yaw_error_p95_deg"] == pytest.approx(0.0, abs=1e-3)
    assert rows["all", "yaw_jump_max_deg"] == rows["all", "true_yaw_step_max_deg"] > 20
    assert {"upper", "front", "back"} <= {name for name, _ in rows}
    assert not head_errors_deg(truths[0], truths[0]).any()


def test_clips_of_a_folder_are_judged_and_bad_ones_named(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    shutil.copy(shared / "clip.mp4", folder / "wave.mp4")
    (folder / "broken.mp4").write_bytes(b"no video at all")
    file = tmp_path / "clips.json"
    assert run(["bench", "clips", str(folder), "--json", str(file)]) == 0
    broken, wave = json.loads(file.read_text())["rows"]
    assert broken["name"] == "broken.mp4"
    assert broken["why"]
    assert not broken["holds"]
    assert wave["frames"] == 7
    assert 0.0 <= wave["body"] <= 1.0
    assert wave["lag"] is None  # too short to tell
    assert "wave.mp4" in capsys.readouterr().out


def test_clips_needs_a_folder_with_videos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "clips", str(tmp_path)]) == 2
    assert "There is no video" in capsys.readouterr().err


def test_noise_is_measured_and_fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "CLIP_FRAMES", 6)
    monkeypatch.setattr(noise, "SIZE", 96)
    monkeypatch.setattr(noise, "MODEL_DRAWS", 1)
    file, fitted = tmp_path / "noise.json", tmp_path / "jitter.json"
    assert run(["bench", "noise", "--frames", "24", "--json", str(file), "--fit", str(fitted)]) == 0
    rows = json.loads(file.read_text())["rows"]
    assert {row["set"] for row in rows} == {"all", "portrait", "upper", "full", "turn"}
    assert all(row["n"] == (18 if row["set"] == "all" else 6) for row in rows)
    jitter = json.loads(fitted.read_text())
    measured = {row["metric"]: row["measured"] for row in rows if row["set"] == "all"}
    assert jitter["trunk"]["bias"] == pytest.approx(measured["trunk_bias"])
    assert 0.0 < measured["trunk_bias"] < 0.3
