"""What any estimator of people must offer: one picture in, one `RawPerson` out. Knows no library and no time filter.

A raw person is exactly what was seen in one picture, in that picture's pixels: nothing is smoothed, filled or judged
here, so that every estimator goes through the same later stages (`assemble.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from dreamactor.geometry.skeleton import NUM_BODY_JOINTS, NUM_FACE_POINTS, NUM_HAND_JOINTS
from dreamactor.types.shapes import expect_shape


@dataclass(frozen=True, kw_only=True, slots=True)
class RawPerson:
    """One person in one picture, as the estimator saw it.

    Attributes:
        joints_px: [J, 2] float32 pixels, order of `BODY_JOINTS`; zeros where `found` is False.
        joints_m: [J, 3] float32 metres about the pelvis, x right, y down, z away from the camera.
        confidence: [J] float32 in 0..1, the estimator's own.
        found: whether there is a body at all.
        hands: [2, 21, 3] float32, order of `HANDS` and `HAND_JOINTS`; x, y pixels, z pixels relative to the hand's own
            wrist, positive away from the camera.
        hand_found: [2] bool.
        face: [P, 3] float32, order of `FACE_POINTS`; x, y pixels, z pixels relative to the mean of the points, positive
            away from the camera.
        face_found: whether there is a face; False in back views, which is a normal state.
        mask: [H, W] uint8, 255 on the person; None where the estimator was not asked for it or saw nobody.
    """

    joints_px: Tensor
    joints_m: Tensor
    confidence: Tensor
    found: bool
    hands: Tensor
    hand_found: Tensor
    face: Tensor
    face_found: bool
    mask: Tensor | None = None

    def __post_init__(self) -> None:
        expect_shape("joints_px", self.joints_px, f"{NUM_BODY_JOINTS} 2")
        expect_shape("joints_m", self.joints_m, f"{NUM_BODY_JOINTS} 3")
        expect_shape("confidence", self.confidence, f"{NUM_BODY_JOINTS}")
        expect_shape("hands", self.hands, f"2 {NUM_HAND_JOINTS} 3")
        expect_shape("hand_found", self.hand_found, "2")
        expect_shape("face", self.face, f"{NUM_FACE_POINTS} 3")


def nobody() -> RawPerson:
    """What an estimator returns for a picture in which it sees no one."""
    return RawPerson(
        joints_px=torch.zeros(NUM_BODY_JOINTS, 2),
        joints_m=torch.zeros(NUM_BODY_JOINTS, 3),
        confidence=torch.zeros(NUM_BODY_JOINTS),
        found=False,
        hands=torch.zeros(2, NUM_HAND_JOINTS, 3),
        hand_found=torch.zeros(2, dtype=torch.bool),
        face=torch.zeros(NUM_FACE_POINTS, 3),
        face_found=False,
    )


class PersonEstimator(Protocol):
    """Sees one person per picture.

    A tracking estimator remembers where the person was in the picture before; a static one treats every picture on its
    own and also returns the person's mask. Which of the two it is was said when it was built.

    Attributes:
        name: library and version, for people ("mediapipe 0.10.21").
        settings: everything that changes its results, as one line; part of the cache key.
    """

    name: str
    settings: str

    def reset(self) -> None:
        """Forgets the person followed so far: the next picture has nothing to do with the last one."""

    def close(self) -> None:
        """Frees what the estimator holds; it may be used again and then starts anew."""

    def people(self, image: Tensor) -> Tensor:
        """Everybody in a picture.

        Args:
            image: [H, W, 3] uint8 RGB.

        Returns:
            [N, 4] float32 boxes x0, y0, x1, y1 in pixels, largest first; they may reach outside the picture.
        """

    def observe(self, image: Tensor, *, within: Tensor | None = None) -> RawPerson:
        """Looks at the next picture.

        Args:
            image: [H, W, 3] uint8 RGB.
            within: [4] box of the person to start on, from `people`; None goes on with the person followed so far, or
                starts on the most conspicuous one.
        """
