"""Runs a request and writes its video: streaming, atomic, sound kept."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import torch
import typer

from dreamactor.app.progress import stage_bars
from dreamactor.inference.animator import Animator, perceive_driving
from dreamactor.inference.bundle import model_folder
from dreamactor.inference.request import AnimateRequest
from dreamactor.types.video import VideoClip
from dreamactor.video.compose import side_by_side
from dreamactor.video.image import read_image
from dreamactor.video.reader import VideoReader, probe
from dreamactor.video.writer import VIDEO_SUFFIXES, VideoWriter, check_output

ADVICE = (
    "Note: the embedded model has seen drawn actors only. With a photo expect its own pixels in the new pose, and a drawn "
    "look where the model must invent (faces, hands, hidden sides)."
)


def animate_to_file(request: AnimateRequest, *, model: str, output: Path, preview: Path | None) -> int:
    """Writes the animation, and on request driving and result side by side; returns the number of frames."""
    inputs = [*request.references, request.driving]
    check_output(output, inputs, suffixes=VIDEO_SUFFIXES)
    if preview is not None:
        check_output(preview, [*inputs, output], suffixes=VIDEO_SUFFIXES)
    model_folder(model)
    is_video = request.driving.suffix.lower() != ".npz"
    if is_video:
        probe(request.driving)
    for reference in request.references:
        read_image(reference)
    animator = Animator.from_pretrained(model)
    typer.echo(ADVICE, err=True)
    with stage_bars() as report, ExitStack() as stack:
        track = perceive_driving(request.driving, person=request.person, report=report)
        audio = request.driving if is_video and probe(request.driving).has_audio else None
        driving = iter(stack.enter_context(VideoReader(request.driving))) if is_video and preview else None
        writer: VideoWriter | None = None
        beside: VideoWriter | None = None
        for clip in animator.animate(request, report, lambda line: typer.echo(line, err=True)):
            if writer is None:
                width, height = clip.size
                writer = stack.enter_context(VideoWriter(output, width=width, height=height, times=track.times, audio=audio))
            writer.write(clip.frames)
            if driving is not None and preview is not None:
                pair = _beside(clip, [next(driving).image for _ in range(clip.num_frames)])
                if beside is None:
                    beside = stack.enter_context(
                        VideoWriter(preview, width=pair.shape[2], height=pair.shape[1], times=track.times, audio=audio)
                    )
                beside.write(pair)
    return track.num_frames


def _beside(clip: VideoClip, pictures: list[torch.Tensor]) -> torch.Tensor:
    return side_by_side([torch.stack(pictures), clip.frames], height=clip.size[1])
