"""The richer cast: whatever it wears or is, surfaces are closed and face outwards, and the first cast stays as it was."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import get_args

import pytest
import torch
from torch.testing import assert_close

from dreamactor.data.actors import Actor, neutral_performance, render, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.expression import CREATURES
from dreamactor.data.actors.figure import dress
from dreamactor.data.actors.garments import garment_parts
from dreamactor.data.actors.hair import beard_mesh, hair_locks
from dreamactor.data.actors.head import head_parts
from dreamactor.data.actors.head_shape import HeadShape
from dreamactor.data.actors.headwear import glasses_meshes, hat_meshes
from dreamactor.data.actors.mesh import Mesh
from dreamactor.data.actors.sampling import STYLE_SHARE
from dreamactor.data.actors.scene import BACKGROUNDS, draw_background
from dreamactor.data.actors.swing import Pendulum, swing
from dreamactor.data.actors.texture import textured
from dreamactor.data.actors.wardrobe import BEARDS, COLLARS, HAIR, PATTERNS, PRINTS, TEXTURES, Hat
from dreamactor.geometry.rotation import axis_rotation

PENDULUM = Pendulum(rest=(0.0, -0.4, -0.1), frequency_hz=2.0, damping=0.4, upright=0.6, limit_rad=0.7)


@pytest.fixture(scope="module")
def anybody() -> Actor:
    actor = sample_actor(100, cast="3", style="near_human")
    return replace(actor, look=replace(actor.look, hat="none", hair="short", beard=0.0))


def _volume(mesh: Mesh) -> float:
    """Signed: positive where faces are counter-clockwise seen from outside."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]].double() - mesh.vertices.double().mean(0) for i in range(3))
    return float((a * torch.linalg.cross(b, c)).sum() / 6)


def test_equal_seeds_of_a_cast_give_equal_actors_and_casts_differ() -> None:
    assert sample_actor(7, cast="3") == sample_actor(7, cast="3")
    assert sample_actor(7, cast="3") != sample_actor(8, cast="3")
    assert sample_actor(7, cast="3") != sample_actor(7, cast="2")
    assert sample_actor(7, cast="3") == sample_actor(7)


def test_the_first_cast_is_who_it_always_was() -> None:
    first = [sample_actor(seed, cast="2") for seed in range(20)]
    people = repr([(a.style, a.body.torso, a.face.eye_x, a.look.skin, a.look.hair) for a in first])
    assert hashlib.sha256(people.encode()).hexdigest()[:16] == "d5a48e6654b0627f"


def test_every_style_comes_in_its_share() -> None:
    styles = [sample_actor(seed, cast="3").style for seed in range(300)]
    for style, share in STYLE_SHARE.items():
        assert abs(styles.count(style) / 300 - share) < 0.08
        assert sample_actor(3, cast="3", style=style).style == style


@pytest.mark.parametrize("hair", HAIR)
def test_hair_is_closed_and_faces_outwards(anybody: Actor, hair: str) -> None:
    locks = hair_locks(HeadShape(face=anybody.face), replace(anybody.look, hair=hair))
    assert bool(locks) is (hair != "bald")
    for lock in locks:
        assert _volume(lock.mesh) > 0
        assert 0 <= float(lock.hang.min()) <= float(lock.hang.max()) <= 1


@pytest.mark.parametrize("hat", get_args(Hat)[1:])
def test_hats_are_closed_and_face_outwards(anybody: Actor, hat: Hat) -> None:
    assert all(_volume(mesh) > 0 for mesh in hat_meshes(HeadShape(face=anybody.face), replace(anybody.look, hat=hat)))


def test_garments_and_glasses_and_beards_are_closed_and_face_outwards(anybody: Actor) -> None:
    red = (0.8, 0.1, 0.1)
    look = replace(anybody.look, coat_m=0.5, hood=True, scarf=red, tie=red, lower="skirt", swing=0.0)
    parts = garment_parts(dress(replace(anybody, look=look)).field)
    assert len(parts) == 5
    for part in parts:
        assert _volume(part.mesh) > 0
        assert_close(part.weights.sum(-1), torch.ones(len(part.weights)))
    shape = HeadShape(face=anybody.face)
    assert _volume(beard_mesh(shape, look)) > 0
    lenses = [mesh for mesh in glasses_meshes(shape, "sun") if float(mesh.normals[:, 2].abs().mean()) > 0.9]
    assert len(lenses) == 2
    assert all(float(lens.normals[:, 2].mean()) > 0.9 for lens in lenses)


@pytest.mark.parametrize("creature", CREATURES)
def test_every_kind_of_head_has_ears_outside_the_skull(anybody: Actor, creature: str) -> None:
    face = replace(anybody.face, creature=creature)
    ears = head_parts(face, replace(anybody.look, hair="bald"), center=torch.zeros(3), unit=1.0)[1].mesh
    assert _volume(ears) > 0
    x, y, _ = ears.vertices.unbind(-1)
    assert ((x.abs() > face.face_half_width) | (y > 1)).any()
    assert_close(x.min(), -x.max())


def test_all_that_can_be_worn_is_drawn(anybody: Actor) -> None:
    """Each pattern, print, fabric, collar and beard changes the picture of somebody who is else the same."""
    pose = neutral_performance(framing="upper")
    scene = replace(sample_scene(3, framing="upper"), background="plain")

    def picture(**change: object) -> torch.Tensor:
        look = replace(anybody.look, **change)  # type: ignore[arg-type]
        return render(replace(anybody, look=look), pose, scene, width=64, height=64, antialias=False).frames.int()

    plain = replace(anybody.look.top, pattern=0, front_print=0, relief=0.0, side_stripe=False, accent=(0.9, 0.9, 0.1))
    bare = {"top": plain, "beard": 0.0, "open_front": None, "buttons": False, "neckline": "round", "coat_m": 0.0}
    first = picture(**bare)
    changes: list[dict[str, object]] = [{"top": replace(plain, pattern=index)} for index in range(1, len(PATTERNS))]
    changes += [{"top": replace(plain, front_print=index)} for index in range(1, len(PRINTS))]
    changes += [{"top": replace(plain, texture=kind, relief=0.7)} for kind in TEXTURES if kind != "weave"]
    changes += [{"neckline": kind} for kind in COLLARS if kind != "round"]
    changes += [{"beard": 0.9, "beard_style": kind} for kind in BEARDS]
    changes += [{"open_front": (0.9, 0.2, 0.2)}, {"buttons": True}, {"age": 1.0}, {"skin_texture": 0.5}]
    for change in changes:
        assert (picture(**{**bare, **change}) != first).any(), change


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_backgrounds_are_pictures(background: str) -> None:
    scene = replace(sample_scene(5, framing="full", cast="3"), background=background)
    drawn = draw_background(scene, width=48, height=64, floor_px=50.0)
    assert drawn.shape == (64, 48, 3)
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1
    assert_close(drawn, draw_background(scene, width=48, height=64, floor_px=50.0))


def test_what_hangs_from_something_still_and_upright_does_not_move() -> None:
    turns, places = torch.eye(3).expand(20, 3, 3), torch.zeros(20, 3)
    assert_close(swing(PENDULUM, turns, places, 25.0), turns.clone(), atol=1e-5, rtol=0)


def test_what_hangs_comes_late_and_comes_to_rest() -> None:
    yaw = torch.cat([torch.zeros(5), torch.linspace(0, 1.0, 6), torch.ones(60)])
    turns = axis_rotation("y", yaw)
    hung = swing(PENDULUM, turns, torch.zeros(len(yaw), 3), 25.0)

    def behind_rad(frame: int) -> float:
        apart = hung[frame] @ turns[frame].T
        return float(((apart.trace() - 1) / 2).clamp(-1, 1).acos())

    assert behind_rad(4) < 1e-3
    assert max(behind_rad(frame) for frame in range(6, 14)) > 0.02
    assert behind_rad(-1) < 0.01
    assert max(behind_rad(frame) for frame in range(len(yaw))) <= PENDULUM.limit_rad + 1e-4


def test_hair_and_skirt_move_only_where_they_hang() -> None:
    actor = sample_actor(100, cast="3", style="near_human")
    wavy = replace(actor, look=replace(actor.look, hair="wavy", hat="none", swing=1.0))
    stiff = replace(wavy, look=replace(wavy.look, swing=0.0))
    turn = sample_performance(2, num_frames=12, framing="full", kind="turn")
    scene = sample_scene(2, framing="full")
    a, b = (render(who, turn, scene, width=64, height=64, antialias=False) for who in (wavy, stiff))
    assert (a.frames != b.frames).any()
    assert_close(a.track.body.joints, b.track.body.joints)
    assert_close(a.track.face.landmarks, b.track.face.landmarks)


def test_a_texture_keeps_the_colour_on_average_and_fades_from_afar() -> None:
    grid = torch.stack(torch.meshgrid(torch.arange(64) / 64, torch.arange(64) / 64, indexing="ij"), -1).reshape(-1, 2)
    color = torch.full((len(grid), 3), 0.5)
    for kind in TEXTURES:
        near = textured(color, kind, 3, grid, torch.full((len(grid),), 1 / 128), 0.5)
        far = textured(color, kind, 3, grid, torch.full((len(grid),), 1 / 16), 0.5)
        assert float((near.mean(0) - 0.5).abs().max()) < 0.06
        assert float(far.std()) <= float(near.std()) + 1e-6
    assert_close(textured(color, "noise", 3, grid, torch.full((len(grid),), 0.01), 0.0), color)
