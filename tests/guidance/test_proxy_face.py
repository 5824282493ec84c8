"""Laws of the proxy's face: a driver who is the reference changes nothing; lids shut, mouths open, and only there."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from dreamactor.data.actors import neutral_performance, render, sample_actor, sample_scene
from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.geometry.skeleton import FACE_POINT
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.face_transfer import face_rest, plane_points, transfer_expression
from dreamactor.guidance.textured_proxy import draw_proxy, prepare_proxy
from dreamactor.types.guidance import ReferenceImage, ReferenceSet

SIZE = 160
SEED = 11


def act(seed, *faces):
    """An actor's portrait with one expression per frame, drawn."""
    pose = neutral_performance(framing="portrait")
    expression = torch.zeros(len(faces), pose.expression.shape[1])
    for t, face in enumerate(faces):
        for name, value in face.items():
            expression[t, COEFFICIENT[name]] = value
    performance = replace(pose, channels=pose.channels.expand(len(faces), -1), expression=expression)
    return render(sample_actor(seed), performance, sample_scene(3, framing="portrait"), width=SIZE, height=SIZE)


def references_of(drawn):
    image = ReferenceImage(image=drawn.frames[0], person=drawn.track[0:1], mask=drawn.mask[0])
    return ReferenceSet(images=(image,), proportions=estimate_proportions((image.person,)))


BLINK = {"blink_left": 1.0, "blink_right": 1.0}
CALM = ({},) * 3


@pytest.fixture(scope="module")
def acted():
    return act(SEED, *CALM, BLINK, {"jaw_open": 1.0})


@pytest.fixture(scope="module")
def proxy(acted):
    return draw_proxy(prepare_proxy(references_of(acted), acted.track), acted.track, width=SIZE, height=SIZE)


def around(track, frame, *words):
    """[H, W] bool: the box around the face points whose names begin so."""
    points = track.face.landmarks[frame, [i for name, i in FACE_POINT.items() if name.startswith(words)], :2]
    low, high = points.amin(dim=0), points.amax(dim=0)
    place = torch.arange(SIZE) + 0.5
    across, down = (place > low[0]) & (place < high[0]), (place > low[1]) & (place < high[1])
    return down[:, None] & across[None]


def test_a_driver_who_is_the_reference_moves_nothing(acted):
    track = acted.track[0:3]
    moved = transfer_expression(plane_points(track)[0], track, face_rest(track))
    assert_close(moved, torch.zeros_like(moved), atol=1e-4, rtol=0)


def test_a_still_face_keeps_its_very_pixels(acted, proxy):
    person = acted.mask[0] > 127
    assert_close(proxy.rgb[0][person], acted.frames[0][person], atol=1, rtol=0)
    assert (proxy.seen[0][person] == 255).all()


@pytest.mark.parametrize(("frame", "words"), [(3, ("left_eye", "right_eye")), (4, ("lip",))])
def test_what_the_face_shows_comes_nearer_to_the_truth_where_it_acts(acted, proxy, frame, words):
    region = (around(acted.track, frame, *words) | around(acted.track, 0, *words)) & (proxy.seen[frame] == 255)
    truth, drawn, still = (clip.float()[region] for clip in (acted.frames[frame], proxy.rgb[frame], acted.frames[0]))
    assert (drawn - truth).square().mean() < 0.5 * (still - truth).square().mean()


def test_what_is_inside_an_opened_mouth_was_never_seen(acted, proxy):
    inside = around(acted.track, 4, "lip_inner_2", "lip_inner_6", "lip_inner_1", "lip_inner_3")
    assert (proxy.seen[4][inside] == 0).float().mean() > 0.5
    assert (proxy.seen[3][around(acted.track, 3, "left_eye")] == 255).all()


def test_another_faces_blink_shuts_the_eyes_and_brings_nothing_else(acted):
    other = act(SEED + 1, *CALM, BLINK).track
    posed = plane_points(acted.track)[0]
    moved = posed + transfer_expression(posed, other, face_rest(other))
    for side in ("left", "right"):
        upper, lower = (FACE_POINT[f"{side}_eye_{index}"] for index in (1, 5))
        opened = (posed[lower] - posed[upper])[1]
        assert (moved[3, lower] - moved[3, upper])[1] < 0.15 * opened
        assert_close((moved[0, lower] - moved[0, upper])[1], opened, atol=float(0.05 * opened), rtol=0)
    lips = [index for name, index in FACE_POINT.items() if name.startswith("lip")]
    assert (moved[3, lips] - posed[lips]).abs().max() < 0.03


def test_a_serious_driver_does_not_keep_the_reference_smiling(acted):
    smiling = act(SEED, {"smile_left": 1.0, "smile_right": 1.0})
    posed, calm = plane_points(smiling.track)[0], plane_points(acted.track)[0]
    driver = acted.track[0:3]
    moved = posed + transfer_expression(posed, driver, face_rest(driver))[0]
    corners = [FACE_POINT["lip_outer_0"], FACE_POINT["lip_outer_6"]]
    middle = [FACE_POINT["lip_inner_2"], FACE_POINT["lip_inner_6"]]

    def lift(face):
        return face[middle, 1].mean() - face[corners, 1].mean()

    assert lift(posed) > 0.05
    assert (lift(moved) - lift(calm)).abs() < 0.03


def test_without_a_face_in_view_nothing_moves(acted):
    away = replace(acted.track, face=replace(acted.track.face, tracked=torch.zeros(5, dtype=torch.bool)))
    assert face_rest(away) is None
    rest = face_rest(acted.track)
    assert float(transfer_expression(plane_points(acted.track)[0], away, rest).abs().max()) == 0.0
    proxy = draw_proxy(prepare_proxy(references_of(acted), away), away, width=SIZE, height=SIZE)
    person = acted.mask[0].numpy() > 127
    off = np.abs(proxy.rgb[3].numpy().astype(int) - acted.frames[0].numpy())[person]
    assert off.max() <= 1
