"""Wan's autoencoder with the face of ours: normalised latents in and out, and a decoder that streams.

Its first latent frame stands for one frame and every later one for four, as ours. It keeps its own device and precision;
videos and latents go in and come out on the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan
from einops import rearrange
from torch import Tensor, nn

from dreamactor.errors import InputError
from dreamactor.types.latent import LatentGrid
from dreamactor.types.shapes import expect_shape


@dataclass(frozen=True, kw_only=True, slots=True)
class WanVAEConfig:
    """Shape of the autoencoder.

    Attributes:
        latent_channels: C of the latent.
        temporal: frames per latent frame after the first.
        spatial: pixels per latent cell.
    """

    latent_channels: int
    temporal: int
    spatial: int


class WanVAE(nn.Module):
    """Video in -1..1 <-> latents with about zero mean and unit variance per channel, by the model's own statistics."""

    latent_mean: Tensor
    latent_std: Tensor

    def __init__(self, autoencoder: AutoencoderKLWan) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        said = autoencoder.config
        self.config = WanVAEConfig(
            latent_channels=said.z_dim, temporal=said.scale_factor_temporal, spatial=said.scale_factor_spatial
        )
        self.register_buffer("latent_mean", torch.tensor(said.latents_mean))
        self.register_buffer("latent_std", torch.tensor(said.latents_std))

    @classmethod
    def from_folder(cls, folder: Path) -> WanVAE:
        """The one in the subfolder `vae` of a model in diffusers' layout, frozen.

        Raises:
            InputError: there is none, or it cannot be read.
        """
        try:
            autoencoder = AutoencoderKLWan.from_pretrained(folder, subfolder="vae", dtype=torch.float32)
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"{folder} has no usable vae ({reason}). Pull the model again, or name another folder."
            ) from error
        return cls(autoencoder).requires_grad_(False).eval()

    def grid(self, patch: int) -> LatentGrid:
        """Pixel <-> latent <-> token arithmetic for a DiT with this patch size."""
        return LatentGrid(temporal=self.config.temporal, spatial=self.config.spatial, patch=patch)

    def _wide(self, statistic: Tensor) -> Tensor:
        return rearrange(statistic, "c -> 1 c 1 1 1")

    def encode(self, video: Tensor) -> Tensor:
        """Video [B, 3, T, H, W] in -1..1 with T = s (F - 1) + 1 -> normalised latent [B, C, F, h, w] (posterior mean)."""
        num_frames = expect_shape("video", video, "B 3 T H W")["T"]
        if (num_frames - 1) % self.config.temporal:
            raise ValueError(f"T must be {self.config.temporal} n + 1, got {num_frames}")
        code = self.autoencoder.encode(video.to(self.latent_mean)).latent_dist.mean
        return ((code - self._wide(self.latent_mean)) / self._wide(self.latent_std)).to(video.device)

    def decode(self, latent: Tensor) -> Tensor:
        """Normalised latent [B, C, F, h, w] -> video [B, 3, s (F - 1) + 1, H, W] in -1..1."""
        return self.autoencoder.decode(self._raw(latent)).sample.to(latent.device)

    def decoder_stream(self) -> WanStreamedDecoder:
        """A decoder that takes latent frames as they come; equal to `decode` of them all."""
        return WanStreamedDecoder(self)

    def _raw(self, latent: Tensor) -> Tensor:
        return latent.to(self.latent_mean) * self._wide(self.latent_std) + self._wide(self.latent_mean)


class WanStreamedDecoder:
    """Decodes latent frames in pieces; what the convolutions remember of earlier ones is this object's own."""

    def __init__(self, vae: WanVAE) -> None:
        self._vae = vae
        self._memory: list[Tensor | str | None] | None = None

    @torch.no_grad()
    def push(self, latent: Tensor) -> Tensor:
        """The next latent frames, normalised [B, C, f, h, w] -> their frames [B, 3, t, H, W] (1 for the very first)."""
        autoencoder = self._vae.autoencoder
        frames = []
        for piece in autoencoder.post_quant_conv(self._vae._raw(latent)).split(1, dim=2):
            first = self._memory is None
            if self._memory is None:
                autoencoder.clear_cache()
                self._memory = autoencoder._feat_map
            frames.append(autoencoder.decoder(piece, feat_cache=self._memory, feat_idx=[0], first_chunk=first))
        return torch.cat(frames, dim=2).clamp(-1.0, 1.0).to(latent.device)
