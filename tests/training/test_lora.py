"""Low-rank layers: merged they are the network with them beside, and without PEFT there is one clear line."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from clip_cases import small_dit
from torch import nn
from torch.testing import assert_close

from dreamactor.app.main import run
from dreamactor.errors import ConfigError
from dreamactor.training.lora import TARGETS, add_lora, merged


class Beside(nn.Module):
    """A linear with layers of rank 2 beside it, named as PEFT names them."""

    def __init__(self) -> None:
        super().__init__()
        self.base_layer = nn.Linear(5, 4)
        self.lora_A = nn.ModuleDict({"default": nn.Linear(5, 2, bias=False)})
        self.lora_B = nn.ModuleDict({"default": nn.Linear(2, 4, bias=False)})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.base_layer(x) + self.lora_B["default"](self.lora_A["default"](x))


def test_merged_weights_answer_as_the_layers_beside_each_other() -> None:
    torch.manual_seed(0)
    adapted = nn.ModuleDict({"to_q": Beside(), "norm": nn.LayerNorm(4)})
    plain = nn.ModuleDict({"to_q": nn.Linear(5, 4), "norm": nn.LayerNorm(4)})
    plain.load_state_dict(merged(adapted.state_dict()))
    x = torch.randn(3, 5)
    assert_close(plain["to_q"](x), adapted["to_q"](x))


def test_low_rank_layers_go_beside_every_linear_of_the_blocks_and_no_other() -> None:
    linears = {name for name, module in small_dit().named_modules() if isinstance(module, nn.Linear)}
    chosen = {name for name in linears if re.fullmatch(TARGETS, name)}
    assert chosen == {name for name in linears if name.startswith("blocks.")}


def test_without_peft_there_is_one_line_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dreamactor.training.lora.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"dreamactor\[train\]"):
        add_lora(small_dit(), 4)


@pytest.mark.skipif(find_spec("peft") is None, reason="PEFT is an optional extra: pip install 'dreamactor[train]' runs this")
def test_low_rank_layers_alone_learn() -> None:
    dit = small_dit()
    before = {name: value.clone() for name, value in dit.state_dict().items()}
    add_lora(dit, 4)
    assert all(".lora_" in name for name, value in dit.named_parameters() if value.requires_grad)
    after = merged(dit.state_dict())
    for name, value in before.items():
        assert_close(after[name], value)


def test_low_rank_layers_need_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "actor", "--lora-rank", "4", "--output", str(tmp_path / "run")]) == 2
    assert "--start-from" in capsys.readouterr().err
