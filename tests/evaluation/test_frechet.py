"""The Frechet distance equals closed forms and scipy, however the features are batched."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch.testing import assert_close

from dreamactor.evaluation.frechet import Moments, frechet_distance, gaussian_distance


def _features(seed: int, count: int, dim: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(dim, dim, generator=generator, dtype=torch.float64)
    return torch.randn(count, dim, generator=generator, dtype=torch.float64) @ mix + seed


def _moments(features: torch.Tensor, *sizes: int) -> Moments:
    moments = Moments(features.shape[1])
    for batch in features.split(sizes or (len(features),)):
        moments.add(batch)
    return moments


def test_diagonal_gaussians_have_a_closed_form() -> None:
    a, b = torch.tensor([1.0, 4.0, 9.0]), torch.tensor([4.0, 1.0, 0.0])
    means = torch.tensor([0.0, 1.0, 2.0]), torch.tensor([1.0, 1.0, 0.0])
    expected = (1 + 0 + 4) + ((1 - 2) ** 2 + (2 - 1) ** 2 + 3**2)
    assert gaussian_distance(means[0], a.diag(), means[1], b.diag()) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_it_equals_scipys_matrix_root(seed: int) -> None:
    a, b = _moments(_features(seed, 200, 12)), _moments(_features(seed + 10, 150, 12))
    root = sqrtm(a.covariance.numpy() @ b.covariance.numpy())
    expected = float(
        np.square(a.mean.numpy() - b.mean.numpy()).sum()
        + np.trace(a.covariance.numpy() + b.covariance.numpy() - 2 * root.real)
    )
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_batches_do_not_matter() -> None:
    features = _features(1, 100, 5)
    whole, pieces = _moments(features), _moments(features, 1, 60, 7, 32)
    assert_close(pieces.mean, whole.mean)
    assert_close(pieces.covariance, torch.cov(features.T))
    assert_close(pieces.covariance, whole.covariance)


def test_a_set_is_at_distance_zero_from_itself_even_with_fewer_features_than_dimensions() -> None:
    moments = _moments(_features(2, 6, 20))
    assert frechet_distance(moments, moments) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(moments, _moments(_features(3, 6, 20))) > 1


def test_one_feature_is_no_distribution() -> None:
    with pytest.raises(ValueError, match="two features"):
        _ = _moments(_features(0, 1, 3)).covariance
