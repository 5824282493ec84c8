"""Saves the motion of a video, and shows what was found."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from dreamactor.app.progress import stage_bars
from dreamactor.errors import MediaError
from dreamactor.guidance.face_crop import crop_faces
from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.inference.sources import perceive_driving
from dreamactor.perception.track_file import save_track
from dreamactor.types.track import PersonTrack
from dreamactor.video.compose import side_by_side
from dreamactor.video.reader import iter_clips, probe
from dreamactor.video.writer import VIDEO_SUFFIXES, VideoWriter, check_output

FRAMES_AT_ONCE = 24
PREVIEW_HEIGHT = 360


def extract_to_file(
    video: Path,
    output: Path,
    *,
    preview: Path | None,
    person: int | None,
    backend: str = "mediapipe",
    weights: Path | None = None,
) -> PersonTrack:
    """Perceives a video and writes its motion file, and on request a preview."""
    check_output(output, [video], suffixes=(".npz",))
    if preview is not None:
        check_output(preview, [video, output], suffixes=VIDEO_SUFFIXES)
    if video.suffix.lower() == ".npz":
        raise MediaError(f"{video} is a motion file already. Give a video.")
    probe(video)
    with stage_bars() as report:
        track = perceive_driving(video, person=person, report=report, backend=backend, weights=weights)
    save_track(output, track)
    if preview is not None:
        write_preview(video, track, preview)
    return track


def write_preview(video: Path, track: PersonTrack, preview: Path) -> None:
    """Driving | skeleton | sphere | face crop, frame by frame, with the driver's own times."""
    writer: VideoWriter | None = None
    start = 0
    try:
        for clip in iter_clips(video, FRAMES_AT_ONCE):
            pictures = _preview_frames(clip.frames, track[start : start + clip.num_frames])
            start += clip.num_frames
            if writer is None:
                writer = VideoWriter(preview, width=pictures.shape[2], height=pictures.shape[1], times=track.times)
                writer.__enter__()
            writer.write(pictures)
    except BaseException as error:
        if writer is not None:
            writer.__exit__(type(error), error, error.__traceback__)
        raise
    if writer is not None:
        writer.__exit__(None, None, None)


def _preview_frames(frames: Tensor, track: PersonTrack) -> Tensor:
    _, height, width, _ = frames.shape
    maps = draw_pose_maps(track, width=width, height=height)
    faces = crop_faces(frames, track.face).permute(0, 2, 3, 1).contiguous()
    return side_by_side([frames, maps.body_skeleton, maps.head_sphere, faces], height=PREVIEW_HEIGHT)
