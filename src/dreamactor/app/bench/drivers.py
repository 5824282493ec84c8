"""Real drivers on held-out actors: animates a drawn person with every clip of a folder and scores what arrived."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from dreamactor.data.actors import (
    FIRST_HELD_OUT_SEED,
    FRAMINGS,
    Framing,
    neutral_performance,
    render,
    sample_actor,
    sample_scene,
)
from dreamactor.errors import ConfigError, DreamActorError, InputError
from dreamactor.evaluation.clip import Found
from dreamactor.evaluation.drivers import (
    DRIVER_METRICS,
    LEAST_JAW,
    LEAST_LID,
    LEAST_MADE,
    LEAST_MADE_YAW_DEG,
    LEAST_YAW_DEG,
    score_driver,
    score_still,
)
from dreamactor.evaluation.judge import Judge
from dreamactor.evaluation.pairs import VIDEO_SUFFIXES
from dreamactor.evaluation.scores import mean_interval
from dreamactor.evaluation.tracks import SURE
from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.guidance.retarget import RetargetOptions, retarget
from dreamactor.inference.animator import Animator
from dreamactor.inference.references import choose_canvas
from dreamactor.inference.request import AnimateRequest, Progress
from dreamactor.perception.build import build_estimator
from dreamactor.perception.cache import cached_track
from dreamactor.perception.perceive import perceive_video
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.track import PersonTrack
from dreamactor.video.compose import contact_sheet
from dreamactor.video.reader import VideoReader
from dreamactor.video.resize import fit_to_canvas

FIRST_SEED: Final = FIRST_HELD_OUT_SEED + 40_000
"""Actor of the first clip; the second clip has the next one, and so on."""
LEAST_SECONDS, MOST_SECONDS = 0.2, 60.0
METHODS: Final = ("model", "reference")
"""The model, and the reference picture repeated: what no motion would give."""
MOMENTS: Final = 3
"""Moments of a clip on the sheet, evenly over its time."""
CELL_PX: Final = 160
DRIVER_SETTINGS: Final = {
    "references": f"one drawn actor at ease per clip, exact track, seeds from {FIRST_SEED} on in the order of the names",
    "left out": f"correlations where the driver's standard deviation is below {LEAST_JAW} (mouth) or {LEAST_LID} (lid) face "
    f"heights or {LEAST_YAW_DEG:g} degrees (head)",
    "nothing arrived": f"correlation 0 where the output's is below {LEAST_MADE} of full opening or {LEAST_MADE_YAW_DEG} "
    "degrees",
    "limbs": f"ends seen with confidence above {SURE} in the driver and inside the output; median over limbs and frames",
    "judge": "networks trained on drawn actors, cropped along the retargeted track; the still reference along its own",
    "intervals": "95 %, percentile bootstrap over clips, seeded",
}
Report = Callable[[str, int, int | None], None]


@dataclass(frozen=True, kw_only=True)
class DrivenClip:
    """One driver on one actor.

    Attributes:
        clip: path inside the folder.
        actor: seed of the character.
        framing: of the reference; None with an error.
        num_frames: animated ones.
        found: method -> scores.
        error: why nothing could be animated; None for a good clip.
        pictures: driver, pose maps and output at every moment of the sheet, each [H, W, 3] uint8; empty unless asked for.
    """

    clip: str
    actor: int
    framing: Framing | None = None
    num_frames: int = 0
    found: dict[str, Found] = field(default_factory=dict)
    error: str | None = None
    pictures: tuple[Tensor, ...] = ()


def find_clips(folder: Path) -> list[Path]:
    """The videos of a folder and its folders, in the order of their names.

    Raises:
        InputError: no such folder, or no video in it.
    """
    if not folder.exists():
        raise InputError(f"There is nothing at {folder}. Give a folder of driving videos.")
    if not folder.is_dir():
        raise InputError(f"{folder} is a file. Give the folder that it lies in.")
    clips = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file() and not path.name.startswith(".")
    ]
    if not clips:
        raise InputError(f"There is no video in {folder} (known endings: {', '.join(VIDEO_SUFFIXES)}).")
    return sorted(clips, key=lambda path: path.relative_to(folder).as_posix())


def bench_drivers(
    animator: Animator, judge: Judge, folder: Path, *, seconds: float, seed: int, pictures: bool, report: Report
) -> list[DrivenClip]:
    """Animates an actor with every clip of a folder and scores it.

    Args:
        animator: the model.
        judge: reads the outputs.
        folder: of driving videos.
        seconds: so much of each clip from its start on.
        seed: of the model's noise.
        pictures: keep the pictures of the sheet.
        report: called with (stage, done, total).

    Raises:
        InputError, ConfigError: nothing can be run at all. A single bad file becomes a clip with its reason.
    """
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise ConfigError(f"--seconds must be from {LEAST_SECONDS:g} to {MOST_SECONDS:g}, got {seconds:g}.")
    paths = find_clips(folder)
    clips = []
    report("clips", 0, len(paths))
    for index, path in enumerate(paths):
        name, actor = path.relative_to(folder).as_posix(), FIRST_SEED + index
        try:
            clip = _drive(
                animator, judge, path, name=name, actor=actor, seconds=seconds, seed=seed, pictures=pictures, report=report
            )  # fmt: skip
        except (DreamActorError, OSError, ValueError) as error:
            clip = DrivenClip(clip=name, actor=actor, error=str(error))
        clips.append(clip)
        report("clips", index + 1, len(paths))
    return clips


def framing_of(track: PersonTrack) -> Framing:
    """Full where at least half of the frames show an ankle, upper where as many show a hip or an elbow, else portrait."""
    sure = (track.body.confidence > SURE) & track.body.tracked[:, None]

    def shown(*parts: str) -> bool:
        joints = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in parts]
        return float(sure[:, joints].any(dim=1).float().mean()) >= 0.5

    return "full" if shown("ankle") else "upper" if shown("hip", "elbow") else "portrait"


def draw_reference(actor: int, framing: Framing, *, width: int, height: int) -> ReferenceSet:
    """A picture of an actor standing at ease, with its exact track and mask."""
    pose, scene = neutral_performance(framing=framing, seed=actor), sample_scene(actor, framing=framing)
    drawn = render(sample_actor(actor), pose, scene, width=width, height=height)
    image = ReferenceImage(image=drawn.frames[0], person=drawn.track, mask=drawn.mask[0])
    return ReferenceSet(images=(image,), proportions=estimate_proportions([drawn.track]))


def _perceive_start(path: Path, *, seconds: float, report: Report) -> PersonTrack:
    """The motion of a video's first seconds; cached by content."""

    def compute() -> PersonTrack:
        with closing(build_estimator("mediapipe")) as estimator, VideoReader(path, end_s=seconds) as reader:
            known, most = reader.info.num_frames, max(1, round(seconds * reader.info.fps))
            return perceive_video(
                ((frame.image, frame.pts) for frame in reader), time_base=Fraction(reader.time_base), estimator=estimator,
                source=path.name, num_frames=most if known is None else min(known, most),
                progress=lambda done, total: report("perceive", done, total),
            )  # fmt: skip

    return cached_track(path, f"mediapipe person=None first {seconds} s", compute)


def _drive(
    animator: Animator, judge: Judge, path: Path, *, name: str, actor: int, seconds: float, seed: int, pictures: bool,
    report: Report,
) -> DrivenClip:  # fmt: skip
    driving = _perceive_start(path, seconds=seconds, report=report)
    framing, size = framing_of(driving), animator.bundle.defaults.size
    width, height = choose_canvas(size, size, size=size, grid=animator.bundle.grid)
    references = draw_reference(actor, framing, width=width, height=height)
    request = AnimateRequest(references=(path,), driving=path, seed=seed)

    def step(progress: Progress) -> None:
        if progress.stage == "denoise":
            report("denoise", progress.done, progress.total)

    made = torch.cat([clip.frames for clip in animator.animate_track(driving, references, request, step)])
    placed = retarget(driving, references, RetargetOptions(framing=request.framing))
    read = judge.read(made, placed)
    picture = references.images[0]
    still = judge.read(picture.image[None], picture.person)
    found = {
        "model": score_driver(
            driving, placed, points=read.points, angles_rad=read.angles_rad, expression=read.expression,
            coefficients=read.coefficients,
        ),
        "reference": score_still(driving, placed, points=still.points[0]),
    }  # fmt: skip
    cells = _moments(path, placed, made) if pictures else ()
    return DrivenClip(
        clip=name, actor=actor, framing=framing, num_frames=len(made), found=found, pictures=cells,
    )  # fmt: skip


def _moments(path: Path, placed: PersonTrack, made: Tensor) -> tuple[Tensor, ...]:
    """Driver, skeleton with sphere, and output at moments evenly over the clip."""
    count, height, width, _ = made.shape
    cells: list[Tensor] = []
    moments = [(2 * index + 1) * count // (2 * MOMENTS) for index in range(MOMENTS)]
    with VideoReader(path) as reader:
        frames = {}
        for frame in reader:
            if frame.index in moments:
                frames[frame.index] = fit_to_canvas(frame.image, width=width, height=height, background=(24, 24, 24))[0]
            if frame.index >= moments[-1]:
                break
    for moment in moments:
        maps = draw_pose_maps(placed[moment : moment + 1], width=width, height=height)
        sphere = maps.head_sphere[0]
        pose = torch.where((sphere > 0).any(dim=-1, keepdim=True), sphere, maps.body_skeleton[0])
        cells += [frames[moment], pose, made[moment]]
    return tuple(cells)


def driver_sheet(clips: Sequence[DrivenClip]) -> Tensor | None:
    """[H, W, 3] uint8, one row per clip; None where no clip could be animated."""
    shown = [clip for clip in clips if clip.pictures]
    if not shown:
        return None
    labels = [f"{clip.clip}\n{clip.framing}\nactor {clip.actor}" for clip in shown]
    titles = ["driver", "skeleton, sphere", "output"] * MOMENTS
    return contact_sheet([clip.pictures for clip in shown], labels, titles, cell_height=CELL_PX)


def driver_rows(clips: Sequence[DrivenClip]) -> list[dict[str, Any]]:
    """One row per framing (and all together), method and metric: the mean over clips with its interval."""
    rows: list[dict[str, Any]] = []
    for name in (*(framing for framing in FRAMINGS if any(clip.framing == framing for clip in clips)), "all"):
        members = [clip for clip in clips if clip.error is None and name in (clip.framing, "all")]
        for method in METHODS:
            for metric in DRIVER_METRICS:
                values = [clip.found[method].values.get(metric) for clip in members]
                interval = mean_interval([value for value in values if value is not None])
                if interval is not None:
                    ci95 = [interval.low, interval.high]
                    row = {"set": name, "method": method, "metric": metric, "value": interval.value}
                    rows.append({**row, "ci95": ci95, "n": interval.n})
    return rows


def clip_entries(clips: Sequence[DrivenClip]) -> list[dict[str, Any]]:
    """Every clip with its numbers and the reasons where there are none, for JSON."""
    return [
        {
            "clip": clip.clip,
            "set": clip.framing,
            "actor": clip.actor,
            "frames": clip.num_frames,
            "values": {method: clip.found[method].values for method in METHODS if method in clip.found},
            "left_out": clip.found["model"].missing if clip.found else {},
            "error": clip.error,
        }
        for clip in clips
    ]


_COLUMNS: Final = (*(("model", metric) for metric in DRIVER_METRICS), ("reference", "limb_angle_deg"))


def _mean(row: dict[str, Any]) -> str:
    low, high = row["ci95"]
    about = f" +-{(high - low) / 2:.3f}" if row["n"] > 1 else ""
    return f"{row['value']:.3f}{about} (n={row['n']})"


def driver_table(clips: Sequence[DrivenClip]) -> str:
    """Means by framing, then the clips, then what was left out and why."""
    rows = {(row["set"], row["method"], row["metric"]): row for row in driver_rows(clips)}
    sets = list(dict.fromkeys(key[0] for key in rows))
    wide = max(16, *(len(clip.clip) for clip in clips)) + 2
    heads = [f"{known.label} [{known.unit}]" if known.unit else known.label for known in DRIVER_METRICS.values()]

    def line(name: str, framing: str, cells: Sequence[str]) -> str:
        return (f"{name:{wide}}{framing:10}" + "".join(f"{cell:>22}" for cell in cells)).rstrip()

    lines = [line("", "", [*heads, "of the still picture"])]
    for name in sets:
        found = [rows.get((name, *column)) for column in _COLUMNS]
        lines.append(line(f"mean of {name}", "", ["-" if row is None else _mean(row) for row in found]))
    for clip in clips:
        if clip.error is None:
            values = (clip.found[method].values.get(metric) for method, metric in _COLUMNS)
            cells = ["-" if value is None else f"{value:.3f}" for value in values]
            lines.append(line(clip.clip, clip.framing or "", cells))
        else:
            lines.append(line(clip.clip, "error", []))
    reasons = [f"{clip.clip}: {clip.error}" for clip in clips if clip.error is not None]
    for clip in clips:
        if clip.found:
            missing = clip.found["model"].missing
            reasons += [f"{clip.clip}: no {DRIVER_METRICS[metric].label}: {why}" for metric, why in missing.items()]
    return "\n".join([*lines, *reasons])
