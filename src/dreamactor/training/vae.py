"""Trains the 3D VAE on clips of actors: reconstruction, and noise on the latent so that it is smooth.

The posterior is not sampled: at 192 values a latent number its unit noise would drown the signal before anything is learnt.
Noise in units of the latent's own spread does the same job, and a small pull keeps that spread near one.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from dreamactor.data.build import list_samples
from dreamactor.errors import InputError
from dreamactor.models.vae import VideoVAE
from dreamactor.training.loop import CHECKPOINT, LoopConfig, TrainingLoop
from dreamactor.training.weighting import region_weight

SPREAD_WEIGHT = 1e-3
LATENT_NOISE = 0.1
"""Standard deviation added to the latent, in units of the latent's own (DESIGN: a smooth latent decodes averages well)."""


FIT_BATCHES = 120
"""Batches of 16 crops that the linear code is fitted to."""


def edge_loss(made: Tensor, truth: Tensor) -> Tensor:
    """L1 between the differences of neighbouring pixels of videos [B, 3, T, H, W]: keeps lines sharp."""
    across = (torch.diff(made, dim=-1) - torch.diff(truth, dim=-1)).abs().mean()
    down = (torch.diff(made, dim=-2) - torch.diff(truth, dim=-2)).abs().mean()
    return across + down


def random_crops(
    folder: Path, *, batch: int, crop: int, num_frames: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Crops of random clips, every other one around the head: video [B, 3, T, c, c] in -1..1 and weights [B, 1, T, c, c]."""
    paths = list(list_samples(folder))
    if not paths:
        raise InputError(f"No samples in {folder}. Draw some with `dreamactor build-data {folder}`.")

    def below(end: int) -> int:
        return int(torch.randint(0, end, (1,), generator=generator))

    videos, weights = [], []
    for index in range(batch):
        with safe_open(paths[below(len(paths))], framework="pt") as opened:
            frames, mask = opened.get_slice("frames"), opened.get_slice("mask")
            length, height, width, _ = frames.get_shape()
            t = below(length - num_frames + 1)
            center, radius = opened.get_tensor("track.head.center"), opened.get_tensor("track.head.radius_px")
            head = torch.cat([center[t : t + num_frames, :2], radius[t : t + num_frames, None]], dim=-1)
            y, x = below(height - crop + 1), below(width - crop + 1)
            if index % 2:
                x, y = (
                    min(max(int(c + (below(3) - 1) * 0.6 * float(head[0, 2]) - crop / 2), 0), size - crop)
                    for c, size in zip(head[0, :2].tolist(), (width, height), strict=True)
                )
            window = (slice(t, t + num_frames), slice(y, y + crop), slice(x, x + crop))
            videos.append(frames[window])
            weights.append(region_weight((mask[window] > 127).float(), head, (y, x)))
    video = torch.stack(videos).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
    return video, torch.stack(weights)[:, None]


def train_vae(
    vae: VideoVAE, data: Path, run: Path, config: LoopConfig, *, batch: int, crop: int, num_frames: int, seed: int
) -> dict[str, float]:
    """Trains the VAE in place (averaged weights) and measures its latent statistics.

    Args:
        vae: the network.
        data: folder of samples.
        run: folder for checkpoint and log.
        config: the loop's.
        batch: clips a step.
        crop: side in pixels of the square crops.
        num_frames: T of the crops; small crops of many clips teach faster than large ones of few.
        seed: of batches and noise.
    """
    if vae.linear is not None and not (run / CHECKPOINT).exists():
        fit_linear_code(vae, data, crop=crop, seed=seed)
        measure_latents(vae, data)
    loop = TrainingLoop({"vae": vae}, config, run, seed=seed)

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        video, weight = random_crops(data, batch=batch, crop=crop, num_frames=num_frames, generator=generator)
        code = vae.code(video)
        spread = vae.latent_std[:, None, None, None] if vae.linear is not None else code.float().std()
        noise = torch.randn(code.shape, generator=generator)
        made = vae.reconstruct(code + noise * (LATENT_NOISE * spread.detach())).float()
        error = made - video
        # Absolute error alone starts slowly: with it, squares.
        penalty = error.abs() + 2 * error.square()
        loss = (penalty * weight).sum() / (3 * weight.sum()) + 0.5 * edge_loss(made, video)
        if vae.linear is None:
            loss = loss + SPREAD_WEIGHT * torch.log(spread).square()
        mse = F.mse_loss(made.detach(), video) / 4
        return loss, {"psnr": float(-10 * torch.log10(mse))}

    latest = loop.run(loss_of)
    loop.load_averaged()
    if vae.linear is None:
        measure_latents(vae, data)
    return latest


def fit_linear_code(vae: VideoVAE, data: Path, *, crop: int, seed: int) -> float:
    """Fits the linear code of a VAE that has one to random crops; returns the share of the variance it keeps."""
    assert vae.linear is not None
    generator = torch.Generator().manual_seed(seed)
    blocks, weights = [], []
    for _ in range(FIT_BATCHES):
        video, weight = random_crops(data, batch=16, crop=crop, num_frames=vae.config.temporal, generator=generator)
        blocks.append(vae.linear.blocks(video).flatten(0, 3))
        cells = F.avg_pool3d(weight, (vae.config.temporal, vae.config.spatial, vae.config.spatial))
        weights.append(cells.flatten())
    return vae.linear.fit(torch.cat(blocks), torch.cat(weights))


@torch.no_grad()
def measure_latents(vae: VideoVAE, data: Path, *, num_clips: int = 24) -> None:
    """Sets the mean and standard deviation of every latent channel from whole clips, evenly picked."""
    paths = list(list_samples(data))
    means = []
    for path in paths[:: max(1, len(paths) // num_clips)]:
        with safe_open(path, framework="pt") as opened:
            video = opened.get_tensor("frames").permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        means.append(vae.code(video).transpose(0, 1).flatten(1))
    stacked = torch.cat(means, dim=1)
    vae.latent_mean.copy_(stacked.mean(dim=1))
    vae.latent_std.copy_(stacked.std(dim=1).clamp(min=1e-3))
