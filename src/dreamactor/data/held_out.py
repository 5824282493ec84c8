"""ActorBench's cases: a held-out character performing what somebody else performs, with the truth drawn.

A case is fixed by its spec; the sets differ from training in seeds only. The driver's performance is longer than what is
judged: the reference is one moment of the character's own performance behind the judged frames (unless the set says
otherwise), so that it says where the character stands and is never a frame of the truth. The camera stands still.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors import (
    FIRST_HELD_OUT_SEED,
    FRAMINGS,
    Framing,
    Performance,
    neutral_performance,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.body import BodyShape, Style
from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import Actor, build_figure
from dreamactor.data.actors.motion import ANGLES
from dreamactor.data.actors.scene import Camera, Scene, place_camera
from dreamactor.data.partial import mix_performances
from dreamactor.guidance.mix import mix_tracks
from dreamactor.types.guidance import ReferenceImage
from dreamactor.types.track import PersonTrack

BENCH_VERSION: Final = "1"
"""Of the sets: equal versions give equal cases. Version 1 is frozen: whatever changes a case makes another version."""
TAIL_FRAMES: Final = 48
"""Frames of the performance behind the judged ones; the reference is one of them."""
DRIVER_SEEDS: Final = 1_000_000
"""Drivers are actors with this much added to the case's seed."""
OTHER_SEEDS: Final = 1_500_000
"""Whoever gives one part in the set `partial` has this much added to the case's seed."""
CANDIDATES: Final = 12
"""Drivers among whom the one with the closest or farthest proportions is taken."""
SIZE: Final = 256

SETS: Final = {
    "self": "the character does what it did itself",
    "cross_identity": "the character does what somebody of another build does",
    "unseen": "frontal reference, the driver turns through 360 degrees",
    "long": "four segments",
    "expressions": "portraits: winks, blinks, smiles, speech-like mouths, brows and glances",
    "perceived": "cross-identity with perceived instead of exact tracks, of driver and reference",
    "sizes": "three aspects x two sizes x three lengths",
    "half_body": "half-body reference, the driver, in view from head to foot, turns through 360 degrees",
    "partial": "cross-identity, half bodies, with body, head or face from somebody else's clip",
    "big_head": "cross-identity, the character's head is a third of its height",
    "non_human": "cross-identity, the character has the head of an animal, a robot or an alien",
}
"""Set -> what it asks."""
NOT_YET: Final = {
    "speech": "there is no audio motion encoder yet",
}
"""Sets of the plan that cannot be computed, and why."""
FULL_COUNTS: Final = {
    "self": 12, "cross_identity": 48, "unseen": 12, "long": 6, "expressions": 16, "perceived": 12, "sizes": 18,
    "half_body": 8, "partial": 24, "big_head": 12, "non_human": 12,
}  # fmt: skip
QUICK_COUNTS: Final = {
    "self": 2, "cross_identity": 48, "unseen": 2, "expressions": 2, "perceived": 2, "half_body": 2, "partial": 3,
    "big_head": 1, "non_human": 1,
}  # fmt: skip
Part = Literal["body", "head", "face"]
PARTS: Final[tuple[Part, ...]] = ("face", "head", "body")
"""Parts that come from somebody else in the set `partial`, one after the other."""
_STYLED: Final[dict[str, Style]] = {"big_head": "big_head", "non_human": "creature"}
"""Sets whose characters are all of one style."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseSpec:
    """What fixes a case.

    Attributes:
        set: one of `SETS`.
        seed: of performance and scene; held out.
        character, driver: seeds of the actors.
        framing: of the reference and of the truth; the driver's own where `driver_framing` is None.
        driver_framing: what the driver's camera sees.
        kind: of the motion; None: drawn.
        num_frames: judged ones.
        width, height: pixels of the reference and of the truth.
        other, part: seed of somebody else and of their performance, and the part of the motion that is theirs; None: no part
            is.
        tags: what the results are also sorted by.
    """

    set: str
    seed: int
    character: int
    driver: int
    framing: Framing
    driver_framing: Framing | None = None
    kind: str | None = None
    num_frames: int = 25
    width: int = SIZE
    height: int = SIZE
    other: int | None = None
    part: Part | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.set}_{self.seed}" + (f"_{self.part}" if self.part else "")

    @property
    def undivided(self) -> str:
        """Name of the case that differs in having all parts from one driver."""
        return f"cross_identity_{self.seed}"


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOutCase:
    """One case, drawn.

    Attributes:
        spec: what it is.
        reference: picture of the character with its exact track and mask.
        driving: exact track of the driver's whole performance before the driver's own camera (one part may be from another
            one); the first `num_frames` of the spec are judged.
        truth: [T, H, W, 3] uint8, the character doing the judged frames; mask: [T, H, W] uint8.
        track: exact track of the truth; expression: [T, E].
        area: mean share of the picture that the person takes up.
        amplitude: mean distance of the truth's joints from where they are in the reference, in torsos.
    """

    spec: CaseSpec
    reference: ReferenceImage
    driving: PersonTrack
    truth: Tensor
    mask: Tensor
    track: PersonTrack
    expression: Tensor
    area: float
    amplitude: float


def bench_specs(*, quick: bool) -> list[CaseSpec]:
    """All cases of the bench, set by set."""
    counts = QUICK_COUNTS if quick else FULL_COUNTS
    return [spec for name, count in counts.items() for spec in set_specs(name, count)]


def set_specs(name: str, count: int) -> list[CaseSpec]:
    """The first `count` cases of a set; more cases never change the first ones."""
    return [_spec(name, index) for index in range(count)]


def _spec(name: str, index: int) -> CaseSpec:
    if name == "partial":
        # Half bodies (every third case of the set, close and far in turn) show all three parts.
        base, part = _spec("cross_identity", 3 * (index // len(PARTS)) + 1), PARTS[index % len(PARTS)]
        return replace(base, set=name, other=base.seed + OTHER_SEEDS, part=part, tags=base.tags | {"part": part})
    drawn_from = "cross_identity" if name == "perceived" else name
    seed = FIRST_HELD_OUT_SEED + 1000 * list(SETS).index(drawn_from) + index
    if name in _STYLED:
        seed = _seeds_of(_STYLED[name], seed - index, index + 1)[index]
    framing = FRAMINGS[index % 3]
    actor = sample_actor(seed)
    close = index % 2 == 0
    tags: dict[str, str] = {"framing": framing, "style": actor.style}
    driver = seed
    if name != "self":
        driver = _driver(seed, actor.body, close=close)
        tags["proportions"] = "close" if close else "far"
    spec = CaseSpec(set=name, seed=seed, character=seed, driver=driver, framing=framing, tags=tags)
    if name == "unseen":
        view: Framing = "upper" if close else "full"
        return replace(spec, framing=view, kind="turn", tags=tags | {"framing": view})
    if name == "long":
        return replace(spec, num_frames=97)
    if name == "expressions":
        return replace(spec, framing="portrait", kind="idle", tags=tags | {"framing": "portrait"})
    if name == "half_body":
        return replace(spec, framing="upper", driver_framing="full", kind="turn", tags=tags | {"framing": "upper"})
    if name == "sizes":
        length = (25, 73, 121)[index % 3]
        width, height = ((256, 256), (192, 192), (192, 320), (160, 224), (320, 192), (224, 160))[index // 3 % 6]
        shape = {"frames": str(length), "size": f"{width}x{height}"}
        return replace(spec, num_frames=length, width=width, height=height, tags=tags | shape)
    return spec


@lru_cache(maxsize=64)
def _seeds_of(style: Style, first: int, count: int) -> tuple[int, ...]:
    """The first seeds from `first` on whose actors are of a style."""
    return tuple(itertools.islice((seed for seed in itertools.count(first) if sample_actor(seed).style == style), count))


def _driver(seed: int, body: BodyShape, *, close: bool) -> int:
    """Of some candidates, the one whose proportions are closest to a body's, or farthest from it."""

    def build(shape: BodyShape) -> np.ndarray:
        parts = (
            shape.head_radius,
            shape.shoulder_half,
            shape.hip_half,
            shape.upper_arm,
            shape.forearm,
            shape.thigh,
            shape.shin,
        )
        return np.log(np.array(parts) / shape.torso)

    seeds = [seed + DRIVER_SEEDS + 20_000 * k for k in range(CANDIDATES)]
    apart = [float(np.abs(build(sample_actor(one).body) - build(body)).mean()) for one in seeds]
    return seeds[int(np.argmin(apart) if close else np.argmax(apart))]


def _performances(spec: CaseSpec) -> dict[Part, Performance]:
    """What each part does."""
    framing, length = spec.driver_framing or spec.framing, spec.num_frames + TAIL_FRAMES
    performance = sample_performance(spec.seed, num_frames=length, framing=framing, kind=spec.kind)
    if spec.set == "expressions":
        performance = _acted(performance, spec.seed)
    elif spec.set in ("unseen", "half_body"):
        performance = _turned_around(performance, spec.num_frames)
    every = dict.fromkeys(PARTS, performance)
    if spec.part is not None and spec.other is not None:
        every[spec.part] = sample_performance(spec.other, num_frames=length, framing=framing)
    return every


def _turned_around(performance: Performance, num_judged: int) -> Performance:
    """The same with one whole turn of the body from the front to the front over the judged frames."""
    channels = performance.channels.clone()
    channels[:, ANGLES.index("root_yaw")] = (torch.arange(len(channels)) / num_judged).clamp(max=1) * 360
    return replace(performance, channels=channels)


_ACTS: Final = (
    {"blink_left": 1.0},
    {"blink_right": 1.0},
    {"blink_left": 1.0, "blink_right": 1.0},
    {"smile_left": 1.0, "smile_right": 1.0},
    {"jaw_open": 1.0},
    {"jaw_open": 0.6, "mouth_wide": 0.8},
    {"lip_pucker": 1.0},
    {"brow_raise_left": 1.0, "brow_raise_right": 1.0, "eye_wide": 0.6},
    {"frown": 1.0, "brow_furrow": 1.0},
    {"gaze_x": 0.9},
    {"gaze_x": -0.9},
    {"smile_left": 1.0, "mouth_shift": 0.6},
)


def _acted(performance: Performance, seed: int) -> Performance:
    """A nearly still body whose face makes one clear act after another, eight frames each, resting at both ends."""
    rng = np.random.Generator(np.random.PCG64([seed, 0xFACE]))
    expression = torch.zeros_like(performance.expression)
    swell = torch.sin(torch.linspace(0, torch.pi, 8)).clamp(max=0.9) / 0.9
    order = rng.permutation(len(_ACTS))
    for place, start in enumerate(range(0, performance.num_frames - TAIL_FRAMES - 7, 8)):
        for name, value in _ACTS[order[place % len(_ACTS)]].items():
            expression[start : start + 8, COEFFICIENT[name]] = value * swell
    return replace(performance, expression=expression)


def draw_case(spec: CaseSpec) -> HeldOutCase:
    """Draws a case.

    Raises:
        ValueError: a training seed.
    """
    if min(spec.seed, spec.character, spec.driver, spec.other or spec.seed) < FIRST_HELD_OUT_SEED:
        raise ValueError(f"Held-out seeds start at {FIRST_HELD_OUT_SEED}, got {spec}.")
    character = sample_actor(spec.character)
    parts = _performances(spec)
    performance = mix_performances(**parts)
    judged = slice(0, spec.num_frames)
    scene = sample_scene(spec.seed, framing=spec.framing)
    reference, camera = _reference(spec, character, parts["body"], scene)
    drawn = render(character, performance, scene, width=spec.width, height=spec.height, frames=judged, camera=camera)
    return HeldOutCase(
        spec=spec,
        reference=reference,
        driving=_driving(spec, parts),
        truth=drawn.frames,
        mask=drawn.mask,
        track=drawn.track,
        expression=drawn.expression,
        area=float((drawn.mask > 127).float().mean()),
        amplitude=_amplitude(drawn.track, reference.person),
    )


def _reference(spec: CaseSpec, character: Actor, performance: Performance, scene: Scene) -> tuple[ReferenceImage, Camera]:
    """The reference picture, and the camera that the truth shares with it; both are those of the body's performance."""
    width, height = spec.width, spec.height
    shown, moment = performance, _most_different(performance.channels, spec.num_frames)
    if spec.set in ("unseen", "half_body", "expressions"):
        shown, moment = neutral_performance(framing=spec.framing), 0
    seen = shown if spec.driver_framing else performance
    camera = place_camera(
        scene, character.body, build_figure(character, seen).joints, spec.framing, width=width, height=height
    )
    now = slice(moment, moment + 1)
    still = render(character, shown, scene, width=width, height=height, frames=now, camera=camera)
    return ReferenceImage(image=still.frames[0], person=still.track, mask=still.mask[0]), camera


def _driving(spec: CaseSpec, parts: dict[Part, Performance]) -> PersonTrack:
    def seen(part: Part) -> PersonTrack:
        driver, stage = _driver_of(spec, part)
        figure = build_figure(driver, parts[part])
        framing = spec.driver_framing or spec.framing
        view = place_camera(stage, driver.body, figure.joints, framing, width=SIZE, height=SIZE)
        return exact_track(driver, figure, parts[part], view, width=SIZE, height=SIZE)

    own = seen(next(part for part in PARTS if part != spec.part))
    if spec.part is None:
        return own
    every = dict.fromkeys(PARTS, own) | {spec.part: seen(spec.part)}
    return mix_tracks(body=every["body"], head=every["head"], face=every["face"])


def _driver_of(spec: CaseSpec, part: Part) -> tuple[Actor, Scene]:
    """Who gives a part, and where it was filmed."""
    framing = spec.driver_framing or spec.framing
    if part == spec.part and spec.other is not None:
        return sample_actor(spec.other), sample_scene(spec.other, framing=framing)
    return sample_actor(spec.driver), sample_scene(spec.seed + DRIVER_SEEDS, framing=framing)


def draw_driver(spec: CaseSpec, *, size: int = SIZE, part: Part = "body") -> Tensor:
    """The whole performance of whoever gives a part, before its own camera: [T + tail, S, S, 3] uint8."""
    performance = _performances(spec)[part]
    driver, stage = _driver_of(spec, part)
    joints = build_figure(driver, performance).joints
    view = place_camera(stage, driver.body, joints, spec.driver_framing or spec.framing, width=size, height=size)
    return render(driver, performance, stage, width=size, height=size, camera=view).frames


def draw_nearest(spec: CaseSpec) -> Tensor:
    """For every judged frame that of 24 other frames of the character whose pose is nearest: [T, H, W, 3] uint8.

    A retrieval baseline that has seen every second frame behind the judged ones, not one picture.
    """
    character, parts = sample_actor(spec.character), _performances(spec)
    performance = mix_performances(**parts)
    scene = sample_scene(spec.seed, framing=spec.framing)
    _, camera = _reference(spec, character, parts["body"], scene)
    others = slice(spec.num_frames, None, 2)
    drawn = render(character, performance, scene, width=spec.width, height=spec.height, frames=others, camera=camera)
    channels = performance.channels
    apart = (channels[: spec.num_frames, None] - channels[None, others]).abs().mean(dim=-1)  # [T, 24]
    return drawn.frames[apart.argmin(dim=1)]


def _most_different(channels: Tensor, num_judged: int) -> int:
    """The moment behind the judged frames whose pose is farthest from all of them."""
    judged = channels[:num_judged]
    apart = [float((judged - pose).abs().mean(dim=1).min()) for pose in channels[num_judged:]]
    return num_judged + int(torch.tensor(apart).argmax())


def _amplitude(track: PersonTrack, reference: PersonTrack) -> float:
    joints, goal = track.body.joints[..., :2], reference.body.joints[..., :2]
    torso = (joints[:, 1] - joints[:, 0]).norm(dim=-1).clamp(min=1)[:, None]
    apart = (joints - goal).norm(dim=-1) / torso
    seen = (track.body.confidence > 0.5) & (reference.body.confidence > 0.5)
    return float(apart[seen].mean()) if bool(seen.any()) else 0.0
