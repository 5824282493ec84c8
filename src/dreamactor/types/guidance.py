"""What the model is guided by: drawn motion, face input, and the reference person. Knows nothing about how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from dreamactor.geometry.skeleton import NUM_FACE_POINTS
from dreamactor.types.shapes import expect_shape
from dreamactor.types.track import PersonTrack, Proportions


@dataclass(frozen=True, kw_only=True, slots=True)
class PoseMaps:
    """Body motion drawn on the reference's pixel grid: what the pose encoder sees (section 3.2).

    Attributes:
        body_skeleton: [T, H, W, 3] uint8 RGB, one colour per bone on black, from the neck down.
        head_sphere: [T, H, W, 3] uint8 RGB, the sphere's colours turn with the head.
        tracked: [T] bool, False where nobody was found and both maps are black.
    """

    body_skeleton: Tensor
    head_sphere: Tensor
    tracked: Tensor

    def __post_init__(self) -> None:
        dims = expect_shape("body_skeleton", self.body_skeleton, "T H W 3")
        expect_shape("head_sphere", self.head_sphere, "T H W 3", **dims)
        expect_shape("tracked", self.tracked, "T", T=dims["T"])


@dataclass(frozen=True, kw_only=True, slots=True)
class TexturedProxy:
    """The reference's own pixels carried into the new pose on capsules and an ellipsoid, before the reference's background.

    Attributes:
        rgb: [T, H, W, 3] uint8; behind the figure the filled background; where no reference saw the surface, the other
            side of the body's pixels, else a plain colour.
        seen: [T, H, W] uint8, 255 where the pixel was copied from a reference (figure or background), 64 where it was
            copied from the other side of the body, 0 where it must be invented.
        figure: [T, H, W] uint8, 255 inside the proxy's silhouette.
    """

    rgb: Tensor
    seen: Tensor
    figure: Tensor

    def __post_init__(self) -> None:
        dims = expect_shape("rgb", self.rgb, "T H W 3")
        expect_shape("seen", self.seen, "T H W", T=dims["T"], H=dims["H"], W=dims["W"])
        expect_shape("figure", self.figure, "T H W", T=dims["T"], H=dims["H"], W=dims["W"])


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceInput:
    """What the face encoders see.

    Attributes:
        crops: [T, 3, 224, 224] uint8 RGB aligned face crops, or None where no picture is at hand (a motion file).
        landmarks: [T, P, 3] float32 pose-normalised face points: head rotation, position and size removed; unit: face
            height; x to the person's left as seen frontally (image right), y down, z away from the viewer.
        tracked: [T] bool, False where there is no face (the face guidance is dropped there).
        tokens: [T, c] face motion tokens that were read beforehand; None: they are read off the landmarks.
    """

    crops: Tensor | None
    landmarks: Tensor
    tracked: Tensor
    tokens: Tensor | None = None

    def __post_init__(self) -> None:
        dims = expect_shape("landmarks", self.landmarks, f"T {NUM_FACE_POINTS} 3")
        expect_shape("tracked", self.tracked, "T", T=dims["T"])
        if self.crops is not None:
            expect_shape("crops", self.crops, "T 3 224 224", T=dims["T"])
        if self.tokens is not None:
            expect_shape("tokens", self.tokens, "T c", T=dims["T"])


@dataclass(frozen=True, kw_only=True, slots=True)
class MotionGuidance:
    """Everything that guides one segment of T frames."""

    pose: PoseMaps
    face: FaceInput
    proxy: TexturedProxy | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceImage:
    """One picture of the character on the canvas, with what perception found in it.

    Attributes:
        image: [H, W, 3] uint8 RGB.
        person: track of exactly one frame, in canvas pixels; `person.body.tracked` may be False (nothing found).
        mask: [H, W] uint8, 255 on the person; None where no mask could be had.
        made: whether a model made it (a pseudo reference, section 3.3): where a given picture shows the same, that counts.
    """

    image: Tensor
    person: PersonTrack
    mask: Tensor | None
    made: bool = False

    def __post_init__(self) -> None:
        dims = expect_shape("image", self.image, "H W 3")
        if self.mask is not None:
            expect_shape("mask", self.mask, "H W", **dims)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceSet:
    """All references of one character on one canvas size, and how the character is built.

    The first image is the main one: it decides framing and background.
    """

    images: tuple[ReferenceImage, ...]
    proportions: Proportions

    @property
    def canvas(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        height, width, _ = self.images[0].image.shape
        return int(width), int(height)
