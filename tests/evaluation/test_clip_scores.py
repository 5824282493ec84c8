"""Scores of a whole clip: regions, perfect videos, and reasons where something is not known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dreamactor.data.actors import EXPRESSION, FRAMINGS, render, sample_actor, sample_performance, sample_scene
from dreamactor.evaluation.clip import Truth, score_pixels
from dreamactor.evaluation.frame import psnr, ssim
from dreamactor.evaluation.metrics import METRICS
from dreamactor.evaluation.scored import load_scored, save_scored, score_video
from scikit_image import scikit_image_scores


def _drawn(seed: int, *, frames: int = 4, size: int = 96):
    framing = FRAMINGS[seed % 3]
    performance = sample_performance(seed, num_frames=frames, framing=framing)
    return render(sample_actor(seed), performance, sample_scene(seed, framing=framing), width=size, height=size)


def _truth(seed: int, **more: int) -> Truth:
    drawn = _drawn(seed, **more)
    return Truth(
        frames=drawn.frames, mask=drawn.mask, track=drawn.track, expression=drawn.expression, coefficients=EXPRESSION,
        actor=seed,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_rendered_clips_score_as_scikit_image_says(seed: int) -> None:
    truth = _drawn(seed, frames=2, size=72).frames
    noise = np.random.default_rng(seed).normal(0, 4 + 2 * seed, truth.shape)
    made = torch.from_numpy(np.clip(truth.numpy() + noise, 0, 255).astype(np.uint8))
    expected_psnr, expected_ssim = scikit_image_scores(made, truth)
    assert psnr(made, truth) == pytest.approx(expected_psnr, abs=1e-4)
    assert ssim(made, truth) == pytest.approx(expected_ssim, abs=1e-4)


def test_the_truth_itself_is_perfect() -> None:
    truth = _truth(1)
    found = score_pixels(truth.frames, truth)
    assert found.values["psnr_person"] > 100
    assert all(found.values[name] == pytest.approx(1) for name in ("ssim_frame", "ssim_head", "sharpness_person"))
    assert found.values["flicker_person"] == 0


def test_a_spoilt_region_is_told_from_the_others() -> None:
    truth = _truth(0)
    made = truth.frames.clone()
    assert truth.mask is not None
    made[truth.mask < 128] = 0
    found = score_pixels(made, truth).values
    assert found["psnr_person"] > 100
    assert found["psnr_frame"] < 20


def test_what_nobody_said_is_missing_with_a_reason() -> None:
    drawn = _drawn(2)
    bare = Truth(frames=drawn.frames)
    scored = score_video("clip", "method", drawn.frames, bare, why_not_seen="nobody looked")
    missing = scored.scores.missing
    assert set(scored.scores.values) == {"psnr_frame", "ssim_frame"}
    assert missing["psnr_person"] == "nobody said where the person is"
    assert missing["joint_error_body"] == "nobody looked"
    assert set(missing) | set(scored.scores.values) == set(METRICS) - {"lpips"}


def test_a_track_of_another_video_is_refused() -> None:
    with pytest.raises(ValueError, match="track"):
        Truth(frames=_drawn(2).frames[:2], track=_drawn(2).track)


def test_scores_survive_their_file(tmp_path) -> None:
    truth = _truth(1)
    scored = score_video("clip", "method", truth.frames.flip(0), truth, tags={"framing": "upper"})
    path = tmp_path / "scores.safetensors"
    save_scored(path, scored)
    back = load_scored(path)
    assert back is not None
    assert back.scores.values == scored.scores.values
    assert back.scores.missing == scored.scores.missing
    assert back.scores.tags == scored.scores.tags
    assert torch.equal(back.scores.strip, scored.scores.strip)
    for name, series in scored.scores.series.items():
        assert all(
            math.isnan(a) if math.isnan(b) else a == pytest.approx(b)
            for a, b in zip(back.scores.series[name], series, strict=True)
        )
    path.write_bytes(b"damaged")
    assert load_scored(path) is None
    assert load_scored(tmp_path / "nowhere") is None
