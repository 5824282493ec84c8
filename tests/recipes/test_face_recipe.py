"""The face encoders from the command line: trained from nothing, picked up where they were, refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dreamactor.app.main import run
from dreamactor.inference.bundle import load_face_encoders
from dreamactor.recipes.face import FACE_TOKEN, FaceRecipe


def test_face_encoders_are_trained_by_one_command_and_the_same_again_trains_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = ["train", "face", "--output", str(folder), "--samples", "4", "--scale", "0.0005", "--workers", "1"]
    assert run(command) == 0
    encoders = load_face_encoders(str(folder))
    assert encoders.rgb is not None
    assert encoders.rgb(torch.zeros(2, 3, 224, 224, dtype=torch.uint8)).shape == (2, FACE_TOKEN)
    first = encoders.rgb.state_dict()
    for part in ("rgb", "read", "landmarks"):
        (folder / part / "checkpoint.pt").unlink()  # nothing is trained again: nothing is missed
    assert run(command) == 0
    again = load_face_encoders(str(folder)).rgb
    assert again is not None
    for name, value in again.state_dict().items():
        torch.testing.assert_close(value, first[name], rtol=0, atol=0)


def test_what_cannot_be_trained_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "face", "--output", str(tmp_path / "run"), "--samples", "5"]) == 2
    assert "even" in capsys.readouterr().err
    assert run(["train", "face", "--output", str(tmp_path / "run"), "--size", "64"]) == 2
    assert "--size does not apply to face" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_less_of_everything_stays_possible() -> None:
    least = FaceRecipe().scaled(0.0001)
    assert (least.num_actors, least.num_perceived, least.rgb_steps) == (2, 0, 2)
    assert FaceRecipe().scaled(1.0) == FaceRecipe()
