"""The ablations: trains and measures both sides of every comparison on equal budgets, and says which one is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dreamactor.errors import DreamActorError
from dreamactor.evaluation.metrics import METRICS as KNOWN
from dreamactor.evaluation.metrics import badness
from dreamactor.evaluation.scores import Interval, mean_interval, paired_interval
from dreamactor.recipes.ablations.measure import METRICS
from dreamactor.recipes.ablations.run import AblationRun
from dreamactor.recipes.ablations.variants import Comparison, budget_of, choose_comparisons

FEWEST_PAIRS: Final = 6
"""Fewer pairs of (seed, case) decide nothing."""

Scores = dict[tuple[int, str], dict[str, float]]
"""(seed, case) -> metric -> number."""


@dataclass(frozen=True, kw_only=True)
class AblationResult:
    """What the runner found.

    Attributes:
        rows: one per side and metric ("set" is the comparison, "method" the side), then one per comparison and metric with
            the difference A - B and the verdict.
        not_run: comparison -> why.
    """

    rows: list[dict[str, Any]]
    not_run: dict[str, str]


def bench_ablations(
    output: Path, *, only: Sequence[str] = (), preset: str, seeds: int, report: Callable[[str, int, int], None]
) -> AblationResult:
    """Runs the comparisons; what an earlier call in the same folder finished is not done again.

    Args:
        output: folder of the run.
        only: names of comparisons; none: all.
        preset: how much of everything, "tiny" or "actor".
        seeds: trainings of every side.
        report: called with (stage, done, total).

    Raises:
        ConfigError: an unknown name or preset, or a folder of another run.
    """
    chosen = choose_comparisons(only)
    run = AblationRun(output, budget_of(preset), report)
    total = len(chosen) * 2 * seeds * run.budget.cases
    rows: list[dict[str, Any]] = []
    not_run: dict[str, str] = {}
    for index, comparison in enumerate(chosen):
        done = index * 2 * seeds * run.budget.cases

        def scored() -> None:
            nonlocal done
            done += 1
            report("cases", done, total)

        report("cases", done, total)
        try:
            sides = [
                {
                    (seed, case): values
                    for seed in range(seeds)
                    for case, values in run.scores(side.variant, seed, comparison.cases, scored).items()
                }
                for side in comparison.sides
            ]
        except DreamActorError as error:
            not_run[comparison.name] = str(error)
            continue
        for seed in range(seeds):
            a, b = (run.trained(side.variant, seed) for side in comparison.sides)
            assert a == b, f"the sides of {comparison.name} were not trained alike: {a} and {b}"
        rows += comparison_rows(comparison, sides[0], sides[1])
    return AblationResult(
        rows=[row for row in rows if "set" in row] + [row for row in rows if "set" not in row], not_run=not_run
    )


def comparison_rows(comparison: Comparison, a: Scores, b: Scores) -> list[dict[str, Any]]:
    """Rows of one comparison from the scores of both sides."""
    rows: list[dict[str, Any]] = []
    for side, scores in zip(comparison.sides, (a, b), strict=True):
        for metric in METRICS:
            interval = mean_interval([values[metric] for values in scores.values() if metric in values])
            if interval is not None:
                about = {"set": comparison.name, "method": side.name, "metric": metric}
                rows.append({**about, "value": interval.value, "ci95": [interval.low, interval.high], "n": interval.n})
    for metric in METRICS:
        pairs = [key for key in a if metric in a[key] and metric in b.get(key, {})]
        apart = paired_interval([a[key][metric] for key in pairs], [b[key][metric] for key in pairs])
        if apart is not None:
            rows.append({
                "comparison": comparison.name, "after": comparison.after, "metric": metric,
                "a": comparison.a.name, "b": comparison.b.name,
                "difference": apart.value, "ci95": [apart.low, apart.high], "n": apart.n, "verdict": verdict(metric, apart),
            })  # fmt: skip
    return rows


def verdict(metric: str, apart: Interval) -> str:
    """ "A better", "B better", or "inconclusive" where the interval of A - B holds 0 or too few pairs were had."""
    if apart.n < FEWEST_PAIRS or apart.low <= 0 <= apart.high:
        return "inconclusive"
    return "A better" if badness(metric, apart.value) < 0 else "B better"


def ablation_table(result: AblationResult) -> str:
    """The comparisons below each other, metrics as rows."""
    lines: list[str] = []
    means = {(row["set"], row["method"], row["metric"]): row["value"] for row in result.rows if "set" in row}
    previous = None
    for row in (row for row in result.rows if "set" not in row):
        name, metric = row["comparison"], row["metric"]
        if name != previous:
            lines += ["", f"{name} ({row['after']}): A = {row['a']}, B = {row['b']}"]
            lines.append(f"  {'':18}{'A':>10}{'B':>10}{'A - B':>10}{'95 % interval':>22}{'pairs':>7}  verdict")
            previous = name
        label = " ".join(part for part in (KNOWN[metric].label, KNOWN[metric].unit) if part)
        low, high = row["ci95"]
        lines.append(
            f"  {label:18}{means[name, row['a'], metric]:10.3f}{means[name, row['b'], metric]:10.3f}"
            f"{row['difference']:+10.3f}{f'{low:+.3f} to {high:+.3f}':>22}{row['n']:7}  {row['verdict']}"
        )
    return "\n".join([*lines, *(f"{name}: not run ({reason})" for name, reason in result.not_run.items())])
