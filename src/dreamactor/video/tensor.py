"""uint8 frames <-> the float tensors of the models; the only place where this happens."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor


def to_model(frames: Tensor) -> Tensor:
    """Frames as the models see them.

    Args:
        frames: [T, H, W, 3] or [B, T, H, W, 3] uint8 RGB.

    Returns:
        [B, 3, T, H, W] float32 in -1..1 on the same device (B = 1 for a single clip).
    """
    if frames.dtype != torch.uint8 or frames.ndim not in (4, 5) or frames.shape[-1] != 3:
        raise ValueError(f"frames must be uint8 [T, H, W, 3] or [B, T, H, W, 3], got {frames.dtype} {list(frames.shape)}")
    clips = frames if frames.ndim == 5 else frames[None]
    return rearrange(clips, "b t h w c -> b c t h w").to(torch.float32).div_(127.5).sub_(1.0)


def to_frames(video: Tensor) -> Tensor:
    """Back from the models: values are clamped to -1..1 and rounded, so `to_frames(to_model(x))` is x exactly.

    Args:
        video: [B, 3, T, H, W] or [3, T, H, W], any floating type.

    Returns:
        [B, T, H, W, 3] or [T, H, W, 3] uint8 RGB on the same device.
    """
    if not video.is_floating_point() or video.ndim not in (4, 5) or video.shape[-4] != 3:
        raise ValueError(f"video must be float [B, 3, T, H, W] or [3, T, H, W], got {video.dtype} {list(video.shape)}")
    levels = video.to(torch.float32).clamp(-1.0, 1.0).add(1.0).mul_(127.5).round_().to(torch.uint8)
    return rearrange(levels, "... c t h w -> ... t h w c").contiguous()
