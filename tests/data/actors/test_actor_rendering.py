"""Laws of the actor renderer: equal seeds, equal pictures; the exact track is where the drawing is."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from dreamactor.data import actors
from dreamactor.data.actors import (
    CASTS,
    EXPRESSION,
    FRAMINGS,
    NUM_EXPRESSION,
    Actor,
    Cast,
    Performance,
    Rendering,
    Scene,
    neutral_performance,
    render,
    sample_actor,
    sample_performance,
    sample_scene,
)
from dreamactor.data.actors.body import STYLES
from dreamactor.data.actors.figure import build_figure, dress
from dreamactor.data.actors.motion import ANGLES
from dreamactor.data.actors.scene import draw_background
from dreamactor.geometry.skeleton import FACE_POINT, JOINT
from dreamactor.video.image import read_image

SIZE = 96


@lru_cache
def _scene(framing: str = "full", background: str = "gradient") -> Scene:
    return replace(sample_scene(11, framing=framing), background=background)


@lru_cache
def _plain_actor() -> Actor:
    """Without hat, so that the head's outline is the head's own."""
    actor = sample_actor(4, style="near_human")
    return replace(actor, look=replace(actor.look, hat="none", hair="short", glasses=False))


@lru_cache
def _dance() -> Rendering:
    performance = sample_performance(5, num_frames=6, framing="full", kind="dance")
    return render(_plain_actor(), performance, _scene(), width=SIZE, height=SIZE)


def _still(framing: str = "portrait", *, yaw_deg: float = 0.0, **channels: float) -> Performance:
    """One frame at ease, with some pose channels set."""
    performance = neutral_performance(framing=framing, yaw_deg=yaw_deg)  # type: ignore[arg-type]
    pose = performance.channels.clone()
    for name, value in channels.items():
        pose[:, _channel(name)] = value
    return replace(performance, channels=pose)


def _channel(name: str) -> int:
    return ANGLES.index(name)


def _face(**coefficients: float) -> Rendering:
    """A portrait with an expression."""
    expression = torch.zeros(1, NUM_EXPRESSION)
    for name, value in coefficients.items():
        expression[0, EXPRESSION.index(name)] = value
    performance = replace(_still(), expression=expression)
    return render(_plain_actor(), performance, _scene("portrait", "plain"), width=128, height=128)


def _gap(drawn: Rendering, upper: str, lower: str) -> float:
    points = drawn.track.face.landmarks[0]
    return float(points[FACE_POINT[lower], 1] - points[FACE_POINT[upper], 1])


# ---- seeds -----------------------------------------------------------------------------------------------------------


def test_held_out_seeds_start_where_they_always_did() -> None:
    assert actors.FIRST_HELD_OUT_SEED == 900_000
    assert actors.ACTOR_VERSION


def test_equal_seeds_give_equal_pictures_and_other_seeds_give_others() -> None:
    def draw(seed: int) -> Rendering:
        performance = sample_performance(seed, num_frames=2, framing="upper")
        return render(sample_actor(seed), performance, sample_scene(seed, framing="upper"), width=64, height=64)

    first, again, other = draw(3), draw(3), draw(4)
    assert torch.equal(first.frames, again.frames)
    assert torch.equal(first.track.face.landmarks, again.track.face.landmarks)
    assert not torch.equal(first.frames, other.frames)


def test_a_style_can_be_asked_for() -> None:
    assert {sample_actor(seed, style="toy").style for seed in range(3)} == {"toy"}
    assert {sample_actor(seed).style for seed in range(30)} == set(STYLES)
    assert {sample_actor(seed, cast="2").style for seed in range(30)} == {"near_human", "toy"}


@pytest.mark.parametrize("cast", CASTS)
def test_a_cast_still_draws_the_pictures_it_drew_at_first(cast: Cast) -> None:
    stored = read_image(Path(__file__).parent / f"actors_{cast}.png")
    frames = []
    for seed in (3, 12):
        for framing in FRAMINGS:
            performance = sample_performance(seed, num_frames=3, framing=framing, cast=cast)
            scene, actor = sample_scene(seed, framing=framing, cast=cast), sample_actor(seed, cast=cast)
            frames.append(render(actor, performance, scene, width=48, height=48, frames=slice(1, 2)).frames[0])
    off = (torch.cat(frames, 1).int() - stored.int()).abs().amax(-1)
    # Another machine rounds otherwise: a place of a pixel may fall on the other side of an edge, and no more.
    assert float((off > 1).float().mean()) < 0.001


def test_pictures_do_not_depend_on_the_number_of_threads() -> None:
    performance = sample_performance(9, num_frames=2, framing="upper")
    drawn, before = [], torch.get_num_threads()
    for threads in (1, 3):
        torch.set_num_threads(threads)
        try:
            dress.cache_clear()
            drawn.append(render(sample_actor(9), performance, _scene("upper"), width=SIZE, height=SIZE))
        finally:
            torch.set_num_threads(before)
    assert torch.equal(drawn[0].frames, drawn[1].frames)
    assert torch.equal(drawn[0].mask, drawn[1].mask)


def test_vertices_follow_their_segments_by_their_weights() -> None:
    figure = build_figure(_plain_actor(), sample_performance(5, num_frames=3, framing="full"))
    skin, now = figure.outfit.skin, torch.tensor([0, 2])
    place, normal, coords = figure.surface(now)
    matrix = (skin.weights @ figure.carry[now].flatten(2)).unflatten(-1, (3, 4))
    rest = skin.vertices.expand(2, -1, -1).clone()
    rest[:, skin.head] += (coords.permute(1, 2, 0)[:, skin.head] - figure.outfit.head_rest) * _plain_actor().body.head_radius
    assert_close(place.permute(1, 2, 0), (matrix[..., :3] * rest[..., None, :]).sum(-1) + matrix[..., 3], atol=1e-5, rtol=0)
    assert_close(normal.permute(1, 2, 0), (matrix[..., :3] * skin.normals[:, None]).sum(-1), atol=1e-5, rtol=0)


# ---- frames ----------------------------------------------------------------------------------------------------------


def test_frames_do_not_depend_on_how_many_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    together = _dance()
    monkeypatch.setattr(import_module("dreamactor.data.actors.render"), "PIXELS_AT_ONCE", 1)
    performance = sample_performance(5, num_frames=6, framing="full", kind="dance")
    one_by_one = render(_plain_actor(), performance, _scene(), width=SIZE, height=SIZE)
    assert torch.equal(together.frames, one_by_one.frames)
    assert torch.equal(together.mask, one_by_one.mask)


def test_a_part_of_the_frames_is_that_part_of_all_frames() -> None:
    whole = _dance()
    performance = sample_performance(5, num_frames=6, framing="full", kind="dance")
    part = render(_plain_actor(), performance, _scene(), width=SIZE, height=SIZE, frames=slice(2, 5))
    assert torch.equal(part.frames, whole.frames[2:5])
    assert_close(part.track.body.joints, whole.track.body.joints[2:5])
    assert torch.equal(part.expression, performance.expression[2:5])


@pytest.mark.parametrize("framing", FRAMINGS)
def test_shapes_types_and_finite_tracks(framing: str) -> None:
    performance = sample_performance(8, num_frames=2, framing=framing)  # type: ignore[arg-type]
    drawn = render(sample_actor(8), performance, _scene(framing), width=80, height=64)
    assert drawn.frames.shape == (2, 64, 80, 3)
    assert drawn.frames.dtype == drawn.mask.dtype == torch.uint8
    assert drawn.expression.shape == (2, NUM_EXPRESSION)
    assert drawn.track.num_frames == 2
    for values in (
        drawn.track.body.joints,
        drawn.track.hands.joints,
        drawn.track.face.landmarks,
        drawn.track.head.angles_rad,
    ):
        assert values.isfinite().all()
    assert 0.03 < float((drawn.mask > 127).float().mean()) < 0.9


def test_outside_the_mask_only_the_background_and_its_shadow_are_seen() -> None:
    drawn, scene = _dance(), _scene()
    background = draw_background(scene, width=SIZE, height=SIZE, floor_px=0.8 * SIZE)
    empty = drawn.mask == 0
    expected = (background * 255).round().expand_as(drawn.frames)
    excess = (drawn.frames.float() - expected)[empty]
    assert float(excess.max()) <= 1  # a shadow darkens, nothing brightens
    upper = empty.clone()
    upper[:, SIZE // 3 :] = False
    assert_close(drawn.frames.float()[upper], expected[upper], atol=1.0, rtol=0)


def test_inside_the_mask_the_person_differs_from_the_background() -> None:
    drawn = _dance()
    background = draw_background(_scene(), width=SIZE, height=SIZE, floor_px=0.8 * SIZE) * 255
    inside = drawn.mask == 255
    differs = ((drawn.frames.float() - background).abs().amax(-1) > 8)[inside]
    assert float(differs.float().mean()) > 0.9


def test_antialiasing_changes_edges_and_nothing_else() -> None:
    performance = sample_performance(5, num_frames=1, framing="full", kind="dance")
    soft = render(_plain_actor(), performance, _scene(), width=SIZE, height=SIZE)
    hard = render(_plain_actor(), performance, _scene(), width=SIZE, height=SIZE, antialias=False)
    assert set(hard.mask.unique().tolist()) <= {0, 255}
    assert float((soft.frames != hard.frames).any(-1).float().mean()) < 0.35
    assert len(soft.mask.unique()) > 2


# ---- exactness -------------------------------------------------------------------------------------------------------


def test_joints_lie_inside_the_silhouette() -> None:
    drawn = _dance()
    names = (
        "pelvis",
        "neck",
        "left_elbow",
        "right_elbow",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
        "head",
    )
    for frame in range(drawn.track.num_frames):
        for name in names:
            x, y = drawn.track.body.joints[frame, JOINT[name], :2].tolist()
            assert drawn.mask[frame, int(y), int(x)] > 127, f"{name} in frame {frame} at {x:.1f}, {y:.1f}"


def test_neck_and_pelvis_are_means_of_their_sides() -> None:
    joints = _dance().track.body.joints_m
    for middle, side in (("neck", "shoulder"), ("pelvis", "hip")):
        mean = (joints[:, JOINT[f"left_{side}"]] + joints[:, JOINT[f"right_{side}"]]) / 2
        assert_close(joints[:, JOINT[middle]], mean, atol=1e-5, rtol=0)
    assert_close(joints[:, JOINT["pelvis"]], torch.zeros_like(joints[:, 0]), atol=1e-5, rtol=0)


def test_pixel_depth_and_metres_agree_on_scale() -> None:
    track = _dance().track
    metres = track.body.joints_m
    pixels = track.body.joints - track.body.joints[:, :1]
    scale = (pixels[..., 2] * metres[..., 2]).sum(1) / metres[..., 2].square().sum(1)
    assert_close(pixels[..., 2], metres[..., 2] * scale[:, None], atol=1e-2, rtol=1e-3)
    across = (pixels[..., 1] * metres[..., 1]).sum(1) / metres[..., 1].square().sum(1)
    assert_close(across, scale, atol=0, rtol=0.12)  # perspective only


def test_the_persons_left_is_at_the_images_right_from_the_front_and_left_from_behind() -> None:
    for yaw, sign in ((0.0, 1), (180.0, -1)):
        track = render(_plain_actor(), _still("full", yaw_deg=yaw), _scene(), width=64, height=64).track
        for side in ("shoulder", "hip", "ear", "wrist"):
            left, right = (track.body.joints[0, JOINT[f"{s}_{side}"], 0] for s in ("left", "right"))
            assert sign * float(left - right) > 0, side


@pytest.mark.parametrize("yaw", [-40.0, 40.0])
def test_positive_yaw_turns_the_nose_to_the_images_right(yaw: float) -> None:
    track = render(_plain_actor(), _still(head_yaw=yaw), _scene("portrait"), width=64, height=64).track
    assert_close(torch.rad2deg(track.head.angles_rad[0, 0]), torch.tensor(yaw), atol=0.5, rtol=0)
    points = track.face.landmarks[0]
    eyes = (points[FACE_POINT["left_iris"], 0] + points[FACE_POINT["right_iris"], 0]) / 2
    assert float(points[FACE_POINT["nose_tip"], 0] - eyes) * yaw > 0
    nose, head = track.body.joints[0, JOINT["nose"], 0], track.body.joints[0, JOINT["head"], 0]
    assert float(nose - head) * yaw > 0


def test_positive_pitch_nods_down_and_positive_roll_turns_counter_clockwise() -> None:
    rest = render(_plain_actor(), _still(), _scene("portrait"), width=64, height=64).track.face.landmarks[0]
    down = render(_plain_actor(), _still(head_pitch=20.0), _scene("portrait"), width=64, height=64).track
    rolled = render(_plain_actor(), _still(head_roll=20.0), _scene("portrait"), width=64, height=64).track
    assert float(down.head.angles_rad[0, 1]) > 0.3
    assert float(down.face.landmarks[0, FACE_POINT["nose_tip"], 2]) < 0
    drop = down.face.landmarks[0, FACE_POINT["nose_tip"], 1] - down.face.landmarks[0, FACE_POINT["nose_bridge"], 1]
    assert float(drop) != float(rest[FACE_POINT["nose_tip"], 1] - rest[FACE_POINT["nose_bridge"], 1])
    assert float(rolled.head.angles_rad[0, 2]) > 0.3
    left, right = (rolled.face.landmarks[0, FACE_POINT[f"{s}_iris"], 1] for s in ("left", "right"))
    assert float(left) < float(right)  # counter-clockwise: the image's right side goes up


def test_yaw_goes_on_through_a_full_turn_and_the_face_is_lost_behind() -> None:
    performance = sample_performance(2, num_frames=17, framing="full", kind="turn")
    channels = performance.channels.clone()
    channels[:, _channel("root_yaw")] = torch.linspace(0, 360, 17)
    channels[:, _channel("head_yaw")] = 0
    drawn = render(_plain_actor(), replace(performance, channels=channels), _scene(), width=112, height=112)
    yaw = torch.rad2deg(drawn.track.head.angles_rad[:, 0])
    assert float(torch.diff(yaw).abs().max()) < 25
    assert float(yaw[-1] - yaw[0]) > 300
    assert bool(drawn.track.face.tracked[0])
    assert not bool(drawn.track.face.tracked[8])
    assert bool(drawn.track.head.tracked.all())
    assert bool(drawn.track.body.tracked.all())


def test_the_face_box_is_a_square_around_the_points() -> None:
    face = _face().track.face
    x0, y0, x1, y1 = face.box[0].tolist()
    extent = face.landmarks[0, :, :2].amax(0) - face.landmarks[0, :, :2].amin(0)
    assert x1 - x0 == pytest.approx(y1 - y0, rel=1e-4)
    assert x1 - x0 == pytest.approx(1.6 * float(extent.max()), rel=1e-3)


def test_the_head_circle_spans_chin_to_crown() -> None:
    drawn = _face()
    track = drawn.track
    center, radius = track.head.center[0], float(track.head.radius_px[0])
    chin = track.face.landmarks[0, FACE_POINT["chin"], 1]
    assert float(chin - center[1]) == pytest.approx(radius, rel=0.15)
    assert drawn.mask[0, int(center[1] - 0.8 * radius), int(center[0])] > 127


def test_parts_outside_the_picture_have_low_confidence() -> None:
    track = _face().track
    confidence = track.body.confidence[0]
    assert float(confidence[JOINT["nose"]]) > 0.5
    assert float(confidence[JOINT["left_ankle"]]) < 0.5


# ---- expression ------------------------------------------------------------------------------------------------------


def test_opening_the_jaw_parts_the_lips_and_lowers_the_chin() -> None:
    closed, opened = _face(), _face(jaw_open=1.0)
    assert _gap(opened, "lip_inner_2", "lip_inner_6") > _gap(closed, "lip_inner_2", "lip_inner_6") + 3
    chin = FACE_POINT["chin"]
    assert opened.track.face.landmarks[0, chin, 1] > closed.track.face.landmarks[0, chin, 1] + 1


@pytest.mark.parametrize(("side", "other"), [("left", "right"), ("right", "left")])
def test_a_wink_closes_one_eye_only(side: str, other: str) -> None:
    rest, wink = _face(), _face(**{f"blink_{side}": 1.0})
    assert _gap(wink, f"{side}_eye_1", f"{side}_eye_5") < 0.35 * _gap(rest, f"{side}_eye_1", f"{side}_eye_5")
    assert _gap(wink, f"{other}_eye_1", f"{other}_eye_5") == pytest.approx(
        _gap(rest, f"{other}_eye_1", f"{other}_eye_5"), abs=1e-3
    )


def test_a_smile_lifts_its_own_corner_of_the_mouth() -> None:
    rest, smile = _face().track.face.landmarks[0], _face(smile_left=1.0).track.face.landmarks[0]
    left, right = FACE_POINT["lip_outer_6"], FACE_POINT["lip_outer_0"]
    assert float(rest[left, 1] - smile[left, 1]) > 1.5
    assert float(rest[left, 1] - smile[left, 1]) > 2 * abs(float(rest[right, 1] - smile[right, 1]))


def test_gaze_moves_the_iris_to_the_named_side_and_brows_rise_alone() -> None:
    rest = _face().track.face.landmarks[0]
    looking, raised = _face(gaze_x=1.0).track.face.landmarks[0], _face(brow_raise_left=1.0).track.face.landmarks[0]
    for side in ("left", "right"):
        assert float(looking[FACE_POINT[f"{side}_iris"], 0] - rest[FACE_POINT[f"{side}_iris"], 0]) > 0.5
    assert float(rest[FACE_POINT["left_brow_2"], 1] - raised[FACE_POINT["left_brow_2"], 1]) > 1
    assert_close(rest[FACE_POINT["right_brow_2"]][:2], raised[FACE_POINT["right_brow_2"]][:2])


@pytest.mark.parametrize("name", [n for n in EXPRESSION if n not in ("cheek_puff",)])
def test_every_coefficient_changes_the_drawn_face(name: str) -> None:
    rest = {"jaw_open": 0.6} if name == "tongue_up" else {}  # which shows in an open mouth alone
    assert (_face(**rest, **{name: 1.0}).frames != _face(**rest).frames).any()


def test_an_open_mouth_is_drawn_between_the_lips() -> None:
    closed, opened = _face(), _face(jaw_open=1.0)
    points = opened.track.face.landmarks[0]
    middle = (points[FACE_POINT["lip_inner_2"]] + points[FACE_POINT["lip_inner_6"]]) / 2
    x, y = int(middle[0]), int(middle[1])
    assert opened.frames[0, y, x].float().mean() < closed.frames[0, y, x].float().mean() - 15


def test_eye_points_lie_where_the_eye_is_drawn() -> None:
    drawn, shut = _face(), _face(blink_left=1.0, blink_right=1.0)
    changed = (drawn.frames[0].int() - shut.frames[0].int()).abs().amax(-1) > 25
    rows, columns = torch.nonzero(changed, as_tuple=True)
    eyes = torch.stack(
        [drawn.track.face.landmarks[0, FACE_POINT[f"{s}_eye_{i}"], :2] for s in ("left", "right") for i in range(6)]
    )
    low, high = eyes.amin(0), eyes.amax(0)
    assert float(low[0]) - 4 < int(columns.min())
    assert int(columns.max()) < float(high[0]) + 4
    assert float(low[1]) - 5 < int(rows.min())
    assert int(rows.max()) < float(high[1]) + 5


# ---- motion ----------------------------------------------------------------------------------------------------------


def test_two_actors_perform_with_equal_bone_directions_of_the_limbs() -> None:
    performance = sample_performance(9, num_frames=4, framing="full", kind="dance")
    small, tall = sample_actor(21), sample_actor(40)
    assert small.body != tall.body
    tracks = [render(actor, performance, _scene(), width=32, height=32, antialias=False).track for actor in (small, tall)]
    limbs = {"left_elbow": "left_shoulder", "left_wrist": "left_elbow", "right_wrist": "right_elbow",
             "left_knee": "left_hip", "left_ankle": "left_knee", "right_knee": "right_hip"}  # fmt: skip
    for child, parent in limbs.items():
        bones = [track.body.joints_m[:, JOINT[child]] - track.body.joints_m[:, JOINT[parent]] for track in tracks]
        first, second = (torch.nn.functional.normalize(bone, dim=-1) for bone in bones)
        assert_close(first, second, atol=1e-4, rtol=0)
    assert_close(tracks[0].head.angles_rad, tracks[1].head.angles_rad, atol=1e-4, rtol=0)


def test_bones_keep_their_length_over_time() -> None:
    joints = _dance().track.body.joints_m
    for child, parent in (("left_elbow", "left_shoulder"), ("right_knee", "right_hip"), ("left_ankle", "left_knee")):
        length = (joints[:, JOINT[child]] - joints[:, JOINT[parent]]).norm(dim=-1)
        assert_close(length, length[:1].expand_as(length), atol=1e-4, rtol=0)


def test_a_longer_performance_moves_smoothly() -> None:
    performance = sample_performance(6, num_frames=50, framing="full", kind="gesture")
    step = torch.diff(performance.channels, dim=0).abs()
    assert float(step.max()) < 30  # degrees a frame
    assert float(performance.expression.min()) >= -1
    assert float(performance.expression.max()) <= 1


def test_feet_stay_in_the_picture_of_a_full_framing() -> None:
    joints = _dance().track.body.joints
    for name in ("left_toe", "right_toe", "head"):
        x, y = joints[:, JOINT[name], 0], joints[:, JOINT[name], 1]
        assert bool(((x > 0) & (x < SIZE) & (y > 0) & (y < SIZE)).all())
