"""What a user can do wrong gives one clear line, exit code 2, and leaves nothing behind."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dreamactor.app import main
from dreamactor.app.main import run
from dreamactor.types.video import AudioClip
from dreamactor.video.audio import write_audio
from dreamactor.video.writer import VideoWriter


def _refused(arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str], *, says: str) -> None:
    """Runs a command that must be refused; `folder` must be the same before and after."""
    before = sorted(folder.rglob("*"))
    assert run(arguments) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dreamactor: ")]
    assert len(lines) == 1
    assert says.lower() in lines[0].lower()
    assert sorted(folder.rglob("*")) == before


def _animate(shared: Path, tmp_path: Path, **changes: str) -> list[str]:
    settings = {
        "--driving": str(shared / "clip.mp4"),
        "-o": str(tmp_path / "out.mp4"),
        "--model": str(shared / "model"),
        "--steps": "1",
    }
    reference = changes.pop("reference", str(shared / "actor.png"))
    settings |= {f"--{name.replace('_', '-')}" if name != "o" else "-o": value for name, value in changes.items()}
    return ["animate", reference, *(part for pair in settings.items() for part in pair)]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"steps": "0"}, "--steps"),
        ({"size": "7"}, "--size"),
        ({"size": "many"}, "--size"),
        ({"guidance_ref": "nan"}, "--guidance-ref"),
        ({"guidance_motion": "inf"}, "--guidance-motion"),
        ({"person": "0"}, "--person"),
        ({"framing": "sideways"}, "framing"),
        ({"model": "acter"}, "did you mean 'actor'"),
        ({"model": "nonsense"}, "unknown model"),
    ],
)
def test_a_setting_that_cannot_work(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], says: str
) -> None:
    _refused(_animate(shared, tmp_path, **changes), tmp_path, capsys, says=says)


def _make_bad_driver(kind: str, shared: Path, folder: Path) -> Path:
    path = folder / "bad.mp4"
    match kind:
        case "empty":
            path.touch()
        case "text":
            path.write_text("This is no video.\n" * 40)
        case "truncated":
            path.write_bytes((shared / "clip.mp4").read_bytes()[:3000])
        case "audio only":
            path = folder / "sound.wav"
            write_audio(path, AudioClip(samples=torch.zeros(1, 8000), rate_hz=8000))
        case "picture":
            path = folder / "picture.png"
            Image.new("RGB", (64, 64)).save(path)
        case "nobody":
            with VideoWriter(path, width=64, height=64, fps=Fraction(25)) as writer:
                writer.write(torch.full((4, 64, 64, 3), 128, dtype=torch.uint8))
        case "folder":
            path.mkdir()
    return path


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "bad.mp4"),
        ("empty", "empty"),
        ("text", "bad.mp4"),
        ("truncated", "bad.mp4"),
        ("audio only", "video"),
        ("picture", "picture"),
        ("nobody", "no person"),
        ("folder", "folder"),
    ],
)
@pytest.mark.parametrize("verb", ["animate", "extract"])
def test_a_driver_that_is_no_video_of_a_person(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, says: str, verb: str
) -> None:
    path = _make_bad_driver(kind, shared, tmp_path)
    if verb == "extract":
        arguments = ["extract", str(path), "-o", str(tmp_path / "motion.npz")]
    else:
        arguments = _animate(shared, tmp_path, driving=str(path))
    _refused(arguments, tmp_path, capsys, says=says)


def test_a_motion_file_with_values_that_are_no_numbers(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = dict(np.load(shared / "exact.npz"))
    name = next(key for key, value in arrays.items() if value.dtype == np.float32 and value.ndim == 3)
    arrays[name][0, 0, 0] = np.nan
    np.savez(tmp_path / "nan.npz", **arrays)
    _refused(_animate(shared, tmp_path, driving=str(tmp_path / "nan.npz")), tmp_path, capsys, says="nan")


@pytest.mark.parametrize(
    ("kind", "says"),
    [("missing", "ref.png"), ("empty", "empty"), ("text", "ref.png"), ("huge", "pixels"), ("video", "video")],
)
def test_a_reference_that_is_no_usable_picture(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, says: str
) -> None:
    path = tmp_path / "ref.png"
    match kind:
        case "empty":
            path.touch()
        case "text":
            path.write_text("no picture")
        case "huge":
            Image.new("1", (30_000, 30_000)).save(path)
        case "video":
            path = shared / "clip.mp4"
    _refused(_animate(shared, tmp_path, reference=str(path)), tmp_path, capsys, says=says)


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("nowhere/out.mp4", "does not exist"),
        ("out.txt", ".mp4"),
        (".", "must end in"),
        ("mine.mp4", "input of this command"),
    ],
)
def test_an_output_that_cannot_be(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str, says: str
) -> None:
    driving = tmp_path / "mine.mp4"
    driving.write_bytes((shared / "clip.mp4").read_bytes())
    _refused(_animate(shared, tmp_path, driving=str(driving), o=str(tmp_path / output)), tmp_path, capsys, says=says)


def test_a_folder_nobody_may_write_to(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("dreamactor.video.output.tempfile.TemporaryFile", refuse)
    _refused(_animate(shared, tmp_path), tmp_path, capsys, says="Permission denied")


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["animate"], ["animate", "--nonsense"], ["actor", "--seed", "-1", "-o", "a.png"]]
)
def test_a_command_line_that_makes_no_sense(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    _refused(arguments, tmp_path, capsys, says="--help")


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (RuntimeError("broken"), 1)])
def test_interruptions_and_our_own_errors_leave_nothing_half_written(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    error: BaseException, code: int,
) -> None:  # fmt: skip
    write = VideoWriter.write

    def write_then_fail(self: VideoWriter, frames: torch.Tensor) -> None:
        write(self, frames)
        raise error

    logs = tmp_path / "logs"
    logs.mkdir()
    monkeypatch.setattr(VideoWriter, "write", write_then_fail)
    monkeypatch.setattr(main.tempfile, "tempdir", str(logs))
    assert run(_animate(shared, tmp_path)) == code
    said = capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]
    if code == 1:
        (log,) = logs.iterdir()
        assert str(log) in said.replace("\n", "")
        assert "RuntimeError: broken" in log.read_text()
