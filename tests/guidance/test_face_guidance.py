"""Laws of face crops, normalised landmarks, guidance of a segment, and track jitter."""

from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from dreamactor.geometry.skeleton import FACE_POINT, JOINT
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.build import build_guidance
from dreamactor.guidance.face_crop import augment_crops, crop_faces, normalize_landmarks
from dreamactor.guidance.jitter import TrackJitter, jitter_mask, jitter_track
from dreamactor.guidance.textured_proxy import prepare_proxy
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from factories import make_track


@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (0.8, -0.3, 0.4), (-0.5, 0.2, -1.0)])
def test_normalised_landmarks_do_not_know_pose_place_or_size(angles):
    plain = make_track(num_frames=2)
    turned = make_track(num_frames=2, head_angles_rad=angles, scale_px=37.0, pelvis_px=(20.0, 70.0))
    assert_close(
        normalize_landmarks(turned.face, turned.head), normalize_landmarks(plain.face, plain.head), atol=1e-4, rtol=0
    )


def test_normalised_landmarks_are_upright_and_of_unit_height():
    track = make_track(num_frames=1, head_angles_rad=(0.4, 0.1, 0.2))
    points = normalize_landmarks(track.face, track.head)[0]
    assert points[FACE_POINT["chin"], 1] > points[FACE_POINT["forehead"], 1]
    assert points[FACE_POINT["left_eye_0"], 0] > 0 > points[FACE_POINT["right_eye_0"], 0]
    height = (points[FACE_POINT["chin"]] - points[FACE_POINT["forehead"]]).norm()
    assert 0.9 < float(height) < 2.1


def test_frames_without_a_face_are_zero():
    track = make_track(num_frames=2)
    face = replace(track.face, tracked=torch.tensor([True, False]))
    points = normalize_landmarks(face, track.head)
    crops = crop_faces(torch.full((2, 192, 128, 3), 200, dtype=torch.uint8), face)
    assert points[1].abs().sum() == 0
    assert crops[0].min() == 200
    assert crops[1].sum() == 0


@pytest.mark.parametrize("side", [40.0, 100.0, 700.0])
def test_a_crop_shows_exactly_its_box(side):
    size = 1000
    ramp = torch.arange(size, dtype=torch.float32) / size * 255
    frame = torch.stack((ramp[None].expand(size, -1), ramp[:, None].expand(-1, size), torch.zeros(size, size)), dim=-1)
    track = make_track(num_frames=1)
    box = torch.tensor([[120.0, 210.0, 120.0 + side, 210.0 + side]])
    crop = crop_faces(frame.to(torch.uint8)[None], replace(track.face, box=box))[0].float()
    place = (torch.arange(224) + 0.5) / 224 * side
    assert_close(crop[0, 100], (120 + place - 0.5) / size * 255, atol=1.6, rtol=0)
    assert_close(crop[1, :, 100], (210 + place - 0.5) / size * 255, atol=1.6, rtol=0)


def test_a_box_outside_the_picture_repeats_its_edge():
    frame = torch.full((1, 50, 50, 3), 90, dtype=torch.uint8)
    track = make_track(num_frames=1)
    crop = crop_faces(frame, replace(track.face, box=torch.tensor([[-20.0, -20.0, 30.0, 30.0]])))
    assert (crop == 90).all()


def test_crop_augmentation_is_reproducible_and_keeps_the_shape():
    crops = torch.randint(0, 255, (3, 3, 224, 224), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    first, again, other = (augment_crops(crops, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert_close(first, again, atol=0, rtol=0)
    assert first.shape == crops.shape
    assert (first != other).any()


def test_a_segment_is_drawn_as_a_part_of_the_whole():
    track = make_track(num_frames=6, arm_swing_rad=1.0)
    image = torch.randint(0, 255, (192, 128, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    reference = ReferenceImage(image=image, person=track[slice(0, 1)], mask=None)
    proxy = prepare_proxy(ReferenceSet(images=(reference,), proportions=estimate_proportions((track,))), track)
    draw = {"width": 128, "height": 192, "proxy": proxy, "crops": None}
    whole, part = build_guidance(track, slice(0, 6), **draw), build_guidance(track, slice(2, 5), **draw)
    assert_close(part.pose.body_skeleton, whole.pose.body_skeleton[2:5], atol=0, rtol=0)
    assert_close(part.face.landmarks, whole.face.landmarks[2:5], atol=0, rtol=0)
    assert_close(part.proxy.rgb, whole.proxy.rgb[2:5], atol=0, rtol=0)
    assert build_guidance(track, slice(0, 1), width=128, height=192, proxy=None, crops=None).proxy is None


def test_jitter_is_small_reproducible_and_finite():
    track = make_track(num_frames=40)
    noisy, again = (jitter_track(track, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert_close(noisy.body.joints, again.body.joints, atol=0, rtol=0)
    torso = (track.body.joints[:, JOINT["neck"]] - track.body.joints[:, JOINT["pelvis"]]).norm(dim=-1).median()
    off = (noisy.body.joints - track.body.joints)[..., :2].norm(dim=-1) / torso
    assert 0.005 < float(off.median()) < 0.08
    shake = noisy.body.joints.diff(n=2, dim=0)[..., :2].norm(dim=-1) / torso
    assert float(shake.median()) < 0.05
    assert torch.isfinite(noisy.face.landmarks).all()


def test_jitter_of_size_zero_changes_nothing():
    track = make_track(num_frames=10)
    same = jitter_track(track, generator=torch.Generator().manual_seed(0), jitter=TrackJitter.none())
    assert_close(same.body.joints, track.body.joints)
    assert_close(same.head.angles_rad, track.head.angles_rad)
    assert (same.hands.tracked == track.hands.tracked).all()


def test_a_jittered_mask_keeps_the_person_and_is_reproducible():
    mask = torch.zeros(96, 96, dtype=torch.uint8)
    mask[20:80, 30:66] = 255
    rough, again = (jitter_mask(mask, generator=torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(rough, again)
    assert not torch.equal(rough, mask)
    assert (rough[30:70, 40:56] == 255).all()
    assert (rough[:12] == 0).all()
