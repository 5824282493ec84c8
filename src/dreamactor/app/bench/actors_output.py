"""ActorBench's table, JSON and page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import typer
from torch import Tensor

from dreamactor.app.bench.actors import BENCH_SETTINGS, METHODS, BenchResult, bench_rows, not_computed
from dreamactor.app.bench.partial import PARTIAL_METRICS
from dreamactor.app.evaluate import judge_distances
from dreamactor.app.scores import write_scores
from dreamactor.evaluation.judge import load_judge
from dreamactor.evaluation.metrics import METRICS
from dreamactor.evaluation.report import write_report
from dreamactor.evaluation.scored import STRIP_HEIGHT, STRIP_MOMENTS
from dreamactor.video.compose import contact_sheet
from dreamactor.video.image import write_image

PRINTED: Final = (
    "psnr_person", "ssim_person", "psnr_head", "psnr_hands", "actor_perceptual", "joint_error_body", "head_yaw_error",
    "expression_error", "identity_rank1", "sharpness_person", "flicker_person", "background_change",
)  # fmt: skip


SHEET_CASES: Final = 12
"""Cases of the cross-identity set on a contact sheet."""


def show_bench(
    result: BenchResult, *, model: str, quick: bool, json_file: Path | None, html: Path | None, sheet: Path | None
) -> None:
    """Prints the main numbers of every set and writes the files that were asked for."""
    rows = bench_rows(result)
    typer.echo(_table(rows))
    for name, reason in not_computed(quick=quick).items():
        typer.echo(f"{name}: not computed ({reason})")
    for clip in result.clips:
        if clip.scores.error is not None and clip.scores.method == "model":
            typer.echo(f"{clip.scores.clip}: not scored ({clip.scores.error})")
    judge = load_judge()
    if json_file is not None:
        write_scores(
            json_file, rows, model=model, quick=quick, judge_sha256=judge.sha256, not_computed=not_computed(quick=quick),
            **BENCH_SETTINGS,
        )  # fmt: skip
        typer.echo(str(json_file))
    if html is not None:
        _write_page(result, html, model=model, quick=quick)
        typer.echo(str(html))
    if sheet is not None:
        write_image(sheet, bench_sheet(result))
        typer.echo(str(sheet))


def bench_sheet(result: BenchResult) -> Tensor:
    """Reference, proxy, output and truth of the first cross-identity cases, at two moments: [H, W, 3] uint8."""
    strips = {
        (clip.scores.clip, clip.scores.method): clip.scores.strip for clip in result.clips if clip.scores.strip is not None
    }

    def cell(case: str, method: str, moment: int, *, truth: bool = False) -> Tensor:
        strip = strips[case, method]
        width = strip.shape[1] // STRIP_MOMENTS
        rows = slice(0, STRIP_HEIGHT) if truth else slice(STRIP_HEIGHT, None)
        return strip[rows, moment * width : (moment + 1) * width]

    rows = []
    for spec in [spec for spec in result.specs if spec.set == "cross_identity"][:SHEET_CASES]:
        row = [cell(spec.name, "reference", 0)]
        for moment in (1, 4):
            row += [cell(spec.name, "proxy", moment), cell(spec.name, "model", moment)]
            row.append(cell(spec.name, "model", moment, truth=True))
        rows.append(row)
    return contact_sheet(rows, titles=["reference", *["proxy", "output", "truth"] * 2])


def _table(rows: list[dict[str, Any]]) -> str:
    """Sets below each other, methods as columns."""
    found = {(row["set"], row["method"], row["metric"]): row for row in rows}
    lines = []
    for name in dict.fromkeys(row["set"] for row in rows):
        area, moved = (found.get((name, "model", metric)) for metric in ("area", "amplitude"))
        about = (
            ""
            if not (area and moved)
            else f"  (person {area['value']:.0%} of the picture, motion {moved['value']:.2f} torsos)"
        )
        cases = max(row["n"] for row in rows if row["set"] == name and row["ci95"] is not None)
        lines += ["", f"{name}: {cases} cases{about}", " " * 34 + "".join(f"{method:>14}" for method in METHODS)]
        for metric in (*PRINTED, *PARTIAL_METRICS, "actor_frechet_image", "actor_frechet_video"):
            cells = [found.get((name, method, metric)) for method in METHODS]
            if any(cells):
                known = METRICS.get(metric) or PARTIAL_METRICS.get(metric)
                label = f"{known.label} [{known.unit}]" if known and known.unit else known.label if known else metric
                lines.append(f"  {label:32}" + "".join(f"{row['value']:14.3f}" if row else f"{'-':>14}" for row in cells))
    return "\n".join(lines)


def _write_page(result: BenchResult, html: Path, *, model: str, quick: bool) -> None:
    """The page leaves out the truth scored against itself: it would be the best of all methods."""
    judge = load_judge()
    methods = [method for method in METHODS if method != "truth"]
    why = {"lpips": "the bench asks no fetched network; use `bench export` and `evaluate`"}
    scores = [
        replace(clip.scores, missing=clip.scores.missing | why) for clip in result.clips if clip.scores.method in methods
    ]
    distances = [
        one
        for method in methods
        for one in judge_distances(method, [clip for clip in result.clips if clip.scores.method == method], judge)
    ]
    notes = [f"{name}: not computed ({reason})" for name, reason in not_computed(quick=quick).items()]
    write_report(
        html, scores, metrics=METRICS, distributions=distances,
        settings={**BENCH_SETTINGS, "model": model, "judge": f"SHA-256 {judge.sha256}"}, notes=notes,
        title="ActorBench, quick" if quick else "ActorBench",
    )  # fmt: skip
