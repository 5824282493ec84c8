"""A network that starts from another one computes what that one computed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dreamactor.errors import ConfigError
from dreamactor.models.warm_start import start_from


def _network(inputs: int, outputs: int, seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(inputs, 7), nn.BatchNorm1d(7), nn.SiLU(), nn.Linear(7, outputs)).eval()


def test_equal_shapes_compute_the_same() -> None:
    old, new = _network(5, 3, 0), _network(5, 3, 1)
    old[1].running_mean.fill_(0.3)
    start_from(new, old)
    given = torch.randn(4, 5)
    assert torch.equal(new(given), old(given))


@pytest.mark.parametrize("last", [0, 1, 2])
def test_new_inputs_change_nothing_at_first_and_new_outputs_come_behind(last: int) -> None:
    old, new = _network(5, 3, 0), _network(9, 4, 1)
    start_from(new, old, grown=("0.weight", "3.weight", "3.bias"), last_inputs=0)
    given, more = torch.randn(4, 5), torch.randn(4, 4)
    assert torch.allclose(new(torch.cat([given, more], dim=1))[:, :3], old(given), atol=1e-6)
    new = _network(9, 3, 2)
    start_from(new, old, grown=("0.weight",), last_inputs=last)
    split = 5 - last
    between = torch.cat([given[:, :split], more, given[:, split:]], dim=1)
    assert torch.allclose(new(between), old(given), atol=1e-6)


def test_another_shape_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"0\.weight is \(7, 6\)"):
        start_from(_network(6, 3, 0), _network(5, 3, 1))
    with pytest.raises(ConfigError, match=r"0\.weight"):  # smaller is not grown
        start_from(_network(4, 3, 0), _network(5, 3, 1), grown=("0.weight",))
