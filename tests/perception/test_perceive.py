import dataclasses
from fractions import Fraction

import pytest
import torch
from synthetic_people import HEIGHT, WIDTH, PlaybackEstimator, person

from dreamactor.errors import ConfigError, MediaError, NoPersonError
from dreamactor.perception.base import RawPerson, nobody
from dreamactor.perception.build import build_estimator
from dreamactor.perception.perceive import perceive_image, perceive_video
from dreamactor.types.track import PersonTrack

BASE = Fraction(1, 1000)


def pictures(num_frames: int, *, cut_at: int | None = None) -> list[tuple[torch.Tensor, int]]:
    red = torch.zeros(HEIGHT, WIDTH, 3, dtype=torch.uint8)
    red[..., 0] = 200
    green = red.roll(1, -1)
    return [(green if cut_at is not None and i >= cut_at else red, 40 * i + 7) for i in range(num_frames)]


def perceive(people: list[RawPerson], **options) -> PersonTrack:
    frames = pictures(len(people), cut_at=options.pop("cut_at", None))
    return perceive_video(frames, time_base=BASE, estimator=PlaybackEstimator(people), source="clip.mp4", **options)


def test_every_frame_keeps_its_time_and_source_is_named() -> None:
    track = perceive([person(shift=(i, 0)) for i in range(6)])
    assert track.times.pts.tolist() == [7, 47, 87, 127, 167, 207]
    assert (track.width, track.height) == (WIDTH, HEIGHT)
    assert track.source == "clip.mp4 (playback 1)"
    assert track.body.tracked.all()


def test_a_cut_resets_the_estimator_and_nothing_is_smoothed_across_it() -> None:
    people = [person()] * 10 + [person(shift=(100, 0))] * 10
    estimator = PlaybackEstimator(people)
    track = perceive_video(pictures(20, cut_at=10), time_base=BASE, estimator=estimator)
    assert track.cut.nonzero().flatten().tolist() == [10]
    assert estimator.resets >= 2
    torch.testing.assert_close(track.body.joints[9, :, :2], people[0].joints_px, atol=0.01, rtol=0)
    torch.testing.assert_close(track.body.joints[10, :, :2], people[10].joints_px, atol=0.01, rtol=0)


def test_nobody_in_the_whole_clip_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(NoPersonError, match=r"No person in clip\.mp4 \(4 frames checked\)"):
        perceive([nobody()] * 4)


def test_somebody_in_one_frame_is_enough() -> None:
    track = perceive([nobody()] * 3 + [person()] + [nobody()] * 8)
    assert track.body.tracked.tolist() == [False] * 3 + [True] + [False] * 8


def test_no_frames_is_an_error() -> None:
    with pytest.raises(MediaError, match="no frames"):
        perceive([])


def test_the_wanted_person_is_started_on() -> None:
    boxes = torch.tensor([[0.0, 0, 100, 200], [200, 0, 260, 120], [300, 0, 330, 60]])
    for rank, wanted in ((None, 0), (1, 0), (3, 2)):
        estimator = PlaybackEstimator([person()] * 3, boxes)
        perceive_video(pictures(3), time_base=BASE, estimator=estimator, person=rank)
        assert len(estimator.starts) == 1
        assert estimator.starts[0].tolist() == boxes[wanted].tolist()


def test_asking_for_more_people_than_there_are() -> None:
    with pytest.raises(NoPersonError, match="never shows more than 1"):
        perceive([person()] * 3, person=2)
    with pytest.raises(ConfigError, match="counts from 1"):
        perceive([person()] * 3, person=0)


def test_jumping_over_to_somebody_else_starts_again_on_the_right_one() -> None:
    stranger, same = person(shift=(-180, 0)), person(shift=(2, 0))
    estimator = PlaybackEstimator([person()] * 5 + [stranger] + [same] * 5)
    track = perceive_video(pictures(10), time_base=BASE, estimator=estimator)
    assert len(estimator.starts) == 1
    assert float((track.body.joints[:, 0, 0] - 200).abs().max()) < 5


def test_a_body_that_hangs_from_an_upright_face_is_looked_for_again() -> None:
    wrong = person()
    middle = wrong.face[:, :2].mean(0)
    wrong = dataclasses.replace(wrong, joints_px=2 * middle - wrong.joints_px)
    estimator = PlaybackEstimator([wrong, person()] + [person()] * 4)
    track = perceive_video(pictures(5), time_base=BASE, estimator=estimator)
    assert track.body.tracked.all()
    assert estimator.resets == 2
    still = PlaybackEstimator([wrong] * 2 + [person()] * 11)
    assert not perceive_video(pictures(12), time_base=BASE, estimator=still).body.tracked[0]


def test_progress_is_told_after_every_frame() -> None:
    seen: list[tuple[int, int | None]] = []
    perceive([person()] * 3, num_frames=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_picture_without_people_is_no_error() -> None:
    track, mask = perceive_image(pictures(1)[0][0], estimator=PlaybackEstimator([nobody()]))
    assert track.num_frames == 1
    assert not track.body.tracked.any()
    assert mask is None


def test_unknown_backend_is_answered_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'mediapipe'"):
        build_estimator("mediapip")
