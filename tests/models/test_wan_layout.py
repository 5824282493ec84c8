"""A DiT that was given the weights of a Wan transformer answers as that transformer does without text."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from diffusers import WanTransformer3DModel
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.models.dit import DiT, DiTConfig
from dreamactor.models.inputs import DriveInput
from dreamactor.models.weights import load_wan, wan_key_map

LAYERS, FRAMES = 2, 3
CONFIG = DiTConfig(
    latent_channels=4, width=32, num_layers=LAYERS, num_heads=2, ffn_width=64, patch=2, temporal=4, spatial=8,
    pose_channels=16, face_code_dim=20,
)  # fmt: skip


@pytest.fixture(scope="module")
def wan() -> WanTransformer3DModel:
    """Random, every weight awake; its text attention adds nothing."""
    torch.manual_seed(0)
    model = WanTransformer3DModel(
        patch_size=(1, 2, 2), num_layers=LAYERS, attention_head_dim=16, num_attention_heads=2, in_channels=4,
        out_channels=4, text_dim=8, freq_dim=256, ffn_dim=64, cross_attn_norm=True, qk_norm="rms_norm_across_heads",
    )  # fmt: skip
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
            if ".attn2.to_out." in name:
                parameter.zero_()
    return model.requires_grad_(False).eval()


def _dit(**changes: object) -> DiT:
    torch.manual_seed(1)
    return DiT.from_dataclass(replace(CONFIG, **changes)).requires_grad_(False).eval()  # type: ignore[arg-type]


def _noisy() -> Tensor:
    return torch.randn(2, 4, FRAMES, 6, 8, generator=torch.Generator().manual_seed(2))  # not square


def _ours(dit: DiT, times: Tensor) -> Tensor:
    return dit(_noisy(), times, None, dit.prepare_drive(DriveInput(num_latents=FRAMES, first_frames=1)))


@pytest.mark.parametrize("time", [0.0, 0.37, 1.0])
@pytest.mark.parametrize("mode", ["symmetric", "one_way"])
def test_the_answer_is_wans(wan: WanTransformer3DModel, time: float, mode: str) -> None:
    dit = _dit(reference_mode=mode)
    load_wan(dit, wan.state_dict())
    text = torch.randn(2, 5, 8)
    theirs = wan(_noisy(), torch.full((2,), time * 1000), text, return_dict=False)[0]
    assert theirs.std() > 0.1
    torch.testing.assert_close(_ours(dit, torch.full((2, FRAMES), time)), theirs, atol=1e-5, rtol=1e-5)


def test_a_time_for_every_latent_frame_is_wans_time_for_every_token(wan: WanTransformer3DModel) -> None:
    dit = _dit()
    load_wan(dit, wan.state_dict())
    times = torch.tensor([[0.0, 0.5, 0.9], [0.2, 0.2, 1.0]])
    per_token = times.repeat_interleave(3 * 4, dim=1) * 1000
    theirs = wan(_noisy(), per_token, torch.randn(2, 5, 8), return_dict=False)[0]
    torch.testing.assert_close(_ours(dit, times), theirs, atol=1e-5, rtol=1e-5)


@pytest.fixture(scope="module")
def speaking(wan: WanTransformer3DModel) -> WanTransformer3DModel:
    """The same with a text attention that is heard."""
    torch.manual_seed(3)
    model = copy.deepcopy(wan)
    for name, parameter in model.named_parameters():
        if ".attn2.to_out." in name:
            parameter.copy_(torch.randn_like(parameter) * 0.3)
    return model


@pytest.mark.parametrize("tokens", [1, 512])
@pytest.mark.parametrize("mode", ["symmetric", "one_way"])
def test_text_that_says_nothing_is_a_constant(speaking: WanTransformer3DModel, tokens: int, mode: str) -> None:
    dit, silent = _dit(reference_mode=mode, text_constant=True), _dit()
    report = load_wan(dit, speaking.state_dict())
    load_wan(silent, speaking.state_dict())
    times = torch.full((2, FRAMES), 0.37)
    theirs = speaking(_noisy(), torch.full((2,), 370.0), torch.zeros(2, tokens, 8), return_dict=False)[0]
    torch.testing.assert_close(_ours(dit, times), theirs, atol=1e-5, rtol=1e-5)
    assert (_ours(silent, times) - theirs).abs().max() > 0.01
    assert report.unexplained == ()
    everything = {*wan_key_map(LAYERS), *report.baked, *report.needless}
    assert everything == set(speaking.state_dict())
    assert all(".attn2." in name and any(part in name for part in ("to_q", "to_k", "norm_")) for name in report.needless)
    assert "0 unexplained" in str(report)


def test_a_weight_that_nobody_knows_is_named(wan: WanTransformer3DModel) -> None:
    report = load_wan(_dit(text_constant=True), {**wan.state_dict(), "image_embedder.weight": torch.zeros(1)})
    assert report.unexplained == ("image_embedder.weight",)
    assert "unexplained: image_embedder.weight" in str(report)


def test_every_weight_is_accounted_for(wan: WanTransformer3DModel) -> None:
    dit = _dit()
    report = load_wan(dit, wan.state_dict())
    assert set(report.loaded) | set(report.new) == set(dit.state_dict())
    assert set(report.loaded) == set(wan_key_map(LAYERS).values())
    assert not set(report.loaded) & set(report.new)
    assert all("attn2" in name or "text_embedder" in name for name in report.unused)
    parts = ("pose_encoder", "drive_embedding", "input_mlp", "reference_mark", "face_", "ref_")
    assert all(any(part in name for part in parts) for name in report.new)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"prediction": "clean_residual"}, "velocity"),
        ({"num_layers": 3}, "missing"),
        ({"num_layers": 1}, "more than"),
        ({"ffn_width": 48}, "shape"),
        ({"patch": 1}, "shape"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_change_nothing(
    wan: WanTransformer3DModel, changes: dict[str, object], says: str
) -> None:
    dit = _dit(**changes)
    before = {name: value.clone() for name, value in dit.state_dict().items()}
    with pytest.raises(ConfigError, match=says):
        load_wan(dit, wan.state_dict())
    assert all(torch.equal(value, before[name]) for name, value in dit.state_dict().items())
