"""Draws an actor performing in a scene, with the exact truth beside it.

The skin is rasterised (`raster.py`), then every visible sample is painted from its texture coordinates and lit. Pixels on
an edge are drawn again with four samples each. Plain torch, batched over frames.

Axis letters: N samples, V vertices, t frames drawn at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dreamactor.data.actors.cloth import cloth_color
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.face import paint_face
from dreamactor.data.actors.figure import Actor, Figure, build_figure
from dreamactor.data.actors.motion import Performance
from dreamactor.data.actors.raster import SUBSAMPLES, Fragments, Pairs
from dreamactor.data.actors.scene import Camera, Scene, draw_background, place_camera
from dreamactor.data.actors.skin import (
    EAR,
    FACE,
    GLASSES,
    HAIR,
    HAND,
    HAT,
    LEFT_ARM,
    LEFT_LEG,
    NECK,
    RIGHT_ARM,
    RIGHT_LEG,
    SHOE,
    SKIRT,
    TRUNK,
)
from dreamactor.geometry.rotation import normalize
from dreamactor.types.track import PersonTrack

PIXELS_AT_ONCE = 300_000
"""Upper bound of pixels in one pass: bounds memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendering:
    """A drawn performance.

    Attributes:
        frames: [T, H, W, 3] uint8 RGB.
        mask: [T, H, W] uint8, 255 on the person.
        track: the exact truth, in the same form as perception's.
        expression: [T, E] float32 in the order of `EXPRESSION`.
    """

    frames: Tensor
    mask: Tensor
    track: PersonTrack
    expression: Tensor


def render(
    actor: Actor,
    performance: Performance,
    scene: Scene,
    *,
    width: int,
    height: int,
    frames: slice | None = None,
    antialias: bool = True,
    camera: Camera | None = None,
) -> Rendering:
    """Draws a performance.

    Args:
        actor, performance, scene: who, what and where.
        width, height: pixels.
        frames: which frames to draw; the camera is placed for the whole performance all the same.
        antialias: draw edges with four samples a pixel.
        camera: a camera to use instead of the scene's own rule.
    """
    figure = build_figure(actor, performance)
    camera = camera or place_camera(scene, actor.body, figure.joints, performance.framing, width=width, height=height)
    chosen = range(performance.num_frames)[frames or slice(None)]
    horizon = camera.center_px[1] + camera.focal_px * camera.place[1] / (camera.place[2] + 1.5 * actor.body.leg + 1)
    background = draw_background(scene, width=width, height=height, floor_px=min(max(horizon, 0.35 * height), 1.4 * height))
    canvas = _Canvas(figure=figure, scene=scene, camera=camera, width=width, height=height)
    images, masks = [], []
    count = max(1, PIXELS_AT_ONCE // (width * height))
    for start in range(0, len(chosen), count):
        image, mask = canvas.draw(torch.tensor(chosen[start : start + count]), background, antialias=antialias)
        images.append(image)
        masks.append(mask)
    track = exact_track(actor, figure, performance, camera, width=width, height=height)
    return Rendering(
        frames=torch.cat(images),
        mask=torch.cat(masks),
        track=track[chosen.start : chosen.stop : chosen.step],
        expression=performance.expression[chosen.start : chosen.stop : chosen.step],
    )


class _Canvas:
    """One figure before one camera; draws any of its frames."""

    def __init__(self, *, figure: Figure, scene: Scene, camera: Camera, width: int, height: int) -> None:
        self.figure, self.actor, self.scene, self.camera = figure, figure.actor, scene, camera
        self.width, self.height = width, height

    def draw(self, now: Tensor, background: Tensor, *, antialias: bool) -> tuple[Tensor, Tensor]:
        """Frames `now` [t] over the background: uint8 [t, H, W, 3] and the mask [t, H, W]."""
        count, area = len(now), self.width * self.height
        place, normal, coords = self.figure.surface(now)
        seen = self.camera.project(place)
        skin = self.figure.outfit.skin
        attributes = torch.cat([normal, coords], dim=-1)  # [t, V, 6]
        pairs = Pairs(seen, skin.faces, width=self.width, height=self.height)
        coarse = pairs.nearest()
        image = (background * self._shadow(now)).flatten(0, 2)  # [t H W, 3]
        mask = torch.zeros(count * area)
        mask[coarse.sample] = 1
        edge = self._edges(coarse, count) if antialias else torch.zeros(0, dtype=torch.int64)
        if not len(edge):
            image[coarse.sample] = self._shade(coarse, coarse.sample, torch.full((2,), 0.5), now, attributes)
        else:
            inner = torch.ones(count * area, dtype=torch.bool)
            inner[edge] = False
            keep = inner[coarse.sample].nonzero()[:, 0]
            whole = Fragments(
                sample=coarse.sample[keep],
                triangle=coarse.triangle[keep],
                shares=coarse.shares[keep],
                depth=coarse.depth[keep],
            )
            fine = pairs.nearest_fine(edge)
            pixel = torch.cat([whole.sample, edge[fine.sample // 4]])
            offset = torch.cat([torch.full((len(keep), 2), 0.5), 0.5 + torch.tensor(SUBSAMPLES)[fine.sample % 4]])
            both = Fragments(
                sample=pixel,
                triangle=torch.cat([whole.triangle, fine.triangle]),
                shares=torch.cat([whole.shares, fine.shares]),
                depth=torch.cat([whole.depth, fine.depth]),
            )
            color = self._shade(both, pixel, offset, now, attributes)
            image[whole.sample] = color[: len(keep)]
            samples = image[edge].repeat_interleave(4, 0)
            samples[fine.sample] = color[len(keep) :]
            image[edge] = samples.view(-1, 4, 3).mean(1)
            mask[edge] = torch.bincount(fine.sample // 4, minlength=len(edge)).float() / 4
        frames = (image.clamp(0, 1) * 255).round().to(torch.uint8).view(count, self.height, self.width, 3)
        return frames, (mask * 255).round().to(torch.uint8).view(count, self.height, self.width)

    def _edges(self, coarse: Fragments, count: int) -> Tensor:
        """Flat indices of pixels next to another kind of surface or a step in depth."""
        skin = self.figure.outfit.skin
        size = count * self.width * self.height
        kind = torch.full((size,), -1, dtype=torch.int64)
        far = torch.full((size,), 99.0)
        kind[coarse.sample] = skin.kind[coarse.triangle % len(skin.faces)]
        far[coarse.sample] = coarse.depth
        kind, far = (a.view(count, self.height, self.width) for a in (kind, far))
        edge = torch.zeros_like(kind, dtype=torch.bool)
        step = 0.12 * self.actor.body.head_radius
        for axis in (1, 2):
            n = kind.shape[axis]
            differs = kind.narrow(axis, 0, n - 1) != kind.narrow(axis, 1, n - 1)
            differs |= (far.narrow(axis, 0, n - 1) - far.narrow(axis, 1, n - 1)).abs() > step
            edge.narrow(axis, 0, n - 1).logical_or_(differs)
            edge.narrow(axis, 1, n - 1).logical_or_(differs)
        return edge.flatten().nonzero()[:, 0]

    def _shadow(self, now: Tensor) -> Tensor:
        """Soft shadows of feet and body on the floor: [t, H, W, 1] factor."""
        places, radii = [], []
        for name, size in (("left_ankle", 0.5), ("right_ankle", 0.5), ("pelvis", 1.0)):
            place = self.figure.joints.place[name][now].clone()
            place[:, 1] = 0
            places.append(self.camera.project(place))
            radii.append(size * self.camera.focal_px * 0.30 * self.actor.body.leg / places[-1][:, 2])
        x = (torch.arange(self.width) + 0.5)[None, None, :]
        y = (torch.arange(self.height) + 0.5)[None, :, None]
        dark = torch.zeros(len(now), self.height, self.width)
        for place, radius in zip(places, radii, strict=True):
            wide = radius[:, None, None]
            across = torch.exp(-(((x - place[:, 0, None, None]) / wide).square()))
            dark = dark + 0.28 * across * torch.exp(-(((y - place[:, 1, None, None]) / (0.22 * wide)).square()))
        return 1 - dark.clamp(0, 0.5)[..., None]

    def _shade(self, seen: Fragments, pixel: Tensor, offset: Tensor, now: Tensor, attributes: Tensor) -> Tensor:
        """Colour of visible samples: [N, 3]."""
        skin, actor, camera = self.figure.outfit.skin, self.actor, self.camera
        slot = torch.div(seen.triangle, len(skin.faces), rounding_mode="floor")
        face = seen.triangle - slot * len(skin.faces)
        corner = skin.faces[face] + slot[:, None] * attributes.shape[1]  # [N, 3]
        values = attributes.flatten(0, 1)
        b, c = seen.shares[:, :1], seen.shares[:, 1:]
        value = values[corner[:, 0]] * (1 - b - c) + values[corner[:, 1]] * b + values[corner[:, 2]] * c
        normal, coords = normalize(value[:, :3]), value[:, 3:]
        at = pixel % (self.width * self.height)
        place = torch.stack([at % self.width, at // self.width], -1) + offset
        ray = torch.stack(
            [
                (place[:, 0] - camera.center_px[0]) / camera.focal_px,
                (camera.center_px[1] - place[:, 1]) / camera.focal_px,
                -torch.ones(len(place)),
            ],
            -1,
        )
        soft = seen.depth / camera.focal_px
        kind = skin.kind[face]
        color = torch.zeros_like(coords)
        gloss = torch.zeros(len(coords))
        look = actor.look
        for code in torch.unique(kind).tolist():
            here = (kind == code).nonzero()[:, 0]
            point, width = coords[here], soft[here]
            if code == FACE:
                color[here] = paint_face(
                    look, actor.face, self.figure.curves, now[slot[here]], point, width / actor.body.head_radius
                )
                gloss[here] = 0.16
            elif code == EAR:
                hollow = torch.exp(
                    -(((point[:, 1] - actor.face.eye_y + 0.09) / 0.11) ** 2) - (((point[:, 2] + 0.10) / 0.055) ** 2)
                )
                color[here] = torch.tensor(look.skin) * (1 - 0.35 * hollow)[:, None]
                gloss[here] = 0.10
            elif code == HAND:
                color[here] = torch.tensor(look.skin)
                gloss[here] = 0.08
            elif code == HAIR:
                color[here] = self._hair_color(point)
                gloss[here] = 0.22
            elif code == HAT:
                band = (
                    (0.03 - (point[:, 1] - max(actor.face.hairline_y - 0.10, 0.40) - 0.06).abs())
                    / (width / actor.body.head_radius)
                    + 0.5
                ).clamp(0, 1)
                color[here] = torch.tensor(look.hat_color) * (1 - 0.25 * band)[:, None]
                gloss[here] = 0.05
            elif code == GLASSES:
                color[here] = torch.tensor(look.glasses_color)
                gloss[here] = 0.5
            elif code == SHOE:
                color[here] = self._shoe_color(point, width)
                gloss[here] = 0.15
            else:
                color[here], gloss[here] = self._dressed(code, point, width)
        return _light(color, normal, ray, gloss, self.scene)

    def _dressed(self, code: int, point: Tensor, soft: Tensor) -> tuple[Tensor, Tensor]:
        """Colour and gloss of trunk, neck, limbs and skirt at rest places [N, 3]."""
        look, field, torso = self.actor.look, self.figure.outfit.field, self.actor.body.torso
        seed = self.actor.seed
        skin = torch.tensor(look.skin).expand_as(point)
        covered = torch.ones(len(point))
        hem = torch.zeros(len(point))
        cloth, surface = look.top, point

        def edge(beyond: Tensor, band: float = 0.008) -> Tensor:
            """How much a point lies inside cloth that ends where `beyond` is 0; marks the hem."""
            nonlocal hem
            hem = torch.maximum(hem, ((band * field.unit + beyond) / soft + 0.5).clamp(0, 1))
            return (0.5 - beyond / soft).clamp(0, 1)

        if code in (TRUNK, NECK):
            collar = (
                torso * 1.015 + 0.055 * field.unit - 0.42 * (point[:, 2] + 0.02 * field.unit).clamp(min=-0.05 * field.unit)
            )
            if look.sleeve < 0.05:
                collar = collar - 0.02 * field.unit
            covered = edge(point[:, 1] - collar)
            if look.sleeve < 0.05:
                covered = torch.minimum(covered, edge(self._past_armhole(point)))
            chin = float(field.place["head"][1]) - 0.95 * self.actor.body.head_radius
            skin = (
                skin * (1 - 0.30 * ((point[:, 1] - chin) / (0.35 * self.actor.body.head_radius) + 0.75).clamp(0, 1))[:, None]
            )
        elif code in (LEFT_ARM, RIGHT_ARM):
            points, _ = field.arm("left" if code == LEFT_ARM else "right")
            axis = normalize(points[2] - points[0])
            along = (point - points[0]) @ axis
            side = torch.tensor([0.0, 0.0, 1.0])
            out = torch.linalg.cross(axis, side)
            surface = torch.stack([(point - points[0]) @ out, torso - along, point[:, 2]], -1)
            ends = self._length(points, look.sleeve)
            covered = edge(along - ends if look.sleeve > 0.05 else self._past_armhole(point))
        elif code in (LEFT_LEG, RIGHT_LEG):
            points, _ = field.leg("left" if code == LEFT_LEG else "right")
            along = (point - points[0]) @ normalize(points[2] - points[0])
            surface = torch.stack([point[:, 0] - points[0][0], -along, point[:, 2]], -1)
            if look.leg_cover > 0.05:
                covered = edge(along - self._length(points, look.leg_cover))
            else:
                covered = (0.5 - (along - 0.05 * field.unit) / soft).clamp(0, 1)
            cloth = look.bottom
        color = cloth_color(cloth, surface, soft, printed=code == TRUNK, torso=torso, seed=seed)
        if code in (TRUNK, SKIRT, LEFT_LEG, RIGHT_LEG) and look.lower != "dress":
            belt = 0.16 * torso
            below = torch.ones(len(point)) if code == SKIRT else (0.5 - (point[:, 1] - belt) / soft).clamp(0, 1)
            lower = cloth_color(look.bottom, surface, soft, printed=False, torso=torso, seed=seed + 1)
            color = color + (lower - color) * below[:, None]
            line = ((0.007 * field.unit - (point[:, 1] - belt + 0.007 * field.unit).abs()) / soft + 0.5).clamp(0, 1)
            color = color * (1 - 0.4 * line * (code != SKIRT))[:, None]
        band = torch.tensor(look.collar if cloth is look.top else cloth.color) * (1.0 if cloth is look.top else 0.8)
        color = color + (band - color) * hem[:, None]
        color = skin + (color - skin) * covered[:, None]
        return color, 0.09 - 0.07 * covered

    def _past_armhole(self, point: Tensor) -> Tensor:
        """Metres by which rest places lie beyond the armhole of a sleeveless top."""
        shoulder = self.figure.outfit.field.place["left_shoulder"]
        below = (shoulder[1] - point[:, 1]).clamp(min=0)
        return point[:, 0].abs() - (0.74 * shoulder[0] + 0.38 * below)

    def _length(self, points: list[Tensor], cover: float) -> float:
        """Metres along a two-bone limb that cloth covers."""
        first, second = float((points[1] - points[0]).norm()), float((points[2] - points[1]).norm())
        return first * min(cover, 1.0) + second * max(0.0, min(cover, 2.0) - 1.0) - (0.004 if cover >= 2 else 0.0)

    def _shoe_color(self, point: Tensor, soft: Tensor) -> Tensor:
        """Upper, sole, toe cap and sock; coordinates in foot lengths about the ankle."""
        look, size = self.actor.look, soft / self.actor.body.foot
        upper = torch.tensor(look.shoe)
        color = upper.expand_as(point)
        laces = (
            (0.35 * torch.sin(point[:, 2] * 60) + 0.3).clamp(0, 1)
            * (point[:, 0].abs() < 0.09)
            * (point[:, 1] > -0.16)
            * (point[:, 2] > 0.12)
        )
        color = color + (0.95 - color) * (0.8 * laces)[:, None]
        sole = (0.5 - (point[:, 1] + 0.285) / size).clamp(0, 1)
        pale = torch.tensor((0.93, 0.92, 0.90)) if sum(look.shoe) < 1.9 else torch.tensor((0.30, 0.26, 0.24))
        color = color + (pale - color) * sole[:, None]
        sock = (0.5 + (point[:, 1] + 0.03) / size).clamp(0, 1)
        return color + (torch.tensor(look.sock) - color) * sock[:, None]

    def _hair_color(self, point: Tensor) -> Tensor:
        angle = torch.atan2(point[:, 0] - 0.3 * self.actor.look.parting, point[:, 2] + 1.2)
        strand = (
            torch.sin(angle * 60 + 3 * torch.sin(point[:, 1] * 7)) * 0.5 + torch.sin(angle * 131 + point[:, 1] * 5) * 0.5
        )
        base = torch.tensor(self.actor.look.hair_color)
        return (base * (1 + 0.13 * strand)[:, None] + 0.012 * strand[:, None]).clamp(0, 1)


def _light(color: Tensor, normal: Tensor, ray: Tensor, gloss: Tensor, scene: Scene) -> Tensor:
    """Wrapped key light, sky and ground fill, a rim, and a soft highlight."""
    light = torch.tensor(scene.light)
    view = normalize(-ray)
    facing = (normal * light).sum(-1)
    key = ((facing + 0.35) / 1.35).clamp(0, 1)
    sky = 0.5 + 0.5 * normal[:, 1]
    warm = torch.tensor((1 + 0.06 * scene.warmth, 1.0, 1 - 0.08 * scene.warmth))
    grazing = 1 - (normal * view).sum(-1).clamp(0, 1)
    strength = scene.key * key[:, None] * warm + scene.fill * (0.62 + 0.38 * sky)[:, None]
    half = normalize(view + light)
    shine = (normal * half).sum(-1).clamp(0, 1).pow(26) * gloss
    lit = color * strength * (1 - 0.22 * grazing.pow(2))[:, None]
    return lit + (shine + scene.rim * 0.35 * grazing.pow(3) * sky)[:, None] * (1 - lit).clamp(0, 1)
