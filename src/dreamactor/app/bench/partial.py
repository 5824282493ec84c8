"""What changing the source of one part changes: partial transfer beside the same cases with one driver for everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch

from dreamactor.data.held_out import CaseSpec, Part
from dreamactor.evaluation.scored import ScoredClip
from dreamactor.evaluation.scores import Interval, Metric, mean_interval, paired_interval

UNTOUCHED: Final[dict[Part, tuple[str, ...]]] = {
    "face": ("joint_error_body", "joint_error_hands", "head_yaw_error", "head_angle_error"),
    "head": ("joint_error_body", "joint_error_hands", "expression_error", "lid_error"),
    "body": ("head_angle_error", "expression_error", "lid_error"),
}
"""Part that comes from somebody else -> errors that should stay as they are when one driver gives everything."""
PARTIAL_METRICS: Final = {
    "head_yaw_change": Metric(label="head yaw, changed by", unit="degrees", better="lower"),
    **{
        f"{metric}_change": Metric(label=f"{metric.replace('_', ' ')}, changed by", unit="%", better="lower")
        for metric in dict.fromkeys(metric for metrics in UNTOUCHED.values() for metric in metrics)
    },
}
"""In the order of reports."""


def partial_rows(specs: Sequence[CaseSpec], clips: Sequence[ScoredClip], methods: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of the sets `partial/PART`, over the cases whose undivided one was run as well.

    `head_yaw_change` (of `partial/face`) is the mean change over frames of the head's yaw as the judge reads it, in degrees.
    The change of an error is that of its mean over cases, in percent of the mean with one driver for everything.
    """
    found = {(clip.scores.clip, clip.scores.method): clip for clip in clips if clip.scores.error is None}
    rows = []
    for part, metrics in UNTOUCHED.items():
        for method in methods:
            pairs = [
                (found[spec.name, method], found[spec.undivided, method])
                for spec in specs
                if spec.part == part and (spec.name, method) in found and (spec.undivided, method) in found
            ]
            changes = {f"{metric}_change": _change(metric, pairs) for metric in metrics}
            if part == "face":
                changes["head_yaw_change"] = mean_interval([_yaw_change_deg(*pair) for pair in pairs])
            rows += [
                {
                    "set": f"partial/{part}", "method": method, "metric": metric, "value": change.value,
                    "ci95": [change.low, change.high], "n": change.n,
                }
                for metric, change in changes.items()
                if change is not None
            ]  # fmt: skip
    return rows


def _change(metric: str, pairs: Sequence[tuple[ScoredClip, ScoredClip]]) -> Interval | None:
    both = [
        (one.scores.values[metric], other.scores.values[metric])
        for one, other in pairs
        if metric in one.scores.values and metric in other.scores.values
    ]
    apart = paired_interval([one for one, _ in both], [other for _, other in both])
    if apart is None:
        return None
    percent = 100 * len(both) / sum(other for _, other in both)
    return Interval(value=apart.value * percent, low=apart.low * percent, high=apart.high * percent, n=apart.n)


def _yaw_change_deg(one: ScoredClip, other: ScoredClip) -> float:
    turn = torch.rad2deg(one.features["made_angles"][:, 0] - other.features["made_angles"][:, 0])
    return float(((turn + 180) % 360 - 180).abs().mean())
