"""Texture energy tells a blur from an edge, and not an edge from the same edge two pixels on."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from dreamactor.training.decoder import texture_energy


def test_a_moved_edge_costs_less_energy_than_a_blurred_one() -> None:
    edge = torch.zeros(1, 3, 1, 32, 32)
    edge[..., 16:] = 1
    moved = edge.roll(2, dims=-1)
    moved[..., :2] = 0
    blurred = F.avg_pool3d(F.pad(edge, (4, 4, 0, 0, 0, 0), mode="replicate"), (1, 1, 9), stride=1)

    def apart(other: torch.Tensor) -> float:
        return float((texture_energy(other) - texture_energy(edge))[..., 4:-4].abs().mean())

    assert float((moved - edge).abs().mean()) > 0.8 * float((blurred - edge).abs().mean())
    assert apart(moved) < 0.7 * apart(blurred)
    assert apart(edge.clone()) == 0


def test_dots_gain_nothing_where_an_edge_is_missing() -> None:
    edge = torch.zeros(1, 3, 1, 32, 32)
    edge[..., 16:] = 1
    blurred = F.avg_pool3d(F.pad(edge, (4, 4, 0, 0, 0, 0), mode="replicate"), (1, 1, 9), stride=1)
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    dots = 0.2 * (1.0 - 2.0 * ((rows + columns) % 2)) * ((columns > 11) & (columns < 20))

    def apart(other: torch.Tensor) -> float:
        return float((texture_energy(other) - texture_energy(edge))[..., 4:-4].abs().mean())

    assert apart(blurred) > 0.02
    assert apart(blurred + dots) > 0.999 * apart(blurred)
