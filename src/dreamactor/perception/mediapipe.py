"""Default estimator: mediapipe 0.10.21 Holistic on a CPU. Its wheel carries all models, so nothing is downloaded.

Holistic follows one subject, the one its detector likes best. To start on another one we show it the first picture with
everything outside that person's box painted grey: it locks on, and follows the person through the full pictures after
that. Its own smoothing is off (it lags behind fast limbs); `smoothing.py` smooths without lag instead.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("GLOG_minloglevel", "3")

import cv2
import numpy as np
import torch
from google.protobuf import text_format
from mediapipe import __version__ as _mediapipe_version
from mediapipe.framework import calculator_pb2
from mediapipe.python.solution_base import SolutionBase
from mediapipe.python.solutions.holistic import Holistic
from torch import Tensor

from dreamactor.geometry.skeleton import BODY_JOINTS, FACE_POINT_MESH_INDEX, NUM_HAND_JOINTS
from dreamactor.perception.base import RawPerson, nobody
from dreamactor.perception.joint_places import place_joints

_SHORT_SIDE_PX = 480
"""More pixels find no more faces (measured at 480, 720 and 1080) and cost time."""

_LONG_SIDE_PX = 1280
"""Bound for panoramic pictures."""

_FIRST_CONFIDENCE, _SECOND_CONFIDENCE = 0.5, 0.2
"""Static pictures in which nobody is found get a second look with the lower one (drawn people)."""

_SETTLING_LOOKS = 2
"""A tracking graph that has just found somebody looks at the same picture so many times more: the detector frames a person
roughly, and only from look to look does the frame settle on the body (otherwise hips leap by a fifth of the torso). Single
pictures, too, are looked at so for the body."""

_SAME_BODY_TORSOS = 0.5
"""A settled body whose shoulders and hips lie farther (median) from where the first look saw them is somebody else's."""
_TRUNK = (11, 12, 23, 24)
"""Landmarks of shoulders and hips."""

_BODY_INDEX = {
    "left_shoulder": 11, "left_elbow": 13, "left_wrist": 15, "right_shoulder": 12, "right_elbow": 14, "right_wrist": 16,
    "left_hip": 23, "left_knee": 25, "left_ankle": 27, "left_heel": 29, "left_toe": 31,
    "right_hip": 24, "right_knee": 26, "right_ankle": 28, "right_heel": 30, "right_toe": 32,
    "nose": 0, "left_ear": 7, "right_ear": 8,
}  # fmt: skip
_MEAN_OF = {
    "pelvis": ("left_hip", "right_hip"),
    "neck": ("left_shoulder", "right_shoulder"),
    "head": ("left_ear", "right_ear"),
}
_PAIRS = torch.tensor([[_BODY_INDEX[side] for side in _MEAN_OF.get(joint, (joint, joint))] for joint in BODY_JOINTS])
"""[J, 2] the two landmarks whose mean is the joint."""

_LEAN_RAD = math.radians(7.0)
"""World landmarks lean: people who stand upright come out with the head nearer and the feet farther (10 to 12 degrees
when they face the camera, none in back views). Half of it is an error of the camera's axes, and is turned back."""

_DETECTOR_GRAPH = """
input_stream: "image"
output_stream: "detections"
node { calculator: "PoseDetectionCpu" input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections" }
"""


class MediaPipeEstimator:
    """Body, hands and face of one person from Holistic; see `PersonEstimator`."""

    def __init__(self, *, static: bool) -> None:
        self.name = f"mediapipe {_mediapipe_version}"
        looks = " settled" if static else ""
        self.settings = f"{self.name} holistic static={static} short_side={_SHORT_SIDE_PX}{looks}"
        self._static = static
        self._holistic: dict[tuple[bool, float], Holistic] = {}  # by whether it is static, and confidence
        self._started: set[tuple[bool, float]] = set()
        self._settled = False
        self._detector: SolutionBase | None = None

    def reset(self) -> None:
        """Forgets the person followed so far."""
        for kind, holistic in self._holistic.items():
            if kind in self._started:
                with quiet_native_logs():
                    holistic.reset()
        self._started.clear()
        self._settled = False

    def close(self) -> None:
        """Frees the graphs (a quarter of a gigabyte that the garbage collector does not find)."""
        for graph in (*self._holistic.values(), *([self._detector] if self._detector else [])):
            graph.close()
        self._holistic.clear()
        self._started.clear()
        self._settled = False
        self._detector = None

    def people(self, image: Tensor) -> Tensor:
        """Boxes of everybody, largest first; looks at the whole picture and at square tiles along its longer side."""
        picture, scale = _shrink(image)
        circles: list[tuple[float, float, float, float]] = []  # score, centre x, centre y, radius
        for left, top, tile in _tiles(picture):
            height, width = tile.shape[:2]
            for detection in self._detect(tile):
                hips, reach = detection.location_data.relative_keypoints[:2]
                radius = float(np.hypot((reach.x - hips.x) * width, (reach.y - hips.y) * height))
                circles.append((float(detection.score[0]), left + hips.x * width, top + hips.y * height, radius))
        kept: list[tuple[float, float, float, float]] = []
        for circle in sorted(circles, reverse=True):
            if all(np.hypot(circle[1] - k[1], circle[2] - k[2]) > 0.35 * max(circle[3], k[3]) for k in kept):
                kept.append(circle)
        kept.sort(key=lambda circle: -circle[3])
        boxes = [[x - 0.6 * r, y - 1.25 * r, x + 0.6 * r, y + 1.25 * r] for _, x, y, r in kept]
        return torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4) / scale

    def observe(self, image: Tensor, *, within: Tensor | None = None) -> RawPerson:
        """Looks at the next picture; a static estimator starts anew for each, and looks twice where it found nobody."""
        if self._static:  # Holistic's own static mode still remembers where hands and face were
            self.reset()
        picture, scale = _shrink(image)
        if within is not None:
            alone = _grey_outside(picture, within * scale)
            if self._static:
                picture = alone
            else:
                self._process(alone, _FIRST_CONFIDENCE)
        if not self._static and not self._settled:
            for _ in range(_SETTLING_LOOKS):
                self._settled = self._process(picture, _FIRST_CONFIDENCE).pose_landmarks is not None
                if not self._settled:
                    break
        result = self._process(picture, _FIRST_CONFIDENCE)
        if self._static and (result.pose_landmarks is None or result.face_landmarks is None):
            second = self._process(picture, _SECOND_CONFIDENCE)
            if result.pose_landmarks is None or second.face_landmarks is not None:
                result = second
        body = self._settled_body(picture, result) if self._static else result
        height, width = int(image.shape[0]), int(image.shape[1])
        return _to_raw_person(result, body, width=width, height=height)

    def _settled_body(self, picture: np.ndarray, first: Any) -> Any:
        """What a tracking graph says of the body after some looks at one picture; `first` where it found nobody there."""
        if first.pose_landmarks is None:
            return first
        for _ in range(1 + _SETTLING_LOOKS):
            settled = self._process(picture, _FIRST_CONFIDENCE, static=False)
            if settled.pose_landmarks is None:
                return first
        before, after = (_points(seen.pose_landmarks)[list(_TRUNK), :2] for seen in (first, settled))
        before, after = (points * torch.tensor((picture.shape[1], picture.shape[0])) for points in (before, after))
        torso = (before[:2].mean(0) - before[2:].mean(0)).norm()
        return settled if float((after - before).norm(dim=-1).median()) < _SAME_BODY_TORSOS * float(torso) else first

    def _detect(self, tile: np.ndarray) -> list[Any]:
        with quiet_native_logs():
            if self._detector is None:
                graph = text_format.Parse(_DETECTOR_GRAPH, calculator_pb2.CalculatorGraphConfig())
                self._detector = SolutionBase(graph_config=graph, outputs=["detections"])
            return self._detector.process(tile).detections or []

    def _process(self, picture: np.ndarray, confidence: float, *, static: bool | None = None) -> Any:
        kind = (self._static if static is None else static, confidence)
        # A graph that has run before is silent; a static one starts its parts anew for every picture.
        silent = kind in self._started and not kind[0]
        self._started.add(kind)
        with contextlib.nullcontext() if silent else quiet_native_logs():
            if kind not in self._holistic:
                self._holistic[kind] = Holistic(
                    static_image_mode=kind[0],
                    model_complexity=1,  # 0 and 2 would be downloaded
                    smooth_landmarks=False,
                    refine_face_landmarks=True,
                    enable_segmentation=kind[0],
                    min_detection_confidence=confidence,
                    min_tracking_confidence=confidence,
                )
            return self._holistic[kind].process(picture)


def _to_raw_person(result: Any, body: Any, *, width: int, height: int) -> RawPerson:
    """Holistic's answer in our joint order and units; image coordinates come as shares of width and height. `body` is the
    answer that the body is taken from."""
    person = nobody()
    size = torch.tensor([width, height, width], dtype=torch.float32)  # z is given in units of the picture's width
    fields: dict[str, Any] = {}
    if body.pose_landmarks is not None:
        image_points = _points(body.pose_landmarks)[_PAIRS].mean(1) * size  # [J, 3]
        world_points = _points(body.pose_world_landmarks)[_PAIRS].mean(1)  # [J, 3]
        metres = place_joints(world_points)
        visibility = torch.tensor([point.visibility for point in body.pose_landmarks.landmark])[_PAIRS]  # [J, 2]
        # In profile one ear is always hidden and the head is still well known.
        head = torch.tensor([joint == "head" for joint in BODY_JOINTS])
        fields |= {
            "joints_px": place_joints(image_points[:, :2]),
            "joints_m": _upright(metres - metres[BODY_JOINTS.index("pelvis")]),
            "confidence": torch.where(head, visibility.amax(1), visibility.amin(1)),
            "found": True,
        }
        if result.segmentation_mask is not None:
            mask = cv2.resize(result.segmentation_mask, (width, height), interpolation=cv2.INTER_LINEAR)
            fields["mask"] = torch.from_numpy((mask > 0.5).astype(np.uint8) * 255)
    hands = [result.left_hand_landmarks, result.right_hand_landmarks]
    fields["hand_found"] = torch.tensor([hand is not None for hand in hands])
    fields["hands"] = torch.stack(
        [torch.zeros(NUM_HAND_JOINTS, 3) if hand is None else _points(hand) * size for hand in hands]
    )
    if result.face_landmarks is not None:
        face = _points(result.face_landmarks)[list(FACE_POINT_MESH_INDEX)] * size
        face[:, 2] -= face[:, 2].mean()
        fields |= {"face": face, "face_found": True}
    return RawPerson(**({field.name: getattr(person, field.name) for field in dataclasses.fields(person)} | fields))


def _upright(joints_m: Tensor) -> Tensor:
    """[J, 3] metres turned about the image's x axis so that the usual lean is gone."""
    x, y, z = joints_m.unbind(-1)
    cosine, sine = math.cos(_LEAN_RAD), math.sin(_LEAN_RAD)
    return torch.stack((x, cosine * y + sine * z, cosine * z - sine * y), dim=-1)


def _points(landmarks: Any) -> Tensor:
    """[N, 3] float32 from a landmark list."""
    return torch.tensor([(point.x, point.y, point.z) for point in landmarks.landmark], dtype=torch.float32)


def _shrink(image: Tensor) -> tuple[np.ndarray, float]:
    """Picture at working size and the factor that was applied; small pictures keep their size."""
    height, width = image.shape[:2]
    scale = min(1.0, _SHORT_SIDE_PX / min(height, width), _LONG_SIDE_PX / max(height, width))
    pixels = np.ascontiguousarray(image.numpy())
    if scale == 1.0:
        return pixels, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), scale


def _tiles(picture: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """(left, top, pixels): the whole picture, then overlapping squares along its longer side where it is long."""
    height, width = picture.shape[:2]
    yield 0, 0, picture
    side, spare = min(height, width), abs(width - height)
    if spare < 0.2 * side:
        return
    num_tiles = 2 + spare // (side // 2 + 1)
    for offset in np.linspace(0, spare, num_tiles).round().astype(int).tolist():
        left, top = (offset, 0) if width > height else (0, offset)
        yield left, top, np.ascontiguousarray(picture[top : top + side, left : left + side])


def _grey_outside(picture: np.ndarray, box: Tensor) -> np.ndarray:
    """The picture with everything outside the box painted grey."""
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = box.round().int().tolist()
    window = slice(max(y0, 0), max(min(y1, height), 0)), slice(max(x0, 0), max(min(x1, width), 0))
    alone = np.full_like(picture, 128)
    alone[window] = picture[window]
    return alone


@contextlib.contextmanager
def quiet_native_logs() -> Iterator[None]:
    """Hides what the native library writes to the error stream while a graph starts; it offers no switch of its own."""
    try:
        saved = os.dup(2)
    except OSError:  # no error stream at all
        yield
        return
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
