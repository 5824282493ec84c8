"""Speech on a track: what it moves and what it leaves, in time with the sound; and a model's audio encoder as a file."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from dreamactor.errors import ConfigError, InputError, MediaError
from dreamactor.inference.audio_encoder import AUDIO_FILE, load_audio_encoder, save_audio_encoder
from dreamactor.inference.bundle import load_bundle, save_bundle
from dreamactor.inference.face_motion import FaceMotion
from dreamactor.inference.request import AnimateRequest
from dreamactor.inference.sources import read_sources
from dreamactor.inference.speech import hear, require_audio, speak
from dreamactor.models.face_motion import LandmarkFaceEncoder
from dreamactor.perception.track_file import save_track
from dreamactor.recipes.tiny import FACE_CODE_DIM, tiny_bundle
from dreamactor.types.track import take_frames
from dreamactor.types.video import AudioClip, FrameTimes
from dreamactor.video.audio import write_audio
from factories import SPEECH_NAMES as NAMES
from factories import make_audio_encoder as loud_mouth
from factories import make_track

PICTURE = (Path("actor.png"),)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """1.5 seconds, loud from 0.5 to 1.0."""
    samples = 0.5 * torch.sin(2 * math.pi * 700 * torch.arange(24000) / 16000)
    samples[:8000] = samples[16000:] = 0
    write_audio(tmp_path / "tone.wav", AudioClip(samples=samples[None], rate_hz=16000))
    return tmp_path / "tone.wav"


def _request(**more: object) -> AnimateRequest:
    return AnimateRequest(references=PICTURE, **more)  # type: ignore[arg-type]


def _landmarks() -> LandmarkFaceEncoder:
    torch.manual_seed(1)
    return LandmarkFaceEncoder(code_dim=FACE_CODE_DIM, width=8).requires_grad_(False)


def test_sound_and_mouth_share_a_clock(sound: Path) -> None:
    times = FrameTimes(pts=torch.arange(-10, 60), time_base=Fraction(1, 25))
    jaw = hear(loud_mouth(), sound, times).mouth[:, 0]
    open_s = times.seconds[jaw > 0.5 * jaw.max()]
    assert float(open_s.min()) == pytest.approx(0.5, abs=0.05)
    assert float(open_s.max()) == pytest.approx(1.0, abs=0.05)
    assert float(jaw[times.seconds < 0].abs().max()) == 0.0
    assert float(jaw[times.seconds > 1.6].abs().max()) == 0.0


def test_speech_alone_sets_length_and_leaves_the_body_at_ease(sound: Path) -> None:
    request = _request(audio=sound)
    sources = read_sources(request)
    assert sources.chosen == {"body": "idle", "head": "idle", "face": "audio"}
    assert (len(sources.times), sources.times.fps) == (38, 25)
    said = sources.describe()
    assert "at ease" in said
    assert "sound: tone.wav" in said
    held = take_frames(make_track(num_frames=1), torch.zeros(38, dtype=torch.int64), sources.times)
    moved, face = speak(loud_mouth(), _landmarks(), held, None, sources, request)
    assert face.tokens.shape == (38, FACE_CODE_DIM)
    assert float((moved.body.joints - held.body.joints).abs().max()) > 0
    assert "heard" in str(face)
    again, _ = speak(loud_mouth(), _landmarks(), held, None, sources, request)
    assert_close(again.face.landmarks, moved.face.landmarks, rtol=0, atol=0)


def test_dubbing_takes_the_mouth_from_speech_and_the_rest_from_the_video(sound: Path, tmp_path: Path) -> None:
    track = make_track(num_frames=30, arm_swing_rad=0.5)
    save_track(tmp_path / "video.npz", track)
    request = _request(audio=sound, driving=tmp_path / "video.npz")
    sources = read_sources(request)
    assert len(sources.times) == 30
    encoder = loud_mouth()
    shown = torch.rand(30, FACE_CODE_DIM, generator=torch.Generator().manual_seed(0))
    video = FaceMotion(tokens=shown, source="landmarks", reason="")
    moved, face = speak(encoder, _landmarks(), track, video, sources, request)
    assert_close(face.tokens[:, 2:5], shown[:, 2:5])
    assert_close(face.tokens[:, :2], hear(encoder, sound, track.times).mouth[:, :2])
    assert_close(moved.body.joints, track.body.joints, rtol=0, atol=0)
    assert_close(moved.head.angles_rad, track.head.angles_rad, rtol=0, atol=0)
    shut = speak(encoder, _landmarks(), track, video, sources, replace(request, mouth_strength=0.0))[1]
    assert float(shut.tokens[:, :2].abs().max()) == 0.0


def test_requests_with_speech_that_cannot_work_are_named(sound: Path, tmp_path: Path) -> None:
    for said, more in {
        "no use without --audio": {"driving": sound, "mouth_strength": 1.2},
        "from 0 to 3": {"audio": sound, "mouth_strength": -1.0},
        "draws no face": {"audio": sound, "face_from": "none"},
        "audio:FILE": {"driving": sound, "face_from": "audio"},
    }.items():
        with pytest.raises(ConfigError, match=said):
            _request(**more)
    with pytest.raises(ConfigError, match="no audio encoder"):
        require_audio(tiny_bundle().audio)
    (tmp_path / "empty.wav").write_bytes(b"")
    with pytest.raises(MediaError):
        read_sources(_request(audio=tmp_path / "empty.wav"))


def test_a_bundle_keeps_its_audio_encoder_and_one_without_loses_it(tmp_path: Path) -> None:
    hearing = replace(tiny_bundle(), audio=loud_mouth())
    save_bundle(tmp_path, hearing)
    loaded = load_bundle(str(tmp_path)).audio
    assert loaded is not None
    assert (loaded.coefficients, loaded.spoken) == (NAMES, NAMES[:2])
    assert_close(loaded.point_matrix, loud_mouth().point_matrix, atol=1e-3, rtol=1e-3)
    save_bundle(tmp_path, tiny_bundle())
    assert load_bundle(str(tmp_path)).audio is None
    (tmp_path / AUDIO_FILE).write_text("nothing of the kind")
    with pytest.raises(InputError, match="audio encoder"):
        load_bundle(str(tmp_path))


def test_an_audio_encoder_of_another_model_is_refused(tmp_path: Path) -> None:
    save_audio_encoder(tmp_path / AUDIO_FILE, loud_mouth(code_dim=9))
    with pytest.raises(ConfigError, match="tokens of 9 numbers"):
        load_audio_encoder(tmp_path, _landmarks())
    save_audio_encoder(tmp_path / AUDIO_FILE, loud_mouth())
    assert load_audio_encoder(tmp_path, _landmarks()).code_dim == FACE_CODE_DIM
    with pytest.raises(ConfigError, match="by their names"):
        load_audio_encoder(tmp_path, LandmarkFaceEncoder(code_dim=FACE_CODE_DIM, width=8, coefficients=("squint",)))
