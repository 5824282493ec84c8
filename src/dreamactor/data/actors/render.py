"""Draws an actor performing in a scene, with the exact truth beside it.

The skin is rasterised (`raster.py`), then every visible sample is painted and lit (`paint.py`). Pixels on an edge are drawn
again with four samples each. Plain torch, batched over frames.

Axis letters: N samples, V vertices, t frames drawn at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import Actor, Figure, build_figure
from dreamactor.data.actors.motion import Performance
from dreamactor.data.actors.paint import light, paint
from dreamactor.data.actors.raster import SUBSAMPLES, Fragments, Pairs
from dreamactor.data.actors.scene import Camera, Scene, draw_background, place_camera
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
        skin, camera = self.figure.outfit.skin, self.camera
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
        for code in torch.unique(kind).tolist():
            here = (kind == code).nonzero()[:, 0]
            color[here], gloss[here] = paint(self.figure, code, now[slot[here]], coords[here], soft[here])
        return light(color, normal, ray, gloss, self.scene)
