"""The embedded model's recipe: shapes, and one resumable road from nothing to a model folder.

    samples/ stills/   clips of actors, drawn           (data.build)
    guided/ guided_stills/   their guidance, drawn      (training.guided)
    face/        the face encoders, a recipe of their own    (recipes.face)
    vae/ dit/ decoder/   checkpoint and log of each training
    model/       the finished bundle

Every stage that finished is skipped when the same command runs again; an interrupted one goes on at its last checkpoint.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from dreamactor.data.actors import ACTOR_VERSION
from dreamactor.data.build import build_actor_data, list_samples
from dreamactor.data.samples import load_sample
from dreamactor.flow.guidance import Guidance
from dreamactor.inference.bundle import ModelBundle, ModelDefaults, load_bundle, save_bundle
from dreamactor.inference.face_encoders import FaceEncoders
from dreamactor.models.dit import DiT, DiTConfig
from dreamactor.models.face_motion import LandmarkFaceEncoder
from dreamactor.models.proxy_decoder import ProxyDecoder, ProxyDecoderConfig
from dreamactor.models.vae import VAEConfig, VideoVAE
from dreamactor.models.warm_start import start_from
from dreamactor.recipes.face import FACE_TOKEN, FaceRecipe, train_faces
from dreamactor.recipes.stage import train_once
from dreamactor.recipes.stages import ALL, Preset, choose_stage, draw_sheet, plan_stages, train_stages
from dreamactor.training.clips import MemoryClips
from dreamactor.training.decoder import train_decoder, worn_latent
from dreamactor.training.distributed import Workers, alone
from dreamactor.training.dit import predict_latents
from dreamactor.training.encoded import EncodedSample, encode_sample, load_samples
from dreamactor.training.guided import guide_sample, load_guided, save_guided
from dreamactor.training.loop import LoopConfig, bfloat16_pays
from dreamactor.training.stages import StageConfig
from dreamactor.training.vae import train_vae
from dreamactor.video.image import write_image
from dreamactor.video.tensor import to_frames

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
DECODER = ProxyDecoderConfig(channels=(48, 96, 160, 192), blocks=1, face_code_dim=FACE_TOKEN, keep_head=0.8, keep_body=0.5)
TOGETHER: Final = "together"
DEFAULTS = ModelDefaults(size=256, steps=2, guidance_reference=1.0, guidance_motion=1.0, segment_frames=25)


@dataclass(frozen=True, kw_only=True, slots=True)
class ActorShapes:
    """Shapes of all networks, and what is used where a request says nothing."""

    vae: VAEConfig
    dit: DiTConfig
    decoder: ProxyDecoderConfig
    defaults: ModelDefaults


SHAPES = ActorShapes(vae=VAE, dit=DIT, decoder=DECODER, defaults=DEFAULTS)
SHARES: Final = {"pretrain": 0.15, "warm-up": 0.1, "stage-1": 0.4, "stage-2": 0.1, "stage-3": 0.25}
"""Of the DiT's steps, where it is trained progressively."""
SHEET_EVERY, SHEET_ROWS = 500, 4
"""Steps between sample sheets, and clips on each: the truth as the VAE knows it above what the DiT makes."""
TIME_SHIFT = 4.0
"""Moves training times towards noise: the model is sampled in very few steps, the first of which decide."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ActorRecipe:
    """How much of everything; the defaults are about those of the shipped model (its model.json has the exact ones).

    Attributes:
        num_samples, size, num_frames: clips to draw, their pixels and frames.
        num_glimpses: actors more, each in a clip of `GLIMPSE_FRAMES`: frames of one clip are nearly one picture, and a
            decoder that has seen few actors learns them by heart.
        num_stills: actors more, each in one frame of a clip and for the decoder alone, which is a network of single frames.
        vae_steps, dit_steps, decoder_steps: optimizer steps.
        face: the face encoders' own recipe; None: an untrained one, for trying the machinery.
        colourings: how many times the DiT sees each clip, every time in other colours.
        workers: processes that draw.
        seed: of everything.
        shapes: of the networks.
        lora_rank: of low-rank layers that learn instead of the DiT's own, from a model to go on from; 0: none.
        gradient_checkpointing: compute the DiT's activations again instead of keeping them: less memory, a third more time.
        start: name or folder of a model to go on from: its VAE stays as it is, DiT and decoder (and the implicit face
            encoder, where it reads the same coefficients) start from its weights. None: from nothing.
    """

    num_samples: int = 800
    size: int = 256
    num_frames: int = 13
    num_glimpses: int = 3400
    num_stills: int = 5000
    vae_steps: int = 2600
    dit_steps: int = 3300
    decoder_steps: int = 11000
    colourings: int = 2
    face: FaceRecipe | None = field(default_factory=FaceRecipe)
    workers: int = 2
    seed: int = 0
    start: str | None = None
    shapes: ActorShapes = SHAPES
    lora_rank: int = 0
    gradient_checkpointing: bool = False

    def of_size(self, num_samples: int) -> ActorRecipe:
        """With so many clips, glimpses and stills in the same proportion."""
        more = {name: getattr(self, name) * num_samples // self.num_samples for name in ("num_glimpses", "num_stills")}
        return replace(self, num_samples=num_samples, **more)

    def loop(self, steps: int, rate: float, *, bfloat16: bool, decay: float = 0.99) -> LoopConfig:
        """Of one training."""
        peak = rate if self.start is None else rate * GOING_ON
        return LoopConfig(num_steps=steps, learning_rate=peak, warmup=60, ema_decay=decay, bfloat16=bfloat16)

    def stages(self, *, bfloat16: bool = False) -> tuple[StageConfig, ...]:
        """All stages of the DiT: `together`, which is one, and the progressive five, which share the same steps."""
        steps = {name: max(2, round(share * self.dit_steps)) for name, share in SHARES.items()}
        loop = self.loop(self.dit_steps, 8e-4, bfloat16=bfloat16)
        proxy = self.shapes.dit.uses_proxy
        return tuple(
            stage
            for counts in ({TOGETHER: self.dit_steps}, steps)
            for stage in plan_stages(
                counts,
                loop=loop,
                batch_size=8,
                proxy=proxy,
                time_shift=TIME_SHIFT,
                lora_rank=self.lora_rank,
                gradient_checkpointing=self.gradient_checkpointing,
            )
        )


def actor_preset(recipe: ActorRecipe, *, name: str = "actor") -> Preset:
    """The recipe's progressive stages, to be described."""
    defaults = recipe.shapes.defaults
    return Preset(
        name=name, dit=recipe.shapes.dit, stages=recipe.stages()[1:], starts_from=recipe.start or "nothing",
        min_frames=recipe.num_frames, max_frames=recipe.num_frames, width=recipe.size, height=recipe.size,
        max_references=1, guidance=Guidance(reference=defaults.guidance_reference, motion=defaults.guidance_motion),
        segment_frames=defaults.segment_frames, processes=1,
    )  # fmt: skip


GLIMPSE_FRAMES = 5
"""Two latent frames: one as a video begins, one as it goes on."""
FIRST_GLIMPSE_SEED, FIRST_STILL_SEED = 10_001, 20_001
GOING_ON = 0.6
"""Of the learning rate, where training goes on from a model."""
FACE_INPUT = "face_mlp.0.weight"
"""Of DiT and decoder: what takes face motion tokens, which grow with the expression schema."""
DECODED_STEPS = (1, 2, 4)
"""Sampling steps of the predictions that the decoder learns from: fewer are smoother, more are sharper and less right."""

Report = Callable[[str, int, int], None]
"""(stage, done, total)."""


def train_actor(
    run: Path, recipe: ActorRecipe, report: Report, *, stage: str = TOGETHER, workers: Workers | None = None
) -> Path:
    """Trains the embedded model; returns the folder of the finished bundle, or of one stage that others follow.

    Args:
        run: folder of everything.
        recipe: how much.
        report: of the data and of the small networks; the DiT's and the decoder's stages log.
        stage: name of one of the DiT's, or `all` of the progressive ones in turn.
        workers: the processes that share the DiT's batches; None: this one alone.
    """
    workers = workers or alone()
    stages = recipe.stages(bfloat16=bfloat16_pays(workers.device))
    choose_stage("actor", stages, stage)
    plan = [one for one in stages if (one.name == TOGETHER) == (stage == TOGETHER)]
    start = None if recipe.start is None else load_bundle(recipe.start)
    shapes = recipe.shapes
    faces, paths, vae = workers.in_turn(lambda: _prepare(run, recipe, start, report))
    samples = load_samples(
        paths, vae, colourings=recipe.colourings, seed=recipe.seed, report=lambda d, t: report("encode", d, t)
    )

    def build() -> DiT:
        torch.manual_seed(recipe.seed)
        dit = DiT.from_dataclass(shapes.dit)
        if start is not None:
            start_from(dit, start.dit, grown=(FACE_INPUT,))
        return dit

    def sheet(dit: DiT, folder: Path, step: int) -> None:
        made = predict_latents(dit, samples[:SHEET_ROWS], num_steps=shapes.defaults.steps, seed=0)
        if workers.main:
            rows = [frames for one, sample in zip(made, samples, strict=False) for frames in
                    (_pictures(vae, sample.clean), _pictures(vae, one))]  # fmt: skip
            write_image(folder / f"sheet_{step:06d}.png", draw_sheet(rows))

    dit = train_stages(
        build, plan, lambda _: MemoryClips(samples, seed=recipe.seed), run / "dit", only=stage, warm=start is not None,
        seed=recipe.seed, channel_weight=vae.latent_std, workers=workers, sheet=sheet, sheet_every=SHEET_EVERY,
    )  # fmt: skip
    if stage not in (ALL, plan[-1].name):
        return run / "dit" / stage
    return workers.in_turn(lambda: _finish(run, recipe, start, faces, paths, vae, dit.eval(), samples, report))


def _prepare(
    run: Path, recipe: ActorRecipe, start: ModelBundle | None, report: Report
) -> tuple[FaceEncoders, list[Path], VideoVAE]:  # fmt: skip
    """Draws samples and guidance and trains the small networks that the DiT needs, whatever is missing of it."""
    shapes = recipe.shapes
    for part, folder, first, count, num_frames in (
        ("samples", "samples", 1, recipe.num_samples, recipe.num_frames),
        ("glimpses", "samples", FIRST_GLIMPSE_SEED, recipe.num_glimpses, GLIMPSE_FRAMES),
        ("stills", "stills", FIRST_STILL_SEED, recipe.num_stills, 1),
    ):
        build_actor_data(
            run / folder, seeds=range(first, first + count), size=recipe.size, num_frames=num_frames,
            workers=recipe.workers, report=partial(report, part),
        )  # fmt: skip
    if recipe.face is None:
        torch.manual_seed(recipe.seed)
        faces = FaceEncoders(landmarks=LandmarkFaceEncoder(code_dim=shapes.dit.face_code_dim, width=16).eval(), rgb=None)
    else:
        faces = train_faces(run / "face", recipe.face, report, start=None if start is None else start.face_rgb)
    paths = _guide(run / "samples", run / "guided", faces, report)
    torch.manual_seed(recipe.seed)
    vae = VideoVAE(shapes.vae)

    def vae_stage() -> None:
        config = recipe.loop(recipe.vae_steps, 2.5e-4, bfloat16=bfloat16_pays())
        train_vae(vae, run / "samples", run / "vae", config, batch=16, crop=64, num_frames=5, seed=recipe.seed)

    if start is None:
        train_once(run / "vae", vae, vae_stage)
    else:
        start_from(vae, start.vae)
    return faces, paths, vae.eval().requires_grad_(False)


def _finish(
    run: Path, recipe: ActorRecipe, start: ModelBundle | None, faces: FaceEncoders, paths: list[Path], vae: VideoVAE,
    dit: DiT, samples: list[EncodedSample], report: Report,
) -> Path:  # fmt: skip
    """Trains the decoder on what the DiT makes, and writes the bundle."""
    shapes = recipe.shapes
    torch.manual_seed(recipe.seed + 1)
    decoder = ProxyDecoder(shapes.decoder)
    if start is not None:
        start_from(decoder, start.decoder, grown=(FACE_INPUT,), last_inputs=1)  # the last one says that there is a face
    config = recipe.loop(recipe.decoder_steps, 6e-4, bfloat16=bfloat16_pays(), decay=0.995)
    stills = _guide(run / "stills", run / "guided_stills", faces, report)
    shown = itertools.chain(
        zip(paths, samples[: len(paths)], strict=True), ((path, encode_sample(vae, load_guided(path))) for path in stills)
    )
    train_once(run / "decoder", decoder, lambda: _train_decoder(vae, dit, decoder, shown, run, config, recipe))
    described = asdict(recipe)
    del described["shapes"]  # model.json says them itself
    bundle = ModelBundle(
        vae=vae, dit=dit, dit_config=shapes.dit, decoder=decoder, face=faces.landmarks, defaults=shapes.defaults,
        face_rgb=faces.rgb, metadata={"actor_version": ACTOR_VERSION, "recipe": described} | _ancestry(start),
    )  # fmt: skip
    save_bundle(run / "model", bundle)
    return run / "model"


def _pictures(vae: VideoVAE, latent: Tensor) -> Tensor:
    """Latent [C, F, h, w] -> [T, H, W, 3] uint8."""
    return to_frames(vae.decode(latent[None]).detach())[0]


def _ancestry(start: ModelBundle | None) -> dict[str, Any]:
    """How the model that this training started from was made."""
    return {} if start is None else {"started_from": start.metadata}


def _guide(source: Path, folder: Path, faces: FaceEncoders, report: Report) -> list[Path]:
    """Draws into `folder` the guidance of all samples of `source` that lack it; faces as one of the encoders sees them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    paths = list(list_samples(source))
    for index, path in enumerate(paths):
        out = folder / path.name
        if not out.exists():
            sample = load_sample(path)
            generator = torch.Generator().manual_seed(sample.seed)
            save_guided(out, guide_sample(sample, generator=generator, faces=faces, doubles=True))
        made.append(out)
        report("guidance", index + 1, len(paths))
    return made


def _train_decoder(
    vae: VideoVAE, dit: DiT, decoder: ProxyDecoder, shown: Iterable[tuple[Path, EncodedSample]], run: Path,
    config: LoopConfig, recipe: ActorRecipe,
) -> None:  # fmt: skip
    """The decoder learns from what the DiT makes of the guidance, and now and then from worn truth."""
    generator = torch.Generator().manual_seed(recipe.seed)
    paths, decoded = [], []
    for index, (path, encoded) in enumerate(shown):
        if index % 8:
            latent = predict_latents(dit, [encoded], num_steps=DECODED_STEPS[index % 3], seed=index)[0]
        else:
            latent = worn_latent(encoded, generator=generator)
        paths.append(path)
        decoded.append(_pictures(vae, latent).contiguous())
    crop = min(128, load_guided(paths[0]).frames.shape[1])
    train_decoder(decoder, paths, decoded, run / "decoder", config, batch_size=8, crop=crop, seed=recipe.seed)
