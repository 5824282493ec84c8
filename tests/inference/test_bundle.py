"""A bundle that was saved loads back; one that was damaged says so."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dreamactor.errors import ConfigError, InputError
from dreamactor.inference.bundle import load_bundle, save_bundle
from dreamactor.recipes.tiny import tiny_bundle


def test_a_bundle_loads_back_in_single_precision(tmp_path: Path) -> None:
    made = tiny_bundle(seed=4)
    save_bundle(tmp_path / "model", made)
    loaded = load_bundle(str(tmp_path / "model"))
    assert loaded.defaults == made.defaults
    assert loaded.metadata == made.metadata
    assert loaded.grid == made.grid
    for stem, network in made.parts().items():
        back = loaded.parts()[stem].state_dict()
        for name, value in network.state_dict().items():
            torch.testing.assert_close(back[name], value, rtol=1e-3, atol=1e-5)


def test_equal_seeds_give_equal_weights_and_leave_other_randomness_alone() -> None:
    torch.manual_seed(9)
    expected = torch.rand(1)
    torch.manual_seed(9)
    one, two = tiny_bundle(seed=1).dit.state_dict(), tiny_bundle(seed=1).dit.state_dict()
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("damage", ["missing", "cut", "no json", "other shape"])
def test_a_damaged_bundle_says_so(tmp_path: Path, damage: str) -> None:
    save_bundle(tmp_path, tiny_bundle())
    weights, described = tmp_path / "dit.safetensors", tmp_path / "model.json"
    match damage:
        case "missing":
            weights.unlink()
        case "cut":
            weights.write_bytes(weights.read_bytes()[:200])
        case "no json":
            described.write_text("{")
        case "other shape":
            described.write_text(described.read_text().replace('"ffn_width": 32', '"ffn_width": 48'))
    with pytest.raises(InputError, match="damaged"):
        load_bundle(str(tmp_path))


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'actor'"):
        load_bundle("actr")
