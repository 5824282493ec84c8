"""Scores of a video of real people: what perception finds in it against what it finds in the truth.

Perception errs on both sides, so these numbers are never zero; they compare methods, not with the judge's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dreamactor.evaluation.clip import Found
from dreamactor.evaluation.lip_sync import lip_sync
from dreamactor.evaluation.tracks import head_errors_deg, joint_errors
from dreamactor.geometry.skeleton import FACE_POINT, JOINT
from dreamactor.guidance.face_crop import normalize_landmarks
from dreamactor.types.track import PersonTrack

_FEET = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "heel", "toe")]
_UPPER, _LOWER = FACE_POINT["lip_inner_2"], FACE_POINT["lip_inner_6"]
_LIDS = {"left": ("left_eye_1", "left_eye_5"), "right": ("right_eye_1", "right_eye_5")}
ONLY_ACTORS = {
    "actor_perceptual": "the judge knows drawn actors only",
    "identity_rank1": "the judge knows drawn actors only",
    "identity_likeness": "the judge knows drawn actors only",
    "drift_identity": "the judge knows drawn actors only",
}


def mouth_opening(track: PersonTrack) -> Tensor:
    """[T] gap between the lips in face heights."""
    points = normalize_landmarks(track.face, track.head)
    return (points[:, _LOWER] - points[:, _UPPER]).norm(dim=-1)


def lid_opening(track: PersonTrack) -> Tensor:
    """[T, 2] gap between the lids of the left and the right eye, in face heights."""
    points = normalize_landmarks(track.face, track.head)
    gaps = [(points[:, FACE_POINT[a]] - points[:, FACE_POINT[b]]).norm(dim=-1) for a, b in _LIDS.values()]
    return torch.stack(gaps, dim=-1)


def compare_tracks(made: PersonTrack, truth: PersonTrack) -> Found:
    """Scores a perceived track against the perceived truth of the same frames.

    The expression error is the mean distance of pose-normalised face points, in face heights.
    """
    found = Found(missing=dict(ONLY_ACTORS))
    error = joint_errors(made, truth) * 100
    body = [index for index in range(error.shape[1]) if index not in _FEET]
    found.put("joint_error_body", float(error[:, body].nanmean()), "no body was found in both")
    found.put("joint_error_feet", float(error[:, _FEET].nanmean()), "no feet were found in both")
    found.series["joint_error_body"] = error[:, body].nanmean(dim=1).tolist()
    found.put("joint_error_hands", _hand_error(made, truth), "no hand was found in both")
    turned = head_errors_deg(made, truth)
    found.put("head_yaw_error", float(turned[:, 0].nanmean()), "no head was found in both")
    found.put("head_angle_error", float(turned.nanmean()), "no head was found in both")
    faces = made.face.tracked & truth.face.tracked
    apart = (normalize_landmarks(made.face, made.head) - normalize_landmarks(truth.face, truth.head)).norm(dim=-1)
    found.put("expression_error", float(apart[faces].mean()), "no face was found in both")
    found.series["expression_error"] = apart.mean(dim=1).masked_fill(~faces, torch.nan).tolist()
    lids = (lid_opening(made) - lid_opening(truth)).abs()
    found.put("lid_error", float(lids[faces].mean()), "no face was found in both")
    sync = lip_sync(mouth_opening(made), mouth_opening(truth), faces)
    why = "the truth's mouth hardly moves" if bool(faces.any()) else "no face was found in both"
    found.put("lip_correlation", sync.correlation, why)
    found.put("lip_offset_frames", sync.offset_frames, why)
    return found


def _hand_error(made: PersonTrack, truth: PersonTrack) -> float:
    """Mean distance of the hands' joints in percent of the truth's torso; NaN where no hand was found in both."""
    torso = (truth.body.joints[:, JOINT["neck"], :2] - truth.body.joints[:, JOINT["pelvis"], :2]).norm(dim=-1).clamp(min=1)
    apart = (made.hands.joints[..., :2] - truth.hands.joints[..., :2]).norm(dim=-1).mean(dim=-1) / torso[:, None]  # [T, 2]
    both = made.hands.tracked & truth.hands.tracked
    return float(apart[both].mean() * 100)
