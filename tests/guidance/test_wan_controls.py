"""Pose drawings and face crops keep the contract of Wan-Animate's training data."""

from __future__ import annotations

import colorsys
import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from dreamactor.geometry.layouts import COCO_WHOLEBODY_133
from dreamactor.guidance.person_box import crop_boxes
from dreamactor.guidance.wan_face import bridge_gaps, wan_face_boxes
from dreamactor.guidance.wan_pose import PALETTE, WAN_BODY, WAN_LIMBS, draw_wan_pose, half_width
from factories import make_track

WIDTH, HEIGHT = 640, 480
BODY = {"nose": 0, "left_eye": 1, "right_eye": 2, "left_ear": 3, "right_ear": 4, "left_shoulder": 5, "right_shoulder": 6,
        "left_elbow": 7, "right_elbow": 8, "left_wrist": 9, "right_wrist": 10, "left_hip": 11, "right_hip": 12,
        "left_knee": 13, "right_knee": 14, "left_ankle": 15, "right_ankle": 16}  # fmt: skip
"""COCO's own numbers, written out."""
ORDER = (0, (5, 6), 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3, (17, 18), (20, 21))
"""The drawn points by COCO-WholeBody's numbers."""
LIMBS = ((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
         (0, 14), (14, 16), (0, 15), (15, 17), (13, 18), (10, 19))  # fmt: skip
"""Limbs by numbers of the drawn points."""


def _nothing() -> tuple[Tensor, Tensor]:
    return torch.zeros(1, 133, 2), torch.zeros(1, 133)


def _draw(points: Tensor, confidence: Tensor, *, width: int = WIDTH, height: int = HEIGHT) -> Tensor:
    return draw_wan_pose(points, confidence, width=width, height=height)[0]


def _drawn_point(number: int, place: tuple[float, float], *, confidence: float = 1.0) -> tuple[Tensor, Tensor]:
    points, sure = _nothing()
    sources = ORDER[number]
    for source in sources if isinstance(sources, tuple) else (sources,):
        points[0, source], sure[0, source] = torch.tensor(place), confidence
    return points, sure


def test_names_are_cocos_numbers() -> None:
    assert {name: COCO_WHOLEBODY_133.index(name) for name in BODY} == BODY
    assert [COCO_WHOLEBODY_133.index(f"{side}_hand/wrist") for side in ("left", "right")] == [91, 112]
    assert tuple((WAN_BODY.index(a), WAN_BODY.index(b)) for a, b in WAN_LIMBS) == LIMBS
    assert PALETTE[0] == (255, 0, 0)
    assert PALETTE[6] == (0, 255, 0)
    assert PALETTE[12] == (0, 0, 255)
    assert PALETTE[17:] == ((255, 0, 85), (200, 200, 0), (100, 100, 0))


@pytest.mark.parametrize(("size", "half"), [((1280, 720), 2), ((832, 480), 1), ((64, 64), 1), ((1600, 1000), 4)])
def test_widths_grow_with_the_shorter_side(size: tuple[int, int], half: int) -> None:
    assert half_width(*size) == half


@pytest.mark.parametrize("number", [n for n in range(20) if n != 1])
def test_a_point_alone_is_a_disc_of_its_colour(number: int) -> None:
    picture = _draw(*_drawn_point(number, (100.5, 200.5), confidence=0.9), width=1600, height=1000)
    assert tuple(picture[200, 100].tolist()) == PALETTE[number]
    lit = torch.nonzero(picture.any(dim=-1))
    assert set(map(tuple, picture[picture.sum(dim=-1) > 0].tolist())) == {PALETTE[number]}
    assert (lit - torch.tensor((200, 100))).abs().max() == 4  # the radius


def test_below_one_half_nothing_is_drawn_and_means_are_judged_as_means() -> None:
    assert not _draw(*_drawn_point(0, (50.0, 50.0), confidence=0.499)).any()
    assert _draw(*_drawn_point(0, (50.0, 50.0), confidence=0.5)).any()
    points, sure = _nothing()
    points[0, 5], points[0, 6] = torch.tensor((100.0, 100.0)), torch.tensor((300.0, 100.0))
    sure[0, 5], sure[0, 6] = 0.9, 0.2  # the neck is their mean: 0.55
    picture = _draw(points, sure)
    assert tuple(picture[100, 200].tolist()) == PALETTE[1]
    assert tuple(picture[100, 150].tolist()) == tuple(int(0.6 * channel) for channel in PALETTE[1])  # neck to left shoulder
    assert not picture[100, 250:].any()


@pytest.mark.parametrize("limb", range(19))
def test_a_limb_is_its_colour_darkened_between_its_points(limb: int) -> None:
    a, b = LIMBS[limb]
    ends = {a: (100.0, 100.0), b: (300.0, 220.0)}
    points, sure = _nothing()
    if 1 in ends:  # the neck is the middle of the shoulders, one of which may be the other end
        neck = torch.tensor(ends[1])
        points[0, [5, 6]] = torch.stack([neck - torch.tensor((0.0, 40.0)), neck + torch.tensor((0.0, 40.0))])
        sure[0, [5, 6]] = 1.0
        for number, mirrored in ((2, 5), (5, 6)):
            if number in ends:
                points[0, mirrored] = 2 * neck - torch.tensor(ends[number])
    for number, place in ends.items():
        if number == 1:
            continue
        drawn, seen = _drawn_point(number, place)
        points, sure = torch.where(seen[..., None] > 0, drawn, points), torch.maximum(sure, seen)
    picture = _draw(points, sure)
    assert tuple(picture[160, 200].tolist()) == tuple(int(0.6 * channel) for channel in PALETTE[limb])
    assert tuple(picture[100, 100].tolist()) == PALETTE[a]
    assert tuple(picture[220, 300].tolist()) == PALETTE[b]


def test_hands_have_twenty_hues_and_blue_joints() -> None:
    for first in (91, 112):
        points, sure = _nothing()
        for joint in range(21):
            points[0, first + joint] = torch.tensor((40.5 + 25 * joint, 240.5 + 40 * (joint % 2)))
        sure[0, first : first + 21] = 1.0
        picture = _draw(points, sure)
        assert all(tuple(picture[240 + 40 * (j % 2), 40 + 25 * j].tolist()) == (0, 0, 255) for j in range(21))
        sure[0, first + 2 :] = 0.4  # only the first bone of the thumb stays
        alone = _draw(points, sure)
        assert tuple(alone[260, 52].tolist()) == (255, 0, 0)
        sure[0, first : first + 21] = 0.0
        sure[0, [first + 19, first + 20]] = 1.0  # the last bone
        expected = tuple(round(255 * channel) for channel in colorsys.hsv_to_rgb(19 / 20, 1.0, 1.0))
        bone = _draw(points, sure)
        assert expected in set(map(tuple, bone[bone.sum(dim=-1) > 0].tolist()))


def test_the_face_and_heels_are_not_drawn() -> None:
    points, sure = _nothing()
    points[0], sure[0, 23:91] = torch.tensor((100.0, 100.0)), 1.0
    sure[0, [19, 22]] = 1.0
    assert not _draw(points, sure).any()


def test_face_boxes_are_larger_by_area_mostly_above_and_cut_to_the_picture() -> None:
    points = torch.tensor([[[100.0, 100.0], [200.0, 300.0], [150.0, 200.0], [9999.0, 9999.0]]] * 2)
    present = torch.tensor([[True, True, True, False], [False] * 4])
    boxes = wan_face_boxes(points, present, width=1000, height=1000)
    grown = math.sqrt(1.3) - 1
    exact = (100 - 50 * grown, 100 - 0.75 * 200 * grown, 200 + 50 * grown, 300 + 0.25 * 200 * grown)
    assert boxes[0].tolist() == [int(value) for value in exact]
    assert boxes[1].tolist() == [0, 0, 0, 0]
    assert wan_face_boxes(points, present, width=180, height=250)[0].tolist() == [int(exact[0]), int(exact[1]), 180, 250]


def test_a_box_that_is_not_square_is_stretched_to_a_square() -> None:
    frame = torch.zeros(1, 90, 60, 3, dtype=torch.uint8)
    frame[0, :45, :, 0], frame[0, :, 30:, 1] = 255, 255
    crop = crop_boxes(frame, torch.tensor([[0, 0, 60, 90]]), size_px=16)[0]
    assert crop[0, :7].min() == 255
    assert crop[0, 9:].max() == 0
    assert crop[1, :, 9:].min() == 255
    assert crop[1, :, :7].max() == 0


def test_short_gaps_are_bridged_long_ones_and_averted_heads_are_not() -> None:
    track = make_track(num_frames=40)  # 25 frames a second
    boxes = torch.tensor([[10, 10, 30, 40]]).repeat(40, 1)
    boxes[4:8] = 0  # short: bridged
    boxes[8:] += torch.tensor([8, 0, 8, 0])
    boxes[12:30] = 0  # 0.76 s: stays
    filled = bridge_gaps(boxes, track)
    assert filled[4:8, 0].tolist() == [12, 13, 15, 16]
    assert not filled[12:30].any()
    turned = track.head.angles_rad.clone()
    turned[5, 0] = 2.0
    away = replace(track, head=replace(track.head, angles_rad=turned))
    assert not bridge_gaps(boxes, away)[4:8].any()
    cut = track.cut.clone()
    cut[6] = True
    assert not bridge_gaps(boxes, replace(track, cut=cut))[4:8].any()
