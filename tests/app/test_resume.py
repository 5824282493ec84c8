"""`animate --resume`: a command that broke off, given again, ends in the same file."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dreamactor.app.film import film_actor
from dreamactor.app.main import run
from dreamactor.inference.animator import Animator
from dreamactor.inference.bundle import save_bundle
from dreamactor.recipes.tiny import tiny_bundle
from dreamactor.video.reader import read_clip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("short") / "model"
    save_bundle(folder, tiny_bundle(segment_frames=5))
    return folder


def _breaks_in_segment_two(monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    denoise: Callable[..., torch.Tensor] = Animator._denoise
    calls = []

    def breaking(*args: object, **kwargs: object) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 2:
            raise error
        return denoise(*args, **kwargs)

    monkeypatch.setattr(Animator, "_denoise", breaking)


def test_a_command_that_broke_off_goes_on(
    shared: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def animate(name: str, *more: str) -> int:
        files = [str(shared / "actor.png"), "--driving", str(shared / "exact.npz"), "-o", str(tmp_path / name)]
        return run(["animate", *files, "--model", str(model), "--steps", "1", *more])

    assert animate("whole.mp4", "--resume") == 0
    assert "starting at the beginning" in capsys.readouterr().err
    with monkeypatch.context() as patched:
        _breaks_in_segment_two(patched, KeyboardInterrupt)
        assert animate("out.mp4") == 130
    assert "--resume goes on from there" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4.unfinished", "whole.mp4"]
    assert animate("out.mp4", "--resume", "--seed", "5") == 2
    assert "other seed" in capsys.readouterr().err
    assert animate("out.mp4", "--resume") == 0
    assert "Resuming after 1 finished segment" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.mp4", "whole.mp4"]
    assert torch.equal(read_clip(tmp_path / "out.mp4").frames, read_clip(tmp_path / "whole.mp4").frames)


@pytest.mark.slow
def test_killed_in_segment_six_goes_on(
    shared: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    motion, whole, output = tmp_path / "motion.npz", tmp_path / "whole.mp4", tmp_path / "out.mp4"
    film_actor(tmp_path / "clip.mp4", seed=5, seconds=1.64, framing="full", size=128, kind="wave", track=motion)
    words = ["animate", str(shared / "actor.png"), "--driving", str(motion), "--model", str(model), "--steps", "60", "-o"]
    assert run([*words, str(whole)]) == 0

    process = subprocess.Popen([sys.executable, "-m", "dreamactor", *words, str(output)])
    _wait_for_segment(6, tmp_path / "out.mp4.unfinished", process)
    process.kill()  # signal 9: nothing can be tidied up
    assert process.wait() == -signal.SIGKILL
    assert not output.exists()

    capsys.readouterr()
    assert run([*words, str(output), "--resume"]) == 0
    assert "Resuming after 5 finished segments" in capsys.readouterr().err
    assert read_clip(output).num_frames == 41
    assert torch.equal(read_clip(output).frames, read_clip(whole).frames)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "motion.npz", "out.mp4", "whole.mp4"]


def _wait_for_segment(number: int, folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Until all segments before it are finished and it is not."""
    state = folder / "state.safetensors"
    while not state.is_file() or int(load_file(state)["done"]) < number - 1:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
