"""Speech with phoneme times from espeak-ng's own library; needed to learn and to measure, never to animate.

Equal arguments give equal speech. Needs a system with `fork` (Linux, macOS).
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import pickle
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np

from dreamactor.errors import ConfigError

_SYNCHRONOUS, _PHONEME_EVENTS, _PHONEME_IPA = 2, 1, 2
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8, _BY_CHARACTER = 1, 1
_EVENT_END, _EVENT_PHONEME = 0, 7
_STOPS: Final = "pbtdkgɡʈɖcɟqɢʔ"
_FALLEN: Final = 0.12
"""Of a sound's loudest moment, what counts as silent."""
_LEAST_HELD_S: Final = 0.015
_MISSING: Final = (
    "Synthetic speech needs the espeak-ng library, and it was not found. Install it (Debian and Ubuntu: apt-get install "
    "espeak-ng; macOS: brew install espeak-ng). Animating by speech does not need it."
)


@dataclass(frozen=True, slots=True)
class Phone:
    """One sound: its IPA letters ("" for a pause), start and end in seconds."""

    ipa: str
    start_s: float
    end_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Utterance:
    """What was said.

    Attributes:
        samples: [N] float32 in -1..1.
        rate_hz: samples per second.
        phones: in order of time, without gaps.
    """

    samples: np.ndarray
    rate_hz: int
    phones: tuple[Phone, ...]


_Spoken = tuple[np.ndarray, list[tuple[int, str]]]


class _Name(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int), ("unique", ctypes.c_uint), ("text_position", ctypes.c_int), ("length", ctypes.c_int),
        ("audio_ms", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("id", _Name),
    )  # fmt: skip


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Engine:
    """The library, opened once; it has one global state and is not for several threads."""

    def __init__(self) -> None:
        name = ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1"
        try:
            self._espeak = ctypes.CDLL(name)
        except OSError as error:
            raise ConfigError(_MISSING) from error
        self.rate_hz = int(self._espeak.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _PHONEME_IPA))
        if self.rate_hz <= 0:
            raise ConfigError(_MISSING)
        self.pieces: list[np.ndarray] = []
        self.starts: list[tuple[int, str]] = []
        self._keep = _Callback(self._take)
        self._espeak.espeak_SetSynthCallback(self._keep)

    def speak(self, text: str, name: str, settings: Iterable[tuple[int, int]]) -> _Spoken | None:
        """Samples [N] int16, and where each phoneme starts; None where there is no such voice."""
        if self._espeak.espeak_SetVoiceByName(name.encode()) != 0:
            return None
        for parameter, value in settings:
            self._espeak.espeak_SetParameter(parameter, value, 0)
        letters = text.encode()
        self._espeak.espeak_Synth(letters, len(letters) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None)
        self._espeak.espeak_Synchronize()
        return np.concatenate(self.pieces), self.starts

    def _take(self, samples: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        if count > 0:
            self.pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _EVENT_END:
            if events[index].type == _EVENT_PHONEME:
                # Eight bytes may hold eight letters' bytes without an end, or cut a letter in two.
                ipa = bytes(events[index].id.string).split(b"\0")[0].decode("utf8", "ignore")
                self.starts.append((int(events[index].sample), ipa))
            index += 1
        return 0


@cache
def _engine() -> _Engine:
    return _Engine()


def say(
    text: str, *, voice: str, variant: str = "", words_per_minute: int = 175, pitch: int = 50, spread: int = 50
) -> Utterance:
    """Says a text.

    Args:
        text: in the voice's language.
        voice: espeak-ng's name of the language.
        variant: of the voice, "" for the plain one.
        words_per_minute: 80 to 450.
        pitch, spread: height and range of the voice's melody, 0 to 100.

    Raises:
        ConfigError: no espeak-ng, or it has no such voice.
    """
    name = f"{voice}+{variant}" if variant else voice
    settings = ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, spread))
    spoken = _apart(lambda: _engine().speak(text, name, settings))
    if spoken is None:
        raise ConfigError(f"espeak-ng has no voice '{name}'. See them with: espeak-ng --voices")
    samples, starts = spoken
    rate_hz = _engine().rate_hz
    ends = [start for start, _ in starts[1:]] + [len(samples)]
    phones = tuple(
        Phone(ipa, start / rate_hz, end / rate_hz)
        for (start, ipa), end in zip(starts, ends, strict=True)
        if end > start and not ipa.startswith("(")
    )
    sound = samples.astype(np.float32) / 32768.0
    return Utterance(samples=sound, rate_hz=rate_hz, phones=held_from_silence(phones, sound, rate_hz))


def held_from_silence(phones: Sequence[Phone], samples: np.ndarray, rate_hz: int) -> tuple[Phone, ...]:
    """The phones with every stop beginning where the sound before it falls silent.

    The library counts the silence in which a stop is held, which is long in "mattina", to the vowel before it.
    """
    found = list(phones)
    step = rate_hz // 200
    for index, (before, stop) in enumerate(pairwise(phones)):
        if not stop.ipa or stop.ipa[0] not in _STOPS or not before.ipa:
            continue
        piece = samples[round(before.start_s * rate_hz) : round(before.end_s * rate_hz)]
        loud = np.abs(piece[: len(piece) // step * step]).reshape(-1, step).max(axis=1, initial=0.0)
        if not len(loud):
            continue
        last = int(np.flatnonzero(loud >= _FALLEN * loud.max())[-1]) + 1
        at_s = before.start_s + last * step / rate_hz
        if stop.start_s - at_s >= _LEAST_HELD_S:
            found[index] = replace(found[index], end_s=at_s)
            found[index + 1] = replace(stop, start_s=at_s)
    return tuple(found)


def _apart(work: Callable[[], _Spoken | None]) -> _Spoken | None:
    """What `work` returns, done in a copy of this process: a library that spoke before speaks a little differently."""
    _engine()  # opened here, so that every copy has it as it was in the beginning
    from_child, to_parent = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with os.fdopen(to_parent, "wb") as sink:
                pickle.dump(work(), sink)
        finally:
            os._exit(0)
    os.close(to_parent)
    with os.fdopen(from_child, "rb") as source:
        letters = source.read()
    os.waitpid(child, 0)
    found: _Spoken | None = pickle.loads(letters)  # written by this very program
    return found
