"""Trains the embedded model's DiT by flow matching on encoded samples.

Conditions are dropped at random; some batches continue from a handed-over latent cut out of the middle of an encoding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from dreamactor.flow.path import add_noise
from dreamactor.flow.sampler import sample as solve
from dreamactor.flow.time import draw_times, sampling_times
from dreamactor.models.dit import DiT
from dreamactor.models.inputs import DriveInput, ReferenceInput
from dreamactor.training.encoded import EncodedSample
from dreamactor.training.loop import LoopConfig, TrainingLoop

TIME_SHIFT = 4.0
"""Moves training times towards noise: the model is sampled in very few steps, the first of which decide."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DropRates:
    """How often a condition is left out, per batch."""

    references: float = 0.1
    pose: float = 0.1
    proxy: float = 0.12
    face: float = 0.2


def _maps(maps: list[Tensor]) -> Tensor:
    return torch.stack(maps).float() / 127.5 - 1


def prepare_batch(
    dit: DiT, batch: list[EncodedSample], *, continues: bool, drop: Callable[[float], bool], rates: DropRates
) -> tuple[Tensor, Tensor, object, object]:
    """Clean latents [B, C, F, h, w], weights and the two caches of a batch, with conditions dropped.

    A batch that continues starts in the middle of the encoding: its latent frame 0 stands for s frames.
    """
    s = dit.config["temporal"]
    first = 1 if continues else 0
    clean = torch.stack([e.clean[:, first:] for e in batch])
    weight = torch.stack([e.weight[:, first:] for e in batch])
    references = None
    if not drop(rates.references):
        references = dit.prepare_references(
            ReferenceInput(
                latents=torch.stack([e.reference for e in batch])[:, None],
                pose_maps=_maps([e.reference_maps for e in batch])[:, None],
            )
        )
    no_proxy, no_face = drop(rates.proxy), drop(rates.face)
    drive = dit.prepare_drive(
        DriveInput(
            num_latents=clean.shape[2],
            first_frames=s if continues else 1,
            pose_maps=None if drop(rates.pose) else _maps([e.maps[:, first:] for e in batch]),
            face=None if no_face else torch.stack([e.expression[first:] for e in batch]),
            face_tracked=None if no_face else torch.stack([e.face_tracked[first:] for e in batch]),
            proxy_latent=None if no_proxy else torch.stack([e.proxy[:, first:] for e in batch]),
            proxy_seen=None if no_proxy else torch.stack([e.seen[:, first:] for e in batch]),
        )
    )
    return clean, weight, references, drive


def train_dit(
    dit: DiT, samples: list[EncodedSample], run: Path, config: LoopConfig, *, batch_size: int, seed: int,
    channel_weight: Tensor | None = None, rates: DropRates | None = None,
) -> dict[str, float]:  # fmt: skip
    """Trains the DiT in place (averaged weights).

    Args:
        dit: the network.
        samples: encoded samples.
        run: folder for checkpoint and log.
        config: the loop's.
        batch_size: clips a step.
        seed: of batches, times and noise.
        channel_weight: [C], how much each latent channel counts (a linear code's channels differ a hundredfold in what
            they do to the picture); all alike where not given.
        rates: of dropped conditions.
    """
    loop = TrainingLoop({"dit": dit}, config, run, seed=seed)
    per_channel = torch.ones(samples[0].clean.shape[0]) if channel_weight is None else channel_weight / channel_weight.mean()
    chosen_rates = rates or DropRates()

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        def drop(rate: float) -> bool:
            return bool(torch.rand((), generator=generator) < rate)

        picks = torch.randint(len(samples), (batch_size,), generator=generator)
        continues, handed_over = drop(0.3), drop(0.5)
        clean, weight, references, drive = prepare_batch(
            dit, [samples[int(i)] for i in picks], continues=continues, drop=drop, rates=chosen_rates
        )
        times = draw_times(batch_size, shift=TIME_SHIFT, generator=generator)[:, None].repeat(1, clean.shape[2])
        context = clean
        if continues or handed_over:
            times[:, 0] = 0
            context = clean.clone()
            context[:, :, 0] += 0.1 * torch.randn(clean[:, :, 0].shape, generator=generator)
        state = add_noise(context, torch.randn(clean.shape, generator=generator), times)
        predicted = dit.predict_clean(state.noisy, times, references, drive)  # type: ignore[arg-type]
        counted = weight * (times > 0)[:, None, :, None, None] * per_channel[:, None, None, None]
        share = (times[:, None, :, None, None].clamp(min=0.1)).pow(-0.5)
        error = ((predicted - clean).square() * counted * share).sum() / counted.sum()
        return error, {"clean_mse": float(((predicted.detach() - clean).square() * counted).sum() / counted.sum())}

    latest = loop.run(loss_of)
    loop.load_averaged()
    return latest


@torch.no_grad()
def predict_latents(dit: DiT, samples: list[EncodedSample], *, num_steps: int, seed: int) -> list[Tensor]:
    """What the DiT makes of every sample's guidance, from pure noise: [C, F, h, w] each."""
    made = []
    generator = torch.Generator().manual_seed(seed)
    for encoded in samples:
        clean, _, references, drive = prepare_batch(
            dit, [encoded], continues=False, drop=lambda rate: False, rates=DropRates()
        )
        noise = torch.randn(clean.shape, generator=generator)
        latent = solve(lambda x, t: dit(x, t, references, drive), noise, sampling_times(num_steps))  # noqa: B023
        made.append(latent[0])
    return made
