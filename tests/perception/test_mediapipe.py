"""The default estimator on drawn people, and on real ones where there are clips of them."""

import itertools
import os
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from dreamactor.data.actors import render, sample_actor, sample_performance, sample_scene
from dreamactor.geometry.skeleton import FACE_POINT, JOINT

pytest.importorskip("mediapipe")

from dreamactor.perception.build import build_estimator
from dreamactor.perception.perceive import perceive_image, perceive_video

MEDIA = Path(os.environ.get("DREAMACTOR_MEDIA", Path(__file__).parents[3] / "shared" / "media"))


def first_frames(name: str, num_frames: int) -> tuple[list[tuple[torch.Tensor, int]], Fraction]:
    av = pytest.importorskip("av")
    with av.open(str(MEDIA / name)) as container:
        stream = container.streams.video[0]
        pictures = itertools.islice(container.decode(stream), num_frames)
        return [(torch.from_numpy(p.to_ndarray(format="rgb24")), p.pts) for p in pictures], stream.time_base


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not (MEDIA / name).is_file(),
        reason=f"{name} shows a real person and is not part of the project; its folder is named by DREAMACTOR_MEDIA",
    )


@pytest.mark.media
@needs("full_bluedress_dance.mp4")
def test_body_hands_and_face_of_a_real_clip(capfd: pytest.CaptureFixture[str]) -> None:
    frames, time_base = first_frames("full_bluedress_dance.mp4", 8)
    track = perceive_video(frames, time_base=time_base, estimator=build_estimator())
    assert capfd.readouterr().err == ""
    assert track.body.tracked.all()
    assert track.face.tracked.all()
    joints = track.body.joints
    # She faces the camera: her left is image right, her head is up.
    assert (joints[:, JOINT["left_shoulder"], 0] > joints[:, JOINT["right_shoulder"], 0]).all()
    assert (joints[:, JOINT["head"], 1] < joints[:, JOINT["pelvis"], 1]).all()
    face = track.face.landmarks
    for side in ("left", "right"):
        iris = face[:, FACE_POINT[f"{side}_iris"], :2]
        corners = face[:, [FACE_POINT[f"{side}_eye_0"], FACE_POINT[f"{side}_eye_3"]], :2]
        width = (corners[:, 0] - corners[:, 1]).norm(dim=-1)
        assert ((iris - corners.mean(1)).norm(dim=-1) < 0.4 * width).all()
    assert (face[:, FACE_POINT["left_iris"], 0] > face[:, FACE_POINT["right_iris"], 0]).all()
    assert (track.head.angles_rad.abs() < 0.6).all()
    inside = (track.head.center[:, :2] - joints[:, JOINT["head"], :2]).norm(dim=-1) < track.head.radius_px
    assert inside.all()


@pytest.mark.media
@needs("full_bluedress_dance.mp4")
def test_the_second_largest_of_two_people_is_followed_when_asked_for() -> None:
    frames, time_base = first_frames("full_bluedress_dance.mp4", 4)
    height, width = frames[0][0].shape[:2]
    small = torch.full((height, width // 2, 3), 220, dtype=torch.uint8)
    pairs = []
    for picture, pts in frames:
        beside = small.clone()
        beside[height // 2 :] = picture[::2, ::2][: height - height // 2, : width // 2]
        pairs.append((torch.cat((picture, beside), dim=1), pts))
    for person, left in ((None, True), (2, False)):
        track = perceive_video(pairs, time_base=time_base, estimator=build_estimator(), person=person)
        assert ((track.body.joints[:, JOINT["neck"], 0] < width) == left).all()


@pytest.mark.media
@needs("full_bluedress_dance.mp4")
def test_mirrored_pictures_give_mirrored_angles_and_a_mask() -> None:
    picture = first_frames("full_bluedress_dance.mp4", 1)[0][0][0]
    estimator = build_estimator(static=True)
    track, mask = perceive_image(picture, estimator=estimator)
    mirrored, _ = perceive_image(picture.flip(1).contiguous(), estimator=estimator)
    signs = torch.tensor([-1.0, 1.0, -1.0])
    torch.testing.assert_close(mirrored.head.angles_rad, track.head.angles_rad * signs, atol=0.1, rtol=0)
    assert mask is not None
    assert mask.shape == picture.shape[:2]
    x, y = track.body.joints[0, JOINT["neck"], :2].int().tolist()
    assert mask[y, x] == 255
    assert mask[0, 0] == 0


def test_a_picture_without_people_finds_nobody() -> None:
    track, mask = perceive_image(torch.full((120, 160, 3), 90, dtype=torch.uint8), estimator=build_estimator(static=True))
    assert not track.body.tracked.any()
    assert not track.face.tracked.any()
    assert mask is None


def test_a_picture_is_seen_alike_whatever_was_looked_at_before() -> None:
    pictures = [
        render(
            sample_actor(seed),
            sample_performance(seed, num_frames=2, framing="full"),
            sample_scene(seed, framing="full"),
            width=192,
            height=192,
            frames=slice(0, 1),
        ).frames[0]
        for seed in (31, 32)
    ]
    with closing(build_estimator(static=True)) as estimator:
        first, _ = perceive_image(pictures[0], estimator=estimator)
        perceive_image(pictures[1], estimator=estimator)
        again, _ = perceive_image(pictures[0], estimator=estimator)
    assert first is not None
    assert again is not None
    assert torch.equal(first.body.joints, again.body.joints)
    assert torch.equal(first.face.landmarks, again.face.landmarks)


def test_the_body_of_a_single_picture_is_that_of_a_settled_video() -> None:
    picture = render(
        sample_actor(32),
        sample_performance(32, num_frames=2, framing="full"),
        sample_scene(32, framing="full"),
        width=256,
        height=256,
        frames=slice(0, 1),
    ).frames[0]
    with closing(build_estimator(static=True)) as looker, closing(build_estimator()) as follower:
        single, settled = looker.observe(picture), follower.observe(picture)
    assert single.found
    assert settled.found
    torch.testing.assert_close(single.joints_px, settled.joints_px, atol=0.5, rtol=0)
    torch.testing.assert_close(single.joints_m, settled.joints_m, atol=0.01, rtol=0)
