"""Draws an actor performing in a scene, with the exact truth beside it.

The skin is rasterised (`raster.py`), then every visible sample is painted and lit (`paint.py`). Pixels on an edge are drawn
again with four samples each. Plain torch, batched over frames.

Axis letters: N samples, V vertices, t frames drawn at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import Actor, Figure, build_figure
from dreamactor.data.actors.motion import Performance
from dreamactor.data.actors.paint import light, paint
from dreamactor.data.actors.raster import Fragments, Raster
from dreamactor.data.actors.rows import take, unit_rows, where
from dreamactor.data.actors.scene import Camera, Scene, draw_background, place_camera
from dreamactor.types.track import PersonTrack

PIXELS_AT_ONCE = 330_000
"""Upper bound of pixels in one pass: bounds memory. Many frames at once share what every operation costs by itself."""
_NO_SHADOW = 1e-9
"""Shadows weaker than this change nothing."""


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
    canvas = _Canvas(figure=figure, scene=scene, camera=camera, background=background, width=width, height=height)
    images, masks = [], []
    passes = math.ceil(len(chosen) / max(1, PIXELS_AT_ONCE // (width * height)))
    for now in torch.tensor(chosen).tensor_split(passes):
        image, mask = canvas.draw(now, antialias=antialias)
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
    """One figure before one camera; draws any of its frames. Colours lie channel by channel, samples in rows."""

    def __init__(self, *, figure: Figure, scene: Scene, camera: Camera, background: Tensor, width: int, height: int) -> None:
        self.figure, self.scene, self.camera = figure, scene, camera
        self.width, self.height = width, height
        skin = figure.outfit.skin
        self.corners = skin.faces.T.contiguous()
        self.kind = skin.kind.to(torch.uint8)
        self.background = background.permute(2, 0, 1).contiguous()  # [3, H, W]
        self.empty = _to_bytes(self.background)

    def draw(self, now: Tensor, *, antialias: bool) -> tuple[Tensor, Tensor]:
        """Frames `now` [t]: uint8 [t, H, W, 3] and the mask [t, H, W]."""
        count, area = len(now), self.width * self.height
        place, normal, coords = self.figure.surface(now)
        attributes = torch.cat([normal, coords]).flatten(1)  # [6, t V]
        raster = Raster(self.camera.project_rows(*place), self.corners, width=self.width, height=self.height)
        coarse = raster.nearest()
        shadow, image = self._floor(now)
        mask = torch.zeros(count * area, dtype=torch.uint8).scatter_(0, coarse.sample, 255)
        edge = self._edges(coarse, count) if antialias else torch.zeros(count * area, dtype=torch.bool)
        edges = where(edge)
        whole = coarse.take(where(~edge.index_select(0, coarse.sample)))
        fine = raster.nearest_fine(edge) if len(edges) else whole.take(edges)
        color = self._shade(whole + fine, now, attributes)
        behind = self.background.flatten(1).index_select(1, edges % area) * shadow.flatten().index_select(0, edges)
        samples = behind.repeat_interleave(4, 1)
        rows = zip(image, color, samples, strict=True)
        for channel, inner, sample in rows:
            sample.scatter_(0, fine.sample, inner[len(whole.sample) :])
            channel.scatter_(0, whole.sample, _to_bytes(inner[: len(whole.sample)]))
            channel.scatter_(0, edges, _to_bytes(sample.view(-1, 4).mean(1)))
        share = torch.bincount(fine.sample // 4, minlength=len(edges)).float() / 4
        mask.scatter_(0, edges, _to_bytes(share))
        frames = torch.from_numpy(cv2.merge([row.view(-1, self.width).numpy() for row in image]))
        return frames.view(count, self.height, self.width, 3), mask.view(count, self.height, self.width)

    def _edges(self, coarse: Fragments, count: int) -> Tensor:
        """[t * H * W] pixels next to another kind of surface or a step in depth."""
        size = (count, self.height, self.width)
        kind, far = torch.full(size, 255, dtype=torch.uint8), torch.full(size, 99.0)
        kind.view(-1).scatter_(0, coarse.sample, self.kind.index_select(0, coarse.face))
        far.view(-1).scatter_(0, coarse.sample, coarse.depth)
        kinds, depths, edge = kind.numpy(), far.numpy(), np.zeros(size, dtype=bool)
        step = 0.12 * self.figure.actor.body.head_radius
        for one, other in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:, :, :-1], np.s_[:, :, 1:])):
            differs = kinds[one] != kinds[other]
            differs |= np.abs(depths[one] - depths[other]) > step
            edge[one] |= differs
            edge[other] |= differs
        return torch.from_numpy(edge.reshape(-1))

    def _floor(self, now: Tensor) -> tuple[Tensor, Tensor]:
        """Soft shadows of feet and body as a factor [t, H, W], and the empty place with them on it, [3, t H W] uint8."""
        count = len(now)
        shadow = torch.ones(count, self.height, self.width)
        image = self.empty[:, None].repeat(1, count, 1, 1)
        x = (torch.arange(self.width) + 0.5)[None, None, :]
        y = (torch.arange(self.height) + 0.5)[None, :, None]
        across, down = [], []
        for name, size in (("left_ankle", 0.5), ("right_ankle", 0.5), ("pelvis", 1.0)):
            place = self.figure.joints.place[name][now].clone()
            place[:, 1] = 0
            u, v, depth = (row[:, None, None] for row in self.camera.project(place).unbind(-1))
            wide = size * self.camera.focal_px * 0.30 * self.figure.actor.body.leg / depth
            across.append(0.28 * torch.exp(-(((x - u) / wide).square())))
            down.append(torch.exp(-(((y - v) / (0.22 * wide)).square())))
        reached = where(torch.cat(down).amax((0, 2)) > _NO_SHADOW)
        if len(reached):
            rows = slice(int(reached[0]), int(reached[-1]) + 1)
            dark = torch.zeros(count, rows.stop - rows.start, self.width)
            for a, d in zip(across, down, strict=True):
                dark += a * d[:, rows]
            shadow[:, rows] = 1 - dark.clamp(0, 0.5)
            image[:, :, rows] = _to_bytes(self.background[:, None, rows] * shadow[:, rows])
        return shadow, image.flatten(1)

    def _shade(self, seen: Fragments, now: Tensor, attributes: Tensor) -> Tensor:
        """Colour of visible samples: [3, N]; `attributes` [6, t V]: normal and texture coordinates of every vertex."""
        camera = self.camera
        first = seen.frame * (attributes.shape[1] // len(now))
        corners = [row.index_select(0, seen.face).add_(first) for row in self.corners]
        shares = (1 - seen.second - seen.third, seen.second, seen.third)
        value = []
        for row in attributes:
            a, b, c = (row.index_select(0, at).mul_(share) for at, share in zip(corners, shares, strict=True))
            value.append(a.add_(b).add_(c))
        coords = torch.stack(value[3:])
        soft, frame = seen.depth / camera.focal_px, now.index_select(0, seen.frame)
        kind = self.kind.index_select(0, seen.face).numpy()
        order = torch.from_numpy(np.argsort(kind, kind="stable"))
        color, gloss = torch.empty_like(coords), torch.empty_like(soft)
        for code, here in enumerate(order.split(np.bincount(kind).tolist())):
            if not len(here):
                continue
            when, width = take(here, frame, soft)
            painted, shine = paint(self.figure, code, when, coords.index_select(1, here).T, width)
            color.scatter_(1, here.expand(3, -1), painted.T)
            gloss.scatter_(0, here, shine)
        across, up = (seen.u - camera.center_px[0]) / camera.focal_px, (camera.center_px[1] - seen.v) / camera.focal_px
        view = unit_rows(across.neg_(), up.neg_(), torch.ones_like(soft))
        return light(color, unit_rows(*value[:3]), view, gloss, self.scene)


def _to_bytes(color: Tensor) -> Tensor:
    """0..1 -> 0..255."""
    return (color.clamp(0, 1) * 255).round_().to(torch.uint8)
