"""Wan's weights in our DiT: which of its names is which of ours, and what differs in shape.

What Wan has and we do not is its text stream. Without text (an embedding of zeros) every token of its text attention has
the same key and value, so that whatever a query asks it is told the same: a vector per block, which is computed here once
(`DiTConfig.text_constant`), and no text encoder is needed. What we have and Wan does not (references, face, pose, proxy)
keeps the values it was built with, most of which are zero, so a network that was just loaded answers as Wan does without
text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.models.dit import DiT

_TEXT = "condition_embedder.text_embedder."
_ATTENTION = ("to_q", "to_k", "to_v")
_TOP = {
    "patch_embedding": "patch_embedding",
    "condition_embedder.time_embedder.linear_1": "time_embedding.linear_1",
    "condition_embedder.time_embedder.linear_2": "time_embedding.linear_2",
    "condition_embedder.time_proj": "time_embedding.time_proj",
    "proj_out": "proj_out",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadReport:
    """What became of every weight, sorted.

    Attributes:
        loaded: our names that now hold Wan's values.
        new: our names that kept their own.
        baked: Wan's names that went into the text constants.
        needless: Wan's names that cannot matter here: what compares queries with keys that are all alike, or the whole text
            stream where the network has no text constants.
        unexplained: Wan's other names: there should be none.
    """

    loaded: tuple[str, ...]
    new: tuple[str, ...]
    baked: tuple[str, ...]
    needless: tuple[str, ...]
    unexplained: tuple[str, ...]

    @property
    def unused(self) -> tuple[str, ...]:
        """Wan's names that have no place here."""
        return tuple(sorted((*self.needless, *self.unexplained)))

    def __str__(self) -> str:
        parts = (name.split(".") for name in self.new)
        groups = Counter(part[2] if part[0] == "blocks" else part[0] for part in parts)
        new = ", ".join(f"{name} {count}" for name, count in sorted(groups.items()))
        lines = [
            f"{len(self.loaded)} weights loaded, {len(self.baked)} baked into the text constants, {len(self.needless)} "
            f"needless (text), {len(self.unexplained)} unexplained; {len(self.new)} are new: {new}",
            *(f"  unexplained: {name}" for name in self.unexplained),
        ]
        return "\n".join(lines)


def wan_key_map(num_layers: int) -> dict[str, str]:
    """Wan's name (diffusers) -> ours, for every weight both have."""
    names = {f"{wan}.{kind}": f"{ours}.{kind}" for wan, ours in _TOP.items() for kind in ("weight", "bias")}
    names["scale_shift_table"] = "scale_shift_table"
    for index in range(num_layers):
        block = f"blocks.{index}"
        names[f"{block}.scale_shift_table"] = f"{block}.scale_shift_table"
        for kind in ("weight", "bias"):
            for linear in _ATTENTION:
                names[f"{block}.attn1.{linear}.{kind}"] = f"{block}.self_attention.{linear}.{kind}"
            names[f"{block}.attn1.to_out.0.{kind}"] = f"{block}.self_attention.to_out.{kind}"
            names[f"{block}.norm2.{kind}"] = f"{block}.norm2.{kind}"
            names[f"{block}.ffn.net.0.proj.{kind}"] = f"{block}.mlp.0.{kind}"
            names[f"{block}.ffn.net.2.{kind}"] = f"{block}.mlp.2.{kind}"
        for norm in ("norm_q", "norm_k"):
            names[f"{block}.attn1.{norm}.weight"] = f"{block}.self_attention.{norm}.weight"
    return names


def load_wan(dit: DiT, state_dict: Mapping[str, Tensor]) -> LoadReport:
    """Copies Wan's weights into a DiT of the same width, depth, heads, patch and latent channels.

    Args:
        dit: changed in place, only when everything fits.
        state_dict: of diffusers' WanTransformer3DModel.

    Raises:
        ConfigError: the network predicts something else than a velocity, a weight is missing, or one does not fit.
    """
    if dit.predicts_clean:
        raise ConfigError('Wan predicts a velocity; build the DiT with prediction="velocity" to load its weights.')
    num_layers, own = len(dit.blocks), dit.state_dict()
    names = wan_key_map(num_layers)
    missing = sorted(set(names) - set(state_dict))
    if missing:
        raise ConfigError(
            f"These are not the weights of a Wan transformer with {num_layers} layers: {len(missing)} are missing, such "
            f"as '{missing[0]}'. Use diffusers' layout and as many layers."
        )
    deeper = f"blocks.{num_layers}."
    if any(name.startswith(deeper) for name in state_dict):
        raise ConfigError(f"The Wan transformer has more than the DiT's {num_layers} layers. Build a DiT of its depth.")
    p = dit.config["patch"]
    ready = {}
    for wan, ours in names.items():
        value = _in_our_layout(wan, state_dict[wan], patch=p)
        if value.shape != own[ours].shape:
            raise ConfigError(
                f"Wan's '{wan}' has shape {tuple(value.shape)} here, the DiT's '{ours}' needs {tuple(own[ours].shape)}. "
                "Give the DiT Wan's width, FFN width, patch and latent channels."
            )
        ready[ours] = value
    constants, baked = _text_constants(state_dict, num_layers) if dit.config["text_constant"] else ({}, set())
    dit.load_state_dict(ready | constants, strict=False)
    left = set(state_dict) - set(names) - baked
    needless = {name for name in left if ".attn2." in name or name.startswith(_TEXT)}
    return LoadReport(
        loaded=tuple(sorted(ready)),
        new=tuple(sorted(set(own) - set(ready) - set(constants))),
        baked=tuple(sorted(baked)),
        needless=tuple(sorted(needless)),
        unexplained=tuple(sorted(left - needless)),
    )


def _text_constants(state_dict: Mapping[str, Tensor], num_layers: int) -> tuple[dict[str, Tensor], set[str]]:
    """What Wan's text attention gives for an embedding of zeros: our names -> [D], and the names that went into it.

    Raises:
        ConfigError: a weight of the text stream is missing.
    """
    used: set[str] = set()

    def linear(name: str, given: Tensor | None) -> Tensor:
        """A linear of Wan; of nothing (zeros) it gives its bias."""
        for kind in ("weight", "bias"):
            if f"{name}.{kind}" not in state_dict:
                raise ConfigError(f"The Wan transformer's '{name}.{kind}' is missing, of which the text constants are made.")
            used.add(f"{name}.{kind}")
        bias = state_dict[f"{name}.bias"].float()
        return bias if given is None else F.linear(given, state_dict[f"{name}.weight"].float(), bias)

    embedded = linear(f"{_TEXT}linear_2", F.gelu(linear(f"{_TEXT}linear_1", None), approximate="tanh"))
    constants = {}
    for index in range(num_layers):
        block = f"blocks.{index}"
        told = linear(f"{block}.attn2.to_out.0", linear(f"{block}.attn2.to_v", embedded))
        constants[f"{block}.text_constant"] = told
    return constants, used


def _in_our_layout(name: str, value: Tensor, *, patch: int) -> Tensor:
    """The patch embedding is a convolution in Wan, a linear here (same c p q order); block tables lack our frame axis; the
    last linear gives (p q c) in Wan, (c p q) here."""
    if name == "patch_embedding.weight":
        return value.flatten(1)
    if name.endswith("scale_shift_table"):
        return value[:, None]
    if name.startswith("proj_out."):
        cells = torch.unflatten(value, 0, (patch**2, -1))  # [p q, c, ...]
        return cells.transpose(0, 1).flatten(0, 1)
    return value
