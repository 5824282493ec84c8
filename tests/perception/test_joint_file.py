"""What a joint file must say, and what is said when it does not."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dreamactor.errors import ConfigError, MotionFileError
from dreamactor.perception.joint_export import joints_from_track
from dreamactor.perception.joint_file import is_joint_file, read_joint_file
from dreamactor.perception.joint_import import track_from_joints
from dreamactor.perception.track_file import load_track
from factories import make_track


def _file(folder: Path, **changes: Any) -> Path:
    points = np.random.default_rng(0).uniform(0, 100, (3, 133, 2))
    arrays = {"layout": "coco_wholebody_133", "image_size": (100, 100), "fps": 25, "points_px": points} | changes
    np.savez(folder / "joints.npz", **{key: value for key, value in arrays.items() if value is not None})
    return folder / "joints.npz"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"layout": "coco_wholebody_134"}, "Did you mean 'coco_wholebody_133'"),
        ({"layout": None}, "has no 'layout'"),
        ({"image_size": None}, "no 'image_size'"),
        ({"image_size": (100.5, 3)}, "whole pixels"),
        ({"fps": None}, "nothing about time"),
        ({"fps": -1}, "positive"),
        ({"fps": None, "times_s": [0.0, 0.2, 0.1]}, "increase"),
        ({"points_px": None}, "neither 'points_px' nor 'points_m'"),
        ({"points_px": np.zeros((3, 132, 2))}, "[3, 133, 2 or 3]"),
        ({"points_px": np.zeros((0, 133, 2))}, "no frames"),
        ({"points_px": np.full((3, 133, 2), np.inf)}, "not finite"),
        ({"points_px": np.full((3, 133, 2), "a")}, "needed are numbers"),
        ({"confidence": np.full((3, 133), 1.4)}, "0..1"),
        ({"confidence": np.ones((3, 17))}, "[3, 133]"),
        ({"confidance": np.ones((3, 133))}, "Did you mean 'confidence'"),
        ({"focal_px": 500.0}, "Drop one"),
        ({"px_per_m": 0.0}, "positive"),
        ({"pts": (1, 2, 3)}, "without 'time_base'"),
        ({"camera_translation": (0, 0, 1)}, "without 'points_m'"),
        ({"points_px": None, "points_m": np.ones((3, 133, 3)), "px_per_m": 9.0, "center_px": (5, 5)}, "without 'focal_px'"),
        ({"points_px": None, "points_m": np.ones((3, 133, 3))}, "one camera"),
        ({"points_px": None, "points_m": np.ones((3, 133, 3)), "px_per_m": 90.0}, "origin_px"),
        ({"points_px": None, "points_m": np.zeros((3, 133, 3)), "focal_px": 90.0}, "z > 0"),
        ({"source": np.array([{}], dtype=object)}, "no pickled objects"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(MotionFileError) as error:
        read_joint_file(_file(tmp_path, **changes))
    assert says in str(error.value)


def test_a_motion_file_is_no_joint_file_and_the_other_way_round(tmp_path: Path) -> None:
    path = _file(tmp_path)
    assert is_joint_file(path)
    with pytest.raises(MotionFileError, match="is a joint file"):
        load_track(path)
    (tmp_path / "text.npz").write_text("no archive")
    assert not is_joint_file(tmp_path / "text.npz")


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        ({"fps": 25}, [0, 0.04, 0.08]),
        ({"fps": (30000, 1001)}, [0, 1001 / 30000, 2002 / 30000]),
        ({"fps": None, "times_s": (0.5, 0.533333, 0.7)}, [0.5, 0.533333, 0.7]),
        ({"fps": 10, "pts": (3, 4, 9), "time_base": (1, 50)}, [0.06, 0.08, 0.18]),
    ],
)
def test_times(tmp_path: Path, times: dict[str, Any], seconds: list[float]) -> None:
    assert read_joint_file(_file(tmp_path, **times)).times.seconds.tolist() == pytest.approx(seconds, abs=1e-9)


def test_rates_of_television_stay_exact(tmp_path: Path) -> None:
    assert read_joint_file(_file(tmp_path, fps=(30000, 1001))).times.fps == Fraction(30000, 1001)
    assert read_joint_file(_file(tmp_path, fps=29.97)).times.fps == Fraction(2997, 100)


def test_nan_is_missing(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(0, 100, (3, 133, 3))
    points[1, 9, 0] = np.nan
    recording = read_joint_file(_file(tmp_path, points_px=points))
    assert recording.confidence[1, 9] == 0
    assert recording.confidence.sum() == 3 * 133 - 1
    assert recording.pixels.isfinite().all()


def test_nobody_is_an_error(tmp_path: Path) -> None:
    recording = read_joint_file(_file(tmp_path, confidence=np.full((3, 133), 0.01)))
    with pytest.raises(MotionFileError, match="no frame has a body"):
        track_from_joints(recording)


def test_head_and_shoulders_alone_make_a_finite_track(tmp_path: Path) -> None:
    recording = joints_from_track(make_track(), "coco_wholebody_133")
    points = np.full((8, 133, 2), np.nan)
    points[:, :7] = recording.pixels[:, :7, :2].numpy()
    track = track_from_joints(read_joint_file(_file(tmp_path, points_px=points)))
    assert track.body.tracked.all()
    assert track.head.tracked.all()
    for values in (track.body.joints, track.body.joints_m, track.hands.joints, track.head.center, track.face.landmarks):
        assert values.isfinite().all()
    assert (track.body.joints[:, 0, 1] > track.body.joints[:, 1, 1]).all()  # the pelvis is below the neck


def test_an_unknown_layout_cannot_be_written() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'smplx_55'"):
        joints_from_track(make_track(), "smplx55")


def test_a_hidden_face_is_no_face(tmp_path: Path) -> None:
    recording = joints_from_track(make_track(head_angles_rad=(2.5, 0.0, 0.0)), "mediapipe_553")
    assert not track_from_joints(recording).face.tracked.any()
    assert torch.isfinite(track_from_joints(recording).face.box).all()
