"""Which video belongs to which truth, and what lies beside a truth."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dreamactor.data.actors import EXPRESSION, render, sample_actor, sample_performance, sample_scene
from dreamactor.errors import InputError
from dreamactor.evaluation.known import known_path, load_known, save_known
from dreamactor.evaluation.pairs import match
from dreamactor.perception.track_file import save_track


def _touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return folder


def test_files_of_equal_names_belong_together_whatever_their_endings(tmp_path: Path) -> None:
    made = _touch(tmp_path / "made", "b.mov", "a.mp4", "deep/c.mkv", "notes.txt")
    truth = _touch(tmp_path / "truth", "a.mp4", "b.mp4", "deep/c.mp4")
    pairs = match(made, truth)
    assert [pair.clip for pair in pairs] == ["a", "b", "deep/c"]
    assert all(pair.error is None for pair in pairs)


def test_an_exported_case_is_named_by_its_folder(tmp_path: Path) -> None:
    truth = _touch(tmp_path / "truth", "body/one/truth.mp4", "body/one/driving.mp4", "portrait/two/truth.mp4")
    made = _touch(tmp_path / "made", "body/one.mp4", "portrait/two/anything.mp4")
    pairs = match(made, truth)
    assert [(pair.clip, pair.error) for pair in pairs] == [("body/one", None), ("portrait/two", None)]
    assert pairs[1].made == tmp_path / "made/portrait/two/anything.mp4"


def test_what_has_no_partner_is_a_row_with_its_reason(tmp_path: Path) -> None:
    made, truth = _touch(tmp_path / "made", "a.mp4", "extra.mp4"), _touch(tmp_path / "truth", "a.mp4", "lost.mp4")
    errors = {pair.clip: pair.error for pair in match(made, truth)}
    assert errors["a"] is None
    assert "no video called lost" in str(errors["lost"])
    assert "no truth called extra" in str(errors["extra"])


def test_two_videos_for_one_case_are_not_guessed_between(tmp_path: Path) -> None:
    made, truth = _touch(tmp_path / "made", "one/a.mp4", "one/b.mp4"), _touch(tmp_path / "truth", "one/truth.mp4")
    assert "2 videos" in str(match(made, truth)[0].error)


def test_what_cannot_be_paired_at_all_is_refused(tmp_path: Path) -> None:
    folder, empty = _touch(tmp_path / "made", "a.mp4"), tmp_path / "empty"
    empty.mkdir()
    for made, truth, says in (
        (folder, tmp_path / "nowhere", "nothing at"),
        (folder, folder / "a.mp4", "is a folder"),
        (folder, empty, "no video in"),
    ):
        with pytest.raises(InputError, match=says):
            match(made, truth)


def test_what_is_known_survives_its_files(tmp_path: Path) -> None:
    performance = sample_performance(5, num_frames=3, framing="upper")
    drawn = render(sample_actor(5), performance, sample_scene(5, framing="upper"), width=65, height=47)
    video = tmp_path / "truth.mp4"
    assert load_known(video).track is None
    save_track(video.with_suffix(".npz"), drawn.track)
    names = EXPRESSION[::-1]
    save_known(
        video, mask=drawn.mask, expression=drawn.expression, coefficients=names, actor=5, tags={"set": "self"}
    )  # fmt: skip
    known = load_known(video)
    assert known.mask is not None
    assert torch.equal(known.mask > 127, drawn.mask > 127)
    assert known.expression is not None
    assert torch.equal(known.expression, drawn.expression)
    assert (known.coefficients, known.actor, known.tags) == (names, 5, {"set": "self"})
    known_path(video).write_bytes(b"damaged")
    with pytest.raises(InputError, match="damaged"):
        load_known(video)
