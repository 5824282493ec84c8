"""Everything that does not change with the flow time, prepared once: references per video, motion per segment."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyValue:
    """Keys and values of one attention, heads apart: [B, heads, L, d] each."""

    key: Tensor
    value: Tensor


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceCache:
    """References of one character; lives for a whole video, all steps, branches and segments.

    Attributes:
        tokens: [B, R, D] embedded reference tokens.
        turns: [R, d / 2] complex rotary positions of the reference tokens.
        present: [B, R] bool; None: all.
        self_kv, cross_kv: per block, in one_way mode; empty in symmetric mode, where references see the noise.
    """

    tokens: Tensor
    turns: Tensor
    present: Tensor | None
    self_kv: tuple[KeyValue, ...]
    cross_kv: tuple[KeyValue, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DriveCache:
    """Motion of one segment; lives for all steps of it.

    Attributes:
        num_latents: F.
        features: [B, F, h' w', D] pose and proxy, already through their half of the input projection; None: none given.
        face_kv: per block, keys and values [B F, heads, s, d]; None where there is no face attention or no face.
        face_tracked: [B F, s] bool; None: all.
        proxy_latent: [B, C, F, h, w] that the clean prediction starts from; None without a proxy.
    """

    num_latents: int
    features: Tensor | None
    face_kv: tuple[KeyValue | None, ...]
    face_tracked: Tensor | None
    proxy_latent: Tensor | None
