"""How much of the truth does the textured proxy show by itself, and how well: before any model has mended it.

Truth is actor B performing what actor A performs. The sets differ in what the references show and how far the motion
turns away from it; every one is measured with exact tracks, and a part of it again with perceived ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, islice
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
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import build_figure
from dreamactor.data.actors.motion import ANGLES
from dreamactor.data.actors.scene import Camera, place_camera
from dreamactor.data.held_out import DRIVER_SEEDS, draw_case, draw_driver, set_specs
from dreamactor.errors import DreamActorError
from dreamactor.evaluation.frame import masked_psnr, mean_inside, squared_error, ssim_map
from dreamactor.geometry.skeleton import FACE_POINT
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.retarget import retarget
from dreamactor.guidance.textured_proxy import draw_proxy, prepare_proxy
from dreamactor.perception.base import PersonEstimator
from dreamactor.perception.build import build_estimator
from dreamactor.perception.perceive import perceive_image, perceive_video
from dreamactor.types.guidance import ReferenceImage, ReferenceSet, TexturedProxy
from dreamactor.types.track import PersonTrack

SIZE: Final = 256
NUM_FRAMES: Final = 25
JUDGED: Final = slice(2, None, 5)
"""Frames of a performance that are drawn and judged."""
SEEDS: Final = FIRST_HELD_OUT_SEED + 400_000

KINDS: Final = ("true", "retargeted", "perceived")
"""The truth's own exact track (all that is wrong is the proxy's fault), the driver's exact track retargeted, and the same as
perception finds it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One set of cases.

    Attributes:
        turns: yaws of the references in degrees.
        path: yaw of the body at the first and the last frame of the motion; turned the other way in every second case.
        framings: taken in turn.
        kind: of the motion; None: drawn.
        skirts: only characters in skirts and dresses.
        seeds: where the characters' seeds begin, after `SEEDS`; equal for sets that share their cases.
        count: number of cases.
    """

    turns: tuple[float, ...]
    path: tuple[float, float]
    framings: tuple[Framing, ...] = FRAMINGS
    kind: str | None = None
    skirts: bool = False
    seeds: int
    count: int = 8


SETTINGS: Final = {
    "frontal_small_turn": Setting(turns=(0.0,), path=(-20.0, 20.0), seeds=0),
    "frontal_large_turn": Setting(turns=(0.0,), path=(30.0, 110.0), seeds=1000),
    "profile": Setting(turns=(80.0,), path=(60.0, -20.0), seeds=2000),
    "back": Setting(turns=(180.0,), path=(160.0, 60.0), seeds=3000),
    "skirts": Setting(turns=(0.0,), path=(-30.0, 30.0), framings=("full",), kind="walk", skirts=True, seeds=4000),
    "references_1": Setting(turns=(0.0,), path=(0.0, 360.0), seeds=5000, count=5),
    "references_2": Setting(turns=(0.0, 180.0), path=(0.0, 360.0), seeds=5000, count=5),
    "references_4": Setting(turns=(0.0, 180.0, 90.0, -90.0), path=(0.0, 360.0), seeds=5000, count=5),
}
PERCEIVED: Final = 2
"""Of every set so many cases are also measured on what perception makes of references and driver."""
EXPRESSIONS: Final = 6
"""Cases of the set `expressions`: the portraits of ActorBench, whose faces act."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProxyCase:
    """One case, drawn.

    Attributes:
        references: pictures of the character, the first in the truth's own framing.
        driving: track of the driver's whole performance.
        driver: draws that performance for perception: [T, S, S, 3] uint8.
        truth: [t, H, W, 3] uint8 and mask: [t, H, W] uint8 of the judged frames.
        performed: exact track of the character's whole performance.
        judged: which of the driver's frames these are.
    """

    references: tuple[ReferenceImage, ...]
    driving: PersonTrack
    driver: Callable[[], Tensor]
    truth: Tensor
    mask: Tensor
    performed: PersonTrack
    judged: slice


def rows(report: Callable[[int, int | None], None]) -> list[dict[str, Any]]:
    """Per set and kind of track: how much is covered, and how well; means over cases."""
    found: list[dict[str, Any]] = []
    names = (*SETTINGS, "expressions")
    with closing(build_estimator(static=True)) as still:
        for done, name in enumerate(names, start=1):
            scores: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
            for index, case in enumerate(cases(name)):
                scores["true"].append(score(draw(case, case.performed), case))
                scores["retargeted"].append(score(draw(case), case))
                given = as_perceived(case, still) if index < PERCEIVED else None
                if given is not None:
                    scores["perceived"].append(score(draw(given), given))
            for kind, those in scores.items():
                found += _means(f"{name}, {kind}", those)
            report(done, len(names))
    return found


def _means(label: str, scores: list[dict[str, float]]) -> list[dict[str, Any]]:
    found = []
    for metric in scores[0] if scores else ():
        values = [one[metric] for one in scores if not math.isnan(one[metric])]
        if values:
            found.append({"set": label, "metric": metric, "value": sum(values) / len(values), "n": len(values)})
    return found


def cases(name: str) -> Iterator[ProxyCase]:
    """Draws the cases of a set, one after the other."""
    if name == "expressions":
        for spec in set_specs("expressions", EXPRESSIONS):
            held = draw_case(spec)
            yield ProxyCase(
                references=(held.reference,), driving=held.driving,
                driver=partial(draw_driver, spec, size=2 * SIZE),
                truth=held.truth[JUDGED], mask=held.mask[JUDGED], performed=held.track,
                judged=slice(JUDGED.start, spec.num_frames, JUDGED.step),
            )  # fmt: skip
        return
    setting = SETTINGS[name]
    seeds = (
        s for s in count(SEEDS + setting.seeds) if not setting.skirts or sample_actor(s).look.lower in ("skirt", "dress")
    )
    for index, seed in enumerate(islice(seeds, setting.count)):
        yield _draw_case(setting, seed, index)


def _draw_case(setting: Setting, seed: int, index: int) -> ProxyCase:
    framing, sign = setting.framings[index % len(setting.framings)], 1.0 if index % 2 == 0 else -1.0
    performance = sample_performance(seed, num_frames=NUM_FRAMES, framing=framing, kind=setting.kind)
    channels = performance.channels.clone()
    channels[:, ANGLES.index("root_yaw")] = sign * torch.linspace(*setting.path, NUM_FRAMES)
    performance = replace(performance, channels=channels)
    character, scene = sample_actor(seed), sample_scene(seed, framing=framing)
    poses = [
        neutral_performance(framing=framing, yaw_deg=sign * yaw, seed=4 * seed + k) for k, yaw in enumerate(setting.turns)
    ]
    camera = place_camera(scene, character.body, build_figure(character, poses[0]).joints, framing, width=SIZE, height=SIZE)

    pictures = [render(character, pose, scene, width=SIZE, height=SIZE, camera=camera) for pose in poses]
    truth = render(character, performance, scene, width=SIZE, height=SIZE, frames=JUDGED, camera=camera)
    driver, stage = sample_actor(seed + DRIVER_SEEDS), sample_scene(seed + DRIVER_SEEDS, framing=framing)

    acting = build_figure(driver, performance)

    def view(size: int) -> Camera:
        return place_camera(stage, driver.body, acting.joints, framing, width=size, height=size)

    return ProxyCase(
        references=tuple(ReferenceImage(image=p.frames[0], person=p.track, mask=p.mask[0]) for p in pictures),
        driving=exact_track(driver, acting, performance, view(SIZE), width=SIZE, height=SIZE),
        driver=lambda: render(driver, performance, stage, width=2 * SIZE, height=2 * SIZE, camera=view(2 * SIZE)).frames,
        truth=truth.frames,
        mask=truth.mask,
        performed=exact_track(character, build_figure(character, performance), performance, camera, width=SIZE, height=SIZE),
        judged=JUDGED,
    )


def as_perceived(case: ProxyCase, still: PersonEstimator) -> ProxyCase | None:
    """The same with perceived tracks and masks; None where nobody is found in the first reference or in the driver."""
    images = []
    for reference in case.references:
        person, mask = perceive_image(reference.image, estimator=still)
        images.append(ReferenceImage(image=reference.image, person=person, mask=mask))
    if not bool(images[0].person.body.tracked[0]):
        return None
    times = case.driving.times
    frames = zip(case.driver(), times.pts, strict=True)
    try:
        with closing(build_estimator()) as moving:
            driving = perceive_video(
                ((frame, int(pts)) for frame, pts in frames), time_base=times.time_base, estimator=moving
            )
    except DreamActorError:
        return None
    return replace(case, references=tuple(images), driving=driving)


def draw(case: ProxyCase, track: PersonTrack | None = None) -> TexturedProxy:
    """The proxy of the judged frames, on a track of the whole performance; None: the driver's, retargeted."""
    people = [image.person for image in case.references if bool(image.person.body.tracked[0])]
    references = ReferenceSet(images=case.references, proportions=estimate_proportions(people))
    motion = retarget(case.driving, references) if track is None else track
    return draw_proxy(prepare_proxy(references, motion), motion[case.judged], width=SIZE, height=SIZE)


def score(proxy: TexturedProxy, case: ProxyCase) -> dict[str, float]:
    """Scores of one case; NaN where there is nothing to look at.

    covered is the share of the person that the proxy copied from a reference, iou that of the silhouettes.
    """
    person, figure = case.mask > 127, proxy.figure > 127
    covered = person & figure & (proxy.seen > 127)
    track = case.performed[case.judged]
    head = person & _head_box(track)
    error, similar = squared_error(proxy.rgb, case.truth), ssim_map(proxy.rgb, case.truth)
    found = {
        "covered_share": float(covered.sum() / person.sum()),
        "iou": float((person & figure).sum() / (person | figure).sum()),
    }
    regions = {"covered": covered, "person": person, "head": head, "eyes_mouth": head & _features(track)}
    for name, region in regions.items():
        mask = region.to(torch.uint8) * 255
        empty = not bool(region.any())
        found[f"psnr_{name}"] = float("nan") if empty else masked_psnr(error, mask)
        found[f"ssim_{name}"] = float("nan") if empty else mean_inside(similar, mask)
    return found


def _grid(size: int) -> tuple[Tensor, Tensor]:
    """Pixel centres: x [1, 1, S], y [1, S, 1]."""
    place = torch.arange(size) + 0.5
    return place[None, None], place[None, :, None]


def _head_box(track: PersonTrack) -> Tensor:
    """[t, S, S] bool: a square of 1.3 head radii about the head's centre."""
    x, y = _grid(SIZE)
    center, reach = track.head.center[:, :, None, None], 1.3 * track.head.radius_px[:, None, None]
    return ((x - center[:, 0]).abs() < reach) & ((y - center[:, 1]).abs() < reach)


def _features(track: PersonTrack) -> Tensor:
    """[t, S, S] bool: the boxes about eyes with brows, and about the mouth with the chin."""
    x, y = _grid(SIZE)
    found = torch.zeros(track.num_frames, SIZE, SIZE, dtype=torch.bool)
    for words in (("left_eye", "left_brow"), ("right_eye", "right_brow"), ("lip", "chin")):
        points = track.face.landmarks[:, [i for name, i in FACE_POINT.items() if name.startswith(words)], :2]
        low, high = points.amin(dim=1)[..., None, None] - 1, points.amax(dim=1)[..., None, None] + 1
        found |= (x > low[:, 0]) & (x < high[:, 0]) & (y > low[:, 1]) & (y < high[:, 1])
    return found & track.face.tracked[:, None, None]
