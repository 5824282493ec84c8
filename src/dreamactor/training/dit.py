"""The DiT's loss by flow matching, per clip, and what a DiT makes of samples."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from dreamactor.flow.sampler import sample as solve
from dreamactor.flow.time import sampling_times
from dreamactor.models.dit import DiT
from dreamactor.training.batch import TrainBatch, gather
from dreamactor.training.clips import Window
from dreamactor.training.conditions import everything
from dreamactor.training.encoded import EncodedSample

LEAST_TIME = 0.1
"""Below this time an error of the clean latent counts no more than at it."""


def clip_losses(dit: DiT, batch: TrainBatch, channel_weight: Tensor) -> tuple[Tensor, Tensor]:
    """Loss and squared error of the clean latent, [B] each, in single precision.

    A network that predicts a velocity is trained on the velocity's error (the paper's flow matching); one that predicts the
    clean latent on that one's, divided by the root of the time.

    Args:
        dit: the network.
        batch: on the network's device.
        channel_weight: [C], mean one.
    """
    references = dit.prepare_references(batch.reference_input)
    drive = dit.prepare_drive(batch.drive_input(proxy=dit.config["uses_proxy"]))
    counted = batch.weight * channel_weight[:, None, None, None]  # [B, C, F, h, w]
    times = batch.times[:, None, :, None, None]
    if dit.predicts_clean:
        predicted = dit.predict_clean(batch.noisy, batch.times, references, drive).float()
        off = (predicted - batch.clean).square()
        loss, off = off * times.clamp(min=LEAST_TIME).rsqrt(), off.detach()
    else:
        loss = (dit(batch.noisy, batch.times, references, drive).float() - batch.velocity).square()
        off = loss.detach() * times.square()

    def mean(error: Tensor) -> Tensor:
        return (error * counted).flatten(1).sum(dim=1) / counted.flatten(1).sum(dim=1)

    return mean(loss), mean(off)


@torch.no_grad()
def predict_latents(dit: DiT, samples: Sequence[EncodedSample], *, num_steps: int, seed: int) -> list[Tensor]:
    """What the DiT makes of every sample's guidance, from pure noise: [C, F, h, w] each."""
    made = []
    generator = torch.Generator().manual_seed(seed)
    device = dit.patch_embedding.weight.device
    for encoded in samples:
        clean = encoded.clean[None]
        noise = torch.randn(clean.shape, generator=generator)
        window = Window(sample=encoded, start=0, num_latents=clean.shape[2])
        batch = gather(
            [window], [everything(len(encoded.references))], [(encoded.references, encoded.reference_maps)], clean, noise,
            torch.ones(1, clean.shape[2]), temporal=dit.config["temporal"],
        ).to(device)  # fmt: skip
        references = dit.prepare_references(batch.reference_input)
        drive = dit.prepare_drive(batch.drive_input(proxy=dit.config["uses_proxy"]))
        latent = solve(lambda x, t: dit(x, t, references, drive), batch.noisy, sampling_times(num_steps))  # noqa: B023
        made.append(latent[0].cpu())
    return made
