"""Colours of cloth: patterns and prints at points in material coordinates."""

from __future__ import annotations

import torch
from torch import Tensor

from dreamactor.data.actors.rows import color_rows
from dreamactor.data.actors.wardrobe import Cloth


def cloth_color(cloth: Cloth, surface: Tensor, soft: Tensor, *, printed: bool, torso: float) -> Tensor:
    """Colour of cloth at points in material coordinates (metres; y up the trunk, z to the front)."""
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
    }[cloth.pattern]()
    base, accent = color_rows(cloth.color, len(x)), torch.tensor(cloth.accent)
    color = base + (accent - base) * share[:, None]
    weave = 0.025 * torch.sin(x * 900) * torch.sin(y * 900)
    color = (color * (1 + weave[:, None])).clamp(0, 1)
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
    }[kind]()
    return (0.5 - distance / soft).clamp(0, 1)
