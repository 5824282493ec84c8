"""Measures speed and memory: drawing of actors, stages of the road, length of the video, references, and diffusers'
transformers beside ours.

Every stage is timed around the `Animator`'s own methods, on drawn actors. Cores are often shared, so a time is the fastest
of its repeats, and what is compared takes turns.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any, Final, get_args

import torch
from torch import Tensor

from dreamactor.app.bench.speed_actors import actor_rows
from dreamactor.app.bench.speed_meter import (
    PeakMemory,
    Row,
    Totals,
    count_gflop,
    gflops,
    machine_facts,
    matmul_gflops,
    measured,
    not_measured,
    race,
    seconds,
)
from dreamactor.app.bench.speed_peers import peer_rows
from dreamactor.app.bench.speed_scene import (
    DRIVER_SEED,
    MAX_REFERENCES,
    ForwardCase,
    Mode,
    Scene,
    draw_scene,
    ready,
    with_mode,
)
from dreamactor.app.film import film_actor
from dreamactor.errors import ConfigError, DreamActorError
from dreamactor.flow.guidance import Guidance
from dreamactor.inference.animator import Animator
from dreamactor.inference.bundle import ModelBundle
from dreamactor.inference.request import AnimateRequest
from dreamactor.inference.segments import plan_segments
from dreamactor.models.caches import DriveCache, ReferenceCache
from dreamactor.perception.build import build_estimator
from dreamactor.perception.perceive import perceive_video
from dreamactor.types.guidance import MotionGuidance
from dreamactor.video.reader import VideoReader
from dreamactor.video.writer import VideoWriter

PARTS: Final = ("actors", "perceive", "stages", "lengths", "networks")
"""What can be measured by itself."""
LENGTHS: Final = (25, 73, 145, 365, 730)
"""Frames of the videos whose time and memory are compared; 73 is the paper's segment, 730 about half a minute."""
LENGTH_METRICS: Final = ("seconds_per_frame", "cpu_seconds_per_frame", "peak_rss_mb", "median_peak_rss_mb")
"""The CPU's seconds, of all threads, do not count the times when others had the cores. Every segment has a peak of memory:
their highest rises with their number by chance alone, as the allocator's leftovers vary; their median does not."""
FILM_PX, FILM_S = 512, 1.0
NETWORK_STAGES: Final = ("prepare_references", "prepare_drive", "step", "decode")
STAGES: Final = ("guidance", *NETWORK_STAGES, "write", "other")
ONCE: Final = ("prepare_references", "other")
"""Stages that happen once per video; the others grow with its frames."""

NOTES: Final = {
    "guidance": "skeleton, sphere, proxy",
    "prepare_references": "1 reference",
    "prepare_drive": "encoding of the guidance",
    "step": "denoising",
    "decode": "VAE and proxy-aware decoder",
    "write": "H.264",
    "other": "retargeting, textures of the proxy",
}
LAPS: Final = 5
"""A single forward is short: it is measured so many times for each repeat."""

Span = Callable[[Totals, str], AbstractContextManager[None]]
Report = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedOptions:
    """What is measured how often.

    Attributes:
        max_frames: longest video.
        repeats: of every time but those of whole lengths.
        only: some of `PARTS`; empty for all.
    """

    max_frames: int
    repeats: int
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = sorted(set(self.only) - set(PARTS))
        if unknown:
            raise ConfigError(f"Unknown part '{unknown[0]}' of the speed bench. Known: {', '.join(PARTS)}.")


class MeteredAnimator(Animator):
    """An `Animator` with a meter around its stages; it does nothing of its own."""

    def __init__(self, bundle: ModelBundle, span: Span) -> None:
        super().__init__(bundle)
        self._span = span
        self.totals: Totals = {}

    def stage(self, name: str) -> AbstractContextManager[None]:
        """What runs inside counts for this stage."""
        return self._span(self.totals, name)

    def prepare_references(self, *args: Any, **kwargs: Any) -> ReferenceCache:
        with self.stage("prepare_references"):
            return super().prepare_references(*args, **kwargs)

    def prepare_drive(self, *args: Any, **kwargs: Any) -> DriveCache:
        with self.stage("prepare_drive"):
            return super().prepare_drive(*args, **kwargs)

    def _draw(self, *args: Any, **kwargs: Any) -> MotionGuidance:
        with self.stage("guidance"):
            return super()._draw(*args, **kwargs)

    def _denoise(self, *args: Any, **kwargs: Any) -> Tensor:
        with self.stage("step"):
            return super()._denoise(*args, **kwargs)

    def _decode(self, *args: Any, **kwargs: Any) -> Tensor:
        with self.stage("decode"):
            return super()._decode(*args, **kwargs)


@torch.no_grad()
def bench_speed(bundle: ModelBundle, options: SpeedOptions, report: Report) -> tuple[list[Row], dict[str, Any]]:
    """Rows of times, memory and FLOPs, and the facts of the machine.

    Args:
        bundle: the model.
        options: how much is measured.
        report: called with (what, done, total).
    """
    wanted = set(options.only or PARTS)
    rates = [matmul_gflops()]
    rows: list[Row] = []
    if "actors" in wanted:
        rows += actor_rows(options.repeats, report)
    if "perceive" in wanted:
        rows += perceive_rows(options, report)
    if wanted & {"stages", "lengths", "networks"}:
        scene = draw_scene(bundle, options.max_frames)
        if "stages" in wanted:
            counts, runs = run_stages(bundle, scene, options, report)
            rates.append(matmul_gflops())
            rows += stage_rows(bundle, options, counts, runs, matmul_rate=max(rates))
        if "lengths" in wanted:
            rows += length_rows(bundle, scene, options, report)
        if "networks" in wanted:
            rows += network_rows(bundle, scene, options, report)
    return rows, {**machine_facts(), "matmul_gflops": max(rates)}


# ---- stages


def perceive_rows(options: SpeedOptions, report: Report) -> list[Row]:
    """Time and memory of the ordinary perception of a film, decoding included."""
    try:
        with tempfile.TemporaryDirectory() as folder, closing(build_estimator()) as estimator:
            film = Path(folder) / "film.mp4"
            count = film_actor(film, seed=DRIVER_SEED, seconds=FILM_S, framing="full", size=FILM_PX, kind="dance")

            def perceive() -> None:
                with VideoReader(film) as reader:
                    frames = ((frame.image, frame.pts) for frame in reader)
                    perceive_video(frames, time_base=Fraction(reader.time_base), estimator=estimator)

            report("perceive", 0, 1)
            with PeakMemory() as memory:
                fastest = race({"perceive": perceive}, repeats=options.repeats)["perceive"]
            report("perceive", 1, 1)
    except DreamActorError as error:
        return [not_measured("stage", "perceive", metric, str(error)) for metric in ("seconds_per_frame", "peak_rss_mb")]
    note = f"{estimator.name}, {count} frames of {FILM_PX}x{FILM_PX}"
    return [
        measured("stage", "perceive", "seconds_per_frame", fastest / count, n=options.repeats, note=note),
        measured("stage", "perceive", "peak_rss_mb", memory.mb, n=1),
    ]


def stage_frames(bundle: ModelBundle, options: SpeedOptions) -> int:
    """Frames of two segments, so that a handed-over latent is among them, but no more than allowed."""
    return min(2 * bundle.defaults.segment_frames - 1, options.max_frames)


def run_stages(bundle: ModelBundle, scene: Scene, options: SpeedOptions, report: Report) -> tuple[Totals, list[Totals]]:
    """GFLOP per stage of one video, and in `options.repeats` further runs the seconds and the memory's peak ("peak_mb")."""
    frames = stage_frames(bundle, options)
    counting = MeteredAnimator(bundle, gflops)
    report("stages", 0, options.repeats + 1)
    animate(counting, scene, frames)
    runs = []
    for done in range(options.repeats):
        report("stages", done + 1, options.repeats + 1)
        runs.append(run_once(bundle, scene, frames))
    report("stages", options.repeats + 1, options.repeats + 1)
    return counting.totals, runs


def run_once(bundle: ModelBundle, scene: Scene, num_frames: int) -> Totals:
    """What one video takes: seconds per stage, "whole", "other" (what no stage accounts for) and "cpu"; "peak_mb" of memory
    and the middle one of its segments' peaks, "segment_mb"."""
    animator = MeteredAnimator(bundle, seconds)
    whole: Totals = {}
    before_s = time.process_time()
    with PeakMemory() as memory, seconds(whole, "whole"):
        animate(animator, scene, num_frames, shown=memory.lap)
    cpu_s = time.process_time() - before_s
    other_s = whole["whole"] - sum(animator.totals.values())
    memory_mb = {"peak_mb": memory.mb, "segment_mb": median(memory.laps_mb)}
    return {**animator.totals, **whole, "other": other_s, "cpu": cpu_s, **memory_mb}


def animate(animator: MeteredAnimator, scene: Scene, num_frames: int, shown: Callable[[], None] = lambda: None) -> None:
    """Everything after perception: the first frames of the motion to a file; `shown` is called after every segment."""
    references, driving = scene.references(), scene.driving[:num_frames]
    nowhere = Path("drawn")
    request = AnimateRequest(references=(nowhere,), driving=nowhere)
    width, height = references.canvas
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        path = Path(folder) / "animation.mp4"
        writer = stack.enter_context(VideoWriter(path, width=width, height=height, times=driving.times))
        for clip in animator.animate_track(driving, references, request):
            with animator.stage("write"):
                writer.write(clip.frames)
            shown()
        with animator.stage("write"):
            stack.close()


def stage_rows(
    bundle: ModelBundle, options: SpeedOptions, counts: Totals, runs: list[Totals], *, matmul_rate: float
) -> list[Row]:
    """Rows of all stages after perception.

    Args:
        bundle: the model.
        options: what was asked for.
        counts: GFLOP per stage.
        runs: seconds per stage of every run.
        matmul_rate: GFLOP/s of a plain matrix product.
    """
    frames, n = stage_frames(bundle, options), len(runs)
    fastest = {name: min(run[name] for run in runs) for name in runs[0]}
    rows: list[Row] = []
    for stage in STAGES:
        unit, share = ("video", 1) if stage in ONCE else ("frame", frames)
        rows.append(measured("stage", stage, f"seconds_per_{unit}", fastest[stage] / share, n=n, note=NOTES[stage]))
        if stage in NETWORK_STAGES:
            used = counts[stage] / fastest[stage] / matmul_rate
            rows.append(measured("stage", stage, f"gflop_per_{unit}", counts[stage] / share, n=1))
            rows.append(measured("stage", stage, "share_of_matmul_rate", used, n=n))
    steps = bundle.defaults.steps * len(plan_segments(frames, bundle.defaults.segment_frames, bundle.grid))
    scales = Guidance(reference=bundle.defaults.guidance_reference, motion=bundle.defaults.guidance_motion)
    note = f"{steps} steps of {_count(len(scales.weights), 'forward')}"
    rows.append(measured("stage", "step", "seconds_per_step", fastest["step"] / steps, n=n, note=note))
    rows.append(measured("stage", "whole", "seconds_per_frame", fastest["whole"] / frames, n=n, note=f"{frames} frames"))
    rows.append(measured("stage", "whole", "peak_rss_mb", max(run["peak_mb"] for run in runs), n=n))
    return rows


def length_rows(bundle: ModelBundle, scene: Scene, options: SpeedOptions, report: Report) -> list[Row]:
    """Time and memory of ever longer videos."""
    chosen = [length for length in LENGTHS if length <= options.max_frames]
    rows: list[Row] = []
    for length in LENGTHS:
        name = f"{length} frames"
        if length not in chosen:
            why = f"longer than --frames {options.max_frames}"
            rows += [not_measured("length", name, metric, why) for metric in LENGTH_METRICS]
            continue
        report("lengths", sum(chosen[: chosen.index(length)]), sum(chosen))
        run = run_once(bundle, scene, length)
        values = (run["whole"] / length, run["cpu"] / length, run["peak_mb"], run["segment_mb"])
        rows += [measured("length", name, *found, n=1) for found in zip(LENGTH_METRICS, values, strict=True)]
    report("lengths", sum(chosen), sum(chosen))
    return rows


# ---- networks


def network_rows(bundle: ModelBundle, scene: Scene, options: SpeedOptions, report: Report) -> list[Row]:
    """Number of references, both reference modes, and diffusers' transformers: one forward on a whole segment each."""
    laps = LAPS * options.repeats
    few, many = 1, MAX_REFERENCES
    report("networks", 0, 3)
    counted = {_count(count, "reference"): ready(bundle, scene, count) for count in range(few, many + 1)}
    rows = case_rows("references", counted, laps)
    report("networks", 1, 3)
    modes = {mode: with_mode(bundle, mode) for mode in get_args(Mode)}
    cases = {
        f"{mode}, {_count(count, 'reference')}": ready(modified, scene, count)
        for count in (few, many)
        for mode, modified in modes.items()
    }
    rows += case_rows("reference_mode", cases, laps)
    report("networks", 2, 3)
    own = counted[_count(few, "reference")]
    rows += peer_rows(
        bundle.dit,
        bundle.dit_config,
        own.forward,
        own.noisy,
        reference_tokens=own.cache.tokens.shape[1],
        repeats=laps,
    )
    report("networks", 3, 3)
    return rows


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}"


def case_rows(kind: str, cases: dict[str, ForwardCase], laps: int) -> list[Row]:
    """Rows of a forward and of the preparation before it, measured in turns."""
    forward = race({name: case.forward for name, case in cases.items()}, repeats=laps)
    prepare = race({name: case.prepare for name, case in cases.items()}, repeats=laps)
    rows = []
    for name, case in cases.items():
        rows += [
            measured(kind, name, "seconds_per_forward", forward[name], n=laps),
            measured(kind, name, "gflop_per_forward", count_gflop(case.forward), n=1),
            measured(kind, name, "prepare_seconds_per_video", prepare[name], n=laps),
        ]
    return rows
