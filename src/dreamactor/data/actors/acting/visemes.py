"""Visemes: what a face does for the sounds of speech, as mixtures of expression coefficients.

Fifteen groups of sounds, the usual set of speech animation. Values are those of a clear speaker in the middle of the sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dreamactor.data.actors.coefficients import COEFFICIENT, SCHEMA


@dataclass(frozen=True, slots=True)
class Viseme:
    """A group of sounds.

    Attributes:
        sounds: examples.
        shape: coefficient -> value.
        strength: how firmly it holds against its neighbours (lips must close for 'm', a 'k' takes any shape).
        length_s: usual length.
    """

    sounds: str
    shape: dict[str, float]
    strength: float
    length_s: float


VISEMES: Final = {
    "silence": Viseme("pause", {}, 0.7, 0.15),
    "PP": Viseme("p b m", {"lip_press": 0.9, "lip_roll": 0.45}, 3.2, 0.09),
    "FF": Viseme("f v", {"lip_tuck": 1.0, "jaw_open": 0.10, "upper_lip_raise": 0.15}, 2.6, 0.10),
    "TH": Viseme("th", {"tongue_out": 0.28, "jaw_open": 0.18, "mouth_wide": 0.1, "lower_lip_drop": 0.2}, 1.6, 0.09),
    "DD": Viseme("t d", {"jaw_open": 0.14, "tongue_up": 0.7, "mouth_wide": 0.15, "lower_lip_drop": 0.2}, 1.0, 0.07),
    "LL": Viseme("l n", {"jaw_open": 0.26, "tongue_up": 1.0, "mouth_wide": 0.12, "lower_lip_drop": 0.2}, 1.1, 0.09),
    "KK": Viseme("k g ng", {"jaw_open": 0.22, "lower_lip_drop": 0.1}, 0.6, 0.07),
    "CH": Viseme(
        "ch j sh", {"mouth_funnel": 0.75, "jaw_open": 0.08, "lower_lip_drop": 0.3, "upper_lip_raise": 0.3}, 1.8, 0.11
    ),
    "SS": Viseme("s z", {"mouth_wide": 0.45, "jaw_open": 0.05, "upper_lip_raise": 0.3, "lower_lip_drop": 0.5}, 1.4, 0.10),
    "RR": Viseme("r", {"lip_pucker": 0.35, "mouth_funnel": 0.4, "jaw_open": 0.14}, 1.0, 0.08),
    "AA": Viseme("a as in father", {"jaw_open": 0.78, "lower_lip_drop": 0.3, "upper_lip_raise": 0.1}, 1.0, 0.16),
    "EE": Viseme(
        "e as in bed", {"jaw_open": 0.45, "mouth_wide": 0.4, "upper_lip_raise": 0.2, "lower_lip_drop": 0.3}, 1.0, 0.14
    ),
    "IH": Viseme(
        "i as in see",
        {
            "jaw_open": 0.18,
            "mouth_wide": 0.75,
            "upper_lip_raise": 0.2,
            "lower_lip_drop": 0.3,
            "corner_out_left": 0.25,
            "corner_out_right": 0.25,
        },
        1.1,
        0.14,
    ),
    "OH": Viseme("o as in go", {"jaw_open": 0.48, "mouth_funnel": 0.75, "lip_pucker": 0.2}, 1.3, 0.15),
    "OU": Viseme("oo, w", {"lip_pucker": 0.95, "mouth_funnel": 0.30, "jaw_open": 0.12}, 1.6, 0.14),
}
VOWELS: Final = ("AA", "EE", "IH", "OH", "OU")
CONSONANTS: Final = ("PP", "FF", "TH", "DD", "LL", "KK", "CH", "SS", "RR")


def viseme_values(name: str) -> np.ndarray:
    """[E] all coefficients of a viseme."""
    out = np.zeros(len(SCHEMA))
    for coefficient, value in VISEMES[name].shape.items():
        out[COEFFICIENT[coefficient]] = value
    return out
