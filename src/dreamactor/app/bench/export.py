"""ActorBench's cases as ordinary files, so that any method can be run elsewhere and come back through `evaluate`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

from torch import Tensor

from dreamactor.data.actors import ACTOR_VERSION, EXPRESSION
from dreamactor.data.held_out import (
    BENCH_VERSION,
    FULL_COUNTS,
    QUICK_COUNTS,
    SIZE,
    CaseSpec,
    draw_case,
    draw_driver,
    set_specs,
)
from dreamactor.errors import OutputError
from dreamactor.evaluation.known import save_known
from dreamactor.perception.track_file import save_track
from dreamactor.types.video import FrameTimes
from dreamactor.video.image import write_image
from dreamactor.video.writer import VideoWriter

TRACKS: Final = {"body": ("cross_identity", "unseen"), "portrait": ("cross_identity", "expressions")}
"""Track -> the sets it is made of; a portrait case shows head and shoulders, a body case more."""
FPS: Final = Fraction(25)
_ABOUT: Final = """ActorBench version {version}, actors version {actors}: {count} cases.

Every folder is one case:

    reference.png     the character
    driving.mp4       somebody else, whose motion the character shall take on
    truth.mp4         the character doing the same (lossless RGB H.264)
    truth.npz         where the person is in truth.mp4
    truth.known.npz   mask, expression, identity
    case.json         what the case is

`body/` shows half or whole bodies, `portrait/` heads and shoulders. Animate reference.png by driving.mp4, all frames, and
call the result like its folder (body/CASE.mp4), or put it into a folder of that name. Do not show a method the truth. Then:

    dreamactor evaluate OUTPUTS {folder} --json scores.json --html report.html
    dreamactor evaluate --compare OURS THEIRS {folder} --html report.html
"""


def export_specs(*, quick: bool) -> dict[str, list[CaseSpec]]:
    """Track -> cases."""
    counts = QUICK_COUNTS if quick else FULL_COUNTS
    found: dict[str, list[CaseSpec]] = {}
    for track, sets in TRACKS.items():
        specs = [spec for name in sets for spec in set_specs(name, counts[name])]
        found[track] = [spec for spec in specs if (spec.framing == "portrait") == (track == "portrait")]
    return found


def export_bench(folder: Path, *, quick: bool, limit: int | None, report: Callable[[int, int], None]) -> int:
    """Writes the cases that are not there yet; returns how many there are in all.

    Raises:
        OutputError: the folder cannot be written.
    """
    specs = {track: cases[:limit] for track, cases in export_specs(quick=quick).items()}
    total, done = sum(len(cases) for cases in specs.values()), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for track, cases in specs.items():
            for spec in cases:
                _export(folder / track / spec.name, spec)
                done += 1
                report(done, total)
        about = _ABOUT.format(version=BENCH_VERSION, actors=ACTOR_VERSION, count=total, folder=folder.name)
        (folder / "README.txt").write_text(about)
    except OSError as error:
        raise OutputError(f"Cannot write to {folder}: {error.strerror}. Choose another folder.") from error
    return total


def _export(folder: Path, spec: CaseSpec) -> None:
    """One case; its description is written last, so a case with one is whole."""
    description = {**asdict(spec), "bench_version": BENCH_VERSION, "actor_version": ACTOR_VERSION}
    about = folder / "case.json"
    if about.is_file() and json.loads(about.read_text()) == description:
        return
    folder.mkdir(parents=True, exist_ok=True)
    case = draw_case(spec)
    write_image(folder / "reference.png", case.reference.image)
    _write(folder / "driving.mp4", draw_driver(spec, size=2 * SIZE)[: spec.num_frames], lossless=False)
    truth = folder / "truth.mp4"
    _write(truth, case.truth, lossless=True)
    save_track(folder / "truth.npz", replace(case.track, times=FrameTimes.constant(spec.num_frames, FPS)))
    tags = {"set": spec.set, **spec.tags}
    save_known(
        truth, mask=case.mask, expression=case.expression, coefficients=EXPRESSION, actor=spec.character, tags=tags
    )  # fmt: skip
    part = folder / "case.part"
    part.write_text(json.dumps(description, indent=2) + "\n")
    part.rename(about)


def _write(path: Path, frames: Tensor, *, lossless: bool) -> None:
    _, height, width, _ = frames.shape
    with VideoWriter(path, width=width, height=height, fps=FPS, crf=12, lossless=lossless) as writer:
        writer.write(frames)
