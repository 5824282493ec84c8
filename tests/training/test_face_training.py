"""The face encoders' training: crops and points stay together, mirrors are true, and what perception does can be learnt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from dreamactor.data.actors import EXPRESSION, NUM_EXPRESSION, sample_actor
from dreamactor.data.actors.coefficients import COEFFICIENT
from dreamactor.data.actors.expression import face_curves, face_points
from dreamactor.data.faces import PICTURE_PX, FaceViews, PerceivedFaces
from dreamactor.geometry.skeleton import NUM_FACE_POINTS
from dreamactor.guidance.person_box import MIRRORED_FACE_POINTS
from dreamactor.models.face_motion import LOOK_PX, FaceLook, ImplicitFaceEncoder, LandmarkFaceEncoder
from dreamactor.training.face import fit_perceived_map, landmark_pairs, train_landmark_encoder
from dreamactor.training.implicit_face import FaceBook, face_losses, middle_of, move_pictures, train_implicit_encoder
from dreamactor.training.loop import LoopConfig
from dreamactor.training.mirror import mirror_expression


@pytest.mark.parametrize("name", EXPRESSION)
def test_a_mirrored_expression_is_what_the_mirror_shows(name: str) -> None:
    """Every coefficient that points to one side must be known as such."""
    face = replace(sample_actor(3).face, eye_slant=0.0)
    expression = torch.zeros(1, NUM_EXPRESSION)
    expression[0, COEFFICIENT[name]] = 0.7
    shown = face_points(face, face_curves(face, expression))
    other = face_points(face, face_curves(face, mirror_expression(expression, torch.tensor([True]))))
    flipped = shown[:, MIRRORED_FACE_POINTS] * torch.tensor([-1.0, 1.0])
    assert_close(other, flipped, atol=1e-5, rtol=0)


def test_points_stay_on_what_they_mark() -> None:
    generator = torch.Generator().manual_seed(3)
    points = (torch.rand(12, 1, 2, generator=generator) * 1.2 - 0.6).repeat(1, NUM_FACE_POINTS, 1)
    pictures = torch.zeros(12, 3, PICTURE_PX, PICTURE_PX, dtype=torch.uint8)
    places = ((points[:, 0] * 0.75 + 1) / 2 * PICTURE_PX).long()
    for picture, (x, y) in zip(pictures, places, strict=True):
        picture[:, y - 1 : y + 2, x - 1 : x + 2] = 255
    crops, moved = move_pictures(pictures, points, torch.arange(12) % 2 == 0, generator=generator)
    share = crops[:, 0] / crops[:, 0].sum(dim=(1, 2), keepdim=True)
    line = (torch.arange(LOOK_PX) + 0.5) / LOOK_PX * 2 - 1
    found = torch.stack([(share.sum(1) * line).sum(1), (share.sum(2) * line).sum(1)], dim=1)
    assert_close(found, moved[:, 0], atol=0.02, rtol=0)


def test_the_middle_of_a_picture_is_the_face_box() -> None:
    picture = torch.zeros(1, 3, PICTURE_PX, PICTURE_PX, dtype=torch.uint8)
    edge = PICTURE_PX // 8  # the surplus on every side
    picture[..., edge:-edge, edge:-edge] = 255
    assert float(middle_of(picture).min()) == 1.0


def test_perfect_tokens_have_no_loss_and_a_trace_of_the_pose_has_one() -> None:
    generator = torch.Generator().manual_seed(0)
    expression = torch.rand(32, 5, generator=generator).repeat(2, 1)
    points, turn = torch.randn(64, NUM_FACE_POINTS, 2, generator=generator), torch.randn(64, 3, generator=generator)
    perfect = face_losses(FaceLook(tokens=expression, points=points, turn=turn), points, turn, expression, torch.ones(5))
    assert all(float(value) < 1e-6 for value in perfect.values())
    leaking = torch.cat([expression[:, :4], expression[:, 4:] + turn[:, :1]], dim=1)
    lost = face_losses(FaceLook(tokens=leaking, points=points, turn=turn), points, turn, expression, torch.ones(5))
    assert float(lost["apart"]) > 0.02
    assert float(lost["agree"]) > 0.1


def test_training_goes_on_where_it_stopped(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    book = FaceBook(
        pictures=torch.randint(0, 256, (2, 4, 3, PICTURE_PX, PICTURE_PX), dtype=torch.uint8, generator=generator),
        points=torch.randn(2, 4, NUM_FACE_POINTS, 2, generator=generator) * 0.4,
        turn=torch.randn(2, 4, 3, generator=generator) * 0.3,
        expression=torch.rand(4, NUM_EXPRESSION, generator=generator),
    )

    def trained(run: Path, *, stop: float | None) -> ImplicitFaceEncoder:
        torch.manual_seed(1)
        encoder = ImplicitFaceEncoder(code_dim=NUM_EXPRESSION + 2, coefficients=EXPRESSION)
        config = LoopConfig(num_steps=2, learning_rate=1e-3, warmup=1, max_seconds=stop)
        train_implicit_encoder(encoder, book, run, config, batch_size=4, seed=0)
        return encoder

    whole = trained(tmp_path / "whole", stop=None)
    trained(tmp_path / "parts", stop=0.0)
    again = trained(tmp_path / "parts", stop=None)
    for name, value in whole.state_dict().items():
        assert_close(again.state_dict()[name], value, atol=1e-6, rtol=1e-5)
    encoder = ImplicitFaceEncoder(code_dim=NUM_EXPRESSION - 1)
    with pytest.raises(ValueError, match="coefficients"):
        train_implicit_encoder(encoder, book, tmp_path, LoopConfig(num_steps=1, learning_rate=1e-3), batch_size=4, seed=0)


def _perceived(count: int, generator: torch.Generator) -> PerceivedFaces:
    """An estimator that marks everything 0.05 lower, halves what moves along x, and errs a little."""
    exact = torch.randn(count, NUM_FACE_POINTS, 3, generator=generator) * 0.1
    seen = exact * torch.tensor([0.5, 1.0, 1.0]) + torch.tensor([0.0, 0.05, 0.0])
    noise = 0.002 * torch.randn(seen.shape, generator=generator)
    return PerceivedFaces(
        points=seen + noise, exact=exact, expression=torch.rand(count, NUM_EXPRESSION, generator=generator)
    )


def test_what_an_estimator_does_to_points_is_learnt() -> None:
    generator = torch.Generator().manual_seed(0)
    learnt = fit_perceived_map([_perceived(600, generator)])
    fresh = _perceived(200, generator)
    drawn = learnt.draw(fresh.exact, generator=generator)
    assert float((drawn - fresh.points).square().mean()) < 0.05 * float((fresh.exact - fresh.points).square().mean())


def test_unknown_numbers_of_a_token_are_not_learnt_from(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    moments, pictured = 12, 4
    views = FaceViews(
        pictures=torch.zeros(pictured, 3, 8, 8, dtype=torch.uint8),
        points=torch.randn(moments, NUM_FACE_POINTS, 3, generator=generator),
        angles_rad=torch.zeros(moments, 3),
        radius=torch.ones(moments),
        expression=torch.rand(moments, NUM_EXPRESSION, generator=generator),
        tracked=torch.ones(moments, dtype=torch.bool),
    )
    points, tokens = landmark_pairs([views], [torch.zeros(pictured, 3)], [_perceived(5, generator)], generator=generator)
    assert points.shape == (2 * moments + 10, NUM_FACE_POINTS, 3)
    assert tokens.shape == (len(points), NUM_EXPRESSION + 3)
    assert int((~tokens[:, NUM_EXPRESSION:].isnan()).all(dim=1).sum()) == 2 * pictured
    torch.manual_seed(0)
    encoder = LandmarkFaceEncoder(code_dim=NUM_EXPRESSION + 3, width=8, coefficients=EXPRESSION)
    config = LoopConfig(num_steps=2, learning_rate=1e-3)
    latest = train_landmark_encoder(encoder, points, tokens, tmp_path, config, batch_size=8, seed=0)
    assert torch.isfinite(torch.tensor(latest["explained"]))
