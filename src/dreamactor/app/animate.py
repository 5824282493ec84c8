"""Runs a request and writes its video: streaming, atomic, sound kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import typer

from dreamactor.app.progress import stage_bars
from dreamactor.app.source_pictures import SourcePictures
from dreamactor.guidance.camera import describe_camera, report_camera
from dreamactor.guidance.human_build import prior_proportions
from dreamactor.inference.animator import Animator
from dreamactor.inference.bundle import model_folder
from dreamactor.inference.character_build import read_proportions
from dreamactor.inference.pseudo_references import check_pseudo_folder
from dreamactor.inference.request import PARTS, AnimateRequest
from dreamactor.inference.sources import MotionSources, is_motion_file, read_sources
from dreamactor.inference.unfinished import UnfinishedRun, run_facts
from dreamactor.video.compose import side_by_side
from dreamactor.video.image import read_image
from dreamactor.video.reader import probe
from dreamactor.video.writer import VIDEO_SUFFIXES, VideoWriter, check_output

ADVICE = (
    "Note: the embedded model has seen drawn actors only. With a photo expect its own pixels in the new pose, and a drawn "
    "look where the model must invent (faces, hands, hidden sides)."
)


def animate_to_file(request: AnimateRequest, *, model: str, output: Path, preview: Path | None, resume: bool = False) -> int:
    """Writes the animation, and on request sources and result side by side; returns the number of frames.

    With `resume` a run for the same output that broke off goes on after its last finished segment.
    """
    motions = [source for part in PARTS if isinstance(source := request.source(part), Path)]
    by_hand = [path for path in (request.proportions_image, request.proportions_json) if path is not None]
    inputs = [*request.references, *motions, *by_hand]
    check_output(output, inputs, suffixes=VIDEO_SUFFIXES)
    if preview is not None:
        check_output(preview, [*inputs, output], suffixes=VIDEO_SUFFIXES)
    if request.pseudo_folder is not None:
        check_pseudo_folder(request.pseudo_folder)
    model_folder(model)
    for source in motions:
        if not is_motion_file(source):
            probe(source)
    for reference in request.references:
        read_image(reference)
    if request.proportions_image is not None:
        read_image(request.proportions_image)
    if request.proportions_json is not None:
        read_proportions(request.proportions_json, prior_proportions())
    unfinished = _open_unfinished(output, run_facts(request, model_folder(model)), resume=resume)
    animator = Animator.from_pretrained(model)
    typer.echo(ADVICE, err=True)
    with _kept(unfinished), stage_bars() as report, ExitStack() as stack:
        sources = read_sources(request, report)
        for line in _what_drives(request, sources):
            typer.echo(line, err=True)
        clock, times = sources.clock, sources.times
        audio = clock if not is_motion_file(clock) and probe(clock).has_audio else None
        shown = SourcePictures(sources, stack) if preview else None
        writer: VideoWriter | None = None
        beside: VideoWriter | None = None
        done = 0
        say = partial(typer.echo, err=True)
        for clip in animator.animate(request, report, say, sources=sources, unfinished=unfinished):
            if writer is None:
                width, height = clip.size
                writer = stack.enter_context(VideoWriter(output, width=width, height=height, times=times, audio=audio))
            writer.write(clip.frames)
            if shown is not None and preview is not None:
                pair = side_by_side([*shown.take(slice(done, done + clip.num_frames)), clip.frames], height=clip.size[1])
                if beside is None:
                    beside = stack.enter_context(
                        VideoWriter(preview, width=pair.shape[2], height=pair.shape[1], times=times, audio=audio)
                    )
                beside.write(pair)
            done += clip.num_frames
    unfinished.remove()
    return len(times)


def _open_unfinished(output: Path, facts: dict[str, str], *, resume: bool) -> UnfinishedRun:
    """The finished segments of an earlier run, and a line about them where there are any, or none though asked for."""
    unfinished = UnfinishedRun.beside(output, facts, resume=resume)
    if unfinished.num_done:
        typer.echo(f"Resuming after {unfinished.num_done} finished segments.", err=True)
    elif resume:
        typer.echo(f"Nothing to resume at {unfinished.folder}; starting at the beginning.", err=True)
    elif unfinished.folder.exists():
        typer.echo(
            f"Note: {unfinished.folder} is left of a run that broke off, and is replaced: --resume was not given.", err=True
        )
    return unfinished


@contextmanager
def _kept(unfinished: UnfinishedRun) -> Iterator[None]:
    """Says how to go on where a run breaks off after a finished segment."""
    try:
        yield
    except BaseException:
        if unfinished.num_done:
            typer.echo(
                f"{unfinished.num_done} finished segments are kept in {unfinished.folder}: the same command with --resume "
                "goes on from there.",
                err=True,
            )
        raise


def _what_drives(request: AnimateRequest, sources: MotionSources) -> list[str]:
    """Lines that tell how sources were joined and what the body's camera does, where there is something to tell."""
    lines = []
    if any(getattr(request, f"{part}_from") != "driving" for part in PARTS):
        lines.append(f"Motion: {sources.describe()}.")
    body = sources.chosen["body"]
    camera = report_camera(sources.tracks[body]) if isinstance(body, Path) else None
    if isinstance(body, Path) and camera is not None and camera.moves:
        done = "kept in" if request.camera == "follow" else "taken out of"
        advice = "--camera ignore takes it out" if request.camera == "follow" else "--camera follow keeps it"
        lines.append(f"Motion: {describe_camera(sources.tracks[body])}; {done} the body's way ({advice}).")
    return lines
