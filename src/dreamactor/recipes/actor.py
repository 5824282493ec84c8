"""The embedded model's recipe: shapes, and one resumable road from nothing to a model folder.

    samples/     clips of actors, drawn                 (data.build)
    guided/      their guidance, drawn                  (training.guided)
    face/        the face encoders, a recipe of their own    (recipes.face)
    vae/ dit/ decoder/   checkpoint and log of each training
    model/       the finished bundle

Every stage that finished is skipped when the same command runs again; an interrupted one goes on at its last checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dreamactor.data.actors import ACTOR_VERSION
from dreamactor.data.build import build_actor_data, list_samples
from dreamactor.data.samples import load_sample
from dreamactor.inference.bundle import ModelBundle, ModelDefaults, load_bundle, save_bundle
from dreamactor.inference.face_encoders import FaceEncoders
from dreamactor.models.dit import DiT, DiTConfig
from dreamactor.models.proxy_decoder import ProxyDecoder, ProxyDecoderConfig
from dreamactor.models.vae import VAEConfig, VideoVAE
from dreamactor.models.warm_start import start_from
from dreamactor.recipes.face import FACE_TOKEN, FaceRecipe, train_faces
from dreamactor.recipes.stage import train_once
from dreamactor.training.clips import MemoryClips
from dreamactor.training.decoder import train_decoder, worn_latent
from dreamactor.training.dit import predict_latents
from dreamactor.training.encoded import EncodedSample, load_samples
from dreamactor.training.guided import guide_sample, load_guided, save_guided
from dreamactor.training.loop import LoopConfig, bfloat16_pays
from dreamactor.training.stages import StageConfig, train_stage
from dreamactor.training.vae import train_vae

VAE = VAEConfig(
    latent_channels=64,
    channels=(48, 80, 104),
    decoder_channels=(48, 80, 104),
    layers=(1, 1, 1, 1),
    decoder_layers=(1, 1, 1, 1),
    pixel_patch=4,
    linear=True,
)
DIT = DiTConfig(
    latent_channels=64,
    width=256,
    num_layers=5,
    num_heads=4,
    ffn_width=1024,
    patch=2,
    temporal=VAE.temporal,
    spatial=VAE.spatial,
    pose_channels=64,
    face_code_dim=FACE_TOKEN,
    face_every=2,
    reference_mode="one_way",
    uses_proxy=True,
    prediction="clean_residual",
)
DECODER = ProxyDecoderConfig(channels=(48, 96, 160, 192), blocks=1, face_code_dim=FACE_TOKEN)
DEFAULTS = ModelDefaults(size=256, steps=2, guidance_reference=1.0, guidance_motion=1.0, segment_frames=25)
TIME_SHIFT = 4.0
"""Moves training times towards noise: the model is sampled in very few steps, the first of which decide."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActorRecipe:
    """How much of everything; the defaults are about those of the shipped model (its model.json has the exact ones).

    Attributes:
        num_samples, size, num_frames: clips to draw, their pixels and frames.
        vae_steps, dit_steps, decoder_steps: optimizer steps.
        face: the face encoders' own recipe.
        colourings: how many times the DiT sees each clip, every time in other colours.
        workers: processes that draw.
        seed: of everything.
        start: name or folder of a model to go on from: its VAE stays as it is, DiT and decoder (and the implicit face
            encoder, where it reads the same coefficients) start from its weights. None: from nothing.
    """

    num_samples: int = 800
    size: int = 256
    num_frames: int = 13
    vae_steps: int = 2600
    dit_steps: int = 3300
    decoder_steps: int = 11000
    colourings: int = 2
    face: FaceRecipe = field(default_factory=FaceRecipe)
    workers: int = 2
    seed: int = 0
    start: str | None = None


FACE_INPUT = "face_mlp.0.weight"
"""Of DiT and decoder: what takes face motion tokens, which grow with the expression schema."""
DECODED_STEPS = (1, 2, 4)
"""Sampling steps of the predictions that the decoder learns from: fewer are smoother, more are sharper and less right."""

Report = Callable[[str, int, int], None]
"""(stage, done, total)."""


def train_actor(run: Path, recipe: ActorRecipe, report: Report) -> Path:
    """Trains the embedded model; returns the folder of the finished bundle."""
    bfloat16 = bfloat16_pays()
    start = None if recipe.start is None else load_bundle(recipe.start)
    build_actor_data(
        run / "samples", seeds=range(1, 1 + recipe.num_samples), size=recipe.size, num_frames=recipe.num_frames,
        workers=recipe.workers, report=lambda done, total: report("samples", done, total),
    )  # fmt: skip
    faces = train_faces(run / "face", recipe.face, report, start=None if start is None else start.face_rgb)
    paths = _guide(run, faces, report)
    torch.manual_seed(recipe.seed)
    vae = VideoVAE(VAE)

    def loop(steps: int, rate: float, warmup: int = 60, decay: float = 0.99) -> LoopConfig:
        return LoopConfig(num_steps=steps, learning_rate=rate, warmup=warmup, ema_decay=decay, bfloat16=bfloat16)

    def vae_stage() -> None:
        train_vae(vae, run / "samples", run / "vae", loop(recipe.vae_steps, 2.5e-4), batch=16, crop=64, num_frames=5,
                  seed=recipe.seed)  # fmt: skip

    if start is None:
        train_once(run / "vae", vae, vae_stage)
    else:
        start_from(vae, start.vae)
    vae.eval().requires_grad_(False)
    samples = load_samples(
        paths, vae, colourings=recipe.colourings, seed=recipe.seed, report=lambda d, t: report("encode", d, t)
    )
    dit, decoder = DiT.from_dataclass(DIT), ProxyDecoder(DECODER)
    if start is not None:
        start_from(dit, start.dit, grown=(FACE_INPUT,))
        start_from(decoder, start.decoder, grown=(FACE_INPUT,), last_inputs=1)  # the last one says that there is a face
    train_once(run / "dit", dit, lambda: _train_dit(dit, samples, vae.latent_std, run, loop(recipe.dit_steps, 8e-4), recipe))
    config = loop(recipe.decoder_steps, 6e-4, decay=0.995)
    train_once(run / "decoder", decoder, lambda: _train_decoder(vae, dit, decoder, samples, paths, run, config, recipe))
    bundle = ModelBundle(
        vae=vae, dit=dit, dit_config=DIT, decoder=decoder, face=faces.landmarks, defaults=DEFAULTS, face_rgb=faces.rgb,
        metadata={"actor_version": ACTOR_VERSION, "recipe": asdict(recipe)} | _ancestry(start),
    )  # fmt: skip
    save_bundle(run / "model", bundle)
    return run / "model"


def _ancestry(start: ModelBundle | None) -> dict[str, Any]:
    """How the model that this training started from was made."""
    return {} if start is None else {"started_from": start.metadata}


def _guide(run: Path, faces: FaceEncoders, report: Report) -> list[Path]:
    """Draws the guidance of all samples that have none yet; faces as one of the encoders sees them."""
    folder = run / "guided"
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    paths = list(list_samples(run / "samples"))
    for index, path in enumerate(paths):
        out = folder / path.name
        if not out.exists():
            sample = load_sample(path)
            save_guided(out, guide_sample(sample, generator=torch.Generator().manual_seed(sample.seed), faces=faces))
        made.append(out)
        report("guidance", index + 1, len(paths))
    return made


def _train_dit(
    dit: DiT, samples: list[EncodedSample], latent_std: Tensor, run: Path, config: LoopConfig, recipe: ActorRecipe
) -> None:
    stage = StageConfig(name="together", loop=config, batch_size=8, time_shift=TIME_SHIFT)
    train_stage(dit, MemoryClips(samples, seed=recipe.seed), run / "dit", stage, seed=recipe.seed, channel_weight=latent_std)


def _train_decoder(
    vae: VideoVAE, dit: DiT, decoder: ProxyDecoder, samples: list[EncodedSample], paths: list[Path], run: Path,
    config: LoopConfig, recipe: ActorRecipe,
) -> None:  # fmt: skip
    """The decoder learns from what the DiT makes of the guidance, and now and then from worn truth."""
    generator = torch.Generator().manual_seed(recipe.seed)
    decoded: list[Tensor] = []
    for index, encoded in enumerate(samples[: len(paths)]):
        if index % 8:
            latent = predict_latents(dit, [encoded], num_steps=DECODED_STEPS[index % 3], seed=index)[0]
        else:
            latent = worn_latent(encoded, generator=generator)
        video = vae.decode(latent[None])[0].clamp(-1, 1)
        decoded.append(((video + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 3, 0).contiguous())
    crop = min(128, load_guided(paths[0]).frames.shape[1])
    train_decoder(decoder, paths, decoded, run / "decoder", config, batch_size=8, crop=crop, seed=recipe.seed)
