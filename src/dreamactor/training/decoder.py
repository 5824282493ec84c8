"""Trains the proxy-aware decoder on what the DiT predicts and on worn truth, so that known pixels travel as pixels."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from dreamactor.models.inputs import DecodeInput
from dreamactor.models.proxy_decoder import ProxyDecoder
from dreamactor.training.colours import turn_colours
from dreamactor.training.encoded import EncodedSample
from dreamactor.training.loop import LoopConfig, TrainingLoop
from dreamactor.training.vae import edge_loss
from dreamactor.training.weighting import region_weight

NO_PROXY_RATE = 0.05
"""How often the decoder has to do without the proxy."""
TEXTURE_WEIGHT = 2.0
"""Of the difference in texture energy in the decoder's loss."""


def worn_latent(sample: EncodedSample, *, generator: torch.Generator) -> Tensor:
    """The true latent [C, F, h, w] as a model in training might draw it: a share of the proxy, weak fine channels, noise."""

    def below(end: float) -> float:
        return end * float(torch.rand((), generator=generator))

    share = below(0.5)
    fade = torch.linspace(1, 1 - below(0.9), len(sample.clean))[:, None, None, None]
    noise = torch.randn(sample.clean.shape, generator=generator)
    return fade * (sample.clean * (1 - share) + sample.proxy * share) + below(0.3) * noise


def decoder_batch(
    path: Path, decoded: Tensor, *, crop: int, generator: torch.Generator
) -> tuple[DecodeInput, Tensor, Tensor]:
    """A crop of one frame of a sample, its colours turned: input, truth [1, 3, 1, c, c] and weight [1, 1, 1, c, c]."""
    with safe_open(path, framework="pt") as opened:
        slices = {name: opened.get_slice(name) for name in ("frames", "proxy", "seen", "figure", "mask", "maps")}
        length, height, width, _ = slices["frames"].get_shape()
        head, features = opened.get_tensor("head"), opened.get_tensor("features")
        picks = torch.randint(length, (1,), generator=generator)
        x, y, _ = head[picks[0]].tolist()
        if torch.rand((), generator=generator) < 0.5:  # often around the head: that is where people look
            left, top = x - crop / 2, y - crop / 2
        else:
            left, top = (float(torch.rand((), generator=generator)) * (size - crop) for size in (width, height))
        left, top = (int(min(max(v, 0), size - crop)) // 8 * 8 for v, size in ((left, width), (top, height)))
        window = (slice(top, top + crop), slice(left, left + crop))

        def cut(name: str) -> Tensor:
            return torch.stack([slices[name][int(t)][window] for t in picks]).float()

        pictures = [cut("frames"), cut("proxy"), decoded[picks][:, window[0], window[1]].float()]
        truth, proxy, made = (
            picture.permute(3, 0, 1, 2)[None] / 127.5 - 1 for picture in turn_colours(pictures, generator=generator)
        )
        seen, figure, mask = (cut(name)[None, None] / 255 for name in ("seen", "figure", "mask"))
        maps = torch.stack([slices["maps"][:, int(t)][:, window[0], window[1]] for t in picks], dim=1)[None]
        face, tracked = opened.get_tensor("expression")[picks][None], opened.get_tensor("face_tracked")[picks][None]
    given = DecodeInput(
        decoded=made, proxy=proxy, seen=seen, figure=figure, pose_maps=maps.float() / 127.5 - 1, face=face,
        face_tracked=tracked,
    )  # fmt: skip
    return given, truth, region_weight(mask[0, 0], head[picks], (top, left), features[picks])[None, None]


def texture_energy(video: Tensor) -> Tensor:
    """[B, 3, T, H, W] -> [B, 1, T, H - 2, W - 2]: how strongly the picture slopes about a place, wherever exactly it does.

    Absolute error prefers a blur to an edge two pixels away from the true one; the energy of both edges is the same. Slopes
    are those of a slightly smoothed picture: of the raw one, a network that cannot tell where an edge lies makes rows of
    single dots, its cheapest energy.
    """
    smooth = video
    for _ in range(2):
        smooth = F.avg_pool3d(smooth, (1, 2, 2), stride=1)
    across = F.pad(torch.diff(smooth, dim=-1), (0, 1)).square()
    down = F.pad(torch.diff(smooth, dim=-2), (0, 0, 0, 1)).square()
    around = F.avg_pool3d((across + down).mean(dim=1, keepdim=True), (1, 9, 9), stride=1, padding=(0, 4, 4))
    return (around + 1e-4).sqrt()


def _together(inputs: list[DecodeInput], *, keep_proxy: bool) -> DecodeInput:
    """Stacks inputs that lack nothing, with or without the proxy."""
    names = [f.name for f in fields(DecodeInput)]
    if not keep_proxy:
        names = [name for name in names if name not in ("proxy", "seen", "figure")]
    return DecodeInput(**{name: torch.cat([getattr(one, name) for one in inputs]) for name in names})


def train_decoder(
    decoder: ProxyDecoder, paths: list[Path], decoded: list[Tensor], run: Path, config: LoopConfig, *,
    batch_size: int, crop: int, seed: int,
) -> dict[str, float]:  # fmt: skip
    """Trains the proxy-aware decoder in place (averaged weights).

    Args:
        decoder: the network.
        paths: guided samples; `decoded`: what the VAE decoded for each, uint8 [T, H, W, 3].
        run: folder for checkpoint and log.
        config: the loop's.
        batch_size: frames a step, each from a sample drawn for it: frames of one clip are nearly one picture.
        crop: side in pixels.
        seed: of batches.
    """
    loop = TrainingLoop({"decoder": decoder}, config, run, seed=seed)

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        inputs, truths, weights = [], [], []
        for _ in range(batch_size):
            index = int(torch.randint(len(paths), (1,), generator=generator))
            given, truth, weight = decoder_batch(paths[index], decoded[index], crop=crop, generator=generator)
            inputs.append(given)
            truths.append(truth)
            weights.append(weight)
        truth, weight = torch.cat(truths), torch.cat(weights)
        keep_proxy = bool(torch.rand((), generator=generator) >= NO_PROXY_RATE)
        joined = decoder(_together(inputs, keep_proxy=keep_proxy)).float()
        error = ((joined - truth).abs() * weight).sum() / (3 * weight.sum())
        person = (weight > 1).float()
        mse = ((joined.detach() - truth).square() * person).sum() / (3 * person.sum().clamp(min=1)) / 4
        counted = weight[..., 1:-1, 1:-1]
        texture = ((texture_energy(joined) - texture_energy(truth)).abs() * counted).sum() / counted.sum()
        loss = error + 0.5 * edge_loss(joined, truth) + TEXTURE_WEIGHT * texture
        return loss, {"texture": float(texture.detach()), "psnr_person": float(-10 * torch.log10(mse.clamp(min=1e-6)))}

    latest = loop.run(loss_of)
    loop.load_averaged()
    return latest
