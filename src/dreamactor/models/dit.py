"""The video diffusion transformer of DreamActor-M1 (section 3.1), in Wan's layout, with everything time-independent cached.

Axis letters: B batch, F latent frames, h w latent grid, K reference pictures, N noise tokens, R reference tokens, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from einops import rearrange
from torch import Tensor, nn

from dreamactor.models.block import BlockContext, DiTBlock
from dreamactor.models.caches import DriveCache, KeyValue, ReferenceCache
from dreamactor.models.inputs import DriveInput, ReferenceInput
from dreamactor.models.modulation import TimeEmbedding, modulate
from dreamactor.models.pose_encoder import PoseEncoder
from dreamactor.models.rope import rope_turns

MIN_TIME = 0.05
"""Below this flow time a predicted clean latent is no longer turned into a velocity by dividing by the time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DiTConfig:
    """Shape of the network.

    Attributes:
        latent_channels: C.
        width, num_layers, num_heads, ffn_width: of the blocks.
        patch: latent cells per token, both axes.
        temporal, spatial: strides of the VAE.
        pose_channels: channels of the pose latent.
        face_code_dim: E, size of a face motion code; 0 for a network without face attention.
        face_every: every how many blocks there is a face attention.
        reference_mode: "symmetric" (the paper: references and noise see each other) or "one_way" (references see only
            references, so they are computed once per video).
        uses_proxy: whether the textured proxy enters beside the pose latent.
        prediction: "velocity" (the paper) or "clean_residual" (clean = gate * proxy latent + residual).
        text_constant: every block adds a vector: what Wan's text attention says where there is no text.
    """

    latent_channels: int
    width: int
    num_layers: int
    num_heads: int
    ffn_width: int
    patch: int
    temporal: int
    spatial: int
    pose_channels: int
    face_code_dim: int
    face_every: int = 1
    reference_mode: Literal["symmetric", "one_way"] = "symmetric"
    uses_proxy: bool = False
    prediction: Literal["velocity", "clean_residual"] = "velocity"
    text_constant: bool = False


class DiT(ModelMixin, ConfigMixin):
    """Noisy latent and conditions -> velocity."""

    @register_to_config
    def __init__(
        self,
        latent_channels: int,
        width: int,
        num_layers: int,
        num_heads: int,
        ffn_width: int,
        patch: int,
        temporal: int,
        spatial: int,
        pose_channels: int,
        face_code_dim: int,
        face_every: int = 1,
        reference_mode: str = "symmetric",
        uses_proxy: bool = False,
        prediction: str = "velocity",
        text_constant: bool = False,
    ) -> None:
        super().__init__()
        self.one_way = reference_mode == "one_way"
        self.predicts_clean = prediction == "clean_residual"
        self.patch_embedding = nn.Linear(latent_channels * patch**2, width)
        self.pose_encoder = PoseEncoder(temporal=temporal, spatial=spatial, channels=pose_channels)
        drive_channels = pose_channels + (latent_channels + 1 if uses_proxy else 0)
        # The first linear of the input MLP is split: its noise half is `patch_embedding`, its pose half this one.
        self.drive_embedding = nn.Linear(drive_channels * patch**2, width)
        self.input_mlp = nn.Linear(width, width)
        self.reference_mark = nn.Parameter(torch.zeros(width))
        self.face_mlp = (
            nn.Sequential(nn.Linear(face_code_dim, width), nn.SiLU(), nn.Linear(width, width)) if face_code_dim else None
        )
        self.time_embedding = TimeEmbedding(width)
        self.blocks = nn.ModuleList(
            DiTBlock(width, num_heads, ffn_width, face=bool(face_code_dim) and index % face_every == 0, text=text_constant)
            for index in range(num_layers)
        )
        outputs = latent_channels * (2 if self.predicts_clean else 1)
        self.proj_out = nn.Linear(width, outputs * patch**2)
        self.scale_shift_table = nn.Parameter(torch.randn(1, 1, 2, width) / width**0.5)
        for layer in (self.drive_embedding, self.input_mlp):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        if self.predicts_clean:
            nn.init.zeros_(self.proj_out.weight)
            nn.init.zeros_(self.proj_out.bias)

    @staticmethod
    def from_dataclass(config: DiTConfig) -> DiT:
        """A network of this shape with random weights."""
        return DiT(**{name: getattr(config, name) for name in config.__dataclass_fields__})

    # ---- preparation: once per video, once per segment

    def _patchify(self, grid: Tensor) -> Tensor:
        """[B, F, C, h, w] -> [B, F, h' w', C p p] with a channel's p x p cells side by side, as in Wan."""
        p = self.config["patch"]
        return rearrange(grid, "b f c (h p) (w q) -> b f (h w) (c p q)", p=p, q=p)

    def _pose(self, maps: Tensor, *, first_frames: int) -> Tensor:
        """Pose latent [B, F, Cp, h, w]; zero where a clip's maps are black throughout, as if none were given."""
        latent = self.pose_encoder(maps, first_frames=first_frames).movedim(-1, 2)
        return latent * (maps > -1).flatten(1).any(dim=1)[:, None, None, None, None]

    def _drive_features(
        self, pose: Tensor | None, proxy: Tensor | None, seen: Tensor | None, shape: tuple[int, ...]
    ) -> Tensor:
        """Pose latent [B, F, Cp, h, w] and proxy through the pose half of the input projection: [B, F, h' w', D]."""
        batch, frames, rows, columns = shape
        like = self.patch_embedding.weight
        parts = [like.new_zeros(batch, frames, self.config["pose_channels"], rows, columns) if pose is None else pose]
        if self.config["uses_proxy"]:
            channels = self.config["latent_channels"] + 1
            if proxy is None or seen is None:
                parts.append(like.new_zeros(batch, frames, channels, rows, columns))
            else:
                parts.append(torch.cat([proxy, seen], dim=1).transpose(1, 2).to(parts[0].dtype))
        return self.drive_embedding(self._patchify(torch.cat(parts, dim=2)))

    def _join(self, latent: Tensor, features: Tensor | None) -> Tensor:
        """Latent [B, F, C, h, w] and drive features -> tokens [B, F h' w', D]: the paper's input MLP."""
        hidden = self.patch_embedding(self._patchify(latent))
        hidden = hidden + (self.drive_embedding.bias if features is None else features)  # no drive is a drive of zeros
        tokens = hidden + self.input_mlp(nn.functional.silu(hidden))
        return tokens.flatten(1, 2).to(self.patch_embedding.weight.dtype)

    def prepare_references(self, references: ReferenceInput) -> ReferenceCache:
        """Embeds the references; in one-way mode also runs them through all blocks, for good."""
        batch, count, _, rows, columns = references.latents.shape
        maps = rearrange(references.pose_maps, "b k c h w -> (b k) c 1 h w")
        pose = rearrange(self._pose(maps, first_frames=1), "(b k) 1 c h w -> b k c h w", b=batch)
        features = self._drive_features(pose, None, None, (batch, count, rows, columns))
        tokens = self._join(references.latents, features) + self.reference_mark
        turns = self._turns(-torch.arange(1, count + 1, device=tokens.device), rows, columns)
        present = None
        if references.present is not None and not bool(references.present.all()):
            present = references.present.repeat_interleave(tokens.shape[1] // count, dim=1)
        if not self.one_way:
            return ReferenceCache(tokens=tokens, turns=turns, present=present, self_kv=(), cross_kv=())
        at = BlockContext(
            num_latents=1, noise_time=self._clean_time(tokens), noise_turns=turns, ref_time=self._clean_time(tokens),
            ref_turns=turns, present=present, face_tracked=None,
        )  # fmt: skip
        hidden, self_kv, cross_kv = tokens, [], []
        for block in self.blocks:
            hidden, own, cross = block.prepare_reference(hidden, at)  # type: ignore[operator]
            self_kv.append(own)
            cross_kv.append(cross)
        return ReferenceCache(tokens=tokens, turns=turns, present=present, self_kv=tuple(self_kv), cross_kv=tuple(cross_kv))

    def prepare_drive(self, drive: DriveInput) -> DriveCache:
        """Encodes pose, proxy and face of one segment."""
        drive.expect_frames(self.config["temporal"])
        features = None
        pose = None
        if drive.pose_maps is not None:
            pose = self._pose(drive.pose_maps, first_frames=drive.first_frames)
        if pose is not None or drive.proxy_latent is not None:
            if pose is not None:
                shape = (pose.shape[0], pose.shape[1], pose.shape[3], pose.shape[4])
            else:
                assert drive.proxy_latent is not None
                batch, _, frames, rows, columns = drive.proxy_latent.shape
                shape = (batch, frames, rows, columns)
            features = self._drive_features(pose, drive.proxy_latent, drive.proxy_seen, shape)
        face_kv, tracked = self._prepare_face(drive)
        return DriveCache(num_latents=drive.num_latents, features=features, face_kv=face_kv, face_tracked=tracked,
                          proxy_latent=drive.proxy_latent)  # fmt: skip

    def _prepare_face(self, drive: DriveInput) -> tuple[tuple[KeyValue | None, ...], Tensor | None]:
        none = (None,) * len(self.blocks)
        if drive.face is None or self.face_mlp is None:
            return none, None
        s = self.config["temporal"]
        tokens, tracked = self.face_mlp(drive.face), drive.face_tracked
        if drive.first_frames == 1:  # the one frame of latent frame 0, seen s times, is attended to as if seen once
            tokens = torch.cat([tokens[:, :1].expand(-1, s - 1, -1), tokens], dim=1)
            if tracked is not None:
                tracked = torch.cat([tracked[:, :1].expand(-1, s - 1), tracked], dim=1)
        if tracked is not None:
            tracked = None if bool(tracked.all()) else rearrange(tracked, "b (f s) -> (b f) s", s=s)
        tokens = rearrange(tokens, "b (f s) d -> (b f) s d", s=s)
        return tuple(block.prepare_face(tokens) for block in self.blocks), tracked  # type: ignore[operator]

    # ---- every step

    @property
    def _head_dim(self) -> int:
        return self.config["width"] // self.config["num_heads"]

    def _turns(self, places: Tensor, rows: int, columns: int) -> Tensor:
        """Rotary positions of the tokens of some latent frames."""
        p = self.config["patch"]
        return rope_turns(places, rows // p, columns // p, self._head_dim)

    def _clean_time(self, like: Tensor) -> Tensor:
        """Time projection of t = 0, where references sit: [1, 1, 6, D]."""
        return self.time_embedding(torch.zeros(1, 1, device=like.device))[1]

    def forward(self, noisy: Tensor, times: Tensor, references: ReferenceCache | None, drive: DriveCache) -> Tensor:
        """Velocity of a noisy latent.

        Args:
            noisy: [B, C, F, h, w].
            times: [B, F] flow time per latent frame, 0 clean to 1 noise; 0 marks a handed-over first latent.
            references: prepared references; None drops them.
            drive: prepared motion.

        Returns:
            [B, C, F, h, w], noise - clean.
        """
        if not self.predicts_clean:
            return self._head(noisy, times, references, drive)
        clean = self.predict_clean(noisy, times, references, drive)
        wide = rearrange(times, "b f -> b 1 f 1 1")
        return torch.where(wide > 0, (noisy - clean) / wide.clamp(min=MIN_TIME), torch.zeros_like(noisy))

    def predict_clean(self, noisy: Tensor, times: Tensor, references: ReferenceCache | None, drive: DriveCache) -> Tensor:
        """The clean latent the network believes in: [B, C, F, h, w]."""
        if not self.predicts_clean:
            return noisy - rearrange(times, "b f -> b 1 f 1 1") * self._head(noisy, times, references, drive)
        residual, gate = self._head(noisy, times, references, drive).chunk(2, dim=1)
        if drive.proxy_latent is None:
            return residual
        return torch.sigmoid(gate + 1.0) * drive.proxy_latent + residual

    def _head(self, noisy: Tensor, times: Tensor, references: ReferenceCache | None, drive: DriveCache) -> Tensor:
        frames, rows, columns = noisy.shape[2:]
        p = self.config["patch"]
        tokens = self._join(noisy.transpose(1, 2), drive.features)
        embedded, time = self.time_embedding(times)
        ref = references.tokens if references is not None and not self.one_way else None
        at = BlockContext(
            num_latents=frames, noise_time=time,
            noise_turns=self._turns(torch.arange(frames, device=noisy.device), rows, columns),
            ref_time=None if ref is None else self._clean_time(tokens),
            ref_turns=None if references is None else references.turns,
            present=None if references is None else references.present, face_tracked=drive.face_tracked,
        )  # fmt: skip
        for index, block in enumerate(self.blocks):
            cached = references is not None and self.one_way
            tokens, ref = block(
                tokens, ref, at, face=drive.face_kv[index],
                ref_self=references.self_kv[index] if cached and references else None,
                ref_cross=references.cross_kv[index] if cached and references else None,
            )  # fmt: skip
        shift, scale = (self.scale_shift_table.float() + embedded[:, :, None].float()).split(1, dim=2)
        out = self.proj_out(modulate(tokens, scale, shift, tokens.dtype)).float()
        return rearrange(out, "b (f h w) (c p q) -> b c f (h p) (w q)", f=frames, h=rows // p, p=p, q=p)
