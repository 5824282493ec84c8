"""Clips of shards become training windows: every reference, the same guidance for the same place in the run, resumable."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from dreamactor.data.clips import ClipRecord, ClipReference
from dreamactor.data.samples import draw_sample
from dreamactor.inference.face_encoders import FaceEncoders
from dreamactor.recipes.tiny import tiny_bundle
from dreamactor.training import shard_clips
from dreamactor.training.guided import as_perceived
from dreamactor.training.shard_clips import ShardClips


class Rounds:
    """Names of clips by twos, over and over."""

    def __init__(self) -> None:
        self.place = 0

    def next_batch(self) -> list[str]:
        self.place += 2
        return [f"clip {self.place - 2}", f"clip {self.place - 1}"]

    def state_dict(self) -> dict[str, int]:
        return {"place": self.place}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.place = state["place"]


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch):
    sample = draw_sample(1, size=64, num_frames=9)
    record = ClipRecord(
        key="a", source="1", kind="actor", category="half", framing="portrait", frames=sample.frames, mask=sample.mask,
        track=sample.track, exact=True, expression=sample.expression, seed=1,
        references=tuple(
            ClipReference(view="standing", picture=picture, frame=-1, inside=False) for picture in sample.references
        ),
    )  # fmt: skip
    monkeypatch.setattr(shard_clips, "load_clip", lambda entry: record)
    bundle = tiny_bundle()

    def make() -> ShardClips:
        sampler: Any = Rounds()
        return ShardClips(sampler, vae=bundle.vae, faces=FaceEncoders(landmarks=bundle.face, rgb=None), seed=0)

    return make


def test_a_clip_shows_all_its_references_and_resumes_with_the_same_guidance(source) -> None:
    first = source()
    first.draw(2)
    state = first.state_dict()
    later = first.draw(2)
    again = source()
    again.load_state_dict(state)
    assert again.draw(2) == later
    window = again.load(later[1])
    assert window.sample.references.shape[0] == window.sample.reference_maps.shape[0] == 2
    assert window.start + window.num_latents == window.sample.clean.shape[1] == 3
    same, other = again.load(later[1]).sample, again.load(later[0]).sample
    assert torch.equal(same.maps, window.sample.maps)
    assert_close(same.references, window.sample.references)
    assert not torch.equal(other.expression, same.expression)


def test_batches_continue_together_and_have_the_stages_size(source) -> None:
    clips = source()
    batches = [clips.draw(2) for _ in range(80)]
    assert all(len({ticket.continues for ticket in batch}) == 1 for batch in batches)
    assert 0.1 < sum(batch[0].continues for batch in batches) / len(batches) < 0.5
    with pytest.raises(ValueError, match="batches of 2 clips"):
        clips.draw(4)


def test_a_perceived_clip_keeps_its_own_errors_and_gets_no_more() -> None:
    drawn = draw_sample(5, size=64, num_frames=2)
    perceived = replace(drawn, exact=False)
    changed = set()
    for seed in range(8):
        reference, track = as_perceived(perceived, generator=torch.Generator().manual_seed(seed))
        assert any(reference.person is one.person for one in perceived.references)
        assert track is perceived.track
        reference, track = as_perceived(drawn, generator=torch.Generator().manual_seed(seed))
        changed.add(not any(reference.person is one.person for one in drawn.references))
    assert changed == {True, False}  # an exact one mostly gets some
