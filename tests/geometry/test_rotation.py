"""Conventions of head angles and the helpers that turn bones."""

import torch
from torch.testing import assert_close

from dreamactor.geometry.rotation import (
    angles_to_matrix,
    flip_axes,
    frame_from_two,
    matrix_to_angles,
    normalize,
    shortest_arc,
    view_from_pixels,
)


def test_angles_survive_the_way_through_the_matrix():
    angles = (torch.rand(200, 3, generator=torch.Generator().manual_seed(0)) - 0.5) * torch.tensor((6.2, 3.0, 6.2))
    assert_close(matrix_to_angles(angles_to_matrix(angles)), angles, atol=2e-4, rtol=0)


def test_signs_are_as_documented():
    nose, crown = torch.tensor((0.0, 0.0, 1.0)), torch.tensor((0.0, 1.0, 0.0))
    yaw, pitch, roll = (angles_to_matrix(0.3 * torch.eye(3)[i]) for i in range(3))
    assert (yaw @ nose)[0] > 0  # nose to the image's right
    assert (pitch @ nose)[1] < 0  # nods down
    assert (roll @ crown)[0] < 0  # counter-clockwise as seen: the crown goes left


def test_flipping_axes_turns_the_same_vectors():
    turn = angles_to_matrix(torch.tensor((0.4, -0.2, 0.7)))
    point = torch.tensor((1.0, 2.0, 3.0))
    assert_close(flip_axes(turn) @ view_from_pixels(point), view_from_pixels(turn @ point))


def test_shortest_arc_leads_from_start_to_end():
    generator = torch.Generator().manual_seed(1)
    start, end = (normalize(torch.randn(50, 3, generator=generator)) for _ in range(2))
    turn = shortest_arc(start, end)
    assert_close((turn @ start[..., None])[..., 0], end, atol=1e-4, rtol=1e-4)
    assert_close(turn @ turn.mT, torch.eye(3).expand(50, 3, 3), atol=1e-3, rtol=0)


def test_frame_from_two_is_right_handed():
    frame = frame_from_two(torch.tensor((1.0, 2.0, 0.5)), torch.tensor((0.0, 1.0, 0.0)))
    assert_close(torch.linalg.det(frame), torch.tensor(1.0))
