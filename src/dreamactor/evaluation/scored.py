"""One video scored against its truth, with the features that distributions over many videos need; saves and loads.

Joins the pixel scores with those of the judge (drawn actors) or of perception (everything else).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from dreamactor.evaluation.clip import Found, Truth, score_pixels
from dreamactor.evaluation.frechet import Moments, frechet_distance
from dreamactor.evaluation.judge import Gallery, Judge, Reading, compare
from dreamactor.evaluation.metrics import METRICS
from dreamactor.evaluation.perceived import compare_tracks
from dreamactor.evaluation.scores import ClipScores
from dreamactor.types.track import PersonTrack
from dreamactor.video.resize import resize_frames

STRIP_HEIGHT, STRIP_MOMENTS = 128, 6
DISTANCES: Final = {"actor_frechet_image": "picture", "actor_frechet_video": "window"}
"""Offline counterparts of FID and FVD, by the judge's features; never printed under those names."""


@dataclass(frozen=True, kw_only=True)
class ScoredClip:
    """Scores and features of one video.

    Attributes:
        scores: the numbers.
        features: "made_picture", "truth_picture" [T, S], "made_window", "truth_window" [N, 2 S] and "made_angles" [T, 3]
            (yaw, pitch, roll of the head) of the judge; empty where the judge was not asked.
    """

    scores: ClipScores
    features: dict[str, Tensor] = field(default_factory=dict)


def score_video(
    clip: str,
    method: str,
    made: Tensor,
    truth: Truth,
    *,
    judge: Judge | None = None,
    gallery: Gallery | None = None,
    read_truth: Reading | None = None,
    seen: PersonTrack | None = None,
    why_not_seen: str = "nobody looked for a person",
    tags: dict[str, str] | None = None,
) -> ScoredClip:
    """Scores a video.

    Args:
        clip, method: names.
        made: [T, H, W, 3] uint8, as long and as large as the truth.
        truth: what it should have been.
        judge: reads drawn actors; used where the truth says everything about one.
        gallery: for identity.
        read_truth: what the judge read off the truth, where that is known already.
        seen: what perception found in `made`, for truths that are no drawn actors.
        why_not_seen: why there is no `seen`.
        tags: what the clip is.
    """
    found = score_pixels(made, truth)
    features: dict[str, Tensor] = {}
    drawn = truth.track is not None and truth.expression is not None
    if drawn and judge is not None:
        comparison = compare(judge, made, truth, gallery, read_truth=read_truth)
        _join(found, comparison.found)
        made_windows, truth_windows = comparison.windows
        features = {
            "made_picture": comparison.made.picture,
            "truth_picture": comparison.truth.picture,
            "made_window": made_windows,
            "truth_window": truth_windows,
            "made_angles": comparison.made.angles_rad,
        }
    elif truth.track is not None and seen is not None:
        _join(found, compare_tracks(seen, truth.track))
    else:
        why_not_seen = "the judge is not here" if drawn else why_not_seen
    for name in METRICS:
        if name not in found.values and name not in found.missing and name != "lpips":
            found.missing[name] = why_not_seen
    scores = ClipScores(
        clip=clip, method=method, values=found.values, missing=found.missing, tags=tags or {}, series=found.series,
        strip=strip(made, truth.frames),
    )  # fmt: skip
    return ScoredClip(scores=scores, features=features)


def _join(found: Found, more: Found) -> None:
    found.values |= more.values
    found.missing |= more.missing
    found.series |= more.series


def strip(made: Tensor, truth: Tensor) -> Tensor:
    """Moments of the truth above the same moments of the video: [H, W, 3] uint8."""
    count = min(STRIP_MOMENTS, len(truth))
    moments = [round(i * (len(truth) - 1) / max(count - 1, 1)) for i in range(count)]
    width = max(1, round(truth.shape[2] * STRIP_HEIGHT / truth.shape[1]))
    rows = [
        torch.cat(list(resize_frames(video[moments].contiguous(), width=width, height=STRIP_HEIGHT)), dim=1)
        for video in (truth, made)
    ]
    return torch.cat(rows)


def frechet_of(clips: Iterable[ScoredClip]) -> dict[str, tuple[float, int] | str]:
    """Distance of the videos' features from those of their truths, and the number of samples; or why there is none."""
    clips = [clip for clip in clips if clip.features]
    result: dict[str, tuple[float, int] | str] = {}
    for name, kind in DISTANCES.items():
        sides = []
        for side in ("made", "truth"):
            rows = [clip.features[f"{side}_{kind}"] for clip in clips if len(clip.features[f"{side}_{kind}"])]
            if sum(len(row) for row in rows) < 2:
                break
            moments = Moments(rows[0].shape[1])
            for row in rows:
                moments.add(row)
            sides.append(moments)
        if len(sides) < 2:
            result[name] = "too few samples of drawn actors"
        else:
            result[name] = (frechet_distance(*sides), sides[0].count)
    return result


def save_scored(path: Path, scored: ScoredClip) -> None:
    """Writes one file, atomically; what was not a number in a series comes back as not a number."""
    own = {f.name: getattr(scored.scores, f.name) for f in fields(ClipScores) if f.name not in ("strip", "series")}
    tensors = {f"feature.{name}": value for name, value in scored.features.items()}
    tensors |= {f"series.{name}": torch.tensor(value) for name, value in scored.scores.series.items()}
    if scored.scores.strip is not None:
        tensors["strip"] = scored.scores.strip
    part = path.with_suffix(".part")
    save_file(
        {name: value.contiguous().clone() for name, value in tensors.items()}, part, metadata={"scores": json.dumps(own)}
    )
    part.rename(path)


def load_scored(path: Path) -> ScoredClip | None:
    """Reads what `save_scored` wrote; None where it is not there or damaged."""
    try:
        with safe_open(path, "pt") as stored:
            own = json.loads(stored.metadata()["scores"])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (it is no dictionary)
    except (OSError, KeyError, ValueError, TypeError, SafetensorError):
        return None
    series = {name.removeprefix("series."): value.tolist() for name, value in tensors.items() if name.startswith("series.")}
    features = {name.removeprefix("feature."): v for name, v in tensors.items() if name.startswith("feature.")}
    return ScoredClip(scores=ClipScores(**own, series=series, strip=tensors.get("strip")), features=features)
