"""What Wan-Animate is guided by: pose, face, and for a replacement background and mask, frame by frame.

Pose is drawn from the retargeted track, so that body proportions are the character's; faces are cut out of the pictures of
the face's own source. Frames are made in order and a little while kept, so that memory does not grow with the video.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Final, Generic, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor

from dreamactor.errors import ConfigError, InputError
from dreamactor.geometry.layouts import COCO_WHOLEBODY_133
from dreamactor.geometry.skeleton import HANDS, JOINT
from dreamactor.guidance.mix import drop_parts
from dreamactor.guidance.person_box import crop_boxes
from dreamactor.guidance.retarget import RetargetOptions, retarget
from dreamactor.guidance.wan_face import CROP_PX, bridge_gaps, wan_face_boxes
from dreamactor.guidance.wan_pose import MIN_CONFIDENCE, draw_wan_pose
from dreamactor.inference.references import choose_canvas
from dreamactor.inference.request import PARTS, AnimateRequest
from dreamactor.inference.sources import MotionSources, is_motion_file
from dreamactor.perception.joint_export import joints_from_track
from dreamactor.perception.masks import PersonMasker
from dreamactor.types.guidance import ReferenceSet
from dreamactor.types.latent import LatentGrid
from dreamactor.types.track import PersonTrack, shots_of
from dreamactor.video.reader import pictures_at, probe
from dreamactor.video.resize import cover_canvas, map_points

T = TypeVar("T")

WAN_GRID: Final = LatentGrid(temporal=4, spatial=8, patch=2)
SEGMENT_FRAMES: Final = 77
_NUM_BODY: Final = COCO_WHOLEBODY_133.index("face/right_cheek")
_FACE_POINTS: Final = [index for index, name in enumerate(COCO_WHOLEBODY_133) if name.startswith("face/")]
_MASK_ROOM: Final = 0.02
"""By how much of the canvas's shorter side a person's mask is widened, for hair and loose clothes."""
_SURE: Final = 0.3
"""Confidence of ours from which a point is drawn elsewhere too; it becomes Wan-Animate's threshold."""
_STEADY_S: Final = 0.5
"""A point that most frames around show is shown: what flickers at the threshold would be read as motion."""
_SHOWN_SHARE: Final = 0.2
"""Shoulders that so much of a shot shows are drawn in all of it: in a portrait they lie at the picture's edge, and arms
without them hang on nothing."""
_FACES_AWAY_RAD: Final = math.radians(100)
"""A nose on a head turned further is hidden; estimators guess it all the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlFrames:
    """Controls of some frames.

    Attributes:
        pose: [T, H, W, 3] uint8 RGB, drawn on black.
        face: [T, S, S, 3] uint8 RGB; black is the model's "no expression".
        background: [T, H, W, 3] uint8 RGB, the driving video with the person's place black; None: the model draws all.
        mask: [T, H, W] uint8, 255 where the model draws; None likewise.
    """

    pose: Tensor
    face: Tensor
    background: Tensor | None = None
    mask: Tensor | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Controls:
    """Where the controls of a whole video come from.

    Attributes:
        points, confidence: [T, 133, 2] canvas pixels and [T, 133], in COCO-WholeBody's order.
        width, height: of the canvas.
        faces: gives the face crops [S, S, 3] of all frames in order, from the start.
        scenes: the same for (background [H, W, 3], mask [H, W]); None where nothing is replaced.
        said: lines for the user.
    """

    points: Tensor
    confidence: Tensor
    width: int
    height: int
    faces: Callable[[], Iterator[Tensor]]
    scenes: Callable[[], Iterator[tuple[Tensor, Tensor]]] | None
    said: tuple[str, ...] = ()

    @property
    def num_frames(self) -> int:
        return len(self.points)


def whole_body(track: PersonTrack) -> tuple[Tensor, Tensor]:
    """A track as COCO-WholeBody points: [T, 133, 2] pixels, [T, 133] confidence on that estimator's scale (0.5 is sure).

    The small toe is the big one, a wrist is as sure as its hand, a nose that looks away is hidden, a point does not come
    and go from frame to frame, and shoulders, on which all else hangs, stay through a shot that shows them now and then.
    """
    said = joints_from_track(track, "coco_wholebody_133")
    points, confidence = said.pixels[..., :2].clone(), (said.confidence * (MIN_CONFIDENCE / _SURE)).clamp(max=1.0)
    for hand, side in enumerate(HANDS):
        wrist = COCO_WHOLEBODY_133.index(f"{side}_wrist")
        confidence[:, wrist] = torch.maximum(confidence[:, wrist], track.hands.tracked[:, hand].float())
    shoulders = [COCO_WHOLEBODY_133.index(f"{side}_shoulder") for side in HANDS]
    lone = (confidence[:, shoulders] == 0).any(dim=1, keepdim=True)  # no neck halfway to a shoulder that is nowhere
    confidence[:, shoulders] = torch.where(lone, confidence[:, shoulders].clamp(max=0.99), confidence[:, shoulders])
    yaw = track.head.angles_rad[:, 0]
    away = track.head.tracked & (torch.atan2(yaw.sin(), yaw.cos()).abs() > _FACES_AWAY_RAD)
    confidence[:, COCO_WHOLEBODY_133.index("nose")] *= ~away
    confidence[:, :_NUM_BODY] = _steady(confidence[:, :_NUM_BODY], track)
    points[:, shoulders], confidence[:, shoulders] = _held(points[:, shoulders], confidence[:, shoulders], track)
    for side in ("left", "right"):
        big, small = (COCO_WHOLEBODY_133.index(f"{side}_{toe}_toe") for toe in ("big", "small"))
        points[:, small], confidence[:, small] = points[:, big], confidence[:, big]
    return points, confidence


def _steady(confidence: Tensor, track: PersonTrack) -> Tensor:
    """[T, P] medians over `_STEADY_S` within each shot; a frame in which nobody is tracked stays empty."""
    reach = round(_STEADY_S / 2 * float(track.times.fps))
    steady = confidence.clone()
    for shot in shots_of(track.cut):
        own = confidence[shot]
        around = torch.arange(len(own))[:, None] + torch.arange(-reach, reach + 1)
        steady[shot] = own[around.clamp(0, len(own) - 1)].median(dim=1).values
    return steady * track.body.tracked[:, None]


def _held(points: Tensor, confidence: Tensor, track: PersonTrack) -> tuple[Tensor, Tensor]:
    """Points [T, P, 2] and confidence [T, P], at least as sure as in `_SHOWN_SHARE` of the shot.

    A driver who leaves his picture by a shoulder keeps it, in its usual place below the head: guesses outside stray.
    """
    points, held = points.clone(), confidence.clone()
    head, radius = track.head.center[:, None, :2], track.head.radius_px[:, None, None].clamp_min(1e-3)
    below = (points - head) / radius
    for shot in shots_of(track.cut):
        known = track.body.tracked[shot]
        if not bool(known.any()):
            continue
        usual = confidence[shot][known].quantile(1 - _SHOWN_SHARE, dim=0)
        for point in torch.nonzero(usual >= MIN_CONFIDENCE).flatten().tolist():
            sure = known & (confidence[shot, point] >= MIN_CONFIDENCE)
            place = head[shot, 0] + below[shot, point][sure].median(dim=0).values * radius[shot, 0]
            points[shot, point] = torch.where(sure[:, None], points[shot, point], place)
            held[shot, point] = held[shot, point].clamp_min(float(usual[point]))
    return points, held * track.body.tracked[:, None]


def face_boxes(track: PersonTrack) -> Tensor:
    """[T, 4] int64 boxes of a track's face crops; empty where there is no face to show."""
    if not bool(track.face.tracked.any()):
        return torch.zeros(track.num_frames, 4, dtype=torch.int64)
    points, confidence = whole_body(track)
    present = confidence[:, _FACE_POINTS] > 0
    boxes = wan_face_boxes(points[:, _FACE_POINTS], present, width=track.width, height=track.height)
    return bridge_gaps(boxes, track)


def animate_controls(
    request: AnimateRequest, sources: MotionSources, references: ReferenceSet, *, face_px: int = CROP_PX
) -> Controls:
    """Controls on the reference's canvas, the whole picture to be drawn."""
    options = RetargetOptions(framing=request.framing, proportions=request.proportions, camera=request.camera)
    track = retarget(sources.join(references), references, options)
    dropped = {part: getattr(request, f"{part}_from") == "none" for part in PARTS}
    if dropped["head"]:
        track = _headless(track)
    points, confidence = whole_body(drop_parts(track, body=dropped["body"]))
    width, height = references.canvas
    faces, said = _face_source(sources, references, face_px)
    return Controls(points=points, confidence=confidence, width=width, height=height, faces=faces, scenes=None, said=(said,))


def replace_controls(
    request: AnimateRequest, sources: MotionSources, references: ReferenceSet, *, size: int, face_px: int = CROP_PX
) -> Controls:
    """Controls on the driving video's canvas, the person in it to be replaced.

    Raises:
        ConfigError: the body does not come from a video.
    """
    video = sources.chosen["body"]
    if not isinstance(video, Path) or is_motion_file(video):
        raise ConfigError("--replace puts the character into the driving video: its body must come from a video.")
    info, track = probe(video), sources.tracks[video]
    width, height = choose_canvas(info.width, info.height, size=size, grid=WAN_GRID)
    _, matrix = cover_canvas(torch.zeros(info.height, info.width, 3, dtype=torch.uint8), width=width, height=height)
    joined = sources.join(references)
    points, confidence = whole_body(joined)
    points = points * torch.tensor((info.width / joined.width, info.height / joined.height))
    picked = sources.pictures(video)
    known = track.body.tracked[picked]

    def scenes() -> Iterator[tuple[Tensor, Tensor]]:
        return _scenes(video, picked, known, width=width, height=height)

    faces, said = _face_source(sources, references, face_px)
    return Controls(
        points=map_points(matrix, points), confidence=confidence, width=width, height=height, faces=faces, scenes=scenes,
        said=(said,),
    )  # fmt: skip


class ControlStream:
    """Makes controls for rising stretches of frames; the last `keep` frames can be asked for again."""

    def __init__(self, controls: Controls, *, keep: int = 2 * SEGMENT_FRAMES) -> None:
        self._controls = controls
        self._faces = _Recent(controls.faces(), keep=keep)
        self._scenes = None if controls.scenes is None else _Recent(controls.scenes(), keep=keep)

    def close(self) -> None:
        """Closes the files that are read."""
        self._faces.close()
        if self._scenes is not None:
            self._scenes.close()

    def take(self, index: Sequence[int]) -> ControlFrames:
        """Controls of frames `index`, in that order, repeats allowed."""
        controls = self._controls
        chosen = sorted(set(index))
        place = [chosen.index(wanted) for wanted in index]
        pose = draw_wan_pose(
            controls.points[chosen], controls.confidence[chosen], width=controls.width, height=controls.height
        )[place]
        face = torch.stack(self._faces.take(index))
        if self._scenes is None:
            return ControlFrames(pose=pose, face=face)
        scenes = self._scenes.take(index)
        background, mask = (torch.stack([scene[part] for scene in scenes]) for part in (0, 1))
        return ControlFrames(pose=pose, face=face, background=background, mask=mask)


class _Recent(Generic[T]):
    """Items of an iterator by number, of which the last few are kept."""

    def __init__(self, items: Iterator[T], *, keep: int) -> None:
        self._items = items
        self._kept: deque[T] = deque(maxlen=keep)
        self._read = 0

    def take(self, index: Sequence[int]) -> list[T]:
        while self._read <= max(index):
            self._kept.append(next(self._items))
            self._read += 1
        first = self._read - len(self._kept)
        return [self._kept[wanted - first] for wanted in index]

    def close(self) -> None:
        if isinstance(self._items, Generator):
            self._items.close()


def _headless(track: PersonTrack) -> PersonTrack:
    """Without what tells the head's pose: nose and ears, and the eyes, which come from the face."""
    confidence = track.body.confidence.clone()
    for name in ("nose", "left_ear", "right_ear"):
        confidence[:, JOINT[name]] = 0.0
    return drop_parts(replace(track, body=replace(track.body, confidence=confidence)), face=True)


def _face_source(
    sources: MotionSources, references: ReferenceSet, size_px: int
) -> tuple[Callable[[], Iterator[Tensor]], str]:
    """Crops of all frames, and a line that says where they come from."""
    source = sources.chosen["face"]
    black = torch.zeros(size_px, size_px, 3, dtype=torch.uint8)
    if source == "none":
        return lambda: repeat(black), "Face: none; black crops, which Wan-Animate knows as no expression."
    if source == "reference":
        picture, person = references.images[0].image, references.images[0].person
        held = crop_boxes(picture[None], face_boxes(person), size_px=size_px)[0].permute(1, 2, 0)
        return lambda: repeat(held), "Face: held as in the reference."
    assert isinstance(source, Path)
    if is_motion_file(source):
        return lambda: repeat(black), (
            f"Face: {source.name} has no pictures, and Wan-Animate reads faces off pictures; black crops, no expression. "
            "Pass the video itself as --face-from."
        )
    boxes, index = face_boxes(sources.tracks[source]), sources.pictures(source)
    seen = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])

    def crops() -> Iterator[Tensor]:
        with closing(pictures_at(source, index)) as pictures:
            for wanted, picture in zip(index.tolist(), pictures, strict=True):
                box, face = boxes[wanted][None], seen[wanted][None]
                yield crop_boxes(picture[None], box, size_px=size_px, wanted=face)[0].permute(1, 2, 0)

    share = float(seen[index].float().mean())
    return crops, f"Face: {source.name}, seen in {share:.0%} of the frames" + (
        "." if share == 1 else ", black in the others."
    )


def _scenes(video: Path, index: Tensor, known: Tensor, *, width: int, height: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Background and mask of each frame, masked a segment at a time.

    Raises:
        InputError: nobody could be masked in a frame in which somebody is tracked.
    """
    radius = max(1, round(_MASK_ROOM * min(width, height)))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    masker, pictures = PersonMasker(), pictures_at(video, index)
    try:
        done = 0
        while done < len(index):
            count = min(SEGMENT_FRAMES, len(index) - done)
            frames = torch.stack([next(pictures) for _ in range(count)])
            masks = masker.masks(frames)
            if bool(known[done : done + count].any()) and not bool(masks.any()):
                raise InputError(
                    f"Nobody could be cut out of {video} (frames {done} to {done + count - 1}). Use --replace on a clip in "
                    "which the person is larger."
                )
            placed, _ = cover_canvas(frames, width=width, height=height)
            wide, _ = cover_canvas(masks[..., None].expand(-1, -1, -1, 3).contiguous(), width=width, height=height)
            for picture, soft in zip(placed, wide[..., 0], strict=True):
                hard = np.where(soft.numpy() >= 128, 255, 0).astype(np.uint8)
                mask = torch.from_numpy(cv2.dilate(hard, brush))
                yield picture * (mask == 0)[..., None], mask
            done += count
    finally:
        masker.close()
        pictures.close()
