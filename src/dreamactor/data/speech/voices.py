"""Voices that are made of recordings, where their synthesisers are installed: flite's and festival's (both optional).

espeak-ng computes its formants, and what learns from those alone does not follow people. These voices are statistics of
recordings (slt, awb, rms, ona) or joined from recorded pieces (kal16, nsh, lj, mv, dita, machac, ph). Their programs tell
the phonemes' times. A voice reads the letters of any language of its script; what it makes of them is what it says it said.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from scipy.io import wavfile

from dreamactor.data.speech.espeak import Phone, Utterance
from dreamactor.errors import ConfigError


@dataclass(frozen=True, slots=True)
class RecordedVoice:
    """One voice.

    Attributes:
        program: flite or festival.
        name: the program's.
        sounds: key of the voice's table of phonemes.
        letters: latin, ascii (accents are left out) or cyrillic.
    """

    program: str
    name: str
    sounds: str
    letters: str


TRAINED_VOICES: Final = (
    RecordedVoice("flite", "slt", "arpabet", "ascii"),
    RecordedVoice("flite", "awb", "arpabet", "ascii"),
    RecordedVoice("flite", "kal16", "arpabet", "ascii"),
    RecordedVoice("festival", "msu_ru_nsh_clunits", "russian", "cyrillic"),
    RecordedVoice("festival", "suo_fi_lj_diphone", "finnish", "ascii"),
    RecordedVoice("festival", "hy_fi_mv_diphone", "finnish", "ascii"),
    RecordedVoice("festival", "upc_ca_ona_hts", "catalan", "ascii"),
    RecordedVoice("festival", "czech_dita", "czech", "ascii"),
    RecordedVoice("festival", "czech_ph", "czech", "ascii"),
)
HELD_OUT_RECORDED: Final = (
    RecordedVoice("flite", "rms", "arpabet", "ascii"),
    RecordedVoice("festival", "czech_machac", "czech", "ascii"),
)
"""Nothing is learnt from these: they are what recorded voices are measured by."""

_ARPABET: Final = (
    "aa ɑ ae æ ah ʌ ao ɔ aw aʊ ax ə axr ɚ ay aɪ b b ch tʃ d d dh ð dx ɾ eh ɛ el l em m en n er ɝ ey eɪ f f g g hh h hv h "
    "ih ɪ iy i jh dʒ k k l l m m n n ng ŋ nx n ow oʊ oy ɔɪ p p r ɹ s s sh ʃ t t th θ uh ʊ uw u v v w w y j z z zh ʒ"
)
_RUSSIAN: Final = (
    "aa a a ɐ ae æ ay ɪ ee e e ɛ ii i i ɪ oo o y ɨ yy ɨ uu u u ʊ ur ʊ p p pp p b b bb b t t tt t d d dd d k k kk k g g gg g "
    "c ts ch tʃ f f ff f v v vv v s s ss s z z zz z sh ʃ sch ʃ zh ʒ h x hh x m m mm m n n nn n l l ll l r r rr r j j"
)
_FINNISH: Final = (
    "_ ʔ a ɑ e e i i o o u u y y @ æ 7 ø & æ p p t t k k b b d d g g f f T θ D ð s s S ʃ z z Z ʒ h h v ʋ m m n n N ŋ l l "
    "L l r r j j w w"
)
_CATALAN: Final = (
    "_ ʔ ax ə a a e e E ɛ i i o o O ɔ u u b b d d f f g g j j J ɲ k k l l L ʎ m m n n p p r ɾ rr r s s S ʃ t t w w z z Z ʒ"
)
_CZECH: Final = (
    "_ ʔ a a e ɛ i ɪ o o u u b b c ts c~ tʃ ch x d d d~ ɟ dz dz dz~ dʒ f f g ɡ h h j j k k l l m m n n n* ŋ n~ ɲ p p r r "
    "r~ ʒ r~* ʃ s s s~ ʃ t t t~ c v v z z z~ ʒ"
)
_SOUNDS: Final = {
    name: dict(zip(table.split()[::2], table.split()[1::2], strict=True))
    for name, table in {
        "arpabet": _ARPABET, "russian": _RUSSIAN, "finnish": _FINNISH, "catalan": _CATALAN, "czech": _CZECH,
    }.items()
}  # fmt: skip
_PAUSES: Final = frozenset(("pau", "#", "##", "h#", "brth"))
_TIMEOUT_S: Final = 300


def ipa_of(sound: str, table: str) -> str:
    """IPA of a voice's phoneme ("" for a pause); length marks and stress change nothing.

    Raises:
        ValueError: the table does not know it.
    """
    if sound in _PAUSES:
        return ""
    known = _SOUNDS[table]
    found = known.get(sound, known.get(sound.rstrip(":1")))
    if found is None:
        raise ValueError(f"The {table} voices have a phoneme '{sound}' that is not in the table.")
    return found


@cache
def installed(voice: RecordedVoice) -> bool:
    """Whether the program is there, and has the voice."""
    path = shutil.which(voice.program)
    if path is None:
        return False
    if voice.program == "flite":
        return voice.name in _run([path, "-lv"]).split()
    return any(Path("/usr/share/festival/voices").glob(f"*/{voice.name}"))


def readable(text: str, voice: RecordedVoice) -> str:
    """The text in letters that the voice reads; empty if it is of another script."""
    plain = unicodedata.normalize("NFD", text)
    cyrillic = any("а" <= letter.lower() <= "я" for letter in plain)
    if cyrillic != (voice.letters == "cyrillic") or any(letter.isdigit() for letter in plain):
        return ""
    if cyrillic:
        return re.sub(r"[^а-яё ]", "", text.lower())
    return re.sub(r"[^a-z ]", "", plain.lower().replace("ß", "ss"))


def say_recorded(texts: Sequence[str], voice: RecordedVoice, *, slower: float = 1.0, pitch_hz: int = 0) -> list[Utterance]:
    """Says the texts, up to one at which the program fails; equal arguments give equal speech.

    Args:
        texts: in letters that the voice reads (`readable`).
        voice: whose.
        slower: factor of every length, 0.5 to 2.
        pitch_hz: mean height of the voice; 0 leaves its own. Only flite's voices are moved.

    Raises:
        ConfigError: the voice is not installed, or its program fails.
    """
    if not installed(voice):
        raise ConfigError(
            f"The voice '{voice.name}' of {voice.program} is not installed. Install {voice.program} and the voice, or leave "
            "it out: espeak-ng alone is enough to train and to measure."
        )
    say = _by_flite if voice.program == "flite" else _by_festival
    with TemporaryDirectory() as folder:
        return [
            _read(Path(folder) / f"{index}.wav", segments, voice)
            for index, segments in say(texts, voice, Path(folder), slower, pitch_hz)
        ]


_Segments = list[tuple[str, float]]


def _by_flite(
    texts: Sequence[str], voice: RecordedVoice, folder: Path, slower: float, pitch_hz: int
) -> list[tuple[int, _Segments]]:
    found = []
    for index, text in enumerate(texts):
        settings = ["--setf", f"duration_stretch={slower:.3f}"]
        if pitch_hz:
            settings += ["--setf", f"int_f0_target_mean={pitch_hz}"]
        said = _run(["flite", "-voice", voice.name, *settings, "-psdur", "-t", text, "-o", str(folder / f"{index}.wav")])
        segments = [one.rsplit(":", 1) for one in said.split()]
        found.append((index, [(name, float(end)) for name, end in segments]))
    return found


def _by_festival(
    texts: Sequence[str], voice: RecordedVoice, folder: Path, slower: float, pitch_hz: int
) -> list[tuple[int, _Segments]]:
    lines = [f"(voice_{voice.name})", f"(Parameter.set 'Duration_Stretch {slower:.3f})"]
    for index, text in enumerate(texts):
        lines += [
            f'(set! said (Utterance Text "{text}"))', "(utt.synth said)", f'(utt.save.segs said "{folder}/{index}.seg")',
            f"(utt.save.wave said \"{folder}/{index}.wav\" 'riff)",
        ]  # fmt: skip
    script = folder / "say.scm"
    script.write_text("\n".join(lines), encoding="utf8")
    _run(["festival", "-b", str(script)], may_end_early=True)  # it does, at some words: what it said before is taken
    found = []
    for index in range(len(texts)):
        if not (folder / f"{index}.wav").exists():
            break
        rows = [line.split() for line in (folder / f"{index}.seg").read_text().splitlines()]
        found.append((index, [(row[2], float(row[0])) for row in rows if len(row) == 3]))
    return found


def _read(path: Path, segments: _Segments, voice: RecordedVoice) -> Utterance:
    rate_hz, samples = wavfile.read(path)
    phones, start_s = [], 0.0
    for sound, end_s in segments:
        if end_s > start_s:
            phones.append(Phone(ipa_of(sound, voice.sounds), start_s, end_s))
            start_s = end_s
    return Utterance(samples=np.asarray(samples, dtype=np.float32) / 32768.0, rate_hz=rate_hz, phones=tuple(phones))


def _run(command: Sequence[str], *, may_end_early: bool = False) -> str:
    try:
        done = subprocess.run(command, capture_output=True, check=not may_end_early, timeout=_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(f"{command[0]} failed ({error}). Leave it out: espeak-ng alone is enough.") from error
    return done.stdout.decode("utf8", "replace")
