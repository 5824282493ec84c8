"""Draws an actor performing in a scene, with the exact truth beside it.

The skin is rasterised (`raster.py`), then every visible sample is painted and lit (`paint.py`). Pixels on an edge are drawn
again with four samples each. Plain torch, batched over frames.

Axis letters: N samples, V vertices, t frames drawn at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import Actor, Figure, build_figure
from dreamactor.data.actors.motion import Performance
from dreamactor.data.actors.paint import light, paint, unit_rows
from dreamactor.data.actors.raster import SUBSAMPLES, Fragments, Raster, where
from dreamactor.data.actors.scene import Camera, Scene, draw_background, place_camera
from dreamactor.types.track import PersonTrack

PIXELS_AT_ONCE = 300_000
"""Upper bound of pixels in one pass: bounds memory."""
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
    count = max(1, PIXELS_AT_ONCE // (width * height))
    for start in range(0, len(chosen), count):
        image, mask = canvas.draw(torch.tensor(chosen[start : start + count]), antialias=antialias)
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
        seen = torch.stack(self.camera.project_rows(*place))
        raster = Raster(seen, self.corners, width=self.width, height=self.height)
        coarse = raster.nearest()
        shadow, image = self._floor(now)
        mask = torch.zeros(count * area, dtype=torch.uint8).index_fill_(0, coarse.sample, 255)
        edge = self._edges(coarse, count) if antialias else torch.zeros(count * area, dtype=torch.bool)
        edges = where(edge)
        whole = coarse.take(where(~edge.index_select(0, coarse.sample)))
        fine = raster.nearest_fine(edge) if len(edges) else coarse.take(edges)
        pixel = torch.cat([whole.sample, edges.index_select(0, fine.sample // 4)])
        offset = torch.zeros(2, len(pixel))
        offset[:, len(whole.sample) :] = torch.tensor(SUBSAMPLES).T.index_select(1, fine.sample % 4)
        color = self._shade(whole.followed_by(fine, sample=pixel), 0.5 + offset, now, attributes)
        inner, outer = color.split([len(whole.sample), len(fine.sample)], dim=1)
        behind = self.background.flatten(1).index_select(1, edges % area) * shadow.flatten().index_select(0, edges)
        samples = behind[..., None].repeat(1, 1, 4).flatten(1).index_copy_(1, fine.sample, outer)
        image.index_copy_(1, whole.sample, _to_bytes(inner))
        image.index_copy_(1, edges, _to_bytes(samples.unflatten(1, (-1, 4)).mean(-1)))
        share = torch.bincount(fine.sample // 4, minlength=len(edges)).float() / 4
        mask.index_copy_(0, edges, _to_bytes(share))
        rows = [channel.view(count * self.height, self.width).numpy() for channel in image]
        frames = torch.from_numpy(cv2.merge(rows)).view(count, self.height, self.width, 3)
        return frames, mask.view(count, self.height, self.width)

    def _edges(self, coarse: Fragments, count: int) -> Tensor:
        """[t * H * W] pixels next to another kind of surface or a step in depth."""
        size = (count, self.height, self.width)
        kind, far = np.full(size, 255, dtype=np.uint8), np.full(size, 99.0, dtype=np.float32)
        kind.reshape(-1)[coarse.sample] = self.kind.index_select(0, coarse.triangle % len(self.kind))
        far.reshape(-1)[coarse.sample] = coarse.depth
        edge = np.zeros(size, dtype=bool)
        step = 0.12 * self.figure.actor.body.head_radius
        for one, other in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:, :, :-1], np.s_[:, :, 1:])):
            differs = kind[one] != kind[other]
            differs |= np.abs(far[one] - far[other]) > step
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

    def _shade(self, seen: Fragments, offset: Tensor, now: Tensor, attributes: Tensor) -> Tensor:
        """Colour of visible samples: [3, N].

        Args:
            seen: what they show; their samples are pixels.
            offset: [2, N] where in the pixel.
            now: [t] frames.
            attributes: [6, t V] normal and texture coordinates of every vertex.
        """
        camera = self.camera
        slot = torch.div(seen.triangle, len(self.kind), rounding_mode="floor")
        face = seen.triangle - slot * len(self.kind)
        kind = self.kind.index_select(0, face).numpy()
        order = torch.from_numpy(np.argsort(kind, kind="stable"))
        share_b, share_c = seen.second, seen.third
        shares = (1 - share_b - share_c, share_b, share_c)
        first = slot * (attributes.shape[1] // len(now))
        corner = [first + row.index_select(0, face) for row in self.corners]
        value = [sum(row.index_select(0, c) * s for c, s in zip(corner, shares, strict=True)) for row in attributes]
        normal, coords = unit_rows(*value[:3]), torch.stack(value[3:])
        at = seen.sample % (self.width * self.height)
        row = torch.div(at, self.width, rounding_mode="floor")
        u, v = (at - row * self.width).float() + offset[0], row.float() + offset[1]
        across, up = (u - camera.center_px[0]) / camera.focal_px, (camera.center_px[1] - v) / camera.focal_px
        view = unit_rows(-across, -up, torch.ones(len(at)))
        soft = seen.depth / camera.focal_px
        color, gloss = torch.empty_like(coords), torch.empty(len(at))
        frame = now.index_select(0, slot)
        counts = np.bincount(kind).tolist()
        for code, here in enumerate(order.split(counts)):
            if len(here):
                painted, shine = paint(
                    self.figure,
                    code,
                    frame.index_select(0, here),
                    coords.index_select(1, here).T,
                    soft.index_select(0, here),
                )
                color.index_copy_(1, here, painted.T)
                gloss[here] = shine
        return light(color, normal, view, gloss, self.scene)


def _to_bytes(color: Tensor) -> Tensor:
    """0..1 -> 0..255."""
    return (color.clamp(0, 1) * 255).round_().to(torch.uint8)
