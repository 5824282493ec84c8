"""A `PersonTrack` -> `JointRecording`: what of a track a layout can say. What it cannot say is left out, and the rest of the
layout's points are missing."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

import torch
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.geometry.layouts import LAYOUTS, hand_points
from dreamactor.geometry.rotation import angles_to_matrix, view_from_pixels
from dreamactor.geometry.skeleton import BODY_JOINTS, FACE_POINTS, HANDS
from dreamactor.perception.head_fit import mean_head
from dreamactor.perception.recording import JointRecording
from dreamactor.types.track import PersonTrack

_SAME_AS: Final = {
    "mouth_left": "face/lip_outer_6", "mouth_right": "face/lip_outer_0",
    **{f"{side}_{name}": source.format(side=side) for side in HANDS for name, source in {
        "big_toe": "{side}_toe", "foot_index": "{side}_toe", "foot": "{side}_toe",
        "eye_inner": "face/{side}_eye_3", "eye_outer": "face/{side}_eye_0",
        "little_knuckle": "{side}_hand/little_mcp", "index_knuckle": "{side}_hand/index_mcp",
        "thumb_knuckle": "{side}_hand/thumb_mcp",
    }.items()},
}  # fmt: skip
"""Point of a layout -> our point that stands for it. A track's toe is the big one; the small one is missing."""

_NOT_OURS: Final = ("pelvis", "neck", "head")
"""Means of other points, which every reader makes itself."""


def joints_from_track(track: PersonTrack, layout: str) -> JointRecording:
    """Says a track in a layout.

    Raises:
        ConfigError: no such layout.
    """
    if layout not in LAYOUTS:
        close = get_close_matches(layout.lower(), LAYOUTS, n=1)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        raise ConfigError(f"Unknown layout '{layout}'.{hint} Known: {', '.join(LAYOUTS)}.")
    ours = _named(track)
    num_frames = track.num_frames
    nothing = (torch.zeros(num_frames, 3), torch.zeros(num_frames, 3), torch.zeros(num_frames), False)
    columns = [ours.get(_SAME_AS.get(name, name), nothing) for name in LAYOUTS[layout]]
    confidence = torch.stack([column[2] for column in columns], dim=1)
    in_metres = torch.tensor([column[3] for column in columns]) & (confidence > 0)
    present = (confidence > 0)[..., None]
    head = view_from_pixels(angles_to_matrix(track.head.angles_rad).transpose(1, 2)).transpose(1, 2)
    known = track.head.tracked
    return JointRecording(
        layout=layout, width=track.width, height=track.height, times=track.times,
        pixels=torch.stack([column[0] for column in columns], dim=1) * present,
        metres=torch.stack([column[1] for column in columns], dim=1) * in_metres[..., None],
        confidence=confidence, in_metres=in_metres, has_depth=True, px_per_m=None,
        head_rotation=torch.where(known[:, None, None], head, torch.eye(3)), head_rotated=known,
        head_center=track.head.center * known[:, None], head_radius=track.head.radius_px * known, head_placed=known,
        cut=track.cut, source=track.source,
    )  # fmt: skip


def _named(track: PersonTrack) -> dict[str, tuple[Tensor, Tensor, Tensor, bool]]:
    """Our points by name: pixels [T, 3], metres [T, 3], confidence [T], whether metres are known."""
    named: dict[str, tuple[Tensor, Tensor, Tensor, bool]] = {}
    no_metres = torch.zeros(track.num_frames, 3)
    for index, name in enumerate(BODY_JOINTS):
        if name not in _NOT_OURS:
            sure = track.body.confidence[:, index] * track.body.tracked
            named[name] = (track.body.joints[:, index], track.body.joints_m[:, index], sure, True)
    for side, hand in enumerate(HANDS):
        tracked = track.hands.tracked[:, side].float()
        for index, name in enumerate(hand_points(hand)):
            named[name] = (track.hands.joints[:, side, index], no_metres, tracked, False)
    depth = _face_depth(track)
    for index, name in enumerate(FACE_POINTS):
        place = track.face.landmarks[:, index].clone()
        place[:, 2] += depth
        named[f"face/{name}"] = (place, no_metres, track.face.tracked.float(), False)
    for eye in ("left_eye", "right_eye"):  # the eye, not the iris: it must not turn with the gaze
        middle = torch.stack([named[f"face/{eye}_{i}"][0] for i in range(6)]).mean(0)
        named[eye] = (middle, no_metres, track.face.tracked.float(), False)
    return named


def _face_depth(track: PersonTrack) -> Tensor:
    """[T] depth of the middle of the face points, which a track does not say: where it is on the mean head."""
    middle = mean_head([f"face/{name}" for name in FACE_POINTS]).mean(0)
    before = view_from_pixels(angles_to_matrix(track.head.angles_rad) @ middle) * track.head.radius_px[:, None]
    return track.head.center[:, 2] + before[:, 2]
