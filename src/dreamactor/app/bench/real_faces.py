"""Face tokens on real clips: do their read-outs follow what the geometry of perception's face points shows?

The read-outs are learnt on actors alone: straight lines from expression coefficients to the gap between the lips and to the
aspect of the eyes, fitted on drawn faces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from dreamactor.app.bench.drivers import find_clips
from dreamactor.data.actors import EXPRESSION, sample_actor
from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.data.actors.expression import face_curves, face_points
from dreamactor.data.faces import FIRST_FACE_SEED, sample_faces
from dreamactor.errors import DreamActorError
from dreamactor.evaluation.face_probe import LinearProbe, fit_probe
from dreamactor.guidance.face_crop import normalize_landmarks
from dreamactor.guidance.face_proxies import LEAST_FRAMES, PROXIES, face_proxies, follows
from dreamactor.inference.face_encoders import FaceEncoders
from dreamactor.inference.face_motion import FaceMotion, choose, read_implicit
from dreamactor.perception.build import build_estimator
from dreamactor.perception.cache import cached_track
from dreamactor.perception.perceive import perceive_video
from dreamactor.types.track import PersonTrack
from dreamactor.video.reader import VideoReader

PROBE_ACTORS: Final = 40
ENCODERS: Final = ("rgb", "landmarks")
Report = Callable[[str, int, int | None], None]


@dataclass(frozen=True, kw_only=True)
class RealFace:
    """One clip.

    Attributes:
        clip: path inside the folder.
        num_frames: with a face.
        proxies: name -> [T] as perception's points show it.
        read: encoder -> name -> [T] as the tokens tell it; in the same units.
        correlation: encoder -> name -> -1..1; NaN where the proxy is still.
        taken: what `auto` would take, and why; None with an error.
        error: why nothing could be read.
    """

    clip: str
    num_frames: int = 0
    proxies: dict[str, Tensor] = field(default_factory=dict)
    read: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    correlation: dict[str, dict[str, float]] = field(default_factory=dict)
    taken: FaceMotion | None = None
    error: str | None = None


def actor_probe(coefficients: Sequence[str]) -> LinearProbe:
    """From expression coefficients [N, E] of those names to what `face_proxies` measures, on faces that do nothing else."""
    codes, shown = [], []
    columns = [COEFFICIENT[name] for name in coefficients]
    for seed in range(FIRST_FACE_SEED, FIRST_FACE_SEED + 2 * PROBE_ACTORS, 2):
        expression, face = sample_faces(seed, num_moments=24), sample_actor(seed).face
        known = torch.zeros_like(expression)
        known[:, columns] = expression[:, columns]
        codes.append(known[:, columns])
        shown.append(face_proxies(face_points(face, face_curves(face, known))))
    return fit_probe(torch.cat(codes), torch.cat(shown))


def bench_faces(faces: FaceEncoders, folder: Path, *, report: Report) -> list[RealFace]:
    """Reads every clip of a folder; a bad file becomes a clip with its reason.

    Args:
        faces: the encoders.
        folder: of videos.
        report: called with (stage, done, total).

    Raises:
        InputError: no folder, or no video in it.
    """
    # Encoders that name no coefficients read the first ones of the schema.
    names = faces.landmarks.coefficients or EXPRESSION[: faces.num_read]
    paths, probe, clips = find_clips(folder), actor_probe(names), []
    report("clips", 0, len(paths))
    for index, path in enumerate(paths):
        name = path.relative_to(folder).as_posix()
        try:
            clips.append(_read(faces, probe, path, name, report))
        except (DreamActorError, OSError, ValueError) as error:
            clips.append(RealFace(clip=name, error=str(error)))
        report("clips", index + 1, len(paths))
    return clips


def perceive_clip(path: Path, report: Report) -> PersonTrack:
    """A clip's motion by the ordinary perception, cached by its content."""

    def compute() -> PersonTrack:
        with closing(build_estimator("mediapipe")) as estimator, VideoReader(path) as reader:
            return perceive_video(
                ((frame.image, frame.pts) for frame in reader), time_base=Fraction(reader.time_base), estimator=estimator,
                source=path.name, num_frames=reader.info.num_frames,
                progress=lambda done, total: report("perceive", done, total),
            )  # fmt: skip

    return cached_track(path, "mediapipe person=None", compute)


@torch.no_grad()
def _read(faces: FaceEncoders, probe: LinearProbe, path: Path, name: str, report: Report) -> RealFace:
    track = perceive_clip(path, report)
    tracked = track.face.tracked
    if int(tracked.sum()) < LEAST_FRAMES:
        return RealFace(clip=name, error=f"a face in {int(tracked.sum())} frames, needed are {LEAST_FRAMES}")
    marks = normalize_landmarks(track.face, track.head)
    tokens, apart = {"landmarks": faces.landmarks(marks)}, math.nan
    if faces.rgb is not None:
        with VideoReader(path) as reader:
            tokens["rgb"], apart = read_implicit(faces.rgb, track, (frame.image for frame in reader))
    shown = face_proxies(marks[tracked])
    proxies = dict(zip(PROXIES, shown.unbind(dim=-1), strict=True))
    read: dict[str, dict[str, Tensor]] = {}
    found: dict[str, dict[str, float]] = {}
    for encoder in (name for name in ENCODERS if name in tokens):
        told = probe.read(tokens[encoder][tracked][:, : faces.num_read])
        read[encoder] = dict(zip(PROXIES, told.unbind(dim=-1), strict=True))
        found[encoder] = {what: follows(read[encoder][what], proxies[what], what) for what in PROXIES}
    return RealFace(
        clip=name, num_frames=int(tracked.sum()), proxies=proxies, read=read, correlation=found,
        taken=choose(faces, track, tokens.get("rgb"), apart),
    )  # fmt: skip


def real_face_rows(clips: list[RealFace]) -> list[dict[str, Any]]:
    """One row per clip, encoder and proxy that moves; `better` is the larger of both encoders."""
    rows = []
    for clip in clips:
        for what in PROXIES:
            values = {encoder: found[what] for encoder, found in clip.correlation.items() if found[what] == found[what]}
            if not values:
                continue
            values["better"] = max(values.values())
            if clip.taken is not None:
                taken = "rgb" if clip.taken.source == "implicit" else "landmarks"
                values["auto"] = values[taken]
            rows += [
                {"set": clip.clip, "metric": f"{what}_correlation_{encoder}", "value": value, "n": clip.num_frames}
                for encoder, value in values.items()
            ]
    return rows


def real_face_table(clips: list[RealFace]) -> str:
    """What a reader wants to see, clip by clip."""
    columns = [(what, encoder) for what in PROXIES for encoder in ENCODERS]
    lines = [
        f"{'clip':36}{'faces':>7}" + "".join(f"{f'{what} {encoder}':>17}" for what, encoder in columns) + "  auto takes"
    ]
    for clip in clips:
        if clip.error is not None:
            lines.append(f"{clip.clip:36}  {clip.error}")
            continue
        cells = [clip.correlation.get(encoder, {}).get(what, math.nan) for what, encoder in columns]
        shown = "".join(f"{'still' if value != value else f'{value:.2f}':>17}" for value in cells)
        taken = clip.taken.source if clip.taken else ""
        lines.append(f"{clip.clip:36}{clip.num_frames:7}{shown}  {taken}")
    return "\n".join(lines)
