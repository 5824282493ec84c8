"""Wan-Animate behind `dreamactor animate`: a pipeline of random weights, the real class, both modes, exact frame counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

pytest.importorskip("transformers")
pytest.importorskip("ftfy")
pytest.importorskip("accelerate")

from dreamactor.app.main import run
from dreamactor.inference.wan import backend, controls
from dreamactor.video.audio import read_audio
from dreamactor.video.image import write_image
from dreamactor.video.reader import read_clip
from tiny_wan import write_tiny_wan
from wan_drivers import write_driver

SHORT = 9
"""Frames of a segment where the real 77 would only cost time."""


class HalfMasker:
    """Stands in for the network: the left half of every picture is the person."""

    def masks(self, frames: Tensor) -> Tensor:
        masks = torch.zeros(frames.shape[:3], dtype=torch.uint8)
        masks[:, :, : frames.shape[2] // 2] = 255
        return masks

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def wan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_wan(tmp_path_factory.mktemp("wan") / "model")


@pytest.fixture
def photo(tmp_path: Path) -> list[str]:
    """A picture and where the person in it is."""
    write_image(tmp_path / "photo.png", torch.randint(0, 256, (96, 64, 3), dtype=torch.uint8))
    place = {"head_box": [26, 10, 38, 24], "joints": {"neck": [32, 28], "pelvis": [32, 50]}}
    (tmp_path / "photo.json").write_text(json.dumps(place))
    return [str(tmp_path / "photo.png"), "--reference-json", str(tmp_path / "photo.json"), "--size", "64"]


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "SEGMENT_FRAMES", SHORT)


def _animate(wan: Path, photo: list[str], driver: Path, output: Path, *more: str) -> int:
    return run(["animate", *photo, "--driving", str(driver), "-o", str(output), "--model", str(wan), "--steps", "1", *more])


def _expect_same_frames_and_sound(driver: Path, output: Path, num_frames: int) -> None:
    made, given = read_clip(output), read_clip(driver)
    assert made.num_frames == given.num_frames == num_frames
    torch.testing.assert_close(made.times.seconds, given.times.seconds)
    kept, sound = read_audio(output), read_audio(driver)
    assert kept is not None
    assert sound is not None
    assert kept.samples.shape[1] / kept.rate_hz == pytest.approx(sound.samples.shape[1] / sound.rate_hz, abs=0.1)


@pytest.mark.parametrize(("num_frames", "mode"), [(2, ()), (SHORT + 1, ()), (2 * SHORT, ("--replace",))])
def test_frames_times_and_sound_are_the_drivers(
    wan: Path, photo: list[str], tmp_path: Path, short_segments: None, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], num_frames: int, mode: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.setattr(controls, "PersonMasker", HalfMasker)
    driver = write_driver(tmp_path / "driver.mp4", num_frames)
    assert _animate(wan, photo, driver, tmp_path / "out.mp4", *mode) == 0
    _expect_same_frames_and_sound(driver, tmp_path / "out.mp4", num_frames)
    said = capsys.readouterr().err.splitlines()
    assert len([line for line in said if line.startswith("Memory: full")]) == 1
    assert len([line for line in said if line.startswith("Face: driver.mp4")]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("mode", [(), ("--replace",)])
@pytest.mark.parametrize("num_frames", [2, 76, 77, 78, 300])
def test_real_segments_give_exact_frames(
    wan: Path, photo: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_frames: int, mode: tuple[str, ...]
) -> None:
    monkeypatch.setattr(controls, "PersonMasker", HalfMasker)
    driver = write_driver(tmp_path / "driver.mp4", num_frames)
    assert _animate(wan, photo, driver, tmp_path / "out.mp4", *mode) == 0
    _expect_same_frames_and_sound(driver, tmp_path / "out.mp4", num_frames)


def test_one_frame_is_refused(wan: Path, photo: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    driver = write_driver(tmp_path / "driver.mp4", 1)
    assert _animate(wan, photo, driver, tmp_path / "out.mp4") == 2
    assert "has 1 frame, and Wan-Animate needs at least 2" in capsys.readouterr().err
    assert not (tmp_path / "out.mp4").exists()
