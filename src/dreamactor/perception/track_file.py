"""A `PersonTrack` as one file: the plug-in interface for motion from any other tool. See docs/motion-file.md.

The file is a NumPy .npz archive (zip of arrays, no pickles): one array per field, named `part.field`, and `header`, a
JSON text with `format`, `version`, `width`, `height`, `time_base`, `source`, and the joint and face point names in
storage order. The camera's arrays may be missing. Saved tracks load back bit for bit.
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from dreamactor.errors import MotionFileError
from dreamactor.geometry.skeleton import BODY_JOINTS, FACE_POINTS, HAND_JOINTS, HANDS
from dreamactor.perception.archive import write_archive
from dreamactor.types.track import BodyTrack, CameraTrack, FaceTrack, HandTrack, HeadTrack, PersonTrack
from dreamactor.types.video import FrameTimes

FORMAT = "dreamactor-motion"
VERSION = 1
"""Raised when a field changes its meaning; files of another version are refused."""

CONVENTIONS = (
    "px3: x right and y down in pixels (centres at +0.5), z away from the camera in pixels relative to the pelvis. "
    "Head angles: R = Ry(yaw) Rx(pitch) Rz(roll) in axes x right, y up, z to the viewer, radians; +yaw nose to image "
    "right, +pitch nose down, +roll counter-clockwise as seen; yaw unwrapped."
)

_PARTS: dict[str, type[BodyTrack | HandTrack | HeadTrack | FaceTrack]] = {
    "body": BodyTrack,
    "hands": HandTrack,
    "head": HeadTrack,
    "face": FaceTrack,
}
_CAMERA = ("camera.matrix", "camera.known")
"""Present both or not at all; files from before the camera was looked at have neither."""
_NAMES = {"body_joints": BODY_JOINTS, "hands": HANDS, "hand_joints": HAND_JOINTS, "face_points": FACE_POINTS}

_Part = TypeVar("_Part", BodyTrack, HandTrack, HeadTrack, FaceTrack)


def save_track(path: Path, track: PersonTrack) -> None:
    """Writes a track; the file appears complete or not at all.

    Raises:
        OutputError: the folder cannot be written.
        MotionFileError: the track holds values that are not finite.
    """
    arrays: dict[str, np.ndarray] = {"pts": track.times.pts.numpy(), "cut": track.cut.numpy()}
    for part, kind in _PARTS.items():
        for field in _field_names(kind):
            arrays[f"{part}.{field}"] = getattr(getattr(track, part), field).detach().cpu().numpy()
    if track.camera is not None:
        arrays |= dict(zip(_CAMERA, (track.camera.matrix.numpy(), track.camera.known.numpy()), strict=True))
    _expect_finite(path, arrays)
    header: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "width": track.width,
        "height": track.height,
        "time_base": [track.times.time_base.numerator, track.times.time_base.denominator],
        "source": track.source,
        "conventions": CONVENTIONS,
        **{name: list(values) for name, values in _NAMES.items()},
    }
    write_archive(path, {"header": np.array(json.dumps(header)), **arrays})


def load_track(path: Path) -> PersonTrack:
    """Reads a track.

    Raises:
        MotionFileError: missing, damaged, of another version, with other joints, wrong shapes, or values that are not
            finite.
    """
    header, arrays = _read(path)
    _check_header(path, header)
    _expect_finite(path, arrays)
    try:
        times = FrameTimes(pts=torch.from_numpy(arrays["pts"]), time_base=Fraction(*header["time_base"]))
        track = PersonTrack(
            width=int(header["width"]),
            height=int(header["height"]),
            times=times,
            body=_part(BodyTrack, "body", arrays),
            hands=_part(HandTrack, "hands", arrays),
            head=_part(HeadTrack, "head", arrays),
            face=_part(FaceTrack, "face", arrays),
            cut=torch.from_numpy(arrays["cut"]),
            source=str(header["source"]),
            camera=_camera(arrays),
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise MotionFileError(f"{path} is no complete motion file: {error}. Make it again with `extract`.") from error
    _check_types(path, track)
    return track


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    if not path.is_file():
        raise MotionFileError(f"No motion file at {path}. Make one with `extract VIDEO -o {path.name}`.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if "layout" in arrays and "header" not in arrays:
            raise MotionFileError(
                f"{path} is a joint file. Make a motion file of it with `convert {path.name} -o motion.npz`."
            )
        header = json.loads(str(arrays.pop("header")))
    except (OSError, EOFError, ValueError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise MotionFileError(
            f"{path} cannot be read as a motion file (.npz with a header): {error}. Make it again with `extract`."
        ) from error
    if not isinstance(header, dict):
        raise MotionFileError(f"{path} has no valid header. Make it again with `extract`.")
    return header, arrays


def _check_header(path: Path, header: Mapping[str, Any]) -> None:
    if header.get("format") != FORMAT:
        raise MotionFileError(f"{path} is no motion file (format {header.get('format')!r}, needed {FORMAT!r}).")
    if header.get("version") != VERSION:
        raise MotionFileError(
            f"{path} has version {header.get('version')!r}, this program reads version {VERSION}. "
            "Make it again with `extract`."
        )
    for name, values in _NAMES.items():
        if header.get(name) != list(values):
            raise MotionFileError(f"{path} lists other {name} than this program knows. See docs/motion-file.md.")
    for name in ("width", "height"):
        if not isinstance(header.get(name), int) or header[name] < 1:
            raise MotionFileError(f"{path} has {name} {header.get(name)!r}; needed is a positive number of pixels.")


def _expect_finite(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    for name, values in arrays.items():
        if values.dtype.kind not in "bif":
            raise MotionFileError(f"{path}: '{name}' holds {values.dtype} values; needed are numbers.")
        bad = ~np.isfinite(values)
        if bad.any():
            frame = int(np.argwhere(bad)[0][0])
            raise MotionFileError(
                f"{path}: '{name}' is not finite (NaN or inf), first in frame {frame}. Where something was not found, "
                "store zeros and set its `tracked` flag to false."
            )


def _check_types(path: Path, track: PersonTrack) -> None:
    """Flags are flags, numbers are float32, times increase."""
    for part, kind in _PARTS.items():
        for field in _field_names(kind):
            values = getattr(getattr(track, part), field)
            wanted = torch.bool if field == "tracked" else torch.float32
            if values.dtype != wanted:
                raise MotionFileError(f"{path}: '{part}.{field}' is {values.dtype}, needed is {wanted}.")
            if len(values) != track.num_frames:
                raise MotionFileError(f"{path}: '{part}.{field}' has {len(values)} frames, 'pts' has {track.num_frames}.")
    if track.camera is not None and (track.camera.matrix.dtype, track.camera.known.dtype) != (torch.float32, torch.bool):
        raise MotionFileError(f"{path}: 'camera.matrix' must be float32 and 'camera.known' bool.")
    if track.cut.dtype != torch.bool or track.times.pts.dtype != torch.int64:
        raise MotionFileError(f"{path}: 'cut' must be bool and 'pts' int64.")
    if track.num_frames == 0 or not bool((track.times.pts.diff() > 0).all()) or track.times.time_base <= 0:
        raise MotionFileError(f"{path}: times must increase from frame to frame and there must be at least one frame.")


def _field_names(kind: type[BodyTrack | HandTrack | HeadTrack | FaceTrack]) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def _part(kind: type[_Part], part: str, arrays: Mapping[str, np.ndarray]) -> _Part:
    return kind(**{field: torch.from_numpy(arrays[f"{part}.{field}"]) for field in _field_names(kind)})


def _camera(arrays: Mapping[str, np.ndarray]) -> CameraTrack | None:
    if not any(name in arrays for name in _CAMERA):
        return None
    matrix, known = (torch.from_numpy(arrays[name]) for name in _CAMERA)
    return CameraTrack(matrix=matrix, known=known)
