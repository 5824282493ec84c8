"""Diffusers' own video transformers in the width and token count of ours, with random weights: their speed only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from diffusers import WanAnimateTransformer3DModel, WanTransformer3DModel
from torch import Tensor, nn

from dreamactor.app.bench.speed_meter import Row, count_gflop, measured, race
from dreamactor.models.dit import DiT, DiTConfig

TEXT_DIM: Final = 1
FACE_PX: Final = 4
"""The smallest picture that WanAnimate's face network takes; its own weights take 512."""
FACE_FRAMES: Final = 4
"""Face pictures per latent frame after the first, fixed by its strides."""

WAN_NOTE = "one text token; no reference, pose or face"
ANIMATE_NOTE = (
    "one text token; its first latent frame is the reference; in every forward a face network on {px} px pictures (its own: "
    "512) and face attention after {faces} of {layers} blocks"
)
OUR_NOTE = (
    "{tokens} tokens of width {width}, {layers} blocks; beside them {refs} reference tokens ({mode}), face attention in "
    "{faces} blocks, no text"
)


def peer_rows(
    dit: DiT, config: DiTConfig, forward: Callable[[], Tensor], noisy: Tensor, *, reference_tokens: int, repeats: int
) -> list[Row]:
    """Rows of our forward beside theirs, measured in turns.

    Args:
        dit: our network.
        config: its shape.
        forward: one call of it on `noisy`, with prepared references and motion.
        noisy: [1, C, F, h, w] that it is called on.
        reference_tokens: prepared for it.
        repeats: turns of each.
    """
    wan, animate = build_wan(config), build_wan_animate(config)
    layers, tokens = config.num_layers, noisy[0, 0].numel() // config.patch**2
    ours = OUR_NOTE.format(
        tokens=tokens,
        width=config.width,
        layers=layers,
        refs=reference_tokens,
        mode=config.reference_mode,
        faces=sum(block.face_attention is not None for block in dit.blocks),
    )
    networks: dict[str, tuple[nn.Module, Callable[[], object], str]] = {
        "DiT": (dit, forward, ours),
        "WanTransformer3DModel": (wan, lambda: run_wan(wan, noisy), WAN_NOTE),
        "WanAnimateTransformer3DModel": (
            animate,
            lambda: run_wan_animate(animate, noisy),
            ANIMATE_NOTE.format(px=FACE_PX, faces=len(animate.face_adapter), layers=layers),
        ),
    }
    fastest = race({name: run for name, (_, run, _) in networks.items()}, repeats=repeats)
    rows = []
    for name, (network, run, note) in networks.items():
        shape = {"width": config.width, "tokens": tokens, "parameters": sum(p.numel() for p in network.parameters())}
        rows += [
            measured("peers", name, "seconds_per_forward", fastest[name], n=repeats, note=note, **shape),
            measured("peers", name, "gflop_per_forward", count_gflop(run), n=1, **shape),
        ]
        if name != "DiT":
            rows.append(measured("peers", name, "seconds_over_ours", fastest[name] / fastest["DiT"], n=repeats, **shape))
    return rows


def build_wan(config: DiTConfig) -> WanTransformer3DModel:
    """Wan's transformer with our blocks' shape."""
    return _resting(
        WanTransformer3DModel(
            patch_size=(1, config.patch, config.patch),
            num_attention_heads=config.num_heads,
            attention_head_dim=config.width // config.num_heads,
            in_channels=config.latent_channels,
            out_channels=_out_channels(config),
            text_dim=TEXT_DIM,
            ffn_dim=config.ffn_width,
            num_layers=config.num_layers,
        )
    )


def run_wan(network: WanTransformer3DModel, noisy: Tensor) -> Tensor:
    """One forward."""
    return network(noisy, torch.tensor([500]), torch.zeros(1, 1, TEXT_DIM), return_dict=False)[0]


def build_wan_animate(config: DiTConfig) -> WanAnimateTransformer3DModel:
    """WanAnimate's transformer with our blocks' shape and as little face network as the class permits."""
    return _resting(
        WanAnimateTransformer3DModel(
            patch_size=(1, config.patch, config.patch),
            num_attention_heads=config.num_heads,
            attention_head_dim=config.width // config.num_heads,
            in_channels=None,
            latent_channels=config.latent_channels,
            out_channels=_out_channels(config),
            text_dim=TEXT_DIM,
            image_dim=None,
            ffn_dim=config.ffn_width,
            num_layers=config.num_layers,
            motion_encoder_channel_sizes={str(FACE_PX): config.width},
            motion_encoder_size=FACE_PX,
            motion_style_dim=config.width,
            motion_encoder_dim=config.width,
            face_encoder_hidden_dim=config.width,
            inject_face_latents_blocks=_face_every(config),
        )
    )


def run_wan_animate(network: WanAnimateTransformer3DModel, noisy: Tensor) -> Tensor:
    """One forward on as many latent frames as `noisy` has, the first of which is the reference."""
    _, channels, frames, rows, columns = noisy.shape
    beside = torch.zeros(1, channels + 4, frames, rows, columns)
    return network(
        torch.cat([noisy, beside], dim=1),
        torch.tensor([500]),
        torch.zeros(1, 1, TEXT_DIM),
        pose_hidden_states=noisy[:, :, 1:],
        face_pixel_values=torch.zeros(1, 3, FACE_FRAMES * (frames - 1), FACE_PX, FACE_PX),
        return_dict=False,
    )[0]


def _out_channels(config: DiTConfig) -> int:
    return config.latent_channels * (2 if config.prediction == "clean_residual" else 1)


def _face_every(config: DiTConfig) -> int:
    """The class fails where this does not divide the layers: the next that does, from ours on."""
    wanted = min(config.face_every, config.num_layers)
    return next(every for every in range(wanted, config.num_layers + 1) if config.num_layers % every == 0)


def _resting(network: nn.Module) -> nn.Module:
    return network.requires_grad_(False).eval()
