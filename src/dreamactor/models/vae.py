"""The 3D VAE: a diffusers class by config, with latent statistics and a decoder that streams.

Knows nothing about files, guidance or the DiT. The autoencoder is diffusers' LTX type because its cost per pixel is 7-10
times below a Wan type at our sizes; both are causal, so the first latent frame stands for one frame and every later one
for `temporal` frames. A linear code may carry the signal (`linear`): it needs no training, so that the latents are fixed
from the first minute on and the decoder network has only to mend what a linear code leaves.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKLLTXVideo
from diffusers.models.autoencoders.autoencoder_kl_ltx import LTXVideoCausalConv3d, LTXVideoUpsampler3d
from einops import rearrange
from torch import Tensor, nn

from dreamactor.models.pixel_basis import PixelBasis
from dreamactor.types.latent import LatentGrid
from dreamactor.types.shapes import expect_shape

MAX_STREAM_LATENTS = 8
"""Latent frames decoded at once by default: bounds memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VAEConfig:
    """Shape of the autoencoder.

    Attributes:
        latent_channels: C of the latent.
        channels: width of each encoder level, finest first; each but the last halves time and space once.
        decoder_channels: the same for the decoder.
        layers: residual blocks per level, then in the middle.
        decoder_layers: the same for the decoder.
        pixel_patch: side of the pixel patches that enter and leave as channels (pixel shuffle).
        linear: latents are coefficients of a fitted linear code (`PixelBasis`) instead of the encoder network's, and
            the decoder network adds to what that code decodes.
    """

    latent_channels: int
    channels: tuple[int, ...]
    decoder_channels: tuple[int, ...]
    layers: tuple[int, ...]
    decoder_layers: tuple[int, ...]
    pixel_patch: int
    linear: bool = False

    @property
    def num_halvings(self) -> int:
        return len(self.channels) - 1

    @property
    def temporal(self) -> int:
        """Frames per latent frame after the first."""
        return 2**self.num_halvings

    @property
    def spatial(self) -> int:
        """Pixels per latent cell."""
        return self.pixel_patch * 2**self.num_halvings


class VideoVAE(nn.Module):
    """Video in -1..1 <-> normalised latents (zero mean, unit variance per channel over the training set)."""

    latent_mean: Tensor
    latent_std: Tensor

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        levels = len(config.channels)
        scaling = (True,) * config.num_halvings + (False,)
        self.autoencoder = AutoencoderKLLTXVideo(
            latent_channels=config.latent_channels,
            block_out_channels=config.channels,
            down_block_types=("LTXVideoDownBlock3D",) * levels,
            decoder_block_out_channels=config.decoder_channels,
            layers_per_block=config.layers,
            decoder_layers_per_block=config.decoder_layers,
            spatio_temporal_scaling=scaling,
            decoder_spatio_temporal_scaling=scaling,
            decoder_inject_noise=(False,) * (levels + 1),
            downsample_type=("conv",) * levels,
            upsample_residual=(True,) * levels,
            upsample_factor=(1,) * levels,
            patch_size=config.pixel_patch,
            encoder_causal=True,
            decoder_causal=True,
        )
        self.linear = (
            PixelBasis(channels=config.latent_channels, temporal=config.temporal, spatial=config.spatial)
            if config.linear
            else None
        )
        if config.linear:
            self.autoencoder.encoder = nn.Identity()
            last = self.autoencoder.decoder.conv_out.conv
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        self.register_buffer("latent_mean", torch.zeros(config.latent_channels))
        self.register_buffer("latent_std", torch.ones(config.latent_channels))

    def grid(self, patch: int) -> LatentGrid:
        """Pixel <-> latent <-> token arithmetic for a DiT with this patch size."""
        return LatentGrid(temporal=self.config.temporal, spatial=self.config.spatial, patch=patch)

    def _wide(self, statistic: Tensor) -> Tensor:
        return rearrange(statistic, "c -> 1 c 1 1 1")

    def code(self, video: Tensor) -> Tensor:
        """The latent as it is, not normalised: video [B, 3, T, H, W] in -1..1 -> [B, C, F, h, w] (posterior mean)."""
        expect_shape("video", video, "B 3 T H W")
        if self.linear is not None:
            return self.linear.encode(video)
        return self.autoencoder.encode(video).latent_dist.mean

    def reconstruct(self, code: Tensor) -> Tensor:
        """The inverse of `code`: [B, C, F, h, w] -> video [B, 3, s (F - 1) + 1, H, W], about -1..1."""
        video = self.autoencoder.decoder(code)
        return video if self.linear is None else video + self.linear.decode(code)

    def encode(self, video: Tensor) -> Tensor:
        """Video [B, 3, T, H, W] in -1..1 with T = s (F - 1) + 1 -> normalised latent [B, C, F, h, w]."""
        num_frames = video.shape[2]
        if (num_frames - 1) % self.config.temporal:
            raise ValueError(f"T must be {self.config.temporal} n + 1, got {num_frames}")
        return (self.code(video) - self._wide(self.latent_mean)) / self._wide(self.latent_std)

    def raw(self, latent: Tensor) -> Tensor:
        """Undoes the normalisation."""
        return latent * self._wide(self.latent_std) + self._wide(self.latent_mean)

    def decode(self, latent: Tensor) -> Tensor:
        """Normalised latent [B, C, F, h, w] -> video [B, 3, s (F - 1) + 1, H, W], about -1..1."""
        return self.reconstruct(self.raw(latent))

    def decoder_stream(self) -> StreamedDecoder:
        """A decoder that takes latent frames as they come; equal to `decode` of them all."""
        return StreamedDecoder(self)


class StreamedDecoder:
    """Decodes latent frames in pieces, with the same result as one whole decode.

    Every causal convolution keeps the last frames of its input; every temporal upsampler drops its surplus first
    frames only once. The weights are shared with the VAE, the state is this object's own.
    """

    def __init__(self, vae: VideoVAE) -> None:
        self._vae = vae
        decoder = vae.autoencoder.decoder
        shared = {id(tensor): tensor for tensor in (*decoder.parameters(), *decoder.buffers())}
        self._decoder = copy.deepcopy(decoder, shared)
        self._held: list[_StreamedConvolution | _StreamedUpsampler] = []
        for module in self._decoder.modules():
            streamed: _StreamedConvolution | _StreamedUpsampler
            if isinstance(module, LTXVideoCausalConv3d):
                streamed = _StreamedConvolution(module)
            elif isinstance(module, LTXVideoUpsampler3d):
                streamed = _StreamedUpsampler(module)
            else:
                continue
            module.forward = streamed  # type: ignore[method-assign]
            self._held.append(streamed)
        self._started = False

    def state(self) -> dict[str, Tensor]:
        """Everything that what comes next depends on; empty before the first latent."""
        if not self._started:
            return {}
        return {f"{index:03d}": held.state for index, held in enumerate(self._held) if held.state is not None}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Goes on where another decoder of the same VAE was when its `state` was taken.

        Raises:
            ValueError: the state is of another VAE.
        """
        if state and state.keys() != {f"{i:03d}" for i, held in enumerate(self._held) if held.remembers}:
            raise ValueError("this state is of another decoder")
        self._started = bool(state)
        for index, held in enumerate(self._held):
            held.state = state.get(f"{index:03d}")

    @torch.no_grad()
    def push(self, latent: Tensor) -> Tensor:
        """The next latent frames, normalised [B, C, f, h, w] -> their frames [B, 3, t, H, W] (1 for the very first)."""
        vae = self._vae
        frames = []
        for piece in latent.split(MAX_STREAM_LATENTS, dim=2):
            raw = vae.raw(piece)
            video = self._decoder(raw)
            if vae.linear is not None:
                video = video + vae.linear.decode(raw, from_start=not self._started)
            self._started = True
            frames.append(video)
        return torch.cat(frames, dim=2)


class _StreamedConvolution:
    """A causal convolution in time that keeps the last frames of its input."""

    def __init__(self, module: LTXVideoCausalConv3d) -> None:
        self._module, self._context = module, module.kernel_size[0] - 1
        self.remembers = self._context > 0
        self.state: Tensor | None = None

    def __call__(self, hidden: Tensor) -> Tensor:
        if not self.remembers:
            return self._module.conv(hidden)
        past = hidden[:, :, :1].repeat(1, 1, self._context, 1, 1) if self.state is None else self.state
        extended = torch.cat([past, hidden], dim=2)
        self.state = extended[:, :, -self._context :].clone()
        return self._module.conv(extended)


class _StreamedUpsampler:
    """A temporal upsampler that drops its surplus first frames once; `state` is how many are still to be dropped."""

    def __init__(self, module: LTXVideoUpsampler3d) -> None:
        self._module = module
        self.remembers = True
        self.state: Tensor | None = None

    def __call__(self, hidden: Tensor) -> Tensor:
        module = self._module
        time, rows, columns = module.stride

        def unfold(part: Tensor) -> Tensor:
            return rearrange(part, "b (c i j k) t h w -> b c (t i) (h j) (w k)", i=time, j=rows, k=columns)

        upsampled = unfold(module.conv(hidden))
        if module.residual:
            repeats = time * rows * columns // module.upscale_factor
            upsampled = upsampled + unfold(hidden).repeat(1, repeats, 1, 1, 1)
        surplus = time - 1 if self.state is None else int(self.state)
        self.state = torch.zeros(())
        return upsampled[:, :, surplus:]
