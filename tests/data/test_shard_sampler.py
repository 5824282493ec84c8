"""The order of clips: balanced, of one bucket a batch, the same for any number of ranks, resumable at the exact clip."""

from __future__ import annotations

from collections import Counter

import pytest
from clip_entries import entry, index_of, mixed_index

from dreamactor.data.shards import ShardIndex, ShardSampler
from dreamactor.errors import ConfigError

INDEX = mixed_index()


def sampler(index: ShardIndex = INDEX, **options) -> ShardSampler:
    return ShardSampler(index, **({"batch_size": 4, "seed": 1, "heads_share": 0.1} | options))


def keys(drawn: ShardSampler, batches: int) -> list[list[str]]:
    return [[clip.key for clip in drawn.next_batch()] for _ in range(batches)]


@pytest.mark.parametrize("after", [0, 1, 7, 40])
def test_a_resumed_sampler_goes_on_with_the_same_clips(after: int) -> None:
    whole = keys(sampler(), 60)
    first = sampler()
    keys(first, after)
    resumed = sampler()
    resumed.load_state_dict(first.state_dict())
    assert keys(resumed, 60 - after) == whole[after:]


def test_the_state_is_a_few_plain_values() -> None:
    state = sampler().state_dict()
    assert all(isinstance(value, (int, str)) for value in state.values())
    assert len(state) <= 5


def test_a_batch_is_of_one_bucket_on_all_ranks() -> None:
    ranks = [sampler(rank=rank, world_size=3, batch_size=2) for rank in range(3)]
    for _ in range(40):
        assert len({clip.bucket for one in ranks for clip in one.next_batch()}) == 1


def test_ranks_share_out_what_one_process_would_draw() -> None:
    whole = keys(sampler(batch_size=6), 30)
    ranks = [keys(sampler(batch_size=2, rank=rank, world_size=3), 30) for rank in range(3)]
    for step in range(30):
        assert sorted(key for rank in ranks for key in rank[step]) == sorted(whole[step])


def test_full_and_half_bodies_are_even_over_any_stretch() -> None:
    drawn = sampler(heads_share=0.0)
    count: Counter[str] = Counter()
    for step in range(300):
        count.update(clip.category for clip in drawn.next_batch())
        if step > 20:
            assert abs(count["full"] - count["half"]) <= 12  # a few batches of a bucket that has one of them only
    assert count["full"] == pytest.approx(600, abs=8)


def test_in_one_bucket_they_differ_by_at_most_one() -> None:
    index = index_of(*(entry(f"h{n}") for n in range(9)), *(entry(f"f{n}", category="full") for n in range(2)))
    drawn = sampler(index, heads_share=0.0, batch_size=3)
    count: Counter[str] = Counter()
    for _ in range(50):
        count.update(clip.category for clip in drawn.next_batch())
        assert abs(count["full"] - count["half"]) <= 1


def test_heads_come_by_their_share_and_not_before_they_are_asked_for() -> None:
    with_heads, without = sampler(heads_share=0.2), sampler(heads_share=0.0)
    kinds = Counter(clip.kind for _ in range(250) for clip in with_heads.next_batch())
    assert kinds["heads"] == pytest.approx(200, abs=8)
    assert {clip.kind for _ in range(100) for clip in without.next_batch()} == {"video"}


def test_every_clip_of_a_stream_comes_once_before_any_comes_twice() -> None:
    index = index_of(*(entry(f"h{n}") for n in range(10)))
    drawn = sampler(index, full_share=0.0, heads_share=0.0, batch_size=5)
    first, second = ([key for batch in keys(drawn, 2) for key in batch] for _ in range(2))
    assert sorted(first) == sorted(second) == [f"h{n}" for n in range(10)]
    assert first != second


def test_another_seed_draws_another_order() -> None:
    assert keys(sampler(), 20) != keys(sampler(seed=2), 20)


def test_a_state_of_other_clips_or_settings_is_refused() -> None:
    state = sampler().state_dict()
    with pytest.raises(ConfigError, match="other clips"):
        sampler(index_of(*INDEX.clips[1:])).load_state_dict(state)
    with pytest.raises(ConfigError, match="other batches"):
        sampler(batch_size=8).load_state_dict(state)


def test_a_share_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="'full'"):
        sampler(index_of(entry("h")), heads_share=0.0)
    with pytest.raises(ConfigError, match="'heads'"):
        sampler(index_of(entry("h")), full_share=0.0)
