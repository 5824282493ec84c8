"""Pixel <-> latent <-> token arithmetic, in one place (DESIGN: a causal VAE's first latent stands for one frame)."""

from __future__ import annotations

from dataclasses import dataclass

from dreamactor.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class LatentGrid:
    """How a causal 3D VAE and the patch size divide pixels.

    Attributes:
        temporal: frames per latent frame after the first (s); latent frame 0 stands for exactly one frame.
        spatial: pixels per latent cell, both axes.
        patch: latent cells per token, both axes.
    """

    temporal: int
    spatial: int
    patch: int

    @property
    def size_multiple(self) -> int:
        """Width and height in pixels must be multiples of this."""
        return self.spatial * self.patch

    def num_latents(self, num_frames: int) -> int:
        """Latent frames needed to hold `num_frames` frames, the last one padded if need be."""
        return 1 + -(-(num_frames - 1) // self.temporal)

    def num_frames(self, num_latents: int) -> int:
        """Frames that `num_latents` latent frames decode to: s (F - 1) + 1."""
        return 1 + (num_latents - 1) * self.temporal

    def frames_of(self, latent_index: int) -> slice:
        """Frames that one latent frame stands for."""
        if latent_index == 0:
            return slice(0, 1)
        return slice(1 + (latent_index - 1) * self.temporal, 1 + latent_index * self.temporal)

    def cells(self, *, height: int, width: int) -> tuple[int, int]:
        """Latent height and width for a size in pixels.

        Raises:
            ConfigError: a side is not a multiple of `size_multiple`.
        """
        if height % self.size_multiple or width % self.size_multiple:
            raise ConfigError(
                f"Width and height must be multiples of {self.size_multiple}, got {width}x{height}. "
                f"Use {max(1, round(width / self.size_multiple)) * self.size_multiple}x"
                f"{max(1, round(height / self.size_multiple)) * self.size_multiple}."
            )
        return height // self.spatial, width // self.spatial

    def tokens_per_frame(self, *, height: int, width: int) -> int:
        """Tokens of one latent frame."""
        rows, columns = self.cells(height=height, width=width)
        return (rows // self.patch) * (columns // self.patch)
