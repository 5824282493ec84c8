"""Points of one person over time as another tool gave them: what lies between a joint file and a `PersonTrack`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dreamactor.geometry.layouts import LAYOUTS
from dreamactor.types.shapes import expect_shape
from dreamactor.types.video import FrameTimes


@dataclass(frozen=True, kw_only=True, slots=True)
class JointRecording:
    """Points in the order of a layout.

    Attributes:
        layout: one of `LAYOUTS`; N is its number of points.
        width, height: pixels of the picture.
        times: time of each frame.
        pixels: [T, N, 3] float32: x right, y down (pixel centres at +0.5), z away from the camera in pixels, from an origin
            that is the same for all points of a frame; zeros where missing.
        metres: [T, N, 3] float32 in camera axes (x right, y down, z away), from an origin that is the same for all points of
            a frame; zeros where missing.
        confidence: [T, N] float32 in 0..1; 0 where the point is missing.
        in_metres: [T, N] bool, where `metres` is known.
        has_depth: whether `pixels` knows z; where not it is 0 and depth must come from `metres`, or stays unknown.
        px_per_m: [T] float32, the picture's scale at the body, or None where nobody said it.
        head_rotation: [T, 3, 3] float32: head axes (x the person's left, y up, z out of the face) -> camera axes; identity
            where unknown.
        head_rotated: [T] bool, where `head_rotation` is known.
        head_center: [T, 3] float32 px3 and head_radius: [T] float32 pixels; head_placed: [T] bool, where they are known.
        cut: [T] bool, as in `PersonTrack`.
        source: where it comes from, for people.
    """

    layout: str
    width: int
    height: int
    times: FrameTimes
    pixels: Tensor
    metres: Tensor
    confidence: Tensor
    in_metres: Tensor
    has_depth: bool
    px_per_m: Tensor | None
    head_rotation: Tensor
    head_rotated: Tensor
    head_center: Tensor
    head_radius: Tensor
    head_placed: Tensor
    cut: Tensor
    source: str = ""

    def __post_init__(self) -> None:
        dims = {"T": len(self.times), "N": len(LAYOUTS[self.layout])}
        expect_shape("pixels", self.pixels, "T N 3", **dims)
        expect_shape("metres", self.metres, "T N 3", **dims)
        expect_shape("confidence", self.confidence, "T N", **dims)
        expect_shape("in_metres", self.in_metres, "T N", **dims)
        expect_shape("head_rotation", self.head_rotation, "T 3 3", **dims)
        expect_shape("head_center", self.head_center, "T 3", **dims)
        for name in ("head_rotated", "head_radius", "head_placed", "cut"):
            expect_shape(name, getattr(self, name), "T", **dims)


def recording_from_pixels(
    layout: str, pixels: Tensor, confidence: Tensor, *, px_per_m: Tensor, times: FrameTimes, size: tuple[int, int]
) -> JointRecording:
    """A recording of px3 points [T, N, 3] with confidence [T, N] and scale [T] alone; `size` is (width, height)."""
    num_frames = len(times)
    nowhere = torch.zeros(num_frames, dtype=torch.bool)
    return JointRecording(
        layout=layout,
        width=size[0],
        height=size[1],
        times=times,
        pixels=pixels,
        metres=torch.zeros_like(pixels),
        confidence=confidence,
        in_metres=torch.zeros_like(confidence, dtype=torch.bool),
        has_depth=True,
        px_per_m=px_per_m,
        head_rotation=torch.eye(3).expand(num_frames, 3, 3),
        head_rotated=nowhere,
        head_center=torch.zeros(num_frames, 3),
        head_radius=torch.zeros(num_frames),
        head_placed=nowhere,
        cut=nowhere,
    )
