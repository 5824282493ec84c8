"""Does motion survive the way through a joint file? Exact tracks of held-out actors, said in every layout and read again.

What a layout carries must come back unchanged; head pose, head size and missing face points are derived where a file has no
`head_*` keys, from points in metres, in pixels with depth, or in pixels alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor

from dreamactor.data.actors import (
    FIRST_HELD_OUT_SEED,
    FRAMINGS,
    Framing,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import build_figure
from dreamactor.data.actors.scene import place_camera
from dreamactor.geometry.layouts import LAYOUTS
from dreamactor.perception.head import wrap
from dreamactor.perception.joint_export import joints_from_track
from dreamactor.perception.joint_import import track_from_joints
from dreamactor.perception.recording import JointRecording
from dreamactor.types.track import PersonTrack

NUM_ACTORS: Final = 36
NUM_FRAMES: Final = 25
SIZE: Final = 256
_FITTED: Final = ("coco_wholebody_133", "mediapipe_33", "mediapipe_553")
"""Layouts with a head to lay the mean head on, each with other points of it."""


def rows(report: Callable[[int, int | None], None]) -> list[dict[str, Any]]:
    """Per layout: what is carried (worst, 0 is the bar), and what is derived (median and 95th percentile)."""
    errors: dict[tuple[str, str], list[Tensor]] = defaultdict(list)
    for index in range(NUM_ACTORS):
        kind = "turn" if index % 3 == 0 else None
        track = _exact(FIRST_HELD_OUT_SEED + 100 + index, FRAMINGS[index // 3 % 3], kind)
        for layout in LAYOUTS:
            recording = joints_from_track(track, layout)
            errors[layout, "carried_worst_torso_percent"].append(_carried(recording, track))
            if layout in _FITTED:
                for known, less in _with_less(recording).items():
                    for metric, values in _derived(track_from_joints(less), track).items():
                        errors[f"{layout} {known}", metric].append(values)
        report(index + 1, NUM_ACTORS)
    found = []
    for (name, metric), parts in errors.items():
        values = torch.cat(parts)
        if metric.startswith("carried"):
            found.append({"set": name, "metric": metric, "value": float(values.max()), "n": len(values)})
        elif len(values):
            found += [
                {"set": name, "metric": f"{metric}_{label}", "value": float(values.quantile(share)), "n": len(values)}
                for label, share in (("median", 0.5), ("p95", 0.95))
            ]
    return found


def _exact(seed: int, framing: Framing, kind: str | None) -> PersonTrack:
    actor, performance = sample_actor(seed), sample_performance(seed, num_frames=NUM_FRAMES, framing=framing, kind=kind)
    figure = build_figure(actor, performance)
    scene = sample_scene(seed, framing=framing)
    camera = place_camera(scene, actor.body, figure.joints, framing, width=SIZE, height=SIZE)
    return exact_track(actor, figure, performance, camera, width=SIZE, height=SIZE)


def _carried(recording: JointRecording, track: PersonTrack) -> Tensor:
    """[T] percent of the torso: the worst of all points that the layout carries, said, read, and said again."""
    again = joints_from_track(track_from_joints(recording), recording.layout)
    both = (recording.confidence > 0) & (again.confidence > 0)
    torso = (track.body.joints[:, 0] - track.body.joints[:, 1]).norm(dim=-1).clamp_min(1.0)
    apart = (recording.pixels - again.pixels)[..., :2].norm(dim=-1) * both
    return apart.amax(1) / torso * 100


def _with_less(recording: JointRecording) -> dict[str, JointRecording]:
    """The same as files say it that know less and less."""
    nowhere = torch.zeros_like(recording.head_rotated)
    headless = replace(recording, head_rotated=nowhere, head_placed=nowhere)
    no_metres = replace(headless, in_metres=torch.zeros_like(recording.in_metres))
    flat = replace(no_metres, has_depth=False, pixels=recording.pixels * torch.tensor([1.0, 1.0, 0.0]))
    return {"metres": headless, "depth": no_metres, "flat": flat}


def _derived(made: PersonTrack, truth: PersonTrack) -> dict[str, Tensor]:
    turned = wrap(made.head.angles_rad - truth.head.angles_rad).abs().rad2deg()
    radius = truth.head.radius_px
    both = made.face.tracked & truth.face.tracked
    face = (made.face.landmarks - truth.face.landmarks)[..., :2].norm(dim=-1).amax(1) / radius
    return {
        "yaw_deg": turned[:, 0],
        "pitch_deg": turned[:, 1],
        "roll_deg": turned[:, 2],
        "head_middle_radius_percent": (made.head.center - truth.head.center)[:, :2].norm(dim=-1) / radius * 100,
        "head_radius_percent": (made.head.radius_px / radius - 1).abs() * 100,
        "worst_face_point_radius_percent": face[both] * 100,
    }
