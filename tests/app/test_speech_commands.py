"""Speech from the command line: it drives by itself, dubs a video, and what cannot work is one line."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dreamactor.app.bench import speech as bench
from dreamactor.app.film import film_actor
from dreamactor.app.main import run
from dreamactor.data.speech.voices import HELD_OUT_RECORDED, installed
from dreamactor.inference.audio_encoder import AUDIO_FILE, load_audio_encoder, save_audio_encoder
from dreamactor.inference.bundle import load_face_encoders, save_bundle
from dreamactor.inference.face_encoders import write_weights
from dreamactor.models.audio_motion import AudioMotionEncoder
from dreamactor.recipes.tiny import tiny_bundle
from dreamactor.types.video import AudioClip
from dreamactor.video.audio import read_audio, write_audio
from dreamactor.video.reader import probe, read_clip
from factories import make_audio_encoder
from synthesiser import needs_espeak


@pytest.fixture(scope="module")
def hearing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with model/ that hears, and speech.wav of 0.3 s."""
    folder = tmp_path_factory.mktemp("hearing")
    save_bundle(folder / "model", replace(tiny_bundle(), audio=make_audio_encoder()))
    tone = 0.5 * torch.sin(2 * math.pi * 700 * torch.arange(4800) / 16000)
    write_audio(folder / "speech.wav", AudioClip(samples=tone[None], rate_hz=16000))
    return folder


def test_a_picture_speaks(shared: Path, hearing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["animate", str(shared / "actor.png"), "--model", str(hearing / "model")]
    for option in (["--audio"], ["--body-from", "none", "--head-from", "reference", "--audio"]):
        output = tmp_path / f"{len(option)}.mp4"
        assert run([*command, *option, str(hearing / "speech.wav"), "-o", str(output)]) == 0
        clip = read_clip(output)
        assert clip.num_frames == 8
        assert float(clip.times.fps) == 25
        sound = read_audio(output)
        assert sound is not None
        assert sound.start_s + sound.samples.shape[1] / sound.rate_hz == pytest.approx(0.3, abs=0.1)
    said = capsys.readouterr().err
    assert "body: at ease as in the reference" in said
    assert "Face motion is heard" in said


def test_a_video_is_dubbed(shared: Path, hearing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "animate",
        str(shared / "actor.png"),
        "--model",
        str(hearing / "model"),
        "--driving",
        str(shared / "clip.mp4"),
    ]
    sound, output, preview = str(hearing / "speech.wav"), tmp_path / "out.mp4", tmp_path / "both.mp4"
    assert run([*command, "--audio", sound, "-o", str(output), "--preview", str(preview)]) == 0
    assert probe(output).has_audio
    assert read_clip(output).num_frames == 7
    assert "moves the mouth" in capsys.readouterr().err
    assert run([*command, "--face-from", f"audio:{sound}", "--mouth-strength", "1.3", "-o", str(output)]) == 0
    assert "moves the whole face" in capsys.readouterr().err
    assert run([*command, "--face-from", f"audio:{sound}", "--audio", "other.wav", "-o", str(output)]) == 2
    assert "Name one of them" in capsys.readouterr().err


def test_what_cannot_speak_says_so(shared: Path, hearing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture, output = str(shared / "actor.png"), str(tmp_path / "out.mp4")
    deaf, ear = ["--model", str(shared / "model")], ["--model", str(hearing / "model")]
    assert run(["animate", picture, *deaf, "--audio", str(hearing / "speech.wav"), "-o", output]) == 2
    assert "no audio encoder" in capsys.readouterr().err
    assert run(["animate", picture, *ear, "--audio", str(shared / "clip.mp4"), "-o", output]) == 2
    assert "has no sound" in capsys.readouterr().err
    assert run(["animate", picture, *ear, "--audio", str(tmp_path / "none.wav"), "-o", output]) == 2
    assert "No such file" in capsys.readouterr().err
    assert not Path(output).exists()


@needs_espeak
def test_the_bench_measures_and_names_no_clip(
    hearing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {name: bench.LANGUAGES[name] for name in ("english", "italian")}
    monkeypatch.setattr(bench, "LANGUAGES", few)
    monkeypatch.setattr(bench, "CLIP_S", 3.0)
    folder, file = tmp_path / "clips", tmp_path / "speech.json"
    folder.mkdir()
    film_actor(folder / "somebody.mp4", seed=6, seconds=0.56, framing="portrait", size=96, kind="talk")
    (folder / "a_wreck.mp4").write_text("This is no video.\n" * 40)
    arguments = ["--clips-each", "1", "--minutes", "0.2", "--clips", str(folder), "--json", str(file)]
    assert run(["bench", "speech", "--model", str(hearing / "model"), *arguments]) == 0
    text = file.read_text()
    assert "somebody" not in text
    assert "a_wreck" not in text
    rows = {(row["set"], row["metric"]): row["value"] for row in json.loads(text)["rows"]}
    assert rows["silence", "closed_share"] <= 1.0
    assert ("of recordings/clean" in {name for name, _ in rows}) == any(map(installed, HELD_OUT_RECORDED))
    assert {"trained/clean", "unseen/noisy"} <= {name for name, _ in rows}
    assert rows["recorded clip 1", "unusable"] == 1.0
    assert "by loudness" in capsys.readouterr().out


@needs_espeak
def test_an_audio_encoder_is_trained_by_one_command(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = ["train", "audio", "--output", str(folder), "--scale", "0.0005", "--samples", "4", "--workers", "1"]
    assert run(command) == 0

    faces = load_face_encoders("actor").landmarks
    encoder = load_audio_encoder(folder, faces)
    assert encoder.code_dim == faces.code_dim
    assert sum(one.numel() for one in encoder.state_dict().values()) <= 210_000
    assert float(encoder.point_matrix.abs().max()) > 0
    (folder / "audio" / "checkpoint.pt").unlink()  # nothing is trained again: nothing is missed
    assert run(command) == 0


def test_an_audio_encoder_is_not_trained_for_unnamed_coefficients(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "audio", "--output", str(tmp_path / "run"), "--start-from", str(shared / "model")]) == 2
    assert "name the coefficients" in capsys.readouterr().err


def test_an_encoder_of_before_sound_was_levelled_is_read_as_it_was(tmp_path: Path) -> None:
    encoder = make_audio_encoder()
    shapes = {name: value for name, value in encoder.described().items() if name != "levels"}
    write_weights(tmp_path / AUDIO_FILE, encoder, {"shapes": json.dumps(shapes)})
    assert not load_audio_encoder(tmp_path, tiny_bundle().face).levels


def test_the_shipped_size_stays_small(tmp_path: Path) -> None:
    names = tuple(f"c{index}" for index in range(30))
    encoder = AudioMotionEncoder(code_dim=38, coefficients=names, spoken=names[:13])
    save_audio_encoder(tmp_path / AUDIO_FILE, encoder)
    assert (tmp_path / AUDIO_FILE).stat().st_size < 400_000
