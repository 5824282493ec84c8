"""Wan's autoencoder behind our words: its own latents, normalised, and a stream that is the whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKLWan

from dreamactor.errors import InputError
from dreamactor.models.wan_vae import WanVAE


@pytest.fixture(scope="module")
def vae() -> WanVAE:
    torch.manual_seed(0)
    shape = {"base_dim": 2, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1, "temperal_downsample": [False, True, True]}
    return WanVAE(AutoencoderKLWan(z_dim=16, **shape)).requires_grad_(False).eval()


def test_latents_are_the_models_own_normalised(vae: WanVAE) -> None:
    video = torch.rand(1, 3, 9, 32, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1
    latent = vae.encode(video)
    assert latent.shape == (1, 16, 3, 4, 6)
    grid = vae.grid(2)
    assert (grid.num_latents(9), grid.size_multiple) == (3, 16)
    theirs = vae.autoencoder.encode(video).latent_dist.mean
    mean, std = (torch.tensor(values)[None, :, None, None, None] for values in
                 (vae.autoencoder.config.latents_mean, vae.autoencoder.config.latents_std))  # fmt: skip
    torch.testing.assert_close(latent * std + mean, theirs)
    torch.testing.assert_close(vae.decode(latent), vae.autoencoder.decode(theirs).sample, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="4 n"):
        vae.encode(video[:, :, :8])


def test_a_stream_is_the_whole_and_two_do_not_disturb_each_other(vae: WanVAE) -> None:
    generator = torch.Generator().manual_seed(2)
    one, two = (torch.randn(1, 16, 4, 4, 4, generator=generator) for _ in range(2))
    streams, pieces = (vae.decoder_stream(), vae.decoder_stream()), ([], [])
    for part in (slice(0, 1), slice(1, 3), slice(3, 4)):
        for latent, stream, made in zip((one, two), streams, pieces, strict=True):
            made.append(stream.push(latent[:, :, part]))
    for latent, made in zip((one, two), pieces, strict=True):
        torch.testing.assert_close(torch.cat(made, dim=2), vae.decode(latent), atol=1e-6, rtol=0)


def test_a_folder_without_one_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no usable vae") as caught:
        WanVAE.from_folder(tmp_path)
    assert "\n" not in str(caught.value)
