"""ActorBench: one model and its baselines on the held-out sets, in parallel and resumable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from dreamactor.app.gallery import gallery_of
from dreamactor.data.actors import ACTOR_VERSION, EXPRESSION
from dreamactor.data.held_out import (
    BENCH_VERSION,
    NOT_YET,
    SIZE,
    CaseSpec,
    HeldOutCase,
    bench_specs,
    draw_case,
    draw_driver,
    draw_nearest,
)
from dreamactor.data.workers import in_parallel
from dreamactor.errors import DreamActorError
from dreamactor.evaluation.clip import Truth
from dreamactor.evaluation.judge import Judge, load_judge
from dreamactor.evaluation.metrics import METRICS, badness
from dreamactor.evaluation.scored import ScoredClip, frechet_of, load_scored, save_scored, score_video
from dreamactor.evaluation.scores import ClipScores, mean_interval, paired_interval
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.retarget import retarget
from dreamactor.guidance.textured_proxy import draw_proxy, prepare_proxy
from dreamactor.inference.animator import Animator
from dreamactor.inference.bundle import model_folder
from dreamactor.inference.request import AnimateRequest
from dreamactor.perception.build import build_estimator
from dreamactor.perception.cache import cache_folder
from dreamactor.perception.perceive import perceive_image, perceive_video
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.track import PersonTrack

METHODS: Final = ("model", "reference", "nearest_pose", "proxy", "no_motion", "truth")
"""The model; baselines: the reference repeated, the nearest frame of 24 others, the textured proxy alone, the model without
motion guidance and proxy. "truth" is the truth itself: what the judge reads there is the judge's own error."""
QUICK_NO_MOTION: Final = 8
"""The quick bench runs the model without motion on one case in this many."""
SCORING_VERSION: Final = 1
"""Raised whenever equal videos would get other scores."""


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    """What the bench found.

    Attributes:
        specs: the cases.
        clips: every case by every method.
    """

    specs: list[CaseSpec]
    clips: list[ScoredClip]


def bench_actors(
    model: str, *, quick: bool, limit: int | None, workers: int, report: Callable[[int, int], None]
) -> BenchResult:
    """Runs the bench.

    Args:
        model: name or folder.
        quick: the short form.
        limit: at most so many cases of each set; None: all.
        workers: processes, one thread each, so that their number changes no result.
        report: called with (done, total) cases.
    """
    specs = bench_specs(quick=quick)
    if limit is not None:
        seen: dict[str, int] = {}
        kept = []
        for spec in specs:
            seen[spec.set] = seen.get(spec.set, 0) + 1
            if seen[spec.set] <= limit:
                kept.append(spec)
        specs = kept
    wanted = {spec.name: _methods_of(index, quick=quick) for index, spec in enumerate(specs)}
    store = cache_folder() / "bench" / _store_key(model)
    store.mkdir(parents=True, exist_ok=True)
    report(0, len(specs))
    jobs = [_Job(model=model, spec=spec, methods=wanted[spec.name], store=store) for spec in specs]
    for done, _ in enumerate(in_parallel(_run_case, jobs, workers=workers), start=1):
        report(done, len(specs))
    clips = []
    for spec in specs:
        for method in wanted[spec.name]:
            scored = load_scored(_entry(store, spec, method))
            assert scored is not None, f"{spec.name} by {method} was scored and not stored"
            clips.append(scored)
    return BenchResult(specs=specs, clips=clips)


def _methods_of(index: int, *, quick: bool) -> tuple[str, ...]:
    if quick and index % QUICK_NO_MOTION:
        return tuple(method for method in METHODS if method != "no_motion")
    return METHODS


def _store_key(model: str) -> str:
    """Of everything a result depends on but the case."""
    digest = hashlib.sha256()
    for path in sorted(model_folder(model).iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    digest.update(f"{load_judge().sha256} {ACTOR_VERSION} {SCORING_VERSION}".encode())
    return digest.hexdigest()[:32]


def _entry(store: Path, spec: CaseSpec, method: str) -> Path:
    fixed = hashlib.sha256(json.dumps(asdict(spec), sort_keys=True).encode()).hexdigest()[:8]
    return store / f"{spec.name}-{fixed}-{method}.safetensors"


@lru_cache(maxsize=1)
def _animator(model: str) -> Animator:
    return Animator.from_pretrained(model)


@lru_cache(maxsize=1)
def _judge() -> Judge:
    return load_judge()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """One case for one worker."""

    model: str
    spec: CaseSpec
    methods: tuple[str, ...]
    store: Path


def _run_case(job: _Job) -> None:
    """Scores the methods of a case that are not in the store yet."""
    spec, store = job.spec, job.store
    missing = [method for method in job.methods if load_scored(_entry(store, spec, method)) is None]
    if not missing:
        return
    case, judge = draw_case(spec), _judge()
    truth = Truth(
        frames=case.truth, mask=case.mask, track=case.track, expression=case.expression, coefficients=EXPRESSION,
        actor=spec.character,
    )  # fmt: skip
    gallery = gallery_of(spec.character, spec.framing, judge)
    read = judge.read(truth.frames, case.track, maps=True)
    tags = {"set": spec.set, **spec.tags}
    about = {"area": case.area, "amplitude": case.amplitude}
    try:
        inputs = _inputs(case)
    except DreamActorError as error:  # perception found nobody: a result, not an accident
        for method in missing:
            failed = ClipScores(clip=spec.name, method=method, error=str(error), tags=tags)
            save_scored(_entry(store, spec, method), ScoredClip(scores=failed))
        return
    for method in missing:
        made = _make(method, _animator(job.model), case, inputs)
        scored = score_video(
            spec.name, method, made, truth, judge=judge, gallery=gallery, read_truth=read, tags=tags,
        )  # fmt: skip
        values = scored.scores.values | about
        save_scored(_entry(store, spec, method), replace(scored, scores=replace(scored.scores, values=values)))


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """What the methods are given: exact, or as perception sees it."""

    reference: ReferenceImage
    driving: PersonTrack

    @property
    def references(self) -> ReferenceSet:
        return ReferenceSet(images=(self.reference,), proportions=estimate_proportions([self.reference.person]))


def _inputs(case: HeldOutCase) -> _Inputs:
    if case.spec.set != "perceived":
        return _Inputs(reference=case.reference, driving=case.driving)
    image = case.reference.image
    with closing(build_estimator("mediapipe", static=True)) as estimator:
        person, mask = perceive_image(image, estimator=estimator, source="reference")
    frames = draw_driver(case.spec, size=2 * SIZE)
    times = case.driving.times
    with closing(build_estimator("mediapipe")) as estimator:
        driving = perceive_video(
            ((frame, int(pts)) for frame, pts in zip(frames, times.pts, strict=True)), time_base=times.time_base,
            estimator=estimator, source="driver", num_frames=len(frames), person=None, progress=lambda done, total: None,
        )  # fmt: skip
    return _Inputs(reference=ReferenceImage(image=image, person=person, mask=mask), driving=driving)


def _make(method: str, animator: Animator, case: HeldOutCase, given: _Inputs) -> Tensor:
    """What a method makes of a case: [T, H, W, 3] uint8 of the judged frames."""
    spec = case.spec
    nowhere = Path("held-out")
    match method:
        case "truth":
            return case.truth
        case "reference":
            return case.reference.image[None].expand(spec.num_frames, -1, -1, -1).contiguous()
        case "nearest_pose":
            return draw_nearest(spec)
        case "proxy":
            moved = retarget(given.driving, given.references)
            return draw_proxy(
                prepare_proxy(given.references, moved), moved[0 : spec.num_frames], width=spec.width, height=spec.height
            ).rgb
        case "no_motion":
            request = AnimateRequest(
                references=(nowhere,), driving=nowhere, seed=spec.seed, guidance_reference=1.0, guidance_motion=0.0,
                use_proxy=False,
            )  # fmt: skip
        case _:
            request = AnimateRequest(references=(nowhere,), driving=nowhere, seed=spec.seed)
    frames: list[Tensor] = []
    for clip in animator.animate_track(given.driving, given.references, request):
        frames += clip.frames
        if len(frames) >= spec.num_frames:  # the whole motion decides the placement, later frames need no drawing
            break
    return torch.stack(frames[: spec.num_frames])


def _slices(specs: Sequence[CaseSpec]) -> Iterator[tuple[str, set[str]]]:
    """Names of rows and the cases behind them: every set, and the larger sets by framing, proportions and style."""
    for name in dict.fromkeys(spec.set for spec in specs):
        members = [spec for spec in specs if spec.set == name]
        yield name, {spec.name for spec in members}
        if name in ("cross_identity", "sizes"):
            for tag in ("framing", "proportions", "style", "frames", "size"):
                for value in sorted({spec.tags[tag] for spec in members if tag in spec.tags}):
                    yield f"{name}/{value}", {spec.name for spec in members if spec.tags.get(tag) == value}


def bench_rows(result: BenchResult) -> list[dict[str, Any]]:
    """One row per set, method and metric, with a bootstrap interval over cases; the same for the Frechet distances, which
    have no interval ("ci95" is null there)."""
    rows: list[dict[str, Any]] = []
    for name, cases in _slices(result.specs):
        clips = [clip for clip in result.clips if clip.scores.clip in cases]
        for method in METHODS:
            mine = [clip for clip in clips if clip.scores.method == method]
            for metric in (*METRICS, "area", "amplitude"):
                if method == "truth" and metric.startswith(("psnr", "ssim")):
                    continue  # of a video with itself
                row = _row(metric, mine, [clip for clip in clips if clip.scores.method == "model"])
                if row is not None:
                    rows.append({"set": name, "method": method, "metric": metric, **row})
            if "/" not in name:
                for metric, value in frechet_of(mine).items():
                    if not isinstance(value, str):
                        about = {"set": name, "method": method, "metric": metric}
                        rows.append({**about, "value": value[0], "ci95": None, "n": value[1]})
    return rows


def _row(metric: str, mine: Sequence[ScoredClip], model: Sequence[ScoredClip]) -> dict[str, Any] | None:
    values = {clip.scores.clip: clip.scores.values[metric] for clip in mine if metric in clip.scores.values}
    interval = mean_interval(list(values.values()))
    if interval is None:
        return None
    row: dict[str, Any] = {"value": interval.value, "ci95": [interval.low, interval.high], "n": interval.n}
    if metric in METRICS and METRICS[metric].better != "none" and mine and mine[0].scores.method != "model":
        ours = {clip.scores.clip: clip.scores.values[metric] for clip in model if metric in clip.scores.values}
        both = [clip for clip in values if clip in ours]
        row["model_better"] = sum(badness(metric, ours[clip]) < badness(metric, values[clip]) for clip in both)
        apart = paired_interval([ours[clip] for clip in both], [values[clip] for clip in both])
        if apart is not None:
            row["model_minus_this"] = [apart.value, apart.low, apart.high]
    return row


def not_computed(*, quick: bool) -> dict[str, str]:
    """Sets without a number, and why."""
    left_out = {"long": "not part of --quick", "sizes": "not part of --quick"} if quick else {}
    return {**NOT_YET, **left_out}


BENCH_SETTINGS: Final = {
    "bench": f"ActorBench version {BENCH_VERSION}",
    "references": "one, and no pseudo references",
    "camera": "fixed",
    "tracks": "exact, but for the set `perceived`",
}
