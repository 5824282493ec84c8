"""The guidance bench runs from the command line, part by part."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from dreamactor.app.bench import (
    guidance_camera,
    guidance_faces,
    guidance_heads,
    guidance_joints,
    guidance_lengths,
    guidance_micro,
    guidance_skeleton,
)
from dreamactor.app.bench.guidance_micro import compare_dips, compare_waves
from dreamactor.app.main import run
from dreamactor.data.actors import NUM_EXPRESSION
from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.errors import NoPersonError
from dreamactor.inference.face_encoders import FaceEncoders, save_face_encoders
from dreamactor.models.face_motion import ImplicitFaceEncoder, LandmarkFaceEncoder


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


def test_lengths_are_scored_per_bone_and_kind_of_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidance_lengths, "ACTORS", 2)
    file = tmp_path / "scores.json"
    assert run(["bench", "guidance", "--only", "lengths", "--json", str(file)]) == 0
    rows = json.loads(file.read_text())["rows"]
    assert {row["set"] for row in rows} == {"A-pose", "random pose", "3 pictures"}
    assert {"thigh_median_percent", "thigh_p90_percent", "head_radius_median_percent"} <= {row["metric"] for row in rows}


def test_the_adjusted_exact_skeleton_is_the_truths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guidance_skeleton, "SETS", {"differ >50 %": (0.5, 0.9)})
    monkeypatch.setattr(guidance_skeleton, "FREE_KINDS", ("kick",))
    monkeypatch.setattr(guidance_skeleton, "TOUCH_KINDS", ())
    monkeypatch.setattr(guidance_skeleton, "NUM_FRAMES", 6)
    file = tmp_path / "scores.json"
    assert run(["bench", "guidance", "--only", "skeleton", "--json", str(file)]) == 0
    scores = {row["metric"]: row["value"] for row in json.loads(file.read_text())["rows"]}
    assert scores["exact_median_percent"] < 2
    assert scores["exact_floor_median_percent"] < 2
    assert scores["unadjusted_median_percent"] > 5


def test_face_parts_measure_the_encoders_they_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.manual_seed(0)
    faces = FaceEncoders(
        landmarks=LandmarkFaceEncoder(code_dim=NUM_EXPRESSION, width=8).eval(),
        rgb=ImplicitFaceEncoder(code_dim=NUM_EXPRESSION).eval(),
    )
    save_face_encoders(tmp_path / "run", faces, {})
    for name, value in {"FIT_ACTORS": 1, "TEST_ACTORS": 2, "NUM_FRAMES": 6, "SIZES": (256,)}.items():
        monkeypatch.setattr(guidance_faces, name, value)
    for name, value in {"ACTORS": 1, "NUM_FRAMES": 20, "SIZE": 192}.items():
        monkeypatch.setattr(guidance_micro, name, value)
    file = tmp_path / "scores.json"
    command = ["bench", "guidance", "--only", "faces", "--only", "micro", "--faces", str(tmp_path / "run")]
    assert run([*command, "--json", str(file)]) == 0
    rows = json.loads(file.read_text())["rows"]
    metrics = {row["metric"] for row in rows if row["part"] == "faces"}
    assert {"r2_jaw_open", "r2_head_yaw", "identity_percent"} <= metrics
    assert {row["set"] for row in rows if row["part"] == "faces"} == {"rgb", "landmarks", "landmarks exact"}
    seen = {row["set"]: row["value"] for row in rows if row["metric"] == "amplitude_median"}
    assert {"tremor, perception", "blink, perception", "tremor, rgb", "blink, landmarks exact"} <= set(seen)
    capsys.readouterr()
    assert run(["bench", "guidance", "--only", "faces", "--faces", str(tmp_path)]) == 2
    assert "Unknown model" in capsys.readouterr().err


def test_a_tremor_and_a_blink_are_compared_by_size_and_time() -> None:
    time = torch.arange(32)
    wave = torch.sin(2 * torch.pi * 6 * time / 25)
    share, late = compare_waves(0.5 * wave.roll(1)[1:] + 3, wave[1:])
    assert share == pytest.approx(0.5, abs=0.02)
    assert late == pytest.approx(1.0, abs=0.05)
    lids = torch.ones(32)
    lids[14:17] = torch.tensor([0.4, 0.0, 0.4])
    assert compare_dips(1 - 0.7 * (1 - lids).roll(-1), lids) == pytest.approx((0.7, -1.0))


def test_the_trembling_jaw_opens_the_lips_by_the_stated_share() -> None:
    performance = guidance_micro.trembling(guidance_micro.FIRST_SEED)
    jaw = performance.expression[:, COEFFICIENT["jaw_open"]]
    swing = float(jaw.amax() - jaw.amin()) * guidance_micro.lip_gain(guidance_micro.FIRST_SEED)
    assert swing == pytest.approx(guidance_micro.TREMOR_SHARE, rel=0.02)


def test_clips_in_which_nobody_is_found_keep_their_exact_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise NoPersonError("nobody")

    monkeypatch.setattr(guidance_skeleton, "perceive_video", nobody)
    monkeypatch.setattr(guidance_skeleton, "SETS", {"differ <20 %": (0.0, 0.2)})
    monkeypatch.setattr(guidance_skeleton, "FREE_KINDS", ("walk",))
    monkeypatch.setattr(guidance_skeleton, "TOUCH_KINDS", ())
    monkeypatch.setattr(guidance_skeleton, "NUM_FRAMES", 2)
    rows = {row["metric"]: row["value"] for row in guidance_skeleton.rows(lambda *_: None)}
    assert rows["not_found"] == 1
    assert rows["exact_median_percent"] < 2
    assert not any(name.startswith(("perceived", "unadjusted")) for name in rows)
