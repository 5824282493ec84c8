"""What clips are cut to, what is left out and why, and which pictures become references."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from dreamactor.data import filters
from dreamactor.data.buckets import canvas_for, clip_lengths, cut_lengths
from dreamactor.data.canvas import carry_track
from dreamactor.data.filters import FilterLimits, judge_pictures, judge_track
from dreamactor.data.framing import category_of, framing_of
from dreamactor.data.reference_choice import choose_references, half_body_box, yaw_range_deg
from dreamactor.errors import ConfigError
from dreamactor.types.track import CameraTrack, PersonTrack
from dreamactor.video.resize import cover_canvas, map_points
from factories import make_track

LIMITS = FilterLimits()


def judged(track: PersonTrack, *, category: str = "full", magnification: float = 1.0) -> str | None:
    finding = judge_track(track, category=category, magnification=magnification, limits=LIMITS)
    return finding.reason if finding else None


def moving_camera(track: PersonTrack, way_px: Tensor) -> PersonTrack:
    """The track, filmed by a camera that is `way_px` [T] to the side."""
    matrix = torch.eye(2, 3).repeat(track.num_frames, 1, 1)
    matrix[:, 0, 2] = way_px
    return replace(track, camera=CameraTrack(matrix=matrix, known=torch.ones(track.num_frames, dtype=torch.bool)))


def textured(track: PersonTrack) -> Tensor:
    """[T, H, W, 3] the same patches of colour in every frame."""
    patches = torch.randint(0, 256, (track.height // 8, track.width // 8, 3), generator=torch.Generator().manual_seed(0))
    picture = patches.to(torch.uint8).repeat_interleave(8, 0).repeat_interleave(8, 1)
    return picture.expand(track.num_frames, -1, -1, -1)


def moved(frames: Tensor) -> Tensor:
    return torch.stack([frame.roll(3 * step, 1) for step, frame in enumerate(frames)])


def test_lengths_have_the_vaes_form() -> None:
    lengths = clip_lengths(25, 121)
    assert lengths == (121, 109, 97, 85, 73, 61, 49, 37, 25)
    assert clip_lengths(13, 13) == (13,)
    assert clip_lengths(5, 25) == (25, 13, 5)
    with pytest.raises(ConfigError, match="4 n \\+ 1"):
        clip_lengths(25, 120)
    with pytest.raises(ConfigError, match="Exchange"):
        clip_lengths(49, 25)


@pytest.mark.parametrize("num_frames", [4, 5, 24, 25, 121, 122, 300, 511])
def test_cuts_are_the_longest_that_fit_and_leave_only_what_is_too_short(num_frames: int) -> None:
    lengths = (121, 73, 25)
    spans = cut_lengths(num_frames, lengths)
    ends = [0, *(span.stop for span in spans)]
    assert [span.start for span in spans] == ends[:-1]  # one after the other, none twice
    assert num_frames - ends[-1] < 25
    for span in spans:
        left = num_frames - span.start
        assert span.stop - span.start == max(length for length in lengths if length <= left)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (480, 854), (256, 256), (854, 480)])
@pytest.mark.parametrize("size", [256, 512, 784])
def test_canvases_keep_area_and_shape(width: int, height: int, size: int) -> None:
    w, h = canvas_for(width, height, size=size)
    assert w % 32 == h % 32 == 0
    assert w * h == pytest.approx(size * size, rel=0.2)
    assert w / h == pytest.approx(width / height, rel=0.15)


def test_a_carried_track_lies_where_its_picture_lies() -> None:
    track = moving_camera(make_track(num_frames=3, width=300, height=200), torch.tensor([0.0, 5.0, 12.0]))
    _, matrix = cover_canvas(torch.zeros(200, 300, 3, dtype=torch.uint8), width=96, height=96)
    carried = carry_track(track, matrix, width=96, height=96)
    assert_close(carried.body.joints[..., :2], map_points(matrix, track.body.joints[..., :2]), atol=0.05, rtol=0)
    assert_close(carried.head.radius_px, track.head.radius_px * float(matrix[0, 0]), rtol=1e-3, atol=0)
    assert_close(carried.body.joints_m, track.body.joints_m)
    assert carried.camera is not None
    assert track.camera is not None
    # Wherever a point of the background goes in one picture, it goes in the other.
    point = torch.tensor([40.0, 70.0])
    before = track.camera.matrix[2, :, :2] @ point + track.camera.matrix[2, :, 2]
    after = carried.camera.matrix[2, :, :2] @ map_points(matrix, point) + carried.camera.matrix[2, :, 2]
    assert_close(after, map_points(matrix, before), atol=0.05, rtol=0)


@pytest.mark.parametrize(
    ("pelvis_y", "scale_px", "framing"), [(100.0, 90.0, "full"), (150.0, 150.0, "upper"), (260.0, 300.0, "portrait")]
)
def test_framing_is_what_the_picture_shows(pelvis_y: float, scale_px: float, framing: str) -> None:
    track = make_track(pelvis_px=(64.0, pelvis_y), scale_px=scale_px)
    assert framing_of(track) == framing
    assert category_of(framing_of(track)) == ("full" if framing == "full" else "half")


def test_a_good_track_has_nothing_against_it() -> None:
    assert judged(make_track()) is None
    assert judged(make_track(), category="half") is None


def test_every_reason_of_a_track_is_found() -> None:
    track = make_track(num_frames=20)
    never, rarely = torch.zeros(20, dtype=torch.bool), torch.arange(20) < 15
    assert judged(replace(track, body=replace(track.body, tracked=never))) == filters.NO_PERSON
    assert judged(replace(track, body=replace(track.body, tracked=rarely))) == filters.BODY_LOST
    faceless = replace(track, face=replace(track.face, tracked=never))
    assert judged(faceless, category="half") == filters.FACE_LOST
    assert judged(faceless, category="full") is None  # a back is a normal state
    assert judged(track, magnification=1.5) == filters.LOW_RESOLUTION
    assert judged(replace(track, head=replace(track.head, radius_px=track.head.radius_px / 4))) == filters.TOO_SMALL


def test_a_leap_of_the_camera_is_a_jolt_and_even_travel_is_none() -> None:
    track = make_track(num_frames=20)
    even = 4.0 * torch.arange(20)
    assert filters.jolt_of(track) == 0  # nobody looked
    assert filters.jolt_of(moving_camera(track, even)) == pytest.approx(0, abs=1e-6)
    leap = even + 12.8 * (torch.arange(20) >= 9)  # a tenth of the shorter side
    assert filters.jolt_of(moving_camera(track, leap)) == pytest.approx(0.1, abs=1e-5)
    assert judged(moving_camera(track, leap)) == filters.CAMERA_JOLTS


def test_blur_grows_with_blurring_and_is_told_apart() -> None:
    track = make_track(num_frames=2)
    frame, box = textured(track)[0], filters.person_boxes(track)[0]
    soft = [
        filters.blur_of(torch.from_numpy(cv2.GaussianBlur(frame.numpy(), (0, 0), sigma)) if sigma else frame, box)
        for sigma in (0, 0.7, 1.5, 3.0)
    ]
    assert soft == sorted(soft)
    assert soft[0] < LIMITS.blur < soft[-1]


def test_a_photograph_does_not_move_not_even_with_noise() -> None:
    track = make_track(num_frames=9)
    boxes, still = filters.person_boxes(track), textured(track)
    noise = torch.randn(still.shape, generator=torch.Generator().manual_seed(1)) * 5
    assert filters.movement_of(still, boxes) == 0
    assert filters.movement_of((still + noise).clamp(0, 255).to(torch.uint8), boxes) < LIMITS.movement
    assert filters.movement_of(moved(still), boxes) > LIMITS.movement


def test_reasons_of_the_pictures_are_found() -> None:
    track = make_track(num_frames=9)
    frames = moved(textured(track))
    alone = torch.tensor([[20.0, 10.0, 110.0, 190.0]])

    def reason(pictures: Tensor, boxes: Tensor) -> str | None:
        finding = judge_pictures(pictures, track, people={0: boxes, 4: boxes, 8: boxes}, limits=LIMITS)
        return finding.reason if finding else None

    assert reason(frames, alone) is None
    assert reason(frames, torch.cat([alone, alone + 15])) is None  # the same person twice
    assert reason(frames, torch.cat([alone, alone + torch.tensor([200.0, 0, 200, 0])])) == filters.SEVERAL_PEOPLE
    whole = torch.tensor([[-125.0, -66.0, 282.0, 784.0]])  # what the detector makes of a close face
    assert filters.other_size(whole, torch.tensor([12.0, 8.0, 120.0, 116.0])) == 0
    assert (
        filters.other_size(torch.cat([whole, whole + torch.tensor([120.0, 0, 120, 0])]), torch.tensor([12.0, 8, 120, 116]))
        == 1
    )
    assert reason(textured(track), alone) == filters.STATIC
    soft = torch.stack([torch.from_numpy(cv2.GaussianBlur(frame.numpy(), (0, 0), 3)) for frame in frames])
    assert reason(soft, alone) == filters.BLURRED


def turned(yaw_deg: list[float]) -> PersonTrack:
    track = make_track(num_frames=len(yaw_deg))
    angles = track.head.angles_rad.clone()
    angles[:, 0] = torch.tensor([math.radians(yaw) for yaw in yaw_deg])
    return replace(track, head=replace(track.head, angles_rad=angles))


def test_references_show_the_least_the_median_and_the_greatest_yaw() -> None:
    track = turned([0.0, 50.0, 10.0, -70.0, 20.0, 60.0])
    chosen = choose_references([track], generator=torch.Generator().manual_seed(0))
    assert [(one.view, one.still.frame) for one in chosen[:3]] == [("yaw_median", 4), ("yaw_min", 3), ("yaw_max", 5)]
    assert [one.view for one in chosen[3:]] == ["half_body"]
    assert yaw_range_deg([track]) == (-70.0, 20.0, 60.0)
    assert yaw_range_deg([turned([0.0, 370.0, 725.0])]) == (0.0, 5.0, 10.0)  # whole turns do not count


def test_references_come_from_all_cameras_but_only_where_the_head_was_found() -> None:
    left, right = turned([-60.0, -50.0]), turned([50.0, 80.0])
    lost = replace(right, head=replace(right.head, tracked=torch.tensor([True, False])))
    chosen = choose_references([left, lost], generator=torch.Generator().manual_seed(0))
    assert {(one.take, one.still.frame) for one in chosen[:3]} == {(0, 0), (0, 1), (1, 0)}
    nobody = replace(left, head=replace(left.head, tracked=torch.zeros(2, dtype=torch.bool)))
    assert choose_references([nobody], generator=torch.Generator()) == []
    assert yaw_range_deg([nobody]) == ()


def test_half_a_body_is_taken_from_full_ones_only() -> None:
    portrait = make_track(pelvis_px=(64.0, 260.0), scale_px=300.0)
    assert all(one.view != "half_body" for one in choose_references([portrait], generator=torch.Generator()))


@pytest.mark.parametrize("seed", range(6))
def test_the_half_body_box_has_the_pictures_shape_and_holds_head_and_shoulders(seed: int) -> None:
    track = make_track(pelvis_px=(30.0 + 12 * seed, 100.0))
    box = half_body_box(track, 0, generator=torch.Generator().manual_seed(seed))
    x0, y0, x1, y1 = box.tolist()
    assert (x1 - x0) / (y1 - y0) == pytest.approx(track.width / track.height, rel=1e-3)
    assert x0 >= 0
    assert y0 >= 0
    assert x1 <= track.width + 1e-3
    assert y1 <= track.height + 1e-3
    assert y1 - y0 < 0.75 * track.height
    center, radius = track.head.center[0], float(track.head.radius_px[0])
    assert y0 <= float(center[1]) - radius
    assert x0 <= float(center[0]) <= x1
