"""Which model answers a request: the embedded one and its like, or open weights with another road behind the same words."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from dreamactor.errors import ConfigError
from dreamactor.inference.animator import Animator
from dreamactor.inference.bundle import SHIPPED, model_folder
from dreamactor.inference.catalogue import expect_installed
from dreamactor.inference.request import AnimateRequest
from dreamactor.inference.sources import MotionSources, Report
from dreamactor.inference.unfinished import UnfinishedRun
from dreamactor.inference.wan.folder import is_pipeline_folder
from dreamactor.inference.wan.options import WanOptions
from dreamactor.types.video import VideoClip

WAN_ANIMATE: Final = "wan-animate-14b"


class Backend(Protocol):
    """What turns a request into a video.

    Attributes:
        advice: a line for the user before the work starts.
    """

    advice: str

    def check(self, request: AnimateRequest) -> None:
        """Refuses what this model cannot do."""

    def animate(
        self, request: AnimateRequest, report: Report, say: Callable[[str], None], *,
        sources: MotionSources | None = None, unfinished: UnfinishedRun | None = None,
    ) -> Iterator[VideoClip]:  # fmt: skip
        """See `Animator.animate`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundModel:
    """A model that is there.

    Attributes:
        folder: where.
        load: loads it.
    """

    folder: Path
    load: Callable[[], Backend]


def find_backend(model: str, options: WanOptions, request: AnimateRequest) -> FoundModel:
    """Checks a model and what is asked of it, without loading.

    Args:
        model: a name, a folder with a model.json, or one with a pipeline of diffusers.
        options: of Wan-Animate.

    Raises:
        ConfigError, InputError: no such model, it is not whole, or it does not know an option.
    """
    folder = Path(model)
    if model == WAN_ANIMATE or is_pipeline_folder(folder):
        from dreamactor.inference.wan.backend import WanAnimator

        animator = WanAnimator(expect_installed(model) if model == WAN_ANIMATE else folder, options)
        animator.check(request)
        return FoundModel(folder=animator.folder, load=lambda: animator)
    _expect_known(model)
    option = options.given()
    if option is not None:
        raise ConfigError(f"{option} belongs to Wan-Animate, and the model is '{model}'. Add --model {WAN_ANIMATE}.")
    return FoundModel(folder=model_folder(model), load=lambda: Animator.from_pretrained(model))


def _expect_known(model: str) -> None:
    names = (*SHIPPED, WAN_ANIMATE)
    if model in SHIPPED or (Path(model) / "model.json").is_file():
        return
    close = difflib.get_close_matches(model, names, n=1, cutoff=0.5)
    meant = f" Did you mean '{close[0]}'?" if close else ""
    raise ConfigError(
        f"Unknown model '{model}'.{meant} Known: {', '.join(names)}, or a folder with a model.json or a pipeline of "
        "diffusers."
    )
