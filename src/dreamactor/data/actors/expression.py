"""What expression coefficients do to the features of a face.

Coordinates of a face are head units: x to the image right when frontal (the person's left), y up, origin in the middle of
the head, chin at y = -1 and crown at y = +1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.actors.coefficients import EXPRESSION_OF, SCHEMA
from dreamactor.geometry.skeleton import FACE_POINTS

CREATURES: Final = ("human", "cat", "bear", "rabbit", "dog", "mouse", "robot", "alien")
"""Kinds of heads; all have the same features and move by the same coefficients."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceShape:
    """Where the features of one face sit at rest, in head units.

    Attributes:
        flatness: exponent of the face's horizontal section; 2 is an ellipse, more is flatter in front, 4 and more a box.
        crown: how wide the skull is at the top against a human's (1).
        muzzle: how far an animal's muzzle stands out.
        creature: what kind of head it is, one of `CREATURES`.
        ear_size: against a human's (1).
    """

    eye_x: float
    eye_y: float
    eye_half_width: float
    eye_height: float
    eye_slant: float
    iris_radius: float
    brow_y: float
    brow_half_width: float
    brow_arch: float
    brow_thickness: float
    nose_y: float
    nose_width: float
    nose_length: float
    mouth_y: float
    mouth_half_width: float
    upper_lip: float
    lower_lip: float
    face_half_width: float
    jaw_half_width: float
    hairline_y: float
    flatness: float = 2.25
    crown: float = 1.0
    muzzle: float = 0.0
    creature: str = "human"
    ear_size: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceCurves:
    """The features of a face over time, in head units; every field is [T].

    A mouth curve is y(u) with u = -1 at the right corner (image left) and +1 at the left one.
    """

    mouth_x: Tensor
    mouth_y: Tensor
    mouth_half_width: Tensor
    corner_left: Tensor
    corner_right: Tensor
    gap_up: Tensor
    gap_down: Tensor
    upper_lip: Tensor
    lower_lip: Tensor
    open_left: Tensor
    open_right: Tensor
    lower_lid: Tensor
    gaze_x: Tensor
    gaze_y: Tensor
    brow_left: Tensor
    brow_right: Tensor
    furrow: Tensor
    jaw_drop: Tensor
    puff: Tensor
    reach_left: Tensor
    reach_right: Tensor
    lean: Tensor
    chin_x: Tensor
    tuck: Tensor
    tongue_out: Tensor
    tongue_up: Tensor
    sneer: Tensor

    def mouth_u(self, x: Tensor, y: Tensor, frame: Tensor) -> Tensor:
        """Place along the mouth of points x, y: -1 at the right corner, +1 at the left one."""
        away = x - self.mouth_x[frame] - self.lean[frame] * (self.mouth_y[frame] - y).clamp(min=0)
        reach = torch.where(away >= 0, self.reach_left[frame], self.reach_right[frame])
        return away / (self.mouth_half_width[frame] * reach)

    def mouth_at(self, u: Tensor, y: Tensor, frame: Tensor) -> Tensor:
        """x of the point at height y whose place along the mouth is u; undoes `mouth_u`."""
        reach = torch.where(u >= 0, self.reach_left[frame], self.reach_right[frame])
        away = u * (self.mouth_half_width[frame] * reach)
        return self.mouth_x[frame] + away + self.lean[frame] * (self.mouth_y[frame] - y).clamp(min=0)

    def center_line(self, u: Tensor, frame: Tensor) -> Tensor:
        """y of the line between the lips at u; `frame` picks the time of every u."""
        lift = torch.where(u >= 0, self.corner_left[frame], self.corner_right[frame])
        return self.mouth_y[frame] + lift * u.square()


def face_curves(shape: FaceShape, expression: Tensor) -> FaceCurves:
    """Moves the features of a face by expression coefficients [T, E]; E is the number of columns of any cast.

    Coefficients that a cast does not have are neutral.
    """
    num_frames, num_given = expression.shape
    if num_given not in {len(names) for names in EXPRESSION_OF.values()}:
        raise ValueError(f"expression has {num_given} columns; casts have {[len(n) for n in EXPRESSION_OF.values()]}")
    neutral = torch.zeros(num_frames)
    e = {one.name: expression[:, i] if i < num_given else neutral for i, one in enumerate(SCHEMA)}
    smile = (e["smile_left"] + e["smile_right"]) / 2
    funnel, tuck, sneer, pout = e["mouth_funnel"], e["lip_tuck"], e["nose_sneer"], e["chin_raise"]
    half_width = shape.mouth_half_width * (
        1 - 0.42 * e["lip_pucker"] + 0.25 * e["mouth_wide"] + 0.22 * smile - 0.12 * e["jaw_open"] - 0.34 * funnel
    )
    press = (1 - 0.65 * e["lip_press"]) * (1 - 0.75 * e["lip_roll"])
    opening = e["jaw_open"]
    return FaceCurves(
        mouth_x=0.12 * e["mouth_shift"] + 0.03 * e["jaw_shift"],
        mouth_y=shape.mouth_y - 0.07 * opening + 0.02 * smile + 0.045 * pout,
        mouth_half_width=half_width.clamp(min=0.3 * shape.mouth_half_width),
        corner_left=0.13 * e["smile_left"] - 0.10 * e["frown"] - 0.03 * opening - 0.075 * pout,
        corner_right=0.13 * e["smile_right"] - 0.10 * e["frown"] - 0.03 * opening - 0.075 * pout,
        gap_up=0.05 * opening + 0.045 * e["upper_lip_raise"] + 0.01 * smile + 0.045 * funnel + 0.03 * tuck + 0.02 * sneer,
        gap_down=(0.25 * opening + 0.05 * e["lower_lip_drop"] + 0.012 * smile + 0.065 * funnel) * (1 - 0.95 * tuck),
        upper_lip=shape.upper_lip * press * (1 + 0.45 * e["lip_pucker"] - 0.25 * smile + 0.30 * funnel),
        lower_lip=shape.lower_lip
        * press
        * (1 + 0.45 * e["lip_pucker"] - 0.2 * smile + 0.30 * funnel + 0.25 * pout)
        * (1 - 0.6 * tuck),
        open_left=(1 + 0.45 * e["eye_wide"] - 0.4 * e["squint"]).clamp(min=0.3) * (1 - e["blink_left"]),
        open_right=(1 + 0.45 * e["eye_wide"] - 0.4 * e["squint"]).clamp(min=0.3) * (1 - e["blink_right"]),
        lower_lid=1 - 0.5 * e["squint"] - 0.2 * smile,
        gaze_x=e["gaze_x"],
        gaze_y=e["gaze_y"],
        brow_left=0.16 * e["brow_raise_left"] - 0.05 * e["brow_furrow"] - 0.02 * sneer,
        brow_right=0.16 * e["brow_raise_right"] - 0.05 * e["brow_furrow"] - 0.02 * sneer,
        furrow=e["brow_furrow"],
        jaw_drop=0.16 * opening - 0.02 * pout,
        puff=e["cheek_puff"],
        reach_left=1 + 0.32 * e["corner_out_left"],
        reach_right=1 + 0.32 * e["corner_out_right"],
        lean=0.35 * e["jaw_shift"],
        chin_x=0.10 * e["jaw_shift"],
        tuck=tuck,
        tongue_out=e["tongue_out"],
        tongue_up=e["tongue_up"],
        sneer=sneer,
    )


_UPPER_OUTER: Final = (-1.0, -0.6, -0.22, 0.0, 0.22, 0.6, 1.0)
_LOWER_OUTER: Final = (0.75, 0.3, 0.0, -0.3, -0.75)
_UPPER_INNER: Final = (-0.88, -0.5, 0.0, 0.5, 0.88)
_LOWER_INNER: Final = (0.55, 0.0, -0.55)
_EYE_POINTS: Final = ((1.0, 0), (0.36, 1), (-0.36, 1), (-1.0, 0), (-0.36, -1), (0.36, -1))
"""Per eye point: place along the eye (1 outer corner, -1 inner corner), and lid (1 upper, -1 lower, 0 corner)."""


def lid_heights(shape: FaceShape, curves: FaceCurves, side: int) -> tuple[Tensor, Tensor]:
    """Highest point of the upper and lowest of the lower lid above the eye's middle, [T] each; side +1 left, -1 right."""
    opening = curves.open_left if side > 0 else curves.open_right
    lower = -0.42 * shape.eye_height * curves.lower_lid
    return lower + (0.58 * shape.eye_height - lower) * opening, lower


def face_points(shape: FaceShape, curves: FaceCurves) -> Tensor:
    """The face points as drawn: [T, P, 2] x, y in head units, in the order of `FACE_POINTS`."""
    num_frames = curves.mouth_x.shape[0]
    every = torch.arange(num_frames)
    found: dict[str, tuple[Tensor, Tensor]] = {}
    zero = torch.zeros(num_frames)

    def lips(prefix: str, places: tuple[float, ...], start: int, *, upper: bool, outer: bool) -> None:
        for index, place in enumerate(places):
            u = torch.full((num_frames,), place)
            bow = (1 - u.square()).clamp(min=0)
            y = curves.center_line(u, every)
            if upper:
                y = y + curves.gap_up * bow + (curves.upper_lip * bow.sqrt() if outer else 0)
            else:
                y = y - curves.gap_down * bow.sqrt() - (curves.lower_lip * bow.sqrt() if outer else 0)
            found[f"{prefix}_{start + index}"] = (curves.mouth_at(u, y, every), y)

    lips("lip_outer", _UPPER_OUTER, 0, upper=True, outer=True)
    lips("lip_outer", _LOWER_OUTER, 7, upper=False, outer=True)
    lips("lip_inner", _UPPER_INNER, 0, upper=True, outer=False)
    lips("lip_inner", _LOWER_INNER, 5, upper=False, outer=False)
    for name, side in (("left", 1), ("right", -1)):
        upper, lower = lid_heights(shape, curves, side)
        for index, (along, lid) in enumerate(_EYE_POINTS):
            bow = 1 - along**2
            y = shape.eye_y + shape.eye_slant * along + (upper if lid > 0 else lower) * (bow if lid else 0)
            found[f"{name}_eye_{index}"] = (zero + side * shape.eye_x + side * along * shape.eye_half_width, zero + y)
        found[f"{name}_iris"] = iris_center(shape, curves, side)
        raised = curves.brow_left if side > 0 else curves.brow_right
        for index, along in enumerate((1.0, 0.5, 0.0, -0.5, -1.0)):
            x = side * (shape.eye_x + along * shape.brow_half_width)
            found[f"{name}_brow_{index}"] = (zero + x, brow_height(shape, raised, curves.furrow, zero + along))
        found[f"{name}_ala"] = (zero + side * shape.nose_width, shape.nose_y + 0.035 * curves.sneer)
        found[f"{name}_cheek"] = (zero + side * 0.98 * shape.face_half_width, zero + shape.eye_y - 0.05)
        found[f"{name}_jaw"] = (0.5 * curves.chin_x + side * 0.86 * shape.jaw_half_width, -0.66 - 0.6 * curves.jaw_drop)
    found["nose_bridge"] = (zero, zero + shape.eye_y + 0.04)
    found["nose_tip"] = (zero, zero + shape.nose_y + 0.05)
    found["forehead"] = (zero, zero + shape.hairline_y)
    found["chin"] = (curves.chin_x, -0.98 - curves.jaw_drop)
    return torch.stack([torch.stack(found[name], dim=-1) for name in FACE_POINTS], dim=1)


def iris_center(shape: FaceShape, curves: FaceCurves, side: int) -> tuple[Tensor, Tensor]:
    """Middle of the iris: x, y in head units, [T] each; side +1 left, -1 right."""
    reach = shape.eye_half_width - 0.6 * shape.iris_radius
    x = side * shape.eye_x + 0.62 * reach * curves.gaze_x
    y = shape.eye_y + 0.02 * shape.eye_height + 0.26 * shape.eye_height * curves.gaze_y
    return x, y


def brow_height(shape: FaceShape, raised: Tensor, furrow: Tensor, along: Tensor) -> Tensor:
    """y of a brow's middle line at `along` (1 outer end, -1 inner end); tensors broadcast."""
    inner = (0.5 - 0.5 * along).square()
    return shape.brow_y + raised + shape.brow_arch * (1 - along.square()) - 0.09 * furrow * inner - 0.02 * along
