"""Draws actors to files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from dreamactor.data.actors import (
    DEFAULT_CAST,
    Cast,
    neutral_performance,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import build_figure
from dreamactor.data.actors.scene import place_camera
from dreamactor.perception.track_file import save_track
from dreamactor.types.track import PersonTrack
from dreamactor.video.image import write_image
from dreamactor.video.provenance import Provenance
from dreamactor.video.writer import VIDEO_SUFFIXES, VideoWriter, check_output

FPS = 25
FRAMES_AT_ONCE = 25


def _check_track(track: Path | None, output: Path) -> None:
    if track is not None:
        check_output(track, [output], suffixes=(".npz",))


def _drawn(seed: int, framing: str, cast: Cast) -> Provenance:
    """What a drawing says of itself."""
    return Provenance(origin="drawn", settings={"actor": seed, "framing": framing, "cast": cast})


def picture_actor(
    output: Path, *, seed: int, framing: str, size: int, track: Path | None = None, cast: Cast = DEFAULT_CAST
) -> None:
    """Writes a reference picture of an actor standing at ease."""
    check_output(output)
    _check_track(track, output)
    pose = neutral_performance(framing=framing, seed=seed)  # type: ignore[arg-type]
    scene = sample_scene(seed, framing=framing, cast=cast)  # type: ignore[arg-type]
    drawn = render(sample_actor(seed, cast=cast), pose, scene, width=size, height=size)
    write_image(output, drawn.frames[0], provenance=_drawn(seed, framing, cast))
    if track is not None:
        save_track(track, drawn.track)


def film_actor(
    output: Path,
    *,
    seed: int,
    seconds: float,
    framing: str,
    size: int,
    kind: str | None = None,
    track: Path | None = None,
    cast: Cast = DEFAULT_CAST,
) -> int:
    """Writes a performance as an ordinary video; returns the number of frames."""
    check_output(output, suffixes=VIDEO_SUFFIXES)
    _check_track(track, output)
    count = max(1, round(seconds * FPS))
    performance = sample_performance(seed, num_frames=count, fps=FPS, framing=framing, kind=kind, cast=cast)  # type: ignore[arg-type]
    actor, scene = sample_actor(seed, cast=cast), sample_scene(seed, framing=framing, cast=cast)  # type: ignore[arg-type]
    made = _drawn(seed, framing, cast)
    with VideoWriter(output, width=size, height=size, fps=Fraction(FPS), provenance=made) as writer:
        for start in range(0, count, FRAMES_AT_ONCE):
            drawn = render(
                actor,
                performance,
                scene,
                width=size,
                height=size,
                frames=slice(start, min(start + FRAMES_AT_ONCE, count)),
            )
            writer.write(drawn.frames)
    if track is not None:
        save_track(track, exact_performance_track(seed, count=count, framing=framing, size=size, kind=kind, cast=cast))
    return count


def exact_performance_track(
    seed: int, *, count: int, framing: str, size: int, kind: str | None, cast: Cast = DEFAULT_CAST
) -> PersonTrack:
    """The exact track of what `film_actor` films."""
    performance = sample_performance(seed, num_frames=count, fps=FPS, framing=framing, kind=kind, cast=cast)  # type: ignore[arg-type]
    actor, scene = sample_actor(seed, cast=cast), sample_scene(seed, framing=framing, cast=cast)  # type: ignore[arg-type]
    figure = build_figure(actor, performance)
    camera = place_camera(scene, actor.body, figure.joints, framing, width=size, height=size)  # type: ignore[arg-type]
    return exact_track(actor, figure, performance, camera, width=size, height=size)
