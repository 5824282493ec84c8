"""Looks at a request before anything is generated: what drives the character, and what will go wrong, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.guidance.camera import report_camera
from dreamactor.guidance.mix import drop_parts
from dreamactor.guidance.retarget import RetargetOptions, retarget
from dreamactor.inference.animator import Animator
from dreamactor.inference.character_build import character_build
from dreamactor.inference.references import read_references
from dreamactor.inference.request import PARTS, AnimateRequest, Progress
from dreamactor.inference.sources import MotionSources, Report, is_motion_file, read_sources
from dreamactor.perception.base import PersonEstimator
from dreamactor.perception.build import build_estimator
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.track import PersonTrack, shots_of
from dreamactor.video.image import read_image
from dreamactor.video.provenance import read_credentials
from dreamactor.video.reader import VideoReader, probe
from dreamactor.video.resize import cover_canvas, crop_square

FEW_FACES: Final = 0.6
FEW_BODIES: Final = 0.9
SMALL_HEAD_PX: Final = 20.0
"""Height of a head on the model's canvas below which its face is a guess."""
MOVING_CAMERA: Final = 0.03
"""Way of the camera in widths of the picture that is worth a word."""
BLURRED: Final = 0.025
"""Share of fine detail in a head's contrast, below which the picture is called blurred. Sharp photos have 0.10 to 0.47 and
drawings more; blurred by 1 % of the head's height, which is hardly seen, 0.033 to 0.15; by 2 %, which is, 0.010 to 0.037."""
SAME_PERSON: Final = 0.6
"""Share of a box inside a larger one from which both are taken for one person, who was detected twice."""
LEAST_PERSON: Final = 0.25
"""Height, in those of the largest person, below which somebody is taken for background."""
_MOMENTS: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
_HEAD_PX: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What would drive the character.

    Attributes:
        sources: the clips, perceived.
        driving: their motion joined, in pixels of the body's clip.
        references: the character on the model's canvas.
        motion: the same motion in the character's proportions and place, on that canvas.
        warnings: what will go wrong and what to do, one sentence or two each; empty where all is well.
    """

    sources: MotionSources
    driving: PersonTrack
    references: ReferenceSet
    motion: PersonTrack
    warnings: tuple[str, ...]


@torch.no_grad()
def look_at(animator: Animator, request: AnimateRequest, report: Report = lambda progress: None) -> Look:
    """Perceives driver and character as `Animator.animate` does, and generates nothing.

    Args:
        animator: the model, which decides the canvas.
        request: what is to be made.
        report: told of the progress.

    Raises:
        DreamActorError: something about the request that its author can mend.
    """
    bundle = animator.bundle
    sources = read_sources(request, report)
    report(Progress(stage="prepare", done=0, total=2))
    with closing(build_estimator("mediapipe", static=True)) as estimator:
        references = read_references(
            request.references, size=request.size or bundle.defaults.size, grid=bundle.grid, estimator=estimator,
            described=request.described,
        )  # fmt: skip
        build = character_build(
            references.proportions, image=request.proportions_image, described=request.proportions_json, estimator=estimator
        )
        report(Progress(stage="prepare", done=1, total=2))
        warnings = [*_about_drivers(sources, request, estimator), *_about_references(references, request)]
    references = replace(references, proportions=build)
    driving = sources.join(references)
    options = RetargetOptions(framing=request.framing, proportions=request.proportions, camera=request.camera)
    motion = drop_parts(
        retarget(driving, references, options), **{part: getattr(request, f"{part}_from") == "none" for part in PARTS}
    )
    report(Progress(stage="prepare", done=2, total=2))
    return Look(
        sources=sources, driving=driving, references=references, motion=motion, warnings=tuple(dict.fromkeys(warnings))
    )


def head_sharpness(image: Tensor, person: PersonTrack) -> float | None:
    """Share of fine detail in the contrast of a head, whatever its size: 0 for a blur, about 0.1 for a sharp picture.

    Args:
        image: [H, W, 3] uint8 RGB.
        person: one frame, in its pixels.

    Returns:
        None where no head was found.
    """
    if not bool(person.head.tracked[0]):
        return None
    centre, radius = person.head.center[0, :2], person.head.radius_px[0]
    box = torch.cat((centre - radius, centre + radius))
    grey = crop_square(image[None], box[None], _HEAD_PX)[0].float().mean(dim=-1)  # [h, w]
    kernel = torch.tensor(((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0)))
    fine = F.conv2d(grey[None, None], kernel[None, None])
    return float(fine.var() / grey.var().clamp_min(1.0))


def _about_drivers(sources: MotionSources, request: AnimateRequest, estimator: PersonEstimator) -> Iterator[str]:
    face, body = sources.chosen["face"], sources.chosen["body"]
    if isinstance(face, Path):
        seen = float(sources.tracks[face].face.tracked.float().mean())
        if seen < FEW_FACES:
            yield (
                f"No face is seen in {1 - seen:.0%} of the video that drives the face. There the face keeps still: take a "
                "clip in which the face is larger or turned to the camera."
            )
    if not isinstance(body, Path):
        return
    track = sources.tracks[body]
    seen = float(track.body.tracked.float().mean())
    if seen < FEW_BODIES:
        yield f"Nobody is seen in {1 - seen:.0%} of the driving video. There the character disappears: cut the clip."
    camera = report_camera(track)
    if camera is not None and max(camera.way, camera.zoom) > MOVING_CAMERA:
        kept = "and the character moves with it" if request.camera == "follow" else "and its motion is taken out"
        yield f"The camera of the driving video moves {kept}; what hides the background can mislead that."
    num_shots = len(shots_of(track.cut))
    if num_shots > 1:
        yield f"The driving video has {num_shots} shots. Each is placed anew: for one smooth video take one shot."
    if not is_motion_file(body) and request.person is None:
        several = _num_people(body, estimator)
        if several > 1:
            yield (
                f"{several} people are in the driving video. The largest drives: choose another by number (which person), "
                "or cut the others away."
            )


def _about_references(references: ReferenceSet, request: AnimateRequest) -> Iterator[str]:
    if not all(_is_drawn_here(path) for path in request.references):
        yield (
            "The character was not drawn by this program, and the embedded model knows its own drawn actors only. Expect a "
            "rough likeness, worst in the face and wherever it must invent what the picture does not show."
        )
    for number, (reference, path) in enumerate(zip(references.images, request.references, strict=True), start=1):
        which = "the picture of the character" if len(references.images) == 1 else f"picture {number} of the character"
        yield from _about_reference(reference, path, which, references.canvas)


def _about_reference(reference: ReferenceImage, path: Path, which: str, canvas: tuple[int, int]) -> Iterator[str]:
    person = reference.person
    if not bool(person.body.tracked[0]):
        yield f"Nobody is found in {which}: the motion is placed in its middle. Take one in which the body is seen clearly."
        return
    if not bool(person.face.tracked[0]):
        yield f"No face is found in {which}: its expression cannot be carried over. Take one that shows the face."
    if not bool(person.head.tracked[0]):
        return
    height_px = 2 * float(person.head.radius_px[0])
    if height_px < SMALL_HEAD_PX:
        yield (
            f"The head in {which} is only {height_px:.0f} pixels high for the model: the face will be a guess. Crop the "
            "picture closer."
        )
    picture = read_image(path)
    fold = max(1, round(1024 / max(canvas)))
    large, _ = cover_canvas(picture, width=canvas[0] * fold, height=canvas[1] * fold)
    sharpness = head_sharpness(large, _enlarged(person, fold))
    if sharpness is not None and sharpness < BLURRED:
        yield f"The head in {which} is blurred: so will the result be. Take a sharper picture."


def _enlarged(person: PersonTrack, fold: int) -> PersonTrack:
    return replace(
        person, head=replace(person.head, center=person.head.center * fold, radius_px=person.head.radius_px * fold)
    )


def count_people(boxes: Tensor) -> int:
    """People among the boxes of a picture: one who was detected twice counts once, and tiny ones far behind do not.

    Args:
        boxes: [N, 4] left, top, right, bottom in pixels, largest first.
    """
    counted: list[Tensor] = []
    for box in boxes:
        if counted and float(box[3] - box[1]) < LEAST_PERSON * float(counted[0][3] - counted[0][1]):
            continue
        if all(_share_inside(box, other) < SAME_PERSON for other in counted):
            counted.append(box)
    return len(counted)


def _share_inside(box: Tensor, other: Tensor) -> float:
    """How much of a box lies inside another one."""
    common = (torch.minimum(box[2:], other[2:]) - torch.maximum(box[:2], other[:2])).clamp_min(0).prod()
    return float(common / (box[2:] - box[:2]).prod().clamp_min(1e-6))


def _num_people(path: Path, estimator: PersonEstimator) -> int:
    """How many people are seen at two moments of a video at least: a single one may mistake a coat for somebody."""
    length_s = probe(path).duration_s or 0.0
    counts = []
    for share in _MOMENTS:
        with VideoReader(path, start_s=share * length_s) as reader:
            frame = next(iter(reader), None)
        if frame is not None:
            counts.append(count_people(estimator.people(frame.image)))
    return sorted(counts)[-2] if len(counts) > 1 else max(counts, default=0)


def _is_drawn_here(path: Path) -> bool:
    """Whether a picture's own credentials say that this program made it."""
    credentials = read_credentials(path)
    return credentials.intact and credentials.generator.startswith("dreamactor")
