"""Samples: kept as they are, resumable, and never from held-out seeds."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from dreamactor.data.actors import FIRST_HELD_OUT_SEED
from dreamactor.data.build import build_actor_data, list_samples, sample_path
from dreamactor.data.samples import draw_double, draw_sample, load_sample, save_sample
from dreamactor.errors import InputError


def test_a_sample_survives_its_file(tmp_path: Path) -> None:
    sample = draw_sample(11, size=64, num_frames=3)
    path = sample_path(tmp_path, 11)
    save_sample(path, sample)
    back = load_sample(path)
    assert torch.equal(back.frames, sample.frames)
    assert_close(back.track.body.joints, sample.track.body.joints)
    assert torch.equal(back.references[1].image, sample.references[1].image)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_held_out_seeds_are_refused_in_training() -> None:
    with pytest.raises(ValueError, match="held out"):
        draw_sample(FIRST_HELD_OUT_SEED, size=64, num_frames=1)
    with pytest.raises(ValueError, match="held out"):
        draw_sample(5, size=64, num_frames=1, held_out=True)


def test_building_again_keeps_what_is_there(tmp_path: Path) -> None:
    marker = sample_path(tmp_path, 3)
    marker.write_bytes(b"kept")
    build_actor_data(tmp_path, seeds=range(3, 5), size=64, num_frames=1, workers=1)
    assert marker.read_bytes() == b"kept"
    assert [p.stem for p in list_samples(tmp_path)] == ["sample_000003", "sample_000004"]


def test_a_damaged_sample_is_named(tmp_path: Path) -> None:
    path = sample_path(tmp_path, 9)
    path.write_bytes(b"not a sample")
    with pytest.raises(InputError, match="sample_000009"):
        load_sample(path)


def test_a_double_shows_the_same_expressions_and_turns_on_another_face() -> None:
    sample, double = draw_sample(4, size=64, num_frames=3), draw_double(4, size=64, num_frames=3)
    assert torch.equal(double.expression, sample.expression)
    apart = (double.track.head.angles_rad - sample.track.head.angles_rad).abs()
    assert float(torch.rad2deg(apart).max()) < 8  # the camera looks from elsewhere
    assert float((double.frames.float() - sample.frames.float()).abs().mean()) > 5
