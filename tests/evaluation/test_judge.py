"""What the judge reads does not depend on how the video is cut up; equal pictures are at no distance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from dreamactor.data.actors import EXPRESSION, render, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.coefficients import EXPRESSION_OF
from dreamactor.errors import InputError
from dreamactor.evaluation import judge as reading
from dreamactor.evaluation.clip import Truth
from dreamactor.evaluation.coefficients import JUDGED, UNNAMED, pick
from dreamactor.evaluation.judge import (
    Gallery,
    Judge,
    compare,
    load_judge,
    perceptual_distance,
    point_errors,
    save_judge,
    video_windows,
)
from dreamactor.geometry.skeleton import NUM_FACE_POINTS
from dreamactor.guidance.person_box import JUDGED_POINTS, judged_points
from dreamactor.models.judge import HeadJudge, PointJudge, WhoJudge


@pytest.fixture(scope="module")
def judge() -> Judge:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Judge(
            PointJudge(len(JUDGED_POINTS)), HeadJudge(NUM_FACE_POINTS, len(EXPRESSION)), WhoJudge(), coefficients=EXPRESSION
        )


@pytest.fixture(scope="module")
def truth() -> Truth:
    performance = sample_performance(7, num_frames=9, framing="upper")
    drawn = render(sample_actor(7), performance, sample_scene(7, framing="upper"), width=128, height=128)
    return Truth(
        frames=drawn.frames,
        mask=drawn.mask,
        track=drawn.track,
        expression=drawn.expression,
        coefficients=EXPRESSION,
        actor=7,
    )


def test_judged_coefficients_are_the_actors_and_files_without_names_have_the_first_casts() -> None:
    assert set(JUDGED) <= set(EXPRESSION)
    assert EXPRESSION_OF["2"] == UNNAMED


def test_a_judge_and_a_truth_meet_by_name(judge: Judge, truth: Truth) -> None:
    assert truth.expression is not None
    turned = replace(truth, expression=truth.expression.flip(1), coefficients=truth.coefficients[::-1])
    few = replace(truth, expression=pick(truth.expression, EXPRESSION, UNNAMED), coefficients=UNNAMED)
    found = [compare(judge, truth.frames, one, None).found for one in (truth, turned, few)]
    for name in ("expression_error", "lid_error"):
        assert found[0].values[name] == found[1].values[name] == found[2].values[name]


def test_a_judge_reads_what_its_file_says(judge: Judge, truth: Truth, tmp_path: Path) -> None:
    assert truth.track is not None
    names = [*reversed(JUDGED), "tongue_out"]
    head = HeadJudge(NUM_FACE_POINTS, len(names))
    save_judge(tmp_path, Judge(judge.points, head, judge.who, coefficients=names))
    back = load_judge(tmp_path)
    assert list(back.coefficients) == names
    assert back.read(truth.frames[:2], truth.track[0:2]).expression.shape == (2, len(names))
    with pytest.raises(ValueError, match="named"):
        Judge(judge.points, head, judge.who, coefficients=names[1:])
    with pytest.raises(ValueError, match="no jaw_open"):
        Judge(judge.points, head, judge.who, coefficients=[name.replace("jaw_open", "jaw") for name in names])


def test_batches_do_not_matter(judge: Judge, truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    assert truth.track is not None
    whole = judge.read(truth.frames, truth.track, maps=True)
    monkeypatch.setattr(reading, "PICTURES_AT_ONCE", 2)
    pieces = judge.read(truth.frames, truth.track, maps=True)
    for name in ("points", "angles_rad", "expression", "who", "picture", "change"):
        assert_close(getattr(pieces, name), getattr(whole, name), rtol=1e-3, atol=1e-4)
    assert len(whole.change) == len(truth.frames) - 1
    assert_close(perceptual_distance(whole, pieces), torch.zeros(9), atol=1e-5, rtol=0)


def test_the_truth_is_at_no_distance_and_a_changed_frame_is(judge: Judge, truth: Truth) -> None:
    made = truth.frames.clone()
    made[4] = 255 - made[4]
    gallery = Gallery(actors=(7, 8), who=torch.nn.functional.normalize(torch.randn(2, 64), dim=1))
    found = compare(judge, made, truth, gallery).found
    apart = torch.tensor(found.series["actor_perceptual"])
    assert float(apart[4]) > 0.01
    assert_close(apart[[0, 8]], torch.zeros(2), atol=1e-5, rtol=0)
    assert "identity_rank1" in found.values
    unknown = compare(judge, made, truth, None).found
    assert "nobody said" in unknown.missing["identity_rank1"]


def test_windows_take_eight_frames_each(judge: Judge, truth: Truth) -> None:
    assert truth.track is not None
    read = judge.read(truth.frames, truth.track)
    assert len(video_windows(read)) == 1
    short = judge.read(truth.frames[:5], truth.track[0:5])
    assert len(video_windows(short)) == 0


def test_exact_points_have_no_error_and_shifted_ones_theirs(truth: Truth) -> None:
    assert truth.track is not None
    points, seen = judged_points(truth.track)
    exact = point_errors(points, truth.track)
    assert float(exact[seen].abs().max()) == 0
    assert bool(exact[~seen].isnan().all())
    shifted = point_errors(points + torch.tensor([3.0, 4.0]), truth.track)
    torso = (truth.track.body.joints[:, 1] - truth.track.body.joints[:, 0]).norm(dim=-1).max()
    assert_close(shifted[seen], torch.full_like(shifted[seen], float(500 / torso)))


def test_a_judge_survives_its_file_and_a_damaged_one_is_named(judge: Judge, truth: Truth, tmp_path: Path) -> None:
    assert truth.track is not None
    save_judge(tmp_path, judge)
    back = load_judge(tmp_path)
    assert_close(back.read(truth.frames, truth.track).who, judge.read(truth.frames, truth.track).who, rtol=1e-2, atol=1e-2)
    assert len(back.sha256) == 64
    (tmp_path / "judge.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match="cannot be loaded"):
        load_judge(tmp_path)
    with pytest.raises(InputError, match="cannot be loaded"):
        load_judge(tmp_path / "nowhere")


def test_the_shipped_judge_is_small_and_loads() -> None:
    assert sum(path.stat().st_size for path in reading.judge_folder().iterdir()) < 6e6
    shipped = load_judge()
    assert shipped.points.num_points == len(JUDGED_POINTS)
    assert shipped.head.num_expression == len(shipped.coefficients)


def test_a_mirrored_face_reads_as_the_other_side(judge: Judge, truth: Truth) -> None:
    assert truth.track is not None
    head = truth.track.head
    middle = head.center.clone()
    middle[:, 0] = 128 - middle[:, 0]
    mirrored = replace(truth.track, head=replace(head, center=middle))
    seen, other = judge.read(truth.frames, truth.track), judge.read(truth.frames.flip(2), mirrored)
    flip = torch.tensor([-1.0, 1.0, -1.0])
    assert_close(other.angles_rad * flip, seen.angles_rad, atol=0.03, rtol=0)
    left, right, gaze = (judge.coefficients.index(name) for name in ("smile_left", "smile_right", "gaze_x"))
    assert_close(other.expression[:, left], seen.expression[:, right], atol=0.03, rtol=0)
    assert_close(other.expression[:, gaze], -seen.expression[:, gaze], atol=0.03, rtol=0)
