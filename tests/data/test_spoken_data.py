"""What is said and what the mouth does with it; the synthesiser's own tests run where it is installed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from dreamactor.data.actors import FIRST_HELD_OUT_SEED
from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.data.speech import espeak, voices
from dreamactor.data.speech.backgrounds import background
from dreamactor.data.speech.clips import SPOKEN, draw_talk_clip, load_talk_clip, talk_clip_path
from dreamactor.data.speech.espeak import Phone, held_from_silence, say
from dreamactor.data.speech.languages import (
    HELD_OUT_VOICES,
    LANGUAGES,
    TRAINED,
    UNSEEN,
    VOICES,
    held_out_sentences,
    training_sentences,
)
from dreamactor.data.speech.phonemes import lip_closures_s, mouth_of, visemes_of
from dreamactor.data.speech.talk import held_out_talk, training_talk
from dreamactor.data.speech.voices import (
    HELD_OUT_RECORDED,
    TRAINED_VOICES,
    RecordedVoice,
    installed,
    ipa_of,
    readable,
    say_recorded,
)
from dreamactor.data.speech.wear import RATE_HZ, level_of, music, noisy, room, to_rate, worn
from dreamactor.errors import ConfigError, InputError
from synthesiser import needs_espeak

MAMA = (Phone("m", 0.5, 0.6), Phone("ɑː", 0.6, 0.8), Phone("m", 0.8, 0.9), Phone("ɐ", 0.9, 1.05), Phone("", 1.05, 2.0))


@pytest.mark.parametrize(
    ("ipa", "visemes"),
    [
        ("m", ["PP"]),
        ("aɪ", ["AA", "IH"]),
        ("tʃ", ["CH"]),
        ("ts", ["SS"]),
        ("ʲ", []),
        ("", []),
        ("ũ", ["OU"]),
        ("oʊ", ["OH", "OU"]),
    ],
)
def test_phonemes_are_visemes(ipa: str, visemes: list[str]) -> None:
    assert [name for name, _ in visemes_of(ipa)] == visemes


def test_lips_meet_for_m_and_the_jaw_opens_between() -> None:
    times = np.arange(100) / 50
    mouth = mouth_of(MAMA, times)
    jaw, press = mouth[:, COEFFICIENT["jaw_open"]], mouth[:, COEFFICIENT["lip_press"]]
    assert lip_closures_s(MAMA) == pytest.approx([0.55, 0.85])
    assert press[[27, 42]].min() > 0.5
    assert jaw[35] > 0.4 > 0.1 > jaw[27]
    assert np.abs(mouth[:10]).max() < 0.02
    assert np.abs(mouth[80:]).max() < 0.02
    assert np.abs(mouth_of((), times)).max() == 0.0


def test_a_stop_begins_where_the_vowel_before_it_falls_silent() -> None:
    vowel = np.sin(np.arange(1600) / 3).astype(np.float32)
    sound = np.concatenate([vowel, np.zeros(1600, dtype=np.float32), vowel])
    said = (Phone("a", 0.0, 0.19), Phone("t", 0.19, 0.2), Phone("a", 0.2, 0.3))
    held = held_from_silence(said, sound, 16000)
    assert held[0].end_s == held[1].start_s == pytest.approx(0.1, abs=0.005)
    assert held[1].end_s == 0.2
    fricative = (Phone("a", 0.0, 0.19), Phone("s", 0.19, 0.2), Phone("a", 0.2, 0.3))
    assert held_from_silence(fricative, sound, 16000) == fricative
    assert held_from_silence((), sound, 16000) == ()


def test_what_is_measured_was_never_learnt_from() -> None:
    assert not set(VOICES) & set(HELD_OUT_VOICES)
    assert not set(TRAINED) & set(UNSEEN)
    assert len(TRAINED) >= 7
    assert len(UNSEEN) >= 2
    for name in LANGUAGES:
        assert not set(training_sentences(name)) & set(held_out_sentences(name))
        assert (not training_sentences(name)) == (name in UNSEEN)
    with pytest.raises(ValueError, match="Held-out"):
        training_talk(FIRST_HELD_OUT_SEED, duration_s=1.0)


def test_wear_moves_nothing_in_time() -> None:
    rng = np.random.default_rng(0)
    clicks = np.zeros(RATE_HZ, dtype=np.float32)
    clicks[4000::3000] = 0.8
    assert int(np.abs(room(rng, clicks)).argmax()) % 3000 == 1000
    heard = np.abs(worn(rng, clicks, clean=0.0))
    for at in range(4000, RATE_HZ - 1000, 3000):
        assert int(heard[at - 1000 : at + 1000].argmax()) == pytest.approx(1000, abs=0.008 * RATE_HZ)


def test_noise_is_as_loud_as_asked_and_music_has_level_one() -> None:
    rng = np.random.default_rng(1)
    speech = np.sin(np.arange(RATE_HZ, dtype=np.float32) / 5)
    added = noisy(rng, speech, snr_db=6.0) - speech
    assert 20 * np.log10(level_of(speech) / np.sqrt(np.mean(added**2))) == pytest.approx(6.0, abs=0.2)
    assert np.sqrt(np.mean(music(rng, RATE_HZ) ** 2)) == pytest.approx(1.0, rel=1e-3)


def test_another_rate_keeps_the_tone_and_faster_raises_it() -> None:
    tone = np.sin(2 * np.pi * 500 * np.arange(22050) / 22050).astype(np.float32)
    for faster in (1.0, 1.2):
        heard = to_rate(tone, 22050, faster=faster)
        assert len(heard) == pytest.approx(RATE_HZ / faster, abs=1)
        peak = np.abs(np.fft.rfft(heard * np.hanning(len(heard)))).argmax() * RATE_HZ / len(heard)
        assert peak == pytest.approx(500 * faster, abs=2)


def test_a_missing_synthesiser_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(espeak.ctypes, "CDLL", missing)
    with pytest.raises(ConfigError, match="apt-get install"):
        espeak._Engine()


@needs_espeak
def test_every_language_and_voice_is_there_and_its_phones_have_no_gaps() -> None:
    for language in LANGUAGES.values():
        said = say(language.sentences[0], voice=language.voice)
        assert said.phones[0].start_s == 0
        assert sum(bool(visemes_of(one.ipa)) for one in said.phones) > 10
        assert said.phones[-1].end_s == pytest.approx(len(said.samples) / said.rate_hz)
    for variant in (*VOICES, *HELD_OUT_VOICES):
        assert len(say("mama", voice="en-us", variant=variant).samples) > 2000
    with pytest.raises(ConfigError, match="no voice 'xx'"):
        say("a", voice="xx")


def test_every_sound_of_a_recorded_voice_is_a_viseme_or_a_pause() -> None:
    for table in voices._SOUNDS.values():
        for ipa in table.values():
            assert visemes_of(ipa)
    assert ipa_of("pau", "arpabet") == ""
    assert ipa_of("a:", "finnish") == ipa_of("a", "finnish")
    assert ipa_of("E1", "catalan") == "ɛ"
    with pytest.raises(ValueError, match="not in the table"):
        ipa_of("qq", "czech")


def test_recorded_voices_read_their_own_letters_and_none_is_both_learnt_and_measured() -> None:
    assert not {one.name for one in TRAINED_VOICES} & {one.name for one in HELD_OUT_RECORDED}
    latin, cyrillic = TRAINED_VOICES[0], next(one for one in TRAINED_VOICES if one.letters == "cyrillic")
    assert readable("Minha mãe, à noite", latin) == "minha mae a noite"
    assert readable("wo3 men5", latin) == ""
    assert readable("Моя мама", latin) == ""
    assert readable("Моя мама", cyrillic) == "моя мама"
    assert readable("mama", cyrillic) == ""


def test_a_voice_that_is_not_there_is_one_clear_line() -> None:
    nobody = RecordedVoice("flite", "nobody", "arpabet", "ascii")
    assert not installed(nobody)
    with pytest.raises(ConfigError, match="espeak-ng alone is enough"):
        say_recorded(["mama"], nobody)


@pytest.mark.skipif(not installed(TRAINED_VOICES[0]), reason="flite is not installed")
def test_a_recorded_voice_says_its_phones_without_gaps() -> None:
    one, two = (say_recorded(["my mama bought a map"], TRAINED_VOICES[0], slower=1.2)[0] for _ in range(2))
    np.testing.assert_array_equal(one.samples, two.samples)
    assert one.phones[0].start_s == 0
    assert all(a.end_s == b.start_s for a, b in pairwise(one.phones))
    assert one.phones[-1].end_s == pytest.approx(len(one.samples) / one.rate_hz, abs=0.02)
    assert len(lip_closures_s(one.phones)) == 6


@pytest.mark.parametrize("seed", range(4))
def test_backgrounds_have_level_one(seed: int) -> None:
    sound = background(np.random.default_rng(seed), RATE_HZ * 2)
    assert sound.shape == (RATE_HZ * 2,)
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(1.0, rel=1e-3)


@needs_espeak
def test_equal_seeds_give_equal_talk() -> None:
    one, two = (held_out_talk("italian", 2, duration_s=2.0) for _ in range(2))
    np.testing.assert_array_equal(one.samples, two.samples)
    assert one.voice in HELD_OUT_VOICES
    assert one.expression.shape == (100, len(COEFFICIENT))
    clip = draw_talk_clip(3, duration_s=2.0, versions=2)
    assert clip.background.shape == clip.mels.shape[1:]
    assert clip.mels.shape[0] == 2
    assert clip.mouth.shape == (100, len(SPOKEN))


def test_a_clip_of_an_earlier_version_is_told_in_one_line(tmp_path: Path) -> None:
    path = talk_clip_path(tmp_path, 3)
    save_file({"mels": torch.zeros(1, 48, 4), "mouth": torch.zeros(2, len(SPOKEN))}, path)
    with pytest.raises(InputError, match="another folder"):
        load_talk_clip(path)
