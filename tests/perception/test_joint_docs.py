"""Every Python block of docs/joint-files.md runs, and what it writes becomes the motion it should."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from scipy.spatial.transform import Rotation
from test_body_model import parameters, rest_joints

from dreamactor.geometry.layouts import LAYOUTS
from dreamactor.geometry.skeleton import JOINT
from dreamactor.perception.joint_export import joints_from_track
from dreamactor.perception.joint_file import read_joint_file
from dreamactor.perception.joint_import import track_from_joints
from dreamactor.perception.track_file import load_track
from dreamactor.types.track import PersonTrack
from factories import make_track

DOC = Path(__file__).parents[2] / "docs" / "joint-files.md"
SIZE = {"width": 640, "height": 480, "fps": 25}
T = 5


def _blocks(heading: str) -> list[str]:
    """The Python blocks between a heading and the next one."""
    found: list[str] = []
    current, language = "", None
    for line in DOC.read_text().splitlines(keepends=True):
        if line.startswith("```"):
            language = line.strip("`\n") or "text" if language is None else None
            if language == "python" and current.startswith(heading):
                found.append("")
        elif language is None and line.startswith("#"):
            current = line.lstrip("# ")
        elif language == "python" and current.startswith(heading):
            found[-1] += line
    return found


def _run(heading: str, monkeypatch: pytest.MonkeyPatch, folder: Path, *, block: int = 0, **given: Any) -> None:
    monkeypatch.chdir(folder)
    exec(_blocks(heading)[block], given)


def _track(folder: Path, body_model: Path | None = None) -> PersonTrack:
    return track_from_joints(read_joint_file(folder / "joints.npz", body_model=body_model))


def _wholebody(layout: str = "coco_wholebody_133") -> tuple[PersonTrack, np.ndarray, np.ndarray]:
    """A track, its points in pixels [T, N, 3] and its confidences."""
    track = make_track(num_frames=T, arm_swing_rad=0.8, width=640, height=480, pelvis_px=(300.0, 240.0), scale_px=200.0)
    recording = joints_from_track(track, layout)
    return track, recording.pixels.numpy().astype(np.float64), recording.confidence.numpy().astype(np.float64)


def test_no_block_is_forgotten() -> None:
    tested = ("Joint files", "Body-model", "RTMW3D", "mediapipe", "4D-Humans", "HaMeR", "Motion capture", "In Python")
    assert sum(len(_blocks(heading)) for heading in tested) == DOC.read_text().count("```python")


def test_the_smallest_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    track, points, scores = _wholebody()
    _run("Joint files", monkeypatch, tmp_path, points=points[..., :2], scores=scores)
    made = _track(tmp_path)
    torch.testing.assert_close(made.body.joints[..., :2], track.body.joints[..., :2], atol=1e-3, rtol=0)
    assert (made.body.joints[..., 2].abs() < 15).all()  # the arms are raised in the picture's plane


def test_rtmw3d(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    track, points, scores = _wholebody()
    keypoints = np.concatenate([points[..., :2], points[..., 2:] / 200.0], axis=-1)
    _run(
        "RTMW3D", monkeypatch, tmp_path,
        keypoints=keypoints, scores=scores * 1.7, keypoints_2d=points[..., :2], **SIZE,
    )  # fmt: skip
    made = _track(tmp_path)
    torch.testing.assert_close(made.body.joints, track.body.joints, atol=6.0, rtol=0)  # depth by a usual torso
    torch.testing.assert_close(made.body.joints_m, track.body.joints_m, atol=0.05, rtol=0.06)


def test_mediapipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    track, points, _ = _wholebody("mediapipe_75")
    shares = points / (640, 480, 640)
    world = joints_from_track(track, "mediapipe_33").metres.numpy()
    hands = np.stack([shares[:, 33:54], shares[:, 54:]], axis=1)
    hands[2, 1] = np.nan
    visibility = np.full((T, 33), 0.9)
    _run("mediapipe", monkeypatch, tmp_path, pose=shares[:, :33], visibility=visibility, world=world, hands=hands, **SIZE)
    made = _track(tmp_path)
    torch.testing.assert_close(made.body.joints, track.body.joints, atol=0.5, rtol=0)
    torch.testing.assert_close(made.body.joints_m, track.body.joints_m, atol=1e-4, rtol=0)
    assert made.hands.tracked.tolist() == [[True, frame != 2] for frame in range(T)]


def test_4d_humans_joints(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    track = make_track(num_frames=T, arm_swing_rad=0.8)
    order = ("nose", "neck", *(f"{s}_{j}" for s in ("right", "left") for j in ("shoulder", "elbow", "wrist")), "pelvis",
             *(f"{s}_{j}" for s in ("right", "left") for j in ("hip", "knee", "ankle")))  # fmt: skip
    openpose = np.zeros((T, 44, 3))
    openpose[:, :15] = track.body.joints_m[:, [JOINT[name] for name in order]].numpy()
    openpose[:, 17] = track.body.joints_m[:, JOINT["right_ear"]].numpy()
    openpose[:, 18] = track.body.joints_m[:, JOINT["left_ear"]].numpy()
    for start, side in ((19, "left"), (22, "right")):
        openpose[:, [start, start + 1]] = track.body.joints_m[:, None, JOINT[f"{side}_toe"]].numpy()
        openpose[:, start + 2] = track.body.joints_m[:, JOINT[f"{side}_heel"]].numpy()
    cam_t = np.tile((0.0, 0.0, 20.0), (T, 1))
    _run("4D-Humans", monkeypatch, tmp_path, keypoints_3d=openpose, cam_t=cam_t, focal=4000.0, **SIZE)
    made = _track(tmp_path)
    torch.testing.assert_close(made.body.joints_m, track.body.joints_m, atol=1e-4, rtol=0)
    assert (made.body.confidence == 1).all()
    assert made.head.tracked.all()


def test_4d_humans_parameters_and_a_converted_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rest = np.concatenate([rest_joints()[:22], [[0.75, 0.41, 0], [-0.75, 0.41, 0]]])
    model = {
        "J_regressor": scipy.sparse.csc_matrix(np.eye(24)), "v_template": rest, "shapedirs": np.zeros((24, 3, 10)),
    }  # fmt: skip
    (tmp_path / "SMPL_NEUTRAL.pkl").write_bytes(pickle.dumps(model))
    _run("Body-model", monkeypatch, tmp_path)
    body_pose = np.tile(np.eye(3), (T, 23, 1, 1))
    body_pose[:, 14] = Rotation.from_rotvec((0.0, -0.5, 0.0)).as_matrix()  # the head
    _run(
        "4D-Humans", monkeypatch, tmp_path, block=1, body_pose=body_pose, betas=np.zeros((T, 10)),
        global_orient=np.tile(np.diag([1.0, -1.0, -1.0]), (T, 1, 1, 1)), cam_t=np.tile((0.0, 0.0, 5.0), (T, 1)),
        focal=900.0, **SIZE,
    )  # fmt: skip
    made = _track(tmp_path, tmp_path / "SMPL_NEUTRAL.npz")
    torch.testing.assert_close(made.head.angles_rad, torch.tensor([-0.5, 0.0, 0.0]).expand(T, 3), atol=1e-5, rtol=0)
    hip = made.body.joints[0, JOINT["left_hip"]]
    assert hip[:2].tolist() == pytest.approx([320 + 900 * 0.06 / 5, 240 + 900 * 0.09 / 5], abs=0.01)


def test_hamer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = parameters()
    body = {key: given[key] for key in ("global_orient", "body_pose", "transl", "focal_px", "rest_joints")}
    rng = np.random.default_rng(0)
    true_pose = {side: Rotation.from_rotvec(rng.normal(0, 0.3, (15, 3))).as_matrix() for side in ("left", "right")}
    true_orient = {side: Rotation.from_rotvec(rng.normal(0, 1, 3)).as_matrix() for side in ("left", "right")}
    mirror = np.diag([-1.0, 1.0, 1.0])  # HaMeR sees left hands in a mirror
    seen_pose = {"left": mirror @ true_pose["left"] @ mirror, "right": true_pose["right"]}
    seen_orient = {"left": mirror @ true_orient["left"] @ mirror, "right": true_orient["right"]}
    sides = ["left", "right", "right"]
    _run(
        "HaMeR", monkeypatch, tmp_path, body=dict(body), frame=np.array([1, 1, 3]), right=np.array([0, 1, 1]),
        hand_orient=np.stack([seen_orient[s] for s in sides]), hand_pose=np.stack([seen_pose[s] for s in sides]), **SIZE,
    )  # fmt: skip
    made = read_joint_file(tmp_path / "joints.npz")
    names = LAYOUTS["smplx_55"]
    for side in ("left", "right"):
        wrist, knuckle, middle = (
            names.index(n) for n in (f"{side}_wrist", f"{side}_hand/index_mcp", f"{side}_hand/index_pip")
        )
        bone = body["rest_joints"][middle] - body["rest_joints"][knuckle]
        wanted = true_orient[side] @ true_pose[side][0] @ bone
        np.testing.assert_allclose((made.metres[1, middle] - made.metres[1, knuckle]).numpy(), wanted, atol=1e-5)
        along = true_orient[side] @ (body["rest_joints"][knuckle] - body["rest_joints"][wrist])
        np.testing.assert_allclose((made.metres[1, knuckle] - made.metres[1, wrist]).numpy(), along, atol=1e-5)
    assert track_from_joints(made).hands.tracked.tolist() == [
        [False, False], [True, True], [False, False], [False, True], [False, False],
    ]  # fmt: skip


def test_motion_capture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    track = make_track(num_frames=T, arm_swing_rad=0.8)
    place = track.body.joints_m.numpy() * (1, -1, -1) + (0, 0.9, 0)  # the room: y up, floor at 0
    names = [n for n in JOINT if n not in ("pelvis", "neck", "head") and not n.endswith(("ear", "toe", "heel"))]
    _run("Motion capture", monkeypatch, tmp_path, joints={name: place[:, JOINT[name]] for name in names}, fps=120)
    made = _track(tmp_path)
    at = [JOINT[name] for name in names]
    torch.testing.assert_close(made.body.joints_m[:, at], track.body.joints_m[:, at], atol=1e-5, rtol=0)
    pelvis = made.body.joints[0, 0, :2].tolist()
    assert pelvis == pytest.approx([360, 480 + 1300 * (1.0 - 0.9) / 4], abs=0.01)
    assert float(made.times.fps) == 120


def test_in_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    track, points, scores = _wholebody()
    _run("Joint files", monkeypatch, tmp_path, points=points, scores=scores)
    _run("In Python", monkeypatch, tmp_path)
    assert load_track(tmp_path / "motion.npz").num_frames == T
    again = track_from_joints(read_joint_file(tmp_path / "again.npz"))
    torch.testing.assert_close(again.body.joints, track.body.joints, atol=1e-2, rtol=0)
