"""Who reads a driver's face: the choice is told, misfits are refused, nothing exact ever reaches the model."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.testing import assert_close

from dreamactor.errors import ConfigError, InputError
from dreamactor.geometry.skeleton import FACE_POINT
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.face_crop import crop_faces, normalize_landmarks
from dreamactor.inference.animator import Animator
from dreamactor.inference.bundle import load_bundle, load_face_encoders, save_bundle
from dreamactor.inference.face_encoders import FaceEncoders, load_own_encoder, save_face_encoders, write_weights
from dreamactor.inference.face_motion import LEAST_HEAD_PX, MOST_APART, FaceMotion, points_apart, read_face_motion
from dreamactor.inference.request import AnimateRequest
from dreamactor.models.dit import DiT
from dreamactor.models.face_motion import FaceLook, ImplicitFaceEncoder, LandmarkFaceEncoder
from dreamactor.models.inputs import DriveInput
from dreamactor.recipes.tiny import FACE_CODE_DIM, tiny_bundle
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.track import PersonTrack
from factories import make_track

SIDE, NUM_FRAMES = 64, 5
NAMES = ("jaw_open", "blink_left", "blink_right")


class _SureEncoder(ImplicitFaceEncoder):
    """Finds its points `off` times their spread from where perception found them, and says what it is told to."""

    def __init__(self, track: PersonTrack, *, off: float, tokens: Tensor | None = None) -> None:
        super().__init__(code_dim=FACE_CODE_DIM, coefficients=NAMES)
        self.told, self.seen = tokens, 0
        face = track.face
        half = (face.box[:, 2:] - face.box[:, :2])[:, None] / 2
        points = (face.landmarks[..., :2] - (face.box[:, None, :2] + half)) / half
        spread = (points - points.mean(dim=1, keepdim=True)).square().sum(-1).mean(-1).sqrt()
        sideways = torch.ones(points.shape[1])
        sideways[::2] = -1  # no place, no size: the points' arrangement is another one
        points[..., 0] += off * spread[:, None] * sideways
        self.found = points

    def look(self, pictures: Tensor) -> FaceLook:
        now = slice(self.seen, self.seen + len(pictures))
        self.seen = now.stop
        tokens = super().look(pictures).tokens if self.told is None else self.told[now]
        return FaceLook(tokens=tokens, points=self.found[now], turn=torch.zeros(len(pictures), 3))


@pytest.fixture(scope="module")
def driving() -> PersonTrack:
    return make_track(num_frames=NUM_FRAMES, width=SIDE, height=SIDE, scale_px=300, pelvis_px=(32, 240))


@pytest.fixture(scope="module")
def frames() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randint(0, 256, (SIDE, SIDE, 3), dtype=torch.uint8, generator=generator) for _ in range(NUM_FRAMES)]


def _encoders(rgb: ImplicitFaceEncoder | None) -> FaceEncoders:
    torch.manual_seed(0)
    landmarks = LandmarkFaceEncoder(code_dim=FACE_CODE_DIM, width=16).eval()
    return FaceEncoders(landmarks=landmarks, rgb=None if rgb is None else rgb.eval())


def test_auto_takes_the_pictures_where_both_see_the_same_face(driving: PersonTrack, frames: list[Tensor]) -> None:
    for off, source in ((0.0, "implicit"), (2 * MOST_APART, "landmarks")):
        faces = _encoders(_SureEncoder(driving, off=off))
        found = read_face_motion(faces, driving, frames)
        assert found.source == source
        assert ("hardly move" if source == "implicit" else str(MOST_APART)) in str(found)
        assert found.tokens.shape == (NUM_FRAMES, FACE_CODE_DIM)


def test_the_implicit_encoder_reads_what_is_asked_of_it(driving: PersonTrack, frames: list[Tensor]) -> None:
    faces = _encoders(ImplicitFaceEncoder(code_dim=FACE_CODE_DIM))
    asked = read_face_motion(faces, driving, frames, choice="implicit")
    assert_close(asked.tokens, faces.rgb(crop_faces(torch.stack(frames), driving.face)), atol=1e-5, rtol=1e-4)


def test_auto_leaves_an_encoder_that_does_not_see_the_mouth_move(frames: list[Tensor]) -> None:
    count = 30
    track = make_track(num_frames=count, width=SIDE, height=SIDE, scale_px=300, pelvis_px=(32, 240))
    opening = 0.5 - 0.5 * torch.cos(torch.arange(count) / 3)
    landmarks = track.face.landmarks.clone()
    landmarks[:, FACE_POINT["lip_inner_6"], 1] += 4 * opening
    track = replace(track, face=replace(track.face, landmarks=landmarks))
    follows, silent = torch.zeros(count, FACE_CODE_DIM), torch.zeros(count, FACE_CODE_DIM)
    follows[:, NAMES.index("jaw_open")] = opening
    for tokens, source, why in ((follows, "implicit", "mouth with 1.00"), (silent, "landmarks", "with 0.00, needed")):
        found = read_face_motion(
            _encoders(_SureEncoder(track, off=0.0, tokens=tokens)), track, frames * (count // NUM_FRAMES)
        )
        assert (found.source, why in str(found)) == (source, True)
        assert found.tokens.shape == (count, FACE_CODE_DIM)


def test_landmarks_are_taken_where_there_is_nothing_else_and_it_is_said_why(
    driving: PersonTrack, frames: list[Tensor]
) -> None:
    by_landmarks = _encoders(None).landmarks(normalize_landmarks(driving.face, driving.head))
    small = replace(driving, head=replace(driving.head, radius_px=torch.full((NUM_FRAMES,), LEAST_HEAD_PX / 4)))
    cases = (
        (_encoders(None), driving, frames, "no implicit encoder"),
        (_encoders(ImplicitFaceEncoder(code_dim=FACE_CODE_DIM)), driving, None, "no pictures"),
        (_encoders(ImplicitFaceEncoder(code_dim=FACE_CODE_DIM)), small, frames, "20 pixels high"),
    )
    for faces, track, pictures, why in cases:
        found = read_face_motion(faces, track, pictures)
        assert (found.source, why in str(found)) == ("landmarks", True)
        assert_close(found.tokens, by_landmarks)
    with pytest.raises(ConfigError, match="no implicit encoder"):
        read_face_motion(_encoders(None), driving, frames, choice="implicit")


def test_points_apart_know_neither_place_nor_size(driving: PersonTrack) -> None:
    points = driving.face.landmarks[..., :2] * 0.01
    assert_close(points_apart(points * 3 + 0.2, driving.face), torch.zeros(NUM_FRAMES), atol=1e-4, rtol=0)


def test_encoders_come_back_from_a_model_and_from_a_run(tmp_path: Path) -> None:
    torch.manual_seed(0)
    rgb = ImplicitFaceEncoder(code_dim=FACE_CODE_DIM, coefficients=NAMES).eval()
    bundle = tiny_bundle()
    faces = FaceEncoders(landmarks=bundle.face, rgb=rgb)
    save_bundle(tmp_path / "model", replace(bundle, face_rgb=rgb))
    save_face_encoders(tmp_path / "run" / "model", faces, {})
    crops = torch.randint(0, 256, (2, 3, 224, 224), dtype=torch.uint8)
    for folder in ("model", "run", "run/model"):
        loaded = load_face_encoders(str(tmp_path / folder))
        assert loaded.rgb is not None
        assert loaded.rgb.coefficients == NAMES
        assert_close(loaded.rgb(crops), rgb(crops), atol=0.02, rtol=0.02)
    save_bundle(tmp_path / "model", bundle)
    assert load_bundle(str(tmp_path / "model")).face_rgb is None
    assert not (tmp_path / "model" / "face_rgb.safetensors").exists()
    with pytest.raises(ConfigError, match="Unknown model"):
        load_face_encoders(str(tmp_path / "nothing"))


def test_own_weights_fit_or_are_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    write_weights(path, ImplicitFaceEncoder(code_dim=12), {"coefficients": "jaw_open gaze_x"})
    assert load_own_encoder(path, code_dim=12).coefficients == ("jaw_open", "gaze_x")
    with pytest.raises(ConfigError, match="tokens of 12 numbers, the model takes 20"):
        load_own_encoder(path, code_dim=20)
    save_file({"mlp.5.bias": torch.zeros(12)}, path)
    with pytest.raises(InputError, match="do not fit"):
        load_own_encoder(path, code_dim=12)
    save_file({"weight": torch.zeros(12)}, path)
    with pytest.raises(InputError, match="no implicit face encoder"):
        load_own_encoder(path, code_dim=12)
    path.write_text("no weights")
    with pytest.raises(InputError, match="not a readable safetensors"):
        load_own_encoder(path, code_dim=12)


def test_the_model_is_given_what_an_encoder_read_and_nothing_else(
    driving: PersonTrack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A track holds no expression, and what reaches the DiT are tokens of landmarks or of pictures."""
    assert not [f.name for part in ("face", "head") for f in fields(getattr(driving, part)) if "expression" in f.name]
    animator, given = Animator(tiny_bundle()), []
    prepare = DiT.prepare_drive
    monkeypatch.setattr(DiT, "prepare_drive", lambda dit, drive: given.append(drive) or prepare(dit, drive))
    person = make_track(num_frames=1, width=SIDE, height=SIDE, scale_px=40, pelvis_px=(32, 40))
    picture = ReferenceImage(image=torch.zeros(SIDE, SIDE, 3, dtype=torch.uint8), person=person, mask=None)
    references = ReferenceSet(images=(picture,), proportions=estimate_proportions([person]))
    nowhere = Path("tracks")
    request = AnimateRequest(references=(nowhere,), driving=nowhere, steps=1, use_proxy=False)
    tokens = torch.randn(NUM_FRAMES, FACE_CODE_DIM)
    read = FaceMotion(tokens=tokens, source="implicit", reason="as asked for")
    by_landmarks = animator.bundle.face(normalize_landmarks(driving.face, driving.head))
    for face, wanted in ((None, by_landmarks), (read, tokens)):
        given.clear()
        list(animator.animate_track(driving, references, request, face=face))
        drive = next(one for one in given if isinstance(one, DriveInput) and one.face is not None)
        assert_close(drive.face[0, :NUM_FRAMES], wanted, atol=1e-4, rtol=1e-3)


def test_requests_that_contradict_themselves_are_refused() -> None:
    nowhere = Path("clip.mp4")
    with pytest.raises(ConfigError, match="Unknown face encoder 'eyes'"):
        AnimateRequest(references=(nowhere,), driving=nowhere, face_encoder="eyes")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="face-weights"):
        AnimateRequest(references=(nowhere,), driving=nowhere, face_encoder="landmarks", face_weights=nowhere)
