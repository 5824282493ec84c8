"""What perception knows about one person over time. The plug-in interface: a track may come from any estimator.

Pixel-3D coordinates ("px3"): x and y are pixels of the picture (x right, y down, pixel centres at +0.5), z is depth
relative to the pelvis in the *same pixel unit* (weak perspective), positive away from the camera. So a rotation or a bone
length can be computed directly on px3 points. Where a part was not found its values are finite (held or zero) and the
`tracked` flag is False.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any, Self

import torch
from torch import Tensor

from dreamactor.geometry.skeleton import NUM_BODY_JOINTS, NUM_FACE_POINTS, NUM_HAND_JOINTS
from dreamactor.types.shapes import expect_shape
from dreamactor.types.video import FrameTimes


class _PerFrame:
    """Slicing along the first axis of every field."""

    __slots__ = ()

    def __getitem__(self, span: slice) -> Self:
        return replace(self, **{f.name: getattr(self, f.name)[span] for f in fields(self)})  # type: ignore[type-var, arg-type]


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyTrack(_PerFrame):
    """Body joints in the order of `BODY_JOINTS`.

    Attributes:
        joints: [T, J, 3] float32, px3.
        joints_m: [T, J, 3] float32 metres about the pelvis, x right, y down, z away from the camera.
        confidence: [T, J] float32 in 0..1; a joint outside the picture or hidden has a low value.
        tracked: [T] bool.
    """

    joints: Tensor
    joints_m: Tensor
    confidence: Tensor
    tracked: Tensor

    def __post_init__(self) -> None:
        dims = expect_shape("joints", self.joints, f"T {NUM_BODY_JOINTS} 3")
        expect_shape("joints_m", self.joints_m, f"T {NUM_BODY_JOINTS} 3", **dims)
        expect_shape("confidence", self.confidence, f"T {NUM_BODY_JOINTS}", **dims)
        expect_shape("tracked", self.tracked, "T", **dims)


@dataclass(frozen=True, kw_only=True, slots=True)
class HandTrack(_PerFrame):
    """Both hands, in the order of `HANDS` (left, right) and `HAND_JOINTS`.

    Attributes:
        joints: [T, 2, 21, 3] float32, px3 (z on the same scale and origin as the body's).
        tracked: [T, 2] bool.
    """

    joints: Tensor
    tracked: Tensor

    def __post_init__(self) -> None:
        dims = expect_shape("joints", self.joints, f"T 2 {NUM_HAND_JOINTS} 3")
        expect_shape("tracked", self.tracked, "T 2", **dims)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadTrack(_PerFrame):
    """Head pose and size.

    Attributes:
        angles_rad: [T, 3] float32 yaw, pitch, roll with R = Ry(yaw) Rx(pitch) Rz(roll) in axes x right, y up, z to the
            viewer: +yaw turns the nose to the image's right, +pitch nods down, +roll turns counter-clockwise as seen.
            Yaw is unwrapped over time, so it may exceed pi.
        center: [T, 3] float32, px3: middle of the head (halfway between chin and crown, between the ears).
        radius_px: [T] float32, half the distance from chin to crown (hair and hat not counted).
        tracked: [T] bool; True also in back views, where the body tells the yaw.
    """

    angles_rad: Tensor
    center: Tensor
    radius_px: Tensor
    tracked: Tensor

    def __post_init__(self) -> None:
        dims = expect_shape("angles_rad", self.angles_rad, "T 3")
        expect_shape("center", self.center, "T 3", **dims)
        expect_shape("radius_px", self.radius_px, "T", **dims)
        expect_shape("tracked", self.tracked, "T", **dims)


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceTrack(_PerFrame):
    """Face points and the crop box.

    Attributes:
        landmarks: [T, P, 3] float32 in the order of `FACE_POINTS`: x, y in pixels, z in pixels relative to the mean of
            the points, positive away from the camera. Not smoothed over time.
        box: [T, 4] float32 square crop box x0, y0, x1, y1 in pixels, steady over time, may reach outside the picture.
        tracked: [T] bool; False where no face was found (back view: a normal state).
    """

    landmarks: Tensor
    box: Tensor
    tracked: Tensor

    def __post_init__(self) -> None:
        dims = expect_shape("landmarks", self.landmarks, f"T {NUM_FACE_POINTS} 3")
        expect_shape("box", self.box, "T 4", **dims)
        expect_shape("tracked", self.tracked, "T", **dims)


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraTrack(_PerFrame):
    """How the driver's own camera moved, told by the background.

    Attributes:
        matrix: [T, 2, 3] float32 similarity (turn, zoom, shift): pixels of this frame -> pixels of one picture that all
            frames of a shot share (the shot's first frame, unless frames were cut off since).
        known: [T] bool; False where the background told nothing and the camera is taken to have stood still since the
            frame before.
    """

    matrix: Tensor
    known: Tensor

    def __post_init__(self) -> None:
        dims = expect_shape("matrix", self.matrix, "T 2 3")
        expect_shape("known", self.known, "T", **dims)


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonTrack:
    """One person over time: everything motion guidance is drawn from.

    Attributes:
        width, height: size in pixels of the picture the coordinates refer to.
        times: time of each frame.
        body, hands, head, face: the parts; all with T frames.
        cut: [T] bool, True on the first frame after a cut (motion restarts there; frame 0 is False).
        source: where the track comes from, for people ("clip.mp4 (mediapipe 0.10.21)").
        camera: how the camera moved; None where nobody looked (other tools, single pictures) or it cannot have moved.
    """

    width: int
    height: int
    times: FrameTimes
    body: BodyTrack
    hands: HandTrack
    head: HeadTrack
    face: FaceTrack
    cut: Tensor
    source: str = ""
    camera: CameraTrack | None = None

    def __post_init__(self) -> None:
        expect_shape("cut", self.cut, "T", T=self.num_frames)
        if self.camera is not None:
            expect_shape("camera.known", self.camera.known, "T", T=self.num_frames)
        for part in (self.body, self.hands, self.head, self.face):
            expect_shape(
                "tracked", part.tracked[..., None] if part.tracked.ndim == 1 else part.tracked, "T S", T=self.num_frames
            )

    @property
    def num_frames(self) -> int:
        return len(self.times)

    def __getitem__(self, span: slice) -> PersonTrack:
        return replace(
            self,
            times=self.times[span],
            body=self.body[span],
            hands=self.hands[span],
            head=self.head[span],
            face=self.face[span],
            cut=self.cut[span],
            camera=None if self.camera is None else self.camera[span],
        )


def shots_of(cut: Tensor) -> list[slice]:
    """Stretches of frames between cuts [T]; at least one."""
    starts = sorted({0, *torch.nonzero(cut).flatten().tolist()})
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(cut)], strict=True)]


def take_frames(track: PersonTrack, index: Tensor, times: FrameTimes | None = None) -> PersonTrack:
    """The track at chosen frames [N] int64, in any order and as often as wanted.

    Args:
        times: their new times; 25 frames a second if None, for drawing, where times do not matter.

    The flag `cut` comes along with its frame.
    """

    def taken(part: _PerFrame) -> Any:
        return replace(part, **{f.name: getattr(part, f.name)[index] for f in fields(part)})  # type: ignore[type-var, arg-type]

    return replace(
        track,
        times=times or FrameTimes.constant(len(index), Fraction(25)),
        body=taken(track.body),
        hands=taken(track.hands),
        head=taken(track.head),
        face=taken(track.face),
        cut=track.cut[index],
        camera=None if track.camera is None else taken(track.camera),
    )


def resize_track(track: PersonTrack, *, width: int, height: int) -> PersonTrack:
    """The track in the pixels of the same pictures at another size, which keeps their shape."""
    fold = width / track.width
    camera = track.camera
    if camera is not None:
        camera = replace(camera, matrix=camera.matrix * torch.tensor((1.0, 1.0, fold)))
    return replace(
        track,
        width=width,
        height=height,
        camera=camera,
        body=replace(track.body, joints=track.body.joints * fold),
        hands=replace(track.hands, joints=track.hands.joints * fold),
        head=replace(track.head, center=track.head.center * fold, radius_px=track.head.radius_px * fold),
        face=replace(track.face, landmarks=track.face.landmarks * fold, box=track.face.box * fold),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Proportions:
    """How a person is built; no pose, no size in the picture.

    Attributes:
        bone_length: [J] float32, length of the bone from each joint to its parent (`BODY_PARENTS`), in units of the
            torso (neck to pelvis, so bone_length[neck] = 1); 0 for the pelvis.
        known: [J] bool, False where the length is a human prior because nothing was visible.
        head_radius: half the distance from chin to crown, in torso units.
        hand_length: wrist to tip of the middle finger along the bones, in torso units.
        doubt: 0 for lengths that are exact or given by hand, up to 1 for those that an estimator saw in pictures.
    """

    bone_length: Tensor
    known: Tensor
    head_radius: float
    hand_length: float
    doubt: float = 0.0

    def __post_init__(self) -> None:
        expect_shape("bone_length", self.bone_length, f"{NUM_BODY_JOINTS}")
        expect_shape("known", self.known, f"{NUM_BODY_JOINTS}")


def empty_track(num_frames: int, *, width: int, height: int, times: FrameTimes, source: str = "") -> PersonTrack:
    """A track in which nothing was found: all zeros, nothing tracked."""

    def zeros(*shape: int) -> Tensor:
        return torch.zeros(num_frames, *shape)

    def never(*shape: int) -> Tensor:
        return torch.zeros(num_frames, *shape, dtype=torch.bool)

    return PersonTrack(
        width=width,
        height=height,
        times=times,
        body=BodyTrack(
            joints=zeros(NUM_BODY_JOINTS, 3),
            joints_m=zeros(NUM_BODY_JOINTS, 3),
            confidence=zeros(NUM_BODY_JOINTS),
            tracked=never(),
        ),
        hands=HandTrack(joints=zeros(2, NUM_HAND_JOINTS, 3), tracked=never(2)),
        head=HeadTrack(angles_rad=zeros(3), center=zeros(3), radius_px=zeros(), tracked=never()),
        face=FaceTrack(landmarks=zeros(NUM_FACE_POINTS, 3), box=zeros(4), tracked=never()),
        cut=never(),
        source=source,
    )
