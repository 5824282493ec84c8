"""Raw persons made of plain geometry, and an estimator that plays them back."""

import math

import torch
from torch import Tensor

from dreamactor.geometry.rotation import angles_to_matrix, view_from_pixels
from dreamactor.geometry.skeleton import BODY_JOINTS, FACE_POINT, JOINT, NUM_FACE_POINTS
from dreamactor.perception.base import RawPerson, nobody

PX_PER_M = 200.0
WIDTH, HEIGHT = 400, 480
CENTER = torch.tensor([200.0, 240.0])

_STANDING_M = {
    "pelvis": (0, 0, 0), "neck": (0, -0.5, 0),
    "left_shoulder": (0.18, -0.5, 0), "left_elbow": (0.25, -0.2, 0), "left_wrist": (0.28, 0.05, 0),
    "right_shoulder": (-0.18, -0.5, 0), "right_elbow": (-0.25, -0.2, 0), "right_wrist": (-0.28, 0.05, 0),
    "left_hip": (0.1, 0, 0), "left_knee": (0.11, 0.42, 0), "left_ankle": (0.12, 0.82, 0.02),
    "left_heel": (0.12, 0.86, 0.06), "left_toe": (0.14, 0.87, -0.12),
    "right_hip": (-0.1, 0, 0), "right_knee": (-0.11, 0.42, 0), "right_ankle": (-0.12, 0.82, 0.02),
    "right_heel": (-0.12, 0.86, 0.06), "right_toe": (-0.14, 0.87, -0.12),
    "head": (0, -0.68, 0), "nose": (0, -0.66, -0.12), "left_ear": (0.07, -0.68, 0), "right_ear": (-0.07, -0.68, 0),
}  # fmt: skip

# Head axes (x image right, y up, z to the nose), centimetres from the middle of the head.
_FACE_CM = {
    "forehead": (0, 6.4, 7.5), "chin": (0, -11.25, 7.3), "left_eye_0": (4.4, 0.8, 6.2), "right_eye_0": (-4.4, 0.8, 6.2),
    "left_ala": (1.8, -4.0, 6.8), "right_ala": (-1.8, -4.0, 6.8), "nose_tip": (0, -3.0, 10.0),
    "left_cheek": (7.6, -1.2, 0.6), "right_cheek": (-7.6, -1.2, 0.6),
}  # fmt: skip


def standing_m() -> Tensor:
    """[J, 3] metres."""
    return torch.tensor([_STANDING_M[name] for name in BODY_JOINTS], dtype=torch.float32)


def person(
    *,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    turn_body: bool = True,
    shift: tuple[float, float] = (0, 0),
    face: bool = True,
    joints_m: Tensor | None = None,
) -> RawPerson:
    """A standing person; angles in degrees by the project's convention, body and head turn together."""
    joints = standing_m() if joints_m is None else joints_m
    if turn_body:
        turn = angles_to_matrix(torch.tensor([math.radians(yaw), 0.0, 0.0]))
        joints = view_from_pixels(view_from_pixels(joints) @ turn.T)
    origin = CENTER + torch.tensor(shift, dtype=torch.float32)
    head = joints[JOINT["head"]] * PX_PER_M
    points = torch.zeros(NUM_FACE_POINTS, 3)
    for name, index in FACE_POINT.items():
        points[index] = torch.tensor(_FACE_CM.get(name, (0.0, -2.0, 8.0)))
    rotation = angles_to_matrix(torch.deg2rad(torch.tensor([yaw, pitch, roll])))
    points = view_from_pixels(points @ rotation.T) * PX_PER_M / 100
    points[:, :2] += origin + head[:2]
    points[:, 2] -= points[:, 2].mean()
    base = nobody()
    return RawPerson(
        joints_px=joints[:, :2] * PX_PER_M + origin, joints_m=joints, confidence=torch.ones(len(joints)), found=True,
        hands=base.hands, hand_found=base.hand_found, face=points, face_found=face,
    )  # fmt: skip


class PlaybackEstimator:
    """Returns prepared people one after the other and remembers what it was asked."""

    name = "playback 1"
    settings = "playback"

    def __init__(self, people: list[RawPerson], boxes: Tensor | None = None) -> None:
        self._people = iter(people)
        self._boxes = torch.tensor([[0.0, 0.0, 10.0, 20.0]]) if boxes is None else boxes
        self.resets = 0
        self.starts: list[Tensor] = []

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        pass

    def people(self, image: Tensor) -> Tensor:
        return self._boxes

    def observe(self, image: Tensor, *, within: Tensor | None = None) -> RawPerson:
        if within is not None:
            self.starts.append(within)
        return next(self._people)
