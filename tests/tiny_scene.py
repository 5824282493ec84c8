"""A synthetic reference and driver on the tiny model's smallest canvas: no file, no estimator, no renderer."""

from __future__ import annotations

import torch

from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.track import PersonTrack
from factories import make_track

SIDE = 32


def reference_image(seed: int = 2, *, yaw_rad: float = 0.0) -> ReferenceImage:
    """Noise as a picture, with a person who is turned so far."""
    person = make_track(
        num_frames=1, width=SIDE, height=SIDE, scale_px=16, pelvis_px=(16, 16), body_yaw_rad=yaw_rad,
        head_angles_rad=(yaw_rad, 0.0, 0.0),
    )  # fmt: skip
    picture = torch.randint(0, 256, (SIDE, SIDE, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    return ReferenceImage(image=picture, person=person, mask=None)


def one_reference() -> ReferenceSet:
    image = reference_image()
    return ReferenceSet(images=(image,), proportions=estimate_proportions([image.person]))


def waving(num_frames: int) -> PersonTrack:
    """A driver who raises the arms."""
    return make_track(num_frames=num_frames, width=SIDE, height=SIDE, scale_px=16, pelvis_px=(16, 16), arm_swing_rad=1.0)
