"""The face encoders' recipe: faces of many actors, drawn and perceived, then both encoders; resumable.

faces/       faces of actors, cut out, with the truth    (data.faces)
perceived/   what perception makes of some of them
rgb/ read/ landmarks/   checkpoint and log of each training
model/       the finished encoders
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from dreamactor.data.actors import ACTOR_VERSION, EXPRESSION, NUM_EXPRESSION
from dreamactor.data.faces import (
    FIRST_FACE_SEED,
    FaceViews,
    PerceivedFaces,
    build_face_views,
    build_perceived,
    face_views_path,
    load_face_views,
    load_perceived,
    perceived_path,
)
from dreamactor.data.workers import in_parallel
from dreamactor.inference.face_encoders import FaceEncoders, save_face_encoders
from dreamactor.models.face_motion import ImplicitFaceEncoder, LandmarkFaceEncoder
from dreamactor.models.warm_start import start_from
from dreamactor.perception.build import build_estimator
from dreamactor.recipes.stage import train_once
from dreamactor.training.face import landmark_pairs, train_landmark_encoder
from dreamactor.training.implicit_face import load_face_book, middle_of, train_implicit_encoder, train_reader
from dreamactor.training.loop import LoopConfig

NUM_FREE: Final = 8
"""Numbers of a token beside the coefficients."""
FACE_TOKEN: Final = NUM_EXPRESSION + NUM_FREE
"""Size of a token."""


WORN_VERSIONS: Final = 4
"""Of every picture, for what reads the face."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceRecipe:
    """How much of everything.

    Attributes:
        num_actors: actors to draw, an even number; six pictures each.
        num_perceived: how many of them are perceived too, sixteen frames each.
        rgb_steps, read_steps, landmark_steps: optimizer steps; the second ones train what reads the face, the rest finished.
        batch: pictures a step of the implicit encoder.
        workers: processes that draw.
        seed: of everything.
    """

    num_actors: int = 1200
    num_perceived: int = 240
    rgb_steps: int = 4000
    read_steps: int = 6000
    landmark_steps: int = 6000
    batch: int = 32
    workers: int = 2
    seed: int = 0

    def scaled(self, factor: float) -> FaceRecipe:
        """Less of everything that takes time."""
        return replace(
            self,
            num_actors=2 * max(1, round(self.num_actors * factor / 2)),
            num_perceived=round(self.num_perceived * factor),
            rgb_steps=max(2, round(self.rgb_steps * factor)),
            read_steps=max(2, round(self.read_steps * factor)),
            landmark_steps=max(2, round(self.landmark_steps * factor)),
        )


Report = Callable[[str, int, int], None]
"""(stage, done, total)."""


def train_faces(run: Path, recipe: FaceRecipe, report: Report, *, start: ImplicitFaceEncoder | None = None) -> FaceEncoders:
    """Trains both face encoders; the finished ones also lie in `run / "model"`.

    Args:
        run: folder of the run.
        recipe: how much of everything.
        report: called with the progress.
        start: an implicit encoder to go on from, if it reads the same coefficients; otherwise from nothing.
    """
    views = _draw(run / "faces", recipe, report)
    perceived = _perceive(run / "perceived", recipe, report)
    torch.manual_seed(recipe.seed)
    rgb = ImplicitFaceEncoder(code_dim=FACE_TOKEN, coefficients=EXPRESSION)
    landmarks = LandmarkFaceEncoder(code_dim=FACE_TOKEN, coefficients=EXPRESSION)
    if start is not None and start.coefficients == rgb.coefficients:
        start_from(rgb, start)

    def rgb_stage() -> None:
        config = LoopConfig(num_steps=recipe.rgb_steps, learning_rate=2e-3, warmup=60)
        train_implicit_encoder(
            rgb, load_face_book(views), run / "rgb", config, batch_size=recipe.batch, seed=recipe.seed,
            report=lambda done: report("rgb", done, recipe.rgb_steps),
        )  # fmt: skip

    train_once(run / "rgb", rgb, rgb_stage)

    def read_stage() -> None:
        config = LoopConfig(num_steps=recipe.read_steps, learning_rate=1e-3, warmup=60, ema_decay=0.998)
        train_reader(
            rgb, load_face_book(views), run / "read", config, batch_size=2 * recipe.batch, passes=WORN_VERSIONS,
            seed=recipe.seed, report=lambda done: report("read", done, recipe.read_steps),
        )  # fmt: skip

    train_once(run / "read", rgb, read_stage)

    def landmark_stage() -> None:
        config = LoopConfig(num_steps=recipe.landmark_steps, learning_rate=1e-3, log_every=200)
        actors = [load_face_views(path) for path in views]
        points, tokens = landmark_pairs(
            actors, [free_numbers(rgb, one) for one in actors], perceived,
            generator=torch.Generator().manual_seed(recipe.seed),
        )  # fmt: skip
        train_landmark_encoder(
            landmarks, points, tokens, run / "landmarks", config, batch_size=256, seed=recipe.seed,
            report=lambda done: report("landmarks", done, recipe.landmark_steps),
        )  # fmt: skip

    train_once(run / "landmarks", landmarks, landmark_stage)
    encoders = FaceEncoders(landmarks=landmarks.eval(), rgb=rgb.eval())
    metadata = {"actor_version": ACTOR_VERSION, "recipe": asdict(recipe)}
    save_face_encoders(run / "model", encoders, metadata)
    return encoders


@torch.no_grad()
def free_numbers(encoder: ImplicitFaceEncoder, views: FaceViews) -> Tensor:
    """The free numbers of an actor's pictures, [K, F], as the box shows them."""
    return encoder.look(middle_of(views.pictures)).tokens[:, encoder.num_read :]


def _draw(folder: Path, recipe: FaceRecipe, report: Report) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    seeds = range(FIRST_FACE_SEED, FIRST_FACE_SEED + recipe.num_actors)
    missing = [seed for seed in seeds if not face_views_path(folder, seed).exists()]
    if missing:
        for done, _ in enumerate(in_parallel(partial(build_face_views, folder), missing, workers=recipe.workers), start=1):
            report("faces", done, len(missing))
    return [face_views_path(folder, seed) for seed in seeds]


def _perceive(folder: Path, recipe: FaceRecipe, report: Report) -> list[PerceivedFaces]:
    folder.mkdir(parents=True, exist_ok=True)
    seeds = range(FIRST_FACE_SEED, FIRST_FACE_SEED + min(recipe.num_perceived, recipe.num_actors))
    missing = [seed for seed in seeds if not perceived_path(folder, seed).exists()]
    if missing:
        with closing(build_estimator()) as estimator:
            for done, seed in enumerate(missing, start=1):
                build_perceived(folder, seed, estimator)
                report("perceived", done, len(missing))
    return [load_perceived(perceived_path(folder, seed)) for seed in seeds]
