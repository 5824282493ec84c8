"""Which conditions a training clip keeps: each one at its own ratio, which may rise over a stage, and all together.

Ratios that rise from a low value are the condition warm-up after OmniHuman-1 (section 4.1): the stronger a condition, the
lower its ratio, so that the network does not lean on the strong one and forget what it can do without.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class Ratio:
    """Share of clips that keep a condition, 0..1, linear over a stage.

    Attributes:
        first, last: at the first and at the last step.
    """

    first: float
    last: float

    def at(self, progress: float) -> float:
        """After this share of the stage, 0..1."""
        return self.first + (self.last - self.first) * min(max(progress, 0.0), 1.0)


def steady(share: float) -> Ratio:
    """The same over a whole stage."""
    return Ratio(first=share, last=share)


MOSTLY, OFTEN, NEARLY_ALWAYS = steady(0.9), steady(0.85), steady(0.95)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ratios:
    """Share of clips that keep each condition; independent of each other, but for the last two.

    Attributes:
        references, skeleton, sphere, face, proxy: the conditions.
        motion: what keeps any motion; the rest has references alone, as the branch of guidance that has no motion.
        anything: what keeps any condition; the rest has none, as the branch of guidance that has nothing.
    """

    references: Ratio = NEARLY_ALWAYS
    skeleton: Ratio = NEARLY_ALWAYS
    sphere: Ratio = NEARLY_ALWAYS
    face: Ratio = OFTEN
    proxy: Ratio = MOSTLY
    motion: Ratio = NEARLY_ALWAYS
    anything: Ratio = NEARLY_ALWAYS


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What one clip keeps.

    Attributes:
        references: [K] bool, of its reference pictures.
        skeleton, sphere, face, proxy: whether it keeps that.
    """

    references: Tensor
    skeleton: bool = True
    sphere: bool = True
    face: bool = True
    proxy: bool = True


def everything(num_references: int) -> Kept:
    """Nothing dropped."""
    return Kept(references=torch.ones(num_references, dtype=torch.bool))


def draw_kept(ratios: Ratios, progress: float, num_references: int, *, generator: torch.Generator) -> Kept:
    """Draws what a clip keeps. Of several references, one to all of them are shown, each number as often.

    Args:
        ratios: of the stage.
        progress: share of the stage that is done.
        num_references: K.
        generator: the clip's own.
    """
    chances = torch.rand(7, generator=generator).tolist()
    order = torch.randperm(num_references, generator=generator)
    count = int(torch.randint(1, num_references + 1, (1,), generator=generator)) if num_references else 0
    names = ("references", "skeleton", "sphere", "face", "proxy", "motion", "anything")
    keeps = {name: chance < getattr(ratios, name).at(progress) for name, chance in zip(names, chances, strict=True)}
    shown = torch.zeros(num_references, dtype=torch.bool)
    if keeps["references"] and keeps["anything"]:
        shown[order[:count]] = True
    moves = keeps["motion"] and keeps["anything"]
    return Kept(
        references=shown,
        skeleton=keeps["skeleton"] and moves,
        sphere=keeps["sphere"] and moves,
        face=keeps["face"] and moves,
        proxy=keeps["proxy"] and moves,
    )
