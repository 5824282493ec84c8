"""A sheet of separable sources: three actors perform, a fourth gets the face of one, the head of another, the body of a
third, by the ordinary road (videos, perception, model)."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

import torch
import typer
from torch import Tensor

from dreamactor.app.film import film_actor, picture_actor
from dreamactor.app.progress import stage_bars
from dreamactor.errors import OutputError
from dreamactor.guidance.face_crop import crop_faces
from dreamactor.guidance.motion_picture import draw_motion
from dreamactor.guidance.person_box import crop_boxes, head_boxes
from dreamactor.guidance.retarget import RetargetOptions, retarget
from dreamactor.inference.animator import Animator
from dreamactor.inference.references import read_references
from dreamactor.inference.request import PARTS, AnimateRequest
from dreamactor.inference.sources import MotionSources, read_sources
from dreamactor.perception.build import build_estimator
from dreamactor.types.track import PersonTrack, take_frames
from dreamactor.video.compose import contact_sheet
from dreamactor.video.image import write_image
from dreamactor.video.reader import pictures_at
from dreamactor.video.writer import VideoWriter

MOMENTS = 8
CELL_HEIGHT = 176
_FILMED = {"face": ("portrait", "talk", 1.2), "head": ("upper", "gesture", 0.8), "body": ("upper", "gesture", 1.0)}
"""Part -> framing, kind of motion, and length relative to the body's."""


def draw_sources_sheet(output: Path, *, folder: Path | None, seconds: float, size: int, model: str, seed: int) -> None:
    """Films, animates and writes the sheet; with `folder` also the videos.

    Raises:
        OutputError: the folder cannot be made.
    """
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory())) if folder is None else folder
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"Cannot make the folder {place} ({error.strerror}). Pass --folder with another place."
            ) from error
        films = {part: place / f"{part}.mp4" for part in _FILMED}
        for number, (part, (framing, kind, length)) in enumerate(_FILMED.items()):
            film_actor(films[part], seed=seed + number, seconds=seconds * length, framing=framing, size=size, kind=kind)
        reference = place / "reference.png"
        picture_actor(reference, seed=seed + len(_FILMED), framing="upper", size=size)
        request = AnimateRequest(
            references=(reference,), body_from=films["body"], head_from=films["head"], face_from=films["face"]
        )
        animator = Animator.from_pretrained(model)
        with closing(build_estimator("mediapipe", static=True)) as estimator:
            references = read_references(
                request.references, size=animator.bundle.defaults.size, grid=animator.bundle.grid, estimator=estimator
            )
        with stage_bars() as report:
            sources = read_sources(request, report)
            joined = sources.join(references)
            made = torch.cat([clip.frames for clip in animator.animate_track(joined, references, request, report)])
        typer.echo(f"Motion: {sources.describe()}.", err=True)
        if folder is not None:
            with VideoWriter(place / "output.mp4", width=made.shape[2], height=made.shape[1], times=sources.times) as writer:
                writer.write(made)
        controls = retarget(joined, references, RetargetOptions(framing=request.framing, camera=request.camera))
        write_image(output, _sheet(sources, references.images[0].image, controls, made))


def _sheet(sources: MotionSources, reference: Tensor, controls: PersonTrack, made: Tensor) -> Tensor:
    """[H, W, 3] uint8: a row for every source, for what the model is told, and for the result; a column per moment."""
    chosen = torch.linspace(0, len(made) - 1, min(MOMENTS, len(made))).round().long()
    rows: list[list[Tensor]] = []
    labels = []
    for part in reversed(PARTS):
        path = sources.chosen[part]
        assert isinstance(path, Path)
        track, index = sources.tracks[path], sources.pictures(path)[chosen]
        pictures = list(pictures_at(path, index))
        if part == "face":
            seen = take_frames(track, index)
            faces = [crop_faces(picture[None], seen.face[t : t + 1])[0] for t, picture in enumerate(pictures)]
            pictures = [face.permute(1, 2, 0).contiguous() for face in faces]
        rows.append(pictures)
        labels.append(f"{part} of\nthis actor")
    told = take_frames(controls, chosen)
    heads = crop_boxes(made[chosen], head_boxes(told), size_px=CELL_HEIGHT).permute(0, 2, 3, 1).contiguous()
    rows += [list(draw_motion(told, height=2 * CELL_HEIGHT)), list(made[chosen]), list(heads)]
    labels += ["together", "on the\nreference", "its head"]
    nothing = torch.full_like(reference, 24)
    rows = [[reference if label.startswith("on the") else nothing, *row] for label, row in zip(labels, rows, strict=True)]
    times = sources.times.seconds - sources.times.seconds[0]
    titles = ["reference", *(f"{float(at):.2f} s" for at in times[chosen])]
    return contact_sheet(rows, labels, titles, cell_height=CELL_HEIGHT)
