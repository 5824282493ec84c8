"""Laws of the DiT: caches change nothing, and a frame's motion touches only the latent frame it belongs to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from dit_cases import FRAMES, MODES, TIMES, awake, driving, noisy, references

from dreamactor.models.caches import DriveCache
from dreamactor.models.dit import DiT


def _changed_latents(a: DriveCache, b: DriveCache, what: str) -> list[int]:
    """Latent frames whose drive features or face keys and values differ."""
    if what == "pose":
        assert a.features is not None
        assert b.features is not None
        differs = (a.features != b.features).flatten(2).any(dim=2).any(dim=0)
    else:
        differs = torch.zeros(FRAMES, dtype=torch.bool)
        for one, two in zip(a.face_kv, b.face_kv, strict=True):
            assert one is not None
            assert two is not None
            for x, y in ((one.key, two.key), (one.value, two.value)):
                differs |= (x != y).flatten(1).any(dim=1).view(-1, FRAMES).any(dim=0)
    return differs.nonzero().flatten().tolist()


@pytest.mark.parametrize("mode", MODES)
def test_a_cache_used_again_and_one_prepared_anew_give_the_same(mode: str) -> None:
    dit = awake(reference_mode=mode)
    refs, drive = dit.prepare_references(references()), dit.prepare_drive(driving())
    for seed, times in ((7, TIMES), (8, TIMES * 0.5)):  # two steps of sampling
        anew = dit(noisy(seed), times, dit.prepare_references(references()), dit.prepare_drive(driving()))
        torch.testing.assert_close(dit(noisy(seed), times, refs, drive), anew, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("first_frames", [1, 4])
@pytest.mark.parametrize("what", ["pose", "face"])
def test_a_changed_frame_touches_only_its_own_latent_frame(what: str, first_frames: int) -> None:
    dit = awake()
    before = driving(first_frames)
    for frame in range(first_frames + 4 * (FRAMES - 1)):
        assert before.pose_maps is not None
        assert before.face is not None
        maps, face = before.pose_maps.clone(), before.face.clone()
        maps[:, :, frame] *= -1
        face[:, frame] += 1
        after = replace(before, pose_maps=maps) if what == "pose" else replace(before, face=face)
        own = 0 if frame < first_frames else 1 + (frame - first_frames) // 4
        assert _changed_latents(dit.prepare_drive(before), dit.prepare_drive(after), what) == [own]


def test_a_network_loads_back_as_it_was_saved(tmp_path: Path) -> None:
    dit = awake()
    dit.save_pretrained(tmp_path)
    back = DiT.from_pretrained(tmp_path).requires_grad_(False).eval()
    assert dict(back.config)["reference_mode"] == "one_way"
    was, loaded = dit.state_dict(), back.state_dict()
    assert was.keys() == loaded.keys()
    assert all(torch.equal(was[name], loaded[name]) for name in was)
    # Loaded weights lie elsewhere in memory, so kernels may sum in another order: equal up to rounding.
    refs, drive = references(), driving()
    one, two = (net(noisy(), TIMES, net.prepare_references(refs), net.prepare_drive(drive)) for net in (dit, back))
    torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)
