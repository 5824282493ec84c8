"""Pseudo references (section 3.3): the model first makes the character in the poses that show its other sides, then animates
it with those pictures as further references.

The poses are the driver's own on the character's canvas, around its least, median and greatest yaw, or a turn on the spot.
Only a few frames around each are made, so stage one costs little however long the video is. A view that a given picture
shows already is left out.

In a folder a pseudo reference is a picture, `view_1.png`, and beside it a motion file of one frame that says where the
person stands, `view_1.npz`, and a mask of the person, `view_1.mask.png`. A picture without a motion file is perceived, so
a user may replace any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import degrees, pi
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from dreamactor.errors import InputError, OutputError
from dreamactor.guidance.camera import move_track
from dreamactor.guidance.half_body import half_body_box, shown_levels
from dreamactor.guidance.turn_round import turn_round
from dreamactor.guidance.view_picks import SAME_SIDE_RAD, pick_by_yaw
from dreamactor.inference.reference_choice import wrapped, yaw_apart
from dreamactor.inference.request import PseudoPoses
from dreamactor.perception.track_file import load_track, save_track
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from dreamactor.types.track import PersonTrack, shots_of, take_frames
from dreamactor.video.image import read_image, write_image
from dreamactor.video.resize import box_matrix, cover_canvas, crop_box

NEIGHBOURS: Final = 4
"""Frames made to either side of a picked one."""
TURN_STEPS: Final = 24
_ABOVE_HEAD, _BELOW_HIPS = 0.35, 0.05
"""Of the half-body crop: the middle of what training draws."""
_FULL: Final = 3
_MASK: Final = ".mask.png"
PICTURES: Final = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True, kw_only=True, slots=True)
class PseudoReference:
    """One of them.

    Attributes:
        name: of its files, such as "view_2".
        image: the picture and where the person stands in it.
        about: for people, such as "frame 31 of the driver, yaw -170".
    """

    name: str
    image: ReferenceImage
    about: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StageOne:
    """What has to be made.

    Attributes:
        poses: track on the canvas: short shots, one around each pick.
        frames: [T] int64 frames of the driver's motion that they are; None for a turn on the spot.
        picks: frames of `poses` that become references; about: of each, for people.
    """

    poses: PersonTrack
    frames: Tensor | None
    picks: tuple[int, ...]
    about: tuple[str, ...]


def plan_stage_one(placed: PersonTrack, references: ReferenceSet, *, poses: PseudoPoses = "driving") -> StageOne | None:
    """Chooses the poses to be made; None where every one of them is seen in a given picture already.

    Args:
        placed: the driver's whole motion on the canvas; of no matter for `poses="turn"`.
        references: the given pictures.
        poses: the driver's own, or a turn on the spot of the first picture's pose.
    """
    track = placed
    if poses == "turn":
        track = turn_round(references.images[0].person, torch.arange(TURN_STEPS) * (2 * pi / TURN_STEPS))
    known = torch.nonzero(track.body.tracked & track.head.tracked).flatten()
    if len(known) == 0:
        return None
    yaw = track.head.angles_rad[:, 0]
    picked = [int(known[pick]) for pick in pick_by_yaw(yaw[known])]
    picked = [frame for frame in picked if _is_new(track, frame, references.images)]
    if not picked:
        return None
    windows = [_around(track, frame) for frame in picked]
    index = torch.cat(windows)
    starts = torch.tensor([0, *(len(window) for window in windows)]).cumsum(0)[:-1]
    places = tuple(
        int(start + (window == frame).nonzero()[0]) for start, window, frame in zip(starts, windows, picked, strict=True)
    )
    cut = torch.zeros(len(index), dtype=torch.bool)
    cut[starts[1:]] = True
    what = "frame {} of the motion" if poses == "driving" else "the turn's step {}"
    about = tuple(f"{what.format(frame + 1)}, yaw {degrees(wrapped(float(yaw[frame]))):.0f}" for frame in picked)
    made = replace(take_frames(track, index), cut=cut)
    return StageOne(poses=made, frames=index if poses == "driving" else None, picks=places, about=about)


def _is_new(track: PersonTrack, frame: int, images: Sequence[ReferenceImage]) -> bool:
    """Whether no given picture shows this side, or none shows as much of the body."""
    yaw, level = float(track.head.angles_rad[frame, 0]), int(shown_levels(track)[frame])
    seen = [image.person for image in images if bool(image.person.head.tracked[0])]
    near = [one for one in seen if yaw_apart(yaw, float(one.head.angles_rad[0, 0])) < SAME_SIDE_RAD]
    return not near or level > max(int(shown_levels(one)[0]) for one in near)


def _around(track: PersonTrack, frame: int) -> Tensor:
    """Frames about one, of its own shot and in order; fewer at a shot's ends."""
    shot = next(shot for shot in shots_of(track.cut) if shot.start <= frame < shot.stop)
    return torch.arange(max(shot.start, frame - NEIGHBOURS), min(shot.stop, frame + NEIGHBOURS + 1))


def collect(stage: StageOne, frames: Tensor, figure: Tensor | None) -> list[PseudoReference]:
    """The picked frames, and the upper half of one that shows a body from head to foot.

    Args:
        stage: what was to be made.
        frames: [T, H, W, 3] uint8 of all its poses.
        figure: [T, H, W] uint8, 255 where the person is about; None where nobody knows.
    """
    made = []
    levels = shown_levels(stage.poses)
    for number, (place, about) in enumerate(zip(stage.picks, stage.about, strict=True), start=1):
        person = take_frames(stage.poses, torch.tensor([place]))
        person = replace(person, cut=torch.zeros(1, dtype=torch.bool), source=about)
        mask = None if figure is None else figure[place]
        image = ReferenceImage(image=frames[place], person=person, mask=mask, made=True)
        made.append(PseudoReference(name=f"view_{number}", image=image, about=about))
    whole = [one for one, place in zip(made, stage.picks, strict=True) if int(levels[place]) == _FULL]
    if whole:
        made.append(_upper_half(whole[len(whole) // 2]))
    return made


def _upper_half(whole: PseudoReference) -> PseudoReference:
    image, (height, width) = whole.image, whole.image.image.shape[:2]
    box = half_body_box(image.person, 0, above_head=_ABOVE_HEAD, below_hips=_BELOW_HIPS)
    matrix = box_matrix(box, width=width, height=height)[:2].float()
    mask = None
    if image.mask is not None:
        mask = crop_box(image.mask[..., None].expand(-1, -1, 3).contiguous(), box, width=width, height=height)[0][..., 0]
    cropped = replace(
        image,
        image=crop_box(image.image, box, width=width, height=height)[0],
        person=move_track(image.person, matrix[None]),
        mask=mask,
    )
    return PseudoReference(name="half_body", image=cropped, about=f"upper half of {whole.name}")


def lines_about(made: Sequence[PseudoReference], folder: Path | None) -> list[str]:
    """What a user should know of stage one."""
    if not made:
        return ["Pseudo references: none is needed, the given pictures show every side that the motion does."]
    said = [f"Pseudo references: {'; '.join(f'{one.name} ({one.about})' for one in made)}."]
    if folder is not None:
        said.append(f"They are kept in {folder}: a picture that is replaced there is used as it is the next time.")
    return said


# ---- in a folder


def check_pseudo_folder(folder: Path) -> None:
    """Checks that pictures can be kept in a folder that is there, or will be, before any work starts.

    Raises:
        OutputError: with the reason and what to do.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"Cannot keep pseudo references in {folder}: it is no folder. Give another name.")
    if not folder.resolve().parent.is_dir():
        raise OutputError(f"Cannot keep pseudo references in {folder}: its parent folder does not exist. Create it first.")


def save_pseudo_references(folder: Path, made: Sequence[PseudoReference]) -> None:
    """Writes picture, motion file and mask of each.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot create folder {folder}: {error.strerror}. Choose another one.") from error
    for one in made:
        save_track(folder / f"{one.name}.npz", one.image.person)
        if one.image.mask is not None:
            write_image(folder / f"{one.name}{_MASK}", one.image.mask[..., None].expand(-1, -1, 3))
        write_image(folder / f"{one.name}.png", one.image.image)


def pictures_in(folder: Path) -> list[Path]:
    """Pictures of a folder by name, masks left out; none where there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES and not p.name.endswith(_MASK))


def load_pseudo_references(
    folder: Path, *, canvas: tuple[int, int], perceive: Callable[..., ReferenceImage]
) -> list[PseudoReference]:
    """The pictures of a folder, whoever made them.

    Args:
        folder: with at least one picture.
        canvas: width and height in pixels of the first reference's canvas.
        perceive: finds the person in a picture [H, W, 3] of any size that has no motion file, and lays it on the canvas; its
            name is passed as `source`.

    Raises:
        MediaError, MotionFileError: a file cannot be used.
        InputError: a motion file is not of one frame on this canvas.
    """
    found = []
    for path in pictures_in(folder):
        picture, track = read_image(path), path.with_suffix(".npz")
        if not track.is_file():
            image = replace(perceive(picture, source=str(path)), made=True)
        else:
            person = load_track(track)
            if person.num_frames != 1 or (person.width, person.height) != canvas:
                raise InputError(
                    f"{track} must be of one frame of {canvas[0]}x{canvas[1]} pixels, got {person.num_frames} of "
                    f"{person.width}x{person.height}. Delete it, and {path.name} is perceived instead."
                )
            placed, _ = cover_canvas(picture, width=canvas[0], height=canvas[1])
            mask = path.with_name(path.stem + _MASK)
            drawn = cover_canvas(read_image(mask), width=canvas[0], height=canvas[1])[0][..., 0] if mask.is_file() else None
            image = ReferenceImage(image=placed, person=person, mask=drawn, made=True)
        found.append(PseudoReference(name=path.stem, image=image, about=f"from {path}"))
    return found
