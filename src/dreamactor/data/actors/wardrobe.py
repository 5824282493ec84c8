"""What an actor looks like on the surface: colours, cloth patterns, hair, hats, glasses, shoes."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

Color = tuple[float, float, float]
"""Linear-ish RGB in 0..1."""

PATTERNS: Final = (
    "plain", "bands", "pinstripes", "checks", "dots", "diagonal", "two_tone",
    "plaid", "zigzag", "blots", "flowers", "gradient", "panels", "wide_stripes",
)  # fmt: skip
PRINTS: Final = (
    "none", "disc", "ring", "bar", "diamond", "cross", "number",
    "star", "heart", "stripes", "letter", "bolt", "smile", "target",
)  # fmt: skip
HAIR: Final = (
    "bald", "crop", "short", "bob", "long", "bun", "ponytail", "curls", "spiky",
    "afro", "mohawk", "pigtails", "braids", "wavy", "bowl", "topknot", "pixie",
)  # fmt: skip
BEARDS: Final = ("stubble", "full", "goatee", "moustache", "sideburns", "long")
COLLARS: Final = ("round", "v", "shirt", "turtle", "boat")
TEXTURES: Final = ("weave", "denim", "knit", "fur", "noise", "marble", "photo")
"""What cloth, hair and skin may look like from near; all are drawn from noise, none is a picture of anything."""
Lower = Literal["trousers", "shorts", "skirt", "dress"]
Hat = Literal["none", "cap", "beanie", "brim", "bucket", "top", "headband", "helmet", "hood", "crown", "scarf"]

_SKIN: Final = (
    (0.97, 0.82, 0.72), (0.94, 0.76, 0.63), (0.89, 0.69, 0.54), (0.80, 0.59, 0.43),
    (0.69, 0.48, 0.33), (0.55, 0.37, 0.26), (0.42, 0.28, 0.20), (0.95, 0.79, 0.70),
)  # fmt: skip
_FANTASY_SKIN: Final = ((0.62, 0.78, 0.92), (0.68, 0.88, 0.66), (0.82, 0.70, 0.92), (0.95, 0.72, 0.72))
_HAIR_COLOR: Final = (
    (0.10, 0.08, 0.08), (0.20, 0.13, 0.09), (0.35, 0.22, 0.13), (0.55, 0.36, 0.18), (0.83, 0.65, 0.36),
    (0.62, 0.25, 0.12), (0.72, 0.72, 0.74), (0.25, 0.30, 0.55), (0.75, 0.35, 0.55), (0.20, 0.45, 0.42),
)  # fmt: skip
_HAIR_SHARE: Final = (0.2, 0.2, 0.18, 0.12, 0.1, 0.07, 0.05, 0.03, 0.03, 0.02)
_IRIS: Final = ((0.28, 0.16, 0.08), (0.20, 0.12, 0.07), (0.22, 0.40, 0.60), (0.25, 0.45, 0.25), (0.40, 0.42, 0.45))


@dataclass(frozen=True, kw_only=True, slots=True)
class Cloth:
    """One garment's surface.

    Attributes:
        color, accent: ground and pattern.
        pattern: index into `PATTERNS`.
        period_m: size of the pattern.
        front_print, back_print: index into `PRINTS`.
        print_color: of both prints.
        texture: one of `TEXTURES`; `relief` (0..1) says how strongly it shows, `grain_m` how large it is.
        side_stripe: a stripe in the accent's colour down the sides.
    """

    color: Color
    accent: Color
    pattern: int
    period_m: float
    front_print: int
    back_print: int
    print_color: Color
    texture: str = "weave"
    relief: float = 0.0
    grain_m: float = 0.2
    side_stripe: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """Everything about an actor's surface. What has a default came with the richer casts, and draws nothing by default.

    Attributes:
        hair: one of `HAIR`; `hair_volume`, `fringe`, `parting`, `hair_length` (longer downwards), `hair_wave` shape it.
        hair_streak: colour of streaks; None for none.
        swing: how far hair and skirts follow motion late, 0 (stiff) to 1.
        beard: how dense; `beard_style` is one of `BEARDS`.
        age: wrinkles, 0 to 1. `makeup`: strength of eye shadow in `eyeshadow`.
        skin_texture: how much the skin shows noise, pores or fur, 0 to 1; `skin_kind` is one of `TEXTURES`.
        sleeve, leg_cover: how far cloth goes down the limb (1: elbow or knee, 2: wrist or ankle).
        neckline: one of `COLLARS`. `hood`: hangs down the back. `coat_m`: length of a coat below the belt.
        open_front: colour of what an open jacket shows; `buttons`: a row of them; `tie`, `scarf`: their colours.
        skirt_length: as a share of the way from hip to ankle; 0 for the old rule. `flare`, `pleats`: its form.
        boot: height of the shoe's shaft in foot lengths; `barefoot`; `gloves`: their colour.
        glasses: worn or not; `glasses_style` round, square or sun.
    """

    skin: Color
    lips: Color
    brow: Color
    iris: Color
    blush: float
    freckles: float
    lashes: float
    hair: str
    hair_color: Color
    hair_volume: float
    fringe: float
    parting: float
    beard: float
    top: Cloth
    bottom: Cloth
    lower: Lower
    sleeve: float
    leg_cover: float
    collar: Color
    hem_m: float
    shoe: Color
    sock: Color
    hat: Hat
    hat_color: Color
    glasses: bool
    glasses_color: Color
    hair_length: float = 0.0
    hair_wave: float = 0.0
    hair_streak: Color | None = None
    swing: float = 0.0
    beard_style: str = "full"
    age: float = 0.0
    makeup: float = 0.0
    eyeshadow: Color = (0.5, 0.3, 0.4)
    muzzle_color: Color = (0.95, 0.92, 0.88)
    skin_texture: float = 0.0
    skin_kind: str = "noise"
    neckline: str = "round"
    hood: bool = False
    coat_m: float = 0.0
    open_front: Color | None = None
    buttons: bool = False
    tie: Color | None = None
    scarf: Color | None = None
    skirt_length: float = 0.0
    flare: float = 1.0
    pleats: float = 1.0
    boot: float = 0.0
    barefoot: bool = False
    gloves: Color | None = None
    glasses_style: str = "round"


def _hsv(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, float(np.clip(saturation, 0, 1)), float(np.clip(value, 0, 1)))
    return float(red), float(green), float(blue)


def _mix(a: Color, b: Color, share: float) -> Color:
    red, green, blue = (x * (1 - share) + y * share for x, y in zip(a, b, strict=True))
    return red, green, blue


def _sample_cloth(rng: np.random.Generator, hue: float, *, printed: bool) -> Cloth:
    muted = rng.random() < 0.35
    saturation = float(rng.uniform(0.05, 0.25) if muted else rng.uniform(0.45, 0.85))
    value = float(rng.uniform(0.25, 0.95))
    accent = _hsv(
        hue + float(rng.choice((0.0, 0.08, 0.5, 0.33))),
        rng.uniform(0.1, 0.8),
        np.clip(value + rng.choice((-0.4, 0.4)), 0.12, 1.0),
    )
    pattern = 0 if rng.random() < 0.42 else int(rng.integers(1, 7))
    prints = printed and rng.random() < 0.7
    return Cloth(
        color=_hsv(hue, saturation, value),
        accent=accent,
        pattern=pattern,
        period_m=float(rng.uniform(0.05, 0.13)),
        front_print=int(rng.integers(1, 7)) if prints and pattern < 2 else 0,
        back_print=int(rng.integers(1, 7)) if printed and rng.random() < 0.75 else 0,
        print_color=_hsv(hue + rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.9), rng.choice((0.15, 0.95))),
    )


def sample_look(rng: np.random.Generator, *, fantasy: bool) -> Look:
    """Colours that go together: one hue for the top, a related one below."""
    skin = _FANTASY_SKIN[rng.integers(len(_FANTASY_SKIN))] if fantasy else _SKIN[rng.integers(len(_SKIN))]
    skin = _mix(skin, _SKIN[rng.integers(len(_SKIN))], 0.25 * float(rng.random()))
    hair_color = _HAIR_COLOR[rng.choice(len(_HAIR_COLOR), p=_HAIR_SHARE)]
    hue = float(rng.random())
    lower = str(rng.choice(("trousers", "shorts", "skirt", "dress"), p=(0.55, 0.17, 0.14, 0.14)))
    top = _sample_cloth(rng, hue, printed=True)
    bottom = _sample_cloth(rng, hue + float(rng.choice((0.5, 0.08, 0.33, 0.6))), printed=False)
    if rng.random() < 0.5:
        bottom = Cloth(
            color=_hsv(rng.choice((0.6, 0.62, 0.08)), rng.uniform(0.15, 0.6), rng.uniform(0.2, 0.6)),
            accent=bottom.accent,
            pattern=0,
            period_m=0.08,
            front_print=0,
            back_print=0,
            print_color=bottom.print_color,
        )
    hair = str(rng.choice(HAIR[:9], p=(0.06, 0.12, 0.22, 0.14, 0.15, 0.08, 0.09, 0.08, 0.06)))
    return Look(
        skin=skin,
        lips=_mix(skin, (0.72, 0.22, 0.25), float(rng.uniform(0.4, 0.8))),
        brow=_mix(hair_color, (0.12, 0.09, 0.08), 0.45),
        iris=_IRIS[rng.integers(len(_IRIS))],
        blush=float(rng.uniform(0, 0.35)),
        freckles=float(rng.random() < 0.12),
        lashes=float(rng.uniform(0.3, 1)),
        hair=hair,
        hair_color=hair_color,
        hair_volume=float(rng.uniform(0.04, 0.13)),
        fringe=float(rng.uniform(-0.08, 0.16)),
        parting=float(rng.uniform(-0.5, 0.5)),
        beard=float(rng.uniform(0.5, 0.9)) if hair in ("bald", "crop", "short") and rng.random() < 0.3 else 0.0,
        top=top,
        bottom=top if lower == "dress" else bottom,
        lower=lower,  # type: ignore[arg-type]
        sleeve=float(rng.choice((0.0, 0.45, 1.0, 2.0), p=(0.1, 0.35, 0.15, 0.4))),
        leg_cover={"trousers": 2.0, "shorts": float(rng.uniform(0.5, 1.1)), "skirt": 0.6, "dress": 0.6}[lower],
        collar=_mix(top.color, top.accent, 0.7),
        hem_m=float(rng.uniform(0.0, 0.025)),
        shoe=_hsv(rng.random(), rng.uniform(0.1, 0.8), rng.uniform(0.12, 0.9)),
        sock=(0.92, 0.92, 0.9) if rng.random() < 0.5 else skin,
        hat=str(rng.choice(("none", "cap", "beanie", "brim"), p=(0.82, 0.08, 0.06, 0.04))),  # type: ignore[arg-type]
        hat_color=_hsv(hue + rng.uniform(0.2, 0.8), rng.uniform(0.3, 0.8), rng.uniform(0.25, 0.9)),
        glasses=bool(rng.random() < 0.16),
        glasses_color=_hsv(rng.random(), rng.uniform(0, 0.6), rng.uniform(0.05, 0.4)),
    )
