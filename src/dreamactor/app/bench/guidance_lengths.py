"""How well are bone lengths measured from pictures? True against estimated, per bone, for actors from toddler to giant.

Every actor's limbs and shoulders are longer or shorter than its seed's by factors of their own. Pictures are perceived
in the ordinary way: one in an A-pose, one in a random pose, and these two with a second random one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors import FIRST_HELD_OUT_SEED, Performance, render, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.figure import Actor
from dreamactor.data.actors.motion import pose_performance
from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.perception.base import PersonEstimator
from dreamactor.perception.build import build_estimator
from dreamactor.perception.perceive import perceive_image
from dreamactor.types.track import PersonTrack, Proportions

ACTORS: Final = 200
SIZE: Final = 256
FIRST_SEED: Final = FIRST_HELD_OUT_SEED + 30_000
SPREAD: Final = 0.15
"""Standard deviation of the logarithm by which arms and legs differ from the seed's; shoulders two thirds of it."""

_A_POSE: Final = {
    "left_raise": 38.0, "right_raise": 38.0, "left_elbow": 5.0, "right_elbow": 5.0, "left_hip_out": 9.0,
    "right_hip_out": 9.0, "left_curl": 0.15, "right_curl": 0.15, "left_spread": 0.4, "right_spread": 0.4,
}  # fmt: skip
_MEASURED: Final = {
    "shoulder": "left_shoulder", "upper_arm": "left_elbow", "forearm": "left_wrist", "hip": "left_hip",
    "thigh": "left_knee", "shin": "left_ankle", "heel": "left_heel", "foot": "left_toe", "neck_to_head": "head",
}  # fmt: skip


def rows(report: Callable[[int, int | None], None]) -> list[dict[str, Any]]:
    """Per kind of picture and bone: median and 90th percentile of the error, and the median with its sign, in percent."""
    sets: dict[str, list[Tensor]] = {"A-pose": [], "random pose": [], "3 pictures": []}
    missed = dict.fromkeys(sets, 0)
    with closing(build_estimator("mediapipe", static=True)) as estimator:
        for index in range(ACTORS):
            truth, pictures = _pictures(FIRST_SEED + index, estimator)
            for name, chosen in (("A-pose", pictures[:1]), ("random pose", pictures[1:2]), ("3 pictures", pictures)):
                people = [track for track in chosen if bool(track.body.tracked[0])]
                if people:
                    sets[name].append(_lengths(estimate_proportions(people)) / truth - 1)
                else:
                    missed[name] += 1
            report(index + 1, ACTORS)
    found: list[dict[str, Any]] = []
    for name, errors in sets.items():
        percent = torch.stack(errors) * 100
        for place, bone in enumerate((*_MEASURED, "head_radius")):
            one = percent[:, place]
            for what, value in (("median", one.abs().median()), ("p90", one.abs().quantile(0.9)), ("bias", one.median())):
                found.append({"set": name, "metric": f"{bone}_{what}_percent", "value": float(value), "n": len(errors)})
        found.append({"set": name, "metric": "not_found", "value": float(missed[name]), "n": ACTORS})
    return found


def independent_limbs(seed: int) -> Actor:
    """An actor whose arms, legs and shoulders are longer or shorter than its seed's, each by itself."""
    actor = sample_actor(seed)
    rng = np.random.Generator(np.random.PCG64([seed, 0x1E57]))
    arm, leg, broad = (float(np.exp(rng.normal(0, spread))) for spread in (SPREAD, SPREAD, SPREAD * 2 / 3))
    body = actor.body
    return replace(
        actor,
        body=replace(
            body,
            upper_arm=body.upper_arm * arm,
            forearm=body.forearm * arm,
            thigh=body.thigh * leg,
            shin=body.shin * leg,
            shoulder_half=body.shoulder_half * broad,
        ),
    )


def _pictures(seed: int, estimator: PersonEstimator) -> tuple[Tensor, list[PersonTrack]]:
    """True lengths, and what perception sees in an A-pose and two random poses."""
    actor = independent_limbs(seed)
    performances: list[Performance] = [pose_performance(_A_POSE)]
    performances += [sample_performance(seed + 10_000 * take, num_frames=1, framing="full") for take in (1, 2)]
    truth: Tensor | None = None
    seen = []
    for take, performance in enumerate(performances):
        scene = sample_scene(seed + 10_000 * take, framing="full")
        drawn = render(actor, performance, scene, width=SIZE, height=SIZE)
        if truth is None:
            truth = _lengths(estimate_proportions((drawn.track,)))
        seen.append(perceive_image(drawn.frames[0], estimator=estimator)[0])
    assert truth is not None
    return truth, seen


def _lengths(build: Proportions) -> Tensor:
    """[bones + 1] in torsos; the head's radius comes last."""
    bones = build.bone_length[[JOINT[joint] for joint in _MEASURED.values()]]
    return torch.cat([bones, torch.tensor([build.head_radius])])
