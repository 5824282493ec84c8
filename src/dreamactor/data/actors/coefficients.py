"""The expression schema: what every coefficient of an actor's face is called, means and moves.

One list serves the renderer, the face encoders, the judge and speech. New coefficients are only ever appended, so that a
coefficient keeps its column: performances of cast 2 carry the first 20 columns, those of cast 3 all of them. `left` and
`right` are the person's own. 0 is neutral; values go from `low` to 1 and are clipped nowhere but where they are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dreamactor.data.actors.cast import DEFAULT_CAST, Cast


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One way a face can move.

    Attributes:
        name: what it is called everywhere.
        moves: what moves at 1 (and, for signed ones, at -1).
        low: smallest value: 0, or -1 for signed ones.
    """

    name: str
    moves: str
    low: float = 0.0


SCHEMA: Final = (
    Coefficient("jaw_open", "jaw and chin drop, the lips part"),
    Coefficient("lip_pucker", "the mouth narrows, both lips thicken, as for a kiss or 'oo'"),
    Coefficient("mouth_wide", "both corners move apart, as for 'ee'"),
    Coefficient("smile_left", "the left corner moves up and out, the cheek rises"),
    Coefficient("smile_right", "the right corner moves up and out, the cheek rises"),
    Coefficient("frown", "both corners move down"),
    Coefficient("mouth_shift", "the whole mouth moves to the person's left (1) or right (-1)", -1.0),
    Coefficient("upper_lip_raise", "the upper lip rises and shows the upper teeth"),
    Coefficient("lower_lip_drop", "the lower lip drops and shows the lower teeth"),
    Coefficient("lip_press", "closed lips press together and get thin, as for 'm'"),
    Coefficient("blink_left", "the left upper lid closes"),
    Coefficient("blink_right", "the right upper lid closes"),
    Coefficient("eye_wide", "both upper lids rise above rest"),
    Coefficient("squint", "both lower lids rise, the eyes narrow"),
    Coefficient("gaze_x", "both eyes look to the person's left (1) or right (-1)", -1.0),
    Coefficient("gaze_y", "both eyes look up (1) or down (-1)", -1.0),
    Coefficient("brow_raise_left", "the left brow rises"),
    Coefficient("brow_raise_right", "the right brow rises"),
    Coefficient("brow_furrow", "the brows move down and together, a crease between them"),
    Coefficient("cheek_puff", "both cheeks fill with air"),
    Coefficient("mouth_funnel", "lips round, stand out and open to a ring, as for 'oh' and 'sh'"),
    Coefficient("lip_roll", "both lips roll inward over the teeth and almost vanish, as for 'p' and 'b'"),
    Coefficient("lip_tuck", "the lower lip moves up and in under the upper teeth, as for 'f' and 'v'"),
    Coefficient("chin_raise", "chin and lower lip push up, the line of the mouth arches, as in a pout"),
    Coefficient("corner_out_left", "the left corner is pulled sideways, without lifting"),
    Coefficient("corner_out_right", "the right corner is pulled sideways, without lifting"),
    Coefficient("tongue_out", "the tongue comes out over the lower lip (small values: between the teeth, as for 'th')"),
    Coefficient("tongue_up", "the tongue's tip rises to the upper teeth, seen in an open mouth, as for 'l', 'd' and 'n'"),
    Coefficient("nose_sneer", "the wings of the nose rise, folds beside them, the upper lip rises a little"),
    Coefficient("jaw_shift", "chin and lower lip move to the person's left (1) or right (-1)", -1.0),
)
"""All coefficients in storage order."""

COEFFICIENT: Final = {one.name: index for index, one in enumerate(SCHEMA)}
"""Name -> column, the same in every cast."""

EXPRESSION_OF: Final[dict[Cast, tuple[str, ...]]] = {
    "2": tuple(one.name for one in SCHEMA[:20]),
    "3": tuple(one.name for one in SCHEMA),
}
"""The columns that performances of a cast carry."""

EXPRESSION: Final = EXPRESSION_OF[DEFAULT_CAST]
NUM_EXPRESSION: Final = len(EXPRESSION)
"""Columns of the default cast: the width of the networks trained on it."""
