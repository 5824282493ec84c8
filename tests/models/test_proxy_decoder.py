"""Laws of the proxy-aware decoder."""

from __future__ import annotations

import torch
from torch.testing import assert_close

from dreamactor.models.proxy_decoder import ProxyDecoder, ProxyDecoderConfig


def _decoder() -> ProxyDecoder:
    torch.manual_seed(0)
    return ProxyDecoder(ProxyDecoderConfig(channels=(16, 24, 32), blocks=1))


def test_untrained_it_averages_where_the_proxy_is_sure_and_passes_the_rest() -> None:
    decoded = torch.rand(1, 3, 2, 16, 24)
    proxy = torch.rand(1, 3, 2, 16, 24)
    seen = torch.zeros(1, 1, 2, 16, 24)
    seen[..., 12:] = 1
    joined = _decoder()(decoded, proxy, seen, seen)
    assert_close(joined[..., :12], decoded[..., :12])
    assert_close(joined[..., 12:], (decoded + proxy)[..., 12:] / 2)


def test_without_a_proxy_frames_are_independent() -> None:
    decoder = _decoder()
    torch.nn.init.normal_(decoder.conv_out.weight, std=0.1)
    decoded = torch.rand(1, 3, 3, 16, 16)
    together = decoder(decoded, None, None, None)
    alone = torch.cat([decoder(decoded[:, :, t : t + 1], None, None, None) for t in range(3)], dim=2)
    assert_close(together, alone, atol=1e-5, rtol=1e-5)
