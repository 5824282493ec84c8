"""Optional estimator: RTMW3D whole-body joints through rtmlib and ONNX files that the user has.

Nothing is downloaded here: rtmlib would fetch files that it does not find, so every path is checked first.
"""

from __future__ import annotations

import contextlib
import io
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import rtmlib
import torch
from torch import Tensor

from dreamactor.errors import ConfigError
from dreamactor.geometry.layouts import COCO_WHOLEBODY_133
from dreamactor.geometry.skeleton import JOINT
from dreamactor.perception.base import RawPerson, nobody
from dreamactor.perception.joint_import import SEEN, track_from_joints
from dreamactor.perception.recording import recording_from_pixels
from dreamactor.types.video import FrameTimes

_DETECTOR, _POSE = "yolox", "rtmw3d"
"""How the names of the two files start, as their makers call them."""

_DETECTOR_SIZE, _POSE_SIZE = (640, 640), (288, 384)
"""(height, width) the detector's, (width, height) the pose network's input must have."""

_USUAL_LENGTH_M: Final = {
    ("left_shoulder", "right_shoulder"): 0.36, ("left_shoulder", "left_hip"): 0.52, ("right_shoulder", "right_hip"): 0.52,
    ("left_shoulder", "left_elbow"): 0.28, ("right_shoulder", "right_elbow"): 0.28,
    ("left_hip", "left_knee"): 0.42, ("right_hip", "right_knee"): 0.42,
}  # fmt: skip
"""Bones of an average adult: the network gives depth in metres but the picture in pixels."""

_ROOM: Final = 0.15
"""The next picture is searched in the person's box and so much of it to every side."""


class RtmlibEstimator:
    """Body, hands and face of one person from RTMW3D; see `PersonEstimator`. No person masks."""

    def __init__(self, *, static: bool, weights: Path | None) -> None:
        detector, pose = find_weights(weights)
        self.name = "rtmlib RTMW3D"
        self.settings = f"{self.name} static={static} {detector.name} {pose.name}"
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it loads
            self._detector = rtmlib.YOLOX(str(detector), model_input_size=_DETECTOR_SIZE, backend="onnxruntime")
            self._pose = rtmlib.RTMPose3d(str(pose), model_input_size=_POSE_SIZE, backend="onnxruntime")
        self._static = static
        self._box: Tensor | None = None

    def reset(self) -> None:
        """Forgets the person followed so far."""
        self._box = None

    def close(self) -> None:
        """Forgets the person; the networks go with the object."""
        self._box = None

    def people(self, image: Tensor) -> Tensor:
        """Boxes of everybody, largest first."""
        boxes = np.asarray(self._detector(_bgr(image)), dtype=np.float32).reshape(-1, 4)
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        return torch.from_numpy(boxes[np.argsort(-area)].copy())

    def observe(self, image: Tensor, *, within: Tensor | None = None) -> RawPerson:
        """Looks at the next picture; where the person is lost, on the largest one."""
        start = within if within is not None else None if self._static else self._box
        seen = self._look(image, start) if start is not None else nobody()
        if not seen.found and within is None:
            boxes = self.people(image)
            seen = self._look(image, boxes[0]) if len(boxes) else seen
        if seen.found:
            sure = seen.joints_px[seen.confidence >= SEEN]
            low, high = sure.amin(0), sure.amax(0)
            room = _ROOM * (high - low).amax()
            self._box = torch.cat((low - room, high + room))
        return seen

    def _look(self, image: Tensor, box: Tensor) -> RawPerson:
        places, scores, _, pixels = self._pose(_bgr(image), bboxes=[box.tolist()])
        height, width = image.shape[:2]
        return person_from_wholebody(pixels[0], places[0][:, 2], scores[0], width=int(width), height=int(height))


def find_weights(folder: Path | None) -> tuple[Path, Path]:
    """The detector's and the pose network's file in a folder.

    Raises:
        ConfigError: no folder, or not exactly one file of each kind in it.
    """
    needed = f"a folder with one '{_DETECTOR}*.onnx' and one '{_POSE}*.onnx' (see docs/joint-files.md for where to get them)"
    if folder is None:
        raise ConfigError(f"The estimator rtmlib needs its networks: --estimator-weights, {needed}. Nothing is downloaded.")
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder. Needed is {needed}.")
    found = [sorted(folder.glob(f"{start}*.onnx")) for start in (_DETECTOR, _POSE)]
    if [len(files) for files in found] != [1, 1]:
        have = ", ".join(path.name for files in found for path in files) or "none of them"
        raise ConfigError(f"{folder} has {have}. Needed is {needed}.")
    return found[0][0], found[1][0]


def person_from_wholebody(
    pixels: np.ndarray, depth_m: np.ndarray, scores: np.ndarray, *, width: int, height: int
) -> RawPerson:
    """One person from one picture's answer.

    Args:
        pixels: [133, 2].
        depth_m: [133] metres relative to the hips, positive away from the camera.
        scores: [133] network scores; above 1 counts as 1.
        width, height: of the picture.
    """
    confidence = torch.from_numpy(np.clip(scores, 0.0, 1.0)).float()[None]
    flat = torch.from_numpy(np.ascontiguousarray(pixels)).float()[None]
    depth = torch.from_numpy(np.ascontiguousarray(depth_m)).float()[None]
    body = [COCO_WHOLEBODY_133.index(name) for name in JOINT if name in COCO_WHOLEBODY_133]
    if float(confidence[:, body].mean()) < SEEN:
        return nobody()
    px_per_m = usual_scale(flat[0], depth[0], confidence[0])
    recording = recording_from_pixels(
        "coco_wholebody_133",
        torch.cat((flat, depth[..., None] * px_per_m), dim=-1),
        confidence,
        px_per_m=px_per_m.reshape(1),
        times=FrameTimes.constant(1, Fraction(25)),
        size=(width, height),
    )
    track = track_from_joints(recording)
    hands = track.hands.joints[0].clone()
    hands[..., 2] -= hands[:, :1, 2]
    return RawPerson(
        joints_px=track.body.joints[0, :, :2],
        joints_m=track.body.joints_m[0],
        confidence=track.body.confidence[0],
        found=True,
        hands=hands,
        hand_found=track.hands.tracked[0],
        face=track.face.landmarks[0],
        face_found=bool(track.face.tracked[0]),
    )


def usual_scale(pixels: Tensor, depth_m: Tensor, confidence: Tensor) -> Tensor:
    """Pixels per metre of one person of average build: the median over bones, each freed of its slant."""
    scales, sure = [], []
    for (one, other), length in _USUAL_LENGTH_M.items():
        a, b = COCO_WHOLEBODY_133.index(one), COCO_WHOLEBODY_133.index(other)
        across = (length**2 - (depth_m[a] - depth_m[b]) ** 2).clamp_min((0.4 * length) ** 2).sqrt()
        scales.append((pixels[a] - pixels[b]).norm() / across)
        sure.append(torch.minimum(confidence[a], confidence[b]) >= SEEN)
    usable = torch.stack(sure)
    values = torch.stack(scales)
    return (values[usable] if usable.any() else values).median().clamp_min(1e-3)


def _bgr(image: Tensor) -> np.ndarray:
    return np.ascontiguousarray(image.numpy()[..., ::-1])
