"""Export then import: the same track on what a layout carries, and the right derived parts."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from dreamactor.geometry.layouts import LAYOUTS
from dreamactor.geometry.rotation import angles_to_matrix, view_from_pixels
from dreamactor.geometry.skeleton import BODY_JOINTS, FACE_POINTS, JOINT
from dreamactor.perception.head_fit import mean_head
from dreamactor.perception.joint_export import joints_from_track
from dreamactor.perception.joint_file import read_joint_file, write_joint_file
from dreamactor.perception.joint_import import track_from_joints
from dreamactor.perception.recording import JointRecording
from dreamactor.types.track import PersonTrack
from dreamactor.types.video import FrameTimes
from factories import make_track

CARRIES_HEELS = [name for name in LAYOUTS if name not in ("smpl_24", "smplx_55")]
CARRIES_FACE = ["coco_wholebody_133", "mediapipe_553", "smplx_127", "smplx_144"]
CARRIES_HANDS = [name for name in LAYOUTS if name not in ("mediapipe_33", "smpl_24")]


def _person(*, yaw: float = 0.4) -> PersonTrack:
    """Somebody whose head is the mean head, with uneven confidences."""
    track = make_track(
        body_yaw_rad=yaw, head_angles_rad=(yaw, 0.2, -0.1), arm_swing_rad=0.8, leg_swing_rad=0.5, move_px=(9.0, -4.0)
    )
    generator = torch.Generator().manual_seed(1)
    confidence = 0.35 + 0.6 * torch.rand(track.body.confidence.shape, generator=generator)
    return _with_mean_head(replace(track, body=replace(track.body, confidence=confidence)))


def _with_mean_head(track: PersonTrack) -> PersonTrack:
    turn = angles_to_matrix(track.head.angles_rad)

    def laid(names: list[str]) -> Tensor:
        return view_from_pixels(mean_head(names) @ turn.transpose(1, 2)) * track.head.radius_px[:, None, None]

    places = laid([f"face/{name}" for name in FACE_POINTS])
    landmarks = torch.cat((places[..., :2] + track.head.center[:, None, :2], places[..., 2:]), dim=-1)
    landmarks[..., 2] -= landmarks[..., 2].mean(1, keepdim=True)
    joints, joints_m = track.body.joints.clone(), track.body.joints_m.clone()
    names = ["nose", "left_ear", "right_ear"]
    at = [JOINT[name] for name in names]
    joints[:, at] = laid(names) + track.head.center[:, None]
    joints[:, JOINT["head"]] = joints[:, at[1:]].mean(1)
    joints_m[:, [*at, JOINT["head"]]] = (joints[:, [*at, JOINT["head"]]] - joints[:, :1]) / 90.0
    return replace(
        track,
        body=replace(track.body, joints=joints, joints_m=joints_m),
        face=replace(track.face, landmarks=landmarks),
    )


def _without_head(recording: JointRecording) -> JointRecording:
    nowhere = torch.zeros_like(recording.head_rotated)
    return replace(recording, head_rotated=nowhere, head_placed=nowhere)


def _through_a_file(track: PersonTrack, layout: str, folder: Path) -> PersonTrack:
    write_joint_file(folder / "joints.npz", joints_from_track(track, layout))
    return track_from_joints(read_joint_file(folder / "joints.npz"))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_a_layout_carries_comes_back(layout: str, tmp_path: Path) -> None:
    track = _person()
    made = _through_a_file(track, layout, tmp_path)
    carried = [name for name in BODY_JOINTS if name not in ("pelvis", "neck", "head", "nose") and not name.endswith("ear")]
    if layout not in CARRIES_HEELS:
        carried = [name for name in carried if not name.endswith("heel")]
    at = [JOINT[name] for name in carried]
    torch.testing.assert_close(made.body.joints[:, at], track.body.joints[:, at], atol=1e-3, rtol=0)
    torch.testing.assert_close(made.body.joints_m[:, at], track.body.joints_m[:, at], atol=1e-5, rtol=0)
    torch.testing.assert_close(made.body.confidence[:, at], track.body.confidence[:, at])
    torch.testing.assert_close(made.body.joints[:, :2], track.body.joints[:, :2], atol=1e-3, rtol=0)  # pelvis, neck
    torch.testing.assert_close(made.head.angles_rad, track.head.angles_rad, atol=1e-5, rtol=0)
    torch.testing.assert_close(made.head.center, track.head.center)
    torch.testing.assert_close(made.head.radius_px, track.head.radius_px)
    assert torch.equal(made.body.tracked, track.body.tracked)
    assert (made.width, made.height) == (track.width, track.height)


@pytest.mark.parametrize("layout", CARRIES_HANDS)
def test_hands_come_back(layout: str, tmp_path: Path) -> None:
    track = _person()
    tracked = torch.ones(8, 2, dtype=torch.bool)
    tracked[2:4, 1] = False
    track = replace(track, hands=replace(track.hands, tracked=tracked))
    made = _through_a_file(track, layout, tmp_path)
    assert torch.equal(made.hands.tracked, tracked)
    joints = [j for j in range(21) if layout != "smplx_55" or j % 4 or j == 0]  # tips are not in the 55
    found, wanted = made.hands.joints[:, :, joints][tracked], track.hands.joints[:, :, joints][tracked]
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=0)
    if layout == "smplx_55":
        length = (track.hands.joints[:, :, 12] - track.hands.joints[:, :, 0]).norm(dim=-1)
        apart = (made.hands.joints[:, :, 12] - track.hands.joints[:, :, 12]).norm(dim=-1) / length
        assert float(apart[tracked].max()) < 0.05


@pytest.mark.parametrize("layout", CARRIES_FACE)
def test_faces_come_back(layout: str, tmp_path: Path) -> None:
    track = _person()
    made = _through_a_file(track, layout, tmp_path)
    assert made.face.tracked.all()
    apart = (made.face.landmarks - track.face.landmarks).norm(dim=-1) / track.head.radius_px[:, None]
    assert float(apart.max()) < (1e-4 if layout == "mediapipe_553" else 0.03)
    lips = [FACE_POINTS.index(f"lip_inner_{i}") for i in range(8)]
    torch.testing.assert_close(made.face.landmarks[:, lips, :2], track.face.landmarks[:, lips, :2])


@pytest.mark.parametrize("yaw", [0.0, 1.0, 2.4, -3.0])
@pytest.mark.parametrize("layout", ["coco_wholebody_133", "mediapipe_33", "smplx_144"])
@pytest.mark.parametrize("known", ["metres", "depth", "flat"])
def test_the_head_is_found_from_its_points(layout: str, yaw: float, known: str) -> None:
    track = _person(yaw=yaw)
    track = replace(track, face=replace(track.face, tracked=torch.full((8,), abs(yaw) < 1.2)))
    recording = _without_head(joints_from_track(track, layout))
    if known != "metres":
        recording = replace(recording, in_metres=torch.zeros_like(recording.in_metres))
    if known == "flat":
        recording = replace(recording, has_depth=False, pixels=recording.pixels * torch.tensor([1.0, 1.0, 0.0]))
    made = track_from_joints(recording)
    assert made.head.tracked.all()
    apart = torch.remainder(made.head.angles_rad - track.head.angles_rad + torch.pi, 2 * torch.pi) - torch.pi
    assert float(apart.abs().max()) < 0.02
    torch.testing.assert_close(made.head.radius_px, track.head.radius_px, rtol=0.03, atol=0)
    torch.testing.assert_close(made.head.center[:, :2], track.head.center[:, :2], rtol=0, atol=0.4)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sides_never_swap(layout: str) -> None:
    """Mirroring a recording in the picture and swapping its names is the same as mirroring the track."""
    track = _person()
    recording = _without_head(joints_from_track(track, layout))
    names = LAYOUTS[layout]
    swapped = [names.index(n.replace("left", "*").replace("right", "left").replace("*", "right")) for n in names]
    flip_px, flip_m = torch.tensor([-1.0, 1.0, 1.0]), torch.tensor([-1.0, 1.0, 1.0])
    mirrored = replace(
        recording,
        pixels=(recording.pixels * flip_px + torch.tensor([float(track.width), 0.0, 0.0]))[:, swapped],
        metres=(recording.metres * flip_m)[:, swapped],
        confidence=recording.confidence[:, swapped],
        in_metres=recording.in_metres[:, swapped],
    )
    one, other = track_from_joints(recording), track_from_joints(mirrored)
    left, right = one.body.joints[:, JOINT["left_wrist"], 0], other.body.joints[:, JOINT["right_wrist"], 0]
    torch.testing.assert_close(left, track.width - right, atol=1e-3, rtol=0)
    if one.head.tracked.any():
        torch.testing.assert_close(one.head.angles_rad[:, 0], -other.head.angles_rad[:, 0], atol=1e-4, rtol=0)
        torch.testing.assert_close(one.head.angles_rad[:, 1], other.head.angles_rad[:, 1], atol=1e-4, rtol=0)
    if one.hands.tracked.any():
        torch.testing.assert_close(
            one.hands.joints[:, 0, :, 0], track.width - other.hands.joints[:, 1, :, 0], atol=1e-3, rtol=0
        )


def test_missing_joints_stay_missing_and_go_along(tmp_path: Path) -> None:
    track = _person()
    confidence = track.body.confidence.clone()
    confidence[:, JOINT["left_wrist"]] = 0.0
    confidence[3:5, JOINT["right_knee"]] = 0.0
    made = _through_a_file(replace(track, body=replace(track.body, confidence=confidence)), "coco_wholebody_133", tmp_path)
    assert (made.body.confidence[:, JOINT["left_wrist"]] == 0).all()
    assert (made.body.confidence[3:5, JOINT["right_knee"]] == 0).all()
    assert made.body.joints.isfinite().all()
    torch.testing.assert_close(made.body.joints[:, JOINT["left_wrist"]], made.body.joints[:, JOINT["left_elbow"]])
    apart = (made.body.joints - track.body.joints)[3:5, JOINT["right_knee"]].norm(dim=-1)
    assert float(apart.max()) < 1.0  # as far from the hip as in the frames around


def test_untracked_frames_cuts_and_times_survive(tmp_path: Path) -> None:
    track = _person()
    tracked, cut = torch.ones(8, dtype=torch.bool), torch.zeros(8, dtype=torch.bool)
    tracked[4], cut[5] = False, True
    times = FrameTimes(pts=torch.tensor([7, 8, 10, 15, 16, 17, 30, 31]), time_base=Fraction(1001, 30000))
    track = replace(
        track,
        body=replace(track.body, tracked=tracked),
        head=replace(track.head, tracked=tracked),
        face=replace(track.face, tracked=tracked),
        hands=replace(track.hands, tracked=tracked[:, None].expand(8, 2)),
        cut=cut,
        times=times,
        source="a clip",
    )
    made = _through_a_file(track, "mediapipe_553", tmp_path)
    for part in ("body", "head", "face", "hands"):
        assert torch.equal(getattr(made, part).tracked, getattr(track, part).tracked)
    assert torch.equal(made.cut, cut)
    assert torch.equal(made.times.pts, times.pts)
    assert made.times.time_base == times.time_base
    assert made.source == "a clip"


def test_saying_a_track_twice_says_the_same() -> None:
    for layout in LAYOUTS:
        once = joints_from_track(_person(), layout)
        twice = joints_from_track(track_from_joints(once), layout)
        both = (once.confidence > 0) & (twice.confidence > 0)
        assert float(both.float().mean()) > 0.2
        torch.testing.assert_close(twice.confidence[both], once.confidence[both])
        torch.testing.assert_close(twice.pixels[both][:, :2], once.pixels[both][:, :2], atol=2e-3, rtol=0)
        # A face's own depth is only known up to its mean, which missing points move a little.
        torch.testing.assert_close(twice.pixels[both][:, 2], once.pixels[both][:, 2], atol=2e-2, rtol=0)


def test_a_camera_puts_metres_where_it_says(tmp_path: Path) -> None:
    track = _person()
    recording = joints_from_track(track, "coco_wholebody_133")
    metres = torch.where(recording.in_metres[..., None], recording.metres, torch.nan).numpy()
    metres += np.array([0.1, -0.2, 5.0], dtype=np.float32)
    common = {"layout": "coco_wholebody_133", "image_size": (640, 480), "fps": 25, "points_m": metres}
    np.savez(tmp_path / "far.npz", focal_px=800.0, **common)
    np.savez(tmp_path / "weak.npz", px_per_m=160.0, origin_px=(320.0, 240.0), **common)
    far = track_from_joints(read_joint_file(tmp_path / "far.npz"))
    weak = track_from_joints(read_joint_file(tmp_path / "weak.npz"))
    wrist = JOINT["left_wrist"]
    x, y, z = (float(v) for v in metres[3, 9])
    assert far.body.joints[3, wrist, :2].tolist() == pytest.approx([320 + 800 * x / z, 240 + 800 * y / z], abs=1e-2)
    assert weak.body.joints[3, wrist, :2].tolist() == pytest.approx([320 + 160 * x, 240 + 160 * y], abs=1e-2)
    torch.testing.assert_close(far.body.joints_m, weak.body.joints_m, atol=1e-4, rtol=0)
    torch.testing.assert_close(far.body.joints[..., 2], weak.body.joints[..., 2], rtol=0.05, atol=0.5)
    # The room's axes and the camera's own are the same thing with a camera between them.
    world = (metres - (0.0, 1.0, 5.0)) @ np.diag([1.0, -1.0, -1.0])
    moved = common | {"points_m": world}
    placed = {"camera_rotation": np.diag([1.0, -1.0, -1.0]), "camera_translation": (0.0, 1.0, 5.0)}
    np.savez(tmp_path / "room.npz", focal_px=800.0, **moved, **placed)
    room = track_from_joints(read_joint_file(tmp_path / "room.npz"))
    torch.testing.assert_close(room.body.joints, far.body.joints, atol=1e-2, rtol=0)
