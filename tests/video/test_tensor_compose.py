"""Laws of the conversion between frames and model tensors, and of pictures beside each other."""

from __future__ import annotations

import pytest
import torch

from dreamactor.video.compose import contact_sheet, side_by_side
from dreamactor.video.tensor import to_frames, to_model


def test_every_byte_value_comes_back() -> None:
    frames = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).expand(2, 16, 16, 3)
    video = to_model(frames)
    assert video.shape == (1, 3, 2, 16, 16)
    assert video.dtype == torch.float32
    assert (float(video.min()), float(video.max())) == (-1.0, 1.0)
    assert torch.equal(to_frames(video)[0], frames)
    assert torch.equal(to_frames(video[0]), frames)


def test_axes_go_where_they_belong() -> None:
    frames = torch.randint(0, 256, (2, 3, 4, 5, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    video = to_model(frames)
    assert video.shape == (2, 3, 3, 4, 5)
    assert float(video[1, 2, 0, 3, 4]) == pytest.approx(float(frames[1, 0, 3, 4, 2]) / 127.5 - 1)
    assert torch.equal(to_frames(video), frames)


def test_values_outside_are_clamped() -> None:
    video = torch.tensor([-3.0, 3.0, 0.0]).reshape(3, 1, 1, 1)
    assert to_frames(video).flatten().tolist() == [0, 255, 128]


def test_wrong_types_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        to_model(torch.zeros(2, 4, 4, 3))
    with pytest.raises(ValueError, match="float"):
        to_frames(torch.zeros(1, 3, 2, 4, 4, dtype=torch.uint8))


def test_side_by_side_keeps_every_clip_and_can_be_written() -> None:
    clips = [torch.full((3, 20, 30, 3), 50, dtype=torch.uint8), torch.full((3, 40, 21, 3), 90, dtype=torch.uint8)]
    row = side_by_side(clips, 40, gap=3)
    assert row.shape[:2] == (3, 40)
    assert row.shape[2] % 2 == 0
    assert (row[:, :, :60] == 50).all()
    assert (row[:, :, 63:84] == 90).all()
    with pytest.raises(ValueError, match="same number of frames"):
        side_by_side([clips[0], clips[1][:2]], 40)


def test_contact_sheet_shows_every_picture() -> None:
    pictures = [torch.full((20, 16, 3), value, dtype=torch.uint8) for value in (60, 120, 180)]
    plain = contact_sheet([pictures[:2], pictures[2:]], gap=2)
    assert plain.shape == (2 + 2 * 22, 2 + 2 * 18, 3)
    for value, (row, column) in zip((60, 120, 180), ((0, 0), (0, 1), (1, 0)), strict=True):
        top, left = 2 + row * 22, 2 + column * 18
        assert (plain[top : top + 20, left : left + 16] == value).all()
    labelled = contact_sheet([pictures[:2], pictures[2:]], labels=["one", "two"], titles=["a", "b"])
    assert labelled.shape[1] > plain.shape[1]
    assert labelled.max() > 200  # light letters
    with pytest.raises(ValueError, match="labels"):
        contact_sheet([pictures], labels=["one", "two"])
