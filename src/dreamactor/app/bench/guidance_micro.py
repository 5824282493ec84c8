"""Do a blink of three frames and a tremor of the lips survive perception, and do the face tokens tell them in time?"""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import replace
from statistics import median
from typing import Any, Final

import torch
from torch import Tensor

from dreamactor.app.bench.face_clips import FaceClip, Report, clip_tokens, draw_face_clip
from dreamactor.data.actors import FIRST_HELD_OUT_SEED, NUM_EXPRESSION, Performance, sample_actor, sample_performance
from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.data.actors.expression import face_curves, face_points
from dreamactor.evaluation.perceived import lid_opening, mouth_opening
from dreamactor.geometry.skeleton import FACE_POINT
from dreamactor.inference.face_encoders import FaceEncoders
from dreamactor.perception.build import build_estimator

FIRST_SEED: Final = FIRST_HELD_OUT_SEED + 62_000
ACTORS: Final = 16
SIZE: Final = 256
NUM_FRAMES, FPS = 32, 25.0
BLINK_AT: Final = 15
BLINK: Final = (0.6, 1.0, 0.6)
TREMOR_HZ: Final = 6.0
TREMOR_SHARE: Final = 0.02
"""From the narrowest to the widest gap between the lips, in face heights."""
LIPS_APART: Final = 0.3
"""Of the jaw, about which it trembles."""
ENOUGH, IN_TIME = 0.6, 1.0
"""Share of the amplitude and lateness in frames that count as survival."""
_JAW, _LIDS = COEFFICIENT["jaw_open"], [COEFFICIENT["blink_left"], COEFFICIENT["blink_right"]]


def rows(report: Report, faces: FaceEncoders) -> list[dict[str, Any]]:
    """Amplitude (share of the true one), lateness (frames) and share of actors that pass: perception and tokens."""
    found: dict[str, list[tuple[float, float]]] = {}
    with closing(build_estimator()) as estimator:
        for index in range(ACTORS):
            seed = FIRST_SEED + index
            performance = trembling(seed)
            clip = draw_face_clip(seed, performance, estimator, size=SIZE, frames=slice(0, NUM_FRAMES), scene_seed=seed)
            for name, one in (_lost() if clip is None else measure(clip, faces)).items():
                found.setdefault(name, []).append(one)
            report(index + 1, ACTORS)
    result = []
    for name, values in found.items():
        passed = [share >= ENOUGH and abs(late) <= IN_TIME for share, late in values]
        known = [pair for pair in values if math.isfinite(pair[0])]
        numbers = {
            "amplitude_median": median(share for share, _ in known) if known else math.nan,
            "late_median_frames": median(late for _, late in known) if known else math.nan,
            "survives_percent": 100 * sum(passed) / len(passed),
        }
        result += [{"set": name, "metric": key, "value": value, "n": len(values)} for key, value in numbers.items()]
    return result


def trembling(seed: int) -> Performance:
    """A nearly still portrait with a trembling jaw and one blink."""
    still = sample_performance(seed, num_frames=NUM_FRAMES, framing="portrait", kind="idle")
    expression = torch.zeros(NUM_FRAMES, NUM_EXPRESSION)
    wave = torch.sin(2 * torch.pi * TREMOR_HZ * torch.arange(NUM_FRAMES) / FPS)
    expression[:, _JAW] = LIPS_APART + wave * TREMOR_SHARE / 2 / lip_gain(seed)
    for offset, value in enumerate(BLINK):
        expression[BLINK_AT - 1 + offset, _LIDS] = value
    return replace(still, expression=expression, channels=still.channels[:1].expand(NUM_FRAMES, -1).clone())


def lip_gain(seed: int) -> float:
    """By how many face heights an actor's lips part per unit of the jaw's coefficient, about `LIPS_APART`."""
    around = torch.zeros(2, NUM_EXPRESSION)
    around[:, _JAW] = LIPS_APART + torch.tensor([-0.05, 0.05])
    face = sample_actor(seed).face
    points = face_points(face, face_curves(face, around))
    gap = (points[:, FACE_POINT["lip_inner_2"]] - points[:, FACE_POINT["lip_inner_6"]]).norm(dim=-1)
    height = (points[:, FACE_POINT["forehead"]] - points[:, FACE_POINT["chin"]]).norm(dim=-1) - gap
    return float((gap[1] - gap[0]) / height.mean() / 0.1)


def measure(clip: FaceClip, faces: FaceEncoders) -> dict[str, tuple[float, float]]:
    """Amplitude and lateness by what moves and where it is looked for; NaN where the face is lost in some frame."""
    if not bool(clip.counts.all()):
        return _lost()
    truth, seen = mouth_opening(clip.truth), mouth_opening(clip.seen)
    found = {
        "tremor, perception": compare_waves(seen, truth),
        "blink, perception": compare_dips(lid_opening(clip.seen).mean(dim=1), lid_opening(clip.truth).mean(dim=1)),
    }
    jaw, open_lids = clip.expression[:, _JAW], 1 - clip.expression[:, _LIDS].mean(dim=1)
    for name, tokens in clip_tokens(faces, clip).items():
        found[f"tremor, {name}"] = compare_waves(tokens[:, _JAW], jaw)
        found[f"blink, {name}"] = compare_dips(1 - tokens[:, _LIDS].mean(dim=1), open_lids)
    return found


def _lost() -> dict[str, tuple[float, float]]:
    return {
        f"{what}, {where}": (math.nan, math.nan) for what in ("tremor", "blink") for where in ("perception", "landmarks")
    }


def compare_waves(found: Tensor, truth: Tensor) -> tuple[float, float]:
    """Share of the truth's amplitude at the tremor's frequency, and how many frames it is late; series [T]."""
    time = 2 * torch.pi * TREMOR_HZ * torch.arange(len(truth)) / FPS
    basis = torch.stack([time.sin(), time.cos(), torch.ones(len(truth)), torch.linspace(-1, 1, len(truth))], dim=1).double()
    waves = torch.linalg.lstsq(basis, torch.stack([found, truth], dim=1).double()).solution[:2]  # [2, 2]
    size = waves.norm(dim=0)
    phase = torch.atan2(waves[1], waves[0])
    behind = math.remainder(float(phase[1] - phase[0]), 2 * math.pi)
    return float(size[0] / size[1]), behind / (2 * math.pi * TREMOR_HZ) * FPS


def compare_dips(found: Tensor, truth: Tensor) -> tuple[float, float]:
    """Share of the truth's dip around `BLINK_AT`, and how many frames the deepest point is late; series [T]."""
    window = slice(BLINK_AT - 4, BLINK_AT + 5)

    def dip(series: Tensor) -> tuple[float, int]:
        deepest = int(series[window].argmin())
        return float(series.median() - series[window][deepest]), deepest

    (depth, at), (wanted, due) = dip(found), dip(truth)
    return depth / wanted, float(at - due)
