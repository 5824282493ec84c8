"""Faces for the face encoders: pairs do the same, points lie where the picture shows them, nobody is held out."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from dreamactor.data.actors import FIRST_HELD_OUT_SEED, NUM_EXPRESSION
from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.data.faces import (
    FIRST_FACE_SEED,
    NUM_MOMENTS,
    NUM_PICTURES,
    PICTURE_PX,
    FaceViews,
    build_face_views,
    draw_face_views,
    load_face_views,
    sample_faces,
)
from dreamactor.geometry.skeleton import FACE_POINT


@pytest.fixture(scope="module")
def pair() -> list[FaceViews]:
    return [draw_face_views(FIRST_FACE_SEED + index) for index in range(2)]


def test_neighbours_do_the_same_with_other_heads_and_lights(pair: list[FaceViews]) -> None:
    one, other = pair
    assert torch.equal(one.expression, other.expression)
    assert one.expression.shape == (NUM_MOMENTS, NUM_EXPRESSION)
    assert one.pictures.shape == (NUM_PICTURES, 3, PICTURE_PX, PICTURE_PX)
    assert float((one.angles_rad - other.angles_rad).abs().mean()) > 0.05
    assert not torch.equal(one.pictures, other.pictures)


def test_points_fill_the_box(pair: list[FaceViews]) -> None:
    for one in pair:
        extent = one.points[..., :2].amax(dim=1) - one.points[..., :2].amin(dim=1)
        assert_close(extent.amax(dim=1), torch.full((NUM_MOMENTS,), 2 / 1.6), atol=1e-3, rtol=0)
        assert float(one.points[:, FACE_POINT["chin"], 1].min()) > float(one.points[:, FACE_POINT["forehead"], 1].max())


def test_rare_expressions_are_common_and_stay_in_range() -> None:
    found = sample_faces(7, num_moments=600)
    assert torch.equal(found, sample_faces(7, num_moments=600))
    assert float(found.abs().max()) <= 1
    lids = found[:, [COEFFICIENT["blink_left"], COEFFICIENT["blink_right"]]]
    assert bool(((lids.amax(dim=1) > 0.5) & (lids.amin(dim=1) < 0.1)).any())  # winks
    assert bool((found.abs() > 0.3).any(dim=0).all())


def test_faces_are_kept_and_never_of_held_out_actors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Held-out"):
        build_face_views(tmp_path, FIRST_HELD_OUT_SEED)
    path = build_face_views(tmp_path, FIRST_FACE_SEED)
    stamp = path.stat().st_mtime_ns
    assert build_face_views(tmp_path, FIRST_FACE_SEED).stat().st_mtime_ns == stamp
    assert load_face_views(path).pictures.dtype == torch.uint8
