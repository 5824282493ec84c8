"""`dreamactor build-data`: clips in shards, their summary, and one line where something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from dreamactor.app.build_data import describe_index, read_lengths, read_range
from dreamactor.app.main import run
from dreamactor.data.shards import ClipEntry, Rejection, ShardIndex, load_clip
from dreamactor.data.shards.index import ShardSettings
from dreamactor.errors import ConfigError

SMALL = ["--size", "64", "--frames", "5", "--workers", "1"]


def test_actors_become_clips_with_latents_and_the_same_command_goes_on(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "clips"
    command = ["build-data", str(folder), *SMALL, "--latents", str(shared / "model")]
    assert run([*command, "--actors", "2-3"]) == 0
    assert "2 clips, 0.4 s, in 1 shards" in capsys.readouterr().out
    shard = (folder / "clips-000000.tar").read_bytes()
    assert run([*command, "--actors", "5"]) == 0  # seeds 0 to 4
    assert "5 clips, 1.0 s, in 2 shards" in capsys.readouterr().out
    assert (folder / "clips-000000.tar").read_bytes() == shard
    clips = [load_clip(entry) for entry in ShardIndex.load(folder).clips]
    assert [clip.seed for clip in clips] == [0, 1, 2, 3, 4]
    assert all(clip.latent is not None and clip.latent.shape[1] == 2 for clip in clips)
    assert run(["build-data", str(folder), *SMALL, "--actors", "5"]) == 2  # without latents
    assert "was begun with latents VAE" in capsys.readouterr().err


def test_heads_become_one_clip_a_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dreamactor.data.sources.HEAD_CAMERAS", 3)
    assert run(["build-data", str(tmp_path / "clips"), *SMALL, "--actors", "9-9", "--views", "heads"]) == 0
    clips = ShardIndex.load(tmp_path / "clips").clips
    assert [(clip.kind, clip.camera, clip.framing) for clip in clips] == [
        ("heads", f"cam{n:02d}", "portrait") for n in range(3)
    ]
    assert len({clip.start_frame for clip in clips}) == 1


def test_a_folder_of_bad_videos_is_a_summary_and_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "broken.mp4").write_bytes(b"no video")
    command = ["build-data", str(tmp_path / "clips"), *SMALL, "--videos", str(tmp_path / "videos")]
    for _ in range(2):  # the second time from the index alone
        assert run(command) == 0
        said = capsys.readouterr().out
        assert "0 clips" in said
        assert "broken.mp4: cannot be read" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--videos", "nowhere"], "No folder nowhere"),
        (["--nersemble", "nowhere"], "No NeRSemble sequences"),
        (["--actors", "two"], "--actors takes N or A-B"),
        (["--actors", "899999-900000"], "held out"),
        (["--actors", "3", "--frames", "6"], "4 n + 1 frames"),
        (["--views", "heads"], "needs --actors"),
        (["--actors", "3", "--views", "feet"], "Unknown --views"),
        (["--latents", "actor"], "Say of what"),
        (["--actors", "3", "--latents", "nobody"], "Unknown model"),
        (["--frames", "5-13"], "Ranges need"),
    ],
)
def test_wrong_options_are_answered_in_one_line(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["build-data", str(tmp_path / "clips"), *options]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "clips").exists()


def test_ranges_and_lengths_are_read() -> None:
    assert list(read_range("3", option="--actors")) == [0, 1, 2]
    assert list(read_range("7-9", option="--actors")) == [7, 8, 9]
    assert read_lengths("25-49") == (49, 37, 25)
    assert read_lengths("13") == (13,)
    for text in ("0", "9-7", "-3", "1.5", ""):
        with pytest.raises(ConfigError):
            read_range(text, option="--actors")


def test_the_summary_counts_hours_and_reasons() -> None:
    def clip(key: str, category: str, seconds: float, inside: bool) -> ClipEntry:
        return ClipEntry(
            key=key, source="a.mp4", camera="", kind="video", category=category, framing="full", exact=False, seed=0,
            start_frame=0, num_frames=25, start_s=0.0, end_s=seconds, fps=25.0, width=64, height=96, yaw_deg=(),
            references=(("yaw_median", 4, inside), ("standing", -1, False)), shard=Path("clips-000000.tar"), num_bytes=10**6,
        )  # fmt: skip

    index = ShardIndex(settings=ShardSettings(size=64, lengths=(25,))).extended(
        [clip("a", "full", 1800, True), clip("b", "half", 3600, False)],
        [Rejection(source="a.mp4", start_s=9.0, end_s=12.0, reason="static", detail="movement 0")],
        ["a"],
    )
    said = describe_index(Path("clips"), index).splitlines()
    assert said[0] == "clips: 2 clips, 1.50 h, in 1 shards (2 MB), from 1 sources"
    rows = [line.split() for line in said]
    assert ["full", "1", "0.50", "h"] in rows
    assert ["half", "1", "1.00", "h"] in rows
    assert ["static", "1", "3.0", "s"] in rows
    assert "references: 50% of 2 lie outside their clip" in said
