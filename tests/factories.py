"""Makes synthetic people and clips for tests: no file, no estimator, no renderer."""

from __future__ import annotations

from fractions import Fraction

import torch

from dreamactor.geometry.skeleton import (
    BODY_JOINTS,
    FACE_POINT,
    HAND_JOINTS,
    JOINT,
    NUM_BODY_JOINTS,
    NUM_FACE_POINTS,
    NUM_HAND_JOINTS,
)
from dreamactor.models.audio_motion import AudioMotionEncoder
from dreamactor.types.track import BodyTrack, FaceTrack, HandTrack, HeadTrack, PersonTrack
from dreamactor.types.video import FrameTimes

_REST_POSE_M = {
    "pelvis": (0.0, 0.0, 0.0),
    "neck": (0.0, -0.50, 0.0),
    "left_shoulder": (0.18, -0.50, 0.0),
    "left_elbow": (0.26, -0.23, 0.0),
    "left_wrist": (0.30, 0.02, -0.03),
    "left_hip": (0.10, 0.0, 0.0),
    "left_knee": (0.12, 0.42, 0.0),
    "left_ankle": (0.13, 0.83, 0.02),
    "left_heel": (0.13, 0.89, 0.06),
    "left_toe": (0.15, 0.90, -0.13),
    "head": (0.0, -0.70, 0.0),
    "nose": (0.0, -0.68, -0.12),
    "left_ear": (0.075, -0.70, 0.0),
}
"""Metres about the pelvis, x right, y down, z away; a person facing the camera, so the left side is at image right."""

_FINGERS = {"thumb": 0.45, "index": 0.95, "middle": 1.0, "ring": 0.94, "little": 0.8}


SPEECH_NAMES = ("jaw_open", "lip_press", "blink_left", "blink_right", "brow_raise_left")


def make_audio_encoder(code_dim: int = 8) -> AudioMotionEncoder:
    """An untrained encoder whose jaw opens with a tone of 700 Hz."""
    encoder = AudioMotionEncoder(
        code_dim=code_dim, coefficients=SPEECH_NAMES, spoken=SPEECH_NAMES[:2], width=4,
        levels=False,  # an even tone is not loud against itself
    )  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.zero_()
        encoder.stem.weight[0, 11:13, 2] = 1.0  # about 700 Hz
        encoder.head.weight[0, 0] = encoder.head.weight[2, 0] = 0.5
        encoder.head.bias[2] = 1.0
        encoder.token_matrix.normal_(generator=generator)
        encoder.point_matrix.normal_(generator=generator).mul_(0.01)
    return encoder.requires_grad_(False).eval()


def rest_joints_m() -> torch.Tensor:
    """[J, 3] metres: a standing person who faces the camera, arms a little away from the body."""
    joints = torch.zeros(NUM_BODY_JOINTS, 3)
    for index, name in enumerate(BODY_JOINTS):
        mirrored = name.replace("right_", "left_")
        x, y, z = _REST_POSE_M[mirrored]
        joints[index] = torch.tensor((-x if name.startswith("right_") else x, y, z))
    return joints


def hand_joints_m(wrist: torch.Tensor, direction: torch.Tensor, across: torch.Tensor) -> torch.Tensor:
    """[21, 3] an open hand at a wrist; `direction` towards the fingertips, `across` from the thumb's side outwards."""
    joints = torch.zeros(NUM_HAND_JOINTS, 3)
    joints[0] = wrist
    for finger, (name, length) in enumerate(_FINGERS.items()):
        offset = (finger - 2) * 0.022
        parts = [j for j in HAND_JOINTS if j.startswith(name)]
        reach = torch.linspace(0.3 if name == "thumb" else 0.5, 1.0, len(parts)) * 0.18 * length
        for joint, distance in zip(parts, reach, strict=True):
            joints[HAND_JOINTS.index(joint)] = wrist + direction * distance + across * offset
    return joints


def make_track(
    *,
    num_frames: int = 8,
    width: int = 128,
    height: int = 192,
    scale_px: float = 90.0,
    pelvis_px: tuple[float, float] = (64.0, 100.0),
    limb_scale: float = 1.0,
    torso_scale: float = 1.0,
    head_radius_m: float = 0.115,
    body_yaw_rad: float = 0.0,
    head_angles_rad: tuple[float, float, float] = (0.0, 0.0, 0.0),
    arm_swing_rad: float = 0.0,
    leg_swing_rad: float = 0.0,
    move_px: tuple[float, float] = (0.0, 0.0),
    hands: bool = True,
) -> PersonTrack:
    """A synthetic person; swings and moves grow from zero in frame 0 to their full value in the last frame.

    Args:
        scale_px: pixels per metre.
        pelvis_px: where the pelvis is in frame 0.
        limb_scale: longer (> 1) or shorter arms and legs.
        torso_scale: longer or shorter torso.
        body_yaw_rad: turn of the whole body about the vertical, in every frame.
        head_angles_rad: yaw, pitch, roll of the head in every frame.
        arm_swing_rad, leg_swing_rad: sideways raise of both arms, of the left leg.
        move_px: translation reached in the last frame.
    """
    rest = rest_joints_m()
    phase = torch.linspace(0.0, 1.0, num_frames) if num_frames > 1 else torch.zeros(1)
    joints_m = rest.expand(num_frames, -1, -1).clone()
    upper = [JOINT[n] for n in ("neck", "left_shoulder", "right_shoulder", "head", "nose", "left_ear", "right_ear")]
    lift = torch.tensor((0.0, -0.50 * (torso_scale - 1.0), 0.0))
    arms = [JOINT[f"{s}_{j}"] for s in ("left", "right") for j in ("elbow", "wrist")]
    joints_m[:, upper + arms] += lift
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for root, chain, swing in (
            ("shoulder", ("elbow", "wrist"), arm_swing_rad),
            ("hip", ("knee", "ankle", "heel", "toe"), leg_swing_rad if side == "left" else 0.0),
        ):
            origin = joints_m[:, JOINT[f"{side}_{root}"]].clone()
            angle = -sign * swing * phase
            cos, sin = angle.cos(), angle.sin()
            for joint in chain:
                index = JOINT[f"{side}_{joint}"]
                offset = (joints_m[:, index] - origin) * limb_scale
                x, y = offset[:, 0], offset[:, 1]
                turned = torch.stack((cos * x - sin * y, sin * x + cos * y, offset[:, 2]), dim=-1)
                joints_m[:, index] = origin + turned
    cos, sin = torch.tensor(body_yaw_rad).cos(), torch.tensor(body_yaw_rad).sin()
    turn = torch.tensor([[cos, 0.0, -sin], [0.0, 1.0, 0.0], [sin, 0.0, cos]])  # +yaw: the front (-z) goes to image right
    joints_m = joints_m @ turn.T
    move = torch.zeros(num_frames, 3)
    move[:, 0] = pelvis_px[0] + phase * move_px[0]
    move[:, 1] = pelvis_px[1] + phase * move_px[1]
    joints = joints_m * scale_px + move[:, None]

    hand_joints = torch.zeros(num_frames, 2, NUM_HAND_JOINTS, 3)
    for hand, side in enumerate(("left", "right")):
        wrist, elbow = joints_m[:, JOINT[f"{side}_wrist"]], joints_m[:, JOINT[f"{side}_elbow"]]
        for t in range(num_frames):
            direction = torch.nn.functional.normalize(wrist[t] - elbow[t], dim=0)
            local = hand_joints_m(torch.zeros(3), direction, turn[:, 2])
            hand_joints[t, hand] = (local + wrist[t]) * scale_px + move[t]

    angles = torch.tensor(head_angles_rad).expand(num_frames, 3).clone()
    center = joints[:, JOINT["head"]].clone()
    radius = torch.full((num_frames,), head_radius_m * scale_px)
    landmarks = _face_points(angles) * radius[:, None, None]
    landmarks[..., :2] += center[:, None, :2]
    box = torch.cat((center[:, :2] - radius[:, None], center[:, :2] + radius[:, None]), dim=1)
    always = torch.ones(num_frames, dtype=torch.bool)
    return PersonTrack(
        width=width,
        height=height,
        times=FrameTimes.constant(num_frames, Fraction(25)),
        body=BodyTrack(joints=joints, joints_m=joints_m, confidence=torch.ones(num_frames, NUM_BODY_JOINTS), tracked=always),
        hands=HandTrack(joints=hand_joints, tracked=torch.full((num_frames, 2), hands)),
        head=HeadTrack(angles_rad=angles, center=center, radius_px=radius, tracked=always),
        face=FaceTrack(landmarks=landmarks, box=box, tracked=always),
        cut=torch.zeros(num_frames, dtype=torch.bool),
        source="synthetic",
    )


def _face_points(angles_rad: torch.Tensor) -> torch.Tensor:
    """[T, P, 3] face points in head radii about the head's middle, pixel axes, turned by the head angles."""
    from dreamactor.geometry.rotation import angles_to_matrix, flip_axes

    generator = torch.Generator().manual_seed(0)
    points = torch.rand(NUM_FACE_POINTS, 3, generator=generator) - 0.5
    points[:, 2] = -0.8
    for name, place in {
        "forehead": (0.0, -0.75, -0.75),
        "chin": (0.0, 0.95, -0.7),
        "right_eye_0": (-0.45, -0.1, -0.75),
        "left_eye_0": (0.45, -0.1, -0.75),
        "nose_bridge": (0.0, -0.1, -0.9),
        "nose_tip": (0.0, 0.25, -1.1),
    }.items():
        points[FACE_POINT[name]] = torch.tensor(place)
    turn = flip_axes(angles_to_matrix(angles_rad))  # [T, 3, 3]
    return torch.einsum("tij,pj->tpi", turn, points)
