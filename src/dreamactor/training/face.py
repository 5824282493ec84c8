"""Trains the landmark face encoder on face points of many actors as perception would give them.

An estimator does not mark what our actors' points mark, and it knows human faces only. How its points differ is learnt from
some perceived pictures: a linear map from exact to perceived points, and what is left of the difference as noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.data.faces import FaceViews, PerceivedFaces
from dreamactor.guidance.face_crop import normalize_points
from dreamactor.models.face_motion import LandmarkFaceEncoder
from dreamactor.training.loop import LoopConfig, TrainingLoop

HEAD_BIAS_RAD, HEAD_SHAKE_RAD, POINT_SHAKE = 0.06, 0.02, 0.008
"""Errors of exact points that are learnt from: head angles per actor and per moment, and points in head radii."""
RIDGE: Final = 0.3
"""Of the map to perceived points: how many moments its prior, that points are where they are, is worth, in units of the
points' variance."""


@dataclass(frozen=True, kw_only=True)
class PerceivedMap:
    """How perceived points [P 3] follow from exact ones: exact + matrix^T (exact - middle) + shift + noise.

    Attributes:
        middle, shift: [P 3]; matrix: [P 3, P 3].
        noise: [P 3, K] directions of what is left, scaled to their standard deviations.
    """

    middle: Tensor
    shift: Tensor
    matrix: Tensor
    noise: Tensor

    def draw(self, exact: Tensor, *, generator: torch.Generator) -> Tensor:
        """Points [N, P, 3] as they might be perceived."""
        flat = exact.flatten(1)
        random = torch.randn(len(flat), self.noise.shape[1], generator=generator) @ self.noise.T
        return (flat + (flat - self.middle) @ self.matrix + self.shift + random).unflatten(1, (-1, 3))


def fit_perceived_map(faces: Sequence[PerceivedFaces]) -> PerceivedMap:
    """Fits the map by ridge regression on the differences."""
    exact, seen = (torch.cat([getattr(one, name) for one in faces]).flatten(1).double() for name in ("exact", "points"))
    middle, off = exact.mean(dim=0), seen - exact
    centred, shift = exact - middle, off.mean(dim=0)
    prior = RIDGE * len(exact) ** 0.5 * centred.var(dim=0).mean() * torch.eye(exact.shape[1], dtype=torch.float64)
    matrix = torch.linalg.solve(centred.T @ centred + prior, centred.T @ (off - shift))
    left = off - shift - centred @ matrix
    _, size, directions = torch.linalg.svd(left / max(len(left) - 1, 1) ** 0.5, full_matrices=False)
    kept = min(40, len(size))
    return PerceivedMap(
        middle=middle.float(), shift=shift.float(), matrix=matrix.float(),
        noise=(directions[:kept].T * size[:kept]).float(),
    )  # fmt: skip


def landmark_pairs(
    views: Sequence[FaceViews], free: Sequence[Tensor], perceived: Sequence[PerceivedFaces], *, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Pose-normalised points [M, P, 3] as perception would give them, and the tokens [M, c] that they should give.

    Every moment comes twice: with an estimator's errors, and as the map draws it from exact points. The perceived ones come
    as they are, too. Without perceived faces: the errors alone.

    Args:
        views: actors.
        free: of every actor's pictures the free numbers of the implicit encoder's tokens, [K, F].
        perceived: moments of some actors.
        generator: of the errors.
    """
    points, codes = [], []
    to_perceived = fit_perceived_map(perceived) if perceived else None
    for one, numbers in zip(views, free, strict=True):
        found = one.tracked
        unknown = torch.full((len(one.expression) - len(numbers), numbers.shape[1]), torch.nan)
        tokens = torch.cat([one.expression, torch.cat([numbers, unknown])], dim=1)[found]
        angles, marks = one.angles_rad[found], one.points[found]
        error = HEAD_BIAS_RAD * torch.randn(1, 3, generator=generator)
        shaken = angles + error + HEAD_SHAKE_RAD * torch.randn(angles.shape, generator=generator)
        moved = marks + POINT_SHAKE * one.radius[found][:, None, None] * torch.randn(marks.shape, generator=generator)
        points.append(normalize_points(moved, shaken))
        codes.append(tokens)
        if to_perceived is not None:
            points.append(to_perceived.draw(normalize_points(marks, angles), generator=generator))
            codes.append(tokens)
    width = free[0].shape[1]
    for seen in perceived:
        points += [seen.points] * 2
        codes += [F.pad(seen.expression, (0, width), value=torch.nan)] * 2
    return torch.cat(points), torch.cat(codes)


def train_landmark_encoder(
    encoder: LandmarkFaceEncoder,
    points: Tensor,
    codes: Tensor,
    run: Path,
    config: LoopConfig,
    *,
    batch_size: int,
    seed: int,
    report: Callable[[int], None] = lambda done: None,
) -> dict[str, float]:
    """Trains in place (averaged weights); returns the share of variance explained on the last window.

    Args:
        encoder: the network.
        points: [N, P, 3] pose-normalised.
        codes: [N, c] what it shall say; NaN where that is not known.
        run: folder of checkpoint and log.
        config: the loop's.
        batch_size: moments a step.
        seed: of batches.
        report: called with the steps done.
    """
    encoder.point_mean.copy_(points.mean(dim=0))
    encoder.point_std.copy_(points.std(dim=0).clamp(min=0.01))
    loop = TrainingLoop({"face": encoder}, config, run, seed=seed)
    known = ~codes.isnan()
    codes = codes.nan_to_num(0.0)
    mean = codes.sum(dim=0) / known.sum(dim=0)
    spread = ((codes - mean).square() * known).sum(dim=0) / known.sum(dim=0)
    spread = spread.clamp(min=2.5e-3)

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        picks = torch.randint(len(points), (batch_size,), generator=generator)
        error = (encoder(points[picks]) - codes[picks]).square() * known[picks]
        report(loop.step + 1)
        error = error.sum(dim=0) / known[picks].sum(dim=0).clamp(min=1)
        return (error / spread).mean(), {"explained": float(1 - (error.detach() / spread).mean())}

    latest = loop.run(loss_of)
    loop.load_averaged()
    return latest
