import dataclasses
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic_people import HEIGHT, WIDTH, person

from dreamactor.errors import MotionFileError, OutputError
from dreamactor.perception.assemble import assemble_shot
from dreamactor.perception.cache import cached_track
from dreamactor.perception.track_file import load_track, save_track
from dreamactor.types.track import CameraTrack, PersonTrack
from dreamactor.types.video import FrameTimes

PARTS = ("body", "hands", "head", "face")


@pytest.fixture
def track() -> PersonTrack:
    people = [person(yaw=3.0 * i, shift=(2.0 * i, 0)) for i in range(8)]
    times = FrameTimes(pts=torch.tensor([3, 5, 9, 10, 12, 13, 20, 21]), time_base=Fraction(1001, 30000))
    made = assemble_shot(people, times=times, width=WIDTH, height=HEIGHT, source="clip.mp4 (test)")
    cut = torch.zeros(8, dtype=torch.bool)
    cut[4] = True
    return dataclasses.replace(made, cut=cut)


def assert_equal(left: PersonTrack, right: PersonTrack) -> None:
    for part in PARTS:
        for field in dataclasses.fields(getattr(left, part)):
            a, b = getattr(getattr(left, part), field.name), getattr(getattr(right, part), field.name)
            assert a.dtype == b.dtype
            assert torch.equal(a, b), f"{part}.{field.name}"
    assert torch.equal(left.times.pts, right.times.pts)
    assert torch.equal(left.cut, right.cut)
    assert (left.times.time_base, left.width, left.height, left.source) == (
        right.times.time_base, right.width, right.height, right.source,
    )  # fmt: skip


def rewrite(path: Path, change) -> None:
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    header = json.loads(str(arrays["header"]))
    change(header, arrays)
    arrays["header"] = np.array(json.dumps(header))
    np.savez(path, **arrays)


def test_what_is_saved_loads_back_bit_for_bit(track: PersonTrack, tmp_path: Path) -> None:
    save_track(tmp_path / "motion.npz", track)
    assert_equal(load_track(tmp_path / "motion.npz"), track)
    assert [entry.name for entry in tmp_path.iterdir()] == ["motion.npz"]


def test_the_camera_is_kept_and_may_be_missing(track: PersonTrack, tmp_path: Path) -> None:
    path = tmp_path / "motion.npz"
    save_track(path, track)
    assert load_track(path).camera is None
    matrix = torch.randn(8, 2, 3, generator=torch.Generator().manual_seed(0))
    camera = CameraTrack(matrix=matrix, known=torch.arange(8) > 2)
    save_track(path, dataclasses.replace(track, camera=camera))
    kept = load_track(path).camera
    assert kept is not None
    assert torch.equal(kept.matrix, camera.matrix)
    assert torch.equal(kept.known, camera.known)

    def lose_half(header, arrays) -> None:
        del arrays["camera.known"]

    rewrite(path, lose_half)
    with pytest.raises(MotionFileError, match="complete motion file"):
        load_track(path)


def test_values_that_are_not_finite_are_refused_both_ways(track: PersonTrack, tmp_path: Path) -> None:
    path = tmp_path / "motion.npz"
    save_track(path, track)

    def spoil(header, arrays) -> None:
        arrays["body.joints"][5, 2, 0] = np.nan

    rewrite(path, spoil)
    with pytest.raises(MotionFileError, match=r"'body\.joints' is not finite.*frame 5"):
        load_track(path)
    bad = track.head.radius_px.clone()
    bad[1] = torch.inf
    with pytest.raises(MotionFileError, match=r"head\.radius_px"):
        save_track(tmp_path / "b.npz", dataclasses.replace(track, head=dataclasses.replace(track.head, radius_px=bad)))
    assert not (tmp_path / "b.npz").exists()


def set_header(name, value):
    def change(header, arrays) -> None:
        header[name] = value

    return change


def set_array(name, value):
    def change(header, arrays) -> None:
        arrays[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_header("version", 99), "version 99"),
        (set_header("format", "other"), "no motion file"),
        (set_header("body_joints", ["hip"]), "other body_joints"),
        (set_header("width", 0), "width 0"),
        (set_header("time_base", [1, 0]), "complete motion file"),
        (set_array("body.joints", np.zeros((8, 5, 3), np.float32)), "joints must be"),
        (set_array("cut", np.zeros(7, bool)), "cut must be"),
        (set_array("head.tracked", np.ones(8, np.float32)), r"'head\.tracked' is torch.float32"),
        (set_array("pts", np.zeros(8, np.int64)), "increase"),
        (set_array("camera.matrix", np.zeros((8, 3, 3), np.float32)), "complete motion file"),
        (lambda header, arrays: arrays.pop("face.box"), "complete motion file"),
    ],
)
def test_other_versions_and_shapes_are_refused(track: PersonTrack, tmp_path: Path, change, message: str) -> None:
    path = tmp_path / "motion.npz"
    save_track(path, track)
    rewrite(path, change)
    with pytest.raises(MotionFileError, match=message):
        load_track(path)


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK\x03\x04 cut short"])
def test_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "motion.npz"
    path.write_bytes(content)
    with pytest.raises(MotionFileError):
        load_track(path)


def test_truncated_and_missing_files_are_refused(track: PersonTrack, tmp_path: Path) -> None:
    path = tmp_path / "motion.npz"
    save_track(path, track)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(MotionFileError):
        load_track(path)
    with pytest.raises(MotionFileError, match="No motion file"):
        load_track(tmp_path / "none.npz")


def test_a_folder_that_does_not_exist_is_an_output_error(track: PersonTrack, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Cannot write"):
        save_track(tmp_path / "none" / "motion.npz", track)


class TestCache:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DREAMACTOR_CACHE", str(tmp_path / "cache"))
        (tmp_path / "clip.mp4").write_bytes(b"pixels")

    def test_a_hit_returns_the_same_track_without_computing(self, track: PersonTrack, tmp_path: Path) -> None:
        assert_equal(cached_track(tmp_path / "clip.mp4", "a", lambda: track), track)
        (tmp_path / "moved.mp4").write_bytes(b"pixels")
        assert_equal(cached_track(tmp_path / "moved.mp4", "a", lambda: pytest.fail("computed again")), track)

    def test_other_content_or_settings_miss(self, track: PersonTrack, tmp_path: Path) -> None:
        calls = []

        def compute() -> PersonTrack:
            calls.append(1)
            return track

        cached_track(tmp_path / "clip.mp4", "a", compute)
        cached_track(tmp_path / "clip.mp4", "b", compute)
        (tmp_path / "clip.mp4").write_bytes(b"other pixels")
        cached_track(tmp_path / "clip.mp4", "a", compute)
        assert len(calls) == 3

    def test_a_damaged_entry_is_made_again(self, track: PersonTrack, tmp_path: Path) -> None:
        cached_track(tmp_path / "clip.mp4", "a", lambda: track)
        (entry,) = (tmp_path / "cache" / "tracks").iterdir()
        entry.write_bytes(b"rubbish")
        assert_equal(cached_track(tmp_path / "clip.mp4", "a", lambda: track), track)
        assert_equal(load_track(entry), track)

    def test_a_cache_that_cannot_be_written_is_no_error(
        self, track: PersonTrack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_text("in the way")
        monkeypatch.setenv("DREAMACTOR_CACHE", str(tmp_path / "file"))
        assert_equal(cached_track(tmp_path / "clip.mp4", "a", lambda: track), track)
