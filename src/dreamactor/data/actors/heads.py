"""A head filmed from many sides at once: speech and extreme expressions before a ring of cameras.

A camera cannot be turned (it looks along -z), so that the actor and the light are turned before it instead: what is seen
is the same. The background is the same plain one for all cameras, as in a studio.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import torch

from dreamactor.data.actors.acting.faces import MOODS, mirrored
from dreamactor.data.actors.acting.sample import sample_performance
from dreamactor.data.actors.acting.timing import Track
from dreamactor.data.actors.coefficients import COEFFICIENT, SCHEMA
from dreamactor.data.actors.curves import stream
from dreamactor.data.actors.motion import CHANNEL, Performance
from dreamactor.data.actors.scene import Scene, sample_scene
from dreamactor.geometry.rotation import angles_to_matrix, matrix_to_angles

FPS: Final = 25.0
_EXTREME: Final = (0.85, 1.1)
"""Size of the expressions between the sentences, against a mood at its fullest."""
_HOLD_S: Final = (0.25, 0.7)
_CHANGE_S: Final = (0.12, 0.35)
_TALK_S: Final = (0.6, 1.6)

Side = tuple[float, float]
"""From where a camera looks, in radians: to the person's left (positive) or right, and from above (positive) or below."""


def ring_of_cameras(seed: int, count: int) -> tuple[Side, ...]:
    """Sides from one profile to the other, every second one from above and the others from below, a little at random."""
    rng = stream(seed, "ring of cameras")
    reach, high = float(rng.uniform(1.1, 1.5)), float(rng.uniform(0.15, 0.35))
    across = np.linspace(-reach, reach, count) + rng.normal(0, 0.06, count)
    above = high * np.where(np.arange(count) % 2, 1, -1) * rng.uniform(0.2, 1, count)
    return tuple(zip(across.tolist(), above.tolist(), strict=True))


def head_performance(seed: int, *, num_frames: int) -> Performance:
    """Speech, broken by extreme expressions; the body stands where it is."""
    talk = sample_performance(seed, num_frames=num_frames, fps=FPS, framing="portrait", kind="talk")
    channels = talk.channels.clone()
    channels[:, [CHANNEL[name] for name in ("travel_x", "travel_z", "lift")]] = 0
    rng = stream(seed, "extreme expressions")
    width = talk.expression.shape[1]
    times_s = np.arange(num_frames) / FPS
    # The last column says how far the extreme expression takes the place of what the face does otherwise.
    faces = Track(np.zeros(width + 1), at_s=-1.0)
    now = float(rng.uniform(0.0, 0.5))
    while now < times_s[-1]:
        mood = MOODS[str(rng.choice([name for name in MOODS if name != "neutral"]))]
        mood = mirrored(mood) if rng.random() < 0.5 else mood
        face = np.zeros(width + 1)
        for name, value in mood.items():
            if COEFFICIENT[name] < width:  # a cast may know fewer
                face[COEFFICIENT[name]] = value * float(rng.uniform(*_EXTREME))
        face[-1] = 1.0
        change, hold, back = float(rng.uniform(*_CHANGE_S)), float(rng.uniform(*_HOLD_S)), float(rng.uniform(*_CHANGE_S))
        faces.move(now, now + change, face)
        faces.move(now + change + hold, now + change + hold + back, np.zeros(width + 1))
        now += change + hold + back + float(rng.uniform(*_TALK_S))
    acted = faces.at(times_s)
    expression = talk.expression.numpy() * (1 - acted[:, -1:]) + acted[:, :-1]
    expression = np.clip(expression, [one.low for one in SCHEMA[:width]], 1.0)
    return replace(talk, channels=channels, expression=torch.tensor(expression, dtype=torch.float32))


def seen_from(performance: Performance, side: Side) -> Performance:
    """The performance as a camera at this side sees it: the actor turned the other way."""
    across, above = side
    turn = angles_to_matrix(torch.tensor([0.0, above, 0.0])) @ angles_to_matrix(torch.tensor([-across, 0.0, 0.0]))
    angles = torch.rad2deg(matrix_to_angles(turn @ performance.rotation("root")))
    channels = performance.channels.clone()
    for index, axis in enumerate(("yaw", "pitch", "roll")):
        channels[:, CHANNEL[f"root_{axis}"]] = angles[:, index]
    return replace(performance, channels=channels)


def head_scene(seed: int, side: Side) -> Scene:
    """The studio, its light turned with the actor."""
    across, above = side
    scene = sample_scene(seed, framing="portrait")
    turn = angles_to_matrix(torch.tensor([0.0, above, 0.0])) @ angles_to_matrix(torch.tensor([-across, 0.0, 0.0]))
    light = turn @ torch.tensor(scene.light)
    return replace(
        scene,
        background="plain",
        light=(float(light[0]), float(light[1]), float(light[2])),
        height=0.0,
        shift=0.0,
        margin=0.0,
    )
