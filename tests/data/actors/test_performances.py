"""Laws of performances: cast 2 stays as it was; who acts in cast 3 moves smoothly, stands where it stands, and speaks."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from dreamactor.data.actors import Performance, neutral_performance, render, sample_actor, sample_performance, sample_scene
from dreamactor.data.actors.acting.arm_poses import ARM_POSES
from dreamactor.data.actors.acting.arms import Arm
from dreamactor.data.actors.acting.dances import STYLES
from dreamactor.data.actors.acting.faces import MOODS, act_face, mirrored
from dreamactor.data.actors.acting.hands import HAND_CHANNELS, HAND_POSES
from dreamactor.data.actors.acting.legs import SIDES, STANDING, Footwork
from dreamactor.data.actors.acting.limbs import (
    ANKLE,
    FOOT,
    FOREARM,
    HIP_HALF,
    SHIN,
    SHOULDER_HALF,
    THIGH,
    UPPER_ARM,
    about,
    bend_arm,
    bend_leg,
    limb_angles,
    quaternion,
    turned_by,
)
from dreamactor.data.actors.acting.sample import KINDS_OF
from dreamactor.data.actors.acting.speech import Sound, Speech, speak, spoken_mouth
from dreamactor.data.actors.acting.timing import Track, flow
from dreamactor.data.actors.acting.visemes import VISEMES, VOWELS, viseme_values
from dreamactor.data.actors.body import BodyShape, pose_body
from dreamactor.data.actors.coefficients import COEFFICIENT, EXPRESSION_OF, SCHEMA
from dreamactor.data.actors.figure import build_figure
from dreamactor.data.actors.motion import ANGLES
from dreamactor.data.actors.scene import place_camera
from dreamactor.geometry.skeleton import FACE_POINT

FPS = 25.0
CAST_TWO = (
    (0, 73, 25, None, None, "57521f3fe8947b07"),
    (1, 73, 25, "full", "dance", "f86227f8f75eb7e0"),
    (2, 40, 25, "portrait", "talk", "65b74ea7d52947ee"),
    (3, 30, 30, "upper", "wave", "e3c1ea4b3fbd598d"),
    (4, 25, 25, "full", "walk", "fbb6365c6a06492c"),
    (5, 16, 4, "portrait", None, "f903445cd8436313"),
    (900_001, 40, 25, "full", "turn", "2fa05919924b0f23"),
)


def _standard_body() -> BodyShape:
    """The body that inverse kinematics has in mind."""
    body, leg = sample_actor(4).body, 0.9
    return replace(
        body, thigh=THIGH * leg, shin=SHIN * leg, hip_half=HIP_HALF * leg, foot=FOOT * leg, upper_arm=UPPER_ARM * leg,
        forearm=FOREARM * leg, shoulder_half=SHOULDER_HALF * leg,
    )  # fmt: skip


def _play(seed: int, kind: str, *, num_frames: int = 75, framing: str = "full") -> Performance:
    return sample_performance(seed, num_frames=num_frames, framing=framing, kind=kind, cast="3")  # type: ignore[arg-type]


# ---- casts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "frames", "fps", "framing", "kind", "digest"), CAST_TWO)
def test_cast_2_performs_as_it_always_did(seed, frames, fps, framing, kind, digest) -> None:
    performance = sample_performance(seed, num_frames=frames, fps=fps, framing=framing, kind=kind, cast="2")
    channels, added = performance.channels[:, :36], performance.channels[:, 36:]
    data = channels.contiguous().numpy().tobytes() + performance.expression.numpy().tobytes()
    assert performance.expression.shape[1] == 20
    assert not added.any()
    assert hashlib.sha256(data).hexdigest()[:16] == digest


def test_the_columns_of_cast_2_are_the_first_ones_of_cast_3() -> None:
    assert EXPRESSION_OF["3"][:20] == EXPRESSION_OF["2"]
    assert 24 <= len(SCHEMA) <= 32
    assert len({one.name for one in SCHEMA}) == len(SCHEMA)


def test_the_page_describes_the_schema_and_every_kind() -> None:
    page = (Path(__file__).parents[3] / "docs" / "performances.md").read_text(encoding="utf-8")
    for index, one in enumerate(SCHEMA):
        assert f"| {index} | `{one.name}` | {'-1..1' if one.low else '0..1'} | {one.moves} |" in page
    assert not [kind for kind in KINDS_OF["3"] if f"`{kind}`" not in page]


def test_coefficients_that_a_cast_lacks_are_neutral() -> None:
    """The same face in 20 columns and in all of them is the same picture."""
    performance = sample_performance(2, num_frames=2, framing="portrait", cast="2")
    wider = torch.cat([performance.expression, torch.zeros(2, len(SCHEMA) - 20)], dim=1)
    actor, scene = sample_actor(2), sample_scene(2, framing="portrait")
    first = render(actor, performance, scene, width=64, height=64)
    second = render(actor, replace(performance, expression=wider), scene, width=64, height=64)
    assert torch.equal(first.frames, second.frames)
    with pytest.raises(ValueError, match="columns"):
        render(actor, replace(performance, expression=wider[:, :23]), scene, width=64, height=64)


@pytest.mark.parametrize("kind", KINDS_OF["3"])
def test_every_kind_is_finite_equal_by_seed_and_within_its_ranges(kind: str) -> None:
    performance = _play(7, kind, num_frames=30)
    again = _play(7, kind, num_frames=30)
    assert torch.equal(performance.channels, again.channels)
    assert torch.equal(performance.expression, again.expression)
    assert performance.channels.shape == (30, len(ANGLES))
    assert performance.channels.isfinite().all()
    low = torch.tensor([one.low for one in SCHEMA])
    assert bool(((performance.expression >= low) & (performance.expression <= 1)).all())
    assert float(performance.channel("left_knee").min()) >= 0
    assert float(performance.channel("left_elbow").min()) > -12  # wander only
    assert float(performance.channels.std(dim=0).max()) > 0


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_the_shortest_performances_work(frames: int) -> None:
    for seed in range(6):
        performance = sample_performance(seed, num_frames=frames, fps=4, cast="3")
        assert performance.channels.isfinite().all()
        assert performance.expression.isfinite().all()


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match="cast 2 knows no kind 'jump'"):
        sample_performance(0, num_frames=2, kind="jump", cast="2")
    with pytest.raises(ValueError, match="cast 3 knows no kind 'fly'"):
        sample_performance(0, num_frames=2, kind="fly")


# ---- bodies ----------------------------------------------------------------------------------------------------------


def _sliding(performance: Performance, body: BodyShape) -> torch.Tensor:
    """Leg lengths per second that the point which carries the weight moves along the floor, where it is on the floor."""
    joints = pose_body(body, performance)
    points = torch.stack([joints.place[f"{s}_{p}"] for s in ("left", "right") for p in ("heel", "toe")], dim=1) / body.leg
    lowest = points[..., 1].argmin(dim=1)
    step = (points[1:] - points[:-1])[torch.arange(len(points) - 1), lowest[:-1]]
    on_floor = (performance.channel("lift")[:-1] < 1e-4) & (lowest[1:] == lowest[:-1])
    return step[on_floor][:, [0, 2]].norm(dim=-1) * performance.fps


@pytest.mark.parametrize("kind", ["walk", "turn", "dance", "gesture", "kick", "bow", "sit", "throw", "crouch"])
def test_feet_do_not_slide(kind: str) -> None:
    slips = torch.cat([_sliding(_play(seed, kind), _standard_body()) for seed in range(4)])
    assert float(slips.quantile(0.95)) < 0.06


def test_feet_of_other_bodies_hardly_slide_and_walkers_get_somewhere() -> None:
    for seed in range(3):
        performance = _play(seed, "walk")
        assert float(_sliding(performance, sample_actor(seed + 30).body).median()) < 0.06
        path = torch.stack([performance.channel("travel_x"), performance.channel("travel_z")], dim=-1)
        assert float((path[1:] - path[:-1]).norm(dim=-1).sum()) > 0.8


def test_jumps_leave_the_floor_for_as_long_as_gravity_says_and_land_again() -> None:
    lift = torch.cat([_play(seed, "jump", num_frames=100).channel("lift") for seed in range(4)])
    assert float(lift.max()) > 0.08
    assert float((lift == 0).float().mean()) > 0.5
    assert float(lift.max()) < 0.7


def test_a_turn_goes_round_both_ways() -> None:
    turned = [_play(seed, "turn", num_frames=100).channel("root_yaw") for seed in range(12)]
    whole = [float(yaw[-1] - yaw[0]) for yaw in turned]
    assert min(whole) < -150 < 150 < max(whole)
    assert max(float(yaw.diff().abs().max()) for yaw in turned) < 25


def test_who_sits_has_hips_at_the_height_of_knees() -> None:
    performance = _play(3, "sit", num_frames=60)
    joints = pose_body(_standard_body(), performance)
    height = (joints.place["left_hip"] - joints.place["left_knee"])[:, 1] / 0.9
    assert float(height.min()) < 0.1


@pytest.mark.parametrize("kind", ["talk", "gesture", "walk", "sit", "wave", "touch", "arms_cross", "bow", "crouch", "scene"])
def test_nothing_jumps_from_frame_to_frame(kind: str) -> None:
    body = _standard_body()
    for seed in range(3):
        joints = pose_body(body, _play(seed, kind))
        for name in ("pelvis", "head", "left_knee", "right_knee", "left_wrist", "right_wrist"):
            step = joints.place[name].diff(dim=0).norm(dim=-1) / body.leg * FPS
            assert float(step.max()) < 12, f"{name} of {kind} {seed}"


@pytest.mark.parametrize("kind", ["walk", "jump", "kick", "dance", "scene"])
def test_the_camera_keeps_whole_figures_in_the_picture(kind: str) -> None:
    for seed in range(2):
        performance, actor, scene = _play(seed, kind), sample_actor(seed), sample_scene(seed, framing="full")
        joints = build_figure(actor, performance).joints
        camera = place_camera(scene, actor.body, joints, "full", width=100, height=100)
        seen = camera.project(torch.cat([torch.stack(list(joints.place.values()), 1), joints.fingers.flatten(1, 3)], 1))
        assert bool(((seen[..., :2] > 0) & (seen[..., :2] < 100)).all())


# ---- limbs -----------------------------------------------------------------------------------------------------------


def test_a_leg_bent_to_a_place_ends_there() -> None:
    rng = np.random.default_rng(0)
    goal = np.stack([rng.uniform(-0.3, 0.3, 40), rng.uniform(-0.9, -0.4, 40), rng.uniform(-0.3, 0.5, 40)], -1)
    goal *= np.minimum(1, 0.99 / np.linalg.norm(goal, axis=-1, keepdims=True))
    thigh, knee = bend_leg(goal, np.tile([0.0, 0.0, 1.0], (40, 1)))
    ankle = thigh @ np.array([0, -THIGH, 0]) + (thigh @ about("x", knee)) @ np.array([0, -SHIN, 0])
    np.testing.assert_allclose(ankle, goal, atol=1e-9)
    assert (knee >= 0).all()


def test_an_arm_bent_to_a_place_ends_there_with_the_elbow_on_the_wished_side() -> None:
    for wrist, side in (((0.1, -0.4, 0.2), (0.0, 0.0, -1.0)), ((0.3, 0.2, 0.3), (1.0, 0.0, 0.0))):
        upper, bend = bend_arm(np.array(wrist), np.array(side))
        elbow = upper @ np.array([0, -UPPER_ARM, 0])
        end = elbow + upper @ about("x", -bend) @ np.array([0, -FOREARM, 0])
        np.testing.assert_allclose(end, wrist, atol=1e-9)
        assert (elbow - 0.5 * end) @ np.array(side) > 0


def test_angles_and_quaternions_give_the_rotation_back() -> None:
    rng = np.random.default_rng(1)
    for sign in (1.0, -1.0):
        a, b, c = rng.uniform(-80, 80, 3)
        rotation = about("z", sign * a) @ about("x", -b) @ about("y", sign * c)
        np.testing.assert_allclose(limb_angles(rotation, sign), (a, b, c), atol=1e-9)
        np.testing.assert_allclose(turned_by(quaternion(rotation)[None])[0], rotation, atol=1e-9)


def test_planted_feet_stay_under_a_moving_pelvis() -> None:
    feet = Footwork(heading_deg=20.0, width=0.15, toes_out_deg=8.0)
    feet.pelvis(0.5, left=0.05, height=STANDING - 0.2, turned_deg=8.0, pitch_deg=10.0)
    feet.pelvis(1.0, ahead=-0.1, roll_deg=4.0)
    times = np.linspace(0, 1, 21)
    channels = torch.zeros(21, len(ANGLES))
    for name, values in feet.solve(times).items():
        channels[:, ANGLES.index(name)] = torch.tensor(values, dtype=torch.float32)
    still = Performance(channels=channels, expression=torch.zeros(21, 20), fps=20.0, framing="full", kind="test")
    joints = pose_body(_standard_body(), still)
    for side, _ in SIDES:
        toe = joints.place[f"{side}_toe"] / 0.9
        assert float((toe - toe[:1]).norm(dim=-1).max()) < 0.03
        assert float((joints.place[f"{side}_ankle"][:, 1] / 0.9 - ANKLE).abs().max()) < 0.02


# ---- hands -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(HAND_POSES))
def test_an_arms_channels_hold_the_named_hand(name: str) -> None:
    arm = Arm(ARM_POSES["count"])
    arm.key(1.0, ARM_POSES["count"], hand=name)
    got = arm.channels(np.array([2.0]), lag_s=0.03)
    whole = {**got, **{f"{finger}_curl": got[f"{finger}_curl"] + got["curl"] for finger in
                       ("thumb", "index", "middle", "ring", "little")}}  # fmt: skip
    wanted = dict(zip(HAND_CHANNELS, HAND_POSES[name].values(), strict=True))
    for channel, value in wanted.items():
        assert float(whole[channel][0]) == pytest.approx(value, abs=1e-9)


def test_a_finger_curls_alone() -> None:
    rest = neutral_performance(framing="upper")
    curled = rest.channels.clone()
    curled[:, ANGLES.index("left_index_curl")] = 1.0
    body = _standard_body()
    first, second = (pose_body(body, replace(rest, channels=c)).fingers for c in (rest.channels, curled))
    moved = (first - second).norm(dim=-1)[0]  # [hand, finger, joint]
    assert float(moved[0, 1, 3]) > 0.3 * body.hand
    moved[0, 1] = 0
    assert float(moved.max()) == 0


# ---- faces -----------------------------------------------------------------------------------------------------------


def _face(**coefficients: float) -> torch.Tensor:
    """[P, 3] face points of a portrait with an expression."""
    expression = torch.zeros(1, len(SCHEMA))
    for name, value in coefficients.items():
        expression[0, COEFFICIENT[name]] = value
    actor = sample_actor(4, style="near_human")
    performance = replace(neutral_performance(framing="portrait"), expression=expression)
    scene = sample_scene(4, framing="portrait")
    return render(actor, performance, scene, width=96, height=96).track.face.landmarks[0]


def test_a_corner_pulled_aside_moves_alone() -> None:
    rest, pulled = _face(), _face(corner_out_left=1.0)
    left, right = FACE_POINT["lip_outer_6"], FACE_POINT["lip_outer_0"]
    assert float(pulled[left, 0] - rest[left, 0]) > 0.8
    assert_close(pulled[right, :2], rest[right, :2])


def test_jaw_and_chin_move_aside_and_back() -> None:
    rest, left, right = _face(), _face(jaw_shift=1.0), _face(jaw_shift=-1.0)
    chin = FACE_POINT["chin"]
    assert float(left[chin, 0] - rest[chin, 0]) > 1 > -1 > float(right[chin, 0] - rest[chin, 0])


@pytest.mark.parametrize("name", [one.name for one in SCHEMA[20:]])
def test_every_added_coefficient_changes_the_drawn_face(name: str) -> None:
    def draw(value: float, jaw: float) -> torch.Tensor:
        expression = torch.zeros(1, len(SCHEMA))
        expression[0, COEFFICIENT[name]], expression[0, COEFFICIENT["jaw_open"]] = value, jaw
        performance = replace(neutral_performance(framing="portrait"), expression=expression)
        return render(sample_actor(4), performance, sample_scene(4, framing="portrait"), width=96, height=96).frames.int()

    assert int((draw(1.0, 0.4) - draw(0.0, 0.4)).abs().max()) > 15


def test_lips_close_for_a_p_between_two_open_vowels() -> None:
    sounds = (Sound("AA", 0.1, 0.16, 1.0), Sound("PP", 0.25, 0.09, 1.0), Sound("AA", 0.4, 0.16, 1.0))
    times = np.linspace(0, 0.5, 101)
    mouth = spoken_mouth(Speech(sounds=sounds, stresses_s=(), pauses_s=()), times)
    jaw, press = mouth[:, COEFFICIENT["jaw_open"]], mouth[:, COEFFICIENT["lip_press"]]
    assert jaw[20] > 0.6 < jaw[80]
    assert jaw[50] < 0.08
    assert press[50] > 0.6
    assert np.abs(np.diff(jaw)).max() < 0.12


def test_lips_round_before_the_round_vowel_is_heard() -> None:
    def early(vowel: str) -> float:
        sounds = (Sound("SS", 0.1, 0.1, 1.0), Sound("KK", 0.19, 0.07, 1.0), Sound(vowel, 0.31, 0.14, 1.0))
        mouth = spoken_mouth(Speech(sounds=sounds, stresses_s=(), pauses_s=()), np.array([0.2]))
        return float(mouth[0, COEFFICIENT["lip_pucker"]])

    assert early("OU") > early("IH") + 0.08


def test_visemes_are_told_apart_and_stay_in_range() -> None:
    shapes = np.stack([viseme_values(name) for name in VISEMES])
    assert 12 <= len(VISEMES) <= 15
    assert shapes.min() >= 0
    assert shapes.max() <= 1
    apart = np.abs(shapes[:, None] - shapes[None]).max(-1) + np.eye(len(shapes))
    assert apart.min() > 0.1
    assert set(VOWELS) < set(VISEMES)


def test_speech_has_stress_pauses_and_three_to_seven_syllables_a_second() -> None:
    speech = speak(np.random.default_rng(0), 60.0)
    vowels = [one for one in speech.sounds if one.viseme in VOWELS]
    silent = sum(end - start for start, end in speech.pauses_s)
    assert 3.0 < len(vowels) / (60 - silent) < 7
    assert 0.08 < silent / 60 < 0.5
    assert 0.15 < len(speech.stresses_s) / len(vowels) < 0.6


def test_blinks_come_at_natural_rates_and_one_eye_winks() -> None:
    left, right = COEFFICIENT["blink_left"], COEFFICIENT["blink_right"]
    times = np.arange(0, 60, 0.02)
    counts, winks = [], 0
    for seed in range(8):
        face = act_face(np.random.default_rng(seed), times, None)
        shut = face[:, left] > 0.7
        counts.append(int((np.diff(shut.astype(int)) == 1).sum()))
        winks += int((np.abs(face[:, left] - face[:, right]) > 0.8).any())
    assert 10 < np.mean(counts) < 45
    assert winks >= 4


def test_a_mirrored_mood_mirrored_again_is_the_mood() -> None:
    for mood in MOODS.values():
        assert mirrored(mirrored(mood)) == mood
        assert set(mood) <= set(COEFFICIENT)
    assert mirrored({"smile_left": 0.5, "gaze_x": 0.3}) == {"smile_right": 0.5, "gaze_x": -0.3}


# ---- timing ----------------------------------------------------------------------------------------------------------


def test_a_track_passes_its_keys_and_does_not_overshoot() -> None:
    times, keys = np.array([0.0, 1.0, 1.5, 3.0]), np.array([[0.0], [1.0], [1.0], [-1.0]])
    np.testing.assert_allclose(flow(times, keys, times), keys, atol=1e-12)
    fine = flow(times, keys, np.linspace(-1, 4, 400))
    assert fine.min() >= -1 <= fine.max() <= 1
    held = flow(times, keys, np.linspace(1.0, 1.5, 20))
    np.testing.assert_allclose(held, 1.0)


def test_a_late_move_still_takes_its_time() -> None:
    track = Track([0.0])
    track.move(0.5, 1.0, [1.0])
    track.move(0.2, 0.9, [2.0])
    assert track.end_s > 1.0 + 0.6 * 0.7


def test_dances_name_poses_and_hands_that_exist() -> None:
    names = {name for style in STYLES.values() for phrase in style.phrases for beat in phrase for name in beat}
    assert names <= set(ARM_POSES)
    assert {pose.hand for pose in ARM_POSES.values()} <= set(HAND_POSES)
