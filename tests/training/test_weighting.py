"""Laws of how much a place counts."""

import torch

from dreamactor.training.weighting import region_weight

PERSON = torch.ones(1, 40, 40)
HEAD = torch.tensor([[20.0, 20.0, 10.0]])


def test_mouth_and_eyes_count_more_and_unseen_ones_do_not() -> None:
    features = torch.tensor([[[20.0, 26.0, 4.0, 2.0], [16.0, 16.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0]]])
    plain, more = region_weight(PERSON, HEAD), region_weight(PERSON, HEAD, features=features)
    gain = more - plain
    assert float(gain[0, 26, 20]) == 14.0
    assert float(gain[0, 15, 16]) == 9.0
    assert float(gain[0, 0, 0]) == 0.0
    assert 0 < int((gain > 0).sum()) < 120


def test_a_window_weighs_as_its_part_of_the_whole() -> None:
    features = torch.tensor([[[20.0, 26.0, 4.0, 0.0], [16.0, 16.0, 2.0, 1.0], [25.0, 16.0, 2.0, 1.0]]])
    whole = region_weight(PERSON, HEAD, features=features)
    part = region_weight(PERSON[:, 8:32, 5:30], HEAD, (8, 5), features)
    torch.testing.assert_close(part, whole[:, 8:32, 5:30])
