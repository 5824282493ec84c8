"""How good tracks of real clips are, without any truth: what was found, jumps of the trunk, spikes of limbs, lag."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from torch import Tensor

from dreamactor.errors import DreamActorError
from dreamactor.evaluation.track_quality import SURE, lag_frames, limb_spikes, torso_px, trunk_jumps
from dreamactor.geometry.skeleton import JOINT
from dreamactor.perception.build import build_estimator
from dreamactor.perception.perceive import RawVideo, assemble_video, observe_video
from dreamactor.types.track import PersonTrack
from dreamactor.video.reader import VideoReader, probe

MOST_JUMP: Final = 0.2
MOST_LAG: Final = 1.0
"""Bars: of a calm track no clip exceeds these, and none has a spike."""
_CAMERA_PX: Final = 160
"""Rows of the picture in which the camera's own jolts are measured."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipQuality:
    """One clip. Shares are of frames; jumps in torsos; NaN where nothing could be judged.

    Attributes:
        name: of the file.
        frames, cuts: their numbers.
        body, face, left_hand, right_hand: shares in which they were found.
        jump: the largest way of a hip or shoulder from one frame to the next, outside cuts.
        jump_beside_camera: the same, less the way of the whole picture where that makes it smaller (a jolt of the camera
            moves everybody).
        jump_frame: where the latter is.
        spikes: leaps of elbows, wrists, knees, ankles and toes that are back within three frames.
        lag: frames by which the wrists run behind the raw ones, the larger of both (negative: ahead).
        yaw_jump_deg: the largest change of the head's yaw from one frame to the next, outside cuts.
        why: why there is no track; empty if there is one.
    """

    name: str
    frames: int = 0
    cuts: int = 0
    body: float = 0.0
    face: float = 0.0
    left_hand: float = 0.0
    right_hand: float = 0.0
    jump: float = float("nan")
    jump_beside_camera: float = float("nan")
    jump_frame: int = -1
    spikes: int = 0
    lag: float = float("nan")
    yaw_jump_deg: float = float("nan")
    why: str = ""

    @property
    def holds(self) -> bool:
        """Whether the clip keeps the bars."""
        calm = not self.jump_beside_camera > MOST_JUMP and self.spikes == 0
        return calm and not abs(self.lag) > MOST_LAG and not self.why


def bench_clips(clips: list[Path], report: Callable[[str, int, int | None], None]) -> list[ClipQuality]:
    """Looks at every clip with the ordinary perception, never at a cached track.

    Args:
        clips: videos.
        report: called with (name of the clip, frames done, frames in all).
    """
    found = []
    with closing(build_estimator()) as estimator:
        for clip in clips:
            ways: list[tuple[float, float]] = []
            try:
                info = probe(clip)
                with VideoReader(clip) as reader:
                    raw = observe_video(
                        _watch_camera(reader, ways),
                        time_base=Fraction(reader.time_base),
                        estimator=estimator,
                        source=clip.name,
                        num_frames=info.num_frames,
                        progress=lambda done, total, name=clip.name: report(name, done, total),  # type: ignore[misc]
                    )
                found.append(judge_clip(clip.name, raw, assemble_video(raw), torch.tensor(ways)))
            except DreamActorError as error:
                found.append(ClipQuality(name=clip.name, why=str(error)))
    return found


def judge_clip(name: str, raw: RawVideo, track: PersonTrack, camera_px: Tensor) -> ClipQuality:
    """What is to be said of a clip.

    Args:
        name: of the file.
        raw: what the estimator saw.
        track: what was made of it.
        camera_px: [T, 2] way of the whole picture from the frame before.
    """
    jumps = trunk_jumps(track).nan_to_num(-1.0).amax(1)  # [T - 1]
    beside = trunk_jumps(track, camera_px).nan_to_num(-1.0).amax(1)
    calmer = torch.minimum(jumps, beside)
    turn = torch.rad2deg(track.head.angles_rad[:, 0].diff().abs())[track.head.tracked[1:] & ~track.cut[1:]]
    judged = bool((jumps >= 0).any())
    return ClipQuality(
        name=name,
        frames=track.num_frames,
        cuts=int(track.cut.sum()),
        body=_share(track.body.tracked),
        face=_share(track.face.tracked),
        left_hand=_share(track.hands.tracked[:, 0]),
        right_hand=_share(track.hands.tracked[:, 1]),
        jump=float(jumps.max()) if judged else float("nan"),
        jump_beside_camera=float(calmer.max()) if judged else float("nan"),
        jump_frame=int(calmer.argmax()) + 1 if judged else -1,
        spikes=int(limb_spikes(track).sum()),
        lag=_lag(raw, track),
        yaw_jump_deg=float(turn.max()) if len(turn) else float("nan"),
    )


def clip_rows(clips: list[ClipQuality]) -> list[dict[str, Any]]:
    """One row per clip, values that could not be judged as None."""
    return [
        {key: None if value != value else value for key, value in asdict(clip).items()} | {"holds": clip.holds}
        for clip in clips
    ]


def clip_table(clips: list[ClipQuality]) -> str:
    """The same for people."""
    lines = [
        f"{'clip':32} frames cuts  body  face  left right   jump  beside camera  spikes    lag  yaw jump",
    ]
    for clip in clips:
        if clip.why:
            lines.append(f"{clip.name:32} no track: {clip.why}")
            continue
        lines.append(
            f"{clip.name:32} {clip.frames:6} {clip.cuts:4} {clip.body:5.2f} {clip.face:5.2f} {clip.left_hand:5.2f} "
            f"{clip.right_hand:5.2f} {clip.jump:6.3f} {clip.jump_beside_camera:7.3f} @{clip.jump_frame:5} {clip.spikes:7} "
            f"{clip.lag:6.2f} {clip.yaw_jump_deg:9.1f}{'' if clip.holds else '  misses a bar'}"
        )
    return "\n".join(lines)


def _share(flags: Tensor) -> float:
    return float(flags.float().mean())


def _lag(raw: RawVideo, track: PersonTrack) -> float:
    """The larger lag of both wrists; NaN where neither moves."""
    torso = torso_px(track)[:, None]
    lags = []
    for name in ("left_wrist", "right_wrist"):
        joint = JOINT[name]
        seen = torch.stack([person.joints_px[joint] for person in raw.people])
        known = torch.tensor([person.found for person in raw.people]) & track.body.tracked
        known &= (track.body.confidence[:, joint] >= SURE) & ~track.cut
        lag = lag_frames(track.body.joints[:, joint, :2] / torso, seen / torso, known)
        if lag is not None:
            lags.append(lag)
    return max(lags, key=abs) if lags else float("nan")


def _watch_camera(reader: VideoReader, ways: list[tuple[float, float]]) -> Iterator[tuple[Tensor, int]]:
    """The reader's frames; adds the way of the whole picture (pixels, by phase correlation) of each to `ways`."""
    last: np.ndarray | None = None
    for frame in reader:
        height, width = frame.image.shape[:2]
        scale = max(1.0, height / _CAMERA_PX)
        small = cv2.resize(frame.image.numpy(), (round(width / scale), round(height / scale)), interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        way = (0.0, 0.0)
        if last is not None and last.shape == grey.shape:
            (x, y), _ = cv2.phaseCorrelate(last, grey, cv2.createHanningWindow(grey.shape[::-1], cv2.CV_32F))
            way = (x * scale, y * scale)
        ways.append(way)
        last = grey
        yield frame.image, frame.pts
