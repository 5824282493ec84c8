"""The other pose control of figure 6: an untextured body instead of head sphere and skeleton, as Champ draws it.

The body is a bare actor (no hair, no clothes but shoes, one face for all) of somebody's own build, which stands for what a
perfect estimator of body shape would find. It follows a track as the textured proxy does: joints land on joints, the girth
is its own. So at inference the bones have the character's lengths, as with the skeleton, and the flesh is the driver's: the
body shape that the paper does not want to hand over (section 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.data.actors import sample_actor
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import Actor, build_figure
from dreamactor.data.actors.motion import pose_performance
from dreamactor.data.actors.raster import Raster
from dreamactor.data.actors.scene import Camera
from dreamactor.data.actors.skin import SEGMENTS
from dreamactor.geometry.rotation import normalize, view_from_pixels
from dreamactor.guidance.proxy_bones import BONE, BONES, BoneFrames, bone_frames, bone_maps
from dreamactor.types.guidance import PoseMaps
from dreamactor.types.track import PersonTrack

_ARMS_OUT: Final = {"left_raise": 38.0, "right_raise": 38.0, "left_hip_out": 7.0, "right_hip_out": 7.0}
_VIEW_PX: Final = 400
"""Side of the picture that the body at rest is measured in."""
_FAR: Final = Camera(place=(0.0, 1.0, 60.0), focal_px=6000.0, center_px=(_VIEW_PX / 2, _VIEW_PX / 2))
"""Hardly any perspective: a hundred pixels a metre."""
_DEPTH: Final = 10.0
"""Depth of the pelvis for the rasterizer, which wants positive ones."""
_OVERSAMPLE: Final = 2


@dataclass(frozen=True, kw_only=True)
class BodyMesh:
    """A bare body at rest.

    Attributes:
        vertices: [V, 3] px3.
        faces: [F, 3] int64, clockwise on the picture when seen from outside.
        weights: [V, B] of the bones in `BONES`, rows sum to one.
        frames: bone frames of the rest pose (one time).
    """

    vertices: Tensor
    faces: Tensor
    weights: Tensor
    frames: BoneFrames


@lru_cache(maxsize=4)
def body_mesh(seed: int) -> BodyMesh:
    """The bare body of an actor."""
    own, anybody = sample_actor(seed), sample_actor(0)
    look = replace(
        anybody.look,
        hair="bald",
        beard=0.0,
        hat="none",
        glasses=False,
        lower="trousers",
        sleeve=0.0,
        leg_cover=0.0,
        hem_m=0.0,
    )
    bare = Actor(seed=seed, style=anybody.style, body=own.body, face=anybody.face, look=look)
    performance = pose_performance(_ARMS_OUT)
    figure = build_figure(bare, performance)
    place, _, _ = figure.surface(torch.zeros(1, dtype=torch.int64))
    seen = _FAR.project(place[:, 0].T)
    pelvis = (figure.joints.place["left_hip"][0] + figure.joints.place["right_hip"][0]) / 2
    depth = _FAR.place[2] - float(pelvis[2])
    back = (seen[:, 2:] - depth) * _FAR.focal_px / depth
    skin = figure.outfit.skin
    rest = exact_track(bare, figure, performance, _FAR, width=_VIEW_PX, height=_VIEW_PX)
    return BodyMesh(
        vertices=torch.cat([seen[:, :2], back], dim=-1), faces=skin.faces, weights=skin.weights @ _bones_of_segments(),
        frames=bone_frames(rest),
    )  # fmt: skip


def _bones_of_segments() -> Tensor:
    """[G, B] which bones each segment of an actor follows."""
    shares = torch.zeros(len(SEGMENTS), len(BONES))
    for row, name in zip(shares, SEGMENTS, strict=True):
        if name == "waist":
            row[[BONE["hips"], BONE["chest"]]] = 0.5
        elif "finger" in name:
            row[BONE[f"{name.split('_')[0]}_hand"]] = 1.0
        else:
            row[BONE[{"root": "hips", "skirt": "hips", "hair": "head"}.get(name, name)]] = 1.0
    return shares


def draw_body_mesh(mesh: BodyMesh, track: PersonTrack, *, width: int, height: int) -> PoseMaps:
    """Draws the body in every frame of a track whose coordinates are on a canvas of this size.

    Returns:
        In place of the skeleton, where each surface faces as seen (view axes); in place of the sphere, where it faces in
        the rest pose, so that front and back, left and right can be told (Champ's normal and semantic maps). Both map
        -1..1 to 0..255 on black; black where no body is tracked.
    """
    maps = bone_maps(mesh.frames, bone_frames(track))  # [T, B, 3, 4]
    at_rest = _face_normals(mesh.vertices, mesh.faces)
    shape = (track.num_frames, height, width, 3)
    shown, own = torch.zeros(shape, dtype=torch.uint8), torch.zeros(shape, dtype=torch.uint8)
    for t in torch.nonzero(track.body.tracked).flatten().tolist():
        moves = (mesh.weights @ maps[t].flatten(1)).unflatten(-1, (3, 4))  # [V, 3, 4]
        posed = (moves[..., :3] @ mesh.vertices[..., None])[..., 0] + moves[..., 3]
        pictures = _draw(posed, mesh.faces, (_face_normals(posed, mesh.faces), at_rest), width=width, height=height)
        shown[t], own[t] = pictures
    return PoseMaps(body_skeleton=shown, head_sphere=own, tracked=track.body.tracked)


def _face_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """[F, 3] outward, view axes."""
    a, b, c = vertices[faces].unbind(1)
    return view_from_pixels(normalize(torch.linalg.cross(b - a, c - a)))


def _draw(
    vertices: Tensor, faces: Tensor, normals: tuple[Tensor, Tensor], *, width: int, height: int
) -> tuple[Tensor, Tensor]:
    """[H, W, 3] uint8 of each kind of normals; drawn larger and reduced, so that outlines are soft."""
    fine_width, fine_height = width * _OVERSAMPLE, height * _OVERSAMPLE
    depth = _DEPTH + vertices[:, 2:] / max(width, height)
    seen = torch.cat([vertices[:, :2] * _OVERSAMPLE, depth], dim=-1)
    hits = Raster(seen.T[:, None].unbind(), faces.T, width=fine_width, height=fine_height).nearest()
    pictures = []
    for kind in normals:
        canvas = torch.zeros(fine_height * fine_width, 3)
        canvas[hits.sample] = kind[hits.face] * 127.5 + 127.5
        tall = canvas.view(fine_height, fine_width, 3).permute(2, 0, 1)[None]
        pictures.append(F.avg_pool2d(tall, _OVERSAMPLE)[0].permute(1, 2, 0).round().to(torch.uint8))
    return pictures[0], pictures[1]
