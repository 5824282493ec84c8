"""The actor as a list of round cones, each in a frame of its own that follows a joint.

A primitive is the union of all spheres between (0, 0, 0) with radius `radius_low` and (0, length, 0) with `radius_high`,
squashed by `scale` along its own axes. Its own axes are x to the person's left, y towards the head, z to the front.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors.body import BodyShape, Joints, Style, pose_body, sample_body, sample_face_shape
from dreamactor.data.actors.expression import FaceCurves, FaceShape, face_curves
from dreamactor.data.actors.motion import Performance
from dreamactor.data.actors.wardrobe import Look, sample_look
from dreamactor.geometry.rotation import axis_rotation, normalize

SKIN, FACE, HAIR, TOP, BOTTOM, SHOE, HAT, NECK = range(8)
"""Materials."""

NO_CLIP: Final = (-9.0, -9.0, -9.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Somebody no camera ever saw."""

    seed: int
    style: Style
    body: BodyShape
    face: FaceShape
    look: Look


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """All primitives of one actor over time.

    Attributes:
        rotation: [T, P, 3, 3] columns are the primitive's axes in the world.
        origin: [T, P, 3] world metres.
        scale: [P, 3] squash along the primitive's own axes.
        length, radius_low, radius_high: [P] before the squash, so the true length is scale y times `length`.
        material: [P] int64.
        cover: [P] share of the length, from the top, that is cloth (the rest is skin); above 1 all of it.
        offset: [P, 3] metres added to a primitive's own coordinates to get those of its material (head or torso).
        clip: [P, 3] hair line: lowest y (head units) kept at the front, side and back of the head.
    """

    rotation: Tensor
    origin: Tensor
    scale: Tensor
    length: Tensor
    radius_low: Tensor
    radius_high: Tensor
    material: Tensor
    cover: Tensor
    offset: Tensor
    clip: Tensor
    joints: Joints
    curves: FaceCurves


def sample_actor(seed: int, *, style: Style | None = None) -> Actor:
    """A random actor; equal seeds give equal actors on any machine.

    Args:
        seed: any non-negative integer; from `FIRST_HELD_OUT_SEED` on never used in training.
        style: "near_human" or "toy"; None draws one.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 0xAC70]))
    drawn: Style = "near_human" if rng.random() < 0.68 else "toy"
    style = style or drawn
    body = sample_body(rng, style)
    face = sample_face_shape(rng, style)
    look = sample_look(rng, fantasy=bool(rng.random() < (0.04 if style == "near_human" else 0.15)))
    return Actor(seed=seed, style=style, body=body, face=face, look=look)


class _Builder:
    """Collects primitives."""

    def __init__(self) -> None:
        self.rotation: list[Tensor] = []
        self.origin: list[Tensor] = []
        self.constants: list[tuple[float, ...]] = []
        self.material: list[int] = []
        self.clip: list[tuple[float, float, float]] = []

    def add(
        self,
        rotation: Tensor,
        origin: Tensor,
        *,
        length: float = 0.0,
        low: float,
        high: float | None = None,
        scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
        material: int,
        cover: float = 0.0,
        offset: tuple[float, float, float] = (0.0, 0.0, 0.0),
        clip: tuple[float, float, float] = NO_CLIP,
    ) -> None:
        self.rotation.append(rotation)
        self.origin.append(origin)
        high = low if high is None else high
        self.constants.append((*scale, length / scale[1], low, high, cover, *offset))
        self.material.append(material)
        self.clip.append(clip)

    def limb(self, frame: Tensor, start: Tensor, end: Tensor, *, at_end: float, at_start: float, **more: object) -> None:
        """A cone from `end` (its low side) to `start`, turned like `frame` about its own axis."""
        up = start - end
        length = float(up.norm(dim=-1).mean())
        self.add(_align(frame, up), end, length=length, low=at_end, high=at_start, **more)  # type: ignore[arg-type]


def _align(frame: Tensor, up: Tensor) -> Tensor:
    """[T, 3, 3] with y along `up` and x as near as can be to the frame's x."""
    y = normalize(up)
    x = frame[..., :, 0]
    x = normalize(x - (x * y).sum(-1, keepdim=True) * y)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


def build_figure(actor: Actor, performance: Performance) -> Figure:
    """Poses the actor and dresses it in primitives."""
    body, look = actor.body, actor.look
    joints = pose_body(body, performance)
    curves = face_curves(actor.face, performance.expression)
    build = _Builder()
    _add_torso(build, body, look, joints)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        _add_arm(build, body, look, joints, side)
        _add_leg(build, body, look, joints, side)
        _add_hand(build, body, joints, side, sign)
    _add_head(build, actor, joints, curves)
    constants = torch.tensor(build.constants)
    return Figure(
        rotation=torch.stack(build.rotation, dim=1),
        origin=torch.stack(build.origin, dim=1),
        scale=constants[:, 0:3],
        length=constants[:, 3],
        radius_low=constants[:, 4],
        radius_high=constants[:, 5],
        material=torch.tensor(build.material),
        cover=constants[:, 6],
        offset=constants[:, 7:10],
        clip=torch.tensor(build.clip),
        joints=joints,
        curves=curves,
    )


def _add_torso(build: _Builder, body: BodyShape, look: Look, joints: Joints) -> None:
    place, frame = joints.place, joints.frame
    depth = 0.66
    girth = body.girth
    hip_radius = (body.hip_half + 0.075 * body.torso) * 1.28 * (0.72 + 0.28 * girth)
    waist_radius = 0.235 * body.torso * (0.35 + 0.65 * girth) + 0.22 * body.shoulder_half
    chest_radius = 0.66 * body.shoulder_half + 0.12 * body.torso * girth
    bottom = TOP if look.lower == "dress" else BOTTOM
    build.add(
        frame["root"],
        place["pelvis"] - frame["root"] @ torch.tensor([0.0, 0.03 * body.torso, 0.0]),
        length=0.12 * body.torso,
        low=hip_radius * 0.98,
        high=hip_radius * 0.94,
        scale=(1, 0.9, depth + 0.08),
        material=bottom,
        cover=2,
        offset=(0, -0.03 * body.torso, 0),
    )
    build.add(
        _align(frame["waist"], place["waist"] - place["belly"]),
        place["belly"] - 0.02 * body.torso * frame["root"][..., 1],
        length=0.26 * body.torso,
        low=hip_radius * 0.93,
        high=waist_radius,
        scale=(1, 0.8, depth + 0.05),
        material=TOP,
        cover=2,
        offset=(0, 0.16 * body.torso, 0),
    )
    build.add(
        frame["chest"],
        place["waist"],
        length=0.33 * body.torso,
        low=waist_radius,
        high=chest_radius,
        scale=(1.0, 0.8, depth),
        material=TOP,
        cover=2,
        offset=(0, 0.42 * body.torso, 0),
    )
    shoulder_radius = 0.105 * body.torso * (0.5 + 0.5 * body.limb_girth) + 0.06 * body.shoulder_half
    for side in ("left", "right"):
        shoulder = place[f"{side}_shoulder"]
        inner = place["throat"] + 0.18 * (shoulder - place["throat"])
        build.add(
            _align(frame["chest"], inner - shoulder),
            shoulder - 0.16 * shoulder_radius * frame["chest"][..., 1],
            length=float((inner - shoulder).norm(dim=-1).mean()),
            low=shoulder_radius,
            high=shoulder_radius * 1.12,
            material=TOP,
            cover=2,
        )
        build.limb(
            frame["chest"],
            place["chest"] + 0.25 * (shoulder - place["neck"]),
            place["waist"] + 0.30 * (shoulder - place["neck"]),
            at_end=waist_radius * 0.55,
            at_start=chest_radius * 0.66,
            scale=(1, 1, 0.86),
            material=TOP,
            cover=2,
        )
    neck_radius = 0.40 * body.head_radius * (0.75 + 0.25 * min(body.limb_girth, 1.1))
    base = place["neck"] - 0.05 * body.torso * frame["chest"][..., 1]
    build.limb(
        (frame["chest"] + frame["head"]) / 2,
        place["skull"] + 0.25 * body.head_radius * frame["head"][..., 1],
        base,
        at_end=neck_radius * 1.18,
        at_start=neck_radius * 0.96,
        material=NECK,
    )
    build.add(
        frame["chest"],
        base + 0.0 * base,
        length=0.035 * body.torso,
        low=neck_radius * 1.36,
        high=neck_radius * 1.30,
        scale=(1.08, 0.6, 1.0),
        material=TOP,
        cover=2,
        offset=(0, 0.95 * body.torso, 0),
    )
    if look.lower in ("skirt", "dress"):
        legs = normalize(frame["left_thigh"][..., 1] + frame["right_thigh"][..., 1] + 2 * frame["root"][..., 1])
        spread = (frame["left_thigh"][..., 1] * frame["right_thigh"][..., 1]).sum(-1).clamp(-1, 1)
        length = 0.72 * body.thigh
        top = place["pelvis"] + 0.20 * body.torso * frame["root"][..., 1]
        end = top - legs * (length + 0.2 * body.torso)
        flare = hip_radius * (1.35 + 0.5 * float((1 - spread).mean()))
        build.add(
            _align(frame["root"], legs),
            end,
            length=length + 0.2 * body.torso,
            low=flare,
            high=hip_radius * 0.95,
            scale=(1, 0.12, 0.85),
            material=bottom,
            cover=2,
            offset=(0, -length, 0),
        )


def _add_arm(build: _Builder, body: BodyShape, look: Look, joints: Joints, side: str) -> None:
    place, frame = joints.place, joints.frame
    upper = 0.098 * body.torso * (0.45 + 0.55 * body.limb_girth) + 0.03 * body.shoulder_half
    elbow, wrist = 0.82 * upper, 0.60 * upper
    cover = look.sleeve
    loose = 1.10 if cover >= 2 else 1.0
    build.limb(
        frame[f"{side}_upper_arm"],
        place[f"{side}_shoulder"],
        place[f"{side}_elbow"],
        at_end=elbow * loose,
        at_start=upper * (1.12 if cover > 0 else 0.98),
        material=TOP,
        cover=1.2 if cover >= 1 else cover,
    )
    build.limb(
        frame[f"{side}_forearm"],
        place[f"{side}_elbow"],
        place[f"{side}_wrist"],
        at_end=wrist * loose,
        at_start=elbow * loose * 0.97,
        material=TOP,
        cover=0.97 if cover >= 2 else 0.0,
    )


def _add_leg(build: _Builder, body: BodyShape, look: Look, joints: Joints, side: str) -> None:
    place, frame = joints.place, joints.frame
    thigh = 0.148 * body.torso * (0.5 + 0.5 * body.limb_girth) + 0.35 * body.hip_half
    knee, ankle = 0.66 * thigh, 0.46 * thigh
    cover = look.leg_cover
    loose = 1.12 if cover > 0 else 1.0
    build.limb(
        frame[f"{side}_thigh"],
        place[f"{side}_hip"],
        place[f"{side}_knee"],
        at_end=knee * loose,
        at_start=thigh * (1.05 if cover > 0 else 1.0),
        material=BOTTOM,
        cover=cover if cover < 2 else 2,
    )
    build.limb(
        frame[f"{side}_shin"],
        place[f"{side}_knee"],
        place[f"{side}_ankle"],
        at_end=ankle * (1.25 if cover >= 2 else 1.0),
        at_start=knee * loose * 0.97,
        material=BOTTOM,
        cover=0.93 if cover >= 2 else 0.0,
    )
    foot = frame[f"{side}_foot"]
    heel, toe = place[f"{side}_heel"], place[f"{side}_toe"]
    up = foot[..., 1]
    height = 0.17 * body.foot
    build.limb(
        foot,
        heel + 0.10 * body.foot * up,
        toe + 0.10 * body.foot * up,
        at_end=height * 0.95,
        at_start=height * 1.05,
        scale=(1.12, 1, 1),
        material=SHOE,
    )
    build.limb(
        foot,
        place[f"{side}_ankle"] + 0.02 * body.foot * up,
        heel + 0.16 * body.foot * up,
        at_end=height * 1.02,
        at_start=max(ankle * 1.06, height * 0.8),
        material=SHOE,
    )


def _add_hand(build: _Builder, body: BodyShape, joints: Joints, side: str, sign: float) -> None:
    palm = joints.frame[f"{side}_hand"]
    wrist = joints.place[f"{side}_wrist"]
    hand = body.hand
    build.add(
        palm,
        wrist - palm @ torch.tensor([0.0, 0.42 * hand, 0.0]),
        length=0.40 * hand,
        low=0.25 * hand,
        high=0.17 * hand,
        scale=(0.42, 1, 1.12),
        material=SKIN,
    )
    fingers = joints.fingers[:, 0 if sign > 0 else 1]
    for index in range(5):
        thick = hand * (0.095 if index == 0 else 0.078)
        for joint in range(3):
            build.limb(
                palm,
                fingers[:, index, joint],
                fingers[:, index, joint + 1],
                at_end=thick * (0.92 - 0.08 * joint),
                at_start=thick * (1.0 - 0.08 * joint),
                material=SKIN,
            )


def _add_head(build: _Builder, actor: Actor, joints: Joints, curves: FaceCurves) -> None:
    look, face = actor.look, actor.face
    unit = actor.body.head_radius
    head, center = joints.frame["head"], joints.place["head"]
    width = face.face_half_width

    def put(
        x: float,
        y: float,
        z: float,
        radii: tuple[float, float, float],
        material: int,
        clip: tuple[float, float, float] = NO_CLIP,
        drop: Tensor | None = None,
        tilt: float = 0.0,
    ) -> None:
        offset = torch.tensor([x, y, z]) * unit
        origin = center + head @ offset
        if drop is not None:
            origin = origin - unit * drop[:, None] * head[..., 1]
        turn = head @ axis_rotation("x", torch.tensor(tilt)) if tilt else head
        build.add(turn, origin, low=unit, scale=radii, material=material, offset=(x * unit, y * unit, z * unit), clip=clip)

    put(0, 0.17, -0.06, (width, 0.83, 0.90), FACE)
    put(0, -0.36, 0.14, (face.jaw_half_width, 0.62, 0.64), FACE, drop=curves.jaw_drop * 0.75)
    put(0, -0.10, 0.10, (0.93 * width, 0.56, 0.74), FACE)
    nose = face.nose_width
    put(
        0,
        face.nose_y + 0.06,
        0.80 + 0.35 * face.nose_length,
        (0.66 * nose, 0.085, 0.085 + 0.3 * face.nose_length),
        FACE,
    )
    put(
        0,
        (face.nose_y + face.eye_y) / 2 + 0.05,
        0.76,
        (0.42 * nose, 0.20, 0.10 + 0.2 * face.nose_length),
        FACE,
        tilt=0.32,
    )
    for sign in (1, -1):
        put(sign * 0.62 * nose, face.nose_y, 0.775, (0.42 * nose, 0.06, 0.085), FACE)
        put(sign * (width + 0.02), face.eye_y - 0.10, -0.10, (0.10, 0.20, 0.13), SKIN)
    if look.hat != "none":
        _add_hat(put, look, face)
    _add_hair(put, look, face, hatted=look.hat != "none")


def _add_hair(put: Callable[..., None], look: Look, face: FaceShape, *, hatted: bool) -> None:
    if look.hair == "bald":
        return
    volume = look.hair_volume * (0.3 if hatted else 1.0)
    width = face.face_half_width
    front = face.hairline_y - look.fringe
    side, back = {
        "crop": (0.05, -0.35), "short": (-0.05, -0.45), "spiky": (0.02, -0.42), "curls": (-0.25, -0.6), "bun": (0.0, -0.45),
        "ponytail": (0.0, -0.45), "bob": (-0.55, -0.8), "long": (-0.6, -0.9),
    }[look.hair]  # fmt: skip
    grow = 1 + volume * (0.35 if look.hair == "crop" else 1.0)
    shell = (width * grow + 0.015, 0.83 * grow + 0.02, 0.90 * grow + 0.02)
    put(0, 0.17 + 0.25 * volume, -0.07, shell, HAIR, (front, side, back))
    if look.hair in ("bob", "long"):
        reach = 0.62 if look.hair == "bob" else 1.0
        for sign in (1, -1):
            put(sign * (width - 0.02), 0.05 - 0.40 * reach, -0.16, (0.14 + volume, 0.50 + 0.42 * reach, 0.40), HAIR)
        put(0, 0.05 - 0.45 * reach, -0.46, (width + 0.04, 0.60 + 0.45 * reach, 0.44 + volume), HAIR)
    elif look.hair == "bun":
        put(0, 0.80, -0.62, (0.36, 0.34, 0.36), HAIR)
    elif look.hair == "ponytail":
        put(0, 0.42, -1.0, (0.20, 0.20, 0.24), HAIR)
        put(0, -0.10, -1.10, (0.20, 0.62, 0.18), HAIR)
    elif look.hair == "curls" and not hatted:
        for x, y, z in (
            (0.45, 0.78, 0.30),
            (-0.45, 0.78, 0.30),
            (0, 0.92, 0.28),
            (0.72, 0.45, -0.05),
            (-0.72, 0.45, -0.05),
            (0.55, 0.75, -0.4),
            (-0.55, 0.75, -0.4),
            (0.70, 0.05, -0.25),
            (-0.70, 0.05, -0.25),
            (0, 0.6, -0.8),
            (0.4, 0.1, -0.8),
            (-0.4, 0.1, -0.8),
        ):
            put(x, y, z, (0.27 + volume, 0.25 + volume, 0.27 + volume), HAIR)
    elif look.hair == "spiky" and not hatted:
        for x, z in (
            (0.0, 0.35),
            (0.35, 0.25),
            (-0.35, 0.25),
            (0.18, -0.1),
            (-0.18, -0.1),
            (0.45, -0.3),
            (-0.45, -0.3),
            (0, -0.5),
        ):
            put(x, 0.93 - 0.25 * abs(x), z, (0.13, 0.30, 0.15), HAIR, tilt=0.5 * z)


def _add_hat(put: Callable[..., None], look: Look, face: FaceShape) -> None:
    width = face.face_half_width
    line = face.hairline_y - 0.06
    put(0, 0.24, -0.06, (width * 1.12 + 0.02, 0.90, 1.0), HAT, (line, line - 0.12, line - 0.25))
    if look.hat == "cap":
        put(0, line + 0.02, 0.85, (0.62, 0.05, 0.62), HAT, tilt=0.18)
    elif look.hat == "brim":
        put(0, line, -0.02, (1.5, 0.05, 1.55), HAT, tilt=0.08)
    elif look.hat == "beanie":
        put(0, 1.16, -0.06, (0.2, 0.2, 0.2), HAT)
