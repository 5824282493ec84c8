"""Finished segments of a video that is not finished, kept in a folder, so that a run that broke off can go on.

    run.json              what the video is made of: every setting, and a hash of every file
    segment_0000.mp4 ...  frames of the finished segments, without loss
    state.safetensors     how many those are, the latent to hand over, and what the streamed decoder remembers

Each file appears whole or not at all, and the state comes last: whenever a run ends, the folder tells the truth.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from dreamactor import __version__
from dreamactor.errors import DreamActorError, OutputError
from dreamactor.inference.request import AnimateRequest
from dreamactor.types.guidance import ReferenceSet
from dreamactor.types.video import FrameTimes, VideoClip
from dreamactor.video.output import atomic_path
from dreamactor.video.reader import read_clip
from dreamactor.video.writer import VideoWriter

_FACTS, _STATE = "run.json", "state.safetensors"
_DONE, _CARRIED, _DECODER = "done", "carried", "decoder."
_FPS: Final = Fraction(25)
"""Of the kept frames; their real times are the driver's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Handover:
    """What a segment leaves to the next one.

    Attributes:
        carried: [1, C, 1, h, w] its last latent.
        decoder: what the streamed decoder remembers.
    """

    carried: Tensor
    decoder: dict[str, Tensor]


def run_facts(request: AnimateRequest, model: Path) -> dict[str, str]:
    """Name -> text of everything that frames depend on; files count by their content, not by their place.

    Args:
        request: its settings and the files they name.
        model: folder of the model.
    """
    facts = {"versions": _versions(), "model": _content(model)}
    for field in dataclasses.fields(request):
        if field.name == "pseudo_folder":  # may be filled by this very run; what it gives counts, see `pictures_fact`
            continue
        value = getattr(request, field.name)
        parts = value if isinstance(value, tuple) else (value,)
        texts = [_content(part) if isinstance(part, Path) else str(part) for part in parts]
        facts[field.name] = " ".join(texts)
    return facts


def pictures_fact(references: ReferenceSet) -> str:
    """A short hash of what a run's references look like, whoever made them."""
    digest = hashlib.sha256()
    for reference in references.images:
        digest.update(reference.image.numpy().tobytes() + reference.person.body.joints.numpy().tobytes())
    return digest.hexdigest()[:16]


def _versions() -> str:
    return f"dreamactor {__version__}, torch {torch.__version__}"


def _content(path: Path) -> str:
    """A short hash of a file, or of all files directly in a folder. What is not there is for its reader to complain of."""
    if not path.exists():
        return "missing"
    digest = hashlib.sha256()
    files = sorted(part for part in path.iterdir() if part.is_file()) if path.is_dir() else [path]
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


class UnfinishedRun:
    """The folder of one video's finished segments. It appears with the first of them.

    run = UnfinishedRun.beside(output, facts, resume=True)
    for clip in animator.animate(request, unfinished=run): ...
    run.remove()
    """

    def __init__(self, folder: Path, facts: Mapping[str, str], *, resume: bool) -> None:
        """Opens the folder.

        Args:
            folder: where it is, or will be.
            facts: see `run_facts`.
            resume: go on from what is there; else a run that is there is replaced with the first segment.

        Raises:
            OutputError: what is there is of another request, model or input, or damaged.
        """
        self.folder, self._facts = folder, dict(facts)
        self.num_done = 0
        self.handover: Handover | None = None
        self._begun = False
        if resume and (folder / _STATE).is_file():
            self._check()
            self._load()
            self._begun = True

    @staticmethod
    def beside(output: Path, facts: Mapping[str, str], *, resume: bool) -> UnfinishedRun:
        """The folder that belongs to a video file."""
        return UnfinishedRun(folder_beside(output), facts, resume=resume)

    def also(self, name: str, fact: str) -> None:
        """One more fact, known only after the run was opened.

        Raises:
            OutputError: what is there was begun with another one.
        """
        self._facts[name] = fact
        if self.num_done:
            self._check()

    def finished(self) -> Iterator[Tensor]:
        """Frames [t, H, W, 3] uint8 of each finished segment, read one after another."""
        for index in range(self.num_done):
            try:
                frames = read_clip(self._segment(index), with_audio=False).frames
            except DreamActorError as error:
                raise self._damaged() from error
            yield frames

    def keep(self, frames: Tensor, handover: Handover) -> None:
        """Keeps the next finished segment.

        Args:
            frames: [t, H, W, 3] uint8.
            handover: what the segment after it needs.

        Raises:
            OutputError: the folder cannot be written.
        """
        try:
            if not self._begun:
                self._begin()
            height, width = frames.shape[1:3]
            path = self._segment(self.num_done)
            with VideoWriter(path, width=width, height=height, fps=_FPS, lossless=True) as writer:
                writer.write(frames)
            tensors = {_DECODER + name: value for name, value in handover.decoder.items()}
            tensors |= {_DONE: torch.tensor(self.num_done + 1), _CARRIED: handover.carried}
            with atomic_path(self.folder / _STATE) as part:
                save_file({name: value.contiguous() for name, value in tensors.items()}, part)
        except OSError as error:
            reason = error.strerror or error
            raise OutputError(f"Cannot write {self.folder}: {reason}. Free space or choose another folder.") from error
        self.num_done += 1
        self.handover = handover

    def remove(self) -> None:
        """Takes the folder away, because the video is finished."""
        if self.folder.is_dir():
            shutil.rmtree(self.folder)

    def _begin(self) -> None:
        self.remove()
        self.folder.mkdir(parents=True)
        with atomic_path(self.folder / _FACTS) as part:
            part.write_text(json.dumps(self._facts, indent=2) + "\n", encoding="utf-8")
        self._begun = True

    def _segment(self, index: int) -> Path:
        return self.folder / f"segment_{index:04d}.mp4"

    def _check(self) -> None:
        try:
            kept: Any = json.loads((self.folder / _FACTS).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self._damaged() from error
        names = [name for name, fact in self._facts.items() if not isinstance(kept, dict) or kept.get(name) != fact]
        if names:
            raise OutputError(
                f"Cannot resume from {self.folder}: it was begun with other {', '.join(names)}. Repeat the command as it "
                "was, or leave --resume out to start anew."
            )

    def _load(self) -> None:
        try:
            tensors = load_file(self.folder / _STATE)
            decoder = {name.removeprefix(_DECODER): v for name, v in tensors.items() if name.startswith(_DECODER)}
            self.handover = Handover(carried=tensors[_CARRIED], decoder=decoder)
            self.num_done = int(tensors[_DONE])
        except (OSError, KeyError, SafetensorError) as error:
            raise self._damaged() from error
        if not all(self._segment(index).is_file() for index in range(self.num_done)):
            raise self._damaged()

    def _damaged(self) -> OutputError:
        return OutputError(f"Cannot resume from {self.folder}: it is damaged. Leave --resume out to start anew.")


def folder_beside(output: Path) -> Path:
    """Where the finished segments of a video file are kept while it is not finished."""
    real = output.resolve()
    return real.with_name(f"{real.name}.unfinished")


def clips_of(run: UnfinishedRun, times: FrameTimes) -> Iterator[VideoClip]:
    """The finished segments as clips at their own times."""
    start = 0
    for frames in run.finished():
        stop = start + len(frames)
        yield VideoClip(frames=frames, times=times[start:stop])
        start = stop
