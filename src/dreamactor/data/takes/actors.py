"""Performances of procedural actors, drawn: exact tracks, exact masks, known expressions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from torch import Tensor

from dreamactor.data.actors import (
    Rendering,
    Scene,
    neutral_performance,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import Actor, build_figure
from dreamactor.data.actors.motion import Performance as Acting
from dreamactor.data.actors.scene import Camera, place_camera
from dreamactor.data.clips import ClipReference
from dreamactor.data.takes.base import Performance, Still
from dreamactor.types.guidance import ReferenceImage

WHOLE_FRAMES: Final = 48
"""A performance is so much longer than the clip that is a random part of it."""
_TURN_DEG: Final = 22.0
"""Spread of the standing picture's yaw."""


class ActorTake:
    """One camera's view of a drawn performance."""

    def __init__(
        self, actor: Actor, acting: Acting, scene: Scene, *, size: int, spans: tuple[slice, ...], camera: str = ""
    ) -> None:
        self.camera, self.start_frame, self.origin_s = camera, 0, 0.0
        self.spans: tuple[slice, ...] | None = spans
        self._actor, self._acting, self._scene, self._size = actor, acting, scene, size
        figure = build_figure(actor, acting)
        self.view = place_camera(scene, actor.body, figure.joints, acting.framing, width=size, height=size)
        self.track = exact_track(actor, figure, acting, self.view, width=size, height=size)
        self.expression: Tensor | None = acting.expression

    def stills(self, wanted: Sequence[Still]) -> list[ReferenceImage]:
        """Draws pictures; a half-body one is drawn by a camera with a longer lens."""
        return [
            self.picture(
                self._acting, still.frame, self.view if still.box is None else zoomed(self.view, still.box, self._size)
            )
            for still in wanted
        ]

    def clips(self, spans: Sequence[slice]) -> Iterator[tuple[Tensor, Tensor]]:
        """Draws stretches of the performance."""
        for span in spans:
            drawn = self._draw(self._acting, span, self.view)
            yield drawn.frames, drawn.mask

    def picture(self, acting: Acting, frame: int, camera: Camera) -> ReferenceImage:
        """One frame of the actor doing something."""
        drawn = self._draw(acting, slice(frame, frame + 1), camera)
        return ReferenceImage(image=drawn.frames[0], person=drawn.track, mask=drawn.mask[0])

    def _draw(self, acting: Acting, span: slice, camera: Camera) -> Rendering:
        return render(self._actor, acting, self._scene, width=self._size, height=self._size, frames=span, camera=camera)


def zoomed(camera: Camera, box: Tensor, size: int) -> Camera:
    """The camera that sees a square box of another one's picture in the whole of its own."""
    x0, y0, x1, _ = box.tolist()
    fold = size / (x1 - x0)
    across, down = camera.center_px
    return replace(camera, focal_px=camera.focal_px * fold, center_px=((across - x0) * fold, (down - y0) * fold))


def actor_performance(seed: int, *, name: str, size: int, num_frames: int) -> Performance:
    """What an actor does in one scene, and one clip of it; equal seeds give equal performances.

    Args:
        seed: of actor, performance and scene.
        name: of the performance.
        size: width and height in pixels.
        num_frames: of the clip.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 0xC11B]))
    acting = sample_performance(seed, num_frames=num_frames + WHOLE_FRAMES)
    start = int(rng.integers(0, WHOLE_FRAMES + 1))
    scene = sample_scene(seed, framing=acting.framing)
    take = ActorTake(sample_actor(seed), acting, scene, size=size, spans=(slice(start, start + num_frames),))
    ease = neutral_performance(framing=acting.framing, yaw_deg=float(rng.normal(0, _TURN_DEG)), seed=seed)
    standing = ClipReference(view="standing", picture=take.picture(ease, 0, take.view), frame=-1, inside=False)
    return Performance(
        name=name, source=f"actor {seed}", kind="actor", takes=(take,), exact=True, seed=seed, standing=(standing,)
    )
