"""How an actor is built, and where its joints are when it performs.

World axes: x to the image right, y up, z to the viewer; metres. An actor at yaw 0 faces the viewer, so its left side is at
positive x.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors.expression import FaceShape
from dreamactor.data.actors.motion import Performance
from dreamactor.geometry.rotation import axis_rotation

Style = Literal["near_human", "toy", "big_head", "creature"]
STYLES: Final[tuple[Style, ...]] = ("near_human", "toy", "big_head", "creature")


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyShape:
    """Lengths in metres; girth scales radii, not lengths. `top`: how far what is on the head reaches above its middle, in
    head radii: cameras leave room for it."""

    head_radius: float
    neck: float
    torso: float
    shoulder_half: float
    hip_half: float
    upper_arm: float
    forearm: float
    hand: float
    thigh: float
    shin: float
    foot: float
    girth: float
    limb_girth: float
    top: float = 1.12

    @property
    def leg(self) -> float:
        return self.thigh + self.shin


@dataclass(frozen=True, kw_only=True, slots=True)
class Joints:
    """Joint places and frames of one performance.

    Attributes:
        place: joint name -> [T, 3] world metres.
        frame: segment name -> [T, 3, 3] rotation whose columns are the segment's own axes (x person's left, y up along
            the segment at rest, z front).
        fingers: [T, 2, 5, 4, 3] knuckle to tip of thumb..little, left hand first.
    """

    place: dict[str, Tensor]
    frame: dict[str, Tensor]
    fingers: Tensor


def sample_body(rng: np.random.Generator, style: Style) -> BodyShape:
    """A body between toddler and giant; toys have larger heads and shorter limbs."""
    age = float(rng.choice((0.25, 0.55, 1.0), p=(0.08, 0.17, 0.75)))
    height = {0.25: 0.95, 0.55: 1.35, 1.0: 1.72}[age] * float(rng.normal(1, 0.06))
    heads = {0.25: 4.6, 0.55: 5.6, 1.0: 6.7}[age] * float(rng.normal(1, 0.05))
    if style == "toy":
        heads = max(heads * float(rng.uniform(0.66, 0.84)), 3.6)
    head_radius = height / heads / 2
    below = height - 2 * head_radius
    legs = float(np.clip(rng.normal(0.545, 0.025), 0.48, 0.61)) * below
    torso = float(np.clip(rng.normal(0.335, 0.015), 0.29, 0.38)) * below
    arm = float(np.clip(rng.normal(1.0, 0.06), 0.84, 1.18))
    broad = float(np.clip(rng.normal(1.0, 0.09), 0.8, 1.25))
    return BodyShape(
        head_radius=head_radius,
        neck=0.055 * below + (0.0 if style == "near_human" else 0.01 * below),
        torso=torso,
        shoulder_half=0.128 * below * broad,
        hip_half=0.062 * below * float(rng.normal(1, 0.07)),
        upper_arm=0.196 * below * arm,
        forearm=0.170 * below * arm,
        hand=0.115 * below * float(rng.normal(1, 0.06)) * (1.12 if style == "toy" else 1.0),
        thigh=0.51 * legs,
        shin=0.45 * legs,
        foot=0.155 * below * float(rng.normal(1, 0.06)),
        girth=float(np.clip(rng.normal(1.0, 0.14), 0.75, 1.5)),
        limb_girth=float(np.clip(rng.normal(1.0, 0.12), 0.75, 1.4)) * (1.2 if style == "toy" else 1.0),
    )


def sample_face_shape(rng: np.random.Generator, style: Style) -> FaceShape:
    """A face; toys have larger eyes set lower."""

    def near(value: float, spread: float) -> float:
        return value * float(np.clip(rng.normal(1, spread), 1 - 2 * spread, 1 + 2 * spread))

    face_half_width = near(0.72, 0.05)
    shape = FaceShape(
        eye_x=near(0.295, 0.05),
        eye_y=-0.02 + float(rng.normal(0, 0.025)),
        eye_half_width=near(0.150, 0.08),
        eye_height=near(0.120, 0.14),
        eye_slant=float(rng.normal(0.01, 0.014)),
        iris_radius=near(0.066, 0.08),
        brow_y=0.185 + float(rng.normal(0, 0.02)),
        brow_half_width=near(0.175, 0.08),
        brow_arch=near(0.045, 0.4),
        brow_thickness=near(0.034, 0.3),
        nose_y=-0.36 + float(rng.normal(0, 0.025)),
        nose_width=near(0.125, 0.14),
        nose_length=near(0.15, 0.25),
        mouth_y=-0.60 + float(rng.normal(0, 0.02)),
        mouth_half_width=near(0.235, 0.10),
        upper_lip=near(0.055, 0.25),
        lower_lip=near(0.070, 0.25),
        face_half_width=face_half_width,
        jaw_half_width=near(0.60, 0.07),
        hairline_y=near(0.62, 0.08),
    )
    if style == "toy":
        bigger = float(rng.uniform(1.25, 1.55))
        shape = replace(
            shape,
            eye_half_width=shape.eye_half_width * bigger,
            eye_height=shape.eye_height * bigger * 1.2,
            iris_radius=shape.iris_radius * bigger * 1.1,
            eye_x=shape.eye_x * 1.12,
            eye_y=shape.eye_y - 0.04,
            brow_y=shape.brow_y + 0.07,
            face_half_width=shape.face_half_width * 1.13,
            jaw_half_width=shape.jaw_half_width * 1.12,
        )
    return shape


def _arm_rotation(performance: Performance, side: str) -> Tensor:
    sign = 1.0 if side == "left" else -1.0
    raise_, forward, twist = (torch.deg2rad(performance.channel(f"{side}_{name}")) for name in ("raise", "forward", "twist"))
    turn = axis_rotation("z", sign * raise_) @ axis_rotation("x", -forward)
    return turn @ axis_rotation("y", -sign * twist)


def _leg_rotation(performance: Performance, side: str) -> Tensor:
    sign = 1.0 if side == "left" else -1.0
    out, forward, turn = (
        torch.deg2rad(performance.channel(f"{side}_{name}")) for name in ("hip_out", "hip_forward", "hip_turn")
    )
    return axis_rotation("z", sign * out) @ axis_rotation("x", -forward) @ axis_rotation("y", sign * turn)


def pose_body(body: BodyShape, performance: Performance) -> Joints:
    """Forward kinematics: who is built like `body` performs; the lowest foot stands on the floor (y = 0) plus `lift`."""
    num_frames = performance.num_frames
    root = performance.rotation("root")
    spine = performance.rotation("spine")
    half_pitch = torch.deg2rad(performance.channel("spine_pitch")) / 2
    waist = root @ axis_rotation("x", half_pitch)
    chest = root @ spine
    head = chest @ performance.rotation("head")

    def vector(x: float, y: float, z: float) -> Tensor:
        return torch.tensor([x, y, z])

    place: dict[str, Tensor] = {}
    frame: dict[str, Tensor] = {"root": root, "waist": waist, "chest": chest, "head": head}
    pelvis = torch.zeros(num_frames, 3)
    place["pelvis"] = pelvis
    place["belly"] = pelvis + root @ vector(0, 0.18 * body.torso, 0)
    place["waist"] = pelvis + waist @ vector(0, 0.42 * body.torso, 0.01 * body.torso)
    place["chest"] = place["waist"] + chest @ vector(0, 0.33 * body.torso, 0)
    place["neck"] = place["waist"] + chest @ vector(0, 0.58 * body.torso, 0)
    place["throat"] = place["neck"] + chest @ vector(0, 0.03 * body.torso, 0)
    lean = (chest + head) / 2
    place["skull"] = place["throat"] + lean @ vector(0, body.neck, 0.02 * body.torso)
    place["head"] = place["skull"] + head @ vector(0, 0.86 * body.head_radius, 0.06 * body.head_radius)
    place["nose"] = place["head"] + head @ vector(0, -0.30 * body.head_radius, 0.98 * body.head_radius)
    fingers = []
    for side, sign in (("left", 1.0), ("right", -1.0)):
        lifted = _SHRUG * body.shoulder_half * performance.channel(f"{side}_shrug")
        shoulder = place["neck"] + chest @ vector(sign * body.shoulder_half, 0, 0) + chest[..., 1] * lifted[:, None]
        upper = chest @ _arm_rotation(performance, side)
        elbow = shoulder + upper @ vector(0, -body.upper_arm, 0)
        bend = torch.deg2rad(performance.channel(f"{side}_elbow"))
        lower = upper @ axis_rotation("x", -bend)
        wrist = elbow + lower @ vector(0, -body.forearm, 0)
        hand_bend, hand_roll = (torch.deg2rad(performance.channel(f"{side}_hand_{name}")) for name in ("bend", "roll"))
        palm = lower @ axis_rotation("y", sign * hand_roll) @ axis_rotation("z", sign * hand_bend)
        place |= {f"{side}_shoulder": shoulder, f"{side}_elbow": elbow, f"{side}_wrist": wrist}
        frame |= {f"{side}_upper_arm": upper, f"{side}_forearm": lower, f"{side}_hand": palm}
        place[f"{side}_ear"] = place["head"] + head @ vector(sign * 0.76 * body.head_radius, 0, -0.06 * body.head_radius)
        fingers.append(_pose_fingers(body, performance, side, wrist, palm))
        hip = pelvis + root @ vector(sign * body.hip_half, 0, 0)
        thigh = root @ _leg_rotation(performance, side)
        knee = hip + thigh @ vector(0, -body.thigh, 0)
        shin = thigh @ axis_rotation("x", torch.deg2rad(performance.channel(f"{side}_knee")))
        ankle = knee + shin @ vector(0, -body.shin, 0)
        level = torch.deg2rad(performance.channel(f"{side}_hip_forward") - performance.channel(f"{side}_knee")).clamp(
            -0.6, 0.6
        )
        foot = shin @ axis_rotation("x", level + torch.deg2rad(performance.channel(f"{side}_foot")))
        foot = foot @ axis_rotation("z", sign * torch.deg2rad(performance.channel(f"{side}_foot_roll")))
        place |= {
            f"{side}_hip": hip,
            f"{side}_knee": knee,
            f"{side}_ankle": ankle,
            f"{side}_heel": ankle + foot @ vector(0, -0.24 * body.foot, -0.22 * body.foot),
            f"{side}_toe": ankle + foot @ vector(sign * 0.05 * body.foot, -0.26 * body.foot, 0.68 * body.foot),
        }
        frame |= {f"{side}_thigh": thigh, f"{side}_shin": shin, f"{side}_foot": foot}
    lowest = torch.stack([place[f"{s}_{p}"][:, 1] for s in ("left", "right") for p in ("heel", "toe")]).amin(dim=0)
    sole = 0.08 * body.foot
    travel = body.leg * torch.stack(
        [performance.channel("travel_x"), performance.channel("lift"), performance.channel("travel_z")], dim=-1
    )
    shift = travel - torch.stack([torch.zeros_like(lowest), lowest - sole, torch.zeros_like(lowest)], dim=-1)
    place = {name: where + shift for name, where in place.items()}
    return Joints(place=place, frame=frame, fingers=torch.stack(fingers, dim=1) + shift[:, None, None, None])


_SHRUG = 0.38
"""How far a full shrug lifts a shoulder, in half shoulder widths."""
_FINGERS = ("thumb", "index", "middle", "ring", "little")
_FINGER_ROOT = ((0.30, 0.20), (0.24, 0.50), (0.08, 0.53), (-0.08, 0.50), (-0.22, 0.44))
"""Knuckles of thumb..little in hand lengths: towards the front edge of the palm (z), and down the hand."""
_FINGER_LENGTH = (0.36, 0.42, 0.47, 0.43, 0.34)
_FINGER_FAN_DEG = (52.0, 10.0, 2.0, -6.0, -14.0)
_FINGER_SPLAY_DEG = (0.0, 12.0, -5.0, -10.0, -16.0)
_THUMB_ACROSS_DEG = 75.0


def _pose_fingers(body: BodyShape, performance: Performance, side: str, wrist: Tensor, palm: Tensor) -> Tensor:
    """Five fingers of one hand, [T, 5, 4, 3]. The palm faces the body (inward), the thumb edge points to the front."""
    sign = 1.0 if side == "left" else -1.0
    spread, splay = performance.channel(f"{side}_spread"), performance.channel(f"{side}_splay")
    across = torch.deg2rad(_THUMB_ACROSS_DEG * performance.channel(f"{side}_thumb_across"))
    chains = []
    for index, (finger, (front, down), length) in enumerate(zip(_FINGERS, _FINGER_ROOT, _FINGER_LENGTH, strict=True)):
        curl = performance.channel(f"{side}_curl") + performance.channel(f"{side}_{finger}_curl")
        root = wrist + palm @ (body.hand * torch.tensor([0.0, -down, front * 0.9]))
        fan = torch.deg2rad(_FINGER_FAN_DEG[index] * (0.4 + 0.6 * spread) + _FINGER_SPLAY_DEG[index] * splay)
        turn = palm @ axis_rotation("x", -fan)
        if finger == "thumb":
            turn = palm @ axis_rotation("y", -sign * across) @ axis_rotation("x", -fan)
        points = [root]
        for joint in range(3):
            bend = curl * (1.25 if index else 0.55) + 0.06 * (joint + 1)
            turn = turn @ axis_rotation("z", -sign * bend)
            points.append(
                points[-1] + turn @ (torch.tensor([0.0, -1.0, 0.0]) * body.hand * length * (0.42, 0.32, 0.26)[joint])
            )
        chains.append(torch.stack(points, dim=1))
    return torch.stack(chains, dim=1)
