"""Parallel work gives every result once, raises what a worker raises, and stops when its caller does."""

from __future__ import annotations

import math
import time
from itertools import islice

import pytest

from dreamactor.data.workers import in_parallel


def test_every_result_comes_once() -> None:
    assert sorted(in_parallel(math.sqrt, [1.0, 4.0, 9.0, 16.0], workers=2)) == [1, 2, 3, 4]


def test_an_error_in_a_worker_is_raised_here() -> None:
    with pytest.raises(ValueError, match="math domain"):
        list(in_parallel(math.sqrt, [1.0, -1.0], workers=1))


def test_whoever_stops_taking_results_ends_the_workers() -> None:
    start = time.monotonic()
    results = in_parallel(time.sleep, [0.0, 600.0], workers=2)
    assert list(islice(results, 1)) == [None]
    results.close()
    assert time.monotonic() - start < 300
