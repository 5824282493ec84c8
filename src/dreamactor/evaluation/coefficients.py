"""Coefficients of drawn faces, by name: judges and truths may have different ones, in columns of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from torch import Tensor

JUDGED: Final = (
    "jaw_open", "smile_left", "smile_right", "blink_left", "blink_right", "gaze_x", "gaze_y", "brow_raise_left",
    "brow_raise_right",
)  # fmt: skip
"""The coefficients that are judged; every judge reads them, and every truth has them."""
UNNAMED: Final = (
    "jaw_open", "lip_pucker", "mouth_wide", "smile_left", "smile_right", "frown", "mouth_shift", "upper_lip_raise",
    "lower_lip_drop", "lip_press", "blink_left", "blink_right", "eye_wide", "squint", "gaze_x", "gaze_y", "brow_raise_left",
    "brow_raise_right", "brow_furrow", "cheek_puff",
)  # fmt: skip
"""The coefficients of files that do not name theirs: there were no others then."""


def pick(expression: Tensor, names: Sequence[str], wanted: Sequence[str]) -> Tensor:
    """The wanted columns of expressions [T, E], [T, len(wanted)], where `names` says what each of the E columns is."""
    return expression[:, [names.index(name) for name in wanted]]


def missing(names: Sequence[str]) -> str:
    """Why these names cannot be those of a judge or a truth; empty where they can."""
    if len(set(names)) != len(names):
        return "a coefficient is named twice"
    absent = [name for name in JUDGED if name not in names]
    return f"no {', '.join(absent)} among the coefficients" if absent else ""
