"""How fast procedural actors are drawn on one core, and what dressing one costs before its first frame.

In seconds of the processor, so that others on the machine do not count; and as the GFLOP that a plain matrix product makes
in that time, which depends less on the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import torch

from dreamactor.app.bench.speed_meter import MATMUL_REPEATS, MATMUL_SIDE, Row, measured
from dreamactor.data.actors import (
    FIRST_HELD_OUT_SEED,
    FRAMINGS,
    Actor,
    Framing,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.figure import dress

SIZES_PX: Final = (128, 256)
ACTORS: Final = 8
NUM_FRAMES: Final = 25
"""Of a clip: a sample of training holds between 13 and this many."""


def actor_rows(repeats: int, report: Callable[[str, int, int], None]) -> list[Row]:
    """Rows by size and framing: frames per second and core without and with dressing; what a frame and an actor cost."""
    with _one_thread():
        one, other = torch.randn(2, MATMUL_SIDE, MATMUL_SIDE, generator=torch.Generator().manual_seed(0))
        gflop_per_s = 2 * MATMUL_SIDE**3 / 1e9 / _fastest_s(lambda: one @ other, MATMUL_REPEATS)
        actors = [sample_actor(FIRST_HELD_OUT_SEED + index) for index in range(ACTORS)]
        settings = [(size, framing) for size in SIZES_PX for framing in FRAMINGS]
        report("actors", 0, len(settings) + 1)
        dressing_s = sum(_fastest_s(partial(dress.__wrapped__, actor), repeats) for actor in actors) / ACTORS
        rows = [
            measured("actors", "dressing", "cpu_seconds_per_actor", dressing_s, n=repeats, note=f"{ACTORS} actors"),
            measured("actors", "dressing", "matmul_gflop_per_actor", dressing_s * gflop_per_s, n=repeats),
        ]
        for done, (size, framing) in enumerate(settings):
            report("actors", done + 1, len(settings) + 1)
            clips_s = sum(_drawing_s(actor, framing, size, repeats) for actor in actors)
            count = ACTORS * NUM_FRAMES
            values = {
                "frames_per_second": count / clips_s,
                "frames_per_second_dressed": count / (clips_s + ACTORS * dressing_s),
                "matmul_gflop_per_frame": clips_s / count * gflop_per_s,
            }
            note = f"one core, {ACTORS} clips of {NUM_FRAMES} frames"
            rows += [measured("actors", f"{size} px {framing}", *found, n=repeats, note=note) for found in values.items()]
        report("actors", len(settings) + 1, len(settings) + 1)
    return rows


def _drawing_s(actor: Actor, framing: Framing, size: int, repeats: int) -> float:
    """Fastest time of a clip of a dressed actor."""
    dress(actor)
    performance = sample_performance(actor.seed, num_frames=NUM_FRAMES, framing=framing)
    scene = sample_scene(actor.seed, framing=framing)
    return _fastest_s(lambda: render(actor, performance, scene, width=size, height=size), repeats)


def _fastest_s(run: Callable[[], object], repeats: int) -> float:
    """The processor's seconds."""
    taken = []
    for _ in range(repeats):
        before = time.process_time()
        run()
        taken.append(time.process_time() - before)
    return min(taken)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
