"""Clips -> one batch of tensors: conditions kept or dropped, times and noise drawn, each clip by its own generator.

A clip's part does not depend on which other clips it is batched with, nor on how many processes share the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from dreamactor.flow.path import add_noise
from dreamactor.flow.time import draw_times
from dreamactor.models.inputs import DriveInput, ReferenceInput
from dreamactor.training.clips import Window
from dreamactor.training.conditions import Kept, Ratios, draw_kept

HAND_OVER_RATE = 0.5
"""How often a clip that begins at the start of a video is given its first latent; one that continues always is."""
WORN_RATE, WORN_NOISE = 0.7, 0.1
"""How often a handed-over latent has noise on it, and its deviation: what is handed over in long videos is not clean."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainBatch:
    """B clips of F latent frames; T = first_frames + s (F - 1).

    Attributes:
        clean: [B, C, F, h, w] the truth.
        noisy: [B, C, F, h, w] what the network sees of it, and times: [B, F] how noisy, 0 for a handed-over latent.
        velocity: [B, C, F, h, w] noise - clean.
        weight: [B, 1, F, h, w] how much a cell counts; zero where a latent was handed over.
        references: [B, K, C, h, w]; reference_maps: [B, K, 6, H, W] in -1..1; present: [B, K] bool.
        first_frames: frames that latent frame 0 stands for.
        maps: [B, 6, T, H, W] in -1..1, black where dropped.
        face: [B, T, c]; face_tracked: [B, T] bool, False where dropped.
        proxy: [B, C, F, h, w]; seen: [B, 1, F, h, w]; zero where dropped.
    """

    clean: Tensor
    noisy: Tensor
    times: Tensor
    velocity: Tensor
    weight: Tensor
    references: Tensor
    reference_maps: Tensor
    present: Tensor
    first_frames: int
    maps: Tensor
    face: Tensor
    face_tracked: Tensor
    proxy: Tensor
    seen: Tensor

    def to(self, device: torch.device) -> Self:
        moved: dict[str, Any] = {name: value.to(device) for name, value in self.tensors().items()}
        return replace(self, **moved)

    def tensors(self) -> dict[str, Tensor]:
        """Name -> tensor."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}

    @property
    def reference_input(self) -> ReferenceInput:
        return ReferenceInput(latents=self.references, pose_maps=self.reference_maps, present=self.present)

    def drive_input(self, *, proxy: bool) -> DriveInput:
        """What the DiT is driven by.

        Args:
            proxy: whether the network knows a proxy.
        """
        return DriveInput(
            num_latents=self.clean.shape[2],
            first_frames=self.first_frames,
            pose_maps=self.maps,
            face=self.face,
            face_tracked=self.face_tracked,
            proxy_latent=self.proxy if proxy else None,
            proxy_seen=self.seen if proxy else None,
        )


def clip_generator(*key: int) -> torch.Generator:
    """Random numbers that belong to one clip of one step of one run."""
    return torch.Generator().manual_seed(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0]) >> 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """How clips of a stage are drawn.

    Attributes:
        ratios: of conditions.
        progress: share of the stage that is done.
        first_frame_reference: the only reference is the encoding's first frame, without a pose (image to video).
        time_shift: moves training times towards noise.
    """

    ratios: Ratios
    progress: float = 0.0
    first_frame_reference: bool = False
    time_shift: float = 1.0


def make_batch(windows: Sequence[Window], generators: Sequence[torch.Generator], how: Draw, *, temporal: int) -> TrainBatch:
    """Draws everything that is random about a batch.

    Args:
        windows: clips of one shape.
        generators: one for each.
        how: the stage's way.
        temporal: s of the VAE.
    """
    pairs = list(zip(windows, generators, strict=True))
    shown = [_references(window, how) for window, _ in pairs]
    kept = [
        draw_kept(how.ratios, how.progress, len(pictures), generator=generator)
        for (_, generator), (pictures, _) in zip(pairs, shown, strict=True)
    ]
    clean = torch.stack([_cut(window, window.sample.clean) for window in windows])
    times, context, noise = [], [], []
    for (window, generator), latent in zip(pairs, clean, strict=True):
        own, seen = _time_and_context(window, latent, generator, shift=how.time_shift)
        times.append(own)
        context.append(seen)
        noise.append(torch.randn(latent.shape, generator=generator))
    return gather(windows, kept, shown, torch.stack(context), torch.stack(noise), torch.stack(times), temporal=temporal)


def gather(
    windows: Sequence[Window], kept: Sequence[Kept], shown: Sequence[tuple[Tensor, Tensor]], context: Tensor, noise: Tensor,
    times: Tensor, *, temporal: int,
) -> TrainBatch:  # fmt: skip
    """Puts a batch together from what was drawn.

    Args:
        windows: clips of one shape.
        kept: conditions of each.
        shown: reference latents [K, C, h, w] and maps [K, 6, H, W] uint8 of each; fewer than the most are absent ones.
        context: [B, C, F, h, w] the clean latents, noise on those that are handed over.
        noise: [B, C, F, h, w]; times: [B, F].
        temporal: s.
    """
    clean = torch.stack([_cut(window, window.sample.clean) for window in windows])
    state = add_noise(context, noise, times)
    first_frames = temporal if any(window.start for window in windows) else 1
    most = max(1, *(len(pictures) for pictures, _ in shown)) if len(shown) > 1 else max(1, len(shown[0][0]))
    parts: dict[str, list[Tensor]] = {name: [] for name in ("maps", "face", "face_tracked", "proxy", "seen")}
    own: dict[str, list[Tensor]] = {name: [] for name in ("references", "reference_maps", "present")}
    for window, keeps, (pictures, drawn) in zip(windows, kept, shown, strict=True):
        sample, frames = window.sample, _frames(window, temporal, first_frames)
        maps = sample.maps[:, frames].clone()
        maps[:3] *= keeps.skeleton
        maps[3:] *= keeps.sphere
        parts["maps"].append(_signed(maps))
        parts["face"].append(sample.expression[frames])
        parts["face_tracked"].append(sample.face_tracked[frames] & keeps.face)
        parts["proxy"].append(_cut(window, sample.proxy) * keeps.proxy)
        parts["seen"].append(_cut(window, sample.seen) * keeps.proxy)
        own["references"].append(_padded(pictures, most, like=sample.clean[:, 0]))
        own["reference_maps"].append(_signed(_padded(drawn, most, like=sample.maps[:, 0])))
        own["present"].append(_padded(keeps.references, most, like=keeps.references.new_zeros(())))
    return TrainBatch(
        clean=clean, noisy=state.noisy, times=times, velocity=state.velocity,
        weight=torch.stack([_cut(window, window.sample.weight) for window in windows]) * (times > 0)[:, None, :, None, None],
        first_frames=first_frames, **{name: torch.stack(values) for name, values in (parts | own).items()},
    )  # fmt: skip


def _signed(maps: Tensor) -> Tensor:
    return maps.float() / 127.5 - 1


def _cut(window: Window, latent: Tensor) -> Tensor:
    return latent[:, window.start : window.start + window.num_latents]


def _frames(window: Window, temporal: int, first_frames: int) -> Tensor:
    """Frames that the latents stand for. Beside clips that continue, one that does not repeats its first frame s times,
    which is the same to the network."""
    start, length = window.start, window.num_latents
    if start:
        return torch.arange(1 + temporal * (start - 1), 1 + temporal * (start + length - 1))
    frames = torch.arange(1 + temporal * (length - 1))
    return torch.cat([frames.new_zeros(first_frames - 1), frames])


def _references(window: Window, how: Draw) -> tuple[Tensor, Tensor]:
    """Latents [K, C, h, w] and maps [K, 6, H, W] uint8 that a clip may be shown."""
    sample = window.sample
    if how.first_frame_reference:
        return sample.clean[None, :, 0], torch.zeros_like(sample.maps[None, :, 0])
    return sample.references, sample.reference_maps


def _time_and_context(
    window: Window, clean: Tensor, generator: torch.Generator, *, shift: float
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Times [F], and the clean latent, noise on its first frame where that one is handed over and worn."""
    times = draw_times(1, shift=shift, generator=generator).repeat(window.num_latents)
    handed, worn = torch.rand(2, generator=generator).tolist()
    wear = torch.randn(clean[:, 0].shape, generator=generator)
    if window.num_latents == 1 or (window.start == 0 and handed >= HAND_OVER_RATE):
        return times, clean
    times[0] = 0
    if worn >= WORN_RATE:
        return times, clean
    first = clean[:, :1] + WORN_NOISE * wear[:, None]
    return times, torch.cat([first, clean[:, 1:]], dim=1)


def _padded(values: Tensor, count: int, *, like: Tensor) -> Tensor:
    """[K, ...] with zeros up to `count`."""
    missing = count - len(values)
    return values if not missing else torch.cat([values, like.new_zeros(missing, *like.shape).to(values.dtype)])
