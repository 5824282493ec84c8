"""Laws of the face encoders."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dreamactor.geometry.skeleton import FACE_POINT, NUM_FACE_POINTS
from dreamactor.models.face_motion import ImplicitFaceEncoder, LandmarkFaceEncoder


def test_frames_are_read_one_by_one() -> None:
    torch.manual_seed(0)
    crops = torch.randint(0, 256, (3, 3, 224, 224), dtype=torch.uint8)
    points = torch.randn(3, NUM_FACE_POINTS, 3)
    for encoder, frames in ((ImplicitFaceEncoder(code_dim=24), crops), (LandmarkFaceEncoder(code_dim=24), points)):
        encoder.eval()
        whole = encoder(frames)
        assert whole.shape == (3, 24)
        torch.testing.assert_close(whole[1:2], encoder(frames[1:2]), atol=1e-5, rtol=1e-5)


def test_the_picture_encoder_is_cheap_enough_for_every_frame() -> None:
    encoder = ImplicitFaceEncoder(code_dim=36).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        encoder(torch.zeros(1, 3, 224, 224, dtype=torch.uint8))
    assert counter.get_total_flops() < 120e6
    weights = sum(value.numel() for value in encoder.state_dict().values())
    assert 2 * weights < 1.5e6  # bytes in half precision


def test_crops_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="224"):
        ImplicitFaceEncoder(code_dim=20)(torch.zeros(1, 3, 128, 128, dtype=torch.uint8))


def test_an_opening_mouth_can_be_learned_from_the_points() -> None:
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    encoder = LandmarkFaceEncoder(code_dim=1, width=32)
    faces = torch.randn(1, NUM_FACE_POINTS, 3, generator=generator) * 0.2
    gap = torch.rand(64, generator=generator)
    points = faces.repeat(64, 1, 1)
    points[:, FACE_POINT["lip_inner_6"], 1] += 0.1 * gap
    encoder.point_mean.copy_(points.mean(dim=0))
    encoder.point_std.copy_(points.std(dim=0).clamp(min=0.01))
    optimizer = torch.optim.Adam(encoder.parameters(), lr=3e-3)
    for _ in range(150):
        error = (encoder(points)[:, 0] - gap).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    assert float(error.detach()) < 0.05 * float(gap.var())
