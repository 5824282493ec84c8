"""How exactly the motion of the driver's camera is told from the background and taken out of the body's way.

Actors are drawn before a still camera and laid on a large textured ground; then the whole is seen through a camera that
pans, zooms, shakes or turns in a known way. The truth is the track before the still camera.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

import cv2
import numpy as np
import torch
from torch import Tensor

from dreamactor.data.actors import FIRST_HELD_OUT_SEED, render, sample_actor, sample_performance, sample_scene
from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.camera import move_track, report_camera, steady
from dreamactor.perception.base import RawPerson, nobody
from dreamactor.perception.build import build_estimator
from dreamactor.perception.camera_motion import CameraFollower
from dreamactor.perception.perceive import perceive_video
from dreamactor.types.track import PersonTrack
from dreamactor.types.video import FrameTimes

CLIPS: Final = 6
"""Of every motion of the camera."""
SIZE: Final = 256
NUM_FRAMES: Final = 36
PATHS: Final = ("still", "pan", "zoom", "shake", "turn")


def rows(report: Callable[[int, int | None], None]) -> list[dict[str, Any]]:
    """Per motion of the camera: errors of the pelvis's way in % of the width, the person's outline being exact or perceived,
    and with the camera left in."""
    found = []
    for index, path in enumerate(PATHS):
        errors: dict[str, list[Tensor]] = {"exact outline": [], "perceived": [], "uncorrected": []}
        known: dict[str, list[float]] = {"exact outline": [], "perceived": []}
        for clip in range(CLIPS):
            frames, seen, truth = film_moving(FIRST_HELD_OUT_SEED + 7000 + 10 * clip, path)
            cameras = {"exact outline": follow_camera(frames, seen), "perceived": _perceived(frames).camera}
            errors["uncorrected"].append(way_error(seen, truth))
            for outline, camera in cameras.items():
                watched = replace(seen, camera=camera)
                errors[outline].append(way_error(steady(watched), truth))
                told = report_camera(watched)
                known[outline].append(0.0 if told is None else told.known)
            report(index * CLIPS + clip + 1, len(PATHS) * CLIPS)
        for outline, values in errors.items():
            every = torch.cat(values)
            measured = {"way_error_median_percent": every.median(), "way_error_worst_percent": every.max()}
            if outline in known:
                measured["frames_known_percent"] = torch.tensor(known[outline]).mean() * 100
            found += [
                {"set": f"{path}, {outline}", "metric": metric, "value": float(value), "n": CLIPS}
                for metric, value in measured.items()
            ]
    return found


def film_moving(seed: int, path: str) -> tuple[Tensor, PersonTrack, PersonTrack]:
    """An actor before a textured ground, seen by a moving camera.

    Returns:
        Frames [T, H, W, 3] uint8, the exact track as that camera sees it, and as the still one of the first frame would.
    """
    drawn = render(
        sample_actor(seed),
        sample_performance(seed, num_frames=NUM_FRAMES, framing="full", kind="dance"),
        sample_scene(seed, framing="full"),
        width=SIZE,
        height=SIZE,
    )
    ground, margin = _ground(seed)
    matrices = _path(path)
    frames = []
    for frame, mask, matrix in zip(drawn.frames.numpy(), drawn.mask.numpy(), matrices, strict=True):
        centred = _about_pixel_centres(matrix)
        over_ground = centred @ np.array([[1, 0, -margin], [0, 1, -margin], [0, 0, 1]])
        picture = cv2.warpAffine(ground, over_ground[:2], (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT)
        actor = cv2.warpAffine(frame, centred[:2], (SIZE, SIZE))
        share = cv2.warpAffine(mask, centred[:2], (SIZE, SIZE))[..., None] / 255.0
        frames.append(np.rint(actor * share + picture * (1 - share)).astype(np.uint8))
    moved = move_track(drawn.track, torch.from_numpy(matrices[:, :2]).float())
    return torch.from_numpy(np.stack(frames)), moved, drawn.track


def follow_camera(frames: Tensor, seen: PersonTrack) -> Any:
    """The camera's track [T], the person's outline taken from an exact track."""
    follower = CameraFollower()
    for t, frame in enumerate(frames):
        follower.observe(frame, raw_person(seen, t), new_shot=t == 0)
    return follower.track()


def raw_person(track: PersonTrack, frame: int) -> RawPerson:
    """The body of one frame, as an estimator would give it."""
    body = track.body
    return replace(
        nobody(),
        joints_px=body.joints[frame, :, :2],
        joints_m=body.joints_m[frame],
        confidence=body.confidence[frame],
        found=bool(body.tracked[frame]),
    )


def way_error(track: PersonTrack, truth: PersonTrack) -> Tensor:
    """[T] how far the pelvis is from its true place, in % of the width."""
    apart = track.body.joints[:, JOINT["pelvis"], :2] - truth.body.joints[:, JOINT["pelvis"], :2]
    return apart.norm(dim=-1) / truth.width * 100


def _perceived(frames: Tensor) -> PersonTrack:
    pts = FrameTimes.constant(len(frames), Fraction(25)).pts.tolist()
    with closing(build_estimator("mediapipe")) as estimator:
        return perceive_video(zip(frames, pts, strict=True), time_base=Fraction(1, 25), estimator=estimator)


def _ground(seed: int) -> tuple[np.ndarray, int]:
    """A large picture of blurred patches [S, S, 3] uint8, and how far it reaches beyond the view on each side."""
    rng = np.random.Generator(np.random.PCG64([seed, 0x6A0]))
    margin = SIZE
    ground = np.full((SIZE + 2 * margin, SIZE + 2 * margin, 3), 128, dtype=np.uint8)
    for _ in range(900):
        x, y = (int(v) for v in rng.integers(0, len(ground), 2))
        width, height = (int(v) for v in rng.integers(4, SIZE // 6, 2))
        colour = tuple(int(v) for v in rng.integers(40, 220, 3))
        cv2.rectangle(ground, (x, y), (x + width, y + height), colour, thickness=-1)
    return cv2.GaussianBlur(ground, (0, 0), 1.2), margin


def _path(path: str) -> np.ndarray:
    """[T, 3, 3] from pixels of the still camera to pixels of the moving one; the identity in the first frame."""
    share = np.linspace(0.0, 1.0, NUM_FRAMES)
    swing = np.sin(np.arange(NUM_FRAMES) * 2.1) * share.clip(0, 0.2) / 0.2
    zoom = 1.0 + (0.25 * share if path == "zoom" else 0.0 * share)
    turn = math.radians(8.0) * share if path == "turn" else 0.0 * share
    across, down = {
        "pan": (-0.3 * share, 0.06 * share),
        "shake": (0.02 * swing, 0.012 * np.roll(swing, 1) * (share > 0)),
    }.get(path, (0.0 * share, 0.0 * share))
    cosine, sine = zoom * np.cos(turn), zoom * np.sin(turn)
    middle = SIZE / 2
    matrices = np.tile(np.eye(3), (NUM_FRAMES, 1, 1))
    matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 1, 0], matrices[:, 1, 1] = cosine, -sine, sine, cosine
    matrices[:, 0, 2] = middle - cosine * middle + sine * middle + across * SIZE
    matrices[:, 1, 2] = middle - sine * middle - cosine * middle + down * SIZE
    return matrices


def _about_pixel_centres(matrix: np.ndarray) -> np.ndarray:
    """The same map for pictures whose pixel centres have whole numbers."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return np.linalg.inv(half) @ matrix @ half
