"""Measures what more references are worth: one picture, pseudo references made from it, and true pictures of all sides, on
held-out characters who turn round twice (table 3 of the paper).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.data.turning import TurningCase, TurningSet, draw_turning
from dreamactor.evaluation.frame import masked_psnr, squared_error
from dreamactor.evaluation.judge import Judge, load_judge
from dreamactor.evaluation.scores import mean_interval, paired_interval
from dreamactor.evaluation.steadiness import flicker, sharpness, shimmer
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.view_picks import towards_camera
from dreamactor.inference.animator import Animator
from dreamactor.inference.reference_choice import with_images
from dreamactor.inference.request import AnimateRequest
from dreamactor.types.guidance import ReferenceSet
from dreamactor.video.image import write_image

SETS: Final[tuple[TurningSet, ...]] = ("full", "half")
METHODS: Final = ("single", "pseudo", "turn", "views", "truth")
"""One frontal picture; pseudo references in the driver's poses, or in a turn on the spot; true pictures of four sides;
"truth" is the truth itself, for `OF_TRUTH`."""
METRICS: Final = {
    "psnr_back": "dB, person, yaw beyond 90 degrees",
    "psnr_front": "dB, person, yaw up to 90 degrees",
    "change_back": "0..255, same pose one turn later, person, yaw beyond 90",
    "flicker": "0..255, change of the error from frame to frame; lower where details are missing than where they lie wrong",
    "shimmer": "0..255, change of a point of the person that is followed along the truth's motion",
    "sharpness": "slopes on the person relative to the truth's; tells whether a low flicker or shimmer is blur",
    "identity": "cosine of the judge's identity to the truth's, same frame",
}
OF_TRUTH: Final = ("change_back", "shimmer")
"""Scores that the truth itself has: what hangs and swings, and the error of the optical flow."""
BACK_RAD: Final = torch.pi / 2
SHEET_FRAMES: Final = 12

Row = dict[str, Any]
_NOWHERE: Final = Path("held-out")


def bench_references(
    model: str, *, cases: int, period: int, sets: Sequence[TurningSet], methods: Sequence[str], sheets: Path | None,
    report: Callable[[str, int, int], None],
) -> list[Row]:  # fmt: skip
    """Rows of every set, method and metric with intervals over characters, and of the paired difference to `single`.

    Args:
        model: name or folder.
        cases: characters of each set.
        period: frames of one turn.
        sets, methods: some of `SETS` and `METHODS`.
        sheets: folder for one picture per case, a method a row; None: none are drawn.
        report: called with (set, done, total) videos.
    """
    animator, judge = Animator.from_pretrained(model), load_judge()
    rows: list[Row] = []
    for which in sets:
        scores: dict[str, list[dict[str, float]]] = {method: [] for method in methods}
        total = cases * len(methods)
        report(which, 0, total)
        for index in range(cases):
            case = draw_turning(which, index, period=period)
            strips = []
            for number, method in enumerate(methods):
                made = _make(method, animator, case)
                scores[method].append(score_turning(made, case, judge))
                strips.append(_strip(made))
                report(which, index * len(methods) + number + 1, total)
            if sheets is not None:
                sheets.mkdir(parents=True, exist_ok=True)
                write_image(sheets / f"{case.name}.png", torch.cat([_strip(case.truth), *strips]))
        rows += _rows(which, scores)
    return rows


def _make(method: str, animator: Animator, case: TurningCase) -> Tensor:
    """What a method makes of a case: [T, H, W, 3] uint8."""
    if method == "truth":
        return case.truth
    proportions = estimate_proportions([case.pictures[0].person])
    references = ReferenceSet(images=case.pictures[:1], proportions=proportions)
    request = AnimateRequest(references=(_NOWHERE,), driving=_NOWHERE)
    if method == "views":
        references = replace(references, images=case.pictures)
    elif method != "single":
        request = replace(request, pseudo_references="turn" if method == "turn" else "driving")
        pseudo = animator.make_pseudo_references(case.driving, references, request)
        references = with_images(references, [one.image for one in pseudo])
    return torch.cat([clip.frames for clip in animator.animate_track(case.driving, references, request)])


def score_turning(made: Tensor, case: TurningCase, judge: Judge | None) -> dict[str, float]:
    """The metrics of one video [T, H, W, 3] uint8; identity only with a judge."""
    back = towards_camera(case.track.head.angles_rad[:, 0]).abs() > BACK_RAD
    error, first, second = squared_error(made, case.truth), slice(0, case.period), slice(case.period, 2 * case.period)
    both = (case.mask[first] > 127) & (case.mask[second] > 127) & (back[first] & back[second])[:, None, None]
    change = (made[first].float() - made[second].float()).abs().mean(dim=-1)
    found = {
        "psnr_back": masked_psnr(error[back], case.mask[back]),
        "psnr_front": masked_psnr(error[~back], case.mask[~back]),
        "change_back": float(change[both].mean(dtype=torch.float64)),
        "flicker": flicker(made, case.truth, case.mask),
        "shimmer": shimmer(made, case.truth, case.mask),
        "sharpness": sharpness(made, case.truth, case.mask),
    }
    if judge is not None:
        read = [judge.read(frames, case.track).who for frames in (made, case.truth)]
        found["identity"] = float(F.cosine_similarity(read[0], read[1], dim=-1).mean())
    return found


def _rows(which: str, scores: dict[str, list[dict[str, float]]]) -> list[Row]:
    rows = []
    for method, found in scores.items():
        for metric in METRICS:
            values = [one[metric] for one in found]
            interval = mean_interval(values)
            if interval is None or (method == "truth" and metric not in OF_TRUTH):
                continue  # of a video with itself
            row: Row = {
                "set": which, "method": method, "metric": metric, "value": interval.value,
                "ci95": [interval.low, interval.high], "n": interval.n,
            }  # fmt: skip
            if method not in ("single", "truth") and "single" in scores:
                apart = paired_interval(values, [one[metric] for one in scores["single"]])
                if apart is not None:
                    row["minus_single"] = [apart.value, apart.low, apart.high]
            rows.append(row)
    return rows


def reference_table(rows: Sequence[Row]) -> str:
    """The rows for people."""
    lines = [f"{'set':5} {'method':7} {'metric':12} {'value':>8}  {'95 % interval':19} {'minus single (95 %)'}"]
    for row in rows:
        low, high = row["ci95"]
        line = f"{row['set']:5} {row['method']:7} {row['metric']:12} {row['value']:8.3f}  [{low:8.3f} {high:8.3f}]"
        if "minus_single" in row:
            value, low, high = row["minus_single"]
            line += f"  {value:+7.3f} [{low:+.3f} {high:+.3f}]"
        lines.append(line)
    return "\n".join(lines)


def _strip(frames: Tensor) -> Tensor:
    """[H, W times twelve, 3] moments evenly over a video."""
    moments = torch.linspace(0, len(frames) - 1, SHEET_FRAMES).round().long().tolist()
    return torch.cat([frames[moment] for moment in moments], dim=1)
