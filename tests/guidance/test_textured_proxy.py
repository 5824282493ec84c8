"""Laws of the textured proxy: identity, unseen backs, whole backgrounds, several references."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from dreamactor.guidance.background import fill_background, without_background
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.inpaint import fill_holes, grow
from dreamactor.guidance.proxy_blend import GUESSED, Layer, compose, mend
from dreamactor.guidance.proxy_bones import bone_frames
from dreamactor.guidance.proxy_guess import MIRRORED, mirror_places
from dreamactor.guidance.proxy_parts import PARTS, capsule_field, person_capsules
from dreamactor.guidance.textured_proxy import draw_proxy, prepare_proxy
from dreamactor.types.guidance import ReferenceImage, ReferenceSet
from factories import make_track

SIZE = {"width": 128, "height": 192}


def paint(track, *, seed=0, halo_px=2.0):
    """A noise-textured person a little wider than the capsules, on a smooth background; and the mask."""
    x = np.arange(SIZE["width"], dtype=np.float32)[None] + 0.5
    y = np.arange(SIZE["height"], dtype=np.float32)[:, None] + 0.5
    mask = np.zeros((SIZE["height"], SIZE["width"]), dtype=bool)
    for capsule in person_capsules(track):
        mask |= capsule_field(capsule, x, y).outside < halo_px
    image = np.stack(np.broadcast_arrays(x, y, x + y), axis=-1).astype(np.float32) % 256
    noise = np.random.default_rng(seed).uniform(0, 255, image.shape)
    image[mask] = noise[mask]
    return torch.from_numpy(image.astype(np.uint8)), torch.from_numpy(mask.astype(np.uint8) * 255)


def make_references(*tracks):
    images = []
    for seed, track in enumerate(tracks):
        image, mask = paint(track, seed=seed)
        images.append(ReferenceImage(image=image, person=track, mask=mask))
    return ReferenceSet(images=tuple(images), proportions=estimate_proportions(tracks))


def _prepared_and_drawn(track, references, *, width, height):
    return draw_proxy(prepare_proxy(references, track), track, width=width, height=height)


@pytest.fixture(scope="module")
def frontal():
    return make_references(make_track(num_frames=1, arm_swing_rad=0.0))


def test_the_references_own_pose_reproduces_the_reference(frontal):
    main = frontal.images[0]
    proxy = _prepared_and_drawn(main.person, frontal, **SIZE)
    person = main.mask > 127
    assert_close(proxy.rgb[0][person], main.image[person], atol=1, rtol=0)
    assert_close(proxy.figure[0] > 0, person, atol=0, rtol=0)
    assert (proxy.seen[0][person] == 255).all()


def test_background_is_kept_where_it_was_seen_and_filled_where_not(frontal):
    main = frontal.images[0]
    aside = make_track(num_frames=2, move_px=(200.0, 0.0))[slice(1, 2)]  # walks out of the picture
    proxy = _prepared_and_drawn(aside, frontal, **SIZE)
    assert (proxy.figure == 0).all()
    clear = torch.from_numpy(~grow(main.mask.numpy() > 127, 3))
    assert_close(proxy.rgb[0][clear], main.image[clear], atol=0, rtol=0)
    assert (proxy.seen[0][clear] == 255).all()
    assert (proxy.seen[0][main.mask > 127] == 0).all()


def test_a_back_that_no_reference_saw_is_unseen(frontal):
    back = make_track(num_frames=1, body_yaw_rad=np.pi, head_angles_rad=(np.pi, 0.0, 0.0))
    proxy = _prepared_and_drawn(back, frontal, **SIZE)
    figure = proxy.figure[0] > 0
    assert figure.sum() > 1500
    assert (proxy.seen[0][figure] == 255).float().mean() < 0.03


def test_a_second_reference_fills_the_back():
    front, back = (
        make_track(num_frames=1),
        make_track(num_frames=1, body_yaw_rad=np.pi, head_angles_rad=(np.pi, 0.0, 0.0)),
    )
    both = make_references(front, back)
    model = prepare_proxy(both, front)
    for track, image in ((front, both.images[0]), (back, both.images[1])):
        proxy = draw_proxy(model, track, **SIZE)
        person = image.mask > 127
        assert (proxy.seen[0][person] == 255).float().mean() > 0.97
        off = (proxy.rgb[0].float() - image.image.float()).abs().amax(-1)[person]
        assert (off <= 1).float().mean() > 0.9


def test_a_moved_figure_carries_its_pixels_along(frontal):
    main = frontal.images[0]
    aside = make_track(num_frames=2, move_px=(10.0, -5.0))[slice(1, 2)]
    proxy = _prepared_and_drawn(aside, frontal, **SIZE)
    moved = torch.roll(main.image, shifts=(-5, 10), dims=(0, 1))
    person = torch.roll(main.mask, shifts=(-5, 10), dims=(0, 1)) > 127
    off = (proxy.rgb[0].float() - moved.float()).abs().amax(-1)[person]
    assert (off <= 1).float().mean() > 0.99


def test_half_a_turn_leaves_no_gaps_in_the_figure(frontal):
    for yaw in (0.6, 1.2, 1.57, 2.2):
        track = make_track(num_frames=1, body_yaw_rad=yaw, head_angles_rad=(yaw, 0.0, 0.0))
        figure = _prepared_and_drawn(track, frontal, **SIZE).figure[0] > 0
        core = torch.zeros_like(figure)
        x, y = np.arange(SIZE["width"])[None] + 0.5, np.arange(SIZE["height"])[:, None] + 0.5
        for capsule in person_capsules(track):
            if capsule.name in ("torso", "head", "left_thigh", "right_thigh", "left_upper_arm"):
                core |= torch.from_numpy(capsule_field(capsule, x, y).outside < -0.5 * min(capsule.radius))
        assert figure[core].float().mean() > 0.97


def test_without_a_body_the_proxy_is_the_background():
    track = make_track(num_frames=1)
    image, _ = paint(track)
    nobody = replace(track, body=replace(track.body, tracked=torch.zeros(1, dtype=torch.bool)))
    references = ReferenceSet(
        images=(ReferenceImage(image=image, person=nobody, mask=None),), proportions=estimate_proportions((track,))
    )
    proxy = _prepared_and_drawn(make_track(num_frames=2), references, **SIZE)
    assert_close(proxy.rgb[1], image, atol=0, rtol=0)
    assert (proxy.figure == 0).all()


def test_without_a_mask_the_capsules_cut_the_figure_out():
    track = make_track(num_frames=1)
    image, mask = paint(track, halo_px=0.0)
    references = ReferenceSet(
        images=(ReferenceImage(image=image, person=track, mask=None),), proportions=estimate_proportions((track,))
    )
    figure = _prepared_and_drawn(track, references, **SIZE).figure[0] > 0
    both, either = (figure & (mask > 127)).sum(), (figure | (mask > 127)).sum()
    assert both / either > 0.8


def test_holes_are_filled_from_their_surroundings():
    image = np.full((40, 60, 3), 80.0, dtype=np.float32)
    known = np.ones((40, 60), dtype=bool)
    known[10:30, 20:45] = False
    image[~known] = 255.0
    assert np.allclose(fill_holes(image, known), 80.0, atol=0.01)
    assert np.allclose(fill_holes(image, np.zeros_like(known)), 0.0)


def test_a_horizon_goes_on_behind_the_person_and_what_is_seen_stays():
    picture = np.full((80, 120, 3), 60, dtype=np.uint8)
    picture[:45] = 180
    seen = np.ones((80, 120), dtype=bool)
    seen[15:70, 45:75] = False
    clean = picture.astype(np.float32)
    picture[~seen] = 255
    filled = fill_background(picture, seen)
    assert np.array_equal(filled[seen], clean[seen])
    middle = filled[15:70, 60].mean(axis=-1)
    assert middle[:24].min() > 160  # rows 15 to 38; the horizon is at 45 and may blur
    assert middle[-12:].max() < 80
    assert np.array_equal(fill_background(picture, np.ones_like(seen)), picture)
    assert np.allclose(fill_background(picture, np.zeros_like(seen)), 0.0)


def test_background_in_a_made_figure_is_painted_over_and_like_colours_inside_stay():
    background = np.full((60, 60, 3), 100, dtype=np.float32)
    picture = torch.full((60, 60, 3), 104, dtype=torch.uint8)
    picture[10:50, 20:40] = 200  # the person
    picture[28:32, 28:32] = 104  # a button of the background's colour
    figure = torch.zeros(60, 60, dtype=torch.uint8)
    figure[10:50, 12:50] = 255  # drawn too wide
    mended = without_background(picture[None], figure[None], background)[0]
    expected = picture.clone()
    expected[10:50, 12:20] = expected[10:50, 40:50] = 200
    assert_close(mended, expected, atol=4, rtol=0)
    assert torch.equal(mended[figure == 0], picture[figure == 0])
    assert torch.equal(mended[11:49, 21:39], picture[11:49, 21:39])


def test_a_made_reference_gives_the_outline_only_where_no_given_one_saw_much():
    def outline(num_seen_by_the_given):
        figure = np.zeros((1, 20), dtype=np.uint8)
        layers = [_layer(range(10), num_seen_by_the_given, trust=1.0), _layer(range(20), 20, trust=0.3)]
        compose(layers, np.zeros((1, 20, 3), dtype=np.uint8), np.zeros((1, 20), dtype=np.uint8), figure)
        return int((figure > 0).sum())

    assert outline(8) == 10
    assert outline(2) == 20


def _layer(pixels, num_seen, *, trust):
    """One row of pixels, of which the first ones are seen."""
    pixel = np.array(pixels)
    seen = np.arange(len(pixel)) < num_seen
    rgb, even = np.full((len(pixel), 3), 90, dtype=np.float32), np.full(len(pixel), trust, dtype=np.float32)
    return Layer(pixel=pixel, rgb=rgb, seen=seen, guessed=~seen, quality=even, trust=trust)


def test_a_profiles_other_side_is_guessed_from_the_side_it_shows():
    yaw = 1.2
    profile = make_track(num_frames=1, body_yaw_rad=yaw, head_angles_rad=(yaw, 0.0, 0.0))
    other = make_track(num_frames=1, body_yaw_rad=-yaw, head_angles_rad=(-yaw, 0.0, 0.0))
    proxy = _prepared_and_drawn(other, make_references(profile), **SIZE)
    head = torch.zeros_like(proxy.figure[0], dtype=torch.bool)
    (x, y, _), radius = other.head.center[0].tolist(), 0.5 * float(other.head.radius_px[0])
    head[int(y - radius) : int(y + radius), int(x - radius) : int(x + radius)] = True
    assert (proxy.seen[0][head] == GUESSED).float().mean() > 0.5


def test_mirror_places_come_back_after_two_mirrors():
    track = make_track(num_frames=1, body_yaw_rad=0.5, head_angles_rad=(0.4, 0.1, 0.0))
    frames = bone_frames(track)
    points = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32) * 20 + track.head.center[0].numpy()
    for index, other in enumerate(MIRRORED):
        twice = mirror_places(int(other), mirror_places(index, points, frames), frames)
        assert np.allclose(twice, points, atol=0.05), PARTS[index]


def test_one_colour_of_light_over_all_references():
    track = make_track(num_frames=1)
    both = make_references(track, track)
    dark = (both.images[0].image.float() * 0.8).to(torch.uint8)
    both = replace(both, images=(both.images[0], replace(both.images[0], image=dark)))
    model = prepare_proxy(both, track)
    assert np.allclose(model.skins[1].gain, 1.25, atol=0.05)
    person = both.images[0].mask > 127
    assert_close(draw_proxy(model, track, **SIZE).rgb[0][person], both.images[0].image[person], atol=6, rtol=0)


def test_holes_of_one_pixel_are_mended_and_outlines_are_not():
    figure = np.zeros((9, 9), dtype=np.uint8)
    figure[2:7, 2:7] = 255
    seen, rgb = figure.copy(), np.full((9, 9, 3), 100, dtype=np.uint8)
    seen[4, 4], rgb[4, 4] = 0, 7
    outline = figure.copy()
    mend(rgb, seen, figure)
    assert (rgb == 100).all()
    assert seen[4, 4] == 255
    assert (figure == outline).all()
