"""One resumable run of ablations: what is there is used again, whatever comparison asked for it first.

run.json                          the budget, and what else must not change between two visits
samples/ guided/ views/           clips, their guidance by pose control, their views by yaw
vae/                              shared by all
faces/KIND/seed_N/                face encoders
networks/VARIANT/seed_N/          DiT and decoder
scores/VARIANT/seed_N/CASE.json   one held-out case each
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from dreamactor.data.actors import ACTOR_VERSION, NUM_EXPRESSION
from dreamactor.data.build import build_actor_data, sample_path
from dreamactor.data.held_out import BENCH_VERSION, CaseSpec, HeldOutCase, draw_case, draw_driver, set_specs
from dreamactor.data.samples import draw_sample, load_sample, save_sample
from dreamactor.errors import ConfigError
from dreamactor.guidance.face_crop import crop_faces
from dreamactor.inference.bundle import ModelBundle, ModelDefaults
from dreamactor.models.face_motion import ImplicitFaceEncoder, LandmarkFaceEncoder
from dreamactor.models.vae import VideoVAE
from dreamactor.recipes.ablations.body_mesh import body_mesh, draw_body_mesh
from dreamactor.recipes.ablations.faces import Faces, collect_faces, train_implicit_encoder
from dreamactor.recipes.ablations.measure import FaceCrops, animate_case, score_case
from dreamactor.recipes.ablations.networks import loop_config, read_record, train_generator, trained_once
from dreamactor.recipes.ablations.variants import AblationBudget, Variant
from dreamactor.recipes.ablations.views import draw_views, with_views
from dreamactor.training.encoded import EncodedSample, load_samples
from dreamactor.training.face import train_landmark_encoder
from dreamactor.training.guided import as_perceived, guide_sample, load_guided, save_guided, stack_maps
from dreamactor.training.loop import bfloat16_pays
from dreamactor.training.vae import train_vae
from dreamactor.video.output import atomic_path

Report = Callable[[str, int, int], None]
"""(stage, done, total)."""
_FIRST_SEED: Final = 1
"""Of the training clips."""


class AblationRun:
    """One folder, one budget."""

    def __init__(self, folder: Path, budget: AblationBudget, report: Report) -> None:
        """Opens a run, or begins one.

        Raises:
            ConfigError: the folder holds a run of another budget or version.
        """
        self.folder, self.budget, self.report = folder, budget, report
        self._drawn: dict[str, HeldOutCase] = {}
        self._crops: dict[str, Tensor] = {}
        self._encoded: tuple[object, list[EncodedSample]] = (None, [])
        folder.mkdir(parents=True, exist_ok=True)
        fixed = {"budget": asdict(budget), "actor_version": ACTOR_VERSION, "bench_version": BENCH_VERSION}
        fixed = json.loads(json.dumps(fixed))
        file = folder / "run.json"
        if not file.exists():
            pays = budget.preset != "tiny" and bfloat16_pays()  # measured once: a resumed run must not change its mind
            with atomic_path(file) as part:
                part.write_text(json.dumps({**fixed, "bfloat16": pays}, indent=2) + "\n")
        found = json.loads(file.read_text())
        self.bfloat16 = bool(found.pop("bfloat16"))
        if found != fixed:
            raise ConfigError(
                f"{folder} holds a run of preset '{found['budget']['preset']}' with other settings or of another version. "
                "Give another --output."
            )

    # ---- data

    @cached_property
    def samples(self) -> list[Path]:
        """The training clips, the same for every variant."""
        budget, folder = self.budget, self.folder / "samples"
        seeds = range(_FIRST_SEED, _FIRST_SEED + budget.num_samples)
        paths = [sample_path(folder, seed) for seed in seeds]
        if budget.workers > 1:
            build_actor_data(
                folder, seeds=seeds, size=budget.size, num_frames=budget.num_frames, workers=budget.workers,
                report=lambda done, total: self.report("samples", done, total),
            )  # fmt: skip
            return paths
        folder.mkdir(parents=True, exist_ok=True)
        for done, (seed, path) in enumerate(zip(seeds, paths, strict=True), start=1):
            if not path.exists():
                save_sample(path, draw_sample(seed, size=budget.size, num_frames=budget.num_frames))
            self.report("samples", done, len(seeds))
        return paths

    def guided(self, pose: str) -> list[Path]:
        """The clips' guidance, with skeleton and sphere or with the body mesh as pose maps; all else is the same."""
        folder = self.folder / "guided" / pose
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / path.name for path in self.samples]
        plain = self.guided("skeleton") if pose == "mesh" else paths
        for index, (source, path) in enumerate(zip(self.samples, paths, strict=True)):
            if path.exists():
                continue
            sample = load_sample(source)
            generator = torch.Generator().manual_seed(sample.seed)
            if pose == "mesh":
                reference, track = as_perceived(sample, generator=generator)
                mesh, size = body_mesh(sample.seed), self.budget.size
                maps, own = (
                    stack_maps(draw_body_mesh(mesh, shown, width=size, height=size)) for shown in (track, reference.person)
                )
                save_guided(path, replace(load_guided(plain[index]), maps=maps, reference_maps=own[:, 0].contiguous()))
            else:
                save_guided(path, guide_sample(sample, generator=generator))
            self.report("guidance", index + 1, len(paths))
        return paths

    def encoded(self, variant: Variant) -> list[EncodedSample]:
        """The clips as a variant's DiT sees them; the last answer is kept."""
        wanted = (variant.pose, variant.references, variant.proxy)
        if self._encoded[0] == wanted:
            return self._encoded[1]
        self._encoded = (None, [])
        samples = load_samples(
            self.guided(variant.pose), self.vae, colourings=self.budget.colourings, seed=0,
            report=lambda done, total: self.report("encode", done, total),
        )  # fmt: skip
        if variant.references == "multi":
            folder = self.folder / "views"
            folder.mkdir(parents=True, exist_ok=True)
            views = []
            for index, path in enumerate(self.samples):
                views.append(draw_views(folder / path.name, _FIRST_SEED + index, size=self.budget.size))
                self.report("views", index + 1, len(self.samples))
            samples = with_views(samples, views, self.vae, seed=0)
        if not variant.proxy:  # to the DiT, zeros are what no proxy is
            samples = [replace(s, proxy=torch.zeros_like(s.proxy), seen=torch.zeros_like(s.seen)) for s in samples]
        self._encoded = (wanted, samples)
        return samples

    # ---- networks

    @cached_property
    def vae(self) -> VideoVAE:
        """No comparison touches it: one for all."""
        budget, folder = self.budget, self.folder / "vae"
        vae = _seeded(lambda: VideoVAE(budget.vae), 0)
        config = loop_config(budget.vae_steps, 2.5e-4, bfloat16=self.bfloat16)
        clips = self.samples[0].parent
        trained_once(
            folder, vae,
            lambda: train_vae(
                vae, clips, folder, config, batch=budget.vae_batch, crop=min(64, budget.crop), num_frames=5, seed=0
            ),
            learnt_from=[path.stem for path in self.samples],
        )  # fmt: skip
        return vae

    @cached_property
    def faces(self) -> Faces:
        return collect_faces(self.samples)

    def landmark_encoder(self, seed: int) -> LandmarkFaceEncoder:
        """Trained on the clips' face points."""
        budget, folder = self.budget, self._face_folder("landmarks", seed)
        encoder = _seeded(lambda: LandmarkFaceEncoder(code_dim=NUM_EXPRESSION, width=budget.face_width), seed)
        config, faces = loop_config(budget.face_steps, 1e-3), self.faces
        trained_once(
            folder, encoder,
            lambda: train_landmark_encoder(
                encoder, faces.points, faces.codes, folder, config, batch_size=budget.face_batch, seed=seed
            ),
            learnt_from=faces.names,
        )  # fmt: skip
        return encoder

    def implicit_encoder(self, seed: int) -> ImplicitFaceEncoder:
        """Trained on the clips' face crops."""
        budget, folder = self.budget, self._face_folder("implicit", seed)
        encoder = _seeded(lambda: ImplicitFaceEncoder(code_dim=NUM_EXPRESSION), seed)
        config, faces = loop_config(budget.face_steps, 1e-3), self.faces
        trained_once(
            folder, encoder,
            lambda: train_implicit_encoder(encoder, faces, folder, config, batch_size=budget.face_batch, seed=seed),
            learnt_from=faces.names,
        )  # fmt: skip
        return encoder

    def bundle(self, variant: Variant, seed: int) -> ModelBundle:
        """All networks of a variant, trained if they are not yet."""
        budget, folder = self.budget, self._network_folder(variant, seed)
        samples = [] if (folder / "decoder" / "finished.safetensors").exists() else self.encoded(variant)
        guided = self.guided(variant.pose) if samples else []
        dit, decoder = train_generator(
            variant, samples, guided, self.vae, folder, budget, seed=seed, bfloat16=self.bfloat16
        )  # fmt: skip
        return ModelBundle(
            vae=self.vae,
            dit=dit,
            dit_config=replace(budget.dit, reference_mode=variant.reference_mode),
            decoder=decoder,
            face=self.landmark_encoder(seed),
            defaults=ModelDefaults(
                size=budget.case_size, steps=budget.sampling_steps, guidance_reference=1.0, guidance_motion=1.0,
                segment_frames=budget.case_frames,
            ),
            metadata={"variant": asdict(variant), "seed": seed},
        )  # fmt: skip

    def trained(self, variant: Variant, seed: int) -> dict[str, dict[str, Any]]:
        """Stage -> steps and data of a finished variant's training, for the check that both sides had the same."""
        folder = self._network_folder(variant, seed)
        stages = {"face": self._face_folder(variant.face, seed), "dit": folder / "dit", "decoder": folder / "decoder"}
        return {stage: read_record(where) for stage, where in stages.items()}

    def _face_folder(self, kind: str, seed: int) -> Path:
        return self.folder / "faces" / kind / f"seed_{seed}"

    def _network_folder(self, variant: Variant, seed: int) -> Path:
        return self.folder / "networks" / variant.trained / f"seed_{seed}"

    # ---- scores

    def specs(self, cases: str) -> list[CaseSpec]:
        """The held-out cases of a set at the budget's size."""
        size, frames = self.budget.case_size, self.budget.case_frames
        return [replace(s, width=size, height=size, num_frames=frames) for s in set_specs(cases, self.budget.cases)]

    def scores(
        self, variant: Variant, seed: int, cases: str, scored: Callable[[], None] = lambda: None
    ) -> dict[str, dict[str, float]]:
        """Case -> metric -> number; trains and animates what is missing.

        Args:
            variant, seed: who.
            cases: set of cases.
            scored: called after every case.
        """
        found: dict[str, dict[str, float]] = {}
        bundle: ModelBundle | None = None
        for spec in self.specs(cases):
            file = self.folder / "scores" / variant.key / f"seed_{seed}" / f"{spec.name}.json"
            if not file.exists():
                bundle = bundle or self.bundle(variant, seed)
                case = self._case(spec)
                faces = None
                if variant.face == "implicit":
                    faces = FaceCrops(encoder=self.implicit_encoder(seed), crops=self._driver_crops(case))
                made = animate_case(variant, bundle, case, faces=faces, seed=spec.seed + seed)
                file.parent.mkdir(parents=True, exist_ok=True)
                with atomic_path(file) as part:
                    part.write_text(json.dumps(score_case(made, case)) + "\n")
            found[spec.name] = json.loads(file.read_text())
            scored()
        return found

    def _case(self, spec: CaseSpec) -> HeldOutCase:
        if spec.name not in self._drawn:
            self._drawn[spec.name] = draw_case(spec)
        return self._drawn[spec.name]

    def _driver_crops(self, case: HeldOutCase) -> Tensor:
        """The driver's face in the judged frames: [T, 3, 224, 224] uint8."""
        spec, judged = case.spec, slice(0, case.spec.num_frames)
        if spec.name not in self._crops:
            self._crops[spec.name] = crop_faces(draw_driver(spec)[judged], case.driving.face[judged])
        return self._crops[spec.name]


def _seeded(make: Callable[[], Any], seed: int) -> Any:
    """A network whose first weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: nn.Module = make()
    return network
