"""Portraits of held-out actors that speak, generated, and read by the judge: does the mouth follow what is heard?"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from dreamactor.app.bench.speech import Report
from dreamactor.app.bench.speech_sheet import speech_sheet
from dreamactor.app.film import picture_actor
from dreamactor.data.actors import FIRST_HELD_OUT_SEED, render, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.data.speech.languages import UNSEEN
from dreamactor.data.speech.talk import MOMENTS_HZ, RATE_HZ, held_out_talk
from dreamactor.evaluation.judge import load_judge
from dreamactor.evaluation.speech_sync import speech_sync
from dreamactor.inference.animator import Animator
from dreamactor.inference.bundle import ModelBundle
from dreamactor.inference.request import AnimateRequest
from dreamactor.inference.sources import SPEECH_FPS
from dreamactor.perception.track_file import load_track
from dreamactor.types.track import PersonTrack, take_frames
from dreamactor.types.video import AudioClip
from dreamactor.video.audio import write_audio
from dreamactor.video.image import write_image

VIDEO_LANGUAGES: Final = ("english", "italian", "german", "japanese", "chinese")
"""Three trained, two unseen."""
_FIRST_SEED: Final = FIRST_HELD_OUT_SEED + 10


def bench_videos(
    bundle: ModelBundle, *, videos_each: int, seconds: float, plots: Path | None, report: Report
) -> list[dict[str, Any]]:
    """Rows of correlation and delay of the jaw, as the judge reads it off the generated video, against the truth.

    `drawn_correlation` is the judge's own limit: the same actor drawn with the true mouth, read in the same way.

    Args:
        bundle: with an audio encoder.
        videos_each: for every language, another actor and voice each.
        seconds: of every video.
        plots: folder for sheets, or None.
        report: called with the progress.
    """
    animator, judge = Animator(bundle), load_judge()
    jaw = judge.coefficients.index("jaw_open")
    found: dict[str, list[tuple[float, float, float]]] = {}
    total = len(VIDEO_LANGUAGES) * videos_each
    report("videos", 0, total)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(total):
            language = VIDEO_LANGUAGES[number % len(VIDEO_LANGUAGES)]
            talk = held_out_talk(language, number, duration_s=seconds)
            sound = AudioClip(samples=torch.from_numpy(0.5 * talk.samples)[None], rate_hz=RATE_HZ)
            write_audio(folder / "speech.wav", sound)
            picture, size = folder / "actor.png", bundle.defaults.size
            picture_actor(picture, seed=_FIRST_SEED + number, framing="portrait", size=size, track=folder / "actor.npz")
            request = AnimateRequest(references=(picture,), audio=folder / "speech.wav", seed=number)
            frames = torch.cat([clip.frames for clip in animator.animate(request)])
            held = take_frames(load_track(folder / "actor.npz"), torch.zeros(len(frames), dtype=torch.int64))
            read = judge.read(frames, held).expression[:, jaw]
            moments = np.arange(len(frames)) / SPEECH_FPS * MOMENTS_HZ
            truth_expression = _at(talk.expression, moments)
            truth = truth_expression[:, COEFFICIENT["jaw_open"]]
            sync = speech_sync(read, truth, rate_hz=SPEECH_FPS)
            drawn = judge.read(*_draw(_FIRST_SEED + number, truth_expression, size=size)).expression[:, jaw]
            best = speech_sync(drawn, truth, rate_hz=SPEECH_FPS)
            found.setdefault(language, []).append((sync.correlation, 1000 * sync.delay_s, best.correlation))
            if plots is not None:
                plots.mkdir(parents=True, exist_ok=True)
                curves = {"spoken": truth, "judge reads": read, "of the drawn truth": drawn}
                write_image(plots / f"video_{number}_{language}.png", speech_sheet(frames, sound.samples[0], curves))
            report("videos", number + 1, total)
    groups = {
        "video/trained": [one for name in found if name not in UNSEEN for one in found[name]],
        "video/unseen": [one for name in found if name in UNSEEN for one in found[name]],
    } | {f"video/{name}": values for name, values in found.items()}  # fmt: skip
    rows = []
    for group, values in groups.items():
        for column, metric in enumerate(("correlation", "delay_ms", "drawn_correlation")):
            series = [value[column] for value in values]
            value = float(np.median(series) if metric == "delay_ms" else np.mean(series))
            rows.append({"set": group, "metric": metric, "value": value, "n": len(series)})
    return rows


def _at(expression: np.ndarray, moments: np.ndarray) -> Tensor:
    """[T, E] coefficients [S, E] between their moments."""
    own = np.arange(len(expression))
    return torch.from_numpy(np.stack([np.interp(moments, own, column) for column in expression.T], axis=1)).float()


def _draw(seed: int, expression: Tensor, *, size: int) -> tuple[Tensor, PersonTrack]:
    """An actor who looks ahead and does what is said, drawn: frames and track."""
    still = sample_performance(seed, num_frames=len(expression), fps=SPEECH_FPS, framing="portrait")
    performance = replace(still, expression=expression, channels=torch.zeros_like(still.channels))
    scene = sample_scene(seed, framing="portrait")
    made = render(sample_actor(seed), performance, scene, width=size, height=size)
    return made.frames, made.track
