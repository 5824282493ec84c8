"""diffusers' Wan-Animate pipeline, one segment per call: what is handed over comes from outside and goes out unrounded.

The pipeline's own loop keeps controls and frames of the whole video on the device. One call per segment with the same
generator gives the same frames and a memory that does not grow. The text is encoded beforehand, once per text and model,
so that its encoder (11 of 48 GB) is never in memory together with the rest.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan, GGUFQuantizationConfig, WanAnimatePipeline, WanAnimateTransformer3DModel
from diffusers.hooks import apply_group_offloading
from diffusers.video_processor import VideoProcessor
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPImageProcessorPil, CLIPVisionModel

from dreamactor.errors import ConfigError, OutputError
from dreamactor.inference.wan.controls import ControlFrames
from dreamactor.inference.wan.memory import MemoryPlan
from dreamactor.inference.wan.segments import CARRIED_FRAMES
from dreamactor.perception.cache import cache_folder
from dreamactor.video.output import atomic_path

TEXT_TOKENS = 512

_log = logging.getLogger(__name__)


class _RawFrames(VideoProcessor):
    """Hands frames on as they were decoded."""

    def postprocess_video(self, video: Tensor, output_type: str = "np", **kwargs: Any) -> Tensor:
        return video


class SegmentPipeline(WanAnimatePipeline):
    """A pipeline whose first segment may follow another one."""

    carried: Tensor | None = None
    """[1, 3, t, H, W] last frames of the segment before, about -1..1."""

    def prepare_prev_segment_cond_latents(
        self, prev_segment_cond_video: Tensor | None = None, *args: Any, start_frame: int = 0, **kwargs: Any
    ) -> Tensor:
        """The parent's, of the frames handed over."""
        if self.carried is not None:
            prev_segment_cond_video, start_frame = self.carried, 1
        return super().prepare_prev_segment_cond_latents(prev_segment_cond_video, *args, start_frame=start_frame, **kwargs)

    def draw(
        self, reference: Tensor, controls: ControlFrames, text: Tensor, *, carried: Tensor | None, steps: int,
        generator: torch.Generator, stepped: Callable[[int], None],
    ) -> Tensor:  # fmt: skip
        """One segment.

        Args:
            reference: [H, W, 3] uint8 picture of the character.
            controls: of all frames of the segment.
            text: [1, L, D] encoded text.
            carried: [1, 3, t, H, W] last frames of the segment before; None for the first.
            steps: of sampling.
            generator: goes on from segment to segment.
            stepped: called with the number of steps done.

        Returns:
            [1, 3, T, H, W] frames about -1..1; the first one of a segment that follows another repeats what it was handed.
        """
        self.carried = carried
        height, width, _ = reference.shape

        def after_step(pipeline: Any, step: int, time: Tensor, values: dict[str, Any]) -> dict[str, Any]:
            stepped(step + 1)
            return {}

        scene: dict[str, Any] = {"mode": "animate"}
        if controls.background is not None and controls.mask is not None:
            scene = {
                "mode": "replace",
                "background_video": _pictures(controls.background),
                "mask_video": [Image.fromarray(mask.numpy()) for mask in controls.mask],
            }
        frames = self(
            image=Image.fromarray(reference.numpy()), pose_video=_pictures(controls.pose),
            face_video=_pictures(controls.face), prompt_embeds=text, height=height, width=width,
            segment_frame_length=len(controls.pose), prev_segment_conditioning_frames=CARRIED_FRAMES,
            num_inference_steps=steps, guidance_scale=1.0, generator=generator, output_type="pt", return_dict=False,
            callback_on_step_end=after_step, **scene,
        )[0]  # fmt: skip
        return frames if carried is None else torch.cat([carried, frames[:, :, CARRIED_FRAMES:]], dim=2)


def load_pipeline(folder: Path, plan: MemoryPlan, *, gguf: Path | None = None, lora: Path | None = None) -> SegmentPipeline:
    """Loads all but the text encoder, and puts every part where the plan wants it.

    Raises:
        ConfigError: the low-rank weights do not fit, or what they need is not installed.
    """
    dtype = plan.dtype
    if plan.mode == "gguf":
        assert gguf is not None
        transformer = WanAnimateTransformer3DModel.from_single_file(
            str(gguf), quantization_config=GGUFQuantizationConfig(compute_dtype=dtype), config=str(folder),
            subfolder="transformer", dtype=dtype,
        )  # fmt: skip
    else:
        transformer = WanAnimateTransformer3DModel.from_pretrained(folder, subfolder="transformer", dtype=dtype)
    pipeline = SegmentPipeline.from_pretrained(
        folder,
        tokenizer=None,
        text_encoder=None,
        transformer=transformer,
        vae=AutoencoderKLWan.from_pretrained(folder, subfolder="vae", dtype=torch.float32),
        image_encoder=CLIPVisionModel.from_pretrained(folder / "image_encoder", dtype=dtype),
        image_processor=CLIPImageProcessorPil.from_pretrained(folder / "image_processor"),
        local_files_only=True,
    )
    pipeline.video_processor = _RawFrames(vae_scale_factor=pipeline.vae_scale_factor_spatial)
    pipeline.set_progress_bar_config(disable=True)
    if lora is not None:
        _add_lora(pipeline, lora, fuse=plan.mode != "gguf")
    place_parts(pipeline, plan)
    return pipeline


def place_parts(pipeline: SegmentPipeline, plan: MemoryPlan) -> None:
    """Puts the parts where the memory mode wants them; see `dreamactor.inference.wan.memory`."""
    if plan.tiles:
        pipeline.vae.enable_tiling()
    match plan.mode:
        case "offload":
            pipeline.enable_model_cpu_offload(device=plan.device)
            return
        case "group":
            apply_group_offloading(
                pipeline.transformer, onload_device=plan.device, offload_device=torch.device("cpu"),
                offload_type="block_level", num_blocks_per_group=1, use_stream=plan.device.type == "cuda",
            )  # fmt: skip
            pipeline.vae.to(plan.device)
            pipeline.image_encoder.to(plan.device)
            return
        case "fp8":
            pipeline.transformer.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=plan.dtype)
    pipeline.to(plan.device)


def encode_text(folder: Path, prompt: str, plan: MemoryPlan, *, text_bytes: int, say: Callable[[str], None]) -> Tensor:
    """The encoded prompt [1, 512, D], from the cache or by the text encoder, which is freed again.

    Args:
        text_bytes: of the encoder's weights in the plan's precision: where the GPU lacks room it comes layer by layer.
        say: told when the encoder has to be loaded.
    """
    entry = cache_folder() / "texts" / f"{_text_key(folder, prompt)}.safetensors"
    if entry.is_file():
        return load_file(entry)["text"].to(plan.dtype)
    say("Text: encoded once and kept; the text encoder is loaded for that.")
    encoder = SegmentPipeline.from_pretrained(
        folder, transformer=None, vae=None, image_encoder=None, image_processor=None, scheduler=None,
        dtype=plan.dtype, local_files_only=True,
    )  # fmt: skip
    if plan.device.type == "cuda" and text_bytes > 0.9 * torch.cuda.mem_get_info(plan.device)[0]:
        apply_group_offloading(encoder.text_encoder, onload_device=plan.device, offload_type="leaf_level")
    else:
        encoder.text_encoder.to(plan.device)
    with torch.no_grad():
        text, _ = encoder.encode_prompt(
            prompt, do_classifier_free_guidance=False, max_sequence_length=TEXT_TOKENS, device=plan.device
        )
    text = text.cpu()
    del encoder
    if plan.device.type == "cuda":
        torch.cuda.empty_cache()
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(entry) as part:
            save_file({"text": text.contiguous()}, part)
    except (OSError, OutputError) as error:
        _log.warning("The encoded text cannot be kept: %s", error)
    return text


def _text_key(folder: Path, prompt: str) -> str:
    """Of what the encoded text depends on: the text, and the encoder by its files' names, sizes and dates."""
    files = sorted((folder / "text_encoder").glob("*.safetensors"))
    stamps = [f"{file.resolve()} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    return hashlib.sha256("\n".join([prompt, *stamps]).encode()).hexdigest()[:40]


def _add_lora(pipeline: SegmentPipeline, file: Path, *, fuse: bool) -> None:
    try:
        pipeline.load_lora_weights(load_file(file))
        if fuse:
            pipeline.fuse_lora(components=["transformer"])
            pipeline.unload_lora_weights()
    except Exception as error:  # whatever the many converters of such files stumble over
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{file} are not low-rank weights of Wan-Animate ({reason}). Use a LoRA for Wan 2.1 14B "
                          "image-to-video.") from error  # fmt: skip


def _pictures(frames: Tensor) -> list[Image.Image]:
    return [Image.fromarray(frame.contiguous().numpy()) for frame in frames]
