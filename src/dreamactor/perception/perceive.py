"""Pictures -> `PersonTrack`: person choice, cuts, the estimator, the camera, and the assembly of each shot.

Knows neither files nor decoders: frames come in as tensors with their times. Only points are kept, so memory hardly
grows with the length of a video.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor

from dreamactor.errors import ConfigError, MediaError, NoPersonError
from dreamactor.geometry.skeleton import FACE_POINT, JOINT
from dreamactor.perception.assemble import assemble_shot
from dreamactor.perception.base import PersonEstimator, RawPerson, nobody
from dreamactor.perception.cuts import CutDetector
from dreamactor.types.track import BodyTrack, CameraTrack, FaceTrack, HandTrack, HeadTrack, PersonTrack
from dreamactor.types.video import FrameTimes

_Part = TypeVar("_Part", BodyTrack, HandTrack, HeadTrack, FaceTrack)

_LOST_FRAMES = 5
"""After so many frames without the person we choose anew."""

_AGAINST_THE_FACE = -0.5
"""Cosine between the spine's way up and the face's, in the picture, below which one of them is wrong."""

_SWITCH_TORSOS = 1.0
"""The follower has gone over to somebody else when the whole body moves farther than this in one frame."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RawVideo:
    """What the estimator saw in a video, frame by frame: nothing smoothed, filled or judged.

    Attributes:
        people: one per frame.
        starts: index of the first frame of every shot; the first is 0.
        times: time of each frame.
        width, height: of the pictures in pixels.
        source: where it comes from, for people ("clip.mp4 (mediapipe 0.10.21)").
        camera: how the camera moved; None where nobody looked.
        turned_rad: [T] how far the head has turned since the frame before (`turning.py`); None where nobody looked.
    """

    people: tuple[RawPerson, ...]
    starts: tuple[int, ...]
    times: FrameTimes
    width: int
    height: int
    source: str
    camera: CameraTrack | None = None
    turned_rad: Tensor | None = None


def perceive_video(
    frames: Iterable[tuple[Tensor, int]],
    *,
    time_base: Fraction,
    estimator: PersonEstimator,
    source: str = "video",
    num_frames: int | None = None,
    person: int | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> PersonTrack:
    """Follows one person through a video; arguments and errors are those of `observe_video`."""
    return assemble_video(
        observe_video(
            frames, time_base=time_base, estimator=estimator, source=source, num_frames=num_frames, person=person,
            progress=progress,
        )
    )  # fmt: skip


def observe_video(
    frames: Iterable[tuple[Tensor, int]],
    *,
    time_base: Fraction,
    estimator: PersonEstimator,
    source: str = "video",
    num_frames: int | None = None,
    person: int | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> RawVideo:
    """Looks at every frame of a video, always at the same person, and notes the cuts.

    Args:
        frames: (picture [H, W, 3] uint8 RGB, pts) in order; read once, one frame at a time.
        time_base: seconds per unit of pts.
        estimator: built with `static=False`; it is reset first.
        source: what the video is called in the track and in messages.
        num_frames: how many frames will come, if known; only passed on to `progress`.
        person: None or 1 for the largest person, 2 for the second largest, and so on; judged at the start of every
            shot, on the first frame that shows so many.
        progress: called after every frame with (frames done, `num_frames`).

    Raises:
        NoPersonError: nobody (or never as many people as `person` asks for) in the whole video.
        MediaError: no frames at all.
        ConfigError: `person` is below 1.
    """
    if person is not None and person < 1:
        raise ConfigError(f"--person counts from 1 (the largest), got {person}. Use 1 or more, or leave it out.")
    from dreamactor.perception.camera_motion import CameraFollower  # needs OpenCV, which motion files do not
    from dreamactor.perception.turning import TurnMeter

    follower = _Follower(estimator, rank=person or 1)
    cuts, camera, head = CutDetector(), CameraFollower(), TurnMeter()
    people: list[RawPerson] = []
    pts: list[int] = []
    starts = [0]
    size: tuple[int, int] | None = None
    for picture, stamp in frames:
        size = size or (int(picture.shape[1]), int(picture.shape[0]))
        if cuts.is_cut(picture):
            starts.append(len(people))
            follower.restart()
        people.append(follower.observe(picture))
        new_shot = len(people) - 1 == starts[-1]
        camera.observe(picture, people[-1], new_shot=new_shot)
        head.observe(picture, people[-1], new_shot=new_shot)
        pts.append(stamp)
        if progress is not None:
            progress(len(people), num_frames)
    if size is None:
        raise MediaError(f"{source} has no frames. Use a video that plays.")
    if not any(seen.found for seen in people):
        raise _no_person(source, num_frames=len(people), rank=person or 1, most=follower.most_people)
    return RawVideo(
        people=tuple(people),
        starts=tuple(starts),
        times=FrameTimes(pts=torch.tensor(pts, dtype=torch.int64), time_base=time_base),
        width=size[0],
        height=size[1],
        source=f"{source} ({estimator.name})",
        camera=camera.track(),
        turned_rad=head.turned_rad(),
    )


def assemble_video(raw: RawVideo) -> PersonTrack:
    """The track of what was seen, shot by shot."""
    shots = [
        assemble_shot(
            raw.people[start:stop],
            times=raw.times[start:stop],
            width=raw.width,
            height=raw.height,
            source=raw.source,
            turned_rad=None if raw.turned_rad is None else raw.turned_rad[start:stop],
        )
        for start, stop in pairwise((*raw.starts, len(raw.people)))
    ]
    return dataclasses.replace(join_shots(shots, times=raw.times), camera=raw.camera)


def perceive_image(
    image: Tensor, *, estimator: PersonEstimator, source: str = "picture", person: int | None = None
) -> tuple[PersonTrack, Tensor | None]:
    """Looks at one picture.

    Args:
        image: [H, W, 3] uint8 RGB.
        estimator: built with `static=True`.
        source: what the picture is called in the track.
        person: None or 1 for the largest person, 2 for the second largest, and so on.

    Returns:
        A track of one frame (its `tracked` flags are False where nothing was found), and the person's mask [H, W]
        uint8 (255 on the person) or None.
    """
    seen = _Follower(estimator, rank=person or 1).observe(image)
    track = assemble_shot(
        [seen],
        times=FrameTimes.constant(1, Fraction(25)),
        width=int(image.shape[1]),
        height=int(image.shape[0]),
        source=f"{source} ({estimator.name})",
    )
    return track, seen.mask


def join_shots(shots: list[PersonTrack], *, times: FrameTimes) -> PersonTrack:
    """One track from consecutive shots; `cut` is True on the first frame of every shot but the first."""
    first = shots[0]
    cut = torch.zeros(len(times), dtype=torch.bool)
    position = 0
    for shot in shots[:-1]:
        position += shot.num_frames
        cut[position] = True
    return PersonTrack(
        width=first.width,
        height=first.height,
        times=times,
        body=_join(BodyTrack, [shot.body for shot in shots]),
        hands=_join(HandTrack, [shot.hands for shot in shots]),
        head=_join(HeadTrack, [shot.head for shot in shots]),
        face=_join(FaceTrack, [shot.face for shot in shots]),
        cut=cut,
        source=first.source,
    )


class _Follower:
    """Starts the estimator on the wanted person, notices when it has lost or changed them, and starts anew."""

    def __init__(self, estimator: PersonEstimator, *, rank: int) -> None:
        self._estimator = estimator
        self._rank = rank
        self._last: RawPerson | None = None
        self._missing = 0
        self.most_people = 0
        estimator.reset()

    def restart(self) -> None:
        """The next frame belongs to another shot."""
        self._estimator.reset()
        self._last = None
        self._missing = 0

    def observe(self, picture: Tensor) -> RawPerson:
        if self._last is None:
            seen = self._choose(picture)
        else:
            seen = self._estimator.observe(picture)
            if seen.found and _is_somebody_else(self._last, seen):
                self._estimator.reset()
                seen = self._estimator.observe(picture, within=_box_around(self._last))
                if seen.found and _is_somebody_else(self._last, seen):
                    seen = nobody()
        if seen.found and _hangs_from_its_face(seen):
            self._estimator.reset()
            seen = self._estimator.observe(picture)
            if seen.found and _hangs_from_its_face(seen):
                seen = nobody()
        if seen.found:
            self._last, self._missing = seen, 0
        elif self._last is not None:
            self._missing += 1
            if self._missing >= _LOST_FRAMES:
                self.restart()
        return seen

    def _choose(self, picture: Tensor) -> RawPerson:
        people = self._estimator.people(picture)
        self.most_people = max(self.most_people, len(people))
        if len(people) < self._rank and self._rank > 1:
            return nobody()
        if len(people) < 2:
            return self._estimator.observe(picture)
        self._estimator.reset()
        return self._estimator.observe(picture, within=people[self._rank - 1])


def _is_somebody_else(last: RawPerson, seen: RawPerson) -> bool:
    """Whether the trunk leapt so far between two frames that it cannot be the same body."""
    sure = (last.confidence > 0.5) & (seen.confidence > 0.5)
    if int(sure.sum()) < 3:
        return False
    moved = (seen.joints_px - last.joints_px)[sure].norm(dim=-1).median()
    return float(moved) > _SWITCH_TORSOS * _torso_px(last)


def _hangs_from_its_face(seen: RawPerson) -> bool:
    """Whether the body lies above an upright face: the estimator has caught something else and would go on with it."""
    if not seen.face_found:
        return False
    upward = (seen.face[FACE_POINT["forehead"]] - seen.face[FACE_POINT["chin"]])[:2]
    spine = seen.joints_px[JOINT["neck"]] - seen.joints_px[JOINT["pelvis"]]
    against = float((upward * spine).sum() / (upward.norm() * spine.norm()).clamp_min(1e-6))
    return against < _AGAINST_THE_FACE and float(upward[1]) < 0.0


def _torso_px(person: RawPerson) -> float:
    """Half a metre in pixels, from the spread of the sure joints in the picture and in metres."""
    pixels = (person.joints_px - person.joints_px.mean(0)).norm(dim=-1).median()
    metres = (person.joints_m - person.joints_m.mean(0))[:, :2].norm(dim=-1).median().clamp_min(1e-3)
    return float(0.5 * pixels / metres)


def _box_around(person: RawPerson) -> Tensor:
    """[4] box with room to move around where the person was."""
    low, high = person.joints_px.amin(0), person.joints_px.amax(0)
    room = 0.25 * (high - low).amax()
    return torch.cat((low - room, high + room))


def _join(kind: type[_Part], parts: list[_Part]) -> _Part:
    return kind(
        **{field.name: torch.cat([getattr(part, field.name) for part in parts]) for field in dataclasses.fields(kind)}
    )


def _no_person(source: str, *, num_frames: int, rank: int, most: int) -> NoPersonError:
    if rank > 1:
        return NoPersonError(
            f"Person {rank} was asked for, but {source} never shows more than {most} at once ({num_frames} frames "
            f"checked). Use --person 1 to {max(most, 1)}, or leave it out."
        )
    return NoPersonError(
        f"No person in {source} ({num_frames} frames checked). Use a clip in which head and shoulders of a person are "
        "visible and at least about 100 px high."
    )
