"""Motion files on the command line: shown, edited, mixed; and parts of a motion from several sources."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dreamactor.app.main import run
from dreamactor.perception.track_file import load_track, save_track
from dreamactor.video.image import read_image
from dreamactor.video.reader import read_clip


@pytest.fixture
def motion(shared: Path) -> Path:
    return shared / "exact.npz"


def _edit(*arguments: object) -> None:
    assert run(["motion", *(str(argument) for argument in arguments)]) == 0


def test_show_says_what_is_in_a_file_and_draws_it(motion: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    preview = tmp_path / "look.mp4"
    _edit("show", motion, "--preview", preview)
    said = capsys.readouterr().out
    for word in ("7 frames, 25 fps, 0.28 s", "192 x 192", "body 100%", "cuts     none", "yaw", "camera   not looked at"):
        assert word in said
    drawn = read_clip(preview)
    assert drawn.num_frames == 7
    assert int(drawn.frames.max()) > 200


def test_a_file_can_be_trimmed_slowed_mirrored_smoothed_and_joined(
    motion: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("trim", "slow", "mirror", "back", "smooth", "join")
    trimmed, slowed, mirrored, back, smoothed, joined = (tmp_path / f"{name}.npz" for name in names)
    _edit("trim", motion, "--start", "0.04", "--end", "0.2", "-o", trimmed)
    _edit("slow", trimmed, "--factor", "3", "-o", slowed)
    _edit("mirror", slowed, "-o", mirrored)
    _edit("mirror", mirrored, "-o", back)
    _edit("smooth", back, "--radius", "1", "-o", smoothed)
    _edit("join", motion, smoothed, trimmed, "-o", joined)
    assert "(4 frames, 25 fps, 0.16 s)" in capsys.readouterr().out
    assert [load_track(path).num_frames for path in (trimmed, slowed, mirrored, back, smoothed, joined)] == [
        4, 10, 10, 10, 10, 21,
    ]  # fmt: skip
    torch.testing.assert_close(load_track(back).body.joints, load_track(slowed).body.joints, atol=1e-3, rtol=0)
    assert load_track(joined).cut.nonzero().flatten().tolist() == [7, 17]


def test_mixed_files_drive_as_the_sources_they_were_mixed_of(shared: Path, motion: Path, tmp_path: Path) -> None:
    turned, mixed = tmp_path / "turned.npz", tmp_path / "mixed.npz"
    track = load_track(motion)
    angles = track.head.angles_rad + torch.tensor((0.5, 0.0, 0.2))
    save_track(turned, replace(track, head=replace(track.head, angles_rad=angles)))
    _edit("mix", "--body", motion, "--head", turned, "--face", "none", "-o", mixed)
    assert not bool(load_track(mixed).face.tracked.any())
    direct, by_file = tmp_path / "direct.mp4", tmp_path / "by_file.mp4"
    parts = ["--body-from", motion, "--head-from", turned, "--face-from", "none"]
    for output, sources in ((direct, parts), (by_file, ["--driving", mixed])):
        common = [shared / "actor.png", "-o", output, "--model", shared / "model", "--steps", "1"]
        assert run(["animate", *(str(part) for part in [*common, *sources])]) == 0
    assert torch.equal(read_clip(direct).frames, read_clip(by_file).frames)


def test_animate_takes_parts_from_video_file_and_picture_and_says_so(
    shared: Path, motion: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, both = tmp_path / "out.mp4", tmp_path / "both.mp4"
    short = tmp_path / "short.npz"
    _edit("trim", motion, "--end", "0.12", "-o", short)
    arguments = [
        "animate", shared / "actor.png", "--driving", shared / "clip.mp4", "--head-from", short, "--body-from", "reference",
        "--camera", "follow", "-o", output, "--preview", both, "--model", shared / "model", "--steps", "1",
    ]  # fmt: skip
    assert run([str(part) for part in arguments]) == 0
    said = capsys.readouterr().err
    assert "length and times of clip.mp4 (7 frames, 0.28 s)" in said
    assert "body: held as in the reference" in said
    assert "short.npz (ends at 0.12 s, then holds its last frame)" in said
    assert read_clip(output).num_frames == read_clip(both).num_frames == 7
    assert read_clip(both).size[0] > 2.5 * read_clip(output).size[0]


def test_extract_says_what_the_camera_did(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["extract", str(shared / "clip.mp4"), "-o", str(tmp_path / "motion.npz")]) == 0
    assert "camera: " in capsys.readouterr().out
    assert load_track(tmp_path / "motion.npz").camera is not None


def test_the_gallery_shows_three_actors_on_a_fourth(shared: Path, tmp_path: Path) -> None:
    sheet, folder = tmp_path / "sheet.png", tmp_path / "films"
    arguments = ["gallery", "sources", "-o", sheet, "--folder", folder, "--seconds", "0.2", "--size", "128"]
    assert run([str(part) for part in [*arguments, "--model", shared / "model"]]) == 0
    assert read_image(sheet).shape[1] > 600
    assert read_clip(folder / "output.mp4").num_frames == read_clip(folder / "body.mp4").num_frames == 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "{clip}"], "cannot be read as a motion file"),
        (["trim", "{motion}", "--start", "9", "-o", "{out}"], "No frame lies between"),
        (["slow", "{motion}", "--factor", "0", "-o", "{out}"], "--factor"),
        (["smooth", "{motion}", "--radius", "0", "-o", "{out}"], "--radius"),
        (["mirror", "{motion}", "-o", "{motion}"], "input of this command"),
        (["mix", "--body", "{motion}", "--face", "{clip}", "-o", "{out}"], "cannot be read as a motion file"),
        (["join", "{motion}", "{missing}", "-o", "{out}"], "No motion file"),
        (["trim", "{motion}", "-o", "{out}.mp4"], "must end in .npz"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    shared: Path, motion: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    names = {"clip": shared / "clip.mp4", "motion": motion, "out": tmp_path / "out.npz", "missing": tmp_path / "none.npz"}
    assert run(["motion", *(argument.format(**names) for argument in arguments)]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dreamactor: ")]
    assert len(said) == 1
    assert says in said[0]
    assert list(tmp_path.iterdir()) == []
