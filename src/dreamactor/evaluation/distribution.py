"""LPIPS of frames against their truth, and FID and FVD of whole sets against a set, on features of published networks.

Features are streamed: nothing grows with the number of videos. Every number has a `protocol` line that is printed with it;
numbers of other protocols do not compare. Does not know who made the videos or where the networks come from.
"""

from __future__ import annotations

from typing import ClassVar, Final, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.evaluation.frechet import Moments, frechet_distance
from dreamactor.evaluation.networks import LoadedNetwork, Missing
from dreamactor.types.shapes import expect_shape

FID_SIDE: Final = 299
"""Side in pixels of the pictures FID's network sees."""
FID_BATCH: Final = 8
"""Frames per call."""
WINDOW_FRAMES: Final = 16
"""Frames per sample of FVD; windows start this many frames apart."""


class _FeatureSet:
    """Moments of one set of videos, to be compared with another set seen by the same network."""

    unit: ClassVar[str]
    """What one sample is, in the plural."""

    def __init__(self, network: LoadedNetwork) -> None:
        self.network = network
        self._moments: Moments | None = None
        self._sizes: set[tuple[int, int]] = set()

    @property
    def num_samples(self) -> int:
        """Samples so far."""
        return 0 if self._moments is None else self._moments.count

    def distance_to(self, truth: Self) -> float | Missing:
        """Frechet distance of the features of this set from those of the truth, or why there is none.

        Raises:
            ValueError: the sets were seen by different networks.
        """
        self._expect_alike(truth)
        if self._moments is None or truth._moments is None or min(self.num_samples, truth.num_samples) < 2:
            metric = self.network.found.pinned.metric
            return Missing(
                reason=f"{metric} needs two {self.unit} on each side: {self._text()} against the truth's {truth._text()}"
            )
        return frechet_distance(self._moments, truth._moments)

    def protocol(self, truth: Self) -> str:
        """One line that says how the distance to `truth` is measured.

        Raises:
            ValueError: the sets were seen by different networks.
        """
        self._expect_alike(truth)
        pinned = self.network.found.pinned
        parts = [
            f"{pinned.metric}: {pinned.protocol}",
            f"{self._text()} against the truth's {truth._text()}",
            f"network {self.network.found.label}",
        ]
        if self._moments is not None and min(self.num_samples, truth.num_samples) <= len(self._moments.mean):
            parts.insert(2, "too few samples for a full covariance, so compare only equal sample counts")
        return "; ".join(parts)

    def _take(self, pictures: Tensor, **flags: bool) -> None:
        """Takes in the features of pictures [N, 3, ...] float32, 0..255."""
        features = self.network.features(pictures, **flags)
        if self._moments is None:
            self._moments = Moments(features.shape[1])
        self._moments.add(features)

    def _expect_alike(self, truth: Self) -> None:
        if self.network.found.sha256 != truth.network.found.sha256:
            raise ValueError("two sets must be seen by the same network")

    def _text(self) -> str:
        """What the set holds, in words."""
        return f"{self.num_samples} {self.unit}{_sizes_text(self._sizes)}"


class Fid(_FeatureSet):
    """Frechet Inception distance: one sample is one frame.

    Frames are resized as clean-fid does it, so numbers compare with that tool's "clean" mode: Pillow's and torch's
    antialiased bicubic are the same filter. The network resizes too, which leaves 299 x 299 as it is.
    """

    unit: ClassVar[str] = "frames"

    def add(self, clip: Tensor) -> None:
        """Takes every frame of a clip [T, H, W, 3] uint8."""
        self._sizes.add(_clip_size("clip", clip))
        for frames in clip.split(FID_BATCH):
            planes = frames.permute(0, 3, 1, 2).float()
            side = (FID_SIDE, FID_SIDE)
            planes = F.interpolate(planes, size=side, mode="bicubic", antialias=True, align_corners=False)
            self._take(planes, return_features=True)


class Fvd(_FeatureSet):
    """Frechet video distance: one sample is a window of 16 frames, and windows do not overlap.

    Asked as StyleGAN-V asks it. That project takes one window per video and divides the covariance by N; here every window
    counts and N - 1 divides, as in FID.

    Attributes:
        num_short_clips: clips with less than one window, left out.
        num_unused_frames: frames after the last whole window of the other clips, left out.
    """

    unit: ClassVar[str] = f"windows of {WINDOW_FRAMES} frames"

    def __init__(self, network: LoadedNetwork) -> None:
        super().__init__(network)
        self.num_short_clips = 0
        self.num_unused_frames = 0

    def add(self, clip: Tensor) -> None:
        """Takes the whole windows of a clip [T, H, W, 3] uint8, from its first frame on."""
        size = _clip_size("clip", clip)
        num_windows, rest = divmod(len(clip), WINDOW_FRAMES)
        if num_windows == 0:
            self.num_short_clips += 1
            return
        self._sizes.add(size)
        self.num_unused_frames += rest
        for window in clip[: num_windows * WINDOW_FRAMES].split(WINDOW_FRAMES):
            planes = window.permute(3, 0, 1, 2)[None].float()  # [1, 3, 16, H, W]
            self._take(planes, rescale=True, resize=True, return_features=True)

    def _text(self) -> str:
        left_out = f"left out: short clips {self.num_short_clips}, frames at ends {self.num_unused_frames}"
        return f"{super()._text()} ({left_out})"


class Lpips:
    """Learned perceptual distance of frames from their truth; 0 is equal.

    Attributes:
        num_frames: frames compared so far.
    """

    def __init__(self, network: LoadedNetwork) -> None:
        self.network = network
        self.num_frames = 0
        self._sizes: set[tuple[int, int]] = set()

    def __call__(self, made: Tensor, truth: Tensor) -> Tensor:
        """Distance of each frame.

        Args:
            made, truth: [T, H, W, 3] uint8; the network halves pictures four times, so at least 16 pixels wide and high.

        Returns:
            [T] float64, at least 0.
        """
        self._sizes.add(_clip_size("made", made))
        _clip_size("truth", truth)
        expect_shape("truth", truth, "T H W 3", T=made.shape[0], H=made.shape[1], W=made.shape[2])
        distances = torch.zeros(len(made), dtype=torch.float64)
        for index in range(len(made)):
            pair = torch.stack((made[index], truth[index])).permute(0, 3, 1, 2).float()
            ours, real = self.network.features(pair, resize_images=False, return_lpips=True)
            distances[index] = (ours - real).square().sum(dtype=torch.float64)
        self.num_frames += len(made)
        return distances

    def protocol(self) -> str:
        """One line that says how the distances are measured."""
        pinned = self.network.found.pinned
        seen = f"{self.num_frames} frames{_sizes_text(self._sizes)}"
        return f"{pinned.metric}: {pinned.protocol}; {seen}; network {self.network.found.label}"


def _clip_size(name: str, clip: Tensor) -> tuple[int, int]:
    """Width and height of a clip [T, H, W, 3] uint8.

    Raises:
        ValueError: it is something else.
    """
    sizes = expect_shape(name, clip, "T H W 3")
    if clip.dtype != torch.uint8:
        raise ValueError(f"{name} must be uint8, got {clip.dtype}")
    return sizes["W"], sizes["H"]


def _sizes_text(sizes: set[tuple[int, int]]) -> str:
    """ " of 512 x 512 px", all sizes named; empty where there are none."""
    return " of " + " and ".join(f"{width} x {height} px" for width, height in sorted(sizes)) if sizes else ""
