"""Counts the memory that Wan-Animate's networks need while they work, against the arithmetic that plans with it.

Without a GPU on fake tensors, which have sizes and no values: what is alive at the same time is counted at every operation.
With one, random weights run and the allocator's own peak is read.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKLWan, WanAnimateTransformer3DModel
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dreamactor.inference.wan.controls import SEGMENT_FRAMES
from dreamactor.inference.wan.memory import ACTIVATION_BYTES, DECODE_BYTES


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """One network at work.

    Attributes:
        what: for people.
        peak_bytes: beyond its weights and inputs.
        unit_bytes: of them per token and unit of width (transformer), or per pixel of a frame (VAE).
        planned: the same by the plan's arithmetic; None where it plans with no number of its own.
    """

    what: str
    peak_bytes: float
    unit_bytes: float
    planned: float | None

    def __str__(self) -> str:
        planned = "" if self.planned is None else f", planned with {self.planned:,.0f}"
        return f"{self.what:<28} {self.peak_bytes / 1e9:6.2f} GB, {self.unit_bytes:,.1f} bytes per unit{planned}"


def count_memory(*, width: int, height: int, shape: dict[str, Any] | None = None, vae: bool = True) -> list[Counted]:
    """Counts transformer and VAE.

    Args:
        width, height: of the canvas in pixels, multiples of 16.
        shape: of the transformer; None: that of Wan2.2-Animate-14B with five of its forty blocks, which are alike.
        vae: also the VAE's, on a tile of 256.
    """
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda" if on_gpu else "cpu")
    given = {"num_layers": 5, "image_dim": 1280, "added_kv_proj_dim": 5120} if shape is None else shape
    with nullcontext() if on_gpu else FakeTensorMode(), torch.no_grad():
        found = [_transformer(given, width=width, height=height, device=device)]
        if vae:
            found += _vae(device)
    return found


def _transformer(shape: dict[str, Any], *, width: int, height: int, device: torch.device) -> Counted:
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with device:
            network = WanAnimateTransformer3DModel(**shape).eval()
            latents, side = (SEGMENT_FRAMES - 1) // 4 + 1, network.config.motion_encoder_size
            rows, columns = height // 8, width // 8
            inputs = {
                "hidden_states": torch.zeros(1, network.config.in_channels, latents + 1, rows, columns),
                "encoder_hidden_states": torch.zeros(1, 512, network.config.text_dim),
                "encoder_hidden_states_image": torch.zeros(1, 257, network.config.image_dim),
                "pose_hidden_states": torch.zeros(1, network.config.latent_channels, latents, rows, columns),
                "face_pixel_values": torch.zeros(1, 3, SEGMENT_FRAMES, side, side),
            }
            time = torch.ones(1)
    finally:
        torch.set_default_dtype(default)
    peak = _peak_bytes(lambda: network(timestep=time, return_dict=False, **inputs), device)
    tokens = (latents + 1) * (rows // 2) * (columns // 2)
    inner = network.config.num_attention_heads * network.config.attention_head_dim
    return Counted(
        what=f"transformer, {tokens:,} tokens", peak_bytes=peak, unit_bytes=peak / (tokens * inner), planned=ACTIVATION_BYTES
    )


def _vae(device: torch.device) -> list[Counted]:
    side, latents = 256, (SEGMENT_FRAMES - 1) // 4 + 1
    with device:
        vae = AutoencoderKLWan().eval()
        video, latent = torch.zeros(1, 3, SEGMENT_FRAMES, side, side), torch.zeros(1, 16, latents, side // 8, side // 8)
    found = []
    for what, work, planned in (
        ("decodes", lambda: vae.decode(latent), DECODE_BYTES), ("encodes", lambda: vae.encode(video), None),
    ):  # fmt: skip
        peak = _peak_bytes(work, device)
        found.append(Counted(what=f"VAE {what} {side}x{side}", peak_bytes=peak, unit_bytes=peak / side**2, planned=planned))
    return found


def _peak_bytes(work: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        work()
        torch.cuda.synchronize()
        return float(torch.cuda.max_memory_allocated() - before)
    with _LiveTensors() as counted:
        work()
    return float(counted.peak)


class _LiveTensors(TorchDispatchMode):
    """Bytes of the storages that operations made and that are still alive."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._alive: dict[int, int] = {}
        self._outside: set[int] = set()
        self._now = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for value in tree_leaves((args, kwargs)):  # weights and inputs, of which results may be views
            if isinstance(value, Tensor) and value.untyped_storage()._cdata not in self._alive:
                self._outside.add(value.untyped_storage()._cdata)
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor):
                storage = value.untyped_storage()
                key = storage._cdata
                if key not in self._alive and key not in self._outside:
                    self._alive[key] = storage.nbytes()
                    self._now += storage.nbytes()
                    self.peak = max(self.peak, self._now)
                    weakref.finalize(storage, self._free, key)
        return result

    def _free(self, key: int) -> None:
        self._now -= self._alive.pop(key, 0)
