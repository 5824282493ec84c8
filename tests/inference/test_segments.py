"""Segments show every frame once, and the latent carried over stands for exactly the frames before."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from dreamactor.errors import ConfigError
from dreamactor.inference.segments import plan_segments
from dreamactor.types.latent import LatentGrid

GRID = LatentGrid(temporal=4, spatial=16, patch=2)
LENGTHS = (1, 2, 5, 72, 73, 74, 145, 146, 300)


@pytest.mark.parametrize("num_frames", LENGTHS)
def test_every_frame_is_shown_exactly_once(num_frames: int) -> None:
    shown = [frame for s in plan_segments(num_frames, 73, GRID) for frame in range(s.start, s.stop)]
    assert shown == list(range(num_frames))


@pytest.mark.parametrize("num_frames", LENGTHS)
def test_n_segments_hold_73_and_72_frames_each(num_frames: int) -> None:
    segments = plan_segments(num_frames, 73, GRID)
    assert len(segments) == 1 + max(0, -(-(num_frames - 73) // 72))


@pytest.mark.parametrize("num_frames", LENGTHS)
def test_a_carried_latent_sees_the_controls_of_the_frames_it_stands_for(num_frames: int) -> None:
    for segment in plan_segments(num_frames, 73, GRID)[1:]:
        controls = segment.control_frames(GRID)
        assert segment.carries
        assert controls[: GRID.temporal].tolist() == list(range(segment.start - GRID.temporal, segment.start))
        assert len(controls) == segment.num_latents * GRID.temporal


@pytest.mark.parametrize("num_frames", LENGTHS)
def test_a_last_latent_that_is_not_full_repeats_the_last_frame(num_frames: int) -> None:
    last = plan_segments(num_frames, 73, GRID)[-1]
    controls = last.control_frames(GRID)
    assert int(controls[-1]) == num_frames - 1
    assert torch.all(controls.diff() >= 0)


@pytest.mark.parametrize("segment_frames", [1, 4, 72, 74])
def test_a_segment_that_no_latents_fill_is_refused(segment_frames: int) -> None:
    with pytest.raises(ConfigError, match="4 n \\+ 1"):
        plan_segments(10, segment_frames, GRID)


@pytest.mark.parametrize("cuts", [(1,), (73,), (40, 41, 120), (299,)])
def test_every_shot_is_planned_as_if_it_were_alone(cuts: tuple[int, ...]) -> None:
    planned = plan_segments(300, 73, GRID, cuts=cuts)
    assert [s.start for s in planned if not s.carries] == [0, *cuts]
    alone = [
        replace(s, start=begin + s.start, stop=begin + s.stop)
        for begin, end in itertools.pairwise((0, *cuts, 300))
        for s in plan_segments(end - begin, 73, GRID)
    ]
    assert list(planned) == alone
    for segment in planned:
        shot = max(cut for cut in (0, *cuts) if cut <= segment.start)
        assert int(segment.control_frames(GRID).min()) >= shot
