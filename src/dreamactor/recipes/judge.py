"""The judge's recipe: pictures of actors of its own, then the three networks; resumable.

looks/                  pictures of actors, cut out    (data.looks)
points/ head/ who/      checkpoint and log of each training
judge/                  the finished networks
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import torch

from dreamactor.data.actors import EXPRESSION
from dreamactor.data.looks import FIRST_LOOK_SEED, build_looks, look_path
from dreamactor.data.workers import in_parallel
from dreamactor.errors import ConfigError, InputError
from dreamactor.evaluation.judge import Judge, load_judge, save_judge
from dreamactor.geometry.skeleton import NUM_FACE_POINTS
from dreamactor.guidance.person_box import JUDGED_POINTS
from dreamactor.models.judge import HeadJudge, PointJudge, WhoJudge
from dreamactor.models.warm_start import start_from
from dreamactor.training.judge import load_look_book, train_head, train_points, train_who
from dreamactor.training.loop import LoopConfig

SHIPPED: Final = "judge"
READS: Final = ("face.4.weight", "face.4.bias")
"""Of the head judge: what gives the coefficients, which grow with the expression schema."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeRecipe:
    """How much of everything; the defaults are about those of the shipped judge, whose losses changed on the way.

    Attributes:
        num_actors: actors to draw, 19 to 20 pictures each.
        points_steps, head_steps, who_steps: optimizer steps.
        workers: processes that draw.
        seed: of everything.
        start: folder of a judge to go on from, or "judge" for the shipped one; it may read fewer coefficients. None: from
            nothing.
    """

    num_actors: int = 884
    points_steps: int = 8200
    head_steps: int = 6500
    who_steps: int = 1600
    workers: int = 2
    seed: int = 0
    start: str | None = None


Report = Callable[[str, int, int], None]
"""(stage, done, total)."""


def train_judge(run: Path, recipe: JudgeRecipe, report: Report) -> Path:
    """Trains the judge; returns the folder of its weights.

    Raises:
        InputError: the run's pictures are of another cast, or the judge to start from cannot be loaded.
        ConfigError: that judge reads other coefficients.
    """
    start = None if recipe.start is None else load_judge(None if recipe.start == SHIPPED else Path(recipe.start))
    folder = run / "looks"
    folder.mkdir(parents=True, exist_ok=True)
    seeds = range(FIRST_LOOK_SEED, FIRST_LOOK_SEED + recipe.num_actors)
    for done, _ in enumerate(in_parallel(partial(build_looks, folder), seeds, workers=recipe.workers), start=1):
        report("looks", done, len(seeds))
    book = load_look_book([look_path(folder, seed) for seed in seeds])
    if (found := book.looks.expression.shape[1]) != len(EXPRESSION):
        raise InputError(f"{folder} shows actors with {found} coefficients, needed {len(EXPRESSION)}. Use another folder.")
    torch.manual_seed(recipe.seed)
    points, head, who = PointJudge(len(JUDGED_POINTS)), HeadJudge(NUM_FACE_POINTS, len(EXPRESSION)), WhoJudge()

    if start is not None:
        if start.coefficients != EXPRESSION[: len(start.coefficients)]:
            raise ConfigError(
                f"The judge at {recipe.start} reads other coefficients than the actors have. Start from nothing."
            )
        for network, name in ((points, "points"), (head, "head"), (who, "who")):
            start_from(network, start.networks[name], grown=READS)

    def loop(steps: int) -> LoopConfig:
        rate = 1.5e-3 if start is None else 7e-4
        return LoopConfig(num_steps=steps, learning_rate=rate, warmup=60, ema_decay=0.998)

    train_points(points, book, run / "points", loop(recipe.points_steps), batch_size=32, seed=recipe.seed)
    report("points", 1, 1)
    train_head(head, book, run / "head", loop(recipe.head_steps), batch_size=48, seed=recipe.seed)
    report("head", 1, 1)
    train_who(who, book, run / "who", loop(recipe.who_steps), batch_size=min(32, recipe.num_actors), seed=recipe.seed)
    report("who", 1, 1)
    save_judge(run / "judge", Judge(points, head, who, coefficients=EXPRESSION))
    return run / "judge"
