"""Which clip drives what, at which times, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from dreamactor.errors import ConfigError, InputError
from dreamactor.geometry.skeleton import SKELETON_BONES
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.face_crop import normalize_landmarks
from dreamactor.guidance.mix import mix_tracks
from dreamactor.guidance.retarget import retarget
from dreamactor.inference.request import AnimateRequest
from dreamactor.inference.sources import MotionSources, read_sources
from dreamactor.perception.track_file import load_track, save_track
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.track import PersonTrack
from dreamactor.types.video import FrameTimes
from factories import make_track

PICTURE = (Path("actor.png"),)


def _references() -> ReferenceSet:
    person = make_track(num_frames=1, scale_px=80.0, pelvis_px=(60.0, 110.0), head_angles_rad=(0.2, 0.0, 0.0))
    image = ReferenceImage(image=torch.zeros(192, 128, 3, dtype=torch.uint8), person=person, mask=None)
    return ReferenceSet(images=(image,), proportions=estimate_proportions([person]))


def _file(folder: Path, name: str, *, num_frames: int = 8, fps: int = 25, **more: object) -> Path:
    track = make_track(num_frames=num_frames, **more)  # type: ignore[arg-type]
    points = track.face.landmarks.clone()
    points[..., 1] += torch.linspace(0, 3, num_frames)[:, None] * torch.rand(points.shape[1], generator=_seeded(len(name)))
    track = replace(track, times=FrameTimes.constant(num_frames, Fraction(fps)), face=replace(track.face, landmarks=points))
    save_track(folder / name, track)
    return folder / name


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return {
        "body": _file(tmp_path, "body.npz", num_frames=12, arm_swing_rad=1.0, move_px=(10.0, 0.0)),
        "head": _file(tmp_path, "heads.npz", num_frames=6, fps=30, head_angles_rad=(0.6, -0.1, 0.2)),
        "face": _file(tmp_path, "talking.npz", num_frames=40, fps=50),
    }


def _request(**sources: object) -> AnimateRequest:
    return AnimateRequest(references=PICTURE, **sources)  # type: ignore[arg-type]


def _joined(request: AnimateRequest) -> tuple[MotionSources, PersonTrack]:
    sources = read_sources(request)
    return sources, sources.join(_references())


def test_one_driver_for_all_parts_is_that_driver_bit_for_bit(files: dict[str, Path]) -> None:
    _, joined = _joined(_request(driving=files["body"]))
    track = load_track(files["body"])
    assert torch.equal(joined.body.joints, track.body.joints)
    assert torch.equal(joined.face.landmarks, track.face.landmarks)
    assert torch.equal(joined.head.angles_rad, track.head.angles_rad)


def test_three_sources_give_what_mixing_them_gives(files: dict[str, Path]) -> None:
    sources, joined = _joined(_request(body_from=files["body"], head_from=files["head"], face_from=files["face"]))
    wanted = mix_tracks(**{part: load_track(path) for part, path in files.items()})  # type: ignore[arg-type]
    assert torch.equal(joined.head.angles_rad, wanted.head.angles_rad)
    assert torch.equal(joined.face.landmarks, wanted.face.landmarks)
    assert len(sources.times) == joined.num_frames == 12
    said = sources.describe()
    assert "length and times of body.npz (12 frames, 0.48 s)" in said
    assert "heads.npz (30 -> 25 fps, ends at 0.20 s, then holds its last frame)" in said
    assert "talking.npz (50 -> 25 fps, its first 0.48 of 0.80 s)" in said
    assert sources.pictures(files["face"]).tolist() == list(range(0, 24, 2))
    assert sources.pictures(files["head"]).tolist()[-4:] == [5, 5, 5, 5]


def test_driving_sets_the_times_even_where_the_body_is_anothers(files: dict[str, Path]) -> None:
    sources, joined = _joined(_request(driving=files["face"], body_from=files["body"]))
    assert sources.clock == files["face"]
    assert joined.num_frames == 40


def test_a_body_held_as_in_the_reference_stands_exactly_there(files: dict[str, Path]) -> None:
    references = _references()
    person = references.images[0].person
    _, joined = _joined(_request(driving=files["head"], body_from="reference"))
    placed = retarget(joined, references)
    below = sorted({joint for bone in SKELETON_BONES for joint in bone})
    assert_close(placed.body.joints[:, below], person.body.joints[:, below].expand(6, -1, -1), atol=0.05, rtol=0)
    assert_close(placed.head.angles_rad, load_track(files["head"]).head.angles_rad, atol=1e-3, rtol=0)


def test_a_face_held_as_in_the_reference_keeps_its_expression(files: dict[str, Path]) -> None:
    person = _references().images[0].person
    _, joined = _joined(_request(driving=files["body"], face_from="reference"))
    wanted = normalize_landmarks(person.face, person.head).expand(12, -1, -1)
    assert_close(normalize_landmarks(joined.face, joined.head), wanted, atol=1e-4, rtol=0)


def test_what_the_reference_does_not_show_cannot_be_held(files: dict[str, Path]) -> None:
    references = _references()
    image = references.images[0]
    blind = replace(image.person, face=replace(image.person.face, tracked=torch.zeros(1, dtype=torch.bool)))
    sources = read_sources(_request(driving=files["body"], face_from="reference"))
    with pytest.raises(InputError, match="no face was found in the first reference"):
        sources.join(replace(references, images=(replace(image, person=blind),)))


def test_without_a_body_the_head_is_carried_by_its_own(files: dict[str, Path]) -> None:
    _, joined = _joined(_request(driving=files["head"], body_from="none"))
    assert torch.equal(joined.body.joints, load_track(files["head"]).body.joints)


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({}, "No motion for the body"),
        ({"body_from": "none", "head_from": Path("a.npz")}, "No motion for the face"),
        ({"driving": Path("a.npz"), "body_from": "none", "head_from": "none", "face_from": "none"}, "not used"),
        ({"body_from": "reference", "head_from": "none", "face_from": "none"}, "Nothing moves"),
        ({"body_from": Path("a.npz"), "head_from": "none", "face_from": "none", "person": 2}, "extract --person"),
        ({"driving": Path("a.npz"), "face_from": "nobody"}, "--face-from must be a file or one of"),
        ({"driving": Path("a.npz"), "camera": "pan"}, "--camera 'pan'"),
    ],
)
def test_sources_that_make_no_sense_are_named(sources: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        _request(**sources)
