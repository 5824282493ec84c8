"""The optional estimator, with a stand-in that has rtmlib's interface and plays back a drawn person."""

import builtins
import sys
import types
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dreamactor.errors import ConfigError
from dreamactor.geometry.skeleton import JOINT
from dreamactor.perception.build import build_estimator
from dreamactor.perception.joint_export import joints_from_track
from dreamactor.perception.perceive import perceive_video
from factories import make_track

TRACK = make_track(num_frames=6, width=640, height=480, pelvis_px=(300.0, 240.0), scale_px=180.0, body_yaw_rad=0.3)
POINTS = joints_from_track(TRACK, "coco_wholebody_133")
BOX = [200.0, 60.0, 400.0, 420.0]


class _Detector:
    def __init__(self, onnx_model: str, model_input_size: tuple[int, int], backend: str) -> None:
        assert Path(onnx_model).is_file()
        print("load", onnx_model)  # noqa: T201 - as rtmlib does

    def __call__(self, image: np.ndarray) -> np.ndarray:
        assert image[0, 0].tolist() == [3, 2, 1]  # BGR of RGB (1, 2, 3)
        return np.array([[0.0, 0.0, 10.0, 10.0], BOX])


class _Pose(_Detector):
    def __init__(self, onnx_model: str, model_input_size: tuple[int, int], backend: str) -> None:
        super().__init__(onnx_model, model_input_size, backend)
        self.frame = 0
        self.score = 1.3
        self.boxes: list[Any] = []

    def __call__(self, image: np.ndarray, bboxes: list[Any] | None = None) -> tuple[np.ndarray, ...]:  # type: ignore[override]
        assert bboxes is not None
        self.boxes += bboxes
        pixels = POINTS.pixels[self.frame].numpy()
        self.frame = min(self.frame + 1, 5)
        places = np.concatenate([pixels[:, :2] * 0, pixels[:, 2:] / 180.0], axis=1)
        scores = np.where(POINTS.confidence[0].numpy() > 0, self.score, 0.0)
        return places[None], scores[None], places[None], pixels[None, :, :2]


@pytest.fixture
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    stand_in: Any = types.ModuleType("rtmlib")
    stand_in.YOLOX, stand_in.RTMPose3d = _Detector, _Pose
    monkeypatch.setitem(sys.modules, "rtmlib", stand_in)
    monkeypatch.delitem(sys.modules, "dreamactor.perception.rtmpose", raising=False)
    for name in ("yolox_m.onnx", "rtmw3d-x.onnx"):
        (tmp_path / name).touch()
    return tmp_path


def _picture() -> torch.Tensor:
    return torch.tensor([1, 2, 3], dtype=torch.uint8).expand(480, 640, 3).contiguous()


def test_a_clip_becomes_a_track(networks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    estimator = build_estimator("rtmlib", weights=networks)
    frames = [(_picture(), t) for t in range(6)]
    track = perceive_video(frames, time_base=Fraction(1, 25), estimator=estimator)
    assert capsys.readouterr().out == ""
    assert track.body.tracked.all()
    assert track.hands.tracked.all()
    torch.testing.assert_close(track.body.joints[..., :2], TRACK.body.joints[..., :2], atol=1.0, rtol=0)
    torch.testing.assert_close(track.body.joints_m, TRACK.body.joints_m, atol=0.05, rtol=0.1)
    across = track.body.joints[:, JOINT["left_shoulder"]] - track.body.joints[:, JOINT["right_shoulder"]]
    true = TRACK.body.joints[:, JOINT["left_shoulder"]] - TRACK.body.joints[:, JOINT["right_shoulder"]]
    torch.testing.assert_close(across, true, atol=3.0, rtol=0.05)  # depth included


def test_it_starts_on_the_box_and_follows_the_person(networks: Path) -> None:
    estimator: Any = build_estimator("rtmlib", weights=networks)
    assert estimator.people(_picture())[0].tolist() == BOX  # largest first
    estimator.observe(_picture(), within=torch.tensor(BOX))
    estimator.observe(_picture())
    first, second = estimator._pose.boxes
    assert first == BOX
    assert second[0] < float(POINTS.pixels[1, POINTS.confidence[1] > 0, 0].min())
    estimator._pose.score = 0.05
    assert not estimator.observe(_picture()).found


def test_what_is_missing_is_named(
    networks: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(ConfigError, match="--estimator-weights"):
        build_estimator("rtmlib")
    with pytest.raises(ConfigError, match="has none of them"):
        build_estimator("rtmlib", weights=empty)
    with pytest.raises(ConfigError, match="is no folder"):
        build_estimator("rtmlib", weights=empty / "nowhere")
    with pytest.raises(ConfigError, match="brings its own"):
        build_estimator("mediapipe", weights=networks)
    with pytest.raises(ConfigError, match="Did you mean 'rtmlib'"):
        build_estimator("rtmlibs")
    monkeypatch.delitem(sys.modules, "rtmlib")
    monkeypatch.delitem(sys.modules, "dreamactor.perception.rtmpose", raising=False)
    ordinary = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "rtmlib":
            raise ImportError("No module named 'rtmlib'")
        return ordinary(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install 'dreamactor\[rtmlib\]'"):
        build_estimator("rtmlib", weights=networks)
