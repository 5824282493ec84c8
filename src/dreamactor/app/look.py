"""Shows on one sheet what would drive a character, before anything is generated."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from dreamactor.app.source_pictures import SourcePictures
from dreamactor.guidance.body_skeleton import draw_body_skeleton
from dreamactor.guidance.face_crop import crop_faces
from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.inference.animator import Animator
from dreamactor.inference.look import Look, look_at
from dreamactor.inference.request import AnimateRequest
from dreamactor.inference.sources import Report, is_motion_file
from dreamactor.types.track import PersonTrack, take_frames
from dreamactor.video.compose import contact_sheet
from dreamactor.video.image import write_image
from dreamactor.video.reader import VideoReader

MOMENTS: Final = 4
CELL_PX: Final = 220
LABELS: Final = ("driver", "skeleton", "sphere", "face", "on your\ncharacter")


def look_to_file(request: AnimateRequest, output: Path, *, animator: Animator, report: Report) -> list[str]:
    """Writes the sheet of a look and returns its warnings."""
    look = look_at(animator, request, report)
    write_image(output, look_sheet(look))
    return list(look.warnings)


def look_sheet(look: Look) -> Tensor:
    """[H, W, 3] uint8: what was seen at a few moments, and the motion as it will be drawn on the character."""
    count = look.driving.num_frames
    moments = torch.linspace(0, count - 1, min(MOMENTS, count)).round().long()
    shown = take_frames(look.driving, moments)
    maps = draw_pose_maps(shown, width=shown.width, height=shown.height)
    with ExitStack() as stack:
        pictures = _pictures(look, moments, stack)
    rows = [
        list(pictures),
        list(maps.body_skeleton),
        list(maps.head_sphere),
        _faces(look, moments),
        list(_on_character(look, take_frames(look.motion, moments))),
    ]
    return contact_sheet(rows, labels=LABELS, cell_height=CELL_PX)


def _pictures(look: Look, moments: Tensor, stack: ExitStack) -> list[Tensor]:
    """The clock's picture at each moment."""
    beside = SourcePictures(look.sources, stack)
    wanted, found = set(moments.tolist()), []
    for index in range(int(moments[-1]) + 1):
        frame = beside.take(slice(index, index + 1))[0][0]
        if index in wanted:
            found.append(frame)
    return found


def _faces(look: Look, moments: Tensor) -> list[Tensor]:
    """Crops of the face's own clip; black where there is no picture or no face."""
    source = look.sources.chosen["face"]
    black = torch.zeros(CELL_PX, CELL_PX, 3, dtype=torch.uint8)
    if not isinstance(source, Path) or is_motion_file(source):
        return [black for _ in moments]
    index = look.sources.pictures(source)[moments].tolist()
    track, crops = look.sources.tracks[source], {}
    with VideoReader(source) as reader:
        for frame in reader:
            if frame.index in index:
                crops[frame.index] = crop_faces(frame.image[None], track.face[frame.index : frame.index + 1])[0]
            if frame.index >= index[-1]:
                break
    return [crops[i].permute(1, 2, 0).contiguous() if i in crops else black for i in index]


def _on_character(look: Look, motion: PersonTrack) -> Tensor:
    """[T, H, W, 3] the motion drawn over the darkened picture of the character."""
    width, height = look.references.canvas
    bones = draw_body_skeleton(motion, width=width, height=height)
    still = look.references.images[0].image[None] // 2
    return torch.where((bones > 0).any(-1, keepdim=True), bones, still)
