"""Recorded people: the mouth heard in a clip's own sound against the mouth that perception sees in its pictures.

Clips are told apart by number: what is written names no file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dreamactor.app.bench.drivers import find_clips
from dreamactor.app.bench.real_faces import perceive_clip
from dreamactor.app.bench.speech import Report, loudness_openings
from dreamactor.app.bench.speech_sheet import speech_sheet
from dreamactor.errors import DreamActorError
from dreamactor.evaluation.speech_sync import speech_sync
from dreamactor.guidance.face_crop import normalize_landmarks
from dreamactor.guidance.face_proxies import LEAST_FRAMES, face_proxies
from dreamactor.inference.speech import hear
from dreamactor.models.audio_motion import MOMENTS_HZ, RATE_HZ, AudioMotionEncoder
from dreamactor.video.audio import cut_audio, read_audio
from dreamactor.video.image import write_image


@torch.no_grad()
def bench_recorded(encoder: AudioMotionEncoder, folder: Path, *, plots: Path | None, report: Report) -> list[dict[str, Any]]:
    """Correlation and delay of mouth openings, by speech and by loudness; a clip without face or sound has no rows.

    Raises:
        InputError: no folder, or no video in it.
    """
    paths, rows = find_clips(folder), []
    for number, path in enumerate(paths, start=1):
        report("recorded clips", number - 1, len(paths))
        try:
            rows += _follow(encoder, path, f"recorded clip {number}", plots, report)
        except DreamActorError as error:
            rows.append(
                {"set": f"recorded clip {number}", "metric": "unusable", "value": 1.0, "n": 0, "why": _unnamed(error, path)}
            )
        report("recorded clips", number, len(paths))
    return rows


def _unnamed(error: DreamActorError, path: Path) -> str:
    return str(error).replace(str(path), "the clip").replace(path.name, "the clip")


def _follow(encoder: AudioMotionEncoder, path: Path, name: str, plots: Path | None, report: Report) -> list[dict[str, Any]]:
    track = perceive_clip(path, report)
    tracked = track.face.tracked
    sound = read_audio(path, rate_hz=RATE_HZ, mono=True)
    if int(tracked.sum()) < LEAST_FRAMES or sound is None:
        return []
    shown = face_proxies(normalize_landmarks(track.face, track.head)[tracked])[:, 0]
    heard = hear(encoder, path, track.times)
    jaw = heard.mouth[tracked, encoder.coefficients.index("jaw_open")]
    openings: dict[str, Tensor] = {"speech": jaw}
    place = ((track.times.seconds - sound.start_s) * MOMENTS_HZ).round().long()[tracked]
    for kind, values in zip(("loudness", "log loudness"), loudness_openings(sound.samples[0]), strict=True):
        openings[kind] = values[place.clamp(0, len(values) - 1)]
    rate_hz, rows = float(track.times.fps), []
    for kind, opening in openings.items():
        sync = speech_sync(opening, shown, rate_hz=rate_hz)
        rows += [
            {"set": f"{name} by {kind}", "metric": "correlation", "value": sync.correlation, "n": int(tracked.sum())},
            {
                "set": f"{name} by {kind}",
                "metric": "best_correlation",
                "value": sync.best_correlation,
                "n": int(tracked.sum()),
            },
            {"set": f"{name} by {kind}", "metric": "delay_ms", "value": 1000 * sync.delay_s, "n": int(tracked.sum())},
        ]
    if plots is not None:
        plots.mkdir(parents=True, exist_ok=True)
        seconds = track.times.seconds[tracked]
        cut = cut_audio(sound, float(seconds[0]), float(seconds[-1]))
        curves = {"lips as seen": shown, **openings}
        write_image(plots / f"{name.replace(' ', '_')}.png", speech_sheet(None, cut.samples[0], curves))
    return rows
