"""Performances from files and from actors: what a camera saw, where its references lie, and files that cannot be used."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from dreamactor.data import filters
from dreamactor.data.actors import render, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.heads import head_performance, ring_of_cameras, seen_from
from dreamactor.data.clips import ClipRecord
from dreamactor.data.filters import FilterLimits
from dreamactor.data.make_clips import Made
from dreamactor.data.shards.index import ClipEntry, Rejection, ShardSettings
from dreamactor.data.sources import actor_sources, clips_of, nersemble_sources, video_sources
from dreamactor.data.takes import heads
from dreamactor.data.takes.actors import actor_performance
from dreamactor.data.takes.base import Still
from dreamactor.data.takes.heads import drawn_heads
from dreamactor.data.takes.videos import VideoTake
from dreamactor.errors import ConfigError, InputError
from dreamactor.types.track import PersonTrack
from dreamactor.video.reader import VideoReader
from dreamactor.video.writer import VideoWriter

MEDIA = Path(os.environ.get("DREAMACTOR_MEDIA", Path(__file__).parents[3] / "shared" / "media"))


class Nobody:
    """Masks of the right size, for what is not about masks."""

    def masks(self, frames: Tensor) -> Tensor:
        return torch.zeros(frames.shape[:3], dtype=torch.uint8)


def write(path: Path, frames: Tensor) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, width=frames.shape[2], height=frames.shape[1], fps=Fraction(25), lossless=True) as writer:
        writer.write(frames)
    return path


def acted(seed: int, *, num_frames: int, size: int) -> tuple[Tensor, PersonTrack]:
    performance = sample_performance(seed, num_frames=num_frames, framing="full", kind="wave")
    drawn = render(sample_actor(seed), performance, sample_scene(seed, framing="full"), width=size, height=size)
    return drawn.frames, drawn.track


def split(rows: list[Made]) -> tuple[list[tuple[ClipRecord, ClipEntry]], list[Rejection]]:
    return [row for row in rows if not isinstance(row, Rejection)], [row for row in rows if isinstance(row, Rejection)]


def make(source: object, lengths: tuple[int, ...], *, size: int = 64, **limits: float) -> list[Made]:
    return list(
        clips_of(source, settings=ShardSettings(size=size, lengths=lengths), limits=FilterLimits(**limits))  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tensor, PersonTrack]:
    """Eleven frames of an actor in a lossless file, and the truth."""
    frames, track = acted(2, num_frames=11, size=128)
    return write(tmp_path_factory.mktemp("takes") / "clip.mp4", frames), frames, track


def test_a_shot_is_read_at_its_own_frames(filmed: tuple[Path, Tensor, PersonTrack]) -> None:
    path, frames, track = filmed
    with VideoReader(path) as reader:
        pts = torch.tensor([frame.pts for frame in reader])
        track = replace(track, times=replace(track.times, pts=pts, time_base=reader.time_base))
    take = VideoTake(path, track, slice(3, 11), size=128, masker=Nobody)
    (first, _), (second, _) = take.clips([slice(0, 3), slice(4, 8)])
    assert torch.equal(first, frames[3:6])
    assert torch.equal(second, frames[7:11])
    whole, half = take.stills([Still(frame=5), Still(frame=2, box=torch.tensor([32.0, 0.0, 96.0, 64.0]))])
    assert torch.equal(whole.image, frames[8])
    assert_close(whole.person.body.joints, track.body.joints[8:9])
    assert_close(half.person.body.joints[0, :, :2], (track.body.joints[5, :, :2] - torch.tensor([32.0, 0.0])) * 2)
    assert (half.image[::2, ::2].float() - frames[5, :64, 32:96].float()).abs().mean() < 8


def test_an_actors_clip_is_a_part_of_a_longer_performance() -> None:
    (source,) = actor_sources(range(7, 8), heads=False)
    ((clip, entry),), lost = split(make(source, (5,)))
    whole = actor_performance(7, name=source.name, size=64, num_frames=5).takes[0]
    assert not lost
    assert_close(clip.track.body.joints, whole.track.body.joints[entry.start_frame : entry.start_frame + 5])
    for (view, frame, inside), reference in zip(entry.references, clip.references, strict=True):
        assert inside == (entry.start_frame <= frame < entry.start_frame + 5)
        if view.startswith("yaw"):
            assert_close(reference.picture.person.head.angles_rad[0], whole.track.head.angles_rad[frame])
    yaw = torch.rad2deg(whole.track.head.angles_rad[:, 0])
    assert entry.yaw_deg == pytest.approx(
        (float(yaw.min()), float(yaw.sort().values[len(yaw) // 2]), float(yaw.max())), abs=0.06
    )


def test_a_half_body_picture_is_sharp_and_its_track_lies_on_it() -> None:
    take = actor_performance(0, name="a", size=64, num_frames=1).takes[0]
    box = torch.tensor([16.0, 0.0, 48.0, 32.0])
    (picture,) = take.stills([Still(frame=3, box=box)])
    assert_close(
        picture.person.body.joints[0, :, :2], (take.track.body.joints[3, :, :2] - box[:2]) * 2, atol=0.01, rtol=1e-4
    )


def test_all_cameras_see_one_moment_from_their_own_sides() -> None:
    sides = ring_of_cameras(3, 8)
    assert len({round(across, 3) for across, _ in sides}) == 8
    performance = drawn_heads(3, name="heads", size=64, num_frames=1, cameras=3)
    ahead = head_performance(3, num_frames=49)
    for side, take in zip(ring_of_cameras(3, 3), performance.takes, strict=True):
        assert take.spans == performance.takes[0].spans
        assert torch.equal(take.expression, ahead.expression)
        turned = seen_from(ahead, side).rotation("root") @ ahead.rotation("root").mT  # from the front camera to this one
        across, above = side
        assert_close(turned[0] @ torch.tensor([math.sin(across), 0.0, math.cos(across)]),
                     torch.tensor([0.0, -math.sin(above), math.cos(above)]), atol=1e-5, rtol=0)  # fmt: skip
    assert_close(seen_from(ahead, (0.0, 0.0)).channels, ahead.channels, atol=1e-3, rtol=0)


def test_heads_give_references_from_other_cameras() -> None:
    performance = drawn_heads(3, name="heads", size=64, num_frames=1, cameras=3)
    yaws = [float(take.track.head.angles_rad[:, 0].mean()) for take in performance.takes]
    assert yaws == sorted(yaws, reverse=True)  # cameras go round to the person's left, so that the nose goes to the right
    assert max(yaws) - min(yaws) > 1.5


def test_extreme_expressions_come_and_speech_goes_on_between_them() -> None:
    acting = head_performance(5, num_frames=200)
    plain = sample_performance(5, num_frames=200, framing="portrait", kind="talk")
    changed = (acting.expression - plain.expression).abs().amax(dim=1)
    assert 0.1 < float((changed > 0.3).float().mean()) < 0.9
    assert float(changed.min()) < 1e-3
    assert float(acting.expression.max()) <= 1.0


def test_held_out_seeds_are_refused() -> None:
    with pytest.raises(ConfigError, match="held out"):
        actor_sources(range(899_999, 900_001), heads=False)


def test_two_shots_of_a_video_are_two_performances_and_bad_files_are_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole ordinary road: perceived, cut, filtered, masked."""
    monkeypatch.setenv("DREAMACTOR_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "videos"
    first, second = acted(2, num_frames=8, size=256)[0], acted(5, num_frames=7, size=256)[0]
    write(folder / "sub" / "two shots.mp4", torch.cat([first, second]))
    write(folder / "plain.mp4", torch.full((6, 64, 64, 3), 90, dtype=torch.uint8))
    (folder / "broken.mp4").write_bytes(b"this is no video")
    (folder / "notes.txt").write_text("not looked at")
    sources = video_sources(folder)
    assert [source.label for source in sources] == ["broken.mp4", "plain.mp4", "sub/two shots.mp4"]
    rows = [make(source, (5,), size=128, blur=1.0, movement=0.0) for source in sources]
    assert [row.reason for row in split(rows[0])[1]] == [filters.UNREADABLE]
    assert [row.reason for row in split(rows[1])[1]] == [filters.NO_PERSON]
    clips, lost = split(rows[2])
    assert [entry.start_frame for _, entry in clips] == [0, 8]
    assert [row.reason for row in lost] == [filters.LEFT_OVER, filters.LEFT_OVER]
    assert sum(row.seconds for row in lost) == pytest.approx(5 / 25, abs=1e-3)
    for clip, entry in clips:
        assert (clip.framing, clip.category, clip.exact, clip.expression) == ("full", "full", False, None)
        assert entry.bucket == (5, 128, 128)
        assert entry.end_s - entry.start_s == pytest.approx(5 / 25, abs=1e-3)
        assert {"yaw_median", "half_body"} <= {reference.view for reference in clip.references}
        share = float((clip.mask > 127).float().mean())
        assert 0.03 < share < 0.6
    assert not torch.equal(clips[0][0].frames[0], clips[1][0].frames[0])


def test_no_videos_is_an_error_that_says_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No videos"):
        video_sources(tmp_path)
    with pytest.raises(InputError, match="No folder"):
        video_sources(tmp_path / "nowhere")


def test_a_copy_of_nersemble_is_read_by_sequence_and_camera(
    filmed: tuple[Path, Tensor, PersonTrack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, frames, track = filmed
    for camera in ("222200037", "222200049"):
        write(tmp_path / "018" / "sequences" / "EMO-1-shout+laugh" / "images" / f"cam_{camera}.mp4", frames[:, :96, 16:112])
    with VideoReader(next(tmp_path.rglob("*.mp4"))) as reader:
        pts = torch.tensor([frame.pts for frame in reader])
        seen = replace(track, width=96, height=96, times=replace(track.times, pts=pts, time_base=reader.time_base))
    (next(tmp_path.rglob("*.mp4")).parent / "cam_bad.mp4").write_bytes(b"")

    def perceived(path: Path) -> PersonTrack:
        if path.stem == "cam_bad":
            raise InputError("it is empty")
        return seen

    monkeypatch.setattr(heads, "perceive_file", perceived)
    monkeypatch.setattr("dreamactor.data.sources._masker", Nobody)
    monkeypatch.setattr("dreamactor.data.sources._people", lambda picture: torch.zeros(0, 4))
    (source,) = nersemble_sources(tmp_path)
    assert source.label == "018/sequences/EMO-1-shout+laugh"
    clips, lost = split(make(source, (5,), size=96, movement=0.0, blur=1.0))
    assert [(row.camera, row.reason) for row in lost] == [
        ("cam_bad", filters.UNREADABLE), ("cam_222200037", filters.LEFT_OVER), ("cam_222200049", filters.LEFT_OVER)
    ]  # fmt: skip
    assert [(clip.kind, clip.camera, entry.start_frame) for clip, entry in clips] == [
        ("heads", f"cam_{camera}", start) for camera in ("222200037", "222200049") for start in (0, 5)
    ]
    assert len({clip.key for clip, _ in clips}) == 4
    with pytest.raises(InputError, match="sequences"):
        nersemble_sources(tmp_path / "018")


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "category"), [("portrait_asymmetric_mouth.mp4", "half"), ("full_bluedress_dance.mp4", "full")]
)
def test_a_real_clip_passes_the_filters(name: str, category: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (MEDIA / name).is_file():
        pytest.skip(f"{name} shows a real person and is not part of the project; its folder is named by DREAMACTOR_MEDIA")
    monkeypatch.setenv("DREAMACTOR_CACHE", str(tmp_path / "cache"))
    with VideoReader(MEDIA / name) as reader:
        frames = torch.stack([frame.image for frame in islice(reader, 14)])
    write(tmp_path / "videos" / name, frames)
    (source,) = video_sources(tmp_path / "videos")
    clips, lost = split(make(source, (13,), size=128))
    assert [row.reason for row in lost] == [filters.LEFT_OVER]
    ((clip, _),) = clips
    assert clip.category == category
    inside = clip.mask[:, clip.mask.shape[1] // 2, clip.mask.shape[2] // 2]
    assert (inside > 127).float().mean() > 0.8  # both stand in the middle of the picture
