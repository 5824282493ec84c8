"""`evaluate` scores what others made; whatever is wrong with a file is one row or one line, never a traceback."""

from __future__ import annotations

import html.parser
import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from dreamactor.app import evaluate as road
from dreamactor.app.main import run
from dreamactor.data.actors import EXPRESSION, render, sample_actor, sample_performance, sample_scene
from dreamactor.evaluation.coefficients import UNNAMED
from dreamactor.evaluation.known import known_path, save_known
from dreamactor.perception.track_file import save_track
from dreamactor.video.writer import VideoWriter

FRAMES, SIZE = 9, 96


def _write(path: Path, frames: torch.Tensor) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, width=frames.shape[2], height=frames.shape[1], fps=Fraction(25), lossless=True) as writer:
        writer.write(frames)
    return path


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder truth/ with two exported-like cases, and ours/ with videos that are one frame late; do not write into it."""
    folder = tmp_path_factory.mktemp("cases")
    for seed, framing in ((3, "portrait"), (4, "full")):
        performance = sample_performance(seed, num_frames=FRAMES, framing=framing)
        drawn = render(sample_actor(seed), performance, sample_scene(seed, framing=framing), width=SIZE, height=SIZE)
        truth = _write(folder / "truth" / f"case{seed}" / "truth.mp4", drawn.frames)
        save_track(truth.with_suffix(".npz"), drawn.track)
        about = {"expression": drawn.expression, "coefficients": EXPRESSION, "tags": {"framing": framing}}
        save_known(truth, mask=drawn.mask, actor=seed, **about)
        _write(folder / "ours" / f"case{seed}.mp4", torch.cat([drawn.frames[:1], drawn.frames[:-1]]))
    return folder


def _scores(arguments: list[str], tmp_path: Path) -> dict:
    file = tmp_path / "scores.json"
    assert run(["evaluate", *arguments, "--json", str(file)]) == 0
    return json.loads(file.read_text())


def test_a_folder_is_scored_and_a_second_run_scores_nothing_again(
    cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _scores([str(cases / "ours"), str(cases / "truth")], tmp_path)
    values = {(row["metric"], row["set"]): row["value"] for row in first["rows"]}
    assert values["psnr_frame", "all"] < 60
    assert values["joint_error_body", "all"] > 0
    assert {clip["clip"] for clip in first["clips"]} == {"case3", "case4"}
    assert any(row["metric"] == "FID" for row in first["missing"])

    def never(*args: object, **more: object) -> None:
        raise AssertionError("scored again")

    monkeypatch.setattr(road, "score_video", never)
    assert _scores([str(cases / "ours"), str(cases / "truth")], tmp_path) == first


def test_two_runs_without_a_cache_give_the_same_numbers(
    cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = [str(cases / "ours/case3.mp4"), str(cases / "truth/case3/truth.mp4")]
    found = []
    for name in ("one", "two"):
        monkeypatch.setenv("DREAMACTOR_CACHE", str(tmp_path / name))
        found.append(_scores(pair, tmp_path))
    assert found[0] == found[1]


def test_methods_stand_side_by_side_on_one_page(cases: Path, tmp_path: Path) -> None:
    shutil.copytree(cases / "ours", tmp_path / "theirs")
    page = tmp_path / "report.html"
    arguments = ["--compare", str(cases / "ours"), str(tmp_path / "theirs"), str(cases / "truth"), "--html", str(page)]
    found = _scores(arguments, tmp_path)
    assert {row["method"] for row in found["rows"]} == {"ours", "theirs"}
    text = page.read_text()
    html.parser.HTMLParser().feed(text)
    assert "theirs" in text
    assert "not computed" in text


def test_another_size_of_the_same_shape_is_resized_and_said(cases: Path, tmp_path: Path) -> None:
    truth = cases / "truth/case4/truth.mp4"
    large = road.resize_frames(road.read_clip(truth).frames, width=2 * SIZE, height=2 * SIZE)
    found = _scores([str(_write(tmp_path / "large.mp4", large)), str(truth)], tmp_path)
    assert found["clips"][0]["tags"]["resized"].startswith("192x192 to 96x96")


def test_a_truth_that_shows_nobody_is_scored_by_its_pixels_alone(tmp_path: Path) -> None:
    grey = torch.full((6, 64, 64, 3), 90, dtype=torch.uint8)
    truth, made = _write(tmp_path / "truth.mp4", grey), _write(tmp_path / "made.mp4", grey + 10)
    found = _scores([str(made), str(truth)], tmp_path)
    values = found["clips"][0]["values"]
    assert values["psnr_frame"] == pytest.approx(10 * np.log10(255**2 / 100), abs=0.01)
    reasons = {row["metric"]: row["reason"] for row in found["missing"]}
    assert "no person" in reasons["joint_error_body"].lower()


Spoil = Callable[[Path, Path], None]


def _short(made: Path, truth: Path) -> None:
    _write(made, road.read_clip(made).frames[:4])


def _long(made: Path, truth: Path) -> None:
    frames = road.read_clip(made).frames
    _write(made, torch.cat([frames, frames]))


def _wide(made: Path, truth: Path) -> None:
    _write(made, torch.zeros(FRAMES, 64, 128, 3, dtype=torch.uint8))


def _tiny(made: Path, truth: Path) -> None:
    for path in (made, truth):
        _write(path, torch.zeros(FRAMES, 8, 8, 3, dtype=torch.uint8))


def _other_mask(made: Path, truth: Path) -> None:
    mask = torch.zeros(FRAMES, 10, 10, dtype=torch.uint8)
    save_known(truth, mask=mask, expression=torch.zeros(FRAMES, 20), coefficients=UNNAMED, actor=3, tags={})


def _nan_expression(made: Path, truth: Path) -> None:
    mask = torch.zeros(FRAMES, SIZE, SIZE, dtype=torch.uint8)
    save_known(truth, mask=mask, expression=torch.full((FRAMES, 20), torch.nan), coefficients=UNNAMED, actor=3, tags={})


def _few_expressions(made: Path, truth: Path) -> None:
    mask = torch.zeros(FRAMES, SIZE, SIZE, dtype=torch.uint8)
    save_known(truth, mask=mask, expression=torch.zeros(FRAMES, 4), coefficients=UNNAMED, actor=3, tags={})


def _other_framing(made: Path, truth: Path) -> None:
    mask = torch.full((FRAMES, SIZE, SIZE), 255, dtype=torch.uint8)
    save_known(
        truth, mask=mask, expression=torch.zeros(FRAMES, 20), coefficients=UNNAMED, actor=3, tags={"framing": "sideways"}
    )


def _short_track(made: Path, truth: Path) -> None:
    with np.load(truth.with_suffix(".npz")) as stored:
        arrays = {name: stored[name] if stored[name].ndim == 0 else stored[name][:4] for name in stored.files}
    np.savez(truth.with_suffix(".npz"), **arrays)


def _bytes(which: str, content: bytes) -> Spoil:
    def spoil(made: Path, truth: Path) -> None:
        path = {"made": made, "truth": truth, "track": truth.with_suffix(".npz"), "known": known_path(truth)}[which]
        path.write_bytes(content)

    return spoil


def _cut(which: str, share: float) -> Spoil:
    def spoil(made: Path, truth: Path) -> None:
        path = {"made": made, "truth": truth, "track": truth.with_suffix(".npz"), "known": known_path(truth)}[which]
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])

    return spoil


def _gone(which: str) -> Spoil:
    def spoil(made: Path, truth: Path) -> None:
        {"made": made, "truth": truth, "track": truth.with_suffix(".npz")}[which].unlink()

    return spoil


BAD: dict[str, tuple[Spoil, str]] = {
    "empty video": (_bytes("made", b""), ""),
    "text for a video": (_bytes("made", b"hello, I am no video"), ""),
    "picture for a video": (_bytes("made", b"\x89PNG\r\n\x1a\n" + bytes(64)), ""),
    "html for a video": (_bytes("made", b"<html><body>404</body></html>"), ""),
    "half a video": (_cut("made", 0.5), ""),
    "a tenth of a video": (_cut("made", 0.1), ""),
    "empty truth": (_bytes("truth", b""), ""),
    "text for a truth": (_bytes("truth", b"no video"), ""),
    "half a truth": (_cut("truth", 0.5), ""),
    "too few frames": (_short, "4 frames against the truth's 9"),
    "too many frames": (_long, "18 frames against the truth's 9"),
    "another shape": (_wide, "another shape"),
    "too small for SSIM": (_tiny, "at least 11 pixels"),
    "damaged motion file": (_bytes("track", b"no archive"), "cannot be read"),
    "half a motion file": (_cut("track", 0.5), "cannot be read"),
    "motion file of another video": (_short_track, ""),
    "no motion file": (_gone("track"), "export the case again"),
    "damaged mask": (_bytes("known", b"no archive"), "damaged"),
    "half a mask file": (_cut("known", 0.5), "damaged"),
    "mask of another video": (_other_mask, "another video"),
    "expression that is no number": (_nan_expression, "expressions"),
    "expression of another schema": (_few_expressions, "expressions"),
    "framing nobody knows": (_other_framing, "unknown framing"),
    "no video for a truth": (_gone("made"), "no video called"),
    "no truth for a video": (_gone("truth"), "no truth called"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_a_row_with_its_reason_and_the_others_are_scored(name: str, cases: Path, tmp_path: Path) -> None:
    for part in ("ours", "truth"):
        shutil.copytree(cases / part, tmp_path / part)
    spoil, says = BAD[name]
    spoil(tmp_path / "ours/case3.mp4", tmp_path / "truth/case3/truth.mp4")
    found = _scores([str(tmp_path / "ours"), str(tmp_path / "truth")], tmp_path)
    by_clip = {clip["clip"]: clip for clip in found["clips"]}
    assert by_clip["case4"].get("error") is None
    reason = by_clip["case3"]["error"]
    assert len(reason) > 10
    assert "\n" not in reason
    assert says.lower() in reason.lower()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "got 0 paths"),
        (["ours"], "got 1 paths"),
        (["ours", "theirs", "truth"], "use --compare"),
        (["ours", "nowhere"], "nothing at"),
        (["nowhere", "truth"], "nothing at"),
        (["ours", "truth/case3/truth.mp4"], "two files or two folders"),
        (["ours", "empty"], "no video in"),
        (["--compare", "ours", "ours", "truth"], "given twice"),
        (["ours", "truth", "--json", "scores.txt"], "must end in"),
        (["ours", "truth", "--html", "page.json"], "must end in"),
        (["ours", "truth", "--json", "nowhere/scores.json"], "does not exist"),
        (["ours", "truth", "--fid", "nowhere.pt"], "cannot read"),
        (["ours", "truth", "--lpips", "notes.txt"], "torchscript"),
    ],
)
def test_what_cannot_be_evaluated_at_all_is_one_line(
    arguments: list[str], says: str, cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for part in ("ours", "truth"):
        shutil.copytree(cases / part, tmp_path / part)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no network")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert run(["evaluate", *arguments]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("dreamactor: ")]
    assert len(lines) == 1
    assert says.lower() in lines[0].lower()
    assert sorted(tmp_path.rglob("*")) == before
