"""The joint file: points or body-model parameters of one person from any other tool. See docs/joint-files.md.

A NumPy .npz archive of plain arrays; `layout` says what the points are. Here it is read into a `JointRecording`, checked
and placed before its camera, and written from one. What the points mean for a body is decided in `joint_import.py`.
"""

from __future__ import annotations

import zipfile
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from dreamactor.errors import MotionFileError
from dreamactor.geometry.camera import project_perspective, project_weak
from dreamactor.geometry.layouts import LAYOUTS
from dreamactor.perception.archive import write_archive
from dreamactor.perception.body_model import PARAMETER_KEYS, PARAMETER_LAYOUTS, pose_parameters
from dreamactor.perception.recording import JointRecording
from dreamactor.types.video import FrameTimes

_COMMON_KEYS: Final = (
    "layout", "image_size", "fps", "times_s", "pts", "time_base", "confidence", "cut", "source",
    "focal_px", "center_px", "px_per_m", "origin_px", "camera_rotation", "camera_translation",
    "head_rotation", "head_center_px", "head_radius_px",
)  # fmt: skip
_POINT_KEYS: Final = ("points_px", "points_m")
_NEEDS: Final = {
    "pts": "time_base", "time_base": "pts", "center_px": "focal_px", "origin_px": "px_per_m",
    "camera_rotation": "points_m", "camera_translation": "points_m",
    "head_center_px": "head_radius_px", "head_radius_px": "head_center_px",
}  # fmt: skip
"""Key -> key without which it says nothing."""
_MICROSECONDS: Final = 1_000_000


def read_joint_file(path: Path, *, body_model: Path | None = None) -> JointRecording:
    """Reads a joint file.

    Args:
        path: the file.
        body_model: the user's own SMPL-X or SMPL model (.npz), for files with parameters and without `rest_joints`.

    Raises:
        MotionFileError: not a joint file, or something in it is missing, misspelt, misshapen or impossible.
    """
    given = _Reader(path, _load(path))
    layout = given.text("layout")
    known = (*LAYOUTS, *PARAMETER_LAYOUTS)
    if layout not in known:
        raise MotionFileError(f"{path}: unknown layout '{layout}'.{_hint(layout, known)} Known: {', '.join(known)}.")
    given.refuse_unknown((*_COMMON_KEYS, *(PARAMETER_KEYS if layout in PARAMETER_LAYOUTS else _POINT_KEYS)))
    if layout in PARAMETER_LAYOUTS:
        posed = pose_parameters(path, given.arrays, layout=layout, body_model=body_model)
        layout, given.arrays = (
            posed.layout,
            given.arrays | {"points_m": posed.points_m, "head_rotation": posed.head_rotation},
        )
    elif body_model is not None:
        raise MotionFileError(f"{path} holds points, not parameters; a body model is of no use to it. Leave it out.")
    return _to_recording(given, layout)


def is_joint_file(path: Path) -> bool:
    """Whether a file is an archive that names a layout."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return "layout" in archive.files
    except (OSError, EOFError, ValueError, AttributeError, zipfile.BadZipFile):
        return False


def write_joint_file(path: Path, recording: JointRecording) -> None:
    """Writes a joint file; it appears complete or not at all. Missing points are NaN.

    Raises:
        OutputError: the file cannot be written there.
    """
    missing = recording.confidence <= 0
    times = recording.times
    arrays: dict[str, Any] = {
        "layout": recording.layout,
        "image_size": [recording.width, recording.height],
        "fps": [times.fps.numerator, times.fps.denominator],
        "pts": times.pts.numpy(),
        "time_base": [times.time_base.numerator, times.time_base.denominator],
        "points_px": _blank(recording.pixels, missing),
        "confidence": recording.confidence.numpy(),
        "head_rotation": _blank(recording.head_rotation, ~recording.head_rotated),
        "head_center_px": _blank(recording.head_center, ~recording.head_placed),
        "head_radius_px": _blank(recording.head_radius, ~recording.head_placed),
        "cut": recording.cut.numpy(),
        "source": recording.source,
    }
    if recording.in_metres.any():
        arrays["points_m"] = _blank(recording.metres, missing | ~recording.in_metres)
    if recording.px_per_m is not None:
        arrays["px_per_m"] = recording.px_per_m.numpy()
    write_archive(path, arrays)


def _blank(values: Tensor, unknown: Tensor) -> np.ndarray:
    """The values with NaN where they are unknown; `unknown` has the leading axes of `values`."""
    wide = unknown.reshape(*unknown.shape, *[1] * (values.ndim - unknown.ndim))
    return torch.where(wide, torch.nan, values).numpy()


def _load(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise MotionFileError(f"{path} does not exist. Give a joint file (.npz, see docs/joint-files.md).")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, EOFError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise MotionFileError(
            f"{path} cannot be read as a joint file (.npz of plain arrays, no pickled objects): {error}."
        ) from error
    if "layout" not in arrays:
        raise MotionFileError(f"{path} has no 'layout'. Name one of: {', '.join((*LAYOUTS, *PARAMETER_LAYOUTS))}.")
    return arrays


def _hint(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word.lower(), known, n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


class _Reader:
    """Arrays of one file, fetched with their checks; every message names the file and the key."""

    def __init__(self, path: Path, arrays: dict[str, np.ndarray]) -> None:
        self.path, self.arrays = path, arrays

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def refuse_unknown(self, known: tuple[str, ...]) -> None:
        for name in self.arrays:
            if name not in known:
                raise MotionFileError(f"{self.path}: unknown key '{name}'.{_hint(name, known)} Known: {', '.join(known)}.")

    def error(self, name: str, needed: str) -> MotionFileError:
        return MotionFileError(f"{self.path}: '{name}' has shape {list(self.arrays[name].shape)}; needed is {needed}.")

    def text(self, name: str) -> str:
        return str(self.arrays[name])

    def numbers(self, name: str, *, gaps: bool = False) -> np.ndarray:
        """float64; infinite values never, NaN only where gaps are allowed."""
        values = self.arrays[name]
        if values.dtype.kind not in "bifu":
            raise MotionFileError(f"{self.path}: '{name}' holds {values.dtype} values; needed are numbers.")
        values = values.astype(np.float64)
        if np.isinf(values).any() or (not gaps and np.isnan(values).any()):
            raise MotionFileError(
                f"{self.path}: '{name}' is not finite. NaN means missing in points and head_*; anywhere else give a number."
            )
        return values

    def per_frame(self, name: str, num_frames: int, *tail: int, gaps: bool = False) -> Tensor:
        """[T, *tail] float32 from that shape, or from [*tail] held for all frames."""
        values = self.numbers(name, gaps=gaps)
        if values.shape not in ((num_frames, *tail), tail):
            raise self.error(name, f"{[num_frames, *tail]}" + (f" or {list(tail)}" if tail else " or one number"))
        return torch.from_numpy(np.broadcast_to(values, (num_frames, *tail)).copy()).float()


def _to_recording(given: _Reader, layout: str) -> JointRecording:
    path, names = given.path, LAYOUTS[layout]
    if not any(key in given for key in _POINT_KEYS):
        raise MotionFileError(f"{path} has neither 'points_px' nor 'points_m'. Give at least one of them.")
    for key, other in _NEEDS.items():
        if key in given and other not in given:
            raise MotionFileError(f"{path}: '{key}' says nothing without '{other}'. Give both, or leave it out.")
    num_frames = len(given.arrays["points_px" if "points_px" in given else "points_m"])
    if num_frames == 0:
        raise MotionFileError(f"{path} has no frames. Give at least one.")
    width, height = _image_size(given)
    metres, in_metres = _points(given, "points_m", num_frames, len(names))
    metres = _to_camera_axes(given, metres)
    px_per_m = given.per_frame("px_per_m", num_frames) if "px_per_m" in given else None
    if px_per_m is not None and not bool((px_per_m > 0).all()):
        raise MotionFileError(f"{path}: 'px_per_m' must be positive.")
    if "points_px" in given:
        for key in ("focal_px", "center_px", "origin_px"):
            if key in given:
                raise MotionFileError(
                    f"{path}: '{key}' places 'points_m', but 'points_px' says where the points are. Drop one."
                )
        has_depth = given.arrays["points_px"].shape[-1] == 3
        pixels, present = _points(given, "points_px", num_frames, len(names))
    else:
        has_depth, present = True, in_metres
        pixels, px_per_m = _project(given, metres, present, names, px_per_m, size=(width, height))
        pixels = torch.where(present[..., None], pixels, 0.0)
    rotation, rotated = _gaps(given, "head_rotation", num_frames, 3, 3)
    center, centered = _gaps(given, "head_center_px", num_frames, 3)
    radius, sized = _gaps(given, "head_radius_px", num_frames)
    return JointRecording(
        layout=layout, width=width, height=height, times=_times(given, num_frames), pixels=pixels,
        metres=torch.where(in_metres[..., None], metres, 0.0).float(), confidence=_confidence(given, present),
        in_metres=in_metres, has_depth=has_depth, px_per_m=px_per_m,
        head_rotation=torch.where(rotated[:, None, None], rotation, torch.eye(3)), head_rotated=rotated,
        head_center=center, head_radius=radius, head_placed=centered & sized,
        cut=given.per_frame("cut", num_frames) > 0.5 if "cut" in given else torch.zeros(num_frames, dtype=torch.bool),
        source=given.text("source") if "source" in given else path.name,
    )  # fmt: skip


def _image_size(given: _Reader) -> tuple[int, int]:
    if "image_size" not in given:
        raise MotionFileError(f"{given.path} has no 'image_size'. Give [width, height] of the picture in pixels.")
    size = given.numbers("image_size")
    if size.shape != (2,) or (size < 1).any() or (size != size.round()).any():
        raise MotionFileError(f"{given.path}: 'image_size' must be [width, height] in whole pixels, got {size.tolist()}.")
    return int(size[0]), int(size[1])


def _points(given: _Reader, name: str, num_frames: int, num_points: int) -> tuple[Tensor, Tensor]:
    """[T, N, 3] float32 (z 0 where the file has none, zeros where missing) and [T, N] bool present."""
    if name not in given:
        return torch.zeros(num_frames, num_points, 3), torch.zeros(num_frames, num_points, dtype=torch.bool)
    values = given.numbers(name, gaps=True)
    allowed = (2, 3) if name == "points_px" else (3,)
    if values.ndim != 3 or values.shape[:2] != (num_frames, num_points) or values.shape[2] not in allowed:
        raise given.error(name, f"[{num_frames}, {num_points}, {' or '.join(map(str, allowed))}] for this layout")
    present = ~np.isnan(values).any(-1)
    full = np.zeros((num_frames, num_points, 3))
    full[..., : values.shape[2]] = np.where(present[..., None], values, 0.0)
    return torch.from_numpy(full).float(), torch.from_numpy(present)


def _gaps(given: _Reader, name: str, num_frames: int, *tail: int) -> tuple[Tensor, Tensor]:
    """[T, *tail] with zeros where unknown, and [T] bool known; all unknown where the file does not have it."""
    if name not in given:
        return torch.zeros(num_frames, *tail), torch.zeros(num_frames, dtype=torch.bool)
    values = given.per_frame(name, num_frames, *tail, gaps=True)
    known = ~values.reshape(num_frames, -1).isnan().any(1)
    return torch.where(known.reshape(-1, *[1] * len(tail)), values, 0.0), known


def _confidence(given: _Reader, present: Tensor) -> Tensor:
    """[T, N]; 1 for every present point where the file says nothing."""
    if "confidence" not in given:
        return present.float()
    values = given.numbers("confidence")
    if values.shape != tuple(present.shape):
        raise given.error("confidence", f"{list(present.shape)}")
    if (values < 0).any() or (values > 1).any():
        raise MotionFileError(
            f"{given.path}: 'confidence' must lie in 0..1, got {values.min():g}..{values.max():g}. Clip or scale it."
        )
    return torch.where(present, torch.from_numpy(values).float(), 0.0)


def _to_camera_axes(given: _Reader, metres: Tensor) -> Tensor:
    """World metres turned and moved before the camera, where the file says how."""
    if "camera_rotation" in given:
        turn = given.per_frame("camera_rotation", len(metres), 3, 3)
        metres = metres @ turn.transpose(1, 2)
    if "camera_translation" in given:
        metres = metres + given.per_frame("camera_translation", len(metres), 3)[:, None]
    return metres


def _project(
    given: _Reader,
    metres: Tensor,
    present: Tensor,
    names: tuple[str, ...],
    px_per_m: Tensor | None,
    *,
    size: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    """[T, N, 3] px3 and [T] pixels per metre of points that are known in metres alone."""
    num_frames = len(metres)
    if ("focal_px" in given) == (px_per_m is not None):
        raise MotionFileError(
            f"{given.path}: points in metres need one camera: 'focal_px' (and 'center_px' if it is not the middle of the "
            "picture), or 'px_per_m' with 'origin_px'."
        )
    if px_per_m is not None:
        if "origin_px" not in given:
            raise MotionFileError(f"{given.path}: 'px_per_m' needs 'origin_px', the pixel where x = y = 0 metres lies.")
        return project_weak(metres, px_per_m=px_per_m, origin_px=given.per_frame("origin_px", num_frames, 2)), px_per_m
    focal = given.per_frame("focal_px", num_frames)
    middle = torch.tensor(size, dtype=torch.float32).expand(num_frames, 2) / 2
    center = given.per_frame("center_px", num_frames, 2) if "center_px" in given else middle
    behind = present & (metres[..., 2] <= 0)
    if behind.any() or not bool((focal > 0).all()):
        frame, point = (int(i) for i in behind.nonzero()[0]) if behind.any() else (0, 0)
        raise MotionFileError(
            f"{given.path}: with 'focal_px' (positive) all points must lie before the camera, z > 0 metres; frame {frame}, "
            f"point {point} ({names[point]}) has {float(metres[frame, point, 2]):g}. Add the camera's translation."
        )
    depth = _body_depth(metres[..., 2], present, names)
    safe = torch.where(present[..., None], metres, torch.ones(3))
    return project_perspective(safe, focal_px=focal, center_px=center, body_depth_m=depth), focal / depth


def _body_depth(depth: Tensor, present: Tensor, names: tuple[str, ...]) -> Tensor:
    """[T] metres: of the hips' middle, or the median of whatever is there."""
    hips = [names.index(name) for name in ("left_hip", "right_hip")]
    both = present[:, hips].all(1)
    blank = torch.where(present, depth, torch.nan)
    median = blank.nanmedian(1).values.nan_to_num(1.0)
    return torch.where(both, depth[:, hips].mean(1), median)


def _times(given: _Reader, num_frames: int) -> FrameTimes:
    """From `pts` and `time_base`, else from `times_s` (kept to the microsecond), else from `fps`."""
    path = given.path
    if "pts" in given and "time_base" in given:
        pts, base = given.numbers("pts").astype(np.int64), given.numbers("time_base").astype(np.int64).tolist()
        unit = Fraction(*base) if len(base) == 2 and min(base) > 0 else Fraction(0)
    elif "times_s" in given:
        pts, unit = np.round(given.numbers("times_s") * _MICROSECONDS).astype(np.int64), Fraction(1, _MICROSECONDS)
    elif "fps" in given:
        rate = given.numbers("fps").reshape(-1).tolist()
        fps = Fraction(int(rate[0]), int(rate[1])) if len(rate) == 2 else Fraction(rate[0]).limit_denominator(1001)
        if fps <= 0:
            raise MotionFileError(f"{path}: 'fps' must be positive, got {rate}.")
        return FrameTimes.constant(num_frames, fps)
    else:
        raise MotionFileError(f"{path} says nothing about time. Give 'fps', or 'times_s' with one time per frame.")
    if pts.shape != (num_frames,) or unit <= 0 or (np.diff(pts) <= 0).any():
        raise MotionFileError(f"{path}: times must be one per frame ({num_frames}) and increase from frame to frame.")
    return FrameTimes(pts=torch.from_numpy(pts), time_base=unit)
