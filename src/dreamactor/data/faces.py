"""What the face encoders learn from: faces of many actors seen from near, and face points with the truth beside them.

Two neighbouring actors make the same expressions, each with its own head pose, place and light, so that what their pictures
have in common is the expression alone.

Axis letters: N moments of an actor, K of them (the first ones) with a picture, P face points, E expression coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from dreamactor.data.actors import FIRST_HELD_OUT_SEED, render, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.acting.faces import act_face
from dreamactor.data.actors.acting.speech import speak
from dreamactor.data.actors.coefficients import COEFFICIENT, NUM_EXPRESSION
from dreamactor.data.actors.curves import stream
from dreamactor.data.actors.exact import exact_track
from dreamactor.data.actors.figure import build_figure
from dreamactor.data.actors.motion import ANGLES, Performance
from dreamactor.data.actors.scene import Camera, place_camera
from dreamactor.errors import NoPersonError
from dreamactor.guidance.face_crop import normalize_landmarks
from dreamactor.guidance.person_box import enlarge, other_side
from dreamactor.perception.base import PersonEstimator
from dreamactor.perception.perceive import perceive_video
from dreamactor.types.track import empty_track
from dreamactor.video.output import atomic_path

FIRST_FACE_SEED: Final = 300_000
"""Actors from here on, in pairs of an even and the next odd seed, are the face encoders'; they end below the judge's."""
NUM_MOMENTS, NUM_PICTURES = 24, 6
"""Moments of an actor, and how many of them are drawn."""
NUM_PERCEIVED, PERCEIVED_FPS = 16, 10.0
"""Frames of an actor that are perceived where that is asked for, and how fast they follow each other."""
PICTURE_PX: Final = 192
SURPLUS: Final = 4 / 3
"""How much larger than the face box a picture is, so that training can move it about."""
HEAD_SPREAD_DEG: Final = {"head_yaw": 17.0, "head_pitch": 8.0, "head_roll": 8.0}
"""Standard deviations by which heads turn beyond what performances do."""
ACT_RATE: Final = 0.65
"""Share of moments in which some coefficients take strong values that performances rarely combine."""
_FRAME_PX: Final = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceViews:
    """One actor's face.

    Attributes:
        pictures: [K, 3, 192, 192] uint8 RGB, the face box of the first K moments enlarged by `SURPLUS`.
        points: [N, P, 3] float32 face points; unit: half a side of the face box; x, y from its middle, z as in `FaceTrack`.
        angles_rad: [N, 3] yaw, pitch, roll of the head.
        radius: [N] of the head, in the points' unit.
        expression: [N, E].
        tracked: [N] bool, the face is turned to the camera.
    """

    pictures: Tensor
    points: Tensor
    angles_rad: Tensor
    radius: Tensor
    expression: Tensor
    tracked: Tensor


def sample_faces(seed: int, *, num_moments: int) -> Tensor:
    """Expressions [N, E] of independent moments: performances', with rare events made common.

    In some moments a few coefficients take one of the stronger values that they have in a long performance; the other side
    of the face often joins in.
    """
    rng = stream(seed, "faces")
    times_s = np.arange(40 * num_moments) / 10.0
    pool = np.concatenate([act_face(rng, times_s, speak(rng, float(times_s[-1]))), act_face(rng, times_s, None)])
    found = pool[rng.choice(len(pool), num_moments, replace=False)]
    names = list(COEFFICIENT)
    for moment in found:
        if rng.random() >= ACT_RATE:
            continue
        for index in rng.choice(NUM_EXPRESSION, int(rng.integers(1, 5)), replace=False):
            used = pool[np.abs(pool[:, index]) > 0.02, index]
            if not len(used):
                continue
            moment[index] = rng.choice(used)
            twin = other_side(names[index])
            if twin in COEFFICIENT and rng.random() < 0.5:
                moment[COEFFICIENT[twin]] = moment[index]
    return torch.tensor(found, dtype=torch.float32)


def _performance(seed: int) -> Performance:
    """Independent moments of a portrait with the pair's expressions."""
    still = sample_performance(seed, num_frames=NUM_MOMENTS, fps=0.7, framing="portrait")
    rng, channels = stream(seed, "face poses"), still.channels.clone()
    for name, spread in HEAD_SPREAD_DEG.items():
        channels[:, ANGLES.index(name)] += torch.tensor(rng.normal(0, spread, NUM_MOMENTS), dtype=torch.float32)
    return replace(still, channels=channels, expression=sample_faces(seed // 2, num_moments=NUM_MOMENTS))


def draw_face_views(seed: int) -> FaceViews:
    """Draws one actor's face; equal seeds give equal faces. Whoever trains uses seeds below the held-out ones."""
    actor, performance, scene = sample_actor(seed), _performance(seed), sample_scene(seed, framing="portrait")
    figure = build_figure(actor, performance)
    camera = place_camera(scene, actor.body, figure.joints, "portrait", width=_FRAME_PX, height=_FRAME_PX)
    track = exact_track(actor, figure, performance, camera, width=_FRAME_PX, height=_FRAME_PX)
    box = track.face.box
    middle, half = (box[:, :2] + box[:, 2:]) / 2, (box[:, 2] - box[:, 0]) / 2
    points = track.face.landmarks.clone()
    points[..., :2] -= middle[:, None]
    pictures = []
    for moment in range(NUM_PICTURES):
        near = _looking_at(camera, enlarge(box[moment], SURPLUS))
        now = slice(moment, moment + 1)
        drawn = render(actor, performance, scene, width=PICTURE_PX, height=PICTURE_PX, frames=now, camera=near)
        pictures.append(drawn.frames[0].permute(2, 0, 1))
    return FaceViews(
        pictures=torch.stack(pictures),
        points=points / half[:, None, None],
        angles_rad=track.head.angles_rad,
        radius=track.head.radius_px / half,
        expression=performance.expression,
        tracked=track.face.tracked,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PerceivedFaces:
    """What perception makes of an actor's moments, n in all; none where it sees nobody.

    Attributes:
        points, exact: [n, P, 3] pose-normalised face points as perceived and as drawn.
        expression: [n, E].
    """

    points: Tensor
    exact: Tensor
    expression: Tensor


def perceive_faces(seed: int, estimator: PersonEstimator) -> PerceivedFaces:
    """Films an actor from as far as portraits are taken, and looks: the head moves as ever, the face does something else in
    every frame, which a face that is followed allows.

    Args:
        seed: of the actor.
        estimator: built with `static=False`.
    """
    moving = sample_performance(seed, num_frames=NUM_PERCEIVED, fps=PERCEIVED_FPS, framing="portrait")
    performance = replace(moving, expression=sample_faces(seed, num_moments=NUM_PERCEIVED))
    scene = sample_scene(seed, framing="portrait")
    drawn = render(sample_actor(seed), performance, scene, width=_FRAME_PX, height=_FRAME_PX)
    try:
        found = perceive_video(
            ((frame, time) for time, frame in enumerate(drawn.frames)), time_base=Fraction(1, 25), estimator=estimator
        )
    except NoPersonError:
        found = empty_track(NUM_PERCEIVED, width=_FRAME_PX, height=_FRAME_PX, times=drawn.track.times)
    seen = found.face.tracked & drawn.track.face.tracked
    points = normalize_landmarks(found.face, found.head)
    exact = normalize_landmarks(drawn.track.face, drawn.track.head)
    return PerceivedFaces(points=points[seen], exact=exact[seen], expression=drawn.expression[seen])


def _looking_at(camera: Camera, box: Tensor) -> Camera:
    """The same camera with a sensor that sees a square of its picture, x0, y0, x1, y1, at `PICTURE_PX` pixels."""
    scale = PICTURE_PX / float(box[2] - box[0])
    x, y = ((place - float(corner)) * scale for place, corner in zip(camera.center_px, box[:2], strict=True))
    return Camera(place=camera.place, focal_px=camera.focal_px * scale, center_px=(x, y))


def perceived_path(folder: Path, seed: int) -> Path:
    """Where the perceived faces of an actor lie."""
    return folder / f"perceived_{seed:06d}.safetensors"


def build_perceived(folder: Path, seed: int, estimator: PersonEstimator) -> Path:
    """Perceives one actor's faces to a file, atomically; what is there is kept.

    Raises:
        ValueError: a held-out seed.
    """
    path = perceived_path(folder, seed)
    if not path.exists():
        _write(path, perceive_faces(_training_seed(seed), estimator))
    return path


def load_perceived(path: Path) -> PerceivedFaces:
    """Reads what `build_perceived` wrote."""
    return PerceivedFaces(**load_file(path))


def _training_seed(seed: int) -> int:
    if seed >= FIRST_HELD_OUT_SEED:
        raise ValueError(f"Held-out seeds start at {FIRST_HELD_OUT_SEED}, got {seed}.")
    return seed


def _write(path: Path, value: FaceViews | PerceivedFaces) -> None:
    with atomic_path(path) as part:
        save_file({field.name: getattr(value, field.name).contiguous() for field in fields(value)}, part)


def face_views_path(folder: Path, seed: int) -> Path:
    """Where the views of an actor lie."""
    return folder / f"face_{seed:06d}.safetensors"


def build_face_views(folder: Path, seed: int) -> Path:
    """Draws one actor's face to a file, atomically; what is there is kept.

    Raises:
        ValueError: a held-out seed.
    """
    path = face_views_path(folder, seed)
    if not path.exists():
        _write(path, draw_face_views(_training_seed(seed)))
    return path


def load_face_views(path: Path) -> FaceViews:
    """Reads what `build_face_views` wrote."""
    return FaceViews(**load_file(path))
