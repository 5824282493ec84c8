"""Both face encoders on equal terms: the same frames of the training clips, the same codes to read off them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from dreamactor.data.samples import load_sample
from dreamactor.errors import InputError
from dreamactor.guidance.face_crop import CROP_PX, augment_crops, normalize_landmarks
from dreamactor.guidance.jitter import jitter_track
from dreamactor.guidance.person_box import crop_boxes
from dreamactor.models.face_motion import ImplicitFaceEncoder
from dreamactor.training.loop import LoopConfig, TrainingLoop

FEWEST_FACES: Final = 4


@dataclass(frozen=True, kw_only=True)
class Faces:
    """Frames that show a face, as perception might see them; N of them.

    Attributes:
        points: [N, P, 3] pose-normalised.
        codes: [N, E], the exact expressions.
        boxes: [N, 4] crop boxes in pixels.
        frames: sample and frame number of each.
    """

    points: Tensor
    codes: Tensor
    boxes: Tensor
    frames: list[tuple[Path, int]]

    @property
    def names(self) -> list[str]:
        """One for every frame."""
        return [f"{path.stem}/{moment}" for path, moment in self.frames]


def collect_faces(paths: Sequence[Path]) -> Faces:
    """All frames of the samples in which a face is found.

    Raises:
        InputError: hardly any.
    """
    points, codes, boxes, frames = [], [], [], []
    for path in paths:
        sample = load_sample(path)
        track = jitter_track(sample.track, generator=torch.Generator().manual_seed(sample.seed))
        found = track.face.tracked
        points.append(normalize_landmarks(track.face, track.head)[found])
        codes.append(sample.expression[found])
        boxes.append(track.face.box[found])
        frames += [(path, int(t)) for t in torch.nonzero(found).flatten()]
    if len(frames) < FEWEST_FACES:
        raise InputError(f"Only {len(frames)} frames of {len(paths)} training clips show a face. Draw more or larger clips.")
    return Faces(points=torch.cat(points), codes=torch.cat(codes), boxes=torch.cat(boxes), frames=frames)


def face_crops(faces: Faces, picks: Tensor, *, generator: torch.Generator) -> Tensor:
    """Augmented crops of some of the faces: [t, 3, 224, 224] uint8."""
    crops = []
    for pick in picks.tolist():
        path, moment = faces.frames[pick]
        with safe_open(path, framework="pt") as opened:
            frame = opened.get_slice("frames")[moment : moment + 1]
        crop = crop_boxes(frame, faces.boxes[pick : pick + 1], size_px=CROP_PX)
        crops.append(augment_crops(crop, generator=generator))
    return torch.cat(crops)


def train_implicit_encoder(
    encoder: ImplicitFaceEncoder, faces: Faces, run: Path, config: LoopConfig, *, batch_size: int, seed: int
) -> dict[str, float]:
    """Trains in place (averaged weights) by the loss of `train_landmark_encoder`, on the same frames in the same order."""
    loop = TrainingLoop({"face": encoder}, config, run, seed=seed)
    spread = faces.codes.var(dim=0).clamp(min=1e-4)

    def loss_of(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        picks = torch.randint(len(faces.frames), (batch_size,), generator=generator)
        # A generator of its own, so that both encoders draw the same frames.
        varied = torch.Generator().manual_seed(1_000_003 * seed + loop.step)
        crops = face_crops(faces, picks, generator=varied)
        error = F.mse_loss(encoder(crops).float(), faces.codes[picks], reduction="none").mean(dim=0)
        return (error / spread).mean(), {"explained": float(1 - (error.detach() / spread).mean())}

    latest = loop.run(loss_of)
    loop.load_averaged()
    return latest
