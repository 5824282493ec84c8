"""A variant on a held-out case: the road of inference with the variant's switches set, and its scores.

Everything goes through `Animator.animate_track`. The body mesh and the crops of the implicit face encoder, which that road
does not know, are put in where it draws its controls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.held_out import HeldOutCase
from dreamactor.evaluation.clip import Truth, score_pixels
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.retarget import RetargetOptions, retarget
from dreamactor.guidance.textured_proxy import ProxyModel
from dreamactor.guidance.view_picks import pick_by_yaw
from dreamactor.inference.animator import Animator
from dreamactor.inference.bundle import ModelBundle
from dreamactor.inference.request import AnimateRequest
from dreamactor.inference.segments import Segment
from dreamactor.models.caches import ReferenceCache
from dreamactor.models.face_motion import ImplicitFaceEncoder
from dreamactor.models.inputs import ReferenceInput
from dreamactor.recipes.ablations.body_mesh import BodyMesh, body_mesh, draw_body_mesh
from dreamactor.recipes.ablations.variants import Variant
from dreamactor.training.guided import stack_maps
from dreamactor.types.guidance import FaceInput, MotionGuidance, ReferenceImage, ReferenceSet
from dreamactor.types.track import PersonTrack
from dreamactor.video.tensor import to_model

METRICS: Final = ("psnr_person", "ssim_person", "psnr_head")
_NOWHERE: Final = Path("held-out")


@dataclass(frozen=True, kw_only=True)
class FaceCrops:
    """What the implicit encoder is fed.

    Attributes:
        encoder: trained.
        crops: [T, 3, 224, 224] uint8, the driver's judged frames.
    """

    encoder: ImplicitFaceEncoder
    crops: Tensor


@dataclass(frozen=True, kw_only=True)
class Meshes:
    """Bodies that are drawn instead of skeleton and sphere: of the reference, and of the motion."""

    character: BodyMesh
    driver: BodyMesh


class VariantAnimator(Animator):
    """An animator with other controls for one case."""

    def __init__(self, bundle: ModelBundle, *, meshes: Meshes | None = None, faces: FaceCrops | None = None) -> None:
        super().__init__(bundle)
        self.meshes, self.faces = meshes, faces

    def prepare_references(self, references: ReferenceSet) -> ReferenceCache:
        """Latents and tokens of the references, with the mesh as their pose where the variant has one."""
        if self.meshes is None:
            return super().prepare_references(references)
        width, height = references.canvas
        latents, maps = [], []
        for picture in references.images:
            latents.append(self.bundle.vae.encode(to_model(picture.image[None]))[:, :, 0])
            drawn = stack_maps(draw_body_mesh(self.meshes.character, picture.person, width=width, height=height))
            maps.append(drawn[None, :, 0].float() / 127.5 - 1)
        return self.bundle.dit.prepare_references(
            ReferenceInput(latents=torch.stack(latents, dim=1), pose_maps=torch.stack(maps, dim=1))
        )

    def _draw(
        self, track: PersonTrack, segment: Segment, proxy: ProxyModel | None, *, width: int, height: int
    ) -> MotionGuidance:
        drawn = super()._draw(track, segment, proxy, width=width, height=height)
        chosen = segment.control_frames(self.bundle.grid)
        if self.meshes is not None:
            once = track[int(chosen[0]) : int(chosen[-1]) + 1]
            maps = draw_body_mesh(self.meshes.driver, once, width=width, height=height)
            at = chosen - chosen[0]  # a last latent that is not full repeats the last frame
            pose = replace(
                maps, body_skeleton=maps.body_skeleton[at], head_sphere=maps.head_sphere[at], tracked=maps.tracked[at]
            )
            drawn = replace(drawn, pose=pose)
        if self.faces is not None:
            drawn = replace(drawn, face=replace(drawn.face, crops=self.faces.crops[chosen]))
        return drawn

    def _face_codes(self, face: FaceInput) -> Tensor:
        if self.faces is None:
            return super()._face_codes(face)
        assert face.crops is not None
        return self.faces.encoder(face.crops)


def placed_beforehand(
    driving: PersonTrack, references: ReferenceSet, *, adjust_bones: bool
) -> tuple[PersonTrack, ReferenceSet]:
    """The motion already on the reference's canvas, and references whose proportions are the motion's own.

    With `framing="driving"` the road leaves both as they are: the canvas is the motion's own and all ratios are one.
    """
    track = retarget(driving, references, RetargetOptions(proportions=float(adjust_bones)))
    return track, replace(references, proportions=estimate_proportions((track,)))


def animate_case(
    variant: Variant, bundle: ModelBundle, case: HeldOutCase, *, faces: FaceCrops | None, seed: int
) -> Tensor:  # fmt: skip
    """What a variant makes of a case's judged frames: [T, H, W, 3] uint8.

    Args:
        variant: its switches of inference; `bundle` was trained with the others.
        bundle: the networks.
        case: with exact tracks.
        faces: for the implicit face encoder.
        seed: of the sampling's noise.
    """
    spec = case.spec
    meshes = None
    if variant.pose == "mesh":
        meshes = Meshes(character=body_mesh(spec.character), driver=body_mesh(spec.driver))
    animator = VariantAnimator(bundle, meshes=meshes, faces=faces)
    driving = case.driving
    references = ReferenceSet(images=(case.reference,), proportions=estimate_proportions([case.reference.person]))
    request = AnimateRequest(references=(_NOWHERE,), driving=_NOWHERE, seed=seed, use_proxy=variant.proxy)
    if not variant.adjust_bones:
        driving, references = placed_beforehand(driving, references, adjust_bones=False)
        request = replace(request, framing="driving")
    made = _judged(animator, driving, references, request, spec.num_frames)
    if variant.references == "multi":
        track = retarget(driving, references, RetargetOptions(framing=request.framing))
        made = _judged(animator, driving, _with_pseudo(references, made, track), request, spec.num_frames)
    return made


def _judged(
    animator: Animator, driving: PersonTrack, references: ReferenceSet, request: AnimateRequest, count: int
) -> Tensor:  # fmt: skip
    """The first frames of an animation: the whole motion decides the placement, later frames need no drawing."""
    frames: list[Tensor] = []
    for clip in animator.animate_track(driving, references, request):
        frames += clip.frames
        if len(frames) >= count:
            break
    return torch.stack(frames[:count])


def _with_pseudo(references: ReferenceSet, made: Tensor, track: PersonTrack) -> ReferenceSet:
    """The reference, and pictures of the first stage in the poses that the motion asked for (section 3.3)."""
    picks = pick_by_yaw(track.head.angles_rad[: len(made), 0])
    pseudo = (ReferenceImage(image=made[t], person=track[t : t + 1], mask=None) for t in picks)
    return replace(references, images=(*references.images, *pseudo))


def score_case(made: Tensor, case: HeldOutCase) -> dict[str, float]:
    """Metric -> number, without those that the truth has no place for."""
    found = score_pixels(made, Truth(frames=case.truth, mask=case.mask, track=case.track))
    return {name: found.values[name] for name in METRICS if name in found.values}
