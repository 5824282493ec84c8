"""What happens to the DiT's answer when a condition is left out, and what one-way references mean."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from dit_cases import FRAMES, MODES, REFS, SIDE, TIMES, awake, driving, noisy, references
from torch import Tensor

from dreamactor.models.caches import DriveCache
from dreamactor.models.dit import MIN_TIME, DiT
from dreamactor.models.inputs import DriveInput


def _answer(dit: DiT, drive: DriveCache, count: int = REFS, present: Tensor | None = None) -> Tensor:
    return dit(noisy(), TIMES, dit.prepare_references(references(count, present)), drive)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "dropped",
    [{"face": None, "face_tracked": None}, {"proxy_latent": None, "proxy_seen": None}, {"pose_maps": None}],
    ids=["face", "proxy", "pose"],
)
def test_a_dropped_motion_condition_changes_the_answer_and_breaks_nothing(mode: str, dropped: dict[str, Any]) -> None:
    dit = awake(reference_mode=mode)
    whole, less = (_answer(dit, dit.prepare_drive(d)) for d in (driving(), driving(**dropped)))
    assert less.shape == whole.shape
    assert bool(less.isfinite().all())
    assert not torch.allclose(less, whole, atol=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_references_and_all_motion_may_be_dropped(mode: str) -> None:
    dit = awake(reference_mode=mode)
    whole = _answer(dit, dit.prepare_drive(driving()))
    alone = dit(noisy(), TIMES, None, dit.prepare_drive(driving()))
    everything = {"face": None, "face_tracked": None, "proxy_latent": None, "proxy_seen": None, "pose_maps": None}
    bare = dit(noisy(), TIMES, None, dit.prepare_drive(driving(**everything)))
    assert bool(alone.isfinite().all())
    assert bool(bare.isfinite().all())
    assert not torch.allclose(alone, whole, atol=1e-3)
    assert not torch.allclose(bare, alone, atol=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_an_absent_reference_is_one_that_was_never_given(mode: str) -> None:
    dit = awake(reference_mode=mode)
    drive = dit.prepare_drive(driving())
    one = _answer(dit, drive, count=1)
    masked = _answer(dit, drive, count=3, present=torch.tensor([[True, False, False]] * 2))
    torch.testing.assert_close(masked, one, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(_answer(dit, drive, count=3), one, atol=1e-3)


@pytest.mark.parametrize("mode", MODES)
def test_a_sample_without_any_present_reference_is_one_without_references(mode: str) -> None:
    dit = awake(reference_mode=mode)
    drive = dit.prepare_drive(driving())
    mixed = _answer(dit, drive, present=torch.tensor([[False, False], [True, True]]))
    torch.testing.assert_close(mixed[0], dit(noisy(), TIMES, None, drive)[0], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(mixed[1], _answer(dit, drive)[1], atol=1e-5, rtol=1e-5)


def test_untracked_faces_are_no_faces() -> None:
    dit = awake()
    drive = driving()
    assert drive.face_tracked is not None
    unseen = dit.prepare_drive(driving(face_tracked=torch.zeros_like(drive.face_tracked)))
    dropped = dit.prepare_drive(driving(face=None, face_tracked=None))
    torch.testing.assert_close(_answer(dit, unseen), _answer(dit, dropped), atol=1e-5, rtol=1e-5)


def test_a_dropped_pose_is_a_pose_latent_of_zeros_beside_the_proxy() -> None:
    dit = awake()
    dropped = dit.prepare_drive(driving(pose_maps=None))
    hook = dit.pose_encoder.register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
    zeroed = dit.prepare_drive(driving())
    hook.remove()
    assert dropped.features is not None
    assert zeroed.features is not None
    torch.testing.assert_close(dropped.features, zeroed.features)


def test_a_one_way_cache_holds_what_references_alone_lead_to() -> None:
    """The one-way answer is that of a symmetric network whose references may only look at references."""
    one_way, symmetric = awake(), awake(reference_mode="symmetric")
    symmetric.load_state_dict(one_way.state_dict())
    cache, tokens = one_way.prepare_references(references()), symmetric.prepare_references(references())
    assert torch.equal(cache.tokens, tokens.tokens)
    drive = one_way.prepare_drive(driving())
    answers = [net(noisy(), TIMES, refs, drive) for net, refs in ((one_way, cache), (symmetric, tokens))]
    assert not torch.allclose(*answers, atol=1e-3)  # noise does flow into references where nothing forbids it
    with _references_see_references_only(symmetric, num_noise=FRAMES * SIDE**2):
        masked = symmetric(noisy(), TIMES, tokens, drive)
    torch.testing.assert_close(answers[0], masked, atol=1e-5, rtol=1e-5)


class _references_see_references_only:
    """Masks, in every block's self attention, noise keys from reference queries."""

    def __init__(self, dit: DiT, *, num_noise: int) -> None:
        self._handles: list[Any] = []
        self._dit, self._noise = dit, num_noise

    def __enter__(self) -> None:
        def narrow(module: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]] | None:
            queries, keys = inputs[0].shape[1], sum(context.key.shape[2] for context in inputs[1:])
            if queries == self._noise:
                return None
            may = torch.arange(keys) >= self._noise
            return inputs, {**named, "mask": may[None, None, None]}

        for block in self._dit.blocks:
            self._handles.append(block.self_attention.register_forward_pre_hook(narrow, with_kwargs=True))

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()


def test_a_held_first_latent_has_no_velocity() -> None:
    dit = awake()
    times = torch.tensor([[0.0, 0.5, 0.5], [0.0, 1.0, 1.0]])
    velocity = dit(noisy(), times, dit.prepare_references(references()), dit.prepare_drive(driving(first_frames=4)))
    assert not velocity[:, :, 0].any()
    assert bool(velocity[:, :, 1:].any())


@pytest.mark.parametrize("prediction", ["velocity", "clean_residual"])
def test_clean_and_velocity_are_one_prediction(prediction: str) -> None:
    dit = awake(prediction=prediction)
    refs, drive = dit.prepare_references(references()), dit.prepare_drive(driving())
    assert float(TIMES.min()) > MIN_TIME
    clean, velocity = (f(noisy(), TIMES, refs, drive) for f in (dit.predict_clean, dit))
    torch.testing.assert_close(noisy() - TIMES[:, None, :, None, None] * velocity, clean, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_conditions_dropped_in_one_clip_of_a_batch_are_as_if_never_given(mode: str) -> None:
    """Black maps, zero proxies and untracked faces beside a clip that keeps all: each clip's answer is its own."""
    dit = awake(reference_mode=mode)
    full, bare = driving(), torch.tensor([True, False])
    assert full.pose_maps is not None
    assert full.proxy_latent is not None
    assert full.proxy_seen is not None
    wide = bare[:, None, None, None, None]
    mixed = driving(
        pose_maps=torch.where(wide, -1.0, full.pose_maps), proxy_latent=full.proxy_latent * ~wide,
        proxy_seen=full.proxy_seen * ~wide, face_tracked=torch.ones(2, full.pose_maps.shape[2]).bool() & ~bare[:, None],
    )  # fmt: skip
    answer = _answer(dit, dit.prepare_drive(mixed), present=~bare[:, None].expand(2, 2))
    nothing = DriveInput(num_latents=full.num_latents, first_frames=full.first_frames)
    torch.testing.assert_close(answer[0], dit(noisy(), TIMES, None, dit.prepare_drive(nothing))[0], atol=1e-5, rtol=1e-5)
    whole = _answer(dit, dit.prepare_drive(driving(face_tracked=None)))
    torch.testing.assert_close(answer[1], whole[1], atol=1e-5, rtol=1e-5)


def test_a_first_frame_repeated_s_times_is_a_first_latent_of_one_frame() -> None:
    dit = awake()
    one = driving()
    repeats = torch.cat([torch.zeros(3, dtype=torch.int64), torch.arange(one.pose_maps.shape[2])])
    same = driving(
        first_frames=4, pose_maps=one.pose_maps[:, :, repeats], face=one.face[:, repeats],
        face_tracked=one.face_tracked[:, repeats],
    )  # fmt: skip
    torch.testing.assert_close(
        _answer(dit, dit.prepare_drive(same)), _answer(dit, dit.prepare_drive(one)), atol=1e-5, rtol=1e-5
    )
