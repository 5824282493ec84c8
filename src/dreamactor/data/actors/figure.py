"""The actor: who it is, and its skin carried along by a performance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors.body import BodyShape, Joints, Style, pose_body, sample_body, sample_face_shape
from dreamactor.data.actors.body_field import BodyField
from dreamactor.data.actors.body_parts import build_skin
from dreamactor.data.actors.cast import DEFAULT_CAST, Cast
from dreamactor.data.actors.curves import stream
from dreamactor.data.actors.expression import FaceCurves, FaceShape, face_curves
from dreamactor.data.actors.garments import garment_parts
from dreamactor.data.actors.head import head_parts
from dreamactor.data.actors.head_shape import HeadShape
from dreamactor.data.actors.motion import Performance
from dreamactor.data.actors.sampling import draw_body, draw_face, draw_look, draw_style, height_of_headgear
from dreamactor.data.actors.skin import Skin, segment_frames
from dreamactor.data.actors.wardrobe import Look, sample_look


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Somebody no camera ever saw."""

    seed: int
    style: Style
    body: BodyShape
    face: FaceShape
    look: Look


@dataclass(frozen=True, kw_only=True)
class Outfit:
    """What does not change over time: the skin in the rest pose and where its segments are there.

    Attributes:
        skin: all surfaces.
        field: the body's measures, limb by limb.
        rotation, origin: [G, 3, 3], [G, 3] segments in the rest pose.
        head_rest: [V', 3] the head's own vertices in head units.
        carrier: [V] int64 the segment that a vertex follows most, alone for most vertices.
        shared: [S] int64 vertices that follow several segments.
        shares: [G, S] how much they follow each.
    """

    skin: Skin
    field: BodyField
    rotation: Tensor
    origin: Tensor
    head_rest: Tensor
    carrier: Tensor
    shared: Tensor
    shares: Tensor


@dataclass(frozen=True, kw_only=True)
class Figure:
    """An actor in motion.

    Attributes:
        outfit: the skin.
        joints: where the joints are.
        curves: the features of the face.
        carry: [T, G, 3, 4] rest metres -> world metres, per segment.
    """

    actor: Actor
    outfit: Outfit
    joints: Joints
    curves: FaceCurves
    carry: Tensor

    def surface(self, now: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """World places, world normals and texture coordinates of all vertices in frames `now` [t]: [3, t, V] each."""
        outfit, skin = self.outfit, self.outfit.skin
        carry = self.carry[now].flatten(2).transpose(1, 2).contiguous()  # [t, 12, G]
        matrix = carry.flatten(0, 1).index_select(1, outfit.carrier).unflatten(0, (len(now), 12))
        matrix.index_copy_(2, outfit.shared, carry @ outfit.shares)
        row = matrix.unflatten(1, (3, 4)).permute(1, 2, 0, 3)  # [3, 4, t, V]
        coords = skin.coords.T[:, None].repeat(1, len(now), 1)
        rest = skin.vertices.T[:, None].repeat(1, len(now), 1)
        moved = HeadShape(face=self.actor.face).posed_points(outfit.head_rest, _at(self.curves, now)).permute(2, 0, 1)
        coords[..., skin.head] = moved
        rest[..., skin.head] += (moved - outfit.head_rest.T[:, None]) * self.actor.body.head_radius
        normals = skin.normals.T[:, None]
        place = torch.stack([r[0] * rest[0] + r[1] * rest[1] + r[2] * rest[2] + r[3] for r in row])
        normal = torch.stack([r[0] * normals[0] + r[1] * normals[1] + r[2] * normals[2] for r in row])
        return place, normal, coords


def _at(curves: FaceCurves, now: Tensor) -> FaceCurves:
    return FaceCurves(**{name: getattr(curves, name)[now] for name in FaceCurves.__dataclass_fields__})


def sample_actor(seed: int, *, style: Style | None = None, cast: Cast = DEFAULT_CAST) -> Actor:
    """A random actor; equal seeds of one cast give equal actors on any machine.

    Args:
        seed: any non-negative integer; from `FIRST_HELD_OUT_SEED` on never used in training.
        style: one of `STYLES`; None draws one.
        cast: which cast to draw from.
    """
    if cast == "3":
        return _sample_richer(seed, style)
    rng = np.random.Generator(np.random.PCG64([seed, 0xAC70]))
    drawn: Style = "near_human" if rng.random() < 0.68 else "toy"
    style = style or drawn
    body = sample_body(rng, style)
    face = sample_face_shape(rng, style)
    look = sample_look(rng, fantasy=bool(rng.random() < (0.04 if style == "near_human" else 0.15)))
    return Actor(seed=seed, style=style, body=body, face=face, look=look)


def _sample_richer(seed: int, style: Style | None) -> Actor:
    rng = stream(seed, "actor of cast 3")
    drawn = draw_style(rng)
    style = style or drawn
    body = draw_body(rng, style)
    face = draw_face(rng, style)
    small = body.leg + body.torso < 0.9
    look = draw_look(rng, face, style, small=small)
    return Actor(seed=seed, style=style, body=replace(body, top=height_of_headgear(face, look)), face=face, look=look)


@lru_cache(maxsize=8)
def dress(actor: Actor) -> Outfit:
    """Makes the actor's skin; kept for the last few actors."""
    unit = actor.body.head_radius
    skin, field, rest = build_skin(
        actor.body,
        actor.look,
        head_parts=lambda center: head_parts(actor.face, actor.look, center=center, unit=unit),
        garment_parts=garment_parts,
    )
    rotation, origin = segment_frames(rest, 25.0)
    most, carrier = skin.weights.max(1)
    shared = (most < 1).nonzero()[:, 0]
    return Outfit(
        skin=skin,
        field=field,
        rotation=rotation[0],
        origin=origin[0],
        head_rest=skin.coords[skin.head].clone(),
        carrier=carrier,
        shared=shared,
        shares=skin.weights[shared].T.contiguous(),
    )


def build_figure(actor: Actor, performance: Performance) -> Figure:
    """Poses the actor."""
    outfit = dress(actor)
    joints = pose_body(actor.body, performance)
    rotation, origin = segment_frames(joints, performance.fps)
    turn = rotation @ outfit.rotation.transpose(-1, -2)
    shift = origin - (turn @ outfit.origin[..., None])[..., 0]
    return Figure(
        actor=actor,
        outfit=outfit,
        joints=joints,
        curves=face_curves(actor.face, performance.expression),
        carry=torch.cat([turn, shift[..., None]], dim=-1),
    )
