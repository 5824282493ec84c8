"""How the camera moves, told by the background while frames stream by. Remembers one small grey picture, never more.

Corners of the background (everything outside the person) are followed from frame to frame. A similarity (shift, zoom,
turn) that most of them agree on is the camera's motion. They are compared with a key frame for as long as enough of them
stay in view, so that errors do not add up from frame to frame. Whatever else moves (passers-by, leaves) is outvoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import torch
from torch import Tensor

from dreamactor.geometry.skeleton import JOINT
from dreamactor.perception.assemble import image_scale
from dreamactor.perception.base import RawPerson
from dreamactor.perception.smoothing import running_median, smooth
from dreamactor.types.track import CameraTrack

_SHORT_SIDE_PX = 320
"""Pictures are looked at in this size; corners are found to about a tenth of a pixel."""

_MAX_CORNERS = 400
_MIN_CORNERS = 32
"""With fewer that agree, the background tells nothing."""
_MIN_AGREEING = 0.45
"""Share of the corners that must agree on one motion."""
_MIN_SPREAD = 0.08
"""Share of the picture that their outline must cover: a patch of detail in one corner tells no zoom and may be a thing."""
_SURE_AGREEING, _UNSURE_AGREEING = 0.8, 0.6
"""From the first share on the motion is taken as it is (a shaking camera is one). From the second down, where near and far
things move differently, it is one of many compromises that change from frame to frame, and is calmed."""
_CALM_FRAMES = 4
_KEEP_KEY = 0.6
"""A key frame is given up when fewer of its corners are left."""
_AGREE_PX = 1.0
_RETURN_PX = 0.4
"""A corner followed forwards and back again must come home this near."""

_REACH_M = 0.12
"""Clothes and shadow reach so far beyond the bones."""
_HEAD_M = 0.2
"""Hair and hats reach so far from the middle of the head."""
_LEGS = tuple(f"{side}_{name}" for side in ("left", "right") for name in ("hip", "knee", "ankle", "heel", "toe"))
_SOLID = (("left_shoulder", "right_shoulder", "left_hip", "right_hip"), _LEGS)

_STILL = 0.008
"""A camera that never moves farther than this share of the picture's shorter side, anywhere in the picture, stands still:
that much the estimate itself wanders."""

Matrix = np.ndarray
"""[3, 3] float64, pixels of the small picture to pixels of the small picture."""


@dataclass(kw_only=True, slots=True)
class _Key:
    """A frame that later ones are compared with.

    Attributes:
        start: from its pixels to those of the shot's first frame.
        corners: [N, 2] where its corners were, now: [N, 2] where they are.
        count: corners it had.
    """

    start: Matrix
    corners: np.ndarray
    now: np.ndarray
    count: int


class CameraFollower:
    """Looks at every frame of a video in order and ends with the camera's track."""

    def __init__(self) -> None:
        self._grey: np.ndarray | None = None
        self._key: _Key | None = None
        self._matrices: list[Matrix] = []
        self._agreeing: list[float] = []
        self._starts: list[int] = []
        self._scale = 1.0
        self._size = (0, 0)

    def observe(self, picture: Tensor, person: RawPerson, *, new_shot: bool) -> None:
        """Looks at the next frame, [H, W, 3] uint8 RGB, in which the person is as given."""
        grey, scale = _shrink(picture)
        background = _background(person, grey.shape, scale)
        if new_shot or self._grey is None or self._grey.shape != grey.shape:
            self._starts.append(len(self._matrices))
            matrix, agreeing = np.eye(3), 1.0
            self._key = _new_key(grey, background, matrix)
        else:
            matrix, agreeing = self._follow(grey, background)
        self._matrices.append(matrix)
        self._agreeing.append(agreeing)
        self._grey, self._scale = grey, scale
        self._size = (int(picture.shape[1]), int(picture.shape[0]))

    def track(self) -> CameraTrack:
        """The track of all frames so far, in pixels of the pictures as they came."""
        to_small = np.array([[self._scale, 0, -0.5], [0, self._scale, -0.5], [0, 0, 1]])
        matrices = np.linalg.inv(to_small) @ np.stack(self._matrices) @ to_small
        agreeing = np.array(self._agreeing)
        known = agreeing > 0
        for start, stop in zip(self._starts, [*self._starts[1:], len(known)], strict=True):
            known[start] = known[start : min(start + 2, stop)].all()  # the first frame has nothing to compare it with
            if _wander(matrices[start:stop], self._size) < _STILL * min(self._size):
                matrices[start:stop] = np.eye(3)
            else:
                matrices[start:stop] = _calmed(matrices[start:stop], agreeing[start:stop])
        return CameraTrack(matrix=torch.from_numpy(matrices[:, :2]).float(), known=torch.from_numpy(known))

    def _follow(self, grey: np.ndarray, background: np.ndarray) -> tuple[Matrix, float]:
        """From this frame's pixels to the shot's first frame, and the share of corners that agree on it; 0: not told."""
        key, before = self._key, self._matrices[-1]
        assert key is not None
        assert self._grey is not None
        last = key.now
        now, found = _follow_corners(self._grey, grey, last)
        inside = np.clip(now.round().astype(int), 0, np.array(grey.shape[::-1]) - 1)
        found &= background[inside[:, 1], inside[:, 0]] > 0
        step, agree = _fit(now[found], key.corners[found], grey.shape)
        if step is not None:
            matrix = key.start @ step
            key.corners, key.now = key.corners[found][agree], now[found][agree]
            if len(key.now) < _KEEP_KEY * key.count:
                self._key = _new_key(grey, background, matrix)
            return matrix, float(agree.mean())
        step, agree = _fit(now[found], last[found], grey.shape)
        matrix = before if step is None else before @ step
        self._key = _new_key(grey, background, matrix)
        return matrix, 0.0 if step is None else float(agree.mean())


def _shrink(picture: Tensor) -> tuple[np.ndarray, float]:
    """Grey picture of working size, and the factor that was applied."""
    grey = cv2.cvtColor(np.ascontiguousarray(picture.numpy()), cv2.COLOR_RGB2GRAY)
    scale = min(1.0, _SHORT_SIDE_PX / min(grey.shape))
    if scale < 1.0:
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return grey, scale


def _background(person: RawPerson, shape: tuple[int, ...], scale: float) -> np.ndarray:
    """[h, w] uint8, 255 outside the person's outline with room around it; everything where nobody was found."""
    mask = np.full(shape, 255, dtype=np.uint8)
    if not person.found:
        return mask
    joints = (person.joints_px.numpy() * scale).clip(-1e4, 1e4)
    px_per_m = scale * float(image_scale(person.joints_px[None], person.joints_m[None], person.confidence[None]))
    longest = 2 * max(shape)
    width = min(max(1, round(2 * _REACH_M * px_per_m)), longest)
    for names in _SOLID:  # filled, because clothes hang between the bones
        outline = cv2.convexHull(joints[[JOINT[name] for name in names]].astype(np.int32))
        cv2.fillConvexPoly(mask, outline, (0,))
        cv2.polylines(mask, [outline], isClosed=True, color=(0,), thickness=width)
    for side in ("left", "right"):
        arm = joints[[JOINT[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist")]].astype(np.int32)
        hand = arm[2] + (arm[2] - arm[1]) // 2
        cv2.polylines(mask, [np.concatenate([arm, hand[None]])], isClosed=False, color=(0,), thickness=width)
    x, y = (int(value) for value in joints[JOINT["head"]])
    cv2.circle(mask, (x, y), min(max(1, round(_HEAD_M * px_per_m)), longest), color=(0,), thickness=-1)
    return mask


def _new_key(grey: np.ndarray, background: np.ndarray, matrix: Matrix) -> _Key:
    found = cv2.goodFeaturesToTrack(
        grey, _MAX_CORNERS, qualityLevel=0.01, minDistance=0.02 * min(grey.shape), mask=background, blockSize=5
    )
    corners = np.zeros((0, 2), dtype=np.float32) if found is None else found.reshape(-1, 2)
    return _Key(start=matrix, corners=corners, now=corners, count=len(corners))


def _follow_corners(before: np.ndarray, after: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[N, 2] where corners went, [N] bool whether they were found."""
    if len(corners) == 0:
        return corners, np.zeros(0, dtype=bool)
    flow = partial(cv2.calcOpticalFlowPyrLK, winSize=(17, 17), maxLevel=4)
    there, found, _ = flow(before, after, corners, np.empty_like(corners))
    back, found_back, _ = flow(after, before, there, np.empty_like(corners))
    home = np.linalg.norm(back - corners, axis=1) < _RETURN_PX
    return there, (found[:, 0] > 0) & (found_back[:, 0] > 0) & home


def _fit(source: np.ndarray, target: np.ndarray, shape: tuple[int, ...]) -> tuple[Matrix | None, np.ndarray]:
    """The similarity that most corners agree on, None where too few do or they lie too close; [N] bool who agrees."""
    nobody = np.zeros(len(source), dtype=bool)
    if len(source) < _MIN_CORNERS:
        return None, nobody
    cv2.setRNGSeed(0)  # equal videos give equal tracks
    fitted, inliers = cv2.estimateAffinePartial2D(
        source, target, method=cv2.RANSAC, ransacReprojThreshold=_AGREE_PX, confidence=0.999
    )
    if fitted is None:
        return None, nobody
    agree = inliers[:, 0] > 0
    if agree.sum() < max(_MIN_CORNERS, _MIN_AGREEING * len(source)):
        return None, nobody
    if cv2.contourArea(cv2.convexHull(source[agree])) < _MIN_SPREAD * shape[0] * shape[1]:
        return None, nobody
    return np.concatenate([fitted, [[0.0, 0.0, 1.0]]]), agree


def _calmed(matrices: np.ndarray, agreeing: np.ndarray) -> np.ndarray:
    """[T, 3, 3] matrices of one shot, averaged over neighbours where few corners agreed [T]."""
    usual = running_median(torch.from_numpy(agreeing), radius=2)
    unsure = ((_SURE_AGREEING - usual) / (_SURE_AGREEING - _UNSURE_AGREEING)).clamp(0.0, 1.0)
    everywhere = torch.ones(len(usual), dtype=torch.bool)
    reach = (_CALM_FRAMES * unsure)[:, None, None]
    return smooth(torch.from_numpy(matrices), everywhere, radius=reach).numpy()


def _wander(matrices: np.ndarray, size: tuple[int, int]) -> float:
    """Farthest that any corner of the picture gets from where it was at first, in pixels."""
    width, height = size
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], dtype=np.float64).T
    moved = (matrices @ corners)[:, :2] - corners[:2]
    return float(np.linalg.norm(moved, axis=1).max())
