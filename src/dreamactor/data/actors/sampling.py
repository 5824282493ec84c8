"""Draws the people of the richer cast: bodies from toddler to giant, human and other heads, clothes for all occasions.

Ranges are wide on purpose; what goes together (age and stature, top and bottom hue, beard and hair) is drawn together.
"""

from __future__ import annotations

import colorsys
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np

from dreamactor.data.actors.body import BodyShape, Style, sample_face_shape
from dreamactor.data.actors.expression import FaceShape
from dreamactor.data.actors.wardrobe import BEARDS, HAIR, PATTERNS, PRINTS, Cloth, Color, Hat, Look, Lower

T = TypeVar("T")

STYLE_SHARE: Final[dict[Style, float]] = {"near_human": 0.60, "toy": 0.18, "big_head": 0.10, "creature": 0.12}

_SKIN: Final = (
    (0.98, 0.84, 0.75), (0.95, 0.78, 0.66), (0.91, 0.71, 0.57), (0.84, 0.63, 0.47), (0.76, 0.55, 0.39),
    (0.67, 0.46, 0.32), (0.55, 0.37, 0.26), (0.44, 0.29, 0.21), (0.33, 0.22, 0.17), (0.96, 0.80, 0.72),
)  # fmt: skip
_FANTASY: Final = (
    (0.60, 0.78, 0.93), (0.66, 0.88, 0.64), (0.82, 0.70, 0.93), (0.96, 0.70, 0.72), (0.95, 0.83, 0.45), (0.55, 0.80, 0.76),
)  # fmt: skip
_FUR: Final = (
    (0.80, 0.52, 0.26), (0.56, 0.40, 0.28), (0.42, 0.30, 0.23), (0.70, 0.70, 0.71), (0.90, 0.86, 0.78), (0.35, 0.34, 0.36),
    (0.86, 0.66, 0.45), (0.95, 0.93, 0.90),
)  # fmt: skip
_METAL: Final = ((0.68, 0.71, 0.75), (0.50, 0.58, 0.68), (0.80, 0.74, 0.62), (0.62, 0.40, 0.34))
_HAIR_COLOR: Final = (
    (0.09, 0.07, 0.07), (0.19, 0.12, 0.08), (0.33, 0.21, 0.12), (0.50, 0.32, 0.17), (0.82, 0.64, 0.36), (0.93, 0.83, 0.60),
    (0.64, 0.26, 0.12), (0.74, 0.74, 0.76), (0.94, 0.94, 0.95), (0.24, 0.30, 0.60), (0.80, 0.35, 0.58), (0.20, 0.48, 0.42),
)  # fmt: skip
_HAIR_COLOR_SHARE: Final = (0.20, 0.17, 0.15, 0.11, 0.10, 0.05, 0.07, 0.05, 0.03, 0.025, 0.025, 0.02)
_HAIR_SHARE: Final = (
    0.05, 0.07, 0.12, 0.09, 0.11, 0.05, 0.07, 0.06, 0.04,  # bald to spiky
    0.06, 0.02, 0.05, 0.05, 0.08, 0.03, 0.03, 0.02,  # afro to pixie
)  # fmt: skip
_IRIS: Final = (
    (0.28, 0.16, 0.08), (0.20, 0.12, 0.07), (0.38, 0.24, 0.10), (0.22, 0.40, 0.60), (0.25, 0.45, 0.25), (0.40, 0.42, 0.45),
)  # fmt: skip
_HATS: Final[tuple[tuple[Hat, float], ...]] = (
    ("none", 0.74), ("cap", 0.06), ("beanie", 0.05), ("brim", 0.03), ("bucket", 0.02), ("top", 0.01), ("headband", 0.03),
    ("helmet", 0.02), ("hood", 0.02), ("crown", 0.01), ("scarf", 0.01),
)  # fmt: skip


def _pick(rng: np.random.Generator, items: tuple[T, ...], share: tuple[float, ...] | None = None) -> T:
    return items[int(rng.choice(len(items), p=None if share is None else np.array(share) / sum(share)))]


def _hsv(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return red, green, blue


def _mix(a: Color, b: Color, share: float) -> Color:
    red, green, blue = (x * (1 - share) + y * share for x, y in zip(a, b, strict=True))
    return red, green, blue


def draw_style(rng: np.random.Generator) -> Style:
    """One of the styles, by their shares."""
    return _pick(rng, tuple(STYLE_SHARE), tuple(STYLE_SHARE.values()))


def draw_body(rng: np.random.Generator, style: Style) -> BodyShape:
    """A body; stature decides how many heads tall it is, all else varies by itself."""

    def near(spread: float, low: float, high: float) -> float:
        return float(np.clip(rng.normal(1, spread), low, high))

    kind = rng.choice(5, p=(0.07, 0.16, 0.60, 0.12, 0.05))  # toddler, child, adult, tall, giant
    height = (0.88, 1.28, 1.68, 1.88, 2.30)[kind] * near(0.05, 0.9, 1.1)
    heads = (4.5, 5.6, 6.9, 7.3, 7.9)[kind] * near(0.05, 0.88, 1.12)
    if style == "toy":
        heads = max(heads * float(rng.uniform(0.64, 0.84)), 3.4)
    elif style == "big_head":
        heads = float(rng.uniform(2.5, 3.4))
    elif style == "creature":
        heads = max(heads * float(rng.uniform(0.6, 0.95)), 3.0)
    head_radius = height / heads / 2
    below = height - 2 * head_radius
    legs = float(np.clip(rng.normal(0.54, 0.035), 0.44, 0.63)) * below
    torso = float(np.clip(rng.normal(0.34, 0.022), 0.28, 0.41)) * below
    arm, broad = near(0.085, 0.78, 1.26), near(0.11, 0.76, 1.32)
    knee, elbow = float(rng.normal(0, 0.018)), float(rng.normal(0, 0.018))
    stout = near(0.18, 0.7, 1.65)
    return BodyShape(
        head_radius=head_radius,
        neck=(0.055 if style == "near_human" else 0.062) * below * near(0.12, 0.75, 1.3),
        torso=torso,
        shoulder_half=max(0.128 * below * broad, 0.55 * head_radius),
        hip_half=0.062 * below * near(0.10, 0.78, 1.3),
        upper_arm=(0.196 + 0.366 * elbow) * below * arm,
        forearm=(0.170 - 0.366 * elbow) * below * arm,
        hand=0.115 * below * near(0.09, 0.8, 1.3) * (1.0 if style == "near_human" else 1.14),
        thigh=(0.51 + knee) * legs,
        shin=(0.45 - knee) * legs,
        foot=0.155 * below * near(0.09, 0.8, 1.3),
        girth=stout,
        limb_girth=float(np.clip(0.6 * (stout - 1) + rng.normal(1, 0.12), 0.7, 1.6))
        * (1.0 if style == "near_human" else 1.2),
    )


def draw_face(rng: np.random.Generator, style: Style) -> FaceShape:
    """A face of that style: longer, rounder or squarer than the first cast's, or an animal's, a robot's, an alien's."""
    shape = sample_face_shape(rng, "near_human" if style == "near_human" else "toy")
    wide, jaw = float(rng.normal(1, 0.045)), float(rng.normal(1, 0.07))
    shape = replace(
        shape,
        face_half_width=shape.face_half_width * wide,
        jaw_half_width=min(shape.jaw_half_width * wide * jaw, 1.02 * shape.face_half_width * wide),
        crown=float(np.clip(rng.normal(1, 0.06), 0.85, 1.15)),
        flatness=float(rng.uniform(2.05, 2.7)),
        nose_width=shape.nose_width * float(np.clip(rng.normal(1, 0.15), 0.7, 1.45)),
        nose_length=shape.nose_length * float(np.clip(rng.normal(1, 0.3), 0.4, 1.8)),
        upper_lip=shape.upper_lip * float(np.clip(rng.normal(1, 0.25), 0.5, 1.7)),
        lower_lip=shape.lower_lip * float(np.clip(rng.normal(1, 0.22), 0.55, 1.6)),
        brow_thickness=shape.brow_thickness * float(rng.uniform(0.6, 1.5)),
        eye_slant=float(rng.normal(0.01, 0.022)),
        ear_size=float(np.clip(rng.normal(1, 0.15), 0.7, 1.5)),
    )
    if style != "creature":
        return shape
    creature = _pick(rng, ("cat", "bear", "rabbit", "dog", "mouse", "robot", "alien"), (3, 3, 3, 3, 2, 2, 2))
    if creature == "robot":
        return replace(shape, creature=creature, flatness=float(rng.uniform(4.5, 7)), crown=1.22, nose_length=0.02,
                       jaw_half_width=0.97 * shape.face_half_width, brow_thickness=0.02, hairline_y=0.8)  # fmt: skip
    if creature == "alien":
        return replace(shape, creature=creature, crown=1.2, nose_length=0.03, nose_width=0.08, ear_size=0.8,
                       eye_half_width=1.12 * shape.eye_half_width, eye_height=1.15 * shape.eye_height,
                       jaw_half_width=0.82 * shape.jaw_half_width)  # fmt: skip
    return replace(shape, creature=creature, muzzle=float(rng.uniform(0.10, 0.26)), nose_length=0.05, nose_width=0.11,
                   upper_lip=0.5 * shape.upper_lip, lower_lip=0.6 * shape.lower_lip, ear_size=float(rng.uniform(0.85, 1.2)),
                   jaw_half_width=1.06 * shape.jaw_half_width, hairline_y=0.75)  # fmt: skip


def _draw_cloth(rng: np.random.Generator, hue: float, *, printed: bool) -> Cloth:
    kind = rng.random()
    saturation = float(
        rng.uniform(0, 0.10) if kind < 0.18 else rng.uniform(0.08, 0.32) if kind < 0.5 else rng.uniform(0.4, 0.88)
    )
    value = float(rng.uniform(0.10, 0.95))
    step = float(_pick(rng, (-0.42, 0.42)))
    if not 0.08 <= value + step <= 1.0:
        step = -step
    accent = _hsv(hue + float(_pick(rng, (0.0, 0.08, 0.5, 0.33))), float(rng.uniform(0.05, 0.8)), value + step)
    pattern = 0 if rng.random() < 0.45 else int(rng.integers(1, len(PATTERNS)))
    plain = pattern in (0, 11, 12)
    fabric = _pick(rng, ("weave", "denim", "knit", "noise", "fur", "marble", "photo"), (8, 3, 3, 2, 1, 1, 2))
    return Cloth(
        color=_hsv(hue, saturation, value),
        accent=accent,
        pattern=pattern,
        period_m=float(rng.uniform(0.045, 0.15)),
        front_print=int(rng.integers(1, len(PRINTS))) if printed and plain and rng.random() < 0.65 else 0,
        back_print=int(rng.integers(1, len(PRINTS))) if printed and rng.random() < 0.65 else 0,
        print_color=_hsv(hue + float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.2, 0.9)), 0.95 if value < 0.5 else 0.15),
        texture=fabric,
        relief=float(rng.uniform(0.25, 0.8)) * (0.6 if fabric == "photo" and rng.random() < 0.5 else 1.0),
        grain_m=float(rng.uniform(0.10, 0.35)),
        side_stripe=bool(rng.random() < 0.10),
    )


def draw_look(rng: np.random.Generator, face: FaceShape, style: Style, *, small: bool) -> Look:
    """Skin, hair and clothes that go together.

    Args:
        face: decides what skin an animal or a robot has.
        style: of the actor.
        small: a child: no beard, no wrinkles.
    """
    hue = float(rng.random())
    skin = _mix(_pick(rng, _SKIN), _pick(rng, _SKIN), 0.35 * float(rng.random()))
    kind, texture = _pick(rng, ("noise", "photo"), (3, 1)), 0.0
    if rng.random() < 0.35:
        texture = float(rng.uniform(0.05, 0.22))
    if face.creature == "robot":
        skin, kind, texture = _pick(rng, _METAL), "noise", float(rng.uniform(0.1, 0.35))
    elif face.creature == "alien":
        skin = _pick(rng, _FANTASY)
    elif face.creature != "human":
        skin, kind, texture = _pick(rng, _FUR), "fur", float(rng.uniform(0.15, 0.35))
    elif rng.random() < (0.03 if style == "near_human" else 0.12):
        skin = _pick(rng, _FANTASY)
    hair_color = _pick(rng, _HAIR_COLOR, _HAIR_COLOR_SHARE)
    hair = _pick(rng, HAIR, _HAIR_SHARE)
    if face.creature != "human":
        hair = _pick(rng, ("bald", "spiky", "mohawk", "topknot"), (14, 1, 1, 1))
    soft = hair in ("long", "wavy", "bun", "ponytail", "pigtails", "braids", "bob")
    beard = 0.0 if small or soft or face.creature != "human" or rng.random() < 0.62 else float(rng.uniform(0.55, 0.95))
    top = _draw_cloth(rng, hue, printed=True)
    if rng.random() < 0.35:
        bottom = _draw_cloth(rng, float(_pick(rng, (0.60, 0.62, 0.08))), printed=False)
    else:
        bottom = _draw_cloth(rng, hue + float(_pick(rng, (0.5, 0.08, 0.33, 0.6))), printed=False)
    lower: Lower = _pick(rng, ("trousers", "shorts", "skirt", "dress"), (0.54, 0.15, 0.15, 0.16))
    suit = lower == "trousers" and rng.random() < 0.22
    coat = float(rng.uniform(0.25, 0.75)) if lower in ("trousers", "shorts") and rng.random() < 0.16 else 0.0
    open_front = _hsv(hue + 0.5, float(rng.uniform(0, 0.4)), float(rng.uniform(0.3, 0.98))) if suit or coat else None
    hat = _pick(rng, tuple(h for h, _ in _HATS), tuple(p for _, p in _HATS))
    if face.creature != "human":
        hat = "none" if rng.random() < 0.85 else "headband"
    hood = hat == "hood" or (not suit and lower != "dress" and rng.random() < 0.10)
    return Look(
        skin=skin,
        lips=_mix(skin, (0.74, 0.20, 0.25), float(rng.uniform(0.25, 0.85)))
        if face.creature == "human"
        else _mix(skin, (0.3, 0.15, 0.15), 0.5),
        brow=_mix(hair_color, (0.12, 0.09, 0.08), 0.45),
        iris=_pick(rng, _IRIS),
        blush=float(rng.uniform(0, 0.35)) if face.creature != "robot" else 0.0,
        freckles=float(face.creature == "human" and rng.random() < 0.12),
        lashes=float(rng.uniform(0.2, 1)),
        hair=hair,
        hair_color=hair_color,
        hair_volume=float(rng.uniform(0.04, 0.13)),
        fringe=float(rng.uniform(-0.08, 0.20)),
        parting=float(rng.uniform(-0.5, 0.5)),
        beard=beard,
        top=top,
        bottom=top if lower == "dress" or (suit and rng.random() < 0.7) else bottom,
        lower=lower,
        sleeve=2.0
        if suit or coat or hood
        else _pick(rng, (0.0, 0.25, 0.45, 1.0, 1.5, 2.0), (0.10, 0.07, 0.30, 0.10, 0.06, 0.37)),
        leg_cover={
            "trousers": _pick(rng, (2.0, 1.75, 1.5), (0.8, 0.1, 0.1)),
            "shorts": float(rng.uniform(0.4, 1.1)),
            "skirt": 0.6,
            "dress": 0.6,
        }[lower],
        collar=_mix(top.color, top.accent, 0.7),
        hem_m=float(rng.uniform(0.0, 0.035)),
        shoe=_hsv(float(rng.random()), float(rng.uniform(0.0, 0.8)), float(rng.uniform(0.08, 0.95))),
        sock=(0.92, 0.92, 0.9) if rng.random() < 0.4 else skin if rng.random() < 0.6 else top.accent,
        hat=hat,
        hat_color=top.color
        if hat == "hood"
        else _hsv(hue + float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.2, 0.85)), float(rng.uniform(0.2, 0.95))),
        glasses=bool(face.creature in ("human", "alien") and rng.random() < 0.17),
        glasses_color=_hsv(float(rng.random()), float(rng.uniform(0, 0.6)), float(rng.uniform(0.04, 0.4))),
        hair_length=float(rng.uniform(-0.25, 0.5)),
        hair_wave=float(rng.uniform(0.5, 1.2)) if hair == "wavy" else float(rng.uniform(0, 0.25)),
        hair_streak=_hsv(float(rng.random()), 0.7, 0.85) if rng.random() < 0.08 else None,
        swing=float(rng.uniform(0.6, 1.0)),
        beard_style=_pick(rng, BEARDS, (3, 3, 2, 2, 1, 1)),
        age=float(rng.uniform(0.3, 1.0)) if not small and rng.random() < 0.22 else 0.0,
        makeup=float(rng.uniform(0.3, 0.8)) if soft and rng.random() < 0.4 else 0.0,
        eyeshadow=_hsv(float(rng.random()), 0.45, 0.5),
        muzzle_color=_mix(skin, (0.97, 0.95, 0.92), float(rng.uniform(0.4, 0.9))),
        skin_texture=texture,
        skin_kind=kind,
        neckline="shirt" if suit else _pick(rng, ("round", "v", "shirt", "turtle", "boat"), (0.42, 0.18, 0.14, 0.13, 0.13)),
        hood=hood,
        coat_m=coat,
        open_front=open_front,
        buttons=bool(rng.random() < (0.6 if suit or coat else 0.14)),
        tie=_hsv(float(rng.random()), float(rng.uniform(0.4, 0.9)), float(rng.uniform(0.2, 0.8)))
        if suit and rng.random() < 0.6
        else None,
        scarf=_hsv(float(rng.random()), float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.3, 0.9)))
        if rng.random() < 0.06
        else None,
        skirt_length=float(rng.uniform(0.28, 0.95)) if lower in ("skirt", "dress") else 0.0,
        flare=float(rng.uniform(0.35, 1.5)),
        pleats=float(rng.uniform(0, 1.8)),
        boot=float(rng.uniform(0.3, 0.9)) if rng.random() < 0.16 else 0.0,
        barefoot=bool(rng.random() < 0.07),
        gloves=_hsv(float(rng.random()), float(rng.uniform(0, 0.7)), float(rng.uniform(0.1, 0.95)))
        if rng.random() < 0.06
        else None,
        glasses_style=_pick(rng, ("round", "square", "sun"), (0.45, 0.4, 0.15)),
    )


def height_of_headgear(face: FaceShape, look: Look) -> float:
    """How far ears, hair and hats reach above the head's middle, in head radii."""
    ears = {"rabbit": 2.25, "cat": 1.25, "mouse": 1.25, "bear": 1.12}.get(face.creature, 1.12) * (0.5 + 0.5 * face.ear_size)
    hair = {"afro": 1.25 + 2.4 * look.hair_volume, "mohawk": 1.2 + 2.2 * look.hair_volume, "topknot": 1.5, "spiky": 1.3}
    hats = {"top": 1.6, "cap": 1.3, "beanie": 1.4, "brim": 1.35, "crown": 1.3, "helmet": 1.35, "bucket": 1.25, "hood": 1.2}
    return max(1.12, ears, hair.get(look.hair, 1.12) if look.hat in ("none", "headband") else 1.12, hats.get(look.hat, 1.12))
