"""Laws of the head sphere's colours: every rotation has a picture of its own, and can be read back from it."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from dreamactor.geometry.rotation import angles_to_matrix, matrix_to_angles
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.head_sphere import draw_head_sphere, read_head_sphere
from dreamactor.guidance.retarget import retarget
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from factories import make_track

SIZE = {"width": 128, "height": 192}


def random_rotations(count: int, *, seed: int = 0) -> torch.Tensor:
    """[N, 3, 3] evenly over all directions, back views and heads on their sides among them."""
    draws = torch.randn(count, 3, 3, generator=torch.Generator().manual_seed(seed))
    turns, upper = torch.linalg.qr(draws)
    turns = turns * torch.sign(upper.diagonal(dim1=-2, dim2=-1))[:, None]
    return turns * torch.sign(torch.linalg.det(turns))[:, None, None]


def apart_deg(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Angle of the rotation between rotations [..., 3, 3]."""
    trace = (a * b).sum((-2, -1))
    return torch.rad2deg(torch.acos(((trace - 1) / 2).clamp(-1, 1)))


def test_every_rotation_is_read_back_from_its_picture():
    turns = random_rotations(150)
    track = make_track(num_frames=len(turns))
    track = replace(track, head=replace(track.head, angles_rad=matrix_to_angles(turns)))
    for image, turn in zip(draw_head_sphere(track, **SIZE), turns, strict=True):
        reading = read_head_sphere(image)
        assert reading is not None
        assert float(apart_deg(angles_to_matrix(reading.angles_rad), turn)) < 1.5


@pytest.mark.parametrize("yaw_deg", range(-180, 180, 30))
@pytest.mark.parametrize("pitch_deg", [-50, 0, 50])
@pytest.mark.parametrize("roll_deg", [-30, 0, 30])
def test_yaw_pitch_and_roll_are_read_back_small_and_cut_by_the_edge(yaw_deg, pitch_deg, roll_deg):
    angles = torch.deg2rad(torch.tensor([yaw_deg, pitch_deg, roll_deg], dtype=torch.float32))
    for place, scale in (((64.0, 100.0), 60.0), ((3.0, 120.0), 120.0)):
        track = make_track(num_frames=1, pelvis_px=place, scale_px=scale, head_angles_rad=tuple(angles.tolist()))
        reading = read_head_sphere(draw_head_sphere(track, **SIZE)[0])
        assert reading is not None
        assert float(apart_deg(angles_to_matrix(reading.angles_rad), angles_to_matrix(angles))) < 6.0


@pytest.mark.parametrize(("yaw_deg", "axis", "value"), [(0, 2, 255), (180, 2, 0), (90, 0, 0), (-90, 0, 255)])
def test_the_middle_shows_the_side_that_faces_the_camera(yaw_deg, axis, value):
    """Red is the head's image-right side, blue its face: the back of a head is not blue at all."""
    yaw = float(torch.deg2rad(torch.tensor(float(yaw_deg))))
    track = make_track(num_frames=1, head_angles_rad=(yaw, 0.0, 0.0))
    x, y = track.head.center[0, :2].int().tolist()
    assert abs(int(draw_head_sphere(track, **SIZE)[0, y, x, axis]) - value) < 6


def test_the_sphere_hangs_on_the_retargeted_neck_and_grows_with_the_body():
    driver = make_track(
        num_frames=4, scale_px=60.0, pelvis_px=(50.0, 110.0), move_px=(20.0, -10.0), head_angles_rad=(2.9, 0, 0)
    )
    nearer = 1.0 + 0.1 * torch.arange(4.0)
    joints = (driver.body.joints - driver.body.joints[:, :1]) * nearer[:, None, None] + driver.body.joints[:, :1]
    center = (driver.head.center - driver.body.joints[:, 0]) * nearer[:, None] + driver.body.joints[:, 0]
    driver = replace(
        driver,
        body=replace(driver.body, joints=joints),
        head=replace(driver.head, center=center, radius_px=driver.head.radius_px * nearer),
    )
    reference = make_track(num_frames=1, scale_px=75.0, head_radius_m=0.16)
    picture = torch.zeros(SIZE["height"], SIZE["width"], 3, dtype=torch.uint8)
    image = ReferenceImage(image=picture, person=reference, mask=None)
    placed = retarget(driver, ReferenceSet(images=(image,), proportions=estimate_proportions((reference,))))
    torso = (placed.body.joints[:, 1] - placed.body.joints[:, 0]).norm(dim=-1)
    assert_close(placed.head.radius_px / torso, torch.full((4,), 0.16 / 0.5), rtol=0.03, atol=0)
    above = (placed.head.center - placed.body.joints[:, 1]).norm(dim=-1) / torso
    assert_close(above, above[:1].expand(4), rtol=0.02, atol=0)
    for t, drawn in enumerate(draw_head_sphere(placed, **SIZE)):
        reading = read_head_sphere(drawn)
        assert reading is not None
        assert_close(torch.tensor(reading.center_px), placed.head.center[t, :2], atol=0.6, rtol=0)
        assert abs(reading.radius_px - float(placed.head.radius_px[t])) < 0.8
        assert float(apart_deg(angles_to_matrix(reading.angles_rad), angles_to_matrix(torch.tensor([2.9, 0, 0])))) < 2.0
