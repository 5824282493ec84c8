"""What the face encoders see: crops from the original frames, their augmentation, and pose-normalised landmarks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from dreamactor.geometry.rotation import angles_to_matrix, flip_axes
from dreamactor.geometry.skeleton import FACE_POINT
from dreamactor.guidance.person_box import crop_boxes
from dreamactor.types.track import FaceTrack, HeadTrack

CROP_PX: Final = 224

_EYE_CORNERS: Final = (FACE_POINT["right_eye_0"], FACE_POINT["left_eye_0"])
_HEIGHT_POINTS: Final = (FACE_POINT["forehead"], FACE_POINT["chin"])
_LIPS: Final = (FACE_POINT["lip_inner_2"], FACE_POINT["lip_inner_6"])


def normalize_landmarks(face: FaceTrack, head: HeadTrack) -> Tensor:
    """Removes head rotation, position and size from face points, so that expression is what remains.

    The face's height is forehead to chin less the gap between the lips, so that an opening jaw does not shrink the
    face.

    Args:
        face: landmarks in pixels.
        head: angles of the same frames.

    Returns:
        [T, P, 3] float32: x to the person's left as seen frontally (image right), y down, z away; origin in the middle
        between the eyes' outer corners; unit: face height. Frames without a face are zero.
    """
    normalized = normalize_points(face.landmarks, head.angles_rad)
    return torch.where(face.tracked[:, None, None], normalized, torch.zeros(()))


def normalize_points(landmarks: Tensor, angles_rad: Tensor) -> Tensor:
    """The same of bare points [T, P, 3] and head angles [T, 3], all of them faces; pixels or any other unit."""
    turn = flip_axes(angles_to_matrix(angles_rad))  # [T, 3, 3] head -> pixel axes
    middle = landmarks[:, _EYE_CORNERS].mean(dim=1, keepdim=True)
    frontal = torch.einsum("tji,tpj->tpi", turn, landmarks - middle)  # R^T v
    return (frontal / _heights(landmarks)[:, None, None]).nan_to_num(0.0).clamp(-3.0, 3.0)


def move_points(face: FaceTrack, head: HeadTrack, moves: Tensor) -> FaceTrack:
    """The face with its points moved by `moves` [T, P, 3], pose-normalised like `normalize_landmarks`."""
    turn = flip_axes(angles_to_matrix(head.angles_rad))
    pixels = torch.einsum("tij,tpj->tpi", turn, moves) * _heights(face.landmarks)[:, None, None]
    return replace(face, landmarks=face.landmarks + pixels)


def _heights(landmarks: Tensor) -> Tensor:
    """[T] forehead to chin less the gap between the lips, in the points' unit."""
    top, bottom = (landmarks[:, index] for index in _HEIGHT_POINTS)
    height = (top - bottom).norm(dim=-1)
    upper_lip, lower_lip = (landmarks[:, index] for index in _LIPS)
    gap = (lower_lip - upper_lip).norm(dim=-1)
    return torch.maximum(height - gap, 0.5 * height).clamp_min(1e-3)


def crop_faces(frames: Tensor, face: FaceTrack, *, size_px: int = CROP_PX) -> Tensor:
    """Cuts the faces out of the original frames.

    Args:
        frames: [T, H, W, 3] uint8 RGB, the frames the track's pixels refer to.
        face: boxes; they may reach outside the picture (the picture's edge pixels are repeated there).

    Returns:
        [T, 3, S, S] uint8 RGB; black where no face is tracked.
    """
    return crop_boxes(frames, face.box, size_px=size_px, wanted=face.tracked)


@dataclass(frozen=True, kw_only=True, slots=True)
class CropAugmentation:
    """How far training crops are varied, once per clip so that motion stays motion.

    Attributes:
        shift: largest move as a share of the crop.
        zoom: largest relative change of scale.
        light: largest relative change of brightness and contrast.
        tint: largest relative change of one colour channel.
        blur_px: largest standard deviation of the blur.
        noise: largest standard deviation of pixel noise, of 255.
    """

    shift: float = 0.06
    zoom: float = 0.12
    light: float = 0.35
    tint: float = 0.2
    blur_px: float = 1.5
    noise: float = 6.0


def augment_crops(
    crops: Tensor,
    *,
    generator: torch.Generator,
    augmentation: CropAugmentation = CropAugmentation(),
) -> Tensor:
    """Varies crops in colour, sharpness, place and size so that the face encoder learns the expression alone.

    Args:
        crops: [T, 3, S, S] uint8.
        generator: source of randomness; one draw for all T frames.

    Returns:
        [T, 3, S, S] uint8.
    """

    def draw(spread: float, count: int = 1) -> Tensor:
        return (torch.rand(count, generator=generator) * 2 - 1) * spread

    image = crops.float()
    zoom, shift = float(1.0 + draw(augmentation.zoom)), draw(2 * augmentation.shift, 2)
    theta = torch.tensor([[zoom, 0.0, float(shift[0])], [0.0, zoom, float(shift[1])]])
    grid = functional.affine_grid(theta.expand(len(image), 2, 3), list(image.shape), align_corners=False)
    image = functional.grid_sample(image, grid, padding_mode="border", align_corners=False)
    sigma = float(torch.rand(1, generator=generator)) * augmentation.blur_px
    if sigma > 0.3:
        reach = torch.arange(-4, 5, dtype=torch.float32)
        kernel = torch.exp(-0.5 * (reach / sigma) ** 2)
        kernel = (kernel / kernel.sum()).expand(3, 1, 1, -1)
        image = functional.conv2d(functional.pad(image, (4, 4, 0, 0), mode="replicate"), kernel, groups=3)
        image = functional.conv2d(functional.pad(image, (0, 0, 4, 4), mode="replicate"), kernel.mT, groups=3)
    contrast, brightness = float(1.0 + draw(augmentation.light)), float(draw(augmentation.light * 96))
    tint = (1.0 + draw(augmentation.tint, 3))[:, None, None]
    image = ((image - 127.5) * contrast + 127.5 + brightness) * tint
    noise = float(torch.rand(1, generator=generator)) * augmentation.noise
    image = image + noise * torch.randn(image.shape, generator=generator)
    return image.round().clamp(0, 255).to(torch.uint8)
