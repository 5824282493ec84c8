"""Body-model parameters: the chain of rotations, hands from a hand model, and the user's own model file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from dreamactor.errors import MotionFileError
from dreamactor.geometry.layouts import LAYOUTS, SMPLX_PARENTS
from dreamactor.geometry.skeleton import JOINT
from dreamactor.perception.body_model import forward_kinematics, rotation_from_axis_angle
from dreamactor.perception.joint_file import read_joint_file
from dreamactor.perception.joint_import import track_from_joints

NAMES = LAYOUTS["smplx_55"]
T = 5


def rest_joints() -> np.ndarray:
    """[55, 3] somebody in a T-pose, y up, facing +z: plain numbers, no model's."""
    body = {
        "smpl/pelvis": (0, 0, 0), "left_hip": (0.06, -0.09, 0), "smpl/spine1": (0, 0.1, 0), "left_knee": (0.1, -0.47, 0),
        "smpl/spine2": (0, 0.24, 0), "left_ankle": (0.09, -0.87, -0.03), "smpl/spine3": (0, 0.3, 0),
        "left_foot": (0.12, -0.93, 0.1), "smpl/neck": (0, 0.46, 0), "left_collar": (0.05, 0.4, 0),
        "smpl/head": (0, 0.55, 0.02), "left_shoulder": (0.17, 0.41, 0), "left_elbow": (0.43, 0.41, 0),
        "left_wrist": (0.68, 0.41, 0), "smpl/jaw": (0, 0.54, 0.05), "left_eyeball": (0.03, 0.6, 0.09),
    }  # fmt: skip
    rest = np.zeros((55, 3))
    for index, name in enumerate(NAMES):
        x, y, z = body.get(name.replace("right", "left"), (0, 0, 0))
        if "_hand/" in name:
            finger, part = name.split("/")[1].split("_")
            x = 0.68 + 0.03 * (2 + ("mcp", "pip", "dip").index(part) if finger != "thumb" else 1)
            y, z = 0.41, 0.02 * (("thumb", "index", "middle", "ring", "little").index(finger) - 2) * -1
        rest[index] = (-x if name.startswith("right") else x, y, z)
    return rest


def parameters(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "layout": "smplx_parameters", "image_size": (640, 480), "fps": 25, "focal_px": 700.0, "rest_joints": rest_joints(),
        "global_orient": np.tile((np.pi, 0.0, 0.0), (T, 1)) + rng.normal(0, 0.1, (T, 3)),
        "body_pose": rng.normal(0, 0.3, (T, 63)), "left_hand_pose": rng.normal(0, 0.3, (T, 45)),
        "right_hand_pose": rng.normal(0, 0.3, (T, 45)), "transl": np.tile((0.1, 0.2, 4.0), (T, 1)),
    }  # fmt: skip


def _read(folder: Path, **arrays: Any) -> Any:
    np.savez(folder / "parameters.npz", **arrays)
    return read_joint_file(folder / "parameters.npz")


def test_axis_angle_is_scipys() -> None:
    vectors = np.concatenate([np.random.default_rng(0).normal(0, 2, (50, 3)), np.zeros((1, 3)), np.full((1, 3), 1e-9)])
    np.testing.assert_allclose(rotation_from_axis_angle(vectors), Rotation.from_rotvec(vectors).as_matrix(), atol=1e-12)


def test_no_rotation_is_the_rest_pose_and_one_turn_moves_its_branch_alone() -> None:
    rest, local = rest_joints()[None], np.tile(np.eye(3), (1, 55, 1, 1))
    np.testing.assert_allclose(forward_kinematics(rest, local, SMPLX_PARENTS)[0], rest, atol=1e-12)
    elbow = NAMES.index("left_elbow")
    local[0, elbow] = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    joints, _ = forward_kinematics(rest, local, SMPLX_PARENTS)
    moved = np.abs(joints - rest).max(-1)[0] > 1e-9
    assert {NAMES[i] for i in np.nonzero(moved)[0]} == {n for n in NAMES if n == "left_wrist" or n.startswith("left_hand/")}
    wrist = NAMES.index("left_wrist")
    np.testing.assert_allclose(joints[0, wrist], rest[0, elbow] + (0, 0.25, 0), atol=1e-12)  # a forearm pointing up


def test_the_chain_is_scipys(tmp_path: Path) -> None:
    given = parameters()
    recording = _read(tmp_path, **given)
    for frame in range(T):
        poses = np.concatenate(
            [given["global_orient"][frame], given["body_pose"][frame], np.zeros(9), given["left_hand_pose"][frame],
             given["right_hand_pose"][frame]]
        ).reshape(55, 3)  # fmt: skip
        turned: list[Rotation] = []
        place: list[np.ndarray] = []
        for joint, parent in enumerate(SMPLX_PARENTS):
            own = Rotation.from_rotvec(poses[joint])
            if parent < 0:
                turned.append(own)
                place.append(given["rest_joints"][0])
            else:
                turned.append(turned[parent] * own)
                bone = given["rest_joints"][joint] - given["rest_joints"][parent]
                place.append(place[parent] + turned[parent].apply(bone))
        wanted = np.stack(place) + given["transl"][frame]
        np.testing.assert_allclose(recording.metres[frame].numpy(), wanted, atol=1e-5)
        head = turned[NAMES.index("smpl/head")].as_matrix()
        np.testing.assert_allclose(recording.head_rotation[frame].numpy(), head, atol=1e-5)
        pixels = wanted[:, :2] / wanted[:, 2:] * 700 + (320, 240)
        np.testing.assert_allclose(recording.pixels[frame, :, :2].numpy(), pixels, atol=1e-2)


def test_matrices_say_the_same_as_axis_angles(tmp_path: Path) -> None:
    given = parameters()
    one = _read(tmp_path, **given)
    for key in ("global_orient", "body_pose", "left_hand_pose", "right_hand_pose"):
        given[key] = Rotation.from_rotvec(given[key].reshape(-1, 3)).as_matrix().reshape(T, -1, 3, 3)
    torch.testing.assert_close(_read(tmp_path, **given).metres, one.metres, atol=1e-5, rtol=0)


def test_a_person_who_faces_the_camera_has_no_head_angles(tmp_path: Path) -> None:
    given = parameters() | {"global_orient": np.tile((np.pi, 0.0, 0.0), (T, 1)), "body_pose": np.zeros((T, 63))}
    track = track_from_joints(_read(tmp_path, **given))
    torch.testing.assert_close(track.head.angles_rad, torch.zeros(T, 3), atol=1e-5, rtol=0)
    left, right = (track.body.joints[0, JOINT[f"{side}_wrist"], 0] for side in ("left", "right"))
    assert left > right  # the person's left is at image right
    head = track.head.center[0, 1]
    assert head < track.body.joints[0, JOINT["neck"], 1]
    turned = given["body_pose"].copy()
    turned[:, 3 * 14 : 3 * 14 + 3] = (0.0, 0.6, 0.0)  # joint 15: the head, to its own left
    yawed = track_from_joints(_read(tmp_path, **given | {"body_pose": turned}))
    torch.testing.assert_close(yawed.head.angles_rad[0], torch.tensor([0.6, 0.0, 0.0]), atol=1e-5, rtol=0)


def test_a_hand_model_sets_the_wrist_whatever_the_arm_does(tmp_path: Path) -> None:
    given = parameters()
    plain = _read(tmp_path, **given)
    names = [NAMES.index(n) for n in ("left_wrist", "left_hand/middle_mcp")]
    hand = Rotation.from_rotvec((0.4, -0.8, 2.0)).as_matrix()
    orient = np.tile(hand, (T, 1, 1))
    orient[3:] = np.nan
    merged = _read(tmp_path, **given, left_hand_orient=orient)
    bone = given["rest_joints"][names[1]] - given["rest_joints"][names[0]]
    along = (merged.metres[:, names[1]] - merged.metres[:, names[0]]).numpy()
    np.testing.assert_allclose(along[:3], np.tile(hand @ bone, (3, 1)), atol=1e-5)
    torch.testing.assert_close(merged.metres[3:], plain.metres[3:])  # unknown: the body model's own wrist
    # The body's own wrist rotation, said in camera axes, changes nothing.
    local = np.tile(np.eye(3), (T, 55, 1, 1))
    local[:, 0] = Rotation.from_rotvec(given["global_orient"]).as_matrix()
    local[:, 1:22] = Rotation.from_rotvec(given["body_pose"].reshape(-1, 3)).as_matrix().reshape(T, 21, 3, 3)
    _, turned = forward_kinematics(np.tile(rest_joints(), (T, 1, 1)), local, SMPLX_PARENTS)
    same = _read(tmp_path, **given, left_hand_orient=turned[:, NAMES.index("left_wrist")])
    torch.testing.assert_close(same.metres, plain.metres, atol=1e-5, rtol=0)


def test_a_body_in_the_room_with_a_camera_is_the_body_before_the_camera(tmp_path: Path) -> None:
    given = parameters()
    hand = np.tile(Rotation.from_rotvec((0.4, -0.8, 2.0)).as_matrix(), (T, 1, 1))
    seen = _read(tmp_path, **given, right_hand_orient=hand)
    camera = Rotation.from_rotvec((0.5, 1.0, -0.3))
    root = given["rest_joints"][0]
    world = dict(given)
    world["global_orient"] = (camera.inv() * Rotation.from_rotvec(given["global_orient"])).as_rotvec()
    world["transl"] = camera.inv().apply(given["transl"] + root - (0.0, 0.0, 1.0)) - root
    placed = {"camera_rotation": camera.as_matrix(), "camera_translation": (0.0, 0.0, 1.0)}
    again = _read(tmp_path, **world, **placed, right_hand_orient=hand)
    torch.testing.assert_close(again.pixels, seen.pixels, atol=1e-2, rtol=0)
    torch.testing.assert_close(again.head_rotation, seen.head_rotation, atol=1e-5, rtol=0)


def test_unknown_fingers_are_missing(tmp_path: Path) -> None:
    given = parameters()
    given["left_hand_pose"][2] = np.nan
    del given["right_hand_pose"]
    track = track_from_joints(_read(tmp_path, **given))
    assert track.hands.tracked[:, 0].tolist() == [True, True, False, True, True]
    assert not track.hands.tracked[:, 1].any()
    assert track.hands.joints.isfinite().all()


def _model(folder: Path, num_joints: int = 55) -> tuple[Path, dict[str, np.ndarray]]:
    rng = np.random.default_rng(3)
    model = {
        "J_regressor": rng.random((num_joints, 40)), "v_template": rng.normal(size=(40, 3)),
        "shapedirs": rng.normal(size=(40, 3, 6)),
    }  # fmt: skip
    np.savez(folder / "model.npz", **model)
    return folder / "model.npz", model


def test_joints_at_rest_come_from_the_users_model(tmp_path: Path) -> None:
    path, model = _model(tmp_path)
    given = parameters()
    del given["rest_joints"]
    betas = np.random.default_rng(4).normal(size=(T, 4))
    np.savez(tmp_path / "p.npz", betas=betas, **given | {"transl": np.tile((0.0, 0.0, 99.0), (T, 1))})
    shaped = model["v_template"] + np.einsum("tk,vck->tvc", betas, model["shapedirs"][..., :4])
    by_hand = given | {"rest_joints": model["J_regressor"] @ shaped, "transl": np.tile((0.0, 0.0, 99.0), (T, 1))}
    torch.testing.assert_close(
        read_joint_file(tmp_path / "p.npz", body_model=path).metres, _read(tmp_path, **by_hand).metres, atol=1e-4, rtol=0
    )


@pytest.mark.parametrize(
    ("changes", "model", "says"),
    [
        ({"rest_joints": None}, False, "--body-model"),
        ({"betas": np.zeros(3)}, False, "leave out 'betas'"),
        ({"rest_joints": np.zeros((24, 3))}, False, "rest_joints"),
        ({"rest_joints": None, "betas": np.zeros(9)}, True, "6 shape directions"),
        ({"left_hand_pose": np.zeros((T, 12))}, False, "PCA"),
        ({"body_pose": np.full((T, 21, 3, 3), 0.5)}, False, "not rotations"),
        ({"body_pose": np.full((T, 63), np.nan)}, False, "finite"),
        ({"body_pose": None}, False, "needs 'global_orient' and 'body_pose'"),
        ({"layout": "smpl_parameters"}, False, "not part of layout"),
        ({"transl": None}, False, "z > 0"),
        ({"focal_px": None}, False, "one camera"),
        ({"expression": np.zeros((T, 10))}, False, "unknown key 'expression'"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, changes: dict[str, Any], model: bool, says: str) -> None:
    given = {key: value for key, value in (parameters() | changes).items() if value is not None}
    path = _model(tmp_path)[0] if model else None
    np.savez(tmp_path / "p.npz", **given)
    with pytest.raises(MotionFileError, match=says.replace("[", r"\[")):
        read_joint_file(tmp_path / "p.npz", body_model=path)


def test_a_model_of_another_size_or_kind_is_refused(tmp_path: Path) -> None:
    given = parameters()
    del given["rest_joints"]
    np.savez(tmp_path / "p.npz", **given)
    with pytest.raises(MotionFileError, match="SMPL-X has 55 joints, SMPL 24"):
        read_joint_file(tmp_path / "p.npz", body_model=_model(tmp_path, num_joints=24)[0])
    np.savez(tmp_path / "other.npz", v_template=np.zeros((4, 3)))
    with pytest.raises(MotionFileError, match="J_regressor"):
        read_joint_file(tmp_path / "p.npz", body_model=tmp_path / "other.npz")
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(MotionFileError, match="cannot be read as a body model"):
        read_joint_file(tmp_path / "p.npz", body_model=tmp_path / "model.pkl")
