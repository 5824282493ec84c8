"""Where a performance takes place: background, light, and the camera that frames it. The camera never moves."""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.data.actors.body import BodyShape, Joints
from dreamactor.data.actors.cast import DEFAULT_CAST, Cast
from dreamactor.data.actors.curves import stream
from dreamactor.data.actors.motion import Framing
from dreamactor.data.actors.texture import photo_like

BACKGROUNDS: Final = ("plain", "gradient", "room", "outdoor", "clutter", "photo", "street", "studio")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A place.

    Attributes:
        seed: of the background's own details.
        background: one of `BACKGROUNDS`.
        light: unit direction towards the key light (world axes).
        key, fill, rim: strengths.
        warmth: tint of the key light, -1 (cool) to 1 (warm).
        distance: camera distance in body heights.
        height: camera height between the middle of the view (0) and one body height above it (1).
        margin: room around the person, as a share of the view.
        shift: sideways placement of the person, as a share of the view.
    """

    seed: int
    background: str
    light: tuple[float, float, float]
    key: float
    fill: float
    rim: float
    warmth: float
    distance: float
    height: float
    margin: float
    shift: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Camera:
    """A pinhole looking along -z: u = cx + f (x - X) / (Z - z), v = cy - f (y - Y) / (Z - z), in pixels."""

    place: tuple[float, float, float]
    focal_px: float
    center_px: tuple[float, float]

    def project(self, point: Tensor) -> Tensor:
        """World metres [..., 3] -> pixels and depth [..., 3]; depth is the distance along the view axis in metres."""
        return torch.stack(self.project_rows(*point.unbind(-1)), dim=-1)

    def project_rows(self, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same for coordinates that lie apart."""
        depth = self.place[2] - z
        u = self.center_px[0] + self.focal_px * (x - self.place[0]) / depth
        v = self.center_px[1] - self.focal_px * (y - self.place[1]) / depth
        return u, v, depth


def sample_scene(seed: int, *, framing: Framing, cast: Cast = DEFAULT_CAST) -> Scene:
    """A random place for a framing; equal seeds give equal places on any machine."""
    if cast == "3":
        return _sample_richer(seed, framing)
    rng = np.random.Generator(np.random.PCG64([seed, 0x5CE7E]))
    azimuth, elevation = rng.uniform(-1.0, 1.0), rng.uniform(0.3, 1.1)
    light = (np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation))
    return Scene(
        seed=int(rng.integers(1 << 31)),
        background=str(rng.choice(BACKGROUNDS[:5], p=(0.2, 0.25, 0.25, 0.15, 0.15))),
        light=(float(light[0]), float(light[1]), float(light[2])),
        key=float(rng.uniform(0.5, 0.72)),
        fill=float(rng.uniform(0.38, 0.55)),
        rim=float(rng.uniform(0.0, 0.3)),
        warmth=float(rng.uniform(-0.5, 0.8)),
        distance=float(rng.uniform(2.2, 4.5)),
        height=float(rng.uniform(-0.05, 0.25)) if framing == "full" else float(rng.uniform(-0.05, 0.08)),
        margin=float(rng.uniform(0.06, 0.16)),
        shift=float(rng.normal(0, 0.025)),
    )


def _sample_richer(seed: int, framing: Framing) -> Scene:
    """Light from any side, cameras from near and far, low and high."""
    rng = stream(seed, "scene of cast 3")
    behind = rng.random() < 0.12
    azimuth = float(rng.uniform(-3.1, 3.1) if behind else rng.uniform(-1.3, 1.3))
    elevation = float(rng.uniform(0.1, 1.25))
    high = {"full": (-0.10, 0.40), "upper": (-0.10, 0.16), "portrait": (-0.08, 0.10)}[framing]
    return Scene(
        seed=int(rng.integers(1 << 31)),
        background=str(rng.choice(BACKGROUNDS, p=(0.14, 0.13, 0.19, 0.14, 0.10, 0.12, 0.09, 0.09))),
        light=(math.sin(azimuth) * math.cos(elevation), math.sin(elevation), math.cos(azimuth) * math.cos(elevation)),
        key=float(rng.uniform(0.42, 0.78)),
        fill=float(rng.uniform(0.32, 0.58)) + 0.1 * behind,
        rim=float(rng.uniform(0.0, 0.4)) + 0.3 * behind,
        warmth=float(rng.uniform(-0.8, 1.0)),
        distance=float(rng.uniform(1.7, 5.0)),
        height=float(rng.uniform(*high)),
        margin=float(rng.uniform(0.04, 0.20)),
        shift=float(rng.normal(0, 0.04)),
    )


def place_camera(scene: Scene, body: BodyShape, joints: Joints, framing: Framing, *, width: int, height: int) -> Camera:
    """Frames the whole performance: all of it for full, hips up for upper, head and shoulders for portrait.

    Who walks towards the camera gets larger; such performances (the pelvis leaves the plane z = 0) are framed as they are
    seen, the others as they are built.
    """
    head = joints.place["head"]
    crown = head[:, 1] + body.top * body.head_radius
    stature = body.leg + body.torso + body.neck + 2 * body.head_radius
    if framing == "full":
        inside = torch.stack(list(joints.place.values()), dim=1)
        fingertips = joints.fingers[..., 3, :].flatten(1, 2)
        inside = torch.cat([inside, fingertips], dim=1)
        low, high = float(inside[..., 1].min()), max(float(crown.max()), float(inside[..., 1].max()))
        left, right = float(inside[..., 0].min()), float(inside[..., 0].max())
        if bool((joints.place["pelvis"][:, 2] != 0).any()):
            top = torch.stack([head[:, 0], crown, head[:, 2]], dim=-1)
            everything = torch.cat([inside.flatten(0, 1), top])
            distance = scene.distance * stature
            for _ in range(3):
                middle_x, eye = (left + right) / 2, (low + high) / 2 + scene.height * stature
                nearer = distance / (distance - everything[:, 2])
                x = middle_x + (everything[:, 0] - middle_x) * nearer
                y = eye + (everything[:, 1] - eye) * nearer
                left, right, low, high = (float(v) for v in (x.min(), x.max(), y.min(), y.max()))
    else:
        hips = float(joints.place["pelvis"][:, 1].mean())
        neck = float(joints.place["neck"][:, 1].mean())
        high = float(crown.mean()) + 0.25 * body.head_radius
        low = hips + 0.1 * body.torso if framing == "upper" else neck - 0.85 * body.head_radius
        reach = (body.shoulder_half + 0.5 * body.upper_arm) if framing == "upper" else 1.9 * body.head_radius
        middle = float(joints.place["neck"][:, 0].mean())
        left, right = middle - reach, middle + reach
    span = max(high - low, (right - left) * height / width) * (1 + 2 * scene.margin)
    center_y, center_x = (high + low) / 2, (left + right) / 2 - scene.shift * span
    distance = scene.distance * stature * (1.0 if framing == "full" else 0.62)
    eye = center_y + scene.height * stature
    focal = height * distance / span
    return Camera(
        place=(center_x, eye, distance),
        focal_px=focal,
        center_px=(width / 2, height / 2 - focal * (eye - center_y) / distance),
    )


def _hsv(hue: float, saturation: float, value: float) -> Tensor:
    return torch.tensor(colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0), 1), min(max(value, 0), 1)))


def _blur(image: Tensor, sigma_px: float) -> Tensor:
    reach = max(1, round(2.5 * sigma_px))
    taps = torch.exp(-torch.arange(-reach, reach + 1).square() / (2 * sigma_px**2))
    taps = taps / taps.sum()
    stack = image.permute(2, 0, 1)[:, None]
    stack = F.conv2d(F.pad(stack, (reach, reach, 0, 0), mode="replicate"), taps.view(1, 1, 1, -1))
    stack = F.conv2d(F.pad(stack, (0, 0, reach, reach), mode="replicate"), taps.view(1, 1, -1, 1))
    return stack[:, 0].permute(1, 2, 0)


def draw_background(scene: Scene, *, width: int, height: int, floor_px: float) -> Tensor:
    """The empty place: [H, W, 3] float in 0..1. `floor_px` is the height of the horizon line of the floor."""
    rng = np.random.Generator(np.random.PCG64([scene.seed, 0xBAC6]))
    rows = (torch.arange(height) + 0.5)[:, None, None] / height
    columns = (torch.arange(width) + 0.5)[None, :, None] / height
    hue = float(rng.random())
    soft = 1.2 / height
    if scene.background == "plain":
        return (
            _hsv(hue, rng.uniform(0, 0.35), rng.uniform(0.55, 0.97)).expand(height, width, 3)
            - 0.08 * (rows - 0.4).abs().expand(height, width, 3)
        ).clamp(0, 1)
    if scene.background == "photo":
        picture = photo_like(scene.seed, width=width, height=height)
        return _blur(picture, height * float(rng.uniform(0.004, 0.02))) if rng.random() < 0.6 else picture
    top = _hsv(hue, rng.uniform(0.1, 0.5), rng.uniform(0.55, 0.95))
    bottom = _hsv(hue + rng.uniform(-0.15, 0.15), rng.uniform(0.1, 0.5), rng.uniform(0.35, 0.9))
    canvas = top + (bottom - top) * rows.expand(height, width, 1)
    if scene.background == "gradient":
        return canvas.clamp(0, 1)

    def box(left: float, upper: float, right: float, lower: float) -> Tensor:
        across = ((columns - left) / soft).clamp(0, 1) * ((right - columns) / soft).clamp(0, 1)
        return across * ((rows - upper) / soft).clamp(0, 1) * ((lower - rows) / soft).clamp(0, 1)

    def disc(x: float, y: float, radius: float) -> Tensor:
        away = torch.sqrt((columns - x).square() + (rows - y).square())
        return ((radius - away) / soft + 0.5).clamp(0, 1)

    aspect = width / height
    floor = floor_px / height
    if scene.background == "room":
        wall = _hsv(hue, rng.uniform(0.05, 0.4), rng.uniform(0.6, 0.95))
        canvas = wall.expand(height, width, 3) * (1.04 - 0.16 * rows)
        for _ in range(int(rng.integers(1, 4))):
            x, y = rng.uniform(0, aspect), rng.uniform(0.05, max(0.1, floor - 0.3))
            w, h = rng.uniform(0.1, 0.28), rng.uniform(0.12, 0.26)
            picture = _hsv(rng.random(), rng.uniform(0.2, 0.8), rng.uniform(0.3, 0.95))
            canvas = canvas + (_hsv(hue, 0.3, 0.3) - canvas) * box(x - 0.012, y - 0.012, x + w + 0.012, y + h + 0.012)
            canvas = canvas + (picture * (1.1 - 0.5 * rows) - canvas) * box(x, y, x + w, y + h)
        ground = _hsv(rng.uniform(0.04, 0.12), rng.uniform(0.2, 0.55), rng.uniform(0.35, 0.75))
        depth = 1 / (rows - floor + 0.12).clamp(min=0.02)
        plank = 0.5 + 0.5 * torch.sign(torch.sin((columns - aspect / 2) * depth * 2.2 * rng.uniform(2, 4)))
        floor_color = ground * (0.9 + 0.1 * plank) * (0.75 + 0.4 * (rows - floor).clamp(0, 1))
        canvas = canvas + (floor_color - canvas) * ((rows - floor) / soft).clamp(0, 1)
        canvas = canvas + (wall * 0.55 - canvas) * box(-1, floor - 0.02, aspect + 1, floor)
    elif scene.background == "outdoor":
        sky_top, sky_low = _hsv(0.58, rng.uniform(0.3, 0.6), 0.9), _hsv(0.56, rng.uniform(0.08, 0.25), 0.97)
        canvas = sky_top + (sky_low - sky_top) * (rows / max(floor, 0.2)).clamp(0, 1).expand(height, width, 1)
        for layer in range(2):
            ridge: Tensor = torch.full_like(columns, floor - 0.16 + 0.1 * layer)
            for _ in range(3):
                ridge = ridge + rng.normal(0, 0.03) * torch.sin(columns * rng.uniform(2, 9) + rng.uniform(0, 6))
            hill = _hsv(rng.uniform(0.25, 0.42), rng.uniform(0.25, 0.5), 0.75 - 0.2 * layer)
            canvas = canvas + (hill - canvas) * ((rows - ridge) / soft).clamp(0, 1)
        grass = _hsv(rng.uniform(0.22, 0.36), rng.uniform(0.35, 0.6), rng.uniform(0.45, 0.7)) * (1.05 - 0.25 * rows)
        canvas = canvas + (grass - canvas) * ((rows - floor) / (4 * soft)).clamp(0, 1)
        for _ in range(int(rng.integers(0, 5))):
            x, size = rng.uniform(0, aspect), rng.uniform(0.05, 0.14)
            leaf = _hsv(rng.uniform(0.22, 0.4), rng.uniform(0.4, 0.7), rng.uniform(0.3, 0.6))
            canvas = canvas + (_hsv(0.07, 0.5, 0.3) - canvas) * box(x - 0.008, floor - 0.5 * size, x + 0.008, floor + 0.02)
            for _ in range(3):
                canvas = canvas + (leaf - canvas) * disc(
                    x + rng.normal(0, 0.3 * size), floor - size * rng.uniform(0.6, 1.2), 0.5 * size
                )
    elif scene.background == "studio":
        shade = _hsv(hue, rng.uniform(0, 0.3), rng.uniform(0.35, 0.9))
        glow = torch.exp(-(((columns - aspect / 2) / 0.55).square() + ((rows - 0.35) / 0.6).square()))
        canvas = shade * (0.62 + 0.45 * glow) - 0.10 * ((rows - floor) / 0.05).clamp(0, 1) * (1 - 0.5 * glow)
    elif scene.background == "street":
        sky = _hsv(0.58, rng.uniform(0.05, 0.45), rng.uniform(0.7, 0.97))
        canvas = sky.expand(height, width, 3) * (1.02 - 0.1 * rows)
        left = -0.1
        while left < aspect + 0.1:
            wide, roof = float(rng.uniform(0.14, 0.36)), float(rng.uniform(-0.1, max(0.0, floor - 0.35)))
            wall = _hsv(float(rng.uniform(0.0, 0.12)), rng.uniform(0.05, 0.45), rng.uniform(0.35, 0.85))
            canvas = canvas + (wall - canvas) * box(left, roof, left + wide, floor)
            step = float(rng.uniform(0.05, 0.09))
            across, down = ((columns - left) % step) / step, ((rows - roof) % (1.3 * step)) / (1.3 * step)
            pane = ((across - 0.5).abs() < 0.28) & ((down - 0.5).abs() < 0.30) & (rows < floor - 0.10)
            canvas = canvas + (wall * 0.45 - canvas) * 0.85 * pane * box(left + 0.01, roof + 0.02, left + wide - 0.01, floor)
            left += wide
        ground = _hsv(0.1, rng.uniform(0.0, 0.12), rng.uniform(0.35, 0.65)) * (0.92 + 0.25 * (rows - floor).clamp(0, 1))
        canvas = canvas + (ground - canvas) * ((rows - floor) / soft).clamp(0, 1)
        canvas = canvas + (ground * 1.25 - canvas) * box(-1, floor, aspect + 1, floor + 0.02)
    else:
        for _ in range(26):
            x, y = rng.uniform(-0.1, aspect), rng.uniform(-0.1, 1.0)
            shade = _hsv(hue + rng.normal(0, 0.18), rng.uniform(0.1, 0.7), rng.uniform(0.2, 0.95))
            if rng.random() < 0.5:
                canvas = canvas + (shade - canvas) * 0.8 * disc(x, y, rng.uniform(0.03, 0.16))
            else:
                canvas = canvas + (shade - canvas) * 0.8 * box(x, y, x + rng.uniform(0.04, 0.4), y + rng.uniform(0.04, 0.4))
    if scene.background == "clutter" or rng.random() < 0.3:
        canvas = _blur(canvas.expand(height, width, 3).contiguous(), height * float(rng.uniform(0.008, 0.03)))
    return canvas.expand(height, width, 3).clamp(0, 1)
