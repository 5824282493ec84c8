"""Trains the judge networks on cut-out pictures of actors that the generator never learns from.

The pictures are worn on purpose (moved, blurred, tinted, noisy): generated video is, and a judge must not mistake a soft
picture for another pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.data.looks import HEAD_PX as HEAD_CROP_PX
from dreamactor.data.looks import PERSON_PX, SURPLUS, Looks, load_looks
from dreamactor.geometry.skeleton import FACE_POINT, FACE_POINTS, JOINT
from dreamactor.guidance.person_box import MIRRORED_FACE_POINTS, MIRRORED_POINTS
from dreamactor.models.judge import HEAD_PX, POINTS_PX, WHO_PX, HeadJudge, PointJudge, WhoJudge
from dreamactor.training.loop import LoopConfig, TrainingLoop
from dreamactor.training.mirror import mirror_expression

FACE_SHOWS_COS: Final = 0.3
"""The expression is learnt where the nose points at least this much towards the camera (cosine)."""
FACE_SHOWS_PX: Final = 16.0
"""And where the head's radius has at least so many pixels."""
POINTS_FRAMINGS: Final = (0.2, 0.35, 0.45)
"""Share of portraits, half and whole bodies among the pictures that the point judge learns from."""
HEAT: Final = 12.0
"""Inverse temperature of the comparison of identities."""


@dataclass(frozen=True, kw_only=True)
class LookBook:
    """All pictures of many actors, one after another.

    Attributes:
        looks: the fields of `Looks`, concatenated.
        actor: [M] int64, whose picture it is.
    """

    looks: Looks
    actor: Tensor


def load_look_book(paths: Sequence[Path]) -> LookBook:
    """Reads the pictures of many actors."""
    every = [load_looks(path) for path in paths]
    joined = Looks(**{field.name: torch.cat([getattr(one, field.name) for one in every]) for field in fields(Looks)})
    return LookBook(looks=joined, actor=torch.cat([torch.full((len(one.take),), i) for i, one in enumerate(every)]))


def _uniform(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


def cut(
    pictures: Tensor, *, size_px: int, surplus: float, turn_deg: float, mirror: Tensor, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """Cuts the judge's crops out of larger ones.

    Args:
        pictures: [N, 3, S, S] uint8, the box enlarged by `surplus`.
        size_px: side of the result.
        surplus: see `pictures`.
        turn_deg: largest turn of the picture.
        mirror: [N] bool, which ones are flipped.
        generator: of the movement; None cuts the middle out.

    Returns:
        Crops [N, 3, size_px, size_px] in -1..1, and matrices [N, 2, 3] that take a place in the crop (-1..1) to the place
        in the true box (-1..1).
    """
    count = len(pictures)
    zeros, ones = torch.zeros(count), torch.ones(count)
    scale, shift, turn = ones, torch.zeros(count, 2), zeros
    if generator is not None:
        scale = _uniform(count, 0.93, 1.09, generator)
        shift = torch.stack([_uniform(count, -0.06, 0.06, generator) for _ in range(2)], dim=-1)
        turn = torch.deg2rad(_uniform(count, -turn_deg, turn_deg, generator))
    flip = torch.where(mirror, -ones, ones)
    cos, sin = turn.cos() * scale, turn.sin() * scale
    matrix = torch.stack(
        [torch.stack([cos * flip, -sin, shift[:, 0]], dim=-1), torch.stack([sin * flip, cos, shift[:, 1]], dim=-1)], dim=1
    )
    grid = F.affine_grid(matrix / surplus, [count, 3, size_px, size_px], align_corners=False)
    crops = F.grid_sample(pictures.float(), grid, padding_mode="border", align_corners=False)
    return crops / 127.5 - 1, matrix


def wear(crops: Tensor, *, tint: float, generator: torch.Generator) -> Tensor:
    """Blurs, tints and adds noise, each picture in its own way; crops [N, 3, S, S] in -1..1."""
    count, size = len(crops), crops.shape[-1]
    worn = crops
    for share in (0.75, 0.5, 0.35):
        chosen = torch.rand(count, generator=generator) < 0.12
        if bool(chosen.any()):
            small = F.interpolate(worn[chosen], size=max(8, round(size * share)), mode="bilinear", antialias=True)
            worn = worn.clone()
            worn[chosen] = F.interpolate(small, size=size, mode="bilinear")
    light = 1 + _uniform(count, -tint, tint, generator)
    colour = 1 + _uniform(count * 3, -tint / 2, tint / 2, generator).view(count, 3)
    lift = _uniform(count, -tint / 2, tint / 2, generator)
    worn = worn * (light[:, None] * colour)[..., None, None] + lift[:, None, None, None]
    noise = 0.06 * torch.rand(count, generator=generator).square()
    worn = worn + noise[:, None, None, None] * torch.randn(worn.shape, generator=generator)
    return worn.clamp(-1, 1)


def _picks(count: int, total: int, generator: torch.Generator) -> Tensor:
    return torch.randint(total, (count,), generator=generator)


def _moved_points(points: Tensor, matrix: Tensor) -> Tensor:
    """Points [N, P, 2] of the true box in the crop that `matrix` [N, 2, 3] belongs to."""
    return torch.einsum("nij,npj->npi", torch.linalg.inv(matrix[:, :, :2]), points - matrix[:, None, :, 2])


def mirrored_points(points: Tensor, mirror: Tensor) -> Tensor:
    """Points [N, P, ...] with left and right exchanged where `mirror` [N] says so; coordinates are not touched."""
    return torch.where(mirror.view(-1, *(1,) * (points.ndim - 1)), points[:, MIRRORED_POINTS], points)


def train_points(
    judge: PointJudge, book: LookBook, run: Path, config: LoopConfig, *, batch_size: int, seed: int
) -> dict[str, float]:
    """Trains in place (averaged weights); the loss is the mean distance in torsos, as the judge's own error is measured."""
    looks = book.looks
    torso = (looks.points[:, JOINT["neck"]] - looks.points[:, JOINT["pelvis"]]).norm(dim=-1).clamp(min=0.3)
    by_framing = [(looks.framing == index).nonzero()[:, 0] for index in range(len(POINTS_FRAMINGS))]
    counts = torch.tensor([len(rows) for rows in by_framing])
    likely = torch.tensor(POINTS_FRAMINGS)[looks.framing] / counts[looks.framing]
    loop = TrainingLoop({"points": judge}, config, run, seed=seed)

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        at = torch.multinomial(likely, batch_size, replacement=True, generator=generator)
        mirror = torch.rand(batch_size, generator=generator) < 0.5
        crops, matrix = cut(
            looks.person[at], size_px=POINTS_PX, surplus=SURPLUS, turn_deg=8, mirror=mirror, generator=generator
        )
        found, _ = judge(wear(crops, tint=0.3, generator=generator))
        wanted = _moved_points(looks.points[at], matrix)
        wanted, seen = mirrored_points(wanted, mirror), mirrored_points(looks.seen[at], mirror)
        apart = (found - wanted).norm(dim=-1) / torso[at][:, None]
        loss = (apart * seen).sum() / seen.sum().clamp(min=1)
        return loss, {"median": float(apart.detach()[seen].median())}

    latest = loop.run(loss_of)
    loop.load_averaged()
    return latest


def train_head(
    judge: HeadJudge, book: LookBook, run: Path, config: LoopConfig, *, batch_size: int, seed: int
) -> dict[str, float]:
    """Trains in place (averaged weights) on turn and expression together."""
    looks = book.looks
    yaw, pitch, roll = looks.angles_rad.unbind(dim=-1)
    turn = torch.stack([yaw.sin(), yaw.cos(), pitch.sin(), roll.sin()], dim=-1)
    shows = (yaw.cos() * pitch.cos() > FACE_SHOWS_COS) & (looks.radius_px > FACE_SHOWS_PX)
    spread = looks.expression[shows].std(dim=0).clamp(min=0.03)
    # Half of every batch shows a face from near: there the expression is learnt.
    # Closed lids are rare and hard to tell: they come four times as often.
    lids = looks.expression[:, [COEFFICIENT["blink_left"], COEFFICIENT["blink_right"]]].amax(dim=1)
    near = torch.cat([shows.nonzero()[:, 0], *[(shows & (lids > 0.25)).nonzero()[:, 0]] * 3])
    every = (looks.radius_px > 6).nonzero()[:, 0]
    # The eyes' small movements weigh more, or they are learnt last.
    weight, counts = torch.ones(len(FACE_POINTS)), torch.ones(judge.num_expression)
    weight[[FACE_POINT["left_iris"], FACE_POINT["right_iris"]]] = 10
    counts[COEFFICIENT["gaze_x"]], counts[COEFFICIENT["gaze_y"]] = 3, 9
    loop = TrainingLoop({"head": judge}, config, run, seed=seed)

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        half = batch_size // 2
        at = torch.cat([near[_picks(half, len(near), generator)], every[_picks(batch_size - half, len(every), generator)]])
        mirror = torch.rand(len(at), generator=generator) < 0.5
        crops, matrix = cut(looks.head[at], size_px=HEAD_PX, surplus=SURPLUS, turn_deg=0, mirror=mirror, generator=generator)
        found = judge(wear(crops, tint=0.3, generator=generator))
        flip = torch.where(mirror, -1.0, 1.0)
        wanted_turn = turn[at] * torch.stack([flip, torch.ones_like(flip), torch.ones_like(flip), flip], dim=-1)
        wanted = mirror_expression(looks.expression[at], mirror)
        turned = (found.turn - wanted_turn).abs().mean()
        face = ((found.expression - wanted) / spread).square()  # a mean, not a median: blinks are rare
        moved = ((face * counts).mean(dim=-1) * shows[at]).sum() / shows[at].sum().clamp(min=1)
        goal = _moved_points(looks.landmarks[at], matrix)
        goal = torch.where(mirror[:, None, None], goal[:, MIRRORED_FACE_POINTS], goal)
        apart = ((found.landmarks - goal).norm(dim=-1) * weight).mean(dim=1)
        placed = (apart * shows[at]).sum() / shows[at].sum().clamp(min=1)
        numbers = {"turn": float(turned.detach()), "face": float(moved.detach()), "placed": float(placed.detach())}
        return 2 * turned + 0.5 * moved + 6 * placed, numbers

    latest = loop.run(loss_of)
    loop.load_averaged()
    return latest


def train_who(
    judge: WhoJudge, book: LookBook, run: Path, config: LoopConfig, *, batch_size: int, seed: int
) -> dict[str, float]:
    """Trains in place (averaged weights): of `batch_size` actors, two pictures from different scenes find each other."""
    looks = book.looks
    actors = int(book.actor.max()) + 1
    takes = [[((book.actor == who) & (looks.take == take)).nonzero()[:, 0] for take in range(3)] for who in range(actors)]
    loop = TrainingLoop({"who": judge}, config, run, seed=seed)

    def one_of(rows: Tensor, generator: torch.Generator) -> int:
        return int(rows[_picks(1, len(rows), generator)])

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        people = torch.randperm(actors, generator=generator)[:batch_size].tolist()
        first, second = [], []
        for who in people:
            a = int(_picks(1, 3, generator))
            b = (a + 1 + int(_picks(1, 2, generator))) % 3
            first.append(one_of(takes[who][a], generator))
            second.append(one_of(takes[who][b], generator))
        at = torch.tensor(first + second)
        crops, _ = cut(
            looks.person[at], size_px=WHO_PX, surplus=SURPLUS, turn_deg=8,
            mirror=torch.zeros(len(at), dtype=torch.bool), generator=generator,
        )  # fmt: skip
        found, _ = judge(wear(crops, tint=0.12, generator=generator))
        alike = HEAT * found[: len(people)] @ found[len(people) :].T
        own = torch.arange(len(people))
        loss = (F.cross_entropy(alike, own) + F.cross_entropy(alike.T, own)) / 2
        return loss, {"rank1": float((alike.detach().argmax(dim=1) == own).float().mean())}

    latest = loop.run(loss_of)
    loop.load_averaged()
    return latest


assert round(POINTS_PX * SURPLUS) == PERSON_PX
assert round(HEAD_PX * SURPLUS) == HEAD_CROP_PX
