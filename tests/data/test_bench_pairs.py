"""Pairs of builds are as different as asked for, and always the same."""

import pytest

from dreamactor.data.pairs import build_difference, find_pairs


@pytest.mark.parametrize(("least", "most"), [(0.0, 0.2), (0.2, 0.5), (0.5, 0.9)])
def test_pairs_differ_as_asked_for(least: float, most: float) -> None:
    pairs = find_pairs(3, least=least, most=most, first_seed=50)
    assert pairs == find_pairs(3, least=least, most=most, first_seed=50)
    for pair in pairs:
        assert least <= pair.difference < most
        assert pair.difference == build_difference(pair.driver.body, pair.character.body)


def test_a_difference_has_no_direction_and_no_size() -> None:
    pair = find_pairs(1, least=0.2, most=0.5, first_seed=70)[0]
    assert build_difference(pair.character.body, pair.driver.body) == pytest.approx(pair.difference)
    assert build_difference(pair.driver.body, pair.driver.body) == 0
