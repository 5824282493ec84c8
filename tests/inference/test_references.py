"""References are perceived as finely as they are, however small the canvas."""

from __future__ import annotations

from pathlib import Path

import torch

from dreamactor.data.actors import neutral_performance, render, sample_actor, sample_scene
from dreamactor.inference.references import read_references
from dreamactor.perception.build import build_estimator
from dreamactor.types.guidance import ReferenceImage
from dreamactor.types.latent import LatentGrid
from dreamactor.video.image import write_image

GRID = LatentGrid(temporal=4, spatial=16, patch=2)


def test_a_small_canvas_finds_the_same_person(tmp_path: Path) -> None:
    pose, scene = neutral_performance(framing="full", seed=7), sample_scene(7, framing="full")
    write_image(tmp_path / "a.png", render(sample_actor(7), pose, scene, width=512, height=512).frames[0])

    def read(size: int) -> ReferenceImage:
        estimator = build_estimator("mediapipe", static=True)
        return read_references((tmp_path / "a.png",), size=size, grid=GRID, estimator=estimator).images[0]

    small, large = read(64), read(256)
    assert bool(small.person.body.tracked[0])
    assert (small.person.width, small.person.height) == (64, 64)
    torch.testing.assert_close(small.person.body.joints * 4, large.person.body.joints, rtol=0, atol=2.0)
    torch.testing.assert_close(small.person.head.radius_px * 4, large.person.head.radius_px, rtol=0.02, atol=0)
    assert small.mask is not None
    assert large.mask is not None
    share = [float((image.mask > 127).float().mean()) for image in (small, large) if image.mask is not None]
    assert abs(share[0] - share[1]) < 0.03
