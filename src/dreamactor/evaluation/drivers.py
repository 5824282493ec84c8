"""How much of a real driver's motion arrives in what a model made of it: what perception saw in the driver against what a
reader of drawn actors reads in the output.

Driver and output show different people, so openings and turns are compared by their correlation over time, limbs by the
angle between their directions in the picture. Does not know who made the video, nor who reads it; touches no files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dreamactor.evaluation.clip import Found
from dreamactor.evaluation.coefficients import pick
from dreamactor.evaluation.judge import face_shows
from dreamactor.evaluation.lip_sync import LEAST_FRAMES
from dreamactor.evaluation.perceived import lid_opening, mouth_opening
from dreamactor.evaluation.scores import Metric
from dreamactor.evaluation.tracks import SURE
from dreamactor.geometry.skeleton import JOINT
from dreamactor.types.track import PersonTrack

DRIVER_METRICS: Final = {
    "jaw_correlation": Metric(label="jaw correlation", unit="", better="higher"),
    "lid_correlation": Metric(label="lid correlation", unit="", better="higher"),
    "yaw_correlation": Metric(label="yaw correlation", unit="", better="higher"),
    "limb_angle_deg": Metric(label="limb angle", unit="degrees", better="lower"),
}
"""In the order of reports."""
LEAST_JAW, LEAST_LID, LEAST_YAW_DEG = 0.01, 0.005, 3.0
"""Standard deviations over time, as perceived in the driver, below which a mouth or lid (face heights) or a head (degrees)
counts as still: a correlation would be one of perception's jitter."""
LEAST_MADE, LEAST_MADE_YAW_DEG = 0.01, 0.5
"""The same as read off the output, of a jaw or lid (0 shut, 1 open) and of a head: below them nothing arrived, and the
correlation is 0 instead of one of the judge's jitter."""
LIMBS: Final = {
    f"{side}_{limb}": (JOINT[f"{side}_{start}"], JOINT[f"{side}_{end}"])
    for side in ("left", "right")
    for limb, start, end in (
        ("upper_arm", "shoulder", "elbow"),
        ("forearm", "elbow", "wrist"),
        ("thigh", "hip", "knee"),
        ("shin", "knee", "ankle"),
    )
}
"""Limb -> its joints. They have the same places in tracks and in the points that are read."""
LEAST_DRAWN: Final = 0.25
"""A limb drawn shorter than this share of its length points at the camera and has no direction in the picture."""


def score_driver(
    driving: PersonTrack,
    placed: PersonTrack,
    *,
    points: Tensor,
    angles_rad: Tensor,
    expression: Tensor,
    coefficients: Sequence[str],
) -> Found:
    """Scores an output against its driver.

    Args:
        driving: what perception saw in the driver.
        placed: the same motion where the output is meant to show it, in the output's pixels.
        points: [T, P, 2] pixels read off the output; the first ones are the body's joints.
        angles_rad: [T, 3] yaw, pitch, roll read off the output.
        expression: [T, E] read off the output.
        coefficients: what each of the E columns is.
    """
    found = Found()
    faces, heads = faces_judged(driving, placed), heads_judged(driving, placed)
    jaw = pick(expression, coefficients, ("jaw_open",))[:, 0]
    found.put("jaw_correlation", *follows(jaw, mouth_opening(driving), faces, _JAW))
    openings = 1 - pick(expression, coefficients, ("blink_left", "blink_right"))
    lids = lid_opening(driving)
    eyes = [follows(openings[:, eye], lids[:, eye], faces, _LID) for eye in range(2)]
    moving = [value for value, _ in eyes if math.isfinite(value)]
    why = "; ".join(dict.fromkeys(reason for _, reason in eyes))
    found.put("lid_correlation", sum(moving) / len(moving) if moving else math.nan, why)
    turned, goal = (torch.rad2deg(_wrapped(angles[:, 0])) for angles in (angles_rad, driving.head.angles_rad))
    found.put("yaw_correlation", *follows(turned, goal, heads, _HEAD))
    _put_limbs(found, driving, placed, points)
    return found


def score_still(driving: PersonTrack, placed: PersonTrack, *, points: Tensor) -> Found:
    """What a picture that does not move would get: the limbs alone (a still face correlates with nothing).

    Args:
        driving, placed: as above.
        points: [P, 2] pixels read off the picture.
    """
    found = Found()
    _put_limbs(found, driving, placed, points.expand(driving.num_frames, -1, -1))
    return found


def _put_limbs(found: Found, driving: PersonTrack, placed: PersonTrack, points: Tensor) -> None:
    angles = limb_angles_deg(driving, placed, points)
    found.put("limb_angle_deg", float(angles.nanmedian()), "no limb is seen in the driver and lies in the output's picture")
    found.series["limb_angle_deg"] = angles.nanmedian(dim=1).values.tolist()


@dataclass(frozen=True, kw_only=True, slots=True)
class Motion:
    """What is followed over time.

    Attributes:
        name: for people.
        unit: of the driver's side.
        least, least_made: standard deviations below which driver and output count as still.
        shown: when a frame counts, for people.
    """

    name: str
    unit: str
    least: float
    least_made: float
    shown: str


_FACE_SHOWN: Final = "is turned to the camera and large enough in driver and output"
_JAW: Final = Motion(name="mouth", unit="face heights", least=LEAST_JAW, least_made=LEAST_MADE, shown=_FACE_SHOWN)
_LID: Final = Motion(name="lid", unit="face heights", least=LEAST_LID, least_made=LEAST_MADE, shown=_FACE_SHOWN)
_HEAD: Final = Motion(
    name="head", unit="degrees", least=LEAST_YAW_DEG, least_made=LEAST_MADE_YAW_DEG,
    shown="is turned less than 90 degrees away and lies in the output's picture",
)  # fmt: skip


def follows(made: Tensor, goal: Tensor, shows: Tensor, motion: Motion) -> tuple[float, str]:
    """Correlation over time of two series [T] over the frames that show both [T] bool.

    Args:
        made: as read; the correlation is 0 where it hardly moves.
        goal: as perceived in the driver.
        shows: which frames count.
        motion: what it is.

    Returns:
        -1..1 and "", or NaN and why there is none.
    """
    count = int(shows.sum())
    if count < LEAST_FRAMES:
        return math.nan, f"the {motion.name} {motion.shown} in {count} frames, needed are {LEAST_FRAMES}"
    a, b = made[shows].double(), goal[shows].double()
    spread = float(b.std())
    if spread < motion.least:
        return math.nan, (
            f"the driver's {motion.name} hardly moves (standard deviation {spread:.2g}, needed is {motion.least:g} "
            f"{motion.unit})"
        )
    if float(a.std()) < motion.least_made:
        return 0.0, ""
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1]), ""


def faces_judged(driving: PersonTrack, placed: PersonTrack) -> Tensor:
    """[T] bool: the face was found in the driver, is turned to the camera, and is large enough there and in the output."""
    return driving.face.tracked & face_shows(driving) & face_shows(placed) & _head_inside(placed)


def heads_judged(driving: PersonTrack, placed: PersonTrack) -> Tensor:
    """[T] bool: the head is turned less than 90 degrees from the camera (no yaw jumps from 180 to -180 then), and its middle
    lies in the output's picture."""
    return driving.head.tracked & (driving.head.angles_rad[:, 0].cos() > 0) & _head_inside(placed)


def limb_angles_deg(driving: PersonTrack, placed: PersonTrack, points: Tensor) -> Tensor:
    """[T, L] angle in the picture, 0..180 degrees, between a limb's direction in the placed track and as read.

    NaN where perception was not sure of both ends in the driver, where one of them lies outside the output's picture, and
    where the limb points at the camera.

    Args:
        driving: what perception saw.
        placed: the same in the output's pixels.
        points: [T, P, 2] pixels as read.
    """
    starts, ends = ([pair[k] for pair in LIMBS.values()] for k in (0, 1))
    joints = placed.body.joints
    goal, made = joints[:, ends] - joints[:, starts], points[:, ends] - points[:, starts]
    size = torch.tensor([placed.width, placed.height], dtype=torch.float32)
    inside = ((joints[..., :2] >= 0) & (joints[..., :2] < size)).all(dim=-1)
    judged = inside & (driving.body.confidence > SURE) & driving.body.tracked[:, None]
    drawn = goal[..., :2].norm(dim=-1) > LEAST_DRAWN * goal.norm(dim=-1)
    x, y = goal[..., 0], goal[..., 1]
    across, along = x * made[..., 1] - y * made[..., 0], x * made[..., 0] + y * made[..., 1]
    angle = torch.rad2deg(torch.atan2(across.abs(), along))
    return angle.masked_fill(~(judged[:, starts] & judged[:, ends] & drawn), torch.nan)


def _head_inside(track: PersonTrack) -> Tensor:
    """[T] bool, the middle of the head lies in the picture."""
    x, y, _ = track.head.center.unbind(dim=-1)
    return (x >= 0) & (x < track.width) & (y >= 0) & (y < track.height)


def _wrapped(angle_rad: Tensor) -> Tensor:
    """The same angle in -pi..pi."""
    return torch.atan2(angle_rad.sin(), angle_rad.cos())
