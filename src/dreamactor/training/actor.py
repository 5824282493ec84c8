"""Trains the embedded model's DiT and proxy-aware decoder on guided samples of actors.

Latents are computed once by the frozen VAE. The DiT learns by flow matching with conditions dropped at random, and to
continue from a handed-over latent cut out of the middle of an encoding; the decoder learns on clean, noised and predicted
latents, so that known pixels travel as pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from dreamactor.flow.path import add_noise
from dreamactor.flow.sampler import sample as solve
from dreamactor.flow.time import draw_times, sampling_times
from dreamactor.models.dit import DiT
from dreamactor.models.inputs import DecodeInput, DriveInput, ReferenceInput
from dreamactor.models.proxy_decoder import ProxyDecoder
from dreamactor.models.vae import VideoVAE
from dreamactor.training.guided import GuidedSample, load_guided
from dreamactor.training.loop import LoopConfig, TrainingLoop
from dreamactor.training.vae import edge_loss

TIME_SHIFT = 4.0
"""Moves training times towards noise: the model is sampled in very few steps, the first of which decide."""


NO_PROXY_RATE = 0.05
"""How often the decoder has to do without the proxy."""
MAX_HUE_DEG = 70.0
TEXTURE_WEIGHT = 1.5
"""Of the difference in texture energy in the decoder's loss."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DropRates:
    """How often a condition is left out, per batch."""

    references: float = 0.1
    pose: float = 0.1
    proxy: float = 0.12
    face: float = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedSample:
    """A guided sample in latent space.

    Attributes:
        clean, proxy: [C, F, h, w]; reference: [C, h, w].
        seen: [1, F, h, w] in 0..1; weight: [1, F, h, w], how much a cell counts (person and head above background).
        maps: [6, T, H, W] uint8; reference_maps: [6, H, W] uint8.
        expression: [T, E]; face_tracked: [T] bool.
    """

    clean: Tensor
    proxy: Tensor
    reference: Tensor
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


def person_weight(sample: GuidedSample) -> Tensor:
    """[T, H, W]: 1 on the background, 3 on the person, 6 on the head."""
    _, height, width = sample.mask.shape
    x = torch.arange(width)[None, None, :] + 0.5
    y = torch.arange(height)[None, :, None] + 0.5
    away = (x - sample.head[:, 0, None, None]).square() + (y - sample.head[:, 1, None, None]).square()
    head = away < (1.1 * sample.head[:, 2, None, None]).square()
    return 1 + 2 * (sample.mask > 127).float() + 3 * head.float()


@torch.no_grad()
def encode_sample(vae: VideoVAE, sample: GuidedSample) -> EncodedSample:
    """Encodes truth, proxy and reference."""
    clean, proxy = vae.encode(_signed(sample.frames)), vae.encode(_signed(sample.proxy))
    reference = vae.encode(_signed(sample.reference[None]))
    cells = (clean.shape[3], clean.shape[4])
    return EncodedSample(
        clean=clean[0].float(),
        proxy=proxy[0].float(),
        reference=reference[0, :, 0].float(),
        seen=_per_latent(sample.seen.float() / 255, vae.config.temporal, cells),
        weight=_per_latent(person_weight(sample), vae.config.temporal, cells),
        maps=sample.maps,
        reference_maps=sample.reference_maps,
        expression=sample.expression,
        face_tracked=sample.face_tracked,
    )


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


def worn_latent(sample: EncodedSample, *, generator: torch.Generator) -> Tensor:
    """The true latent [C, F, h, w] as a model in training might draw it: a share of the proxy, weak fine channels, noise."""

    def below(end: float) -> float:
        return end * float(torch.rand((), generator=generator))

    share = below(0.5)
    fade = torch.linspace(1, 1 - below(0.9), len(sample.clean))[:, None, None, None]
    noise = torch.randn(sample.clean.shape, generator=generator)
    return fade * (sample.clean * (1 - share) + sample.proxy * share) + below(0.3) * noise


def decoder_batch(
    path: Path, decoded: Tensor, *, crop: int, generator: torch.Generator, num_frames: int
) -> tuple[DecodeInput, Tensor, Tensor]:
    """A crop of some frames of one sample, its colours turned: input, truth [1, 3, t, c, c] and weight [1, 1, t, c, c]."""
    with safe_open(path, framework="pt") as opened:
        slices = {name: opened.get_slice(name) for name in ("frames", "proxy", "seen", "figure", "mask", "maps")}
        length, height, width, _ = slices["frames"].get_shape()
        head = opened.get_tensor("head")
        picks = torch.randperm(length, generator=generator)[:num_frames].sort().values
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
    across = torch.arange(left, left + crop)[None, None, :] + 0.5
    down = torch.arange(top, top + crop)[None, :, None] + 0.5
    centers = head[picks]
    away = (across - centers[:, 0, None, None]).square() + (down - centers[:, 1, None, None]).square()
    near = (away < (1.1 * centers[:, 2, None, None]).square())[None, None].float()
    given = DecodeInput(
        decoded=made, proxy=proxy, seen=seen, figure=figure, pose_maps=maps.float() / 127.5 - 1, face=face,
        face_tracked=tracked,
    )  # fmt: skip
    return given, truth, 1 + 2 * mask + 3 * near


def turn_colours(pictures: list[Tensor], *, generator: torch.Generator) -> list[Tensor]:
    """Turns the hue, saturation and brightness of pictures [..., 3] in 0..255, all alike: few clips show many colours."""

    def between(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    angle = math.radians(between(-MAX_HUE_DEG, MAX_HUE_DEG))
    grey = torch.full((3, 3), 1 / 3)
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    turn = math.cos(angle) * torch.eye(3) + (1 - math.cos(angle)) * grey + math.sin(angle) * cross
    saturation = between(0.6, 1.25)
    mix = between(0.8, 1.1) * (saturation * turn + (1 - saturation) * grey)
    lift = between(-15, 15)
    return [(picture @ mix.T + lift).clamp(0, 255) for picture in pictures]


def texture_energy(video: Tensor) -> Tensor:
    """[B, 3, T, H, W] -> [B, 1, T, H, W]: how strongly the picture changes about each pixel, wherever exactly it does.

    Absolute error prefers a blur to an edge two pixels away from the true one; the energy of both edges is the same.
    """
    across = F.pad(torch.diff(video, dim=-1), (0, 1)).square()
    down = F.pad(torch.diff(video, dim=-2), (0, 0, 0, 1)).square()
    around = F.avg_pool3d((across + down).mean(dim=1, keepdim=True), (1, 7, 7), stride=1, padding=(0, 3, 3))
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
        batch_size: frames a step, two from each of some samples.
        crop: side in pixels.
        seed: of batches.
    """
    loop = TrainingLoop({"decoder": decoder}, config, run, seed=seed)
    per_sample = 2

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        inputs, truths, weights = [], [], []
        for _ in range(batch_size // per_sample):
            index = int(torch.randint(len(paths), (1,), generator=generator))
            given, truth, weight = decoder_batch(
                paths[index], decoded[index], crop=crop, generator=generator, num_frames=per_sample
            )
            inputs.append(given)
            truths.append(truth)
            weights.append(weight)
        truth, weight = torch.cat(truths), torch.cat(weights)
        keep_proxy = bool(torch.rand((), generator=generator) >= NO_PROXY_RATE)
        joined = decoder(_together(inputs, keep_proxy=keep_proxy)).float()
        error = ((joined - truth).abs() * weight).sum() / (3 * weight.sum())
        person = (weight > 1).float()
        mse = ((joined.detach() - truth).square() * person).sum() / (3 * person.sum().clamp(min=1)) / 4
        texture = ((texture_energy(joined) - texture_energy(truth)).abs() * weight).sum() / weight.sum()
        loss = error + 0.5 * edge_loss(joined, truth) + TEXTURE_WEIGHT * texture
        return loss, {"texture": float(texture.detach()), "psnr_person": float(-10 * torch.log10(mse.clamp(min=1e-6)))}

    latest = loop.run(loss_of)
    loop.load_averaged()
    return latest


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
                encoded.append(replace(own, clean=turned.clean, proxy=turned.proxy, reference=turned.reference))
            if report:
                report(colouring * len(paths) + index + 1, colourings * len(paths))
    return encoded


def _turned(sample: GuidedSample, *, generator: torch.Generator) -> GuidedSample:
    """The sample in other colours."""
    pictures = [sample.frames.float(), sample.proxy.float(), sample.reference.float()]
    frames, proxy, reference = (p.round().to(torch.uint8) for p in turn_colours(pictures, generator=generator))
    return replace(sample, frames=frames, proxy=proxy, reference=reference)
