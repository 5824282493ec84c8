"""The judge's training: crops and their targets stay together, and mirroring is its own inverse."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.testing import assert_close

from dreamactor.data.actors import EXPRESSION, FIRST_HELD_OUT_SEED
from dreamactor.data.looks import PERSON_PX, SURPLUS, build_looks, load_looks
from dreamactor.errors import InputError
from dreamactor.evaluation.judge import load_judge
from dreamactor.guidance.person_box import JUDGED_POINTS, MIRRORED_FACE_POINTS, MIRRORED_POINTS, box_mask, crop_boxes
from dreamactor.recipes.judge import JudgeRecipe, train_judge
from dreamactor.training.judge import _moved_points, cut, mirrored_points, wear
from dreamactor.training.mirror import MIRRORED_CODE


@pytest.mark.parametrize("order", [MIRRORED_POINTS, MIRRORED_FACE_POINTS, MIRRORED_CODE])
def test_mirroring_twice_changes_nothing(order: list[int]) -> None:
    assert [order[index] for index in order] == list(range(len(order)))


def test_a_point_stays_on_what_it_marks_when_a_crop_is_moved_turned_and_flipped() -> None:
    generator = torch.Generator().manual_seed(3)
    points = torch.rand(12, 1, 2, generator=generator) * 1.2 - 0.6
    pictures = torch.zeros(12, 3, PERSON_PX, PERSON_PX, dtype=torch.uint8)
    places = ((points[:, 0] / SURPLUS + 1) / 2 * PERSON_PX).long()
    for picture, (x, y) in zip(pictures, places, strict=True):
        picture[:, y - 1 : y + 2, x - 1 : x + 2] = 255
    crops, matrix = cut(
        pictures, size_px=128, surplus=SURPLUS, turn_deg=12, mirror=torch.arange(12) % 2 == 0, generator=generator
    )
    share = (crops[:, 0] + 1).flatten(1)
    share = share / share.sum(dim=1, keepdim=True)
    line = (torch.arange(128) + 0.5) / 64 - 1
    found = torch.stack(
        [(share.unflatten(1, (128, 128)).sum(1) * line).sum(1), (share.unflatten(1, (128, 128)).sum(2) * line).sum(1)], 1
    )
    assert_close(found, _moved_points(points, matrix)[:, 0], atol=0.02, rtol=0)


def test_left_and_right_change_places_only_where_a_picture_is_flipped() -> None:
    points = torch.arange(len(JUDGED_POINTS), dtype=torch.float32).expand(2, -1)
    found = mirrored_points(points, torch.tensor([True, False]))
    assert found[0, JUDGED_POINTS.index("left_knee")] == JUDGED_POINTS.index("right_knee")
    assert torch.equal(found[1], points[1])


def test_worn_pictures_stay_pictures_and_equal_seeds_wear_them_equally() -> None:
    crops = torch.rand(6, 3, 32, 32) * 2 - 1
    worn = [wear(crops, tint=0.3, generator=torch.Generator().manual_seed(1)) for _ in range(2)]
    assert torch.equal(*worn)
    assert float(worn[0].abs().max()) <= 1
    assert not torch.equal(worn[0], crops)


def test_a_crop_along_a_box_shows_what_the_box_holds() -> None:
    frames = torch.randint(0, 255, (2, 40, 50, 3), dtype=torch.uint8)
    box = torch.tensor([[10.0, 5.0, 26.0, 21.0], [-4.0, -4.0, 12.0, 12.0]])
    crops = crop_boxes(frames, box, size_px=16)
    assert torch.equal(crops[0], frames[0, 5:21, 10:26].permute(2, 0, 1))
    assert torch.equal(crops[1, :, 4:, 4:], frames[1, :12, :12].permute(2, 0, 1))
    assert int(box_mask(box, width=50, height=40)[0].sum()) == 256


def test_the_judges_pictures_are_kept_and_never_of_held_out_actors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Held-out"):
        build_looks(tmp_path, FIRST_HELD_OUT_SEED)
    path = build_looks(tmp_path, 500_003)
    looks = load_looks(path)
    assert len(looks.person) == len(looks.take) == len(looks.landmarks)
    assert float(looks.points[looks.seen].abs().max()) <= 1.001
    stamp = path.stat().st_mtime_ns
    assert build_looks(tmp_path, 500_003).stat().st_mtime_ns == stamp


@pytest.mark.slow
def test_the_whole_recipe_runs_and_runs_on(tmp_path: Path) -> None:
    recipe = JudgeRecipe(num_actors=4, points_steps=2, head_steps=2, who_steps=2, workers=1)
    stages: list[str] = []
    folder = train_judge(tmp_path, recipe, lambda stage, done, total: stages.append(stage))
    first = (folder / "judge.safetensors").read_bytes()
    assert train_judge(tmp_path, recipe, lambda stage, done, total: None) == folder
    assert (folder / "judge.safetensors").read_bytes() == first
    assert set(stages) == {"looks", "points", "head", "who"}
    assert load_judge(folder).coefficients == EXPRESSION
    for path in (tmp_path / "looks").iterdir():
        looks = load_looks(path)
        looks = replace(looks, expression=looks.expression[:, :20].contiguous())
        save_file({field.name: getattr(looks, field.name) for field in fields(looks)}, path)
    with pytest.raises(InputError, match="20 coefficients, needed 30"):
        train_judge(tmp_path, recipe, lambda stage, done, total: None)
