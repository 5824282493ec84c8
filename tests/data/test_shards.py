"""Clips survive their shards bit by bit; building is resumable, and nothing is ever seen half-written."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from dreamactor.data import write_shards as writing
from dreamactor.data.clips import ClipRecord
from dreamactor.data.filters import FilterLimits
from dreamactor.data.make_clips import Made
from dreamactor.data.packing import pack_track, unpack_track
from dreamactor.data.shards import ClipLoader, ShardIndex, ShardSampler, load_clip
from dreamactor.data.shards.index import Rejection, ShardSettings
from dreamactor.data.shards.record import pack_clip, unpack_clip
from dreamactor.data.sources import ClipSource, actor_sources, clips_of
from dreamactor.data.write_shards import write_shards
from dreamactor.errors import ConfigError, InputError
from dreamactor.recipes.tiny import tiny_bundle
from dreamactor.training.guided import guide_sample
from dreamactor.types.track import CameraTrack, PersonTrack
from dreamactor.types.video import FrameTimes
from dreamactor.video.tensor import to_model
from factories import make_track

SETTINGS = ShardSettings(size=64, lengths=(5,))
SOURCES = actor_sources(range(4), heads=False)


def made(source: ClipSource) -> list[Made]:
    return list(clips_of(source, settings=SETTINGS, limits=FilterLimits()))


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[Made]]:
    """What the sources give, drawn once; the last one also has a stretch that is left out."""
    found = {source.name: made(source) for source in SOURCES}
    row = Rejection(source="actor 3", start_s=0.0, end_s=1.5, reason="static", detail="movement 0")
    return {name: [*rows, row] if name == SOURCES[3].name else rows for name, rows in found.items()}


@pytest.fixture(autouse=True)
def _drawn_already(drawn: dict[str, list[Made]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "clips_of", lambda source, settings, limits: iter(drawn[source.name]))


def clip_of(rows: list[Made]) -> ClipRecord:
    return next(row[0] for row in rows if not isinstance(row, Rejection))


def assert_same_track(one: PersonTrack, other: PersonTrack) -> None:
    packed, again = pack_track("t", one), pack_track("t", other)
    assert packed.keys() == again.keys()
    assert all(torch.equal(packed[name], again[name]) for name in packed)
    assert (one.source, one.times.time_base) == (other.source, other.times.time_base)


def assert_same_clip(one: ClipRecord, other: ClipRecord) -> None:
    for name in ("key", "source", "kind", "category", "framing", "exact", "seed", "camera"):
        assert getattr(one, name) == getattr(other, name)
    assert torch.equal(one.frames, other.frames)
    assert torch.equal(one.mask, other.mask)
    assert one.expression is not None
    assert torch.equal(one.expression, other.expression)
    assert_same_track(one.track, other.track)
    assert len(one.references) == len(other.references)
    for mine, theirs in zip(one.references, other.references, strict=True):
        assert (mine.view, mine.frame, mine.inside) == (theirs.view, theirs.frame, theirs.inside)
        assert torch.equal(mine.picture.image, theirs.picture.image)
        assert torch.equal(mine.picture.mask, theirs.picture.mask)
        assert_same_track(mine.picture.person, theirs.picture.person)


def test_a_drawn_clip_comes_back_bit_by_bit(drawn: dict[str, list[Made]], tmp_path: Path) -> None:
    index = write_shards(tmp_path, SOURCES, settings=SETTINGS)
    assert ShardIndex.load(tmp_path) == index
    for entry, rows in zip(index.clips, drawn.values(), strict=True):
        clip = load_clip(entry)
        assert_same_clip(clip_of(rows), clip)
        assert (clip.key, *clip.frames.shape[:3]) == (entry.key, *entry.bucket)


def test_times_cuts_and_camera_of_a_track_are_kept() -> None:
    times = FrameTimes(pts=torch.tensor([3, 8, 9, 20]), time_base=Fraction(1001, 30000))
    camera = CameraTrack(matrix=torch.rand(4, 2, 3), known=torch.tensor([True, False, True, True]))
    track = make_track(num_frames=4)
    track = replace(track, times=times, camera=camera, cut=torch.tensor([False, False, True, False]), source="clip.mp4")
    assert_same_track(track, unpack_track("a", pack_track("a", track), source="clip.mp4"))


def test_a_shard_is_an_ordinary_archive_in_webdatasets_layout(tmp_path: Path) -> None:
    index = write_shards(tmp_path, SOURCES, settings=SETTINGS)
    with tarfile.open(index.clips[0].shard) as tar:
        names = tar.getnames()
    keys = [name.partition(".")[0] for name in names]
    runs = [key for place, key in enumerate(keys) if place == 0 or keys[place - 1] != key]
    assert sorted(runs) == sorted({clip.key for clip in index.clips})  # a record's members lie together
    assert f"{runs[0]}.f004.png" in names


def test_building_again_makes_nothing_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_shards(tmp_path, SOURCES[:3], settings=SETTINGS)
    seen = {path: path.read_bytes() for path in tmp_path.iterdir()}
    calls: list[str] = []
    usual = writing.clips_of
    monkeypatch.setattr(writing, "clips_of", lambda source, **rest: calls.append(source.name) or usual(source, **rest))
    assert write_shards(tmp_path, SOURCES[:3], settings=SETTINGS) == first
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == seen
    assert calls == []
    more = write_shards(tmp_path, SOURCES, settings=SETTINGS)
    assert calls == [SOURCES[3].name]
    assert [clip.key for clip in more.clips] == sorted(clip.key for clip in more.clips)
    assert [row.reason for row in more.rejected] == ["static"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError, OSError])
def test_an_interrupted_build_keeps_what_is_whole_and_goes_on(
    stop: type[BaseException], drawn: dict[str, list[Made]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(source: ClipSource, **_: object):
        yield drawn[source.name][0]
        if source == SOURCES[2]:
            raise stop

    monkeypatch.setattr(writing, "clips_of", breaks)
    with pytest.raises(BaseException):  # noqa: B017
        write_shards(tmp_path, SOURCES, settings=SETTINGS)
    kept = ShardIndex.load(tmp_path)
    assert kept.done == {source.name for source in SOURCES[:2]}
    assert [load_clip(entry).seed for entry in kept.clips] == [0, 1]
    assert not list(tmp_path.glob("**/*.part*"))
    monkeypatch.setattr(writing, "clips_of", lambda source, **_: iter(drawn[source.name]))
    index = write_shards(tmp_path, SOURCES, settings=SETTINGS)
    assert [load_clip(entry).seed for entry in index.clips] == [0, 1, 2, 3]


def test_a_killed_build_loses_no_source_that_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the process ended between staging and packing, with a shard half-written."""
    (tmp_path / "staged").mkdir()
    writing._stage(SOURCES[0], folder=tmp_path, settings=SETTINGS, limits=FilterLimits())
    (tmp_path / ".clips-000000.part").write_bytes(b"half")
    calls: list[str] = []
    usual = writing.clips_of
    monkeypatch.setattr(writing, "clips_of", lambda source, **rest: calls.append(source.name) or usual(source, **rest))
    index = write_shards(tmp_path, SOURCES[:2], settings=SETTINGS)
    assert calls == [SOURCES[1].name]
    assert [load_clip(entry).seed for entry in index.clips] == [0, 1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips-000000.tar", "index.json"]


def test_full_shards_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SHARD_BYTES", 1)
    index = write_shards(tmp_path, SOURCES, settings=SETTINGS)
    assert {clip.shard.name for clip in index.clips} == {f"clips-{n:06d}.tar" for n in range(4)}
    assert [load_clip(entry).key for entry in index.clips] == [entry.key for entry in index.clips]


def test_a_folder_keeps_to_its_settings(tmp_path: Path) -> None:
    write_shards(tmp_path, SOURCES[:1], settings=SETTINGS)
    with pytest.raises(ConfigError, match="size 64 \\(asked for 96\\)"):
        write_shards(tmp_path, SOURCES, settings=ShardSettings(size=96, lengths=(5,)))


def test_damage_is_named(tmp_path: Path) -> None:
    index = write_shards(tmp_path, SOURCES[:1], settings=SETTINGS)
    index.clips[0].shard.write_bytes(b"short")
    with pytest.raises(InputError, match=r"clips-000000\.tar"):
        load_clip(index.clips[0])
    with pytest.raises(InputError, match="No clips in"):
        ShardIndex.load(tmp_path / "nowhere")
    (tmp_path / "index.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        ShardIndex.load(tmp_path)


def test_the_loader_resumes_after_the_clips_that_were_used(tmp_path: Path) -> None:
    index = write_shards(tmp_path, SOURCES, settings=SETTINGS)

    def loader(workers: int = 2) -> ClipLoader:
        return ClipLoader(ShardSampler(index, batch_size=2, seed=3, full_share=0.6), workers=workers)

    def take(one: ClipLoader, count: int) -> list[list[str]]:
        return [[clip.key for clip in batch] for batch, _ in zip(one, range(count), strict=False)]

    whole = take(loader(), 7)
    first = loader(workers=1)
    state = {}
    for number, _ in enumerate(first):
        if number == 2:
            state = first.state_dict()
            break
    resumed = loader()
    resumed.load_state_dict(state)
    assert take(resumed, 4) == whole[3:]


def test_reading_leaves_the_random_numbers_of_training_alone(tmp_path: Path) -> None:
    index = write_shards(tmp_path, SOURCES, settings=SETTINGS)
    before = torch.get_rng_state()
    next(iter(ClipLoader(ShardSampler(index, batch_size=2, seed=3))))
    assert torch.equal(torch.get_rng_state(), before)


def test_latents_are_the_vaes_own(tmp_path: Path) -> None:
    vae = tiny_bundle().vae

    def encode(pictures: torch.Tensor) -> torch.Tensor:
        return vae.encode(to_model(pictures))[0]

    index = write_shards(tmp_path, SOURCES[:1], settings=SETTINGS, encode=encode)
    clip = load_clip(index.clips[0])
    assert torch.equal(clip.latent, encode(clip.frames).half())
    for reference in clip.references:
        assert torch.equal(reference.latent, encode(reference.picture.image[None])[:, 0].half())


def test_pictures_of_perceived_clips_are_compressed_and_their_tracks_are_not(drawn: dict[str, list[Made]]) -> None:
    clip = replace(clip_of(drawn[SOURCES[0].name]), exact=False, expression=None)
    back = unpack_clip(pack_clip(clip))
    assert back.expression is None
    assert 0 < (back.frames.float() - clip.frames.float()).abs().mean() < 2
    assert torch.equal(back.mask, clip.mask)
    assert_same_track(back.track, clip.track)


def test_a_clip_without_expression_is_guided_by_face_tokens(drawn: dict[str, list[Made]]) -> None:
    clip = replace(clip_of(drawn[SOURCES[2].name]), expression=None)
    faces = tiny_bundle().faces
    guided = guide_sample(clip.as_sample(), generator=torch.Generator().manual_seed(0), faces=faces)
    assert torch.equal(guided.frames, clip.frames)
    assert guided.expression.shape[0] == clip.num_frames
    with pytest.raises(ValueError, match="expression"):
        guide_sample(clip.as_sample(), generator=torch.Generator().manual_seed(0))
    part = clip.part(slice(1, 4))
    assert torch.equal(part.frames, clip.frames[1:4])
    assert_same_track(part.track, clip.track[1:4])
