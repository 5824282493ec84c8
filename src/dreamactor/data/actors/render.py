"""Draws an actor performing in a scene, and writes down the exact truth beside it.

Rays are cast at round cones, batched over frames: one flat list of (sample, primitive) pairs from screen boxes, closed
form intersections for all of them at once, nearest one per sample, then shading of visible samples only. Pixels on an edge
between primitives are drawn again with four samples each. Plain torch, so it runs on a GPU as it is.

Axis letters: S samples (pixels or sub-pixels), Q (sample, primitive) pairs, P primitives.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from dreamactor.data.actors.expression import face_points
from dreamactor.data.actors.face import paint_face
from dreamactor.data.actors.figure import FACE, HAIR, HAT, NECK, NO_CLIP, SHOE, SKIN, TOP, Actor, Figure, build_figure
from dreamactor.data.actors.motion import Performance
from dreamactor.data.actors.scene import Camera, Scene, draw_background, place_camera
from dreamactor.data.actors.wardrobe import Cloth
from dreamactor.geometry.rotation import matrix_to_angles, normalize, unwrap
from dreamactor.geometry.skeleton import BODY_JOINTS, FACE_POINT
from dreamactor.types.track import BodyTrack, FaceTrack, HandTrack, HeadTrack, PersonTrack
from dreamactor.types.video import FrameTimes

PAIRS_AT_ONCE = 3_000_000
"""Upper bound of pairs in one pass: bounds memory."""

_SUBSAMPLES = ((-0.125, -0.375), (0.375, -0.125), (-0.375, 0.125), (0.125, 0.375))


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
    canvas = _Canvas(actor=actor, figure=figure, scene=scene, camera=camera, width=width, height=height)
    images, masks = [], []
    start = 0
    while start < len(chosen):
        count = canvas.frames_at_once(chosen[start])
        now = torch.tensor([chosen[i] for i in range(start, min(start + count, len(chosen)))])
        image, mask = canvas.draw(now, background, antialias=antialias)
        images.append(image)
        masks.append(mask)
        start += count
    span = torch.tensor(list(chosen))
    track = exact_track(actor, figure, performance, camera, width=width, height=height)
    return Rendering(
        frames=torch.cat(images),
        mask=torch.cat(masks),
        track=track[chosen.start : chosen.stop : chosen.step],
        expression=performance.expression[span],
    )


class _Canvas:
    """One actor before one camera; draws any of its frames."""

    def __init__(self, *, actor: Actor, figure: Figure, scene: Scene, camera: Camera, width: int, height: int) -> None:
        self.actor, self.figure, self.scene, self.camera = actor, figure, scene, camera
        self.width, self.height = width, height
        inverse = figure.rotation.transpose(-1, -2) / figure.scale[:, :, None]
        self.into_local = inverse  # [T, P, 3, 3] world vector -> the primitive's own squashed axes
        eye = torch.tensor(camera.place)
        self.eye_local = (inverse @ (eye - figure.origin)[..., None])[..., 0]  # [T, P, 3]
        self.boxes = self._screen_boxes()
        self.box_area = ((self.boxes[..., 2] - self.boxes[..., 0]) * (self.boxes[..., 3] - self.boxes[..., 1])).sum(-1)

    def _screen_boxes(self) -> Tensor:
        """[T, P, 4] int64 x0, y0, x1, y1 (exclusive) of every primitive, empty when off screen."""
        figure = self.figure
        reach = figure.scale.amax(dim=-1)
        top = figure.origin + figure.rotation[..., 1] * (figure.scale[:, 1] * figure.length)[:, None]
        low, high = figure.radius_low * reach, figure.radius_high * reach
        boxes = []
        for place, radius in ((figure.origin, low), (top, high)):
            seen = self.camera.project(place)
            half = self.camera.focal_px * radius / (seen[..., 2] - radius).clamp(min=0.05)
            boxes.append(
                torch.stack([seen[..., 0] - half, seen[..., 1] - half, seen[..., 0] + half, seen[..., 1] + half], -1)
            )
        lower = torch.minimum(boxes[0][..., :2], boxes[1][..., :2]).floor() - 1
        upper = torch.maximum(boxes[0][..., 2:], boxes[1][..., 2:]).ceil() + 1
        limit = torch.tensor([self.width, self.height])
        lower = lower.clamp(min=torch.zeros(2), max=limit)
        upper = torch.maximum(upper.clamp(min=torch.zeros(2), max=limit), lower)
        return torch.cat([lower, upper], dim=-1).to(torch.int64)

    def frames_at_once(self, frame: int) -> int:
        """How many frames from `frame` on fit into one pass."""
        total = torch.cumsum(self.box_area[frame:], dim=0)
        return max(1, int((total <= PAIRS_AT_ONCE).sum()))

    def draw(self, now: Tensor, background: Tensor, *, antialias: bool) -> tuple[Tensor, Tensor]:
        """Frames `now` [t] over the background: uint8 [t, H, W, 3] and the mask [t, H, W]."""
        count, area = len(now), self.width * self.height
        sample, primitive, frame, x, y = self._pairs(now)
        depth, winner = self._nearest(sample, primitive, frame, x + 0.5, y + 0.5, count * area)
        image = (background * self._shadow(now)).flatten(1, 2).flatten(0, 1).clone()  # [t HW, 3]
        hit = torch.nonzero(winner >= 0)[:, 0]
        pixel = hit % area
        shaded = self._shade(now[hit // area], winner[hit], depth[hit], pixel % self.width + 0.5, pixel // self.width + 0.5)
        behind = image.clone()
        image[hit] = shaded
        mask = (winner >= 0).float()
        if antialias:
            edge = self._edges(winner, depth, count)
            fine_image, fine_mask = self._draw_fine(edge, now, sample, primitive, frame, x, y, behind)
            image[edge], mask[edge] = fine_image, fine_mask
        frames = (image.clamp(0, 1) * 255).round().to(torch.uint8).view(count, self.height, self.width, 3)
        return frames, (mask * 255).round().to(torch.uint8).view(count, self.height, self.width)

    def _pairs(self, now: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """All (pixel, primitive) pairs of frames `now`: sample, primitive, frame, x, y, each [Q]."""
        boxes = self.boxes[now].flatten(0, 1)  # [t P, 4]
        wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        sizes = wide * tall
        owner = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
        inside = torch.arange(len(owner)) - torch.repeat_interleave(torch.cumsum(sizes, 0) - sizes, sizes)
        row = torch.div(inside, wide[owner], rounding_mode="floor")
        x = boxes[owner, 0] + inside - row * wide[owner]
        y = boxes[owner, 1] + row
        num_primitives = self.boxes.shape[1]
        slot = torch.div(owner, num_primitives, rounding_mode="floor")
        primitive = owner - slot * num_primitives
        return slot * (self.width * self.height) + y * self.width + x, primitive, now[slot], x, y

    def _ray(self, x: Tensor, y: Tensor) -> Tensor:
        """World direction through pixel places, scaled so that its z is -1. [..., 3]"""
        camera = self.camera
        return torch.stack(
            [
                (x - camera.center_px[0]) / camera.focal_px,
                (camera.center_px[1] - y) / camera.focal_px,
                -torch.ones_like(x),
            ],
            -1,
        )

    def _cast(self, primitive: Tensor, frame: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Depth along the view axis where each pair's ray enters its primitive, [Q]; inf where it misses."""
        figure = self.figure
        flat = frame * self.boxes.shape[1] + primitive
        into = self.into_local.flatten(0, 1)[flat]
        origin = self.eye_local.flatten(0, 1)[flat]
        dx = (x - self.camera.center_px[0]) / self.camera.focal_px
        dy = (self.camera.center_px[1] - y) / self.camera.focal_px
        direction = into[..., 0] * dx[:, None] + into[..., 1] * dy[:, None] - into[..., 2]
        speed = direction.norm(dim=-1)
        direction = direction / speed[:, None]
        length, low, high = figure.length[primitive], figure.radius_low[primitive], figure.radius_high[primitive]
        distance = _round_cone(origin, direction, length, low, high)
        clip = figure.clip[primitive]
        clipped = torch.nonzero((clip[:, 0] > NO_CLIP[0] + 1) & torch.isfinite(distance))[:, 0]
        if len(clipped):
            point = origin[clipped] + distance[clipped, None] * direction[clipped]
            place = point * figure.scale[primitive[clipped]] + figure.offset[primitive[clipped]]
            kept = self._hair_kept(place / self.actor.body.head_radius, clip[clipped])
            distance[clipped] = torch.where(kept, distance[clipped], torch.inf)
        return distance / speed

    def _hair_kept(self, place: Tensor, clip: Tensor) -> Tensor:
        """Whether points of a hair or hat shell (head units) lie above its line. The line falls from front to back."""
        front = ((place[:, 2] - 0.1) / 0.55).clamp(0, 1)
        back = ((0.1 - place[:, 2]) / 0.55).clamp(0, 1)
        line = clip[:, 1] + (clip[:, 0] - clip[:, 1]) * front.sqrt() + (clip[:, 2] - clip[:, 1]) * back
        wave = 0.035 * torch.sin(place[:, 0] * 9 + 6 * self.actor.look.parting) + 0.05 * torch.cos(
            (place[:, 0] - 0.5 * self.actor.look.parting) * 5
        )
        hair = clip[:, 1] > clip[:, 2] + 0.2
        return place[:, 1] > line - torch.where(hair, wave * front, torch.zeros_like(wave))

    def _nearest(
        self, sample: Tensor, primitive: Tensor, frame: Tensor, x: Tensor, y: Tensor, num_samples: int
    ) -> tuple[Tensor, Tensor]:
        """Nearest hit per sample: depth [S] (inf: none) and primitive [S] (-1: none)."""
        depth = self._cast(primitive, frame, x.float(), y.float())
        hit = torch.nonzero(torch.isfinite(depth))[:, 0]
        sample, primitive, depth = sample[hit], primitive[hit], depth[hit]
        nearest = torch.full((num_samples,), torch.inf).scatter_reduce_(0, sample, depth, "amin")
        winner = torch.full((num_samples,), -1, dtype=torch.int64)
        first = depth <= nearest[sample]
        winner[sample[first]] = primitive[first]
        return nearest, winner

    def _edges(self, winner: Tensor, depth: Tensor, count: int) -> Tensor:
        """Flat indices of pixels next to another primitive or a step in depth."""
        who = winner.view(count, self.height, self.width)
        far = torch.where(torch.isfinite(depth), depth, torch.full_like(depth, 99.0)).view_as(who)
        edge = torch.zeros_like(who, dtype=torch.bool)
        step = 0.06 * self.actor.body.head_radius
        material = torch.where(who >= 0, self.figure.material[who.clamp(min=0)], torch.full_like(who, -1))
        for axis in (1, 2):
            size = who.shape[axis]
            a, b = material.narrow(axis, 0, size - 1), material.narrow(axis, 1, size - 1)
            differs = (a != b) | ((far.narrow(axis, 0, size - 1) - far.narrow(axis, 1, size - 1)).abs() > step)
            edge.narrow(axis, 0, size - 1).logical_or_(differs)
            edge.narrow(axis, 1, size - 1).logical_or_(differs)
        return torch.nonzero(edge.flatten())[:, 0]

    def _draw_fine(
        self,
        edge: Tensor,
        now: Tensor,
        sample: Tensor,
        primitive: Tensor,
        frame: Tensor,
        x: Tensor,
        y: Tensor,
        behind: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Edge pixels as the mean of four samples: colour [E, 3] and coverage [E]."""
        if not len(edge):
            return behind[edge], torch.zeros(0)
        place = torch.full((len(behind),), -1, dtype=torch.int64)
        place[edge] = torch.arange(len(edge))
        kept = torch.nonzero(place[sample] >= 0)[:, 0]
        index, primitive, frame, x, y = place[sample[kept]], primitive[kept], frame[kept], x[kept], y[kept]
        area = self.width * self.height
        pixel = edge % area
        color, cover = torch.zeros(len(edge), 3), torch.zeros(len(edge))
        for dx, dy in _SUBSAMPLES:
            depth, winner = self._nearest(index, primitive, frame, x + 0.5 + dx, y + 0.5 + dy, len(edge))
            hit = torch.nonzero(winner >= 0)[:, 0]
            part = behind[edge]
            part[hit] = self._shade(
                now[edge[hit] // area],
                winner[hit],
                depth[hit],
                pixel[hit] % self.width + 0.5 + dx,
                pixel[hit] // self.width + 0.5 + dy,
            )
            color += part / 4
            cover += (winner >= 0) / 4
        return color, cover

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
            apart = ((x - place[:, 0, None, None]) / wide).square() + (
                (y - place[:, 1, None, None]) / (0.22 * wide)
            ).square()
            dark = dark + 0.28 * torch.exp(-apart)
        return 1 - dark.clamp(0, 0.5)[..., None]

    def _shade(self, frame: Tensor, primitive: Tensor, depth: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Colour of visible samples: [S, 3]."""
        figure, actor, scene = self.figure, self.actor, self.scene
        ray = self._ray(x, y)
        flat = frame * self.boxes.shape[1] + primitive
        local = (
            self.eye_local.flatten(0, 1)[flat]
            + depth[:, None] * (self.into_local.flatten(0, 1)[flat] @ ray[..., None])[..., 0]
        )
        scale = figure.scale[primitive]
        outward = _round_cone_normal(
            local, figure.length[primitive], figure.radius_low[primitive], figure.radius_high[primitive]
        )
        normal = normalize((figure.rotation.flatten(0, 1)[flat] @ (outward / scale)[..., None])[..., 0])
        surface = local * scale + figure.offset[primitive]
        soft = depth / self.camera.focal_px
        material = figure.material[primitive]
        color = torch.zeros_like(surface)
        gloss = torch.zeros(len(surface))
        skin = torch.tensor(actor.look.skin)
        world = torch.tensor(self.camera.place) + depth[:, None] * ray
        for kind in torch.unique(material).tolist():
            here = torch.nonzero(material == kind)[:, 0]
            if kind == FACE:
                point = self._head_coordinates(frame[here], world[here])
                normal[here] = self._face_normal(frame[here], point, normal[here], primitive[here])
                color[here] = paint_face(
                    actor.look, actor.face, figure.curves, frame[here], point, soft[here] / actor.body.head_radius
                )
                gloss[here] = 0.16
            elif kind in (SKIN, NECK):
                color[here] = skin
                gloss[here] = 0.10
                if kind == NECK:
                    rise = local[here, 1] / figure.length[primitive[here]].clamp(min=1e-4)
                    color[here] = skin * (1 - 0.30 * ((rise - 0.25) / 0.6).clamp(0, 1))[:, None]
            elif kind == HAIR:
                color[here] = self._hair_color(self._head_coordinates(frame[here], world[here]))
                gloss[here] = 0.22
            elif kind == SHOE:
                color[here] = torch.tensor(actor.look.shoe)
                gloss[here] = 0.15
            elif kind == HAT:
                color[here] = torch.tensor(actor.look.hat_color)
                gloss[here] = 0.05
            else:
                cloth = actor.look.top if kind == TOP else actor.look.bottom
                covered = self._covered(primitive[here], local[here], soft[here])
                dress = _cloth_color(
                    cloth,
                    surface[here],
                    soft[here],
                    printed=kind == TOP,
                    torso=actor.body.torso,
                    wide=figure.cover[primitive[here]] >= 2,
                )
                color[here] = skin + (dress - skin) * covered[:, None]
                gloss[here] = 0.02
        return _light(color, normal, ray, gloss, scene)

    def _covered(self, primitive: Tensor, local: Tensor, soft: Tensor) -> Tensor:
        """Share of cloth at points of a limb: the part nearest the trunk."""
        cover = self.figure.cover[primitive]
        length = (self.figure.length * self.figure.scale[:, 1])[primitive]
        bare = (1 - cover) * length
        share = ((local[:, 1] * self.figure.scale[primitive, 1] - bare) / soft + 0.5).clamp(0, 1)
        return torch.where(cover >= 1, torch.ones_like(share), torch.where(cover <= 0, torch.zeros_like(share), share))

    def _head_coordinates(self, frame: Tensor, world: Tensor) -> Tensor:
        """World metres -> head units, [N, 3]."""
        away = world - self.figure.joints.place["head"][frame]
        turn = self.figure.joints.frame["head"][frame]
        return (turn.transpose(-1, -2) @ away[..., None])[..., 0] / self.actor.body.head_radius

    def _face_normal(self, frame: Tensor, point: Tensor, normal: Tensor, primitive: Tensor) -> Tensor:
        """Blends the normals of skull, cheeks and jaw, so that no seam shows; features keep their own."""
        first = int(torch.nonzero(self.figure.material == FACE)[0])
        blended = primitive < first + 3
        total = torch.zeros_like(point)
        for index in range(first, first + 3):
            center = self.figure.offset[index] / self.actor.body.head_radius
            away = point - center
            if index == first + 1:
                away = away + torch.stack(
                    [torch.zeros(len(point)), 0.75 * self.figure.curves.jaw_drop[frame], torch.zeros(len(point))], -1
                )
            squashed = away / self.figure.scale[index]
            size = squashed.norm(dim=-1, keepdim=True)
            total = total + torch.exp(-14 * (size - 1).abs()) * squashed / self.figure.scale[index] / size
        smooth = normalize((self.figure.joints.frame["head"][frame] @ normalize(total)[..., None])[..., 0])
        keep = torch.where(blended, 0.0, 0.55)[:, None]
        return normalize(smooth * (1 - keep) + normal * keep)

    def _hair_color(self, point: Tensor) -> Tensor:
        angle = torch.atan2(point[:, 0] - 0.3 * self.actor.look.parting, point[:, 2] + 1.2)
        strand = (
            torch.sin(angle * 60 + 3 * torch.sin(point[:, 1] * 7)) * 0.5 + torch.sin(angle * 131 + point[:, 1] * 5) * 0.5
        )
        base = torch.tensor(self.actor.look.hair_color)
        return (base * (1 + 0.13 * strand)[:, None] + 0.012 * strand[:, None]).clamp(0, 1)


def _round_cone(origin: Tensor, direction: Tensor, length: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Entry distance of rays [Q, 3] into round cones along +y from the origin; inf where they miss.

    Closed form: the side is a cone, quadratic in the distance; the ends are spheres.
    """
    slope = low - high
    along, climb = origin[:, 1] * length, direction[:, 1] * length
    toward = (direction * origin).sum(-1)
    away = (origin * origin).sum(-1)
    flat = length.square() - slope.square()
    k2 = flat - climb.square()
    k1 = flat * toward - along * climb + climb * slope * low
    k0 = flat * away - along.square() + along * slope * low * 2 - length.square() * low.square()
    root = k1.square() - k0 * k2
    distance = (-torch.sqrt(root.clamp(min=0)) - k1) / torch.where(k2.abs() < 1e-9, torch.full_like(k2, 1e-9), k2)
    rise = along - low * slope + distance * climb
    side = (root >= 0) & (rise > 0) & (rise < flat) & (flat > 0)
    h_low = toward.square() - away + low.square()
    near_low = torch.where(h_low >= 0, -toward - torch.sqrt(h_low.clamp(min=0)), torch.inf)
    top_toward = toward - climb
    top_away = away - 2 * along + length.square()
    h_high = top_toward.square() - top_away + high.square()
    near_high = torch.where(h_high >= 0, -top_toward - torch.sqrt(h_high.clamp(min=0)), torch.inf)
    caps = torch.minimum(near_low, near_high)
    found = torch.where(side, torch.minimum(distance, caps), caps)
    return torch.where(found > 0, found, torch.inf)


def _round_cone_normal(point: Tensor, length: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Outward direction (not of unit length) at surface points [S, 3], in the primitive's own squashed axes."""
    slope = low - high
    flat = length.square() - slope.square()
    rise = point[:, 1] * length - low * slope
    share = torch.where(flat > 0, (rise / flat.clamp(min=1e-9)).clamp(0, 1), torch.zeros_like(rise))
    center = torch.zeros_like(point)
    center[:, 1] = share * length
    return normalize(point - center)


def _cloth_color(cloth: Cloth, surface: Tensor, soft: Tensor, *, printed: bool, torso: float, wide: Tensor) -> Tensor:
    """Colour of cloth at points in material coordinates (metres; y up the trunk, z to the front)."""
    x, y, z = surface.unbind(-1)
    around = torch.atan2(x, z.abs() + 0.02) * 0.14
    period = cloth.period_m
    ramp = (soft / period * 3).clamp(0.02, 2)

    def wave(phase: Tensor) -> Tensor:
        return (torch.sin(2 * torch.pi * phase) / ramp * 0.5 + 0.5).clamp(0, 1)

    share = {
        0: lambda: torch.zeros_like(x),
        1: lambda: wave(y / period),
        2: lambda: ((wave(around / period * 1.6) - 0.62) * 3).clamp(0, 1),
        3: lambda: (wave(y / period) - wave(around / period)).abs(),
        4: lambda: ((torch.sin(2 * torch.pi * y / period) * torch.sin(2 * torch.pi * around / period) - 0.35) * 5).clamp(
            0, 1
        ),
        5: lambda: wave((y + around) / period),
        6: lambda: ((y - 0.55 * torso) / soft).clamp(0, 1),
    }[cloth.pattern]()
    base, accent = torch.tensor(cloth.color), torch.tensor(cloth.accent)
    color = base + (accent - base) * share[:, None]
    weave = 0.025 * torch.sin(x * 900) * torch.sin(y * 900)
    color = (color * (1 + weave[:, None])).clamp(0, 1)
    if printed:
        for kind, front in ((cloth.front_print, True), (cloth.back_print, False)):
            if kind:
                facing = z > 0 if front else z < 0
                size = 0.17 * torso if front else 0.24 * torso
                ink = _print_share(kind, x / size, (y - 0.70 * torso) / size, soft / size) * facing * wide
                color = color + (torch.tensor(cloth.print_color) - color) * ink[:, None]
    return color


def _print_share(kind: int, x: Tensor, y: Tensor, soft: Tensor) -> Tensor:
    """Ink of a print at places in print sizes, 0..1."""
    radius = torch.sqrt(x.square() + y.square() + 1e-9)
    distance = {
        1: lambda: radius - 0.85,
        2: lambda: (radius - 0.7).abs() - 0.2,
        3: lambda: torch.maximum(x.abs() - 1.5, y.abs() - 0.32),
        4: lambda: x.abs() + y.abs() - 1.0,
        5: lambda: torch.minimum(
            torch.maximum(x.abs() - 0.28, y.abs() - 0.95), torch.maximum(y.abs() - 0.28, x.abs() - 0.95)
        ),
        6: lambda: torch.minimum(
            torch.minimum(
                torch.maximum((x + 0.1).abs() - 0.2, y.abs() - 0.95),
                torch.maximum((x - 0.05).abs() - 0.6, (y + 0.8).abs() - 0.2),
            ),
            torch.maximum((x + 0.35).abs() - 0.25, (y - 0.62).abs() - 0.16),
        ),
    }[kind]()
    return (0.5 - distance / soft).clamp(0, 1)


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


_JOINT_SOURCE = {name: name for name in BODY_JOINTS if name not in ("neck", "pelvis")}


def exact_track(
    actor: Actor, figure: Figure, performance: Performance, camera: Camera, *, width: int, height: int
) -> PersonTrack:
    """The truth about a performance before a camera, in the conventions of `PersonTrack`."""
    joints = figure.joints
    place = {name: joints.place[name] for name in _JOINT_SOURCE}
    place["neck"] = (joints.place["left_shoulder"] + joints.place["right_shoulder"]) / 2
    place["pelvis"] = (joints.place["left_hip"] + joints.place["right_hip"]) / 2
    body_m = torch.stack([place[name] for name in BODY_JOINTS], dim=1)
    pelvis_depth = camera.place[2] - place["pelvis"][:, 2]

    def px3(point: Tensor) -> Tensor:
        seen = camera.project(point)
        shape = (-1, *(1,) * (seen.ndim - 2))
        back = (seen[..., 2] - pelvis_depth.view(shape)) * (camera.focal_px / pelvis_depth).view(shape)
        return torch.cat([seen[..., :2], back[..., None]], dim=-1)

    body_px = px3(body_m)
    inside = (body_px[..., 0] > 0) & (body_px[..., 0] < width) & (body_px[..., 1] > 0) & (body_px[..., 1] < height)
    confidence = torch.where(inside, 1.0, 0.1)
    everywhere = torch.ones(performance.num_frames, dtype=torch.bool)
    hands = torch.cat(
        [torch.stack([joints.place["left_wrist"], joints.place["right_wrist"]], dim=1)[:, :, None],
         joints.fingers.flatten(2, 3)], dim=2,
    )  # fmt: skip
    hands_px = px3(hands)
    hands_inside = (hands_px[..., 0] > 0) & (hands_px[..., 0] < width) & (hands_px[..., 1] > 0) & (hands_px[..., 1] < height)
    turn = joints.frame["head"]
    center = px3(joints.place["head"])
    head_depth = camera.place[2] - joints.place["head"][:, 2]
    radius = camera.focal_px * actor.body.head_radius / head_depth
    angles = matrix_to_angles(turn)
    angles = torch.cat([unwrap(angles[:, :1]), angles[:, 1:]], dim=-1)
    flip = torch.tensor((1.0, -1.0, -1.0))
    return PersonTrack(
        width=width,
        height=height,
        times=FrameTimes.constant(performance.num_frames, Fraction(performance.fps).limit_denominator(1001)),
        body=BodyTrack(
            joints=body_px,
            joints_m=(body_m - place["pelvis"][:, None]) * flip,
            confidence=confidence,
            tracked=everywhere,
        ),
        hands=HandTrack(joints=hands_px, tracked=hands_inside.float().mean(-1) > 0.6),
        head=HeadTrack(angles_rad=angles, center=center, radius_px=radius, tracked=everywhere),
        face=_exact_face(actor, figure, camera, center, radius, width=width, height=height),
        cut=torch.zeros(performance.num_frames, dtype=torch.bool),
        source=f"actor {actor.seed} (exact)",
    )


def _exact_face(
    actor: Actor, figure: Figure, camera: Camera, center: Tensor, radius: Tensor, *, width: int, height: int
) -> FaceTrack:
    """Face points on the surface of the drawn head."""
    flat = face_points(actor.face, figure.curves)  # [T, P, 2]
    first = int(torch.nonzero(figure.material == FACE)[0])
    depth = torch.full(flat.shape[:2], -0.2)
    for index in range(first, first + 5):
        middle = figure.offset[index] / actor.body.head_radius
        away = (flat - middle[:2]) / figure.scale[index, :2]
        bulge = (1 - away.square().sum(-1)).clamp(min=0).sqrt() * figure.scale[index, 2]
        hit = away.square().sum(-1) < 1
        if index < first + 3 or index == first + 3:
            depth = torch.where(hit, torch.maximum(depth, middle[2] + bulge), depth)
    for side in ("left", "right"):
        depth[:, FACE_POINT[f"{side}_cheek"]] = 0.0
    local = torch.cat([flat, depth[..., None]], dim=-1) * actor.body.head_radius
    turn = figure.joints.frame["head"]
    world = figure.joints.place["head"][:, None] + (turn[:, None] @ local[..., None])[..., 0]
    seen = camera.project(world)
    z = (seen[..., 2] - seen[..., 2].mean(dim=1, keepdim=True)) * (radius / actor.body.head_radius)[:, None]
    points = torch.cat([seen[..., :2], z[..., None]], dim=-1)
    low, high = points[..., :2].amin(dim=1), points[..., :2].amax(dim=1)
    half = (high - low).amax(dim=-1, keepdim=True) / 2 * 1.6
    middle_px = (low + high) / 2
    box = torch.cat([middle_px - half, middle_px + half], dim=-1)
    forward = turn[:, 2, 2]
    inside = (middle_px[:, 0] > 0) & (middle_px[:, 0] < width) & (middle_px[:, 1] > 0) & (middle_px[:, 1] < height)
    return FaceTrack(landmarks=points, box=box, tracked=(forward > 0.26) & inside & (radius > 5))
