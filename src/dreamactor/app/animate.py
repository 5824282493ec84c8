"""Runs a request and writes its video: streaming, atomic, sound kept, and saying how it was made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from pathlib import Path

import typer

from dreamactor.app.progress import stage_bars
from dreamactor.app.source_pictures import SourcePictures
from dreamactor.guidance.camera import describe_camera, report_camera
from dreamactor.guidance.human_build import prior_proportions
from dreamactor.inference.backend import Backend, find_backend
from dreamactor.inference.character_build import read_proportions
from dreamactor.inference.pseudo_references import check_pseudo_folder
from dreamactor.inference.request import PARTS, AnimateRequest
from dreamactor.inference.sources import MotionSources, Report, is_motion_file, read_sources, sound_length_s
from dreamactor.inference.unfinished import UnfinishedRun, run_facts
from dreamactor.inference.wan.options import WanOptions
from dreamactor.types.video import VideoClip
from dreamactor.video.compose import side_by_side
from dreamactor.video.image import read_image
from dreamactor.video.label import draw_label
from dreamactor.video.output import remove_parts
from dreamactor.video.provenance import Provenance
from dreamactor.video.reader import probe
from dreamactor.video.writer import VIDEO_SUFFIXES, VideoWriter, check_output


def animate_to_file(
    request: AnimateRequest,
    *,
    model: str,
    output: Path,
    preview: Path | None,
    wan: WanOptions = WanOptions(),
    resume: bool = False,
    label: bool = False,
    animator: Backend | None = None,
    report: Report | None = None,
    say: Callable[[str], None] = lambda line: typer.echo(line, err=True),
    show: Callable[[VideoClip], None] = lambda clip: None,
) -> int:
    """Writes the animation, and on request sources and result side by side; returns the number of frames.

    Args:
        model: name or folder.
        wan: options of Wan-Animate.
        resume: a run for the same output that broke off goes on after its last finished segment.
        label: write "AI-generated" into every picture.
        animator: the model, where it is loaded already.
        report: told of the progress, instead of bars on standard error.
        say: called with lines for the user.
        show: called with every piece of the result when it is made.
    """
    motions = [source for part in PARTS if isinstance(source := request.source(part), Path)]
    motions += [] if request.audio is None else [request.audio]
    by_hand = [path for path in (request.proportions_image, request.proportions_json) if path is not None]
    inputs = [*request.references, *motions, *by_hand]
    check_output(output, inputs, suffixes=VIDEO_SUFFIXES)
    if preview is not None:
        check_output(preview, [*inputs, output], suffixes=VIDEO_SUFFIXES)
    if request.pseudo_folder is not None:
        check_pseudo_folder(request.pseudo_folder)
    found = find_backend(model, wan, request)
    for source in motions:
        if not is_motion_file(source) and source != request.audio:
            probe(source)
    if request.audio is not None:
        sound_length_s(request.audio)
    for reference in request.references:
        read_image(reference)
    if request.proportions_image is not None:
        read_image(request.proportions_image)
    if request.proportions_json is not None:
        read_proportions(request.proportions_json, prior_proportions())
    unfinished = _open_unfinished(output, run_facts(request, found.folder), say, resume=resume)
    if unfinished.folder.exists():  # that run is over, however it ended
        for half_written in (output, *([] if preview is None else [preview])):
            remove_parts(half_written)
    animator = animator or found.load()
    animator.check(request)
    say(animator.advice)
    made = Provenance(origin="trained", model=found.folder.name, settings=said_of(request))
    with _kept(unfinished, say), ExitStack() as stack:
        report = report or stack.enter_context(stage_bars())
        sources = read_sources(request, report)
        for line in _what_drives(request, sources):
            say(line)
        clock, times = sources.clock, sources.times
        audio = sources.speech or (clock if not is_motion_file(clock) and probe(clock).has_audio else None)
        shown = SourcePictures(sources, stack) if preview else None
        writer: VideoWriter | None = None
        beside: VideoWriter | None = None
        done = 0
        for clip in animator.animate(request, report, say, sources=sources, unfinished=unfinished):
            if label:
                clip = replace(clip, frames=draw_label(clip.frames))
            show(clip)
            if writer is None:
                width, height = clip.size
                writer = stack.enter_context(
                    VideoWriter(output, width=width, height=height, times=times, audio=audio, provenance=made)
                )
            writer.write(clip.frames)
            if shown is not None and preview is not None:
                pair = side_by_side([*shown.take(slice(done, done + clip.num_frames)), clip.frames], height=clip.size[1])
                if beside is None:
                    beside = stack.enter_context(
                        VideoWriter(
                            preview, width=pair.shape[2], height=pair.shape[1], times=times, audio=audio, provenance=made
                        )
                    )
                beside.write(pair)
            done += clip.num_frames
    unfinished.remove()
    return len(times)


def said_of(request: AnimateRequest) -> dict[str, str | int | float | bool]:
    """Settings of a request for its credentials: no file names, and nothing that was left to the model."""
    values = {field.name: getattr(request, field.name) for field in fields(request)}
    words = {name: "own file" if isinstance(value, Path) else value for name, value in values.items()}
    said = {name: value for name, value in words.items() if isinstance(value, str | int | float | bool)}
    return said | {"references": len(request.references)}


def _open_unfinished(output: Path, facts: dict[str, str], say: Callable[[str], None], *, resume: bool) -> UnfinishedRun:
    """The finished segments of an earlier run, and a line about them where there are any, or none though asked for."""
    unfinished = UnfinishedRun.beside(output, facts, resume=resume)
    if unfinished.num_done:
        say(f"Resuming after {unfinished.num_done} finished segments.")
    elif resume:
        say(f"Nothing to resume at {unfinished.folder}; starting at the beginning.")
    elif unfinished.folder.exists():
        say(f"Note: {unfinished.folder} is left of a run that broke off, and is replaced: --resume was not given.")
    return unfinished


@contextmanager
def _kept(unfinished: UnfinishedRun, say: Callable[[str], None]) -> Iterator[None]:
    """Says how to go on where a run breaks off after a finished segment."""
    try:
        yield
    except BaseException:
        if unfinished.num_done:
            say(
                f"{unfinished.num_done} finished segments are kept in {unfinished.folder}: the same command with --resume "
                "goes on from there."
            )
        raise


def _what_drives(request: AnimateRequest, sources: MotionSources) -> list[str]:
    """Lines that tell how sources were joined and what the body's camera does, where there is something to tell."""
    lines = []
    if request.audio is not None or any(getattr(request, f"{part}_from") != "driving" for part in PARTS):
        lines.append(f"Motion: {sources.describe()}.")
    body = sources.chosen["body"]
    camera = report_camera(sources.tracks[body]) if isinstance(body, Path) else None
    if isinstance(body, Path) and camera is not None and camera.moves:
        done = "kept in" if request.camera == "follow" else "taken out of"
        advice = "--camera ignore takes it out" if request.camera == "follow" else "--camera follow keeps it"
        lines.append(f"Motion: {describe_camera(sources.tracks[body])}; {done} the body's way ({advice}).")
    return lines
