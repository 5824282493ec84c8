"""Samples with their guidance drawn, packed for the model: what `animate` would hand over for the same motion.

The road is inference's own: jittered tracks stand for perception's errors, then the same drawing functions.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from dreamactor.data.samples import ActorSample, draw_double
from dreamactor.errors import InputError
from dreamactor.geometry.skeleton import FACE_POINT
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.face_crop import augment_crops, crop_faces, normalize_landmarks
from dreamactor.guidance.jitter import jitter_mask, jitter_track
from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.guidance.textured_proxy import draw_proxy, prepare_proxy
from dreamactor.inference.face_encoders import FaceEncoders
from dreamactor.types.guidance import PoseMaps, ReferenceImage, ReferenceSet
from dreamactor.types.track import FaceTrack, PersonTrack

EXACT_REFERENCES, EXACT_DRIVES = 0.4, 0.9
"""How often the tracks keep their exactness. A reference is mostly seen as perception sees it; a drive mostly is not: where
controls and truth disagree, the mean of all that may be meant is learnt, and that is a blur."""

DOUBLE_RATE = 0.5
"""How often a clip's face tokens come from another actor with the same expressions: tokens must not tell who it is."""

_FEATURES = tuple(
    [index for name, index in FACE_POINT.items() if name.startswith(part)] for part in ("lip", "left_eye", "right_eye")
)

LANDMARK_RATE = 0.4
"""How often a clip's face tokens come from its landmarks: the generator must take both encoders' tokens."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuidedSample:
    """One clip with one reference.

    Attributes:
        frames: [T, H, W, 3] uint8 truth.
        mask: [T, H, W] uint8 person.
        head: [T, 3] float32 x, y, radius of the head in pixels.
        features: [T, 3, 4] float32 x, y, half width, half height of mouth, left and right eye in pixels; zeros where no face
            is seen.
        maps: [6, T, H, W] uint8 skeleton and sphere.
        proxy: [T, H, W, 3] uint8; seen, figure: [T, H, W] uint8.
        reference: [H, W, 3] uint8; reference_maps: [6, H, W] uint8.
        expression: [T, c] float32 face motion tokens, or [T, E] exact coefficients in their place; face_tracked: [T] bool.
    """

    frames: Tensor
    mask: Tensor
    head: Tensor
    features: Tensor
    maps: Tensor
    proxy: Tensor
    seen: Tensor
    figure: Tensor
    reference: Tensor
    reference_maps: Tensor
    expression: Tensor
    face_tracked: Tensor


def stack_maps(maps: PoseMaps) -> Tensor:
    """Skeleton and sphere as channels: [6, T, H, W] uint8."""
    return torch.cat([maps.body_skeleton, maps.head_sphere], dim=-1).permute(3, 0, 1, 2).contiguous()


def as_perceived(sample: ActorSample, *, generator: torch.Generator) -> tuple[ReferenceImage, PersonTrack]:
    """One of a sample's references and the clip's track, both as perception might see them: exact ones mostly with its
    errors added, perceived ones as they are.

    Args:
        sample: clip and references, with exact tracks.
        generator: chooses the reference and the errors added to the tracks.
    """
    index = int(torch.rand((), generator=generator) < 0.25)
    chosen = sample.references[min(index, len(sample.references) - 1)]
    keep_reference, keep_drive = (
        bool(torch.rand((), generator=generator) < share) or not sample.exact for share in (EXACT_REFERENCES, EXACT_DRIVES)
    )

    def seen_by_perception(track: PersonTrack, as_it_is: bool) -> PersonTrack:
        return track if as_it_is else jitter_track(track, generator=generator)

    person = seen_by_perception(chosen.person, keep_reference)
    mask = chosen.mask
    if mask is not None and not keep_reference:
        mask = jitter_mask(mask, generator=generator)
    reference = ReferenceImage(image=chosen.image, person=person, mask=mask)
    return reference, seen_by_perception(sample.track, keep_drive)


def guide_sample(
    sample: ActorSample, *, generator: torch.Generator, faces: FaceEncoders | None = None, doubles: bool = False
) -> GuidedSample:
    """Draws the guidance of a sample from one of its references.

    Args:
        sample, generator: see `as_perceived`.
        faces: give the face tokens, as they will when the model is used; None: the exact coefficients stand for them.
        doubles: see `face_tokens`.

    Raises:
        ValueError: nobody knows the coefficients that are to stand for the tokens (perceived clips).
    """
    if faces is None and not sample.expression.shape[1]:
        raise ValueError(f"clip {sample.seed} has no exact expression; give the face encoders")
    _, height, width, _ = sample.frames.shape
    reference, track = as_perceived(sample, generator=generator)
    tokens, faced = sample.expression, track.face.tracked
    if faces is not None:
        tokens, shown = face_tokens(sample, faces, generator=generator, doubles=doubles)
        faced = faced & shown
    references = ReferenceSet(images=(reference,), proportions=estimate_proportions([reference.person]))
    drawn = draw_proxy(prepare_proxy(references, track), track, width=width, height=height)
    return GuidedSample(
        frames=sample.frames,
        mask=sample.mask,
        head=torch.cat([sample.track.head.center[:, :2], sample.track.head.radius_px[:, None]], dim=-1),
        features=_features(sample.track.face),
        maps=stack_maps(draw_pose_maps(track, width=width, height=height)),
        proxy=drawn.rgb,
        seen=drawn.seen,
        figure=drawn.figure,
        reference=reference.image,
        reference_maps=stack_maps(draw_pose_maps(reference.person, width=width, height=height))[:, 0],
        expression=tokens,
        face_tracked=faced,
    )


def _features(face: FaceTrack) -> Tensor:
    """[T, 3, 4], see `GuidedSample`."""
    boxes = []
    for points in _FEATURES:
        low, high = face.landmarks[:, points, :2].aminmax(dim=1)
        boxes.append(torch.cat([low + high, high - low], dim=-1) / 2)
    return torch.stack(boxes, dim=1) * face.tracked[:, None, None]


@torch.no_grad()
def face_tokens(
    sample: ActorSample, faces: FaceEncoders, *, generator: torch.Generator, doubles: bool = False
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """What one of the encoders, drawn at random, makes of a clip that was perceived with errors: tokens [T, c], and [T] bool
    where that face was seen.

    Args:
        sample, faces, generator: see `guide_sample`.
        doubles: half of the time another actor plays the clip; only for what `draw_sample` drew.
    """
    frames, exact = sample.frames, sample.track
    if doubles and torch.rand((), generator=generator) < DOUBLE_RATE:
        double = draw_double(sample.seed, size=frames.shape[1], num_frames=len(frames))
        frames, exact = double.frames, double.track
    track = jitter_track(exact, generator=generator) if sample.exact else exact
    if faces.rgb is None or torch.rand((), generator=generator) < LANDMARK_RATE:
        return faces.landmarks(normalize_landmarks(track.face, track.head)), track.face.tracked
    return faces.rgb(augment_crops(crop_faces(frames, track.face), generator=generator)), track.face.tracked


def save_guided(path: Path, guided: GuidedSample) -> None:
    """Writes one safetensors file, atomically."""
    part = path.with_suffix(".part")
    save_file({field.name: getattr(guided, field.name).contiguous().clone() for field in fields(guided)}, part)
    part.rename(path)


def load_guided(path: Path) -> GuidedSample:
    """Reads what `save_guided` wrote.

    Raises:
        InputError: an earlier version wrote it.
    """
    stored = load_file(path)
    missing = sorted({field.name for field in fields(GuidedSample)} - set(stored))
    if missing:
        raise InputError(
            f"{path} has no {', '.join(missing)}: an earlier version wrote it. Delete {path.parent} and run again."
        )
    return GuidedSample(**stored)
