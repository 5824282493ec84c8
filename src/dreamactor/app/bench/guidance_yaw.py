"""Does the head's yaw follow people who turn all the way round? Perceived tracks of drawn whole turns against the truth."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any, Final

import torch
from torch import Tensor

from dreamactor.data.actors import (
    FIRST_HELD_OUT_SEED,
    Framing,
    Performance,
    Rendering,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.motion import ANGLES
from dreamactor.evaluation.tracks import head_errors_deg
from dreamactor.perception.base import PersonEstimator
from dreamactor.perception.build import build_estimator
from dreamactor.perception.perceive import perceive_video
from dreamactor.types.track import PersonTrack

SIZE: Final = 256
FPS: Final = 25
FRAMINGS: Final[tuple[Framing, ...]] = ("upper", "full")
TURN_SECONDS: Final = (1.6, 2.4, 3.6)
"""Time that one whole turn takes."""
CASES: Final = 36
"""A multiple of 12 has all framings, times and directions equally often; of 12, one lost turn decides the percentile."""
FIRST_SEED: Final = FIRST_HELD_OUT_SEED + 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnCase:
    """One person who turns once.

    Attributes:
        seed: of actor, motion and scene.
        framing: what the camera sees.
        seconds: time of the turn.
        direction: 1 turns the nose to the image's right first, -1 to its left.
        start_deg: where the body points at first.
    """

    seed: int
    framing: Framing
    seconds: float
    direction: int
    start_deg: float


def turn_cases(count: int, *, first_seed: int) -> list[TurnCase]:
    """The first `count` cases; more cases never change the first ones."""
    kinds = list(product(TURN_SECONDS, FRAMINGS, (1, -1)))
    cases = []
    for index in range(count):
        seconds, framing, direction = kinds[index % len(kinds)]
        # Most people start towards the camera, some anywhere: 77 degrees apart, the starts go all the way round.
        start = 0.0 if index % 3 else (77.0 * index + 180.0) % 360.0 - 180.0
        cases.append(
            TurnCase(seed=first_seed + index, framing=framing, seconds=seconds, direction=direction, start_deg=start)
        )
    return cases


def turn_performance(case: TurnCase) -> Performance:
    """The motion of a case: a random one whose body turns once, evenly; head and spine move of their own."""
    num_frames = round(case.seconds * FPS) + 1
    performance = sample_performance(case.seed, num_frames=num_frames, fps=FPS, framing=case.framing, kind="turn")
    channels = performance.channels.clone()
    turn = case.direction * torch.linspace(0, 360, num_frames)
    channels[:, ANGLES.index("root_yaw")] = case.start_deg + turn
    return replace(performance, channels=channels)


def draw_turn(case: TurnCase) -> Rendering:
    """Pictures of a case with the exact track."""
    return render(
        sample_actor(case.seed),
        turn_performance(case),
        sample_scene(case.seed, framing=case.framing),
        width=SIZE,
        height=SIZE,
    )


def rows(report: Callable[[int, int | None], None]) -> list[dict[str, Any]]:
    """Errors of yaw, pitch and roll (degrees; medians and 95th percentiles over frames) and the largest jump of the yaw.

    Sets: all cases, and by framing, by time of the turn, and by where the head points (front: within 60 degrees, side:
    to 120, back: beyond).
    """
    seen: list[tuple[TurnCase, PersonTrack, PersonTrack]] = []
    with closing(build_estimator()) as estimator:
        for case in turn_cases(CASES, first_seed=FIRST_SEED):
            drawn = draw_turn(case)
            seen.append((case, perceive_frames(drawn.frames, estimator), drawn.track))
            report(len(seen), CASES)
    errors = [head_errors_deg(found, truth) for _, found, truth in seen]
    facing = torch.cat([_away_deg(truth) for _, _, truth in seen])
    everything = torch.cat(errors)
    found = _errors("all", everything)
    for name, low, high in (("front", 0, 60), ("side", 60, 120), ("back", 120, 181)):
        found += _errors(name, everything[(facing >= low) & (facing < high)])
    for key in dict.fromkeys([*(case.framing for case, _, _ in seen), *(f"{case.seconds} s" for case, _, _ in seen)]):
        chosen = [index for index, (case, _, _) in enumerate(seen) if key in (case.framing, f"{case.seconds} s")]
        found += _errors(key, torch.cat([errors[index] for index in chosen]))
        found += _jumps(key, [seen[index] for index in chosen])
    return found + _jumps("all", seen)


def perceive_frames(frames: Tensor, estimator: PersonEstimator) -> PersonTrack:
    """The ordinary perception in tracking mode of frames [T, H, W, 3] at 25 per second."""
    return perceive_video(
        ((frame, time) for time, frame in enumerate(frames)), time_base=Fraction(1, FPS), estimator=estimator
    )


def _errors(name: str, errors_deg: Tensor) -> list[dict[str, Any]]:
    """Rows from [N, 3] errors, NaN where there is no head."""
    known = errors_deg[~errors_deg[:, 0].isnan()]
    made: list[dict[str, Any]] = [
        {"set": name, "metric": "head_found_share", "value": len(known) / max(len(errors_deg), 1), "n": len(errors_deg)}
    ]
    if not len(known):
        return made
    for axis, angle in enumerate(("yaw", "pitch", "roll")):
        for metric, share in (("median", 0.5), ("p95", 0.95)):
            value = float(known[:, axis].quantile(share))
            made.append({"set": name, "metric": f"{angle}_error_{metric}_deg", "value": value, "n": len(known)})
    return made


def _jumps(name: str, seen: list[tuple[TurnCase, PersonTrack, PersonTrack]]) -> list[dict[str, Any]]:
    """The largest change of the perceived yaw from one frame to the next, and of the true one."""
    made = []
    for metric, tracks in (
        ("yaw_jump_max_deg", [one[1] for one in seen]),
        ("true_yaw_step_max_deg", [one[2] for one in seen]),
    ):
        largest = max(float(torch.rad2deg(track.head.angles_rad[:, 0]).diff().abs().max()) for track in tracks)
        made.append({"set": name, "metric": metric, "value": largest, "n": len(tracks)})
    return made


def _away_deg(truth: PersonTrack) -> Tensor:
    """[T] how far the head is turned away from the camera, 0..180 degrees."""
    return ((torch.rad2deg(truth.head.angles_rad[:, 0]) + 180) % 360 - 180).abs()
