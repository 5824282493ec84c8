"""Low-rank fine-tuning (LoRA) through PEFT: small layers beside the linears of the blocks, merged when they are trained."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from importlib.util import find_spec

from torch import Tensor, nn

from dreamactor.errors import ConfigError

TARGETS = r"blocks\.\d+\.(.*_attention\.to_(q|k|v|out)|mlp\.[02])"
"""Every linear of the blocks (between the two of the MLP lies its activation, which PEFT refuses)."""
_ADAPTER = "default"


def add_lora(network: nn.Module, rank: int, *, whole: Sequence[str] = ()) -> None:
    """Puts layers of a rank beside the network's linears, in place; they learn, and nothing else but `whole`.

    Args:
        whole: patterns of names of parameters that learn themselves, as far as they did before: layers that are new, and
            that no low-rank change of nothing could teach.

    Raises:
        ConfigError: PEFT is not installed.
    """
    if find_spec("peft") is None:
        raise ConfigError("LoRA needs PEFT, which is not installed. Use pip install 'dreamactor[train]', or leave it out.")
    from peft import LoraConfig, inject_adapter_in_model

    learning = {
        name for name, parameter in network.named_parameters()
        if parameter.requires_grad and any(fnmatchcase(name, pattern) for pattern in whole)
    }  # fmt: skip
    beside = [
        name for name, module in network.named_modules()
        if isinstance(module, nn.Linear) and re.fullmatch(TARGETS, name) and f"{name}.weight" not in learning
    ]  # fmt: skip
    config = LoraConfig(r=rank, lora_alpha=rank, lora_dropout=0.0, target_modules=beside)
    inject_adapter_in_model(config, network, adapter_name=_ADAPTER)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(".lora_" in name or name in learning)


def merged(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights under their plain names, low-rank layers added to what they lie beside: W + B A (alpha is the rank)."""
    found = {name.replace(".base_layer.", "."): value for name, value in weights.items() if ".lora_" not in name}
    for name, down in weights.items():
        if f".lora_A.{_ADAPTER}.weight" in name:
            up = weights[name.replace(".lora_A.", ".lora_B.")]
            plain = name.replace(f".lora_A.{_ADAPTER}.weight", ".weight")
            found[plain] = found[plain] + up @ down
    return found
