"""Wan-Animate behind the same request as the embedded model: segment by segment, with frame times kept one to one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError

from dreamactor.errors import ConfigError, InputError
from dreamactor.inference.catalogue import find_model, installed_at
from dreamactor.inference.request import AnimateRequest, Progress
from dreamactor.inference.sources import MotionSources, Report, read_sources
from dreamactor.inference.unfinished import Handover, UnfinishedRun, clips_of, pictures_fact
from dreamactor.inference.wan.controls import (
    SEGMENT_FRAMES,
    WAN_GRID,
    ControlStream,
    animate_controls,
    replace_controls,
)
from dreamactor.inference.wan.folder import check_pipeline_folder, count_parameters
from dreamactor.inference.wan.memory import MemoryPlan, Work, out_of_memory, plan_memory, this_machine
from dreamactor.inference.wan.options import WanOptions
from dreamactor.inference.wan.quiet import quiet_libraries
from dreamactor.inference.wan.references import read_wan_references
from dreamactor.inference.wan.segments import CARRIED_FRAMES, plan_wan_segments
from dreamactor.types.video import VideoClip
from dreamactor.video.tensor import to_frames

DEFAULT_SIZE: Final = 960
"""Side of a square of the area of 1280 x 720."""
STEPS: Final = 20
GGUF_MODEL: Final = "wan-animate-14b-gguf"
_PACKAGES: Final = ("transformers", "ftfy", "accelerate")

logger = logging.getLogger(__name__)


class WanAnimator:
    """One model folder, looked at but not loaded: what is loaded depends on the request."""

    advice = (
        "Note: Wan-Animate takes one picture, the first; guidance scales and the textured proxy are the embedded model's. "
        "The person shown should have agreed to it."
    )

    def __init__(self, folder: Path, options: WanOptions) -> None:
        """Raises:
        InputError: the folder is not a whole Wan-Animate model, or the low-rank weights are not there.
        ConfigError: a package is missing.
        """
        missing = [name for name in _PACKAGES if find_spec(name) is None]
        if options.lora is not None and find_spec("peft") is None:
            missing.append("peft")
        if missing:
            raise ConfigError(f"Wan-Animate needs {', '.join(missing)}, not installed. Use: pip install 'dreamactor[wan]'.")
        self.parts = check_pipeline_folder(folder)
        if options.lora is not None:
            count_parameters(options.lora.file)
        self.folder, self.options = folder, options

    def check(self, request: AnimateRequest) -> None:
        """Refuses what of a request has no meaning here.

        Raises:
            ConfigError: with the option's name.
        """
        unknown = {
            "--guidance-ref": request.guidance_reference is not None,
            "--guidance-motion": request.guidance_motion is not None,
            "--no-proxy": not request.use_proxy,
            "--face-encoder": request.face_encoder != "auto",
            "--face-weights": request.face_weights is not None,
            "--audio": request.audio is not None,
            "--pseudo-references": request.pseudo_references is not None,
        }
        for option, given in unknown.items():
            if given:
                raise ConfigError(f"{option} belongs to the embedded model; Wan-Animate has no use for it. Leave it out.")

    @torch.no_grad()
    def animate(
        self,
        request: AnimateRequest,
        report: Report = lambda progress: None,
        say: Callable[[str], None] = logger.info,
        *,
        sources: MotionSources | None = None,
        unfinished: UnfinishedRun | None = None,
    ) -> Iterator[VideoClip]:
        """Yields the video segment by segment; all clips together have exactly the frames and times of `sources.times`.

        Arguments and errors are those of `Animator.animate`.
        """
        self.check(request)
        sources = sources or read_sources(request, report)
        num_frames = len(sources.times)
        if num_frames < 2:
            raise InputError(
                f"{sources.clock.name} has 1 frame, and Wan-Animate needs at least 2: it animates, it does not repaint. "
                "Use a longer clip."
            )
        size, lora = request.size or DEFAULT_SIZE, self.options.lora
        steps = request.steps or (lora.steps if lora is not None else None) or STEPS
        report(Progress(stage="prepare", done=0, total=1))
        references = read_wan_references(request, size=size, grid=WAN_GRID)
        face_px = self.parts["transformer"].config["motion_encoder_size"]
        if self.options.replaces:
            controls = replace_controls(request, sources, references, size=size, face_px=face_px)
        else:
            controls = animate_controls(request, sources, references, face_px=face_px)
        for line in controls.said:
            say(line)
        if lora is not None:
            say(f"LoRA: {lora.file.name}, licence: {lora.licence}; {steps} steps.")
        segments = plan_wan_segments(num_frames, SEGMENT_FRAMES)
        work = Work(
            width=controls.width, height=controls.height, segment_frames=SEGMENT_FRAMES, segments=len(segments), steps=steps
        )
        gguf = self._gguf()
        plan, line = plan_memory(
            self.options.memory, self.parts, this_machine(), work, gguf_bytes=0 if gguf is None else gguf.stat().st_size
        )
        say(line)
        with _one_line(self.folder, plan, work), closing(ControlStream(controls)) as stream:
            text_bytes = self.parts["text_encoder"].parameters * plan.dtype.itemsize
            with quiet_libraries():
                from dreamactor.inference.wan.pipeline import encode_text, load_pipeline

                text = encode_text(self.folder, self.options.prompt, plan, text_bytes=text_bytes, say=say).to(plan.device)
                pipeline = load_pipeline(self.folder, plan, gguf=gguf, lora=None if lora is None else lora.file)
            report(Progress(stage="prepare", done=1, total=1))
            carried, num_done = None, 0
            if unfinished is not None:
                unfinished.also("pictures", pictures_fact(references))
                unfinished.also("wan", str(self.options))
            if unfinished is not None and unfinished.handover is not None:
                num_done, carried = unfinished.num_done, unfinished.handover.carried
                yield from clips_of(unfinished, sources.times)
            for number, segment in enumerate(segments):
                control = stream.take(segment.index)
                if number < num_done:
                    continue

                def stepped(done: int, before: int = number * steps) -> None:
                    report(Progress(stage="denoise", done=before + done, total=len(segments) * steps))

                stepped(0)
                frames = pipeline.draw(
                    references.images[0].image, control, text, carried=carried, steps=steps,
                    generator=torch.Generator().manual_seed(request.seed + number), stepped=stepped,
                )  # fmt: skip
                carried = frames[:, :, -CARRIED_FRAMES:]
                skip = CARRIED_FRAMES if number else 0
                shown = to_frames(frames[:, :, skip : skip + segment.stop - segment.first].cpu())[0]
                if unfinished is not None:
                    unfinished.keep(shown, Handover(carried=carried.cpu(), decoder={}))
                yield VideoClip(frames=shown, times=sources.times[segment.first : segment.stop])
                report(Progress(stage="decode", done=segment.stop, total=num_frames))

    def _gguf(self) -> Path | None:
        """The transformer's GGUF file, where it was pulled and can be read."""
        place = installed_at(find_model(GGUF_MODEL))
        if place is None or find_spec("gguf") is None:
            return None
        return min(place.glob("*.gguf"), key=lambda file: file.stat().st_size, default=None)


@contextmanager
def _one_line(folder: Path, plan: MemoryPlan, work: Work) -> Iterator[None]:
    """What can go wrong while a model is loaded and run, each in one line."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise ConfigError(out_of_memory(plan, work)) from error
    except RuntimeError as error:
        if "can't allocate memory" in str(error) or "out of memory" in str(error).lower():
            raise ConfigError(out_of_memory(plan, work)) from error
        raise
    except (OSError, SafetensorError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(
            f"The model in {folder} cannot be loaded ({reason}). Pull it again, or name another folder."
        ) from error
