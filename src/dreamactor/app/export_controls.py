"""Writes the control videos of other tools: what Wan-Animate's scripts and VACE's pipelines take."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

import torch
import typer
from torch import Tensor

from dreamactor.app.progress import stage_bars
from dreamactor.errors import ConfigError, OutputError
from dreamactor.inference.request import AnimateRequest, Progress
from dreamactor.inference.sources import is_motion_file, read_sources
from dreamactor.inference.wan.controls import (
    SEGMENT_FRAMES,
    WAN_GRID,
    ControlFrames,
    ControlStream,
    animate_controls,
    replace_controls,
)
from dreamactor.inference.wan.references import read_wan_references
from dreamactor.video.image import read_image, write_image
from dreamactor.video.reader import probe
from dreamactor.video.writer import VideoWriter

FORMATS = ("wan-animate", "vace")
DEFAULT_SIZE = 960
"""Side of a square of the area of 1280 x 720."""


def export_controls(request: AnimateRequest, folder: Path, *, format: str, replaces: bool) -> list[str]:
    """Writes one folder; returns the names of its files.

    Raises:
        ConfigError, OutputError: before any work.
    """
    if format not in FORMATS:
        raise ConfigError(f"Unknown format '{format}'. Known: {', '.join(FORMATS)}.")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"Cannot write {folder}: it is a file. Name a folder.")
    if folder.is_dir() and any(folder.iterdir()):
        raise OutputError(f"Cannot write {folder}: it is not empty. Name a new folder.")
    for path in request.references:
        read_image(path)
    size = request.size or DEFAULT_SIZE
    with stage_bars() as report, ExitStack() as stack:
        sources = read_sources(request, report)
        references = read_wan_references(request, size=size, grid=WAN_GRID)
        if replaces:
            controls = replace_controls(request, sources, references, size=size)
        else:
            controls = animate_controls(request, sources, references)
        for line in controls.said:
            typer.echo(line, err=True)
        folder.mkdir(parents=True, exist_ok=True)
        clock, times = sources.clock, sources.times
        audio = clock if not is_motion_file(clock) and probe(clock).has_audio else None
        stream, writers = ControlStream(controls), dict[str, VideoWriter]()
        stack.enter_context(closing(stream))
        total = controls.num_frames
        for start in range(0, total, SEGMENT_FRAMES):
            span = range(start, min(start + SEGMENT_FRAMES, total))
            made = stream.take(span)
            for name, frames in (_wan_animate(made) if format == "wan-animate" else _vace(made)).items():
                if name not in writers:
                    writers[name] = stack.enter_context(
                        VideoWriter(folder / name, width=frames.shape[2], height=frames.shape[1], times=times, audio=audio)
                    )
                writers[name].write(frames)
            report(Progress(stage="prepare", done=span.stop, total=total))
        picture = "src_ref.png" if format == "wan-animate" else "reference.png"
        write_image(folder / picture, references.images[0].image)
    return [picture, *writers]


def _wan_animate(made: ControlFrames) -> dict[str, Tensor]:
    """Under the names that Wan's own scripts use."""
    files = {"src_pose.mp4": made.pose, "src_face.mp4": made.face}
    if made.background is not None and made.mask is not None:
        files |= {"src_bg.mp4": made.background, "src_mask.mp4": _grey(made.mask)}
    return files


def _vace(made: ControlFrames) -> dict[str, Tensor]:
    """The pose where something is to be drawn, the video elsewhere; white where it is to be drawn."""
    if made.background is None or made.mask is None:
        return {"control.mp4": made.pose, "mask.mp4": torch.full_like(made.pose, 255)}
    return {
        "control.mp4": torch.where((made.mask > 0)[..., None], made.pose, made.background),
        "mask.mp4": _grey(made.mask),
    }


def _grey(mask: Tensor) -> Tensor:
    return mask[..., None].expand(-1, -1, -1, 3).contiguous()
