"""Phonemes of any language, as the mouth makes them: IPA letters -> visemes, and what a face does over time."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

import numpy as np

from dreamactor.data.actors.acting.speech import Sound, Speech, spoken_mouth
from dreamactor.data.speech.espeak import Phone

_LETTERS: Final = {
    "PP": "pbmɓʙ",
    "FF": "fvʋɱɸβ",
    "TH": "θð",
    "DD": "tdʈɖɾɗ",
    "LL": "lnɭɫɳɲʎɬɺʟ",
    "KK": "kgɡŋqxɣχhɦħʕʔʁʀɴcɟçʝɢ",
    "CH": "ʃʒɕʑʂʐ",
    "SS": "sz",
    "RR": "rɹɻɽ",
    "AA": "aɑɐʌæä",
    "EE": "eɛəɜɘɚɝɞɤ",
    "IH": "iɪjɨɯᵻ",
    "OH": "oɔɒøœɵɶ",
    "OU": "uʊwyʏʉɥʍ",
}
_VISEME_OF: Final = {letter: viseme for viseme, letters in _LETTERS.items() for letter in letters}
_WEAK: Final = {"ə": 0.6, "ɐ": 0.7, "ɪ": 0.8, "ɨ": 0.8, "ɯ": 0.7, "ᵻ": 0.7, "ɚ": 0.8}
"""Sounds that are made with less than the whole shape."""
LIPS_CLOSE: Final = _LETTERS["PP"]
_PAUSE_S: Final = 0.4
"""A longer pause is several silences in a row, so that the mouth is at rest in its middle and not only there."""


def visemes_of(ipa: str) -> list[tuple[str, float]]:
    """The visemes of one phoneme in order, and how much of the shape is made; none for a pause or marks alone.

    A diphthong has two; an affricate is made where it ends (t and sh: as sh).
    """
    letters = unicodedata.normalize("NFD", ipa)  # marks, such as of nasal vowels, stand by themselves
    found = [(_VISEME_OF[letter], _WEAK.get(letter, 1.0)) for letter in letters if letter in _VISEME_OF]
    vowels = [one for one in found if one[0] in ("AA", "EE", "IH", "OH", "OU")]
    if len(found) > 1 and len(vowels) < len(found):
        firm = [one for one in found if one[0] in ("PP", "FF", "CH", "SS")]
        return (firm or found)[-1:] if not vowels else found[:2]
    return found[:2]


def to_speech(phones: Sequence[Phone], *, size: float = 1.0) -> Speech:
    """What the acting's mouth is to say; `size` is how clearly."""
    sounds: list[Sound] = []
    pauses: list[tuple[float, float]] = []
    for phone in phones:
        length = phone.end_s - phone.start_s
        visemes = visemes_of(phone.ipa)
        if not visemes:
            if phone.ipa and length < 0.06:  # a letter that is heard but not seen
                continue
            count = max(1, round(length / _PAUSE_S))
            pauses.append((phone.start_s, phone.end_s))
            step = length / count
            sounds += [Sound("silence", phone.start_s + (i + 0.5) * step, max(step, 0.06), 1.0) for i in range(count)]
            continue
        step = length / len(visemes)
        for index, (viseme, amount) in enumerate(visemes):
            firm = viseme in ("PP", "FF")  # lips meet however sloppily one speaks
            sounds.append(
                Sound(
                    viseme,
                    phone.start_s + (index + 0.5) * step,
                    max(step, 0.05),
                    amount * (max(size, 0.9) if firm else size),
                )
            )
    return Speech(sounds=tuple(sounds), stresses_s=(), pauses_s=tuple(pauses))


def lip_closures_s(phones: Sequence[Phone]) -> list[float]:
    """Middles of the sounds for which the lips meet."""
    return [(one.start_s + one.end_s) / 2 for one in phones if one.ipa and one.ipa[0] in LIPS_CLOSE]


def mouth_of(phones: Sequence[Phone], times_s: np.ndarray, *, size: float = 1.0) -> np.ndarray:
    """[T, E] expression coefficients of the mouth that says it, at moments [T] in order; at rest before and after."""
    end_s = max(float(times_s[-1]), phones[-1].end_s if phones else 0.0)
    start_s = phones[0].start_s if phones else 0.0
    rest = [Phone("", -4.0, start_s)] if phones else [Phone("", -4.0, end_s + 4.0)]
    after = [Phone("", phones[-1].end_s, end_s + 4.0)] if phones else []
    return spoken_mouth(to_speech([*rest, *phones, *after], size=size), times_s)
