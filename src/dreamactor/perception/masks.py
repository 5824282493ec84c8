"""Which pixels show the person, frame by frame: the segmentation of mediapipe's pose network, at a third of the cost of
a whole perception. For clips in which one person is seen; tracks say nothing about pixels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dreamactor.errors import ConfigError


class PersonMasker:
    """Draws masks; one object per process, closed when done."""

    def __init__(self) -> None:
        try:
            from mediapipe.python.solutions.pose import Pose

            from dreamactor.perception.mediapipe import quiet_native_logs
        except ImportError as error:
            raise ConfigError(
                f"Masks need mediapipe 0.10.21, but it cannot be imported ({error}). "
                "Install it with: pip install 'dreamactor[mediapipe]'"
            ) from error
        self._quiet = quiet_native_logs
        with quiet_native_logs():
            self._pose = Pose(
                static_image_mode=False,
                model_complexity=1,  # 0 and 2 would be downloaded
                smooth_landmarks=False,
                enable_segmentation=True,
                smooth_segmentation=False,
            )

    def masks(self, frames: Tensor) -> Tensor:
        """Follows the person through consecutive frames.

        Args:
            frames: [T, H, W, 3] uint8.

        Returns:
            [T, H, W] uint8, 255 on the person, soft at the edge; where the person was missed, the nearest frame's mask;
            zeros where nobody was found at all.
        """
        with self._quiet():
            self._pose.reset()
        found = [self._mask(frame.contiguous().numpy()) for frame in frames]
        known = {index: mask for index, mask in enumerate(found) if mask is not None}
        if not known:
            return torch.zeros(frames.shape[:3], dtype=torch.uint8)
        nearest = [min(known, key=lambda other: abs(other - index)) for index in range(len(found))]
        return torch.from_numpy(np.stack([known[index] for index in nearest]))

    def close(self) -> None:
        """Frees the network."""
        self._pose.close()

    def _mask(self, picture: np.ndarray) -> np.ndarray | None:
        with self._quiet():
            seen = self._pose.process(picture).segmentation_mask
        return None if seen is None else (seen.clip(0, 1) * 255).round().astype(np.uint8)
