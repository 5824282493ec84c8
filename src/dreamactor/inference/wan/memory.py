"""How much memory Wan-Animate needs in each mode and about how long it takes: arithmetic on file headers and sizes.

full      every part on the device, weights in bfloat16
offload   parts come to the GPU one at a time and go back to main memory
fp8       as full, the transformer's weights kept in 8 bits and widened layer by layer
gguf      as full, the transformer from a GGUF file (about 4 to 5 bits a weight)
group     the transformer's blocks come one at a time, the next one while this one computes

The text encoder is never there together with the rest. On a processor everything is single precision and only `full`
makes sense. docs/backends.md derives the numbers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import psutil
import torch

from dreamactor.errors import ConfigError
from dreamactor.inference.wan.folder import WeightFiles
from dreamactor.inference.wan.options import AUTO, MODES, MemoryMode

ACTIVATION_BYTES: Final = 27.0
"""Of the transformer per token and unit of width, in bfloat16."""
DECODE_BYTES: Final = 20_450.0
"""Of the VAE per pixel of a frame, in single precision; encoding needs three quarters."""
TILE_PX: Final = 256
CLIP_BYTES: Final = 3 * 77 * 3 * 4.0
"""Per pixel of a frame, while tiles are put together: three copies of a segment in single precision."""
CONTEXT_BYTES: Final = 0.8e9
"""Of CUDA itself and of what its allocator cannot use."""
SPARE: Final = 0.95
"""Of the free memory that may be planned with."""
_FASTEST_FIRST: Final[tuple[MemoryMode, ...]] = ("full", "fp8", "offload", "group", "gguf")
EFFICIENCY: Final = 0.5
"""Of a network against a plain product of matrices."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What there is.

    Attributes:
        device: that computes.
        name: for people.
        device_bytes: free on the device.
        main_bytes: free in main memory; the same as `device_bytes` on a processor.
        flops: products of matrices per second.
        copy_bytes: per second from main memory to the device.
    """

    device: torch.device
    name: str
    device_bytes: float
    main_bytes: float
    flops: float
    copy_bytes: float

    @property
    def has_gpu(self) -> bool:
        return self.device.type == "cuda"


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """One segment.

    Attributes:
        width, height: of the canvas in pixels.
        segment_frames: of a segment; segments: how many; steps: of sampling.
    """

    width: int
    height: int
    segment_frames: int
    segments: int
    steps: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """Of one mode: bytes on the device and in main memory at their peak, seconds for all segments."""

    device_bytes: float
    main_bytes: float
    seconds: float
    tiles: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryPlan:
    """Where the parts go.

    Attributes:
        mode: of memory.
        device, dtype: of the transformer.
        tiles: the VAE works in tiles.
        needs: what is expected.
    """

    mode: MemoryMode
    device: torch.device
    dtype: torch.dtype
    tiles: bool
    needs: Needs


def this_machine() -> Machine:
    """Measures it: free memory, and a tenth of a second of matrix products and copies."""
    free_main = float(psutil.virtual_memory().available)
    if not torch.cuda.is_available():
        device = torch.device("cpu")
        flops = _matrix_flops(device, torch.float32, 768)
        return Machine(
            device=device, name="this processor", device_bytes=free_main, main_bytes=free_main, flops=flops,
            copy_bytes=float("inf"),
        )  # fmt: skip
    device = torch.device("cuda", torch.cuda.current_device())
    return Machine(
        device=device, name=torch.cuda.get_device_name(device), device_bytes=float(torch.cuda.mem_get_info(device)[0]),
        main_bytes=free_main, flops=_matrix_flops(device, torch.bfloat16, 8192), copy_bytes=_copy_bytes(device),
    )  # fmt: skip


def needs_of(
    mode: MemoryMode, parts: Mapping[str, WeightFiles], machine: Machine, work: Work, *, gguf_bytes: int = 0
) -> Needs:
    """The arithmetic of one mode."""
    shape = parts["transformer"].config
    width = shape["num_attention_heads"] * shape["attention_head_dim"]
    layers, ffn = shape["num_layers"], shape["ffn_dim"]
    latents = (work.segment_frames - 1) // 4 + 2
    tokens = latents * (work.width // 16) * (work.height // 16)
    bytes_each = 2 if machine.has_gpu else 4
    transformer = parts["transformer"].parameters * float(bytes_each)
    image_encoder = parts["image_encoder"].parameters * float(bytes_each)
    vae = parts["vae"].parameters * 4.0
    blocks = layers * (10 * width**2 + 2 * width * ffn) * float(bytes_each)  # q, k, v, out twice; k, v of the picture
    thinking = tokens * width * ACTIVATION_BYTES * bytes_each / 2
    pixels = work.width * work.height
    whole = DECODE_BYTES * pixels
    tiled = DECODE_BYTES * min(TILE_PX**2, pixels) + CLIP_BYTES * pixels

    on_device = {
        "full": transformer, "offload": transformer, "fp8": transformer / 2, "gguf": float(gguf_bytes),
        "group": max(transformer - blocks, 0.0) + 2 * blocks / layers,
    }[mode]  # fmt: skip
    always = image_encoder + vae
    context = CONTEXT_BYTES if machine.has_gpu else 0.0

    def peak(picture: float) -> float:
        if mode == "offload":
            return max(transformer + thinking, vae + picture, image_encoder) + context
        return on_device + always + max(thinking, picture) + context

    tiles = peak(whole) > SPARE * machine.device_bytes
    main = transformer + image_encoder + vae if mode in ("offload", "group") else transformer
    main = float(gguf_bytes) if mode == "gguf" else main

    linear = 2 * tokens * layers * (6 * width**2 + 2 * width * ffn)  # text and picture have few keys and values
    attention = 4 * tokens**2 * width * layers
    compute = (linear + attention) * work.steps / (machine.flops * EFFICIENCY)
    moving = transformer / machine.copy_bytes
    seconds = max(compute, moving * work.steps) if mode == "group" else compute + (moving if mode == "offload" else 0.0)
    device = peak(tiled if tiles else whole)
    if not machine.has_gpu:
        main = device
    return Needs(device_bytes=device, main_bytes=main, seconds=seconds * work.segments, tiles=tiles)


def plan_memory(
    chosen: str, parts: Mapping[str, WeightFiles], machine: Machine, work: Work, *, gguf_bytes: int = 0
) -> tuple[MemoryPlan, str]:
    """Picks the fastest mode that fits, or checks the one that is asked for; and says so in one line.

    Args:
        chosen: `AUTO` or one of `MODES`.
        gguf_bytes: size of the GGUF file, 0 where there is none.

    Raises:
        ConfigError: a mode that needs a GPU or a file that is not there; nothing fits.
    """
    if chosen == "gguf" and not gguf_bytes:
        raise ConfigError(
            "--memory gguf needs the transformer as a GGUF file: `dreamactor models pull wan-animate-14b-gguf`, and "
            "pip install gguf."
        )
    if not machine.has_gpu and chosen not in (AUTO, "full"):
        raise ConfigError(f"--memory {chosen} is about a GPU's memory, and there is none here. Leave --memory out.")
    usable: tuple[MemoryMode, ...] = MODES if gguf_bytes else tuple(mode for mode in MODES if mode != "gguf")
    if not machine.has_gpu:
        usable = ("full",)
    found = {mode: needs_of(mode, parts, machine, work, gguf_bytes=gguf_bytes) for mode in usable}
    fits = {
        mode: needs.device_bytes <= SPARE * machine.device_bytes and needs.main_bytes <= SPARE * machine.main_bytes
        for mode, needs in found.items()
    }
    order = [mode for mode in _FASTEST_FIRST if mode in found]
    if chosen == AUTO:
        fitting = [mode for mode in order if fits[mode]]
        if not fitting:
            raise ConfigError(_too_small(found, machine, work))
        mode = fitting[0]
    else:
        mode = next(mode for mode in order if mode == chosen)
    needs = found[mode]
    dtype = torch.bfloat16 if machine.has_gpu else torch.float32
    plan = MemoryPlan(mode=mode, device=machine.device, dtype=dtype, tiles=needs.tiles, needs=needs)
    return plan, _line(plan, machine, work, asked=chosen != AUTO, fits=fits[mode])


def out_of_memory(plan: MemoryPlan, work: Work) -> str:
    """What to say when the device's memory ran out all the same."""
    smaller = {"full": "fp8 or offload", "fp8": "group", "offload": "group", "gguf": "group"}.get(plan.mode)
    advice = f"--memory {smaller}, or " if smaller and plan.device.type == "cuda" else ""
    return (
        f"Out of memory in mode {plan.mode} at {work.width}x{work.height} (about {plan.needs.device_bytes / 1e9:.0f} GB "
        f"were expected). Use {advice}a smaller --size, and close what else uses the {plan.device.type.upper()}."
    )


def _line(plan: MemoryPlan, machine: Machine, work: Work, *, asked: bool, fits: bool) -> str:
    needs = plan.needs
    why = "as asked" if asked else "picked"
    tiles = ", VAE in tiles" if plan.tiles else ""
    doubt = "" if fits else f"; it may not fit: {machine.device_bytes / 1e9:.0f} GB are free"
    return (
        f"Memory: {plan.mode} ({why}{tiles}), about {needs.device_bytes / 1e9:.1f} GB of {machine.name}'s "
        f"{machine.device_bytes / 1e9:.0f}{doubt}; {work.width}x{work.height}, {work.segments} segment"
        f"{'s' if work.segments > 1 else ''} of {work.segment_frames} frames in {work.steps} steps, about "
        f"{_duration(needs.seconds)}."
    )


def _too_small(found: Mapping[MemoryMode, Needs], machine: Machine, work: Work) -> str:
    least = min(found, key=lambda mode: found[mode].device_bytes)
    needs = found[least]
    gguf = (
        ""
        if "gguf" in found or not machine.has_gpu
        else " `dreamactor models pull wan-animate-14b-gguf` needs less of both."
    )
    return (
        f"No memory mode fits: {least}, the smallest, needs about {needs.device_bytes / 1e9:.0f} GB on {machine.name} "
        f"({machine.device_bytes / 1e9:.0f} free) and {needs.main_bytes / 1e9:.0f} GB of main memory "
        f"({machine.main_bytes / 1e9:.0f} free) at {work.width}x{work.height}. Use a smaller --size or another "
        f"machine.{gguf}"
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _matrix_flops(device: torch.device, dtype: torch.dtype, side: int) -> float:
    one = torch.ones(side, side, device=device, dtype=dtype)
    one @ one
    done, start = 0, _now(device)
    while _now(device) - start < 0.05 or done == 0:
        one @ one
        done += 1
    return 2.0 * side**3 * done / (_now(device) - start)


def _copy_bytes(device: torch.device) -> float:
    host = torch.empty(64 * 2**20, dtype=torch.uint8, pin_memory=True)
    there = host.to(device)
    start = _now(device)
    for _ in range(8):
        there.copy_(host, non_blocking=True)
    return 8.0 * host.numel() / (_now(device) - start)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
