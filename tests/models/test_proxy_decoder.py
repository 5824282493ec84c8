"""Laws of the proxy-aware decoder."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from dreamactor.models.inputs import DecodeInput
from dreamactor.models.proxy_decoder import ProxyDecoder, ProxyDecoderConfig


@pytest.fixture
def decoder() -> ProxyDecoder:
    torch.manual_seed(0)
    return ProxyDecoder(ProxyDecoderConfig(channels=(16, 24, 32), blocks=1, face_code_dim=5)).requires_grad_(False)


def _stir(decoder: ProxyDecoder) -> ProxyDecoder:
    """Random weights where training starts from zero."""
    for parameter in decoder.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return decoder


def _given(num_frames: int = 3) -> DecodeInput:
    generator = torch.Generator().manual_seed(1)

    def random(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator)

    size = (num_frames, 16, 24)
    return DecodeInput(
        decoded=random(1, 3, *size), proxy=random(1, 3, *size), seen=random(1, 1, *size).round(),
        figure=torch.ones(1, 1, *size), pose_maps=random(1, 6, *size) * 2 - 1, face=random(1, num_frames, 5),
        face_tracked=torch.ones(1, num_frames, dtype=torch.bool),
    )  # fmt: skip


def test_untrained_it_averages_where_the_proxy_is_sure_and_passes_the_rest(decoder: ProxyDecoder) -> None:
    given = _given()
    assert given.proxy is not None
    assert given.seen is not None
    expected = torch.where(given.seen.bool(), (given.decoded + given.proxy) / 2, given.decoded)
    assert_close(decoder(given), expected)


@pytest.mark.parametrize("dropped", [(), ("proxy", "seen", "figure"), ("pose_maps",), ("face",)])
def test_frames_are_independent_whatever_is_dropped(decoder: ProxyDecoder, dropped: tuple[str, ...]) -> None:
    given = replace(_given(), **dict.fromkeys(dropped))
    _stir(decoder)

    def at(t: int) -> DecodeInput:
        parts = {}
        for name in ("decoded", "proxy", "seen", "figure", "pose_maps", "face", "face_tracked"):
            value = getattr(given, name)
            axis = 1 if name.startswith("face") else 2
            parts[name] = None if value is None else value.narrow(axis, t, 1)
        return DecodeInput(**parts)

    alone = torch.cat([decoder(at(t)) for t in range(3)], dim=2)
    assert_close(decoder(given), alone, atol=1e-5, rtol=1e-5)


def test_a_face_code_counts_only_where_a_face_was_tracked(decoder: ProxyDecoder) -> None:
    given = _given()
    assert given.face is not None
    _stir(decoder)
    other = replace(given, face=given.face + 1)
    assert not torch.allclose(decoder(given), decoder(other))
    nobody = torch.zeros(1, 3, dtype=torch.bool)
    untracked, absent = replace(other, face_tracked=nobody), replace(given, face=None)
    assert_close(decoder(untracked), decoder(absent))


def test_half_a_proxy_is_refused() -> None:
    given = _given()
    with pytest.raises(ValueError, match="come together"):
        replace(given, seen=None)


@pytest.mark.parametrize(("keep_head", "keep_body"), [(1.0, 0.0), (0.0, 1.0), (0.8, 0.5)])
def test_a_share_of_what_was_seen_is_kept_whatever_the_network_says(keep_head: float, keep_body: float) -> None:
    """The head is the left half; a margin about borders and the seam between the halves is soft."""
    torch.manual_seed(0)
    config = ProxyDecoderConfig(channels=(8, 8), blocks=1, face_code_dim=5)
    free = _stir(ProxyDecoder(config)).requires_grad_(False)
    keeping = ProxyDecoder(replace(config, keep_head=keep_head, keep_body=keep_body)).eval().requires_grad_(False)
    keeping.load_state_dict(free.state_dict())
    size = (2, 48, 64)
    decoded, proxy, body = (torch.rand(1, 3, *size) for _ in range(3))
    sphere = torch.full((1, 3, *size), -1.0)
    sphere[..., :32] = 0.3
    everywhere = torch.ones(1, 1, *size)
    given = DecodeInput(
        decoded=decoded, proxy=proxy, seen=everywhere, figure=everywhere, pose_maps=torch.cat([body, sphere], dim=1)
    )
    expected = torch.lerp(free(given), proxy, torch.where(torch.arange(64) < 32, keep_head, keep_body))
    for columns in (slice(8, 24), slice(40, 56)):
        assert_close(keeping(given)[..., 8:-8, columns], expected[..., 8:-8, columns])
    for unseen in ({"seen": 0.25 * everywhere}, {"figure": 0 * everywhere}, {"proxy": None, "seen": None, "figure": None}):
        assert_close(keeping(replace(given, **unseen)), free(replace(given, **unseen)))
    assert_close(keeping.train()(given), free(given))
