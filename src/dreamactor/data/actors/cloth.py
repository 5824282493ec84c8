"""Colours of cloth: patterns and prints at points in material coordinates."""

from __future__ import annotations

import torch
from torch import Tensor

from dreamactor.data.actors.curves import wave_noise
from dreamactor.data.actors.rows import color_rows
from dreamactor.data.actors.texture import textured
from dreamactor.data.actors.wardrobe import Cloth


def cloth_color(cloth: Cloth, surface: Tensor, soft: Tensor, *, printed: bool, torso: float, seed: int) -> Tensor:
    """Colour of cloth at points in material coordinates (metres; y up the trunk, z to the front); `seed`: its texture's."""
    x, y, z = surface.unbind(-1)
    around = torch.atan2(x, z.abs() + 0.02) * 0.14
    period = cloth.period_m
    ramp = (soft / period * 3).clamp(0.02, 2)

    def wave(phase: Tensor) -> Tensor:
        return (torch.sin(2 * torch.pi * phase) / ramp * 0.5 + 0.5).clamp(0, 1)

    share = {
        0: lambda: torch.zeros_like(x),
        1: lambda: wave(y / period),
        2: lambda: ((wave(around / period * 1.6) - 0.62) * 3).clamp(0, 1),
        3: lambda: (wave(y / period) - wave(around / period)).abs(),
        4: lambda: ((torch.sin(2 * torch.pi * y / period) * torch.sin(2 * torch.pi * around / period) - 0.35) * 5).clamp(
            0, 1
        ),
        5: lambda: wave((y + around) / period),
        6: lambda: ((y - 0.55 * torso) / soft).clamp(0, 1),
        7: lambda: 0.45 * wave(y / period) + 0.45 * wave(around / period) + 0.1 * wave(y / period * 4),
        8: lambda: wave(y / period + 0.6 * ((around / period) % 1 - 0.5).abs()),
        9: lambda: (2.5 * wave_noise(around / period * 2, y / period * 2, 9.0 * period) + 0.5).clamp(0, 1),
        10: lambda: _flowers(around / period, y / period, ramp),
        11: lambda: (0.5 + 0.9 * (y - 0.35 * torso) / torso).clamp(0, 1),
        12: lambda: (0.5 + x / soft).clamp(0, 1) * (z > 0) + (0.5 - x / soft).clamp(0, 1) * (z <= 0),
        13: lambda: wave(y / period / 2.5),
    }[cloth.pattern]()
    base, accent = color_rows(cloth.color, len(x)), torch.tensor(cloth.accent)
    color = base + (accent - base) * share[:, None]
    weave = 0.025 * torch.sin(x * 900) * torch.sin(y * 900)
    color = (color * (1 + weave[:, None])).clamp(0, 1)
    if cloth.relief:
        grain = torch.stack([around + 0.37 * (z < 0) * cloth.grain_m, -y], -1) / cloth.grain_m
        color = textured(color, cloth.texture, seed, grain, soft / cloth.grain_m, cloth.relief)
    if cloth.side_stripe:
        side = (0.5 + (0.022 - z.abs()) / soft).clamp(0, 1)
        color = color + (accent - color) * side[:, None]
    if printed:
        for kind, front in ((cloth.front_print, True), (cloth.back_print, False)):
            if kind:
                facing = z > 0 if front else z < 0
                size = 0.17 * torso if front else 0.24 * torso
                ink = _print_share(kind, x / size, (y - 0.70 * torso) / size, soft / size) * facing
                color = color + (torch.tensor(cloth.print_color) - color) * ink[:, None]
    return color


def _print_share(kind: int, x: Tensor, y: Tensor, soft: Tensor) -> Tensor:
    """Ink of a print at places in print sizes, 0..1."""
    radius = torch.sqrt(x.square() + y.square() + 1e-9)
    distance = {
        1: lambda: radius - 0.85,
        2: lambda: (radius - 0.7).abs() - 0.2,
        3: lambda: torch.maximum(x.abs() - 1.5, y.abs() - 0.32),
        4: lambda: x.abs() + y.abs() - 1.0,
        5: lambda: torch.minimum(
            torch.maximum(x.abs() - 0.28, y.abs() - 0.95), torch.maximum(y.abs() - 0.28, x.abs() - 0.95)
        ),
        6: lambda: torch.minimum(
            torch.minimum(
                torch.maximum((x + 0.1).abs() - 0.2, y.abs() - 0.95),
                torch.maximum((x - 0.05).abs() - 0.6, (y + 0.8).abs() - 0.2),
            ),
            torch.maximum((x + 0.35).abs() - 0.25, (y - 0.62).abs() - 0.16),
        ),
        7: lambda: _star(x, y, radius),
        8: lambda: _heart(x, y),
        9: lambda: torch.maximum(((x + 0.4 * y + 2.4) % 0.6 - 0.3).abs() - 0.16, torch.maximum(x.abs(), y.abs()) - 0.95),
        10: lambda: torch.minimum(
            torch.maximum((x.abs() - 0.45 * (0.9 - y)).abs() - 0.17, y.abs() - 0.9),
            torch.maximum(x.abs() - 0.4, (y + 0.2).abs() - 0.13),
        ),
        11: lambda: torch.minimum(
            torch.maximum((x - 0.35 * y + 0.05).abs() - 0.24, (y - 0.45).abs() - 0.55),
            torch.maximum((x - 0.35 * y - 0.05).abs() - 0.24, (y + 0.45).abs() - 0.55),
        ),
        12: lambda: torch.minimum(
            torch.minimum((radius - 0.85).abs() - 0.10, torch.sqrt((x.abs() - 0.3).square() + (y - 0.25).square()) - 0.13),
            torch.maximum((radius - 0.5).abs() - 0.08, y + 0.1),
        ),
        13: lambda: torch.minimum((radius - 0.8).abs() - 0.13, torch.minimum((radius - 0.42).abs() - 0.11, radius - 0.14)),
    }[kind]()
    return (0.5 - distance / soft).clamp(0, 1)


def _flowers(across: Tensor, up: Tensor, ramp: Tensor) -> Tensor:
    """One flower of five petals in every cell, every second row shifted."""
    row = (up * 0.8).floor()
    u, v = (across * 0.8 + 0.5 * (row % 2)) % 1 - 0.5, (up * 0.8) % 1 - 0.5
    radius = torch.sqrt(u.square() + v.square() + 1e-9)
    petals = 0.22 + 0.10 * torch.cos(5 * torch.atan2(v, u))
    return ((petals - radius) / (0.3 * ramp).clamp(min=0.02) + 0.5).clamp(0, 1) * (radius > 0.07)


def _star(x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    turn = 2 * torch.pi / 5
    angle = (torch.atan2(x, y) + turn / 2) % turn - turn / 2
    return radius * (torch.cos(angle) + 0.95 * torch.sin(angle.abs())) - 0.62


def _heart(x: Tensor, y: Tensor) -> Tensor:
    lobes = torch.sqrt((x.abs() - 0.38).square() + (y - 0.30).square()) - 0.46
    point = torch.maximum((x.abs() + (y - 0.0).abs() * 1.0) * 0.707 - 0.62, y - 0.42)
    return torch.minimum(lobes, point)
