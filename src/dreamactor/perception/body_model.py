"""Body-model parameters (SMPL-X, SMPL) -> joints: forward kinematics on the user's own rest joints.

No model data is part of this project. Where the joints rest comes from the file itself (`rest_joints`), or from the
user's own model file, of which only the mean shape, its first shape directions and the joint regressor are read.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from dreamactor.errors import MotionFileError
from dreamactor.geometry.layouts import LAYOUTS, SMPL_PARENTS, SMPLX_PARENTS

PARAMETER_LAYOUTS: Final = {"smplx_parameters": "smplx_55", "smpl_parameters": "smpl_24"}
"""Layout of parameters -> layout of the joints they pose."""

_POSES: Final[dict[str, dict[str, tuple[int, int]]]] = {
    "smplx_parameters": {
        "global_orient": (0, 1), "body_pose": (1, 22), "jaw_pose": (22, 23), "leye_pose": (23, 24), "reye_pose": (24, 25),
        "left_hand_pose": (25, 40), "right_hand_pose": (40, 55),
    },
    "smpl_parameters": {"global_orient": (0, 1), "body_pose": (1, 24)},
}  # fmt: skip
"""Key -> first joint it turns, and the one after its last."""

_HAND_POSES: Final = ("left_hand_pose", "right_hand_pose")
_HAND_ORIENT: Final = {"left_hand_orient": "left_wrist", "right_hand_orient": "right_wrist"}
PARAMETER_KEYS: Final = (
    *_POSES["smplx_parameters"], *_HAND_ORIENT, "betas", "transl", "rest_joints",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class PosedJoints:
    """Joints of a posed body model.

    Attributes:
        layout: of the joints.
        points_m: [T, N, 3] float64 metres in the axes of `transl` (the camera's, or the world's); NaN for fingers whose
            pose is not known.
        head_rotation: [T, 3, 3] float64: head axes (x the person's left, y up, z out of the face) -> camera axes.
    """

    layout: str
    points_m: np.ndarray
    head_rotation: np.ndarray


def pose_parameters(path: Path, arrays: dict[str, np.ndarray], *, layout: str, body_model: Path | None) -> PosedJoints:
    """Poses the joints of a file with parameters.

    Args:
        path: the file, for messages.
        arrays: its arrays; see docs/joint-files.md for their shapes.
        layout: one of `PARAMETER_LAYOUTS`.
        body_model: the user's model file, needed where `rest_joints` is not given.

    Raises:
        MotionFileError: something is missing, misshapen or not finite.
    """
    if "global_orient" not in arrays or "body_pose" not in arrays:
        raise MotionFileError(f"{path}: layout '{layout}' needs 'global_orient' and 'body_pose'.")
    for key in _POSES["smplx_parameters"]:
        if key in arrays and key not in _POSES[layout]:
            raise MotionFileError(
                f"{path}: '{key}' is not part of layout '{layout}'. Use smplx_parameters, or leave it out."
            )
    points = PARAMETER_LAYOUTS[layout]
    names = LAYOUTS[points]
    num_frames = len(arrays["global_orient"])
    local = np.broadcast_to(np.eye(3), (num_frames, len(names), 3, 3)).copy()
    for key, (first, stop) in _POSES[layout].items():
        is_hand = key in _HAND_POSES
        if key in arrays:
            local[:, first:stop] = _rotations(path, key, arrays[key], num_frames, stop - first, gaps=is_hand)
        elif is_hand:
            local[:, first:stop] = np.nan  # nobody said how the fingers are bent
    camera = _camera_rotation(path, arrays, num_frames)
    fixed: dict[int, np.ndarray] = {}
    for key, wrist in _HAND_ORIENT.items():
        if key in arrays:
            seen = _rotations(path, key, arrays[key], num_frames, 1, gaps=True)[:, 0]
            fixed[names.index(wrist)] = camera.swapaxes(1, 2) @ seen
    rest = _rest_joints(path, arrays, num_frames, len(names), body_model)
    parents = SMPLX_PARENTS if layout == "smplx_parameters" else SMPL_PARENTS
    joints, turned = forward_kinematics(rest, local, parents, fixed)
    if "transl" in arrays:
        joints = joints + _numbers(path, "transl", arrays["transl"], (num_frames, 3))[:, None]
    return PosedJoints(layout=points, points_m=joints, head_rotation=camera @ turned[:, names.index("smpl/head")])


def forward_kinematics(
    rest: np.ndarray, local: np.ndarray, parents: tuple[int, ...], fixed: dict[int, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Walks the tree.

    Args:
        rest: [T, N, 3] joints at rest.
        local: [T, N, 3, 3] rotation of each joint relative to its parent.
        parents: parent of each joint, -1 for the root; parents come before children.
        fixed: joint -> [T, 3, 3] its rotation relative to the root's axes, in place of the local one (a hand model's
            wrist); frames with NaN keep the local one.

    Returns:
        [T, N, 3] joints (the root stays where it rests) and [T, N, 3, 3] their rotations in the root's axes.
    """
    joints, turned = np.empty_like(rest), np.empty_like(local)
    for joint, parent in enumerate(parents):
        if parent < 0:
            joints[:, joint], turned[:, joint] = rest[:, joint], local[:, joint]
        else:
            bone = rest[:, joint] - rest[:, parent]
            joints[:, joint] = joints[:, parent] + (turned[:, parent] @ bone[..., None])[..., 0]
            turned[:, joint] = turned[:, parent] @ local[:, joint]
        if fixed is not None and joint in fixed:
            known = ~np.isnan(fixed[joint]).any((1, 2))
            turned[known, joint] = fixed[joint][known]
    return joints, turned


def rotation_from_axis_angle(axis_angle: np.ndarray) -> np.ndarray:
    """[..., 3] axis times angle in radians -> [..., 3, 3] (the formula of Rodrigues)."""
    angle = np.linalg.norm(axis_angle, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(axis_angle, -1, 0)
    zero = np.zeros_like(x)
    skew = np.stack((zero, -z, y, z, zero, -x, -y, x, zero), axis=-1).reshape(*axis_angle.shape[:-1], 3, 3)
    half = np.sinc(angle / (2 * np.pi))  # sin(a/2) / (a/2), exact at zero
    return np.eye(3) + np.sinc(angle / np.pi) * skew + 0.5 * half**2 * (skew @ skew)


def _rotations(path: Path, key: str, values: np.ndarray, num_frames: int, count: int, *, gaps: bool = False) -> np.ndarray:
    """[T, count, 3, 3] from axis-angle ([T, count * 3] or [T, count, 3]) or matrices ([T, count, 3, 3] or [T, 3, 3])."""
    shape = values.shape
    matrices = shape == (num_frames, count, 3, 3) or (count == 1 and shape == (num_frames, 3, 3))
    if not matrices and shape not in ((num_frames, count * 3), (num_frames, count, 3)):
        raise MotionFileError(
            f"{path}: '{key}' has shape {list(shape)}; needed is [{num_frames}, {count * 3}] (axis-angle) or "
            f"[{num_frames}, {count}, 3, 3] (matrices)." + (" Expand PCA poses first." if key in _HAND_POSES else "")
        )
    values = _numbers(path, key, values, shape, gaps=gaps)
    if not matrices:
        return rotation_from_axis_angle(values.reshape(num_frames, count, 3))
    values = values.reshape(num_frames, count, 3, 3)
    whole = values[~np.isnan(values).any((2, 3))]
    if not np.allclose(whole @ whole.swapaxes(1, 2), np.eye(3), atol=1e-3) or (np.linalg.det(whole) < 0).any():
        raise MotionFileError(f"{path}: '{key}' holds matrices that are not rotations (to 0.001).")
    return values


def _camera_rotation(path: Path, arrays: dict[str, np.ndarray], num_frames: int) -> np.ndarray:
    if "camera_rotation" not in arrays:
        return np.broadcast_to(np.eye(3), (num_frames, 3, 3))
    values = arrays["camera_rotation"]
    if values.shape == (3, 3):
        values = np.broadcast_to(values, (num_frames, 3, 3))
    return _rotations(path, "camera_rotation", values, num_frames, 1)[:, 0]


def _numbers(path: Path, key: str, values: np.ndarray, shape: tuple[int, ...], *, gaps: bool = False) -> np.ndarray:
    if values.shape != shape:
        raise MotionFileError(f"{path}: '{key}' has shape {list(values.shape)}; needed is {list(shape)}.")
    if values.dtype.kind not in "ifu" or np.isinf(values).any() or (not gaps and np.isnan(values).any()):
        raise MotionFileError(f"{path}: '{key}' must hold finite numbers.")
    return values.astype(np.float64)


def _rest_joints(
    path: Path, arrays: dict[str, np.ndarray], num_frames: int, num_joints: int, body_model: Path | None
) -> np.ndarray:
    """[T, N, 3] joints at rest, shape included."""
    if "rest_joints" in arrays:
        if body_model is not None or "betas" in arrays:
            raise MotionFileError(
                f"{path}: 'rest_joints' already say how the body is built; leave out 'betas' and the body model."
            )
        rest = arrays["rest_joints"]
        per_frame = (num_frames,) if rest.ndim == 3 else ()
        rest = _numbers(path, "rest_joints", rest, (*per_frame, num_joints, 3))
        return np.broadcast_to(rest, (num_frames, num_joints, 3))
    if body_model is None:
        raise MotionFileError(
            f"{path} holds parameters but no 'rest_joints' [{num_joints}, 3]. Add them, or name your own model file "
            "(--body-model SMPLX_NEUTRAL.npz)."
        )
    betas = np.asarray(arrays.get("betas", np.zeros((1, 0))))
    betas = betas[None] if betas.ndim == 1 else betas
    if betas.ndim != 2 or len(betas) not in (1, num_frames):
        raise MotionFileError(f"{path}: 'betas' has shape {list(betas.shape)}; needed is [K] or [{num_frames}, K].")
    betas = _numbers(path, "betas", betas, betas.shape)
    mean, directions = _read_model(body_model, num_joints, betas.shape[1])
    return np.broadcast_to(mean + np.einsum("tk,njk->tnj", betas, directions), (num_frames, num_joints, 3))


def _read_model(body_model: Path, num_joints: int, num_betas: int) -> tuple[np.ndarray, np.ndarray]:
    """[N, 3] mean joints and [N, 3, K] how the first K shape numbers move them."""
    needed = ("J_regressor", "v_template", "shapedirs")
    try:
        with np.load(body_model, allow_pickle=False) as archive:
            regressor, template, shapes = (archive[name] for name in needed)
    except (OSError, EOFError, KeyError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise MotionFileError(
            f"{body_model} cannot be read as a body model ({error}). Needed is an .npz with {', '.join(needed)} as plain "
            "arrays; a .pkl must be converted first."
        ) from error
    num_vertices = len(template)
    if regressor.shape != (num_joints, num_vertices) or shapes.shape[:2] != (num_vertices, 3):
        raise MotionFileError(
            f"{body_model}: its joint regressor has shape {list(regressor.shape)}; needed is "
            f"[{num_joints}, {num_vertices}]. SMPL-X has 55 joints, SMPL 24."
        )
    if shapes.shape[2] < num_betas:
        raise MotionFileError(f"{body_model} has {shapes.shape[2]} shape directions, the file gives {num_betas} betas.")
    return regressor @ template, np.einsum("nv,vjk->njk", regressor, shapes[:, :, :num_betas])
