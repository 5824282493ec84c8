"""`dreamactor convert`, and the way from another tool's joints to a video."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dreamactor.app.main import run
from dreamactor.perception.track_file import load_track
from dreamactor.video.reader import read_clip


def test_there_and_back_drives_the_model(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    joints, motion, out = tmp_path / "joints.npz", tmp_path / "motion.npz", tmp_path / "out.mp4"
    assert run(["convert", str(shared / "exact.npz"), "-o", str(joints), "--layout", "coco_wholebody_133"]) == 0
    assert run(["convert", str(joints), "-o", str(motion)]) == 0
    assert "7 frames: body 100%" in capsys.readouterr().out
    exact, made = load_track(shared / "exact.npz"), load_track(motion)
    torch.testing.assert_close(made.body.joints[:, 2:18], exact.body.joints[:, 2:18], atol=1e-2, rtol=0)
    torch.testing.assert_close(made.head.angles_rad, exact.head.angles_rad, atol=1e-4, rtol=0)
    files = [str(shared / "actor.png"), "--driving", str(motion), "-o", str(out)]
    assert run(["animate", *files, "--model", str(shared / "model"), "--steps", "1"]) == 0
    assert read_clip(out).num_frames == 7


def test_one_layout_becomes_another(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "first.npz", tmp_path / "second.npz"
    assert run(["convert", str(shared / "exact.npz"), "-o", str(first), "--layout", "mediapipe_553"]) == 0
    assert run(["convert", str(first), "-o", str(second), "--layout", "smplx_55"]) == 0
    said = capsys.readouterr().err
    assert "the layout has no face" in said
    assert "points missing" in said
    with np.load(second) as archive:
        assert archive["points_px"].shape == (7, 55, 3)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{motion}", "-o", "{out}"], "is a motion file already"),
        (["{motion}", "-o", "{out}", "--layout", "smplx55"], "Did you mean 'smplx_55'"),
        (["{motion}", "-o", "{out}", "--layout", "smplx_55", "--body-model", "{motion}"], "Leave it out"),
        (["{motion}", "-o", "out.txt", "--layout", "smplx_55"], "must end in .npz"),
        (["{motion}", "-o", "{motion}", "--layout", "smplx_55"], "is an input"),
        (["nowhere.npz", "-o", "{out}"], "nowhere.npz"),
    ],
)
def test_what_cannot_be_converted(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    places = {"motion": str(shared / "exact.npz"), "out": str(tmp_path / "out.npz")}
    assert run(["convert", *(argument.format(**places) for argument in arguments)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert says in lines[0]
    assert not any(tmp_path.iterdir())


def test_extract_names_what_rtmlib_needs(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["extract", str(shared / "clip.mp4"), "-o", str(tmp_path / "m.npz"), "--estimator", "rtmlib"]
    assert run(command) == 2
    assert "rtmlib" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
