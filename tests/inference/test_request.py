"""Settings that cannot work are refused before any work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dreamactor.errors import ConfigError
from dreamactor.inference.references import choose_canvas
from dreamactor.inference.request import AnimateRequest
from dreamactor.types.latent import LatentGrid


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"references": ()}, "reference"),
        ({"steps": 0}, "--steps"),
        ({"steps": 100_000}, "--steps"),
        ({"size": 7}, "--size"),
        ({"size": 100_000}, "--size"),
        ({"guidance_reference": float("nan")}, "--guidance-ref"),
        ({"guidance_motion": float("inf")}, "--guidance-motion"),
        ({"guidance_motion": -1.0}, "--guidance-motion"),
        ({"person": 0}, "--person"),
        ({"framing": "sideways"}, "framing"),
    ],
)
def test_a_setting_that_cannot_work_is_named(setting: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        AnimateRequest(**{"references": (Path("a.png"),), "driving": Path("b.mp4"), **setting})


@pytest.mark.parametrize(("width", "height"), [(512, 512), (1080, 1920), (1920, 1080), (4000, 100), (333, 517)])
@pytest.mark.parametrize("size", [64, 256, 500])
def test_the_canvas_keeps_the_aspect_and_fits_the_model(width: int, height: int, size: int) -> None:
    grid = LatentGrid(temporal=4, spatial=16, patch=2)
    across, down = choose_canvas(width, height, size=size, grid=grid)
    assert across % grid.size_multiple == down % grid.size_multiple == 0
    assert abs(across - size * (width / height) ** 0.5) <= grid.size_multiple
    assert abs(down - size * (height / width) ** 0.5) <= grid.size_multiple
