"""Reads motion files, edits them, writes them, and tells what is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import typer
from torch import Tensor

from dreamactor.guidance.camera import describe_camera
from dreamactor.guidance.motion_picture import draw_motion
from dreamactor.perception.track_file import load_track, save_track
from dreamactor.types.track import PersonTrack
from dreamactor.video.writer import VIDEO_SUFFIXES, VideoWriter, check_output

PREVIEW_HEIGHT = 360
FRAMES_AT_ONCE = 24
_SHOWN_CUTS = 8


def edit_motion(inputs: Sequence[Path], output: Path, edit: Callable[[list[PersonTrack]], PersonTrack]) -> None:
    """Reads motion files, makes one of them, writes it and says what it is.

    Raises:
        MotionFileError: an input is no motion file.
        OutputError: the result cannot be written.
    """
    check_output(output, inputs, suffixes=(".npz",))
    track = edit([load_track(path) for path in inputs])
    save_track(output, track)
    typer.echo(f"{output} ({describe_length(track)})")


def describe_length(track: PersonTrack) -> str:
    """Frames, mean rate and seconds."""
    fps, steps = float(track.times.fps), track.times.pts.diff()
    irregular = ", irregular times" if len(steps) and int(steps.max() - steps.min()) > 1 else ""
    return f"{track.num_frames} frames, {fps:.4g} fps, {track.num_frames / fps:.2f} s{irregular}"


def describe_motion(track: PersonTrack) -> list[str]:
    """What a track holds, line by line."""

    def share(tracked: Tensor) -> str:
        return f"{float(tracked.float().mean()):.0%}"

    seconds = track.times.seconds - track.times.seconds[0]
    cuts = [f"{seconds[frame]:.2f}" for frame in track.cut.nonzero().flatten().tolist()]
    more = f" and {len(cuts) - _SHOWN_CUTS} more" if len(cuts) > _SHOWN_CUTS else ""
    lines = [
        f"source   {track.source or 'not named'}",
        f"length   {describe_length(track)}",
        f"picture  {track.width} x {track.height} px",
        f"tracked  body {share(track.body.tracked)}, head {share(track.head.tracked)}, face {share(track.face.tracked)}, "
        f"left hand {share(track.hands.tracked[:, 0])}, right hand {share(track.hands.tracked[:, 1])}",
        f"cuts     {'at ' + ', '.join(cuts[:_SHOWN_CUTS]) + f' s{more}' if cuts else 'none'}",
    ]
    known = track.head.angles_rad[track.head.tracked].rad2deg()
    if len(known):
        low, high = known.amin(0).tolist(), known.amax(0).tolist()
        ranges = [f"{n} {a:.0f} to {b:.0f}" for n, a, b in zip(("yaw", "pitch", "roll"), low, high, strict=True)]
        lines.append(f"head     {', '.join(ranges)} degrees")
    return [*lines, describe_camera(track).replace("camera: ", "camera   ")]


def write_motion_preview(track: PersonTrack, preview: Path, inputs: Sequence[Path]) -> None:
    """Skeleton, sphere and face points as a video with the track's own times."""
    check_output(preview, inputs, suffixes=VIDEO_SUFFIXES)
    first = draw_motion(track[:1], height=PREVIEW_HEIGHT)
    with VideoWriter(preview, width=first.shape[2], height=first.shape[1], times=track.times) as writer:
        for start in range(0, track.num_frames, FRAMES_AT_ONCE):
            writer.write(draw_motion(track[start : start + FRAMES_AT_ONCE], height=PREVIEW_HEIGHT))
