"""What the DiT is conditioned on, as tensors. One entry per source, each may be absent (dropped)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from dreamactor.types.shapes import expect_shape


@dataclass(frozen=True, kw_only=True, slots=True)
class DriveInput:
    """The motion of one segment; T = first_frames + s (F - 1).

    Attributes:
        num_latents: F.
        first_frames: frames that latent frame 0 stands for: 1 at the start of a video, s where it was handed over.
        pose_maps: [B, 6, T, H, W] in -1..1, skeleton RGB then sphere RGB; None: dropped, the pose latent is zero; the
            same for a clip whose maps are black throughout.
        face: [B, T, E] face motion codes; None: no face guidance.
        face_tracked: [B, T] bool, False where a frame has no face; None: all have.
        proxy_latent: [B, C, F, h, w] latent of the textured proxy; None: the paper's pure mode.
        proxy_seen: [B, 1, F, h, w] in 0..1, share of a cell that was copied from a reference.
    """

    num_latents: int
    first_frames: int
    pose_maps: Tensor | None = None
    face: Tensor | None = None
    face_tracked: Tensor | None = None
    proxy_latent: Tensor | None = None
    proxy_seen: Tensor | None = None

    def __post_init__(self) -> None:
        known: dict[str, int] = {"F": self.num_latents}
        if self.pose_maps is not None:
            known |= {k: v for k, v in expect_shape("pose_maps", self.pose_maps, "B 6 T H W").items() if k in "BT"}
        if self.face is not None:
            sizes = expect_shape("face", self.face, "B T E", **{k: v for k, v in known.items() if k in "BT"})
            if self.face_tracked is not None:
                expect_shape("face_tracked", self.face_tracked, "B T", B=sizes["B"], T=sizes["T"])
        if (self.proxy_latent is None) != (self.proxy_seen is None):
            raise ValueError("proxy_latent and proxy_seen come together")
        if self.proxy_latent is not None and self.proxy_seen is not None:
            sizes = expect_shape("proxy_latent", self.proxy_latent, "B C F h w", F=self.num_latents)
            del sizes["C"]
            expect_shape("proxy_seen", self.proxy_seen, "B 1 F h w", **sizes)

    def expect_frames(self, temporal: int) -> None:
        """Checks that maps and face codes have as many frames as the latent frames stand for, at s = `temporal`.

        Raises:
            ValueError: another number of frames, or a first latent that stands for neither 1 nor s frames.
        """
        if self.first_frames not in (1, temporal):
            raise ValueError(f"first_frames must be 1 or {temporal}, got {self.first_frames}")
        needed = self.first_frames + temporal * (self.num_latents - 1)
        for name, frames in (("pose_maps", self.pose_maps), ("face", self.face)):
            axis = 2 if name == "pose_maps" else 1
            if frames is not None and frames.shape[axis] != needed:
                raise ValueError(
                    f"{name} must have {needed} frames for {self.num_latents} latent frames, got {frames.shape[axis]}"
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceInput:
    """Pictures of the character.

    Attributes:
        latents: [B, K, C, h, w] one latent frame each.
        pose_maps: [B, K, 6, H, W] in -1..1, each picture's own skeleton and sphere.
        present: [B, K] bool, False drops that picture for that sample; None: all are present.
    """

    latents: Tensor
    pose_maps: Tensor
    present: Tensor | None = None

    def __post_init__(self) -> None:
        sizes = expect_shape("latents", self.latents, "B K C h w")
        expect_shape("pose_maps", self.pose_maps, "B K 6 H W", B=sizes["B"], K=sizes["K"])
        if self.present is not None:
            expect_shape("present", self.present, "B K", B=sizes["B"], K=sizes["K"])


@dataclass(frozen=True, kw_only=True, slots=True)
class DecodeInput:
    """What the proxy-aware decoder joins.

    Attributes:
        decoded: [B, 3, T, H, W] what the VAE decoded, -1..1.
        proxy: [B, 3, T, H, W] textured proxy, -1..1; None: the paper's pure mode, or dropped.
        seen: [B, 1, T, H, W] in 0..1, where the proxy was copied from a reference.
        figure: [B, 1, T, H, W] in 0..1, the proxy's silhouette.
        pose_maps: [B, 6, T, H, W] in -1..1, skeleton RGB then sphere RGB; None: dropped.
        face: [B, T, E] face motion codes; None: no face guidance.
        face_tracked: [B, T] bool, False where a frame has no face; None: all have.
    """

    decoded: Tensor
    proxy: Tensor | None = None
    seen: Tensor | None = None
    figure: Tensor | None = None
    pose_maps: Tensor | None = None
    face: Tensor | None = None
    face_tracked: Tensor | None = None

    def __post_init__(self) -> None:
        sizes = expect_shape("decoded", self.decoded, "B 3 T H W")
        if len({part is None for part in (self.proxy, self.seen, self.figure)}) == 2:
            raise ValueError("proxy, seen and figure come together")
        for name, channels in (("proxy", 3), ("seen", 1), ("figure", 1), ("pose_maps", 6)):
            part = getattr(self, name)
            if part is not None:
                expect_shape(name, part, f"B {channels} T H W", **sizes)
        if self.face is not None:
            expect_shape("face", self.face, "B T E", B=sizes["B"], T=sizes["T"])
