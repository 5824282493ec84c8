"""Is the adjusted skeleton that of the character doing what the driver does?

Truth: the character itself, performing the driver's performance (see `data/pairs.py`). What the adjustment gets is the
driver's track and one picture of the character standing, both exact or both perceived. Joints from the neck down are
compared as they are drawn, about the pelvis: distance on the canvas in percent of the truth's torso, median over joints
and frames of all clips of a set. `3d` adds depth. `unadjusted` is the driver's track enlarged by the factor that fits the
truth best; `driving_proportions` is what a user gets who asks for that, placed and sized by the reference as the adjusted
one is. Clips in which nobody was found are counted, and have exact rows alone.

Clips with touching arms are a set apart, because the truth does not keep touches: there `touch` rows say how far (percent
of the torso) the distance of a wrist to the other arm is from the driver's, where the driver's wrist touches it, with
exact tracks: with bone directions alone, and as it is done.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from typing import Any, Final

import torch
from torch import Tensor

from dreamactor.data.actors import FIRST_HELD_OUT_SEED
from dreamactor.data.pairs import DrawnPair, draw_pair, find_pairs
from dreamactor.errors import NoPersonError
from dreamactor.geometry.skeleton import BODY_JOINTS, JOINT
from dreamactor.guidance.bone_length import adjust_bone_lengths, estimate_proportions
from dreamactor.guidance.contacts import TOUCH
from dreamactor.guidance.perspective import find_perspective, flatten_track
from dreamactor.guidance.retarget import RetargetOptions, retarget
from dreamactor.perception.base import PersonEstimator
from dreamactor.perception.build import build_estimator
from dreamactor.perception.perceive import perceive_image, perceive_video
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.track import PersonTrack

SETS: Final = {"differ <20 %": (0.0, 0.2), "differ 20-50 %": (0.2, 0.5), "differ >50 %": (0.5, 0.9)}
"""By `build_difference`: the mean over limbs, shoulders and hips of how many percent longer or shorter they are."""
FREE_KINDS: Final = ("dance", "gesture", "walk", "turn", "kick", "bow", "wave", "dance")
TOUCH_KINDS: Final = ("arms_cross", "arms_cross")
NUM_FRAMES: Final = 24
FIRST_SEED: Final = FIRST_HELD_OUT_SEED + 20_000

_DRAWN: Final = [JOINT[name] for name in BODY_JOINTS if name not in ("pelvis", "head", "nose", "left_ear", "right_ear")]
_FEET: Final = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("heel", "toe")]


def rows(report: Callable[[int, int | None], None]) -> list[dict[str, Any]]:
    """Per set of builds, with and without touches: errors of the exact and the perceived row, adjusted or not."""
    total = len(SETS) * (len(FREE_KINDS) + len(TOUCH_KINDS))
    found: list[dict[str, Any]] = []
    done = 0
    with closing(build_estimator("mediapipe")) as follower, closing(build_estimator("mediapipe", static=True)) as looker:
        for place, (name, (least, most)) in enumerate(SETS.items()):
            kinds = (*FREE_KINDS, *TOUCH_KINDS)
            pairs = find_pairs(len(kinds), least=least, most=most, first_seed=FIRST_SEED + 1000 * place)
            errors: dict[str, dict[str, list[Tensor]]] = {"": {}, ", touching": {}}
            for pair, kind in zip(pairs, kinds, strict=True):
                drawn = draw_pair(pair, kind=kind, num_frames=NUM_FRAMES)
                into = errors[", touching" if kind in TOUCH_KINDS else ""]
                for metric, error in _errors(drawn, follower, looker).items():
                    into.setdefault(metric, []).append(error)
                done += 1
                report(done, total)
            for suffix, metrics in errors.items():
                if metrics:
                    found += _summary(name + suffix, metrics)
    return found


def _errors(drawn: DrawnPair, follower: PersonEstimator, looker: PersonEstimator) -> dict[str, Tensor]:
    """Percent of the torso, by row."""
    exact = retarget(drawn.driving, _references(drawn.reference))
    errors = {"exact_floor": _floor_errors(exact, drawn.truth)}
    for suffix, axes in (("", 2), ("_3d", 3)):
        errors[f"exact{suffix}"] = skeleton_errors(exact, drawn.truth, axes=axes)
    errors |= _perceived_errors(drawn, follower, looker)
    flat = flatten_track(drawn.driving, find_perspective(drawn.driving))
    made = flatten_track(exact, find_perspective(drawn.reference))
    builds = [estimate_proportions((track,)) for track in (drawn.driving, drawn.reference)]
    alone = adjust_bone_lengths(flat.body.joints, *builds)
    for name, joints in (("touch_directions_alone", alone), ("touch_kept", made.body.joints)):
        errors[name] = _touch_errors(joints, flat.body.joints)
    return errors


def _perceived_errors(drawn: DrawnPair, follower: PersonEstimator, looker: PersonEstimator) -> dict[str, Tensor]:
    """The rows of perceived tracks; none where the driver's video shows nobody to the estimator."""
    frames = ((frame, index) for index, frame in enumerate(drawn.frames))
    try:
        seen = perceive_video(frames, time_base=Fraction(1, 25), estimator=follower)
    except NoPersonError:
        return {}
    references = _references(perceive_image(drawn.picture, estimator=looker)[0])
    perceived = retarget(seen, references)
    own = retarget(seen, references, RetargetOptions(proportions=0.0))
    errors = {"perceived_floor": _floor_errors(perceived, drawn.truth)}
    for suffix, axes in (("", 2), ("_3d", 3)):
        errors[f"perceived{suffix}"] = skeleton_errors(perceived, drawn.truth, axes=axes)
        errors[f"driving_proportions{suffix}"] = skeleton_errors(own, drawn.truth, axes=axes)
        errors[f"unadjusted{suffix}"] = skeleton_errors(seen, drawn.truth, axes=axes, fit_scale=True)
        errors[f"perception_alone{suffix}"] = skeleton_errors(seen, drawn.driving, axes=axes, fit_scale=True)
    return errors


def _references(track: PersonTrack) -> ReferenceSet:
    image = torch.zeros(track.height, track.width, 3, dtype=torch.uint8)
    reference = ReferenceImage(image=image, person=track, mask=None)
    return ReferenceSet(images=(reference,), proportions=estimate_proportions((track,)))


def skeleton_errors(made: PersonTrack, truth: PersonTrack, *, axes: int, fit_scale: bool = False) -> Tensor:
    """[N] distances of drawn joints from the truth's, both about their pelvis, in percent of the truth's torso.

    Args:
        made: what was made; frames in which it is not tracked are left out.
        truth: of the same frames.
        axes: 2 for the canvas, 3 with depth.
        fit_scale: enlarge `made` by the one factor that fits best over the clip.
    """
    tracked = made.body.tracked
    torso = (truth.body.joints[:, JOINT["neck"]] - truth.body.joints[:, JOINT["pelvis"]]).norm(dim=-1).median()
    found, wanted = (
        (track.body.joints[tracked] - track.body.joints[tracked, :1])[:, _DRAWN, :axes] for track in (made, truth)
    )
    if fit_scale:
        found = found * ((found * wanted).sum() / found.square().sum().clamp_min(1e-6))
    return (found - wanted).norm(dim=-1).flatten() / torso * 100


def _floor_errors(made: PersonTrack, truth: PersonTrack) -> Tensor:
    """[T] how far the lowest foot is above or below where it should be on the canvas, in percent of the truth's torso."""
    torso = (truth.body.joints[:, JOINT["neck"]] - truth.body.joints[:, JOINT["pelvis"]]).norm(dim=-1).median()
    low = [track.body.joints[made.body.tracked][:, _FEET, 1].amax(dim=1) for track in (made, truth)]
    return (low[0] - low[1]).abs() / torso * 100


def _touch_errors(made: Tensor, driver: Tensor) -> Tensor:
    """[N] by how much wrists that touch the other arm are nearer to it or farther from it than the driver's, in percent."""
    errors = []
    for side, other in (("left", "right"), ("right", "left")):
        for joint in ("wrist", "elbow"):
            gaps = [
                (joints[:, JOINT[f"{side}_wrist"]] - joints[:, JOINT[f"{other}_{joint}"]]).norm(dim=-1)
                / (joints[:, JOINT["neck"]] - joints[:, JOINT["pelvis"]]).norm(dim=-1).clamp_min(1e-6)
                for joints in (made, driver)
            ]
            errors.append((gaps[0] - gaps[1]).abs()[gaps[1] < TOUCH] * 100)
    return torch.cat(errors)


def _summary(name: str, errors: dict[str, list[Tensor]]) -> list[dict[str, Any]]:
    found = []
    for metric, clips in errors.items():
        joined = torch.cat(clips)
        if joined.numel() == 0:
            continue
        for what, value in (("median", joined.median()), ("p90", joined.quantile(0.9))):
            found.append({"set": name, "metric": f"{metric}_{what}_percent", "value": float(value), "n": len(clips)})
    missed = len(errors["exact"]) - len(errors.get("perceived", []))
    found.append({"set": name, "metric": "not_found", "value": float(missed), "n": len(errors["exact"])})
    for suffix in ("", "_3d") if "perceived" in errors else ():
        medians = [torch.cat(errors[f"{row}{suffix}"]).median() for row in ("perceived", "unadjusted")]
        share = float(medians[0] / medians[1])
        found.append(
            {"set": name, "metric": f"perceived_over_unadjusted{suffix}", "value": share, "n": len(errors["perceived"])}
        )
    return found
