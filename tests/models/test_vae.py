"""Laws of the VAE: causality, and a streamed decode equal to the whole one."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from dreamactor.models.vae import VAEConfig, VideoVAE


@pytest.fixture(scope="module", params=[False, True], ids=["networks", "linear-code"])
def vae(request: pytest.FixtureRequest) -> VideoVAE:
    torch.manual_seed(0)
    config = VAEConfig(
        latent_channels=4,
        channels=(16, 24, 32),
        decoder_channels=(16, 24, 32),
        layers=(1, 1, 1, 1),
        decoder_layers=(1, 1, 1, 1),
        pixel_patch=4,
        linear=request.param,
    )
    made = VideoVAE(config).eval()
    for parameter in made.autoencoder.decoder.conv_out.parameters():
        parameter.data.normal_(0, 0.1)  # a trained decoder network adds to the linear code
    made.latent_mean.normal_(0, 0.1)
    made.latent_std.uniform_(0.5, 1.5)
    return made


def test_grid_matches_what_the_network_does(vae: VideoVAE) -> None:
    grid = vae.grid(patch=1)
    with torch.no_grad():
        latent = vae.encode(torch.rand(1, 3, 13, 32, 48) * 2 - 1)
        assert latent.shape[2] == grid.num_latents(13) == 4
        assert latent.shape[3:] == grid.cells(height=32, width=48)
        assert vae.decode(latent).shape == (1, 3, grid.num_frames(4), 32, 48)


@pytest.mark.parametrize("pieces", [(5,), (1, 4), (2, 1, 2), (1, 1, 1, 1, 1)])
def test_streamed_decode_equals_whole_decode(vae: VideoVAE, pieces: tuple[int, ...]) -> None:
    latent = torch.randn(2, 4, 5, 2, 3, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        whole = vae.decode(latent)
    stream = vae.decoder_stream()
    streamed = torch.cat([stream.push(piece) for piece in latent.split(pieces, dim=2)], dim=2)
    assert_close(streamed, whole, atol=1e-5, rtol=1e-5)


def test_a_stream_goes_on_from_anothers_state(vae: VideoVAE) -> None:
    latent = torch.randn(1, 4, 5, 2, 2, generator=torch.Generator().manual_seed(3))
    first, second = vae.decoder_stream(), vae.decoder_stream()
    second.load_state(first.state())
    for at in range(5):
        piece = latent[:, :, at : at + 1]
        assert torch.equal(first.push(piece), second.push(piece))
        second = vae.decoder_stream()
        second.load_state(first.state())
    with pytest.raises(ValueError, match="another decoder"):
        second.load_state({"000": torch.zeros(1)})


def test_two_streams_do_not_disturb_each_other(vae: VideoVAE) -> None:
    latent = torch.randn(1, 4, 3, 2, 2, generator=torch.Generator().manual_seed(2))
    first, second = vae.decoder_stream(), vae.decoder_stream()
    expected = vae.decoder_stream().push(latent)
    head = first.push(latent[:, :, :1])
    second.push(torch.zeros_like(latent))
    assert_close(torch.cat([head, first.push(latent[:, :, 1:])], dim=2), expected, atol=1e-5, rtol=1e-5)


def test_encoder_is_causal(vae: VideoVAE) -> None:
    video = torch.rand(1, 3, 9, 32, 32) * 2 - 1
    changed = video.clone()
    changed[:, :, 5:] = 0
    with torch.no_grad():
        before, after = vae.encode(video), vae.encode(changed)
    assert_close(before[:, :, :2], after[:, :, :2])
    assert not torch.allclose(before[:, :, 2], after[:, :, 2])


def test_frame_count_that_does_not_fit_is_refused(vae: VideoVAE) -> None:
    with pytest.raises(ValueError, match="4 n \\+ 1"):
        vae.encode(torch.zeros(1, 3, 8, 32, 32))
