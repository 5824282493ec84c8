"""The camera's motion, told by a background that is known to have moved."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from dreamactor.app.bench import guidance_camera as bench
from dreamactor.guidance.camera import describe_camera, report_camera, steady
from dreamactor.perception.base import nobody
from dreamactor.perception.camera_motion import CameraFollower


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "NUM_FRAMES", 12)
    monkeypatch.setattr(bench, "SIZE", 160)


@pytest.mark.parametrize(
    ("path", "said"), [("pan", "30"), ("zoom", "zooms by up to 25%"), ("shake", "2."), ("turn", "8 deg")]
)
def test_a_moving_camera_is_taken_out_of_the_bodys_way(path: str, said: str) -> None:
    frames, seen, truth = bench.film_moving(5, path)
    seen = replace(seen, camera=bench.follow_camera(frames, seen))
    assert float(bench.way_error(seen, truth).max()) > 0.5
    calm = steady(seen)
    assert float(bench.way_error(calm, truth).max()) < 0.3
    assert float((calm.head.angles_rad - truth.head.angles_rad).abs().max()) < 0.01
    assert float((calm.head.radius_px / truth.head.radius_px - 1).abs().max()) < 0.01
    assert said in describe_camera(seen)


def test_a_camera_that_stands_still_changes_not_a_bit_of_a_dance() -> None:
    frames, seen, _ = bench.film_moving(5, "still")
    watched = replace(seen, camera=bench.follow_camera(frames, seen))
    assert torch.equal(steady(watched).body.joints, seen.body.joints)
    assert describe_camera(watched) == "camera: stands still"


def test_a_background_without_detail_tells_nothing() -> None:
    frames, seen, _ = bench.film_moving(5, "still")
    follower = CameraFollower()
    for t in range(6):
        follower.observe(torch.full_like(frames[t], 200), bench.raw_person(seen, t), new_shot=t == 0)
    camera = follower.track()
    assert not bool(camera.known.any())
    blind = replace(seen[:6], camera=camera)
    assert report_camera(blind) is None
    assert torch.equal(steady(blind).body.joints, seen.body.joints[:6])
    assert "cannot be told" in describe_camera(blind)


def test_every_shot_starts_anew() -> None:
    frames, _, _ = bench.film_moving(5, "pan")
    follower = CameraFollower()
    for t in range(12):
        follower.observe(frames[t], nobody(), new_shot=t in (0, 6))
    matrix = follower.track().matrix
    assert torch.equal(matrix[6], torch.eye(3)[:2])
    assert abs(float(matrix[5, 0, 2])) > 5
    assert abs(float(matrix[11, 0, 2])) > 5
