"""One training sample: an actor performing, and pictures of the same actor in other poses before the same camera.

The camera is shared because the retargeted motion is placed on the reference's canvas: background and framing of the
target are the reference's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file
from torch import Tensor

from dreamactor.data.actors import (
    ACTOR_VERSION,
    FIRST_HELD_OUT_SEED,
    neutral_performance,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.figure import build_figure
from dreamactor.data.actors.render import Rendering
from dreamactor.data.actors.scene import place_camera
from dreamactor.data.packing import pack_track, unpack_track
from dreamactor.errors import InputError
from dreamactor.types.guidance import ReferenceImage
from dreamactor.types.track import PersonTrack

NUM_REFERENCES = 2
DOUBLE_STRIDE = 40_009
"""From a sample's seed to that of the actor who doubles for it."""
PERFORMANCE_FRAMES = 73
"""Length of the performance that a clip is a random part of."""
_SOURCE = "actor (exact)"


@dataclass(frozen=True, kw_only=True, slots=True)
class ActorSample:
    """A clip and its references.

    Attributes:
        seed: of actor, performance and scene.
        frames: [T, H, W, 3] uint8.
        mask: [T, H, W] uint8.
        track: exact track of the clip.
        expression: [T, E] float32; E = 0 where nobody knows it (perceived clips).
        references: pictures of the same actor; the first near frontal, the second from anywhere.
        exact: whether the tracks are the truth, or were perceived, errors included.
    """

    seed: int
    frames: Tensor
    mask: Tensor
    track: PersonTrack
    expression: Tensor
    references: tuple[ReferenceImage, ...]
    exact: bool = True


def draw_sample(seed: int, *, size: int, num_frames: int, held_out: bool = False) -> ActorSample:
    """Draws a sample; equal seeds give equal samples.

    Args:
        seed: training seeds lie below `FIRST_HELD_OUT_SEED`, held-out ones from there on.
        size: width and height in pixels.
        num_frames: T.
        held_out: that a held-out seed is meant.

    Raises:
        ValueError: a held-out seed was about to be used in training, or the other way round.
    """
    if (seed >= FIRST_HELD_OUT_SEED) != held_out:
        raise ValueError(f"Seed {seed} is {'not ' * held_out}held out (held-out seeds start at {FIRST_HELD_OUT_SEED}).")
    rng = _random(seed)
    actor = sample_actor(seed)
    performance = sample_performance(seed, num_frames=PERFORMANCE_FRAMES)
    framing = performance.framing
    scene = sample_scene(seed, framing=framing)
    camera = place_camera(scene, actor.body, build_figure(actor, performance).joints, framing, width=size, height=size)
    start = _start(rng, num_frames)
    clip = render(actor, performance, scene, width=size, height=size, frames=slice(start, start + num_frames), camera=camera)
    references = []
    for index in range(NUM_REFERENCES):
        yaw = float(rng.normal(0, 22)) if index == 0 else float(rng.uniform(-180, 180))
        pose = neutral_performance(framing=framing, yaw_deg=yaw, seed=2 * seed + index)
        if index == 1 and rng.random() < 0.5:
            other = sample_performance(seed + 7, num_frames=1, framing=framing)
            pose = replace(other, channels=other.channels.clone())
        drawn = render(actor, pose, scene, width=size, height=size, camera=camera)
        references.append(ReferenceImage(image=drawn.frames[0], person=drawn.track, mask=drawn.mask[0]))
    return ActorSample(
        seed=seed,
        frames=clip.frames,
        mask=clip.mask,
        track=clip.track,
        expression=clip.expression,
        references=tuple(references),
    )


def draw_double(seed: int, *, size: int, num_frames: int) -> Rendering:
    """The clip of a training sample played by another actor of the training seeds, framed by the same rule: the same
    expressions and turns of the head on another face, in other light."""
    other = (seed + DOUBLE_STRIDE) % FIRST_HELD_OUT_SEED
    performance = sample_performance(seed, num_frames=PERFORMANCE_FRAMES)
    scene = sample_scene(other, framing=performance.framing)
    start = _start(_random(seed), num_frames)
    frames = slice(start, start + num_frames)
    return render(sample_actor(other), performance, scene, width=size, height=size, frames=frames)


def _random(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, 0xDA7A]))


def _start(rng: np.random.Generator, num_frames: int) -> int:
    """First frame of a clip in its performance: a sample's first random number."""
    return int(rng.integers(0, PERFORMANCE_FRAMES - num_frames + 1))


def save_sample(path: Path, sample: ActorSample) -> None:
    """Writes a sample to one safetensors file, atomically."""
    packed = {"frames": sample.frames, "mask": sample.mask, "expression": sample.expression}
    packed |= pack_track("track", sample.track)
    for index, reference in enumerate(sample.references):
        packed[f"reference{index}.image"] = reference.image
        if reference.mask is not None:
            packed[f"reference{index}.mask"] = reference.mask
        packed |= pack_track(f"reference{index}", reference.person)
    part = path.with_suffix(".part")
    save_file(
        {name: value.contiguous().clone() for name, value in packed.items()},
        part,
        metadata={"seed": str(sample.seed), "actor_version": ACTOR_VERSION},
    )
    part.rename(path)


def load_sample(path: Path) -> ActorSample:
    """Reads what `save_sample` wrote."""
    try:
        packed = load_file(path)
    except Exception as error:
        raise InputError(f"{path} is not a sample ({error}). Build the data again with `dreamactor build-data`.") from error
    references: list[ReferenceImage] = []
    while f"reference{len(references)}.image" in packed:
        name = f"reference{len(references)}"
        references.append(
            ReferenceImage(
                image=packed[f"{name}.image"],
                person=unpack_track(name, packed, source=_SOURCE),
                mask=packed.get(f"{name}.mask"),
            )
        )
    return ActorSample(
        seed=int(path.stem.split("_")[-1]),
        frames=packed["frames"],
        mask=packed["mask"],
        track=unpack_track("track", packed, source=_SOURCE),
        expression=packed["expression"],
        references=tuple(references),
    )
