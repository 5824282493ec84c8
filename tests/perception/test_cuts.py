import torch
from torch import Tensor

from dreamactor.perception.cuts import CutDetector


def scene(seed: int, *, shift: int = 0, gain: float = 1.0) -> Tensor:
    """A coarse random picture in a palette of its own, shifted sideways."""
    generator = torch.Generator().manual_seed(seed)
    palette = torch.rand(4, 3, generator=generator) * 255
    blocks = torch.randint(0, 4, (6, 8), generator=generator)
    picture = palette[blocks].repeat_interleave(20, 0).repeat_interleave(20, 1)
    return (picture.roll(shift, 1) * gain).clamp(0, 255).to(torch.uint8)


def flags(frames: list[Tensor]) -> list[int]:
    detector = CutDetector()
    return [index for index, frame in enumerate(frames) if detector.is_cut(frame)]


def test_cuts_between_scenes_are_found_where_they_are() -> None:
    frames = [scene(1, shift=i) for i in range(10)] + [scene(2, shift=i) for i in range(7)] + [scene(3)] * 4
    assert flags(frames) == [10, 17]


def test_a_fast_pan_a_fade_and_a_still_are_no_cuts() -> None:
    assert flags([scene(1, shift=9 * i) for i in range(20)]) == []
    assert flags([scene(1, gain=1 - 0.05 * i) for i in range(20)]) == []
    assert flags([scene(1)] * 10) == []


def test_the_first_frame_is_no_cut() -> None:
    assert flags([scene(5)]) == []
