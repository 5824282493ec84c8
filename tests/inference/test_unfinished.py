"""A run that broke off goes on after its last finished segment, and nobody can tell from the frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dreamactor.errors import OutputError
from dreamactor.inference.animator import Animator
from dreamactor.inference.request import AnimateRequest
from dreamactor.inference.unfinished import Handover, UnfinishedRun, run_facts
from dreamactor.recipes.tiny import tiny_bundle
from dreamactor.types.guidance import ReferenceSet
from dreamactor.types.track import PersonTrack
from tiny_scene import SIDE, one_reference, waving

FRAMES = 61
"""Shots of 30 and 31 frames: segments of 9, 8, 8 and 5 frames, then of 9, 8, 8 and 6."""


class _KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def animator() -> Animator:
    return Animator(tiny_bundle(segment_frames=9))


@pytest.fixture(scope="module")
def references() -> ReferenceSet:
    return one_reference()


@pytest.fixture(scope="module")
def driving() -> PersonTrack:
    cut = torch.zeros(FRAMES, dtype=torch.bool)
    cut[30] = True
    return replace(waving(FRAMES), cut=cut)


@pytest.fixture(scope="module")
def whole(animator: Animator, references: ReferenceSet, driving: PersonTrack) -> Tensor:
    return torch.cat([clip.frames for clip in animator.animate_track(driving, references, _request())])


def _request() -> AnimateRequest:
    return AnimateRequest(references=(Path("a"),), driving=Path("b"), steps=1)


def _killed_in_segment(number: int, clips: Iterator[object]) -> None:
    for _ in range(number - 1):
        next(clips)
    with pytest.raises(_KilledError):
        clips.throw(_KilledError())  # type: ignore[attr-defined]


@pytest.mark.parametrize("killed_in", [2, 5, 6])
def test_resumed_frames_are_the_uninterrupted_runs(
    animator: Animator, references: ReferenceSet, driving: PersonTrack, whole: Tensor, tmp_path: Path, killed_in: int
) -> None:
    facts = {"seed": "0"}
    first = UnfinishedRun.beside(tmp_path / "out.mp4", facts, resume=False)
    _killed_in_segment(killed_in, animator.animate_track(driving, references, _request(), unfinished=first))
    again = UnfinishedRun.beside(tmp_path / "out.mp4", facts, resume=True)
    assert again.num_done == killed_in - 1
    clips = list(animator.animate_track(driving, references, _request(), unfinished=again))
    assert torch.equal(torch.cat([clip.frames for clip in clips]), whole)
    assert torch.equal(torch.cat([clip.times.pts for clip in clips]), driving.times.pts)
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_was_begun_with_other_settings_is_refused_and_named(tmp_path: Path) -> None:
    run = UnfinishedRun.beside(tmp_path / "out.mp4", {"seed": "0", "steps": "2"}, resume=False)
    run.keep(torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8), _handover())
    with pytest.raises(OutputError, match="other steps"):
        UnfinishedRun.beside(tmp_path / "out.mp4", {"seed": "0", "steps": "4"}, resume=True)


@pytest.mark.parametrize("damaged", ["run.json", "state.safetensors", "segment_0000.mp4"])
def test_a_damaged_folder_is_refused(tmp_path: Path, damaged: str) -> None:
    run = UnfinishedRun.beside(tmp_path / "out.mp4", {}, resume=False)
    run.keep(torch.zeros(2, SIDE, SIDE, 3, dtype=torch.uint8), _handover())
    (run.folder / damaged).write_bytes(b"not any more")
    with pytest.raises(OutputError, match="damaged"):
        list(UnfinishedRun.beside(tmp_path / "out.mp4", {}, resume=True).finished())


def test_without_resume_a_run_that_is_there_is_replaced(tmp_path: Path) -> None:
    black, white = (torch.full((2, SIDE, SIDE, 3), value, dtype=torch.uint8) for value in (0, 255))
    for frames in (black, white):
        UnfinishedRun.beside(tmp_path / "out.mp4", {}, resume=False).keep(frames, _handover())
    kept = list(UnfinishedRun.beside(tmp_path / "out.mp4", {}, resume=True).finished())
    assert len(kept) == 1
    assert torch.equal(kept[0], white)


def test_files_count_by_their_content_and_settings_by_their_value(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.json").write_text("{}")

    def facts(content: str, name: str, seed: int = 0) -> dict[str, str]:
        (tmp_path / name).write_text(content)
        return run_facts(AnimateRequest(references=(tmp_path / name,), driving=tmp_path / name, seed=seed), model)

    assert facts("x", "one") == facts("x", "two")
    nowhere = AnimateRequest(references=(tmp_path / "one",), driving=tmp_path / "nowhere.npz")
    assert run_facts(nowhere, model)["driving"] == "missing"
    assert facts("x", "one")["references"] != facts("y", "one")["references"]
    assert facts("x", "one") != facts("x", "one", seed=1)


def _handover() -> Handover:
    return Handover(carried=torch.zeros(1, 4, 1, 2, 2), decoder={})
