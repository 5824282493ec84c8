"""Jittered tracks have the errors that were asked for."""

from dataclasses import replace

import pytest
import torch

from dreamactor.evaluation.track_noise import noise_statistics
from dreamactor.geometry.skeleton import JOINT
from dreamactor.guidance.jitter import Noise, TrackJitter, jitter_track
from dreamactor.types.track import PersonTrack
from factories import make_track

CLIPS, FRAMES = 40, 48
WANTED = TrackJitter(
    trunk=Noise(bias=0.03, drift=0.01, shake=0.004), middle=Noise(bias=0.04, drift=0.03, shake=0.006),
    far=Noise(bias=0.05, drift=0.05, shake=0.01), depth=3.0, hand=Noise(bias=0.03, drift=0.02, shake=0.01),
    face=Noise(bias=0.05, drift=0.02, shake=0.01), yaw=Noise(bias=0.08, drift=0.04, shake=0.01),
    pitch=Noise(bias=0.06, drift=0.03, shake=0.01), roll=Noise(bias=0.04, drift=0.02, shake=0.005), yaw_gain=0.8,
    yaw_turned=Noise(bias=0.3, drift=0.2, shake=0.01), small_head=1.0, memory_frames=4.0, head_size_offset=0.1,
    head_size=0.06, head_place=Noise(bias=0.15, drift=0.05, shake=0.01), hand_gaps=0.4, face_gaps=0.1, joint_gaps=0.05,
    hand_gap_frames=10.0, face_gap_frames=5.0, joint_gap_frames=4.0,
)  # fmt: skip


def pairs(jitter: TrackJitter, clips: int = CLIPS) -> list[tuple[PersonTrack, PersonTrack]]:
    generator = torch.Generator().manual_seed(0)
    made = []
    for index in range(clips):
        yaw = -0.9 + 1.8 * index / (clips - 1)
        track = make_track(
            num_frames=FRAMES, width=256, height=256, scale_px=80.0, pelvis_px=(128, 128), head_angles_rad=(yaw, 0, 0)
        )
        made.append((jitter_track(track, generator=generator, jitter=jitter), track))
    return made


@pytest.fixture(scope="module")
def measured() -> dict[str, float]:
    return noise_statistics(pairs(WANTED))


@pytest.mark.parametrize("name", ["trunk", "middle", "far", "hand", "face", "head_place"])
def test_points_have_the_bias_drift_and_shake_asked_for(measured: dict[str, float], name: str) -> None:
    wanted = getattr(WANTED, name)
    for part in ("bias", "drift", "shake"):
        assert measured[f"{name}_{part}"] == pytest.approx(getattr(wanted, part), rel=0.25)


@pytest.mark.parametrize("name", ["yaw", "pitch", "roll"])
def test_angles_have_the_drift_and_shake_asked_for(measured: dict[str, float], name: str) -> None:
    wanted = getattr(WANTED, name)
    for part in ("drift", "shake"):
        assert measured[f"{name}_{part}"] == pytest.approx(getattr(wanted, part) * 180 / torch.pi, rel=0.3)


def test_yaw_is_compressed_and_depth_less_sure(measured: dict[str, float]) -> None:
    assert measured["yaw_gain"] == pytest.approx(0.88, abs=0.05)  # 0.8 at the front, none in profile: 0.88 at 40 degrees
    assert measured["depth_ratio"] == pytest.approx(3.0, rel=0.1)


def test_heads_have_the_size_asked_for(measured: dict[str, float]) -> None:
    assert measured["head_size_offset"] == pytest.approx(0.1, abs=0.04)
    assert measured["head_size_spread"] == pytest.approx(0.06, rel=0.5)


@pytest.mark.parametrize("name", ["hand", "face", "joint"])
def test_losses_come_in_stretches_of_the_share_and_length_asked_for(measured: dict[str, float], name: str) -> None:
    assert measured[f"{name}_lost_share"] == pytest.approx(getattr(WANTED, f"{name}_gaps"), rel=0.3)
    # Clips cut long stretches short.
    assert measured[f"{name}_lost_frames"] == pytest.approx(getattr(WANTED, f"{name}_gap_frames"), rel=0.3)


def test_turned_and_small_heads_are_less_sure() -> None:
    jitter = replace(WANTED, small_head=3.0)
    generator = torch.Generator().manual_seed(0)

    def spread(yaw: float, scale_px: float) -> float:
        track = make_track(num_frames=FRAMES, width=256, height=256, scale_px=scale_px, head_angles_rad=(yaw, 0, 0))
        noisy = [jitter_track(track, generator=generator, jitter=jitter) for _ in range(30)]
        off = torch.stack([one.head.angles_rad - track.head.angles_rad for one in noisy])
        return float(off[..., 0].std())

    assert spread(3.1, 400.0) > 2.5 * spread(0.0, 400.0)
    assert spread(0.0, 80.0) == pytest.approx(3.0 * spread(0.0, 400.0), rel=0.4)


def test_memory_makes_drifts_slower() -> None:
    slow = noise_statistics(pairs(replace(WANTED, memory_frames=6.0), clips=4))
    fast = noise_statistics(pairs(replace(WANTED, memory_frames=1.5), clips=4))
    assert slow["far_memory"] > fast["far_memory"] + 0.3


def test_middles_stay_the_means_that_define_them() -> None:
    generator = torch.Generator().manual_seed(0)
    joints = jitter_track(make_track(num_frames=5), generator=generator, jitter=WANTED).body.joints
    for middle, left, right in (("pelvis", "left_hip", "right_hip"), ("neck", "left_shoulder", "right_shoulder")):
        torch.testing.assert_close(joints[:, JOINT[middle]], (joints[:, JOINT[left]] + joints[:, JOINT[right]]) / 2)
