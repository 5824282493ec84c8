"""What speed is measured on: drawn actors on the model's own canvas, and networks with everything prepared for a forward."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import torch
from torch import Tensor

from dreamactor.app.film import exact_performance_track
from dreamactor.data.actors import render, sample_actor, sample_performance, sample_scene
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.retarget import retarget
from dreamactor.guidance.textured_proxy import prepare_proxy
from dreamactor.inference.animator import Animator
from dreamactor.inference.bundle import ModelBundle
from dreamactor.inference.references import choose_canvas
from dreamactor.inference.segments import plan_segments
from dreamactor.models.caches import DriveCache, ReferenceCache
from dreamactor.models.dit import DiT
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.track import PersonTrack

MAX_REFERENCES: Final = 4
REFERENCE_SEED, DRIVER_SEED = 900_007, 900_021

Mode = Literal["one_way", "symmetric"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """An actor in some pictures, and another's exact motion, on the model's own canvas."""

    pictures: tuple[ReferenceImage, ...]
    driving: PersonTrack

    def references(self, count: int = 1) -> ReferenceSet:
        """The first pictures."""
        chosen = self.pictures[:count]
        return ReferenceSet(images=chosen, proportions=estimate_proportions([image.person for image in chosen]))


def draw_scene(bundle: ModelBundle, num_frames: int) -> Scene:
    """Draws the actor, and the motion of as many frames."""
    width, height = choose_canvas(1, 1, size=bundle.defaults.size, grid=bundle.grid)
    actor, place = sample_actor(REFERENCE_SEED), sample_scene(REFERENCE_SEED, framing="full")
    moves = sample_performance(REFERENCE_SEED, num_frames=6 * MAX_REFERENCES, framing="full")
    pictures = []
    for moment in range(0, 6 * MAX_REFERENCES, 6):
        drawn = render(actor, moves, place, width=width, height=height, frames=slice(moment, moment + 1))
        pictures.append(ReferenceImage(image=drawn.frames[0], person=drawn.track, mask=drawn.mask[0]))
    driving = exact_performance_track(DRIVER_SEED, count=num_frames, framing="full", size=width, kind="dance")
    return Scene(pictures=tuple(pictures), driving=driving)


@dataclass(frozen=True, kw_only=True, slots=True)
class ForwardCase:
    """A network with everything prepared for a forward: a first segment's motion and some references."""

    animator: Animator
    references: ReferenceSet
    cache: ReferenceCache
    drive: DriveCache
    noisy: Tensor

    def forward(self) -> Tensor:
        """One forward, which is one branch of one step."""
        return self.animator.bundle.dit(self.noisy, torch.full((1, self.drive.num_latents), 0.5), self.cache, self.drive)

    def prepare(self) -> ReferenceCache:
        """What has to be done once per video."""
        return self.animator.prepare_references(self.references)


def with_mode(bundle: ModelBundle, mode: Mode) -> ModelBundle:
    """The same model with a DiT of random weights in this reference mode."""
    config = replace(bundle.dit_config, reference_mode=mode)
    dit = DiT.from_dataclass(config).requires_grad_(False).eval()
    return replace(bundle, dit=dit, dit_config=config)


def ready(bundle: ModelBundle, scene: Scene, count: int) -> ForwardCase:
    """Prepares the first segment with some references."""
    animator, references = Animator(bundle), scene.references(count)
    width, height = references.canvas
    track = retarget(scene.driving, references)
    segment = plan_segments(track.num_frames, bundle.defaults.segment_frames, bundle.grid)[0]
    drawn = animator._draw(track, segment, prepare_proxy(references, track), width=width, height=height)
    shape = (1, bundle.vae.config.latent_channels, segment.num_latents, *bundle.grid.cells(height=height, width=width))
    return ForwardCase(
        animator=animator,
        references=references,
        cache=animator.prepare_references(references),
        drive=animator.prepare_drive(drawn, segment),
        noisy=torch.randn(shape, generator=torch.Generator().manual_seed(0)),
    )
