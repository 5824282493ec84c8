"""Measures a model on held-out actors, beside three baselines: the first ruler, before ActorBench."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors import FIRST_HELD_OUT_SEED
from dreamactor.data.held_out import HeldOutCase, draw_case
from dreamactor.evaluation.clip import HIGHER_IS_BETTER, score_clip
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.guidance.retarget import retarget
from dreamactor.guidance.textured_proxy import draw_proxy, prepare_proxy
from dreamactor.inference.animator import Animator
from dreamactor.inference.request import AnimateRequest
from dreamactor.types.guidance import ReferenceSet
from dreamactor.video.compose import contact_sheet
from dreamactor.video.image import write_image

METHODS = ("model", "reference", "proxy", "no_motion")


def _methods(animator: Animator, case: HeldOutCase, size: int) -> dict[str, Tensor]:
    """What every method makes of a case: [T, H, W, 3] uint8 of the judged frames."""
    references = ReferenceSet(images=(case.reference,), proportions=estimate_proportions([case.reference.person]))
    nowhere = Path("held-out")
    request = AnimateRequest(references=(nowhere,), driving=nowhere, seed=case.seed)
    still = AnimateRequest(
        references=(nowhere,),
        driving=nowhere,
        seed=case.seed,
        guidance_reference=1.0,
        guidance_motion=0.0,
        use_proxy=False,
    )
    track = retarget(case.driving, references)
    proxy = draw_proxy(prepare_proxy(references), track[case.judged], width=size, height=size)
    count = case.truth.shape[0]

    def judged(made: AnimateRequest) -> Tensor:
        frames: list[Tensor] = []
        for clip in animator.animate_track(case.driving, references, made):
            frames += clip.frames
            if len(frames) >= case.judged.stop:  # the whole motion decides the placement, later frames need no drawing
                break
        return torch.stack(frames[case.judged])

    return {
        "model": judged(request),
        "reference": case.reference.image[None].expand(count, -1, -1, -1),
        "proxy": proxy.rgb,
        "no_motion": judged(still),
    }


def bench_actors(
    animator: Animator, *, num_cases: int, size: int, sheet: Path | None, report: Callable[[int, int], None]
) -> list[dict[str, Any]]:
    """Rows of scores: one per method and metric, with a bootstrap interval over cases.

    Args:
        animator: the model.
        num_cases: consecutive held-out seeds.
        size: width and height in pixels.
        sheet: picture to write: reference, then truth, skeleton and sphere, proxy, model of the middle frame, per case.
        report: called with (done, total).
    """
    scores: dict[str, list[dict[str, float]]] = {method: [] for method in METHODS}
    rows_of_sheet = []
    for index in range(num_cases):
        case = draw_case(FIRST_HELD_OUT_SEED + index, size=size)
        made = _methods(animator, case, size)
        for method, frames in made.items():
            scores[method].append(score_clip(frames, case.truth, case.mask))
        middle = case.truth.shape[0] // 2
        references = ReferenceSet(images=(case.reference,), proportions=estimate_proportions([case.reference.person]))
        track = retarget(case.driving, references)[case.judged][middle : middle + 1]
        maps = draw_pose_maps(track, width=size, height=size)
        controls = torch.maximum(maps.body_skeleton[0], maps.head_sphere[0])
        rows_of_sheet.append(
            [case.reference.image, controls, made["proxy"][middle], made["model"][middle], case.truth[middle]]
        )
        report(index + 1, num_cases)
    if sheet is not None:
        titles = ["reference", "controls", "proxy", "output", "truth"]
        write_image(sheet, contact_sheet(rows_of_sheet, titles=titles))
    return _rows(scores)


def _rows(scores: dict[str, list[dict[str, float]]]) -> list[dict[str, Any]]:
    rng = np.random.Generator(np.random.PCG64(0))
    rows: list[dict[str, Any]] = []
    for method, cases in scores.items():
        for metric, higher in HIGHER_IS_BETTER.items():
            values = np.array([case.get(metric, np.nan) for case in cases])
            known = values[~np.isnan(values)]
            if not len(known):
                continue
            draws = known[rng.integers(0, len(known), size=(2000, len(known)))].mean(axis=1)
            row: dict[str, Any] = {
                "set": "cross_identity",
                "method": method,
                "metric": metric,
                "value": float(known.mean()),
                "ci95": [float(np.percentile(draws, 2.5)), float(np.percentile(draws, 97.5))],
                "n": len(known),
            }
            if method != "model" and higher is not None:
                model = np.array([case.get(metric, np.nan) for case in scores["model"]])
                row["model_better"] = int((model > values if higher else model < values).sum())
            rows.append(row)
    return rows
