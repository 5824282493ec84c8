"""Guided samples in latent space, encoded once by the frozen VAE, as they are and in other colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.models.vae import VideoVAE
from dreamactor.models.wan_vae import WanVAE
from dreamactor.training.colours import turn_colours
from dreamactor.training.guided import GuidedSample, load_guided
from dreamactor.training.weighting import region_weight


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedSample:
    """A guided sample in latent space.

    Attributes:
        clean, proxy: [C, F, h, w]; references: [K, C, h, w].
        seen: [1, F, h, w] in 0..1; weight: [1, F, h, w], how much a cell counts (person and head above background).
        maps: [6, T, H, W] uint8; reference_maps: [K, 6, H, W] uint8.
        expression: [T, E]; face_tracked: [T] bool.
    """

    clean: Tensor
    proxy: Tensor
    references: Tensor
    seen: Tensor
    weight: Tensor
    maps: Tensor
    reference_maps: Tensor
    expression: Tensor
    face_tracked: Tensor


def _signed(pictures: Tensor) -> Tensor:
    """uint8 [T, H, W, 3] -> float [1, 3, T, H, W] in -1..1."""
    return pictures.permute(3, 0, 1, 2)[None].float() / 127.5 - 1


def _per_latent(share: Tensor, temporal: int, cells: tuple[int, int]) -> Tensor:
    """[T, H, W] in 0..1 -> mean per latent cell [1, F, h, w]."""
    small = F.adaptive_avg_pool2d(share[:, None], cells)[:, 0]
    later = small[1:].unflatten(0, (-1, temporal)).mean(dim=1)
    return torch.cat([small[:1], later])[None]


@torch.no_grad()
def encode_sample(vae: VideoVAE | WanVAE, sample: GuidedSample) -> EncodedSample:
    """Encodes truth, proxy and reference. Shares no memory with the sample: a tensor of a file may hold on to all of it."""
    clean, proxy = vae.encode(_signed(sample.frames)), vae.encode(_signed(sample.proxy))
    reference = vae.encode(_signed(sample.reference[None]))
    cells = (clean.shape[3], clean.shape[4])
    return EncodedSample(
        clean=clean[0].float(),
        proxy=proxy[0].float(),
        references=reference[:, :, 0].float(),
        seen=_per_latent(sample.seen.float() / 255, vae.config.temporal, cells),
        weight=_per_latent(region_weight((sample.mask > 127).float(), sample.head), vae.config.temporal, cells),
        maps=sample.maps.clone(),
        reference_maps=sample.reference_maps[None].clone(),
        expression=sample.expression.clone(),
        face_tracked=sample.face_tracked.clone(),
    )


def load_samples(
    paths: list[Path], vae: VideoVAE, *, colourings: int, seed: int, report: Callable[[int, int], None] | None = None
) -> list[EncodedSample]:
    """Encodes all guided samples as they are, and again in other colours: sample 0, 1, .. first, then their colourings.

    Args:
        paths: guided samples.
        vae: the frozen VAE.
        colourings: how many times each is encoded, the first time in its own colours.
        seed: of the colours.
        report: called with (done, total).
    """
    encoded = []
    generator = torch.Generator().manual_seed(seed)
    for colouring in range(colourings):
        for index, path in enumerate(paths):
            sample = load_guided(path)
            if colouring == 0:
                encoded.append(encode_sample(vae, sample))
            else:
                own = encoded[index]
                turned = encode_sample(vae, _turned(sample, generator=generator))
                encoded.append(replace(own, clean=turned.clean, proxy=turned.proxy, references=turned.references))
            if report:
                report(colouring * len(paths) + index + 1, colourings * len(paths))
    return encoded


def _turned(sample: GuidedSample, *, generator: torch.Generator) -> GuidedSample:
    """The sample in other colours."""
    pictures = [sample.frames.float(), sample.proxy.float(), sample.reference.float()]
    frames, proxy, reference = (p.round().to(torch.uint8) for p in turn_colours(pictures, generator=generator))
    return replace(sample, frames=frames, proxy=proxy, reference=reference)
