"""Pre-trains the implicit face encoder E_f on faces of many actors (section 3.2).

A token's first numbers are read out as expression coefficients; the others are free: they say what two actors with the same
expression have in common and the coefficients do not say. Pairs of actors that do the same, each with its own head pose,
light and crop, must get the same token; what tells the head pose is pushed out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.data.faces import SURPLUS, FaceViews, load_face_views
from dreamactor.guidance.person_box import MIRRORED_FACE_POINTS
from dreamactor.models.face_motion import LOOK_PX, FaceLook, ImplicitFaceEncoder
from dreamactor.training.loop import LoopConfig, TrainingLoop
from dreamactor.training.mirror import mirror_expression

TURN_DEG, SHIFT, ZOOM = 8.0, 0.07, 0.14
"""How far crops are turned, moved and scaled: more than a perceived box errs."""
LEAST_SPREAD: Final = 0.05
"""Coefficients that vary less do not weigh more than this."""
WEIGHTS: Final = {"placed": 6.0, "turned": 1.0, "read": 0.6, "agree": 0.3, "apart": 2.0, "free": 0.3}
"""Of the losses: face points, head pose, coefficients, agreement of pairs, what tells the pose, and the free numbers."""

WANTED_MOST: Final = {
    "gaze_x": 2.0, "gaze_y": 4.0, "brow_raise_left": 2.0, "brow_raise_right": 2.0, "smile_left": 2.0, "smile_right": 2.0,
}  # fmt: skip
"""Coefficients whose errors count more: small movements that are learnt last otherwise."""


@dataclass(frozen=True, kw_only=True)
class FaceBook:
    """Pictures of many actors, two by two doing the same; M pairs.

    Attributes:
        pictures: [2, M, 3, S, S] uint8.
        points: [2, M, P, 2] in -1..1 of the face box.
        turn: [2, M, 3] sines of yaw, pitch and roll.
        expression: [M, E].
    """

    pictures: Tensor
    points: Tensor
    turn: Tensor
    expression: Tensor


def load_face_book(paths: Sequence[Path]) -> FaceBook:
    """Reads the pictures of actors given in pairs; moments in which one of them looks away are left out.

    Raises:
        ValueError: an odd number of actors, or no moment at all.
    """
    if len(paths) % 2:
        raise ValueError(f"Actors come in pairs, got {len(paths)}.")
    found: dict[str, list[Tensor]] = {field.name: [] for field in fields(FaceBook)}
    for first, second in zip(paths[::2], paths[1::2], strict=True):
        pair = [load_face_views(path) for path in (first, second)]
        count = len(pair[0].pictures)
        both = pair[0].tracked[:count] & pair[1].tracked[:count]
        found["pictures"].append(torch.stack([one.pictures[both] for one in pair]))
        found["points"].append(torch.stack([one.points[:count][both][..., :2] for one in pair]))
        found["turn"].append(torch.stack([one.angles_rad[:count][both].sin() for one in pair]))
        found["expression"].append(_shared_expression(pair)[:count][both][None])
    book = FaceBook(**{name: torch.cat(parts, dim=1) for name, parts in found.items() if name != "expression"},
                    expression=torch.cat(found["expression"], dim=1)[0])  # fmt: skip
    if not len(book.expression):
        raise ValueError("No moment shows both faces of a pair.")
    return book


def _shared_expression(pair: list[FaceViews]) -> Tensor:
    if not torch.equal(pair[0].expression, pair[1].expression):
        raise ValueError("Actors of a pair do not do the same. Give them in the order of their seeds, from an even one on.")
    return pair[0].expression


def _uniform(count: int, reach: float, generator: torch.Generator) -> Tensor:
    return reach * (2 * torch.rand(count, generator=generator) - 1)


def move_pictures(pictures: Tensor, points: Tensor, flipped: Tensor, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cuts crops out of larger pictures as an unsure box would.

    Args:
        pictures: [N, 3, S, S] uint8, the face box enlarged by `SURPLUS`.
        points: [N, P, 2] in -1..1 of the box.
        flipped: [N] bool, who is mirrored.
        generator: of the movement.

    Returns:
        Crops [N, 3, LOOK_PX, LOOK_PX] in 0..255, and the points in -1..1 of the crop.
    """
    count = len(pictures)
    scale, turn = (_uniform(count, ZOOM, generator)).exp(), torch.deg2rad(_uniform(count, TURN_DEG, generator))
    shift = torch.stack([_uniform(count, SHIFT, generator), _uniform(count, SHIFT, generator)], dim=-1)
    flip = torch.where(flipped, -1.0, 1.0)
    cos, sin = turn.cos() * scale, turn.sin() * scale
    linear = torch.stack([torch.stack([cos * flip, -sin], dim=-1), torch.stack([sin * flip, cos], dim=-1)], dim=1)
    matrix = torch.cat([linear, shift[..., None]], dim=-1)  # crop -> box
    grid = F.affine_grid(matrix / SURPLUS, [count, 3, LOOK_PX, LOOK_PX], align_corners=False)
    crops = F.grid_sample(pictures.float(), grid, padding_mode="border", align_corners=False)
    moved = torch.einsum("nij,npj->npi", torch.linalg.inv(linear), points - shift[:, None])
    return crops, torch.where(flipped[:, None, None], moved[:, MIRRORED_FACE_POINTS], moved)


def middle_of(pictures: Tensor) -> Tensor:
    """The face box itself: pictures [N, 3, S, S] uint8, enlarged by `SURPLUS` -> [N, 3, LOOK_PX, LOOK_PX] in -1..1."""
    room = round(pictures.shape[-1] * (1 - 1 / SURPLUS) / 2)
    inside = pictures[..., room : pictures.shape[-2] - room, room : pictures.shape[-1] - room]
    return F.interpolate(inside.float() / 127.5 - 1, size=LOOK_PX, mode="bilinear", antialias=True)


def wear_pictures(crops: Tensor, *, generator: torch.Generator) -> Tensor:
    """Varies resolution, light, colour, texture and noise, each picture in its own way: [N, 3, S, S] in 0..255 -> -1..1.

    Drawn faces have few colours and smooth surfaces; what moves is to be read off other surfaces too.
    """
    count, size = len(crops), crops.shape[-1]
    worn = crops / 127.5 - 1
    grey = torch.rand(count, generator=generator) < 0.15
    worn = torch.where(grey[:, None, None, None], worn.mean(dim=1, keepdim=True).expand_as(worn), worn)
    mix = torch.eye(3) + 0.15 * torch.randn(count, 3, 3, generator=generator)  # colours turned, light kept
    worn = torch.einsum("nij,njhw->nihw", mix / mix.sum(dim=-1, keepdim=True).clamp(min=0.5), worn)
    contrast = (1 + _uniform(count, 0.4, generator))[:, None, None, None]
    worn = worn * contrast + _uniform(count, 0.35, generator)[:, None, None, None]
    # A slope of light across the picture, and soft spots.
    line = torch.linspace(-1, 1, size)
    tilt = 0.35 * torch.randn(count, 2, generator=generator)
    worn = worn * (1 + tilt[:, 0, None, None, None] * line + tilt[:, 1, None, None, None] * line[:, None])
    cells = int(torch.randint(6, 40, (), generator=generator))
    texture = torch.randn(count, 3, cells, cells, generator=generator)
    texture = texture * 0.16 * torch.rand(count, 1, 1, 1, generator=generator).square()
    worn = worn + F.interpolate(texture, size=size, mode="bilinear")
    for share in (0.7, 0.5, 0.36):  # heads of 100, 70 and 50 pixels
        chosen = torch.rand(count, generator=generator) < 0.14
        if bool(chosen.any()):
            small = F.interpolate(worn[chosen], size=round(size * share), mode="bilinear", antialias=True)
            worn = worn.clone()
            worn[chosen] = F.interpolate(small, size=size, mode="bilinear")
    noise = 0.08 * torch.rand(count, 1, 1, 1, generator=generator).pow(3)
    return (worn + noise * torch.randn(worn.shape, generator=generator)).clamp(-1, 1)


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Correlations [A, B] over the rows of [N, A] and [N, B]."""
    a, b = (x - x.mean(dim=0) for x in (a, b))
    a, b = (x / (x.square().mean(dim=0) + 1e-4).sqrt() for x in (a, b))
    return a.T @ b / len(a)


def importance(num_read: int) -> Tensor:
    """[E] weights of the coefficients' errors, one on average."""
    weight = torch.ones(num_read)
    for name, value in WANTED_MOST.items():
        if COEFFICIENT.get(name, num_read) < num_read:
            weight[COEFFICIENT[name]] = value
    return weight / weight.mean()


def face_losses(look: FaceLook, points: Tensor, turn: Tensor, expression: Tensor, spread: Tensor) -> dict[str, Tensor]:
    """The losses of pairs: the first half of all rows and the second half do the same, row by row.

    Args:
        look: what the encoder made of [2 M] pictures.
        points, turn: [2 M, P, 2] and [2 M, 3], the truth.
        expression: [2 M, E], the truth of what is read.
        spread: [E] usual size of the coefficients' movements.
    """
    read = expression.shape[1]
    tokens = look.tokens
    coefficients, free = (tokens[:, :read] - expression) / spread, tokens[:, read:]
    first, second = (tokens / torch.cat([spread, torch.ones(free.shape[1])])).chunk(2)
    # What pose explains of a token beyond the truth: pose and expression are drawn independently.
    pose = torch.cat([turn, turn[:, :2].square()], dim=1)
    losses = {
        "placed": (look.points - points).norm(dim=-1).mean(),
        "turned": (look.turn - turn).abs().mean(),
        "read": (coefficients.square() * importance(read)).mean(),
        "agree": (first - second).square().mean(),
        "apart": correlation(torch.cat([coefficients, free], dim=1), pose).square().mean(),
    }
    if free.shape[1]:
        among = correlation(free, torch.cat([free, expression], dim=1))
        same = torch.eye(free.shape[1], among.shape[1])
        losses["free"] = F.relu(1 - free.var(dim=0).add(1e-4).sqrt()).mean() + ((among - same).square()).sum(1).mean()
    return losses


def train_implicit_encoder(
    encoder: ImplicitFaceEncoder, book: FaceBook, run: Path, config: LoopConfig, *, batch_size: int, seed: int,
    report: Callable[[int], None] = lambda done: None,
) -> dict[str, float]:  # fmt: skip
    """Trains in place (averaged weights); returns the means over the last window.

    Args:
        encoder: the network; it reads as many coefficients as the book has.
        book: what it learns from.
        run: folder of checkpoint and log.
        config: the loop's.
        batch_size: pictures a step, half of them of either actor of a pair.
        seed: of batches.
        report: called with the steps done.
    """
    if encoder.num_read != book.expression.shape[1]:
        raise ValueError(f"The encoder reads {encoder.num_read} coefficients, the faces have {book.expression.shape[1]}.")
    loop = TrainingLoop({"face": encoder}, config, run, seed=seed)
    spread = book.expression.std(dim=0).clamp(min=LEAST_SPREAD)

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        pairs = torch.randint(len(book.expression), (batch_size // 2,), generator=generator)
        worn = worn_batch(book, pairs, generator=generator)
        report(loop.step + 1)
        return _weighed(face_losses(encoder.look(worn.pictures), worn.points, worn.turn, worn.expression, spread))

    latest = loop.run(loss_of)
    loop.load_averaged()
    return latest


@dataclass(frozen=True, kw_only=True)
class WornBatch:
    """Crops as an unsure box cuts them, worn, of [2 M] pictures: of one actor of every pair first, then of the other.

    Attributes:
        pictures: [2 M, 3, LOOK_PX, LOOK_PX] in -1..1.
        points: [2 M, P, 2] in -1..1 of the crop; turn: [2 M, 3]; expression: [2 M, E].
    """

    pictures: Tensor
    points: Tensor
    turn: Tensor
    expression: Tensor


def worn_batch(book: FaceBook, pairs: Tensor, *, generator: torch.Generator) -> WornBatch:
    """Pairs [M] int64 of the book; the two of a pair are mirrored together."""
    flipped = (torch.rand(len(pairs), generator=generator) < 0.5).repeat(2)
    crops, points = move_pictures(
        book.pictures[:, pairs].flatten(0, 1), book.points[:, pairs].flatten(0, 1), flipped, generator=generator
    )
    sign = torch.where(flipped, -1.0, 1.0)
    return WornBatch(
        pictures=wear_pictures(crops, generator=generator),
        points=points,
        turn=book.turn[:, pairs].flatten(0, 1) * torch.stack([sign, torch.ones_like(sign), sign], dim=-1),
        expression=mirror_expression(book.expression[pairs].repeat(2, 1), flipped),
    )


def _weighed(losses: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    loss = torch.stack([WEIGHTS[name] * value for name, value in losses.items()]).sum()
    return loss, {name: float(value.detach()) for name, value in losses.items()}


def train_reader(
    encoder: ImplicitFaceEncoder, book: FaceBook, run: Path, config: LoopConfig, *, batch_size: int, passes: int, seed: int,
    report: Callable[[int], None] = lambda done: None,
) -> dict[str, float]:  # fmt: skip
    """Trains what reads (close looks and MLP) on what the finished rest finds in `passes` worn versions of every picture.

    The rest costs most of a step; without it a step is several times faster. For the arguments see `train_implicit_encoder`.
    """
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, list[Tensor]] = {name: [] for name in ("features", "near", "points", "turn", "wanted", "aim")}
    encoder.eval()
    for pairs in torch.arange(len(book.expression)).repeat(passes).split(32):
        worn = worn_batch(book, pairs, generator=generator)
        with torch.no_grad():
            seen = encoder.find(worn.pictures)
        near = ((seen.near + 1) * 127.5).round().to(torch.uint8)
        parts = (seen.features.half(), near, seen.points.half(), seen.turn, worn.expression, worn.turn)
        for name, part in zip(found, parts, strict=True):
            found[name].append(part.unflatten(0, (2, -1)))
    known = {name: torch.cat(parts, dim=1) for name, parts in found.items()}
    del found
    spread = book.expression.std(dim=0).clamp(min=LEAST_SPREAD)
    reader = nn.ModuleDict({"eye": encoder.eye, "mouth": encoder.mouth, "brows": encoder.brows, "mlp": encoder.mlp})
    loop = TrainingLoop({"reader": reader.train()}, config, run, seed=seed)

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        pairs = torch.randint(known["wanted"].shape[1], (batch_size // 2,), generator=generator)
        features, near, points, turn, wanted, aim = (known[name][:, pairs].flatten(0, 1) for name in known)
        tokens = encoder.read(features.float(), near.float() / 127.5 - 1)
        look = FaceLook(tokens=tokens, points=points.float(), turn=turn)
        losses = face_losses(look, points.float(), aim, wanted, spread)
        report(loop.step + 1)
        return _weighed({name: value for name, value in losses.items() if name not in ("placed", "turned")})

    latest = loop.run(loss_of)
    loop.load_averaged()
    encoder.eval()
    return latest
