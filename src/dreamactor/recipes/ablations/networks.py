"""Trains a variant's networks with the recipe's own loops, each stage once: a finished one is loaded, an interrupted one
goes on at its last checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dreamactor.models.dit import DiT
from dreamactor.models.inputs import DecodeInput
from dreamactor.models.proxy_decoder import ProxyDecoder
from dreamactor.models.vae import VideoVAE
from dreamactor.recipes.ablations.variants import AblationBudget, Variant
from dreamactor.recipes.actor import TIME_SHIFT
from dreamactor.training.clips import MemoryClips
from dreamactor.training.decoder import train_decoder
from dreamactor.training.dit import predict_latents
from dreamactor.training.encoded import EncodedSample
from dreamactor.training.loop import LoopConfig
from dreamactor.training.stages import StageConfig, train_stage
from dreamactor.video.output import atomic_path


class PureDecoder(ProxyDecoder):
    """The decoder that never sees a proxy, in the loop that offers one. The weights are a `ProxyDecoder`'s."""

    def forward(self, given: DecodeInput) -> Tensor:
        """Joins one batch of videos from what is left."""
        return super().forward(replace(given, proxy=None, seen=None, figure=None))


def loop_config(steps: int, rate: float, *, bfloat16: bool = False, decay: float = 0.99) -> LoopConfig:
    """A loop of so many steps with the peak learning rate of the actor's recipe; a tenth of the steps warms up."""
    return LoopConfig(
        num_steps=steps, learning_rate=rate, warmup=min(60, 1 + steps // 10), ema_decay=decay, save_every_s=60.0,
        log_every=max(1, min(20, steps // 2)), bfloat16=bfloat16,
    )  # fmt: skip


def trained_once(folder: Path, network: nn.Module, train: Callable[[], object], *, learnt_from: Sequence[str]) -> None:
    """Trains a network, or loads it where that was done already.

    Args:
        folder: of the training's log; the weights and a record of the training (`read_record`) are put beside it.
        network: the network.
        train: trains it in place.
        learnt_from: names of what it learns from, for the record.
    """
    finished = folder / "finished.safetensors"
    if not finished.exists():
        train()
        steps = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["step"]
        with atomic_path(folder / "trained.json") as part:
            part.write_text(json.dumps({"steps": steps, "learnt_from": list(learnt_from)}) + "\n")
        with atomic_path(finished) as part:
            save_file({name: value.contiguous().clone() for name, value in network.state_dict().items()}, part)
    network.load_state_dict(load_file(finished))
    network.eval().requires_grad_(False)


def read_record(folder: Path) -> dict[str, Any]:
    """Of a finished training: "steps" taken, and names of what it has "learnt_from"."""
    return json.loads((folder / "trained.json").read_text())


def train_generator(
    variant: Variant, samples: Sequence[EncodedSample], guided: Sequence[Path], vae: VideoVAE, folder: Path,
    budget: AblationBudget, *, seed: int, bfloat16: bool,
) -> tuple[DiT, ProxyDecoder]:  # fmt: skip
    """DiT and decoder of a variant. Equal seeds start from equal weights and draw equal batches, whatever the variant.

    Args:
        variant: whose switches are trained.
        samples: encoded for this variant, the clips in their own colours first.
        guided: guided clips with this variant's pose maps.
        vae: the frozen VAE.
        folder: for checkpoints and logs.
        budget: how much.
        seed: of weights, batches and noise.
        bfloat16: see `LoopConfig`.
    """
    shape = asdict(replace(budget.dit, reference_mode=variant.reference_mode))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learner = DiT(**shape)
        decoder = (ProxyDecoder if variant.proxy else PureDecoder)(budget.decoder)

    def learn() -> None:
        config = loop_config(budget.dit_steps, 8e-4, bfloat16=bfloat16)
        stage = StageConfig(name="together", loop=config, batch_size=budget.dit_batch, time_shift=TIME_SHIFT)
        source = MemoryClips(samples, seed=seed)
        train_stage(learner, source, folder / "dit", stage, seed=seed, channel_weight=vae.latent_std)

    def learn_to_decode() -> None:
        shown = []
        for index, sample in enumerate(samples[: len(guided)]):
            latent = predict_latents(learner, [sample], num_steps=budget.sampling_steps, seed=index)[0]
            video = vae.decode(latent[None])[0].clamp(-1, 1)
            shown.append(((video + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 3, 0).contiguous())
        config = loop_config(budget.decoder_steps, 6e-4, bfloat16=bfloat16, decay=0.995)
        train_decoder(
            decoder, list(guided), shown, folder / "decoder", config, batch_size=budget.decoder_batch, crop=budget.crop,
            seed=seed,
        )  # fmt: skip

    clips = [path.stem for path in guided]
    trained_once(folder / "dit", learner, learn, learnt_from=clips)
    trained_once(folder / "decoder", decoder, learn_to_decode, learnt_from=clips)
    dit, plain = DiT(**shape), ProxyDecoder(budget.decoder)
    for network, source in ((dit, learner), (plain, decoder)):
        network.load_state_dict(source.state_dict())
        network.eval().requires_grad_(False)
    return dit, plain
