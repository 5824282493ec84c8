"""What is said of how far a job is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dreamactor.app.studio.jobs import Job, JobProgress

STEPS, SEGMENTS, FRAMES = 2, 4, 100
SEGMENT_S = 30.0


def _run(*, resumed: int = 0) -> list[JobProgress]:
    """Progress after every report of a job whose segments take equally long."""
    now_s, progress, told = 1000.0, JobProgress(), []

    def hear(stage: str, done: int, total: int | None) -> None:
        nonlocal progress
        progress = progress.after(stage, done, total, now_s=now_s)
        told.append(progress)

    for done in (0, 50, 100):
        hear("perceive", done, 100)
    hear("prepare", 1, 1)
    for segment in range(resumed, SEGMENTS):
        for step in range(STEPS + 1):
            hear("denoise", segment * STEPS + step, SEGMENTS * STEPS)
        now_s += SEGMENT_S
        hear("decode", (segment + 1) * FRAMES // SEGMENTS, FRAMES)
    return told


@pytest.mark.parametrize("resumed", [0, 2])
def test_the_share_grows_to_the_whole(resumed: int) -> None:
    shares = [progress.share("animate") for progress in _run(resumed=resumed)]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert 0 <= shares[0] < shares[-2] < 1


@pytest.mark.parametrize("resumed", [0, 2])
def test_the_time_left_is_that_of_what_is_left_at_the_pace_of_what_is_done(resumed: int) -> None:
    job = Job(id="0" * 32, kind="animate", state="running", settings={}, files={}, created_s=0.0, started_s=0.0)
    told = _run(resumed=resumed)
    begun = [progress.ends_s for progress in told if "decode" not in progress.stages]
    assert set(begun) == {None}, "nothing is known before the first pictures are finished"
    ends_s = 1000.0 + (SEGMENTS - resumed) * SEGMENT_S
    for progress in told:
        if "decode" in progress.stages:
            assert progress.ends_s == pytest.approx(ends_s)
            assert replace(job, progress=progress).seconds_left(ends_s - 7) == pytest.approx(7)
    assert replace(job, progress=told[-1]).seconds_left(ends_s + 9) == 0
    assert replace(job, progress=told[-1], state="done").seconds_left(0) is None


def test_a_look_ends_with_what_it_prepares() -> None:
    progress = JobProgress().after("perceive", 9, 9, now_s=0).after("prepare", 2, 2, now_s=0)
    assert progress.share("look") == pytest.approx(1.0)
    assert progress.share("animate") < 0.5
