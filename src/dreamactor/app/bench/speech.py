"""The audio encoder on voices, sentences and languages that it never heard: what it says the mouth does, against the truth.

Loudness is what a mouth that merely opens with the sound would do: the better, clip by clip, of the sound's power and its
logarithm, both over 80 ms.
"""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors import FIRST_HELD_OUT_SEED
from dreamactor.data.actors.curves import stream
from dreamactor.data.speech.languages import LANGUAGES, UNSEEN
from dreamactor.data.speech.talk import MOMENTS_HZ, Talk, held_out_recorded, held_out_talk
from dreamactor.data.speech.voices import HELD_OUT_RECORDED
from dreamactor.data.speech.wear import RATE_HZ, coloured_noise, music, noisy
from dreamactor.evaluation.speech_sync import lip_closures, speech_sync
from dreamactor.models.audio_motion import SAMPLES_PER_MOMENT, AudioMotionEncoder

CLIP_S: Final = 10.0
NOISE_DB: Final = 5.0
"""Noise and music together below the speech, where it is noisy."""
RECORDED: Final = "of recordings"
"""Held-out voices that are joined from recordings or are their statistics."""
SHUT: Final = 0.06
"""A jaw that is open by less is closed."""
Report = Callable[[str, int, int | None], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class HeardClip:
    """One voice.

    Attributes:
        language, voice: who spoke.
        noise: "clean" or "noisy".
        scores: name -> value.
    """

    language: str
    voice: str
    noise: str
    scores: dict[str, float]


def loudness_openings(samples: Tensor) -> tuple[Tensor, Tensor]:
    """Two mouths that open with the sound [N]: [S] at 50 Hz, by power and by its logarithm."""
    width = 4 * SAMPLES_PER_MOMENT
    power = torch.nn.functional.avg_pool1d(samples.square()[None, None], width + 1, SAMPLES_PER_MOMENT, width // 2)[0, 0]
    return power.sqrt(), (power + 1e-6).log()


def hear_clip(encoder: AudioMotionEncoder, talk: Talk, samples: np.ndarray, noise: str) -> HeardClip:
    """Scores of the encoder and of loudness on one sound of a talk."""
    sound = torch.from_numpy(samples)
    spoken = encoder.hear([sound])
    jaw = encoder.coefficients.index("jaw_open")
    truth = torch.from_numpy(talk.expression[:, jaw])
    count = len(truth)
    own = speech_sync(spoken.mouth[:count, jaw], truth, rate_hz=MOMENTS_HZ)
    base = max(
        (speech_sync(one[:count], truth, rate_hz=MOMENTS_HZ) for one in loudness_openings(sound)),
        key=lambda sync: sync.correlation,
    )
    lips = lip_closures(
        spoken.mouth[:count, encoder.coefficients.index("lip_press")], talk.closures_s, torch.from_numpy(talk.spoken),
        rate_hz=MOMENTS_HZ,
    )  # fmt: skip
    scores = {
        "correlation": own.correlation, "delay_ms": 1000 * own.delay_s, "loudness_correlation": base.correlation,
        "loudness_delay_ms": 1000 * base.delay_s, "closures_found": lips.found, "closures_by_chance": lips.by_chance,
        "closures_right": lips.right,
        "strength": float(spoken.mouth[:count, jaw].std() / truth.std()),
    }  # fmt: skip
    return HeardClip(language=talk.language, voice=talk.voice, noise=noise, scores=scores)


def bench_voices(encoder: AudioMotionEncoder, *, clips_each: int, report: Report) -> list[HeardClip]:
    """Held-out voices and sentences of every language, clean and noisy."""
    found = []
    for number, language in enumerate(LANGUAGES):
        for index in range(clips_each):
            found += _clean_and_noisy(encoder, held_out_talk(language, index, duration_s=CLIP_S), index)
        report("voices", number + 1, len(LANGUAGES))
    return found


def bench_recorded_voices(encoder: AudioMotionEncoder, *, clips_each: int, report: Report) -> list[HeardClip]:
    """Held-out voices that are made of recordings; none where none is installed."""
    found = []
    for index in range(clips_each * len(HELD_OUT_RECORDED)):
        talk = held_out_recorded(index, duration_s=CLIP_S)
        if talk is not None:
            found += _clean_and_noisy(encoder, replace(talk, language=RECORDED), index)
        report("voices of recordings", index + 1, clips_each * len(HELD_OUT_RECORDED))
    return found


def _clean_and_noisy(encoder: AudioMotionEncoder, talk: Talk, index: int) -> list[HeardClip]:
    rng = stream(FIRST_HELD_OUT_SEED + index, f"noise {talk.language}")
    sounds = {"clean": talk.samples, "noisy": noisy(rng, talk.samples, snr_db=NOISE_DB)}
    return [hear_clip(encoder, talk, 0.5 * samples, noise) for noise, samples in sounds.items()]


def bench_silence(encoder: AudioMotionEncoder, *, seconds: float, report: Report) -> list[dict[str, Any]]:
    """Share of moments with a closed jaw where nobody speaks."""
    count, rows = int(10 * RATE_HZ), []
    jaw, pieces = encoder.coefficients.index("jaw_open"), max(1, round(seconds / 10))
    makers: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
        "silence": lambda rng: np.zeros(count, dtype=np.float32),
        "noise": lambda rng: 10 ** (-float(rng.uniform(10, 50)) / 20) * coloured_noise(rng, count) / 4,
        "music": lambda rng: 10 ** (-float(rng.uniform(0, 20)) / 20) * music(rng, count) / 4,
    }
    for name, make in makers.items():
        shut = []
        for index in range(pieces):
            sound = torch.from_numpy(
                np.asarray(make(stream(FIRST_HELD_OUT_SEED + index, f"bench {name}")), dtype=np.float32)
            )
            shut.append((encoder.hear([sound]).mouth[:, jaw] < SHUT).double())
        rows.append({"set": name, "metric": "closed_share", "value": float(torch.cat(shut).mean()), "n": pieces})
        report("nobody speaks", len(rows), len(makers))
    return rows


def bench_length(encoder: AudioMotionEncoder, *, minutes: float, report: Report) -> list[dict[str, Any]]:
    """How much faster than real time one core hears a long sound, and by how much memory grows beyond its first minute."""
    piece = torch.from_numpy(0.3 * held_out_talk("english", 0, duration_s=CLIP_S).samples)
    total = max(7, round(minutes * 60 / CLIP_S))

    def pieces() -> Iterator[Tensor]:
        for index in range(total):
            report("long sound", index + 1, total)
            yield piece

    start, heard, at_minute = time.process_time(), 0, 0
    for part in encoder.stream(pieces()):
        heard += len(part.voice)
        if heard >= 60 * MOMENTS_HZ and not at_minute:
            at_minute = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    taken = time.process_time() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - at_minute) / 1024
    return [
        {"set": "long", "metric": "times_real_time", "value": total * CLIP_S / taken, "n": total},
        {"set": "long", "metric": "minutes", "value": total * CLIP_S / 60, "n": total},
        {"set": "long", "metric": "peak_memory_grown_mib", "value": grown, "n": total},
    ]


def voice_rows(clips: Sequence[HeardClip]) -> list[dict[str, Any]]:
    """Means over clips by language and noise, and over the trained and the unseen languages; delays are medians."""
    rows = []
    groups: dict[str, list[str]] = {
        "trained": [name for name in LANGUAGES if name not in UNSEEN], "unseen": list(UNSEEN), RECORDED: [RECORDED],
    } | {name: [name] for name in LANGUAGES}  # fmt: skip
    for group, languages in groups.items():
        for noise in ("clean", "noisy"):
            chosen = [clip for clip in clips if clip.language in languages and clip.noise == noise]
            for metric in chosen[0].scores if chosen else ():
                values = [clip.scores[metric] for clip in chosen if not math.isnan(clip.scores[metric])]
                if not values:
                    continue
                value = float(np.median(values) if "delay" in metric else np.mean(values))
                rows.append({"set": f"{group}/{noise}", "metric": metric, "value": value, "n": len(values)})
    return rows


_COLUMNS: Final = {
    "correlation": "jaw",
    "loudness_correlation": "by loudness",
    "delay_ms": "late ms",
    "closures_found": "lips meet",
    "closures_by_chance": "by chance",
    "closures_right": "rightly",
    "strength": "strength",
}
"""Metric -> heading."""


def speech_table(rows: Sequence[dict[str, Any]]) -> str:
    """What a reader wants to see."""
    value = {(row["set"], row["metric"]): row["value"] for row in rows}
    sets = dict.fromkeys(row["set"] for row in rows if row["metric"] == "correlation")
    lines = [f"{'set':18}" + "".join(f"{head:>13}" for head in _COLUMNS.values())] if sets else []
    for name in sets:
        cells = [value.get((name, metric), math.nan) for metric in _COLUMNS]
        lines.append(f"{name:18}" + "".join(f"{'' if cell != cell else f'{cell:.2f}':>13}" for cell in cells))
    lines += [f"{row['set']:18}{row['metric']}: {row['value']:.3f}" for row in rows if row["set"] not in sets]
    return "\n".join(lines)
