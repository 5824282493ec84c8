"""The library on one screen: load, look, animate, evaluate. See docs/python.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from dreamactor.app.animate import animate_to_file
from dreamactor.app.evaluate import Networks
from dreamactor.app.evaluate import evaluate as evaluate_methods
from dreamactor.errors import InputError
from dreamactor.evaluation.scores import ClipScores
from dreamactor.inference.animator import Animator
from dreamactor.inference.request import AnimateRequest
from dreamactor.inference.sources import Report


class TimedFrame(NamedTuple):
    """One picture of a result.

    Attributes:
        image: [H, W, 3] uint8 RGB.
        time_s: when it is shown, on the driver's clock.
    """

    image: Tensor
    time_s: float


def load(model: str = "actor") -> Animator:
    """Loads a shipped model by name, or one from a folder.

    Raises:
        ConfigError, InputError: no such model, or a damaged one.
    """
    return Animator.from_pretrained(model)


def animate(
    references: str | Path | Sequence[str | Path],
    driving: str | Path,
    output: str | Path,
    *,
    model: str = "actor",
    animator: Animator | None = None,
    label: bool = False,
    report: Report = lambda progress: None,
    **settings: Any,
) -> Path:
    """Writes an animation with sound, exact times and signed content credentials; it appears whole or not at all.

    Args:
        references: one or more pictures of the character.
        driving: a video, or a motion file (.npz).
        output: the video to write (.mp4, .m4v or .mov).
        model: name or folder; recorded in the credentials.
        animator: the same model, where it is loaded already.
        label: write "AI-generated" into every picture.
        report: told of the progress.
        settings: any other field of `AnimateRequest`, such as `seed` or `proportions`.

    Raises:
        DreamActorError: something about the request that its author can mend.
    """
    given = [references] if isinstance(references, str | Path) else references
    request = AnimateRequest(references=tuple(Path(one) for one in given), driving=Path(driving), **settings)
    animate_to_file(
        request, model=model, output=Path(output), preview=None, label=label, animator=animator, report=report,
        say=lambda line: None,
    )  # fmt: skip
    return Path(output)


def frames(animator: Animator, request: AnimateRequest, report: Report = lambda progress: None) -> Iterator[TimedFrame]:
    """Frames of an animation one by one, for streaming: memory does not grow with the length of the video.

    What is made of them does not carry credentials by itself; say that it is AI-generated.
    """
    for clip in animator.animate(request, report):
        for image, time_s in zip(clip.frames, clip.times.seconds.tolist(), strict=True):
            yield TimedFrame(image=image, time_s=time_s)


def evaluate(made: str | Path, truth: str | Path) -> ClipScores:
    """Scores one video against its truth, as `dreamactor evaluate` does.

    Returns:
        `values` by metric, and in `missing` why a metric was not computed.

    Raises:
        InputError: one of the two cannot be read, or they do not fit together.
    """
    found = evaluate_methods([Path(made)], Path(truth), Networks.find({}), lambda method, done, total: None)
    (scores,) = found.scores
    if scores.error is not None:
        raise InputError(scores.error)
    return scores
