"""Does the drawn head keep the reference's size against its shoulders, whoever drives it and however both are framed?"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, Final

import torch
from torch import Tensor

from dreamactor.data.actors import (
    FIRST_HELD_OUT_SEED,
    FRAMINGS,
    Framing,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.retarget import retarget
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.track import PersonTrack

PAIRS: Final = 8
"""Of every framing with every framing."""
SIZE: Final = 128
NUM_FRAMES: Final = 12


def rows(report: Callable[[int, int | None], None]) -> list[dict[str, Any]]:
    """Per pair of framings: how far (median and worst, %) head over shoulders is from the reference's."""
    found = []
    combinations = list(product(FRAMINGS, FRAMINGS))
    for index, (reference, driver) in enumerate(combinations):
        errors = torch.tensor([_error_percent(reference, driver, FIRST_HELD_OUT_SEED + 10 * pair) for pair in range(PAIRS)])
        for metric, value in (("median", errors.median()), ("worst", errors.max())):
            found.append({
                "set": f"{reference} from {driver}", "metric": f"head_to_shoulders_{metric}_percent", "value": float(value),
                "n": PAIRS,
            })  # fmt: skip
        report(index + 1, len(combinations))
    return found


def _error_percent(reference: Framing, driver: Framing, seed: int) -> float:
    picture = render(
        sample_actor(seed),
        sample_performance(seed, num_frames=NUM_FRAMES, framing=reference),
        sample_scene(seed, framing=reference),
        width=SIZE,
        height=SIZE,
        frames=slice(0, 1),
    )
    image = ReferenceImage(image=picture.frames[0], person=picture.track, mask=picture.mask[0])
    references = ReferenceSet(images=(image,), proportions=estimate_proportions((picture.track,)))
    driving = render(
        sample_actor(seed + 1),
        sample_performance(seed + 1, num_frames=NUM_FRAMES, framing=driver),
        sample_scene(seed + 1, framing=driver),
        width=SIZE,
        height=SIZE,
    )
    wanted = head_to_shoulders(picture.track)[0]
    drawn = head_to_shoulders(retarget(driving.track, references))
    return float((drawn / wanted - 1).abs().median()) * 100


def head_to_shoulders(track: PersonTrack) -> Tensor:
    """[T] radius of the head over the distance between the shoulders, both in 3D."""
    joints = track.body.joints
    return track.head.radius_px / (joints[:, JOINT["left_shoulder"]] - joints[:, JOINT["right_shoulder"]]).norm(dim=-1)
