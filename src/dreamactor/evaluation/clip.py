"""All scores of one video against its truth: pixels of the frame, the person, the head and the hands, and what a reader of
pictures (the judge on drawn actors, perception on real people) finds in both.

Does not know who made the video, nor how the truth came about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from dreamactor.evaluation.frame import masked_psnr, mean_inside, squared_error, ssim_map
from dreamactor.evaluation.steadiness import background_change, drift, flicker, sharpness
from dreamactor.guidance.person_box import box_mask, hand_boxes, head_boxes
from dreamactor.types.shapes import expect_shape
from dreamactor.types.track import PersonTrack


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """What a video should have been.

    Attributes:
        frames: [T, H, W, 3] uint8.
        mask: [T, H, W] uint8, above 127 is the person; None: not known.
        track: where the person is in `frames`; None: not known.
        expression: [T, E] float32 of a drawn actor; None: not known.
        coefficients: what each of the E columns is.
        actor: seed of the drawn actor; None: a real person, or not known.
    """

    frames: Tensor
    mask: Tensor | None = None
    track: PersonTrack | None = None
    expression: Tensor | None = None
    coefficients: tuple[str, ...] = ()
    actor: int | None = None

    def __post_init__(self) -> None:
        sizes = expect_shape("frames", self.frames, "T H W 3")
        if self.mask is not None:
            expect_shape("mask", self.mask, "T H W", **sizes)
        if self.track is not None and self.track.num_frames != len(self.frames):
            raise ValueError(f"the track has {self.track.num_frames} frames, the video {len(self.frames)}")
        if self.expression is not None:
            expect_shape("expression", self.expression, "T E", T=sizes["T"], E=len(self.coefficients))


@dataclass(kw_only=True)
class Found:
    """Scores as they come in.

    Attributes:
        values: metric -> number.
        missing: metric -> why there is none.
        series: metric -> one number per frame, NaN where there is none.
    """

    values: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    series: dict[str, list[float]] = field(default_factory=dict)

    def put(self, name: str, value: float, otherwise: str) -> None:
        """Takes a number in, or the reason where it is none."""
        if math.isfinite(value):
            self.values[name] = value
        else:
            self.missing[name] = otherwise


def score_pixels(made: Tensor, truth: Truth) -> Found:
    """PSNR and SSIM of frame, person, head and hands; sharpness, flicker, background and drift of the person.

    Args:
        made: [T, H, W, 3] uint8, as long and as large as the truth.
        truth: with or without a mask and a track.
    """
    found = Found()
    error = squared_error(made, truth.frames)
    similarity = ssim_map(made, truth.frames)
    for region, mask in _regions(truth).items():
        if isinstance(mask, str):
            found.missing |= {f"psnr_{region}": mask, f"ssim_{region}": mask}
            continue
        nothing = f"the truth shows no {region}"
        found.put(f"psnr_{region}", masked_psnr(error, mask), nothing)
        found.put(f"ssim_{region}", mean_inside(similarity, mask), nothing)
    found.series["psnr_frame"] = _decibel(error.mean(dim=(1, 2)))
    if truth.mask is None:
        for name in ("sharpness_person", "flicker_person", "background_change", "drift_colour", "drift_sharpness"):
            found.missing[name] = "nobody said where the person is"
        return found
    inside = (truth.mask > 127).float()
    found.series["psnr_person"] = _decibel((error * inside).sum(dim=(1, 2)) / inside.sum(dim=(1, 2)))
    nobody, short = "the truth shows no person", "the clip is too short"
    found.put("sharpness_person", sharpness(made, truth.frames, truth.mask), nobody)
    found.put("flicker_person", flicker(made, truth.frames, truth.mask), short)
    found.put("background_change", background_change(made, truth.mask), short)
    colour = sharp = math.nan
    if len(made) >= 4:
        over_time = drift(made, truth.frames, truth.mask)
        colour, sharp = over_time.colour, over_time.sharpness
    found.put("drift_colour", colour, short)
    found.put("drift_sharpness", sharp, short)
    return found


def _regions(truth: Truth) -> dict[str, Tensor | str | None]:
    """Region -> mask [T, H, W] uint8, None for the whole frame, or why it is not known."""
    regions: dict[str, Tensor | str | None] = {"frame": None}
    regions["person"] = "nobody said where the person is" if truth.mask is None else truth.mask
    if truth.track is None:
        return regions | dict.fromkeys(("head", "hands"), "nobody said where head and hands are")
    _, height, width, _ = truth.frames.shape
    head = box_mask(head_boxes(truth.track), width=width, height=height) & truth.track.head.tracked[:, None, None]
    hands = box_mask(hand_boxes(truth.track), width=width, height=height) & truth.track.hands.tracked[..., None, None]
    return regions | {"head": head.to(torch.uint8) * 255, "hands": hands.any(dim=1).to(torch.uint8) * 255}


def _decibel(error: Tensor) -> list[float]:
    """PSNR of mean squared errors [T]; NaN stays NaN."""
    return (10 * torch.log10(255**2 / error.clamp(min=1e-12))).tolist()
