"""Training clips: dropped clip by clip, handed-over latents in every branch, the same whoever shares the batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch
from clip_cases import LATENTS, random_clip, small_dit
from torch.testing import assert_close

from dreamactor.training.batch import Draw, TrainBatch, clip_generator, make_batch
from dreamactor.training.clips import MemoryClips, Window
from dreamactor.training.conditions import Ratio, Ratios, draw_kept, steady
from dreamactor.training.dit import clip_losses

ALL, NONE = steady(1.0), steady(0.0)
FULL = Ratios(references=ALL, skeleton=ALL, sphere=ALL, face=ALL, proxy=ALL, motion=ALL, anything=ALL)


def _batch(windows: list[Window], ratios: Ratios = FULL, *, first: int = 0, **how: object) -> TrainBatch:
    generators = [clip_generator(0, 7, first + index) for index in range(len(windows))]
    return make_batch(windows, generators, Draw(ratios=ratios, **how), temporal=4)  # type: ignore[arg-type]


def _windows(*starts: int) -> list[Window]:
    return [Window(sample=random_clip(i, references=1 + i), start=s, num_latents=2) for i, s in enumerate(starts)]


def _losses(batch: TrainBatch) -> torch.Tensor:
    return clip_losses(small_dit(), batch, torch.ones(4))[0].detach()


def test_conditions_are_dropped_clip_by_clip_at_their_own_ratios() -> None:
    ratios = Ratios(
        references=steady(0.9), skeleton=steady(0.7), sphere=steady(0.5), face=steady(0.3), proxy=steady(0.2), motion=ALL,
        anything=ALL,
    )  # fmt: skip
    kept = [draw_kept(ratios, 0.0, 4, generator=clip_generator(1, n)) for n in range(2000)]
    for name in ("skeleton", "sphere", "face", "proxy"):
        share = sum(getattr(one, name) for one in kept) / len(kept)
        assert abs(share - getattr(ratios, name).first) < 0.04
    both = sum(one.skeleton and one.sphere for one in kept) / len(kept)
    assert abs(both - 0.35) < 0.04  # independent of each other
    counts = torch.tensor([int(one.references.sum()) for one in kept]).bincount(minlength=5) / len(kept)
    assert_close(counts, torch.tensor([0.1, 0.225, 0.225, 0.225, 0.225]), atol=0.04, rtol=0)


def test_motion_and_everything_can_go_at_once() -> None:
    def shares(ratios: Ratios) -> list[float]:
        kept = [draw_kept(ratios, 0.0, 2, generator=clip_generator(2, n)) for n in range(500)]
        moved = [[k.skeleton, k.sphere, k.face, k.proxy] for k in kept]
        assert all(len(set(motion)) == 1 for motion in moved)
        return [sum(m[0] for m in moved) / 500, sum(bool(k.references.any()) for k in kept) / 500]

    still = shares(Ratios(references=ALL, skeleton=ALL, sphere=ALL, face=ALL, proxy=ALL, motion=steady(0.5), anything=ALL))
    assert abs(still[0] - 0.5) < 0.07
    assert still[1] == 1
    bare = shares(Ratios(references=ALL, skeleton=ALL, sphere=ALL, face=ALL, proxy=ALL, motion=ALL, anything=steady(0.5)))
    assert bare[0] == bare[1]
    assert abs(bare[0] - 0.5) < 0.07


def test_a_warm_up_rises_over_the_stage() -> None:
    rising = Ratio(first=0.1, last=0.5)
    assert [rising.at(p) for p in (0, 0.5, 1, 2)] == pytest.approx([0.1, 0.3, 0.5, 0.5])


def test_dropped_maps_are_black_and_dropped_tokens_absent() -> None:
    batch = _batch(
        _windows(0, 0),
        Ratios(**dict.fromkeys(("references", "skeleton", "face", "proxy"), NONE), sphere=ALL, motion=ALL, anything=ALL),
    )
    assert bool((batch.maps[:, :3] == -1).all())
    assert bool((batch.maps[:, 3:] > -1).any())
    assert not batch.face_tracked.any()
    assert not batch.present.any()
    assert not batch.proxy.any()
    assert not batch.seen.any()


def test_a_clips_loss_is_its_own_whoever_is_beside_it() -> None:
    """Of different numbers of references and different starts: batched together or alone, in one process or two."""
    windows = _windows(0, 1, 0)
    together = _losses(_batch(windows, Ratios()))
    alone = torch.cat([_losses(_batch([window], Ratios(), first=index)) for index, window in enumerate(windows)])
    assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_a_clip_that_continues_carries_the_controls_of_the_frames_its_latents_stand_for() -> None:
    window = _windows(1)[0]
    batch = _batch([window])
    assert batch.first_frames == 4
    assert_close(batch.maps[0], window.sample.maps[:, 1:9].float() / 127.5 - 1)
    assert_close(batch.face[0], window.sample.expression[1:9])
    assert_close(batch.clean[0], window.sample.clean[:, 1:3])
    assert_close(batch.proxy[0], window.sample.proxy[:, 1:3])


def test_a_handed_over_latent_stays_whatever_is_dropped_and_is_sometimes_worn() -> None:
    windows = [Window(sample=random_clip(0), start=1, num_latents=2)] * 60
    full, bare = _batch(windows), _batch(windows, Ratios(anything=NONE))
    for batch in (full, bare):
        assert not batch.times[:, 0].any()
        assert bool((batch.times[:, 1] > 0).all())
        assert not batch.weight[:, :, 0].any()
    assert_close(full.noisy, bare.noisy)
    off = (full.noisy - full.clean)[:, :, 0].flatten(1).std(dim=1)
    assert 0.1 < float((off == 0).float().mean()) < 0.5
    assert 0.05 < float(off.max()) < 0.2


def test_image_to_video_shows_the_first_frame_alone() -> None:
    batch = _batch(_windows(0, 1), first_frame_reference=True)
    for index, window in enumerate(_windows(0, 1)):
        assert_close(batch.references[index, 0], window.sample.clean[:, 0])
    assert batch.present.shape == (2, 1)
    assert bool((batch.reference_maps == -1).all())


def test_memory_clips_show_every_sample_once_a_round_and_resume_at_the_exact_clip() -> None:
    samples = [random_clip(seed) for seed in range(6)]
    source = MemoryClips(samples, seed=0)
    first = [source.draw(2) for _ in range(3)]
    assert {id(window.sample) for windows in first for window in windows} == {id(sample) for sample in samples}
    state = source.state_dict()
    later = [[(id(w.sample), w.start) for w in source.draw(4)] for _ in range(8)]
    again = MemoryClips(samples, seed=9)
    again.load_state_dict(state)
    assert [[(id(w.sample), w.start) for w in again.draw(4)] for _ in range(8)] == later
    windows = [window for _ in range(60) for window in source.draw(3)]
    assert all(w.start + w.num_latents <= LATENTS for w in windows)
    assert 0.15 < sum(w.start > 0 for w in windows) / len(windows) < 0.45


def test_batches_of_memory_clips_are_of_one_length_and_every_sample_has_its_turn() -> None:
    samples = [random_clip(seed) for seed in range(9)]
    short = [replace(one, clean=one.clean[:, :2]) for one in samples[6:]]
    source = MemoryClips(samples[:6] + short, seed=0, continue_rate=0.0)
    batches = [source.draw(3) for _ in range(12)]
    assert all(len({window.num_latents for window in windows}) == 1 for windows in batches)
    counts = Counter(id(window.sample) for windows in batches for window in windows)
    assert len(counts) == 9
    assert max(counts.values()) - min(counts.values()) <= 1
