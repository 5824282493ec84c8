"""Several references: pictures at the least, median and greatest yaw of a performance (section 3.3).

Left out of the paper's protocol: the random half-body crop of full-body clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from dreamactor.data.actors import render, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import build_figure
from dreamactor.data.actors.scene import place_camera
from dreamactor.data.samples import PERFORMANCE_FRAMES
from dreamactor.guidance.jitter import jitter_track
from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.guidance.view_picks import pick_by_yaw
from dreamactor.models.vae import VideoVAE
from dreamactor.training.colours import turn_colours
from dreamactor.training.encoded import EncodedSample
from dreamactor.training.guided import EXACT_REFERENCES, stack_maps


@dataclass(frozen=True, kw_only=True, slots=True)
class Views:
    """Pictures of a sample's actor in its own performance, at most `NUM_VIEWS`.

    Attributes:
        images: [K, H, W, 3] uint8.
        maps: [K, 6, H, W] uint8, skeleton and sphere of each.
    """

    images: Tensor
    maps: Tensor


def draw_views(path: Path, seed: int, *, size: int) -> Views:
    """The views of a training sample from its whole performance before its own camera; kept at `path`."""
    if path.exists():
        return Views(**load_file(path))
    actor, performance = sample_actor(seed), sample_performance(seed, num_frames=PERFORMANCE_FRAMES)
    scene, figure = sample_scene(seed, framing=performance.framing), build_figure(actor, performance)
    camera = place_camera(scene, actor.body, figure.joints, performance.framing, width=size, height=size)
    track = exact_track(actor, figure, performance, camera, width=size, height=size)
    generator = torch.Generator().manual_seed(seed)
    images, maps = [], []
    for frame in pick_by_yaw(track.head.angles_rad[:, 0]):
        now = slice(frame, frame + 1)
        images.append(render(actor, performance, scene, width=size, height=size, frames=now, camera=camera).frames[0])
        exact = bool(torch.rand((), generator=generator) < EXACT_REFERENCES)
        person = track[now] if exact else jitter_track(track[now], generator=generator)
        maps.append(stack_maps(draw_pose_maps(person, width=size, height=size))[:, 0])
    views = Views(images=torch.stack(images), maps=torch.stack(maps))
    part = path.with_suffix(".part")
    save_file({"images": views.images, "maps": views.maps}, part)
    part.rename(path)
    return views


@torch.no_grad()
def with_views(
    samples: Sequence[EncodedSample], views: Sequence[Views], vae: VideoVAE, *, seed: int
) -> list[EncodedSample]:  # fmt: skip
    """Puts the views beside each sample's reference; training shows one to all of them.

    Args:
        samples: as `load_samples` gives them: every clip in its own colours, then all again in other ones.
        views: of every clip.
        vae: the frozen VAE.
        seed: of the colours, as given to `load_samples`, so that views turn with their clip.
    """
    colours = torch.Generator().manual_seed(seed)
    found = []
    for index, sample in enumerate(samples):
        seen = views[index % len(views)]
        images = seen.images.float()
        if index >= len(views):
            images = turn_colours([images], generator=colours)[0].round()
        latents = vae.encode(images.permute(0, 3, 1, 2)[:, :, None] / 127.5 - 1)[:, :, 0].float()  # [K, C, h, w]
        references = torch.cat([sample.references, latents])
        found.append(replace(sample, references=references, reference_maps=torch.cat([sample.reference_maps, seen.maps])))
    return found
