"""The pieces that ablations add: views by yaw, several references, a body mesh, and switches of inference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dreamactor.data.actors import sample_actor
from dreamactor.data.held_out import CaseSpec, HeldOutCase, draw_case, set_specs
from dreamactor.data.samples import ActorSample, draw_sample, save_sample
from dreamactor.guidance.bone_length import estimate_proportions
from dreamactor.guidance.retarget import RetargetOptions, retarget
from dreamactor.guidance.view_picks import pick_by_yaw
from dreamactor.inference.animator import Animator
from dreamactor.inference.request import AnimateRequest
from dreamactor.models.dit import DiT, DiTConfig
from dreamactor.models.inputs import DriveInput
from dreamactor.recipes.ablations.body_mesh import body_mesh, draw_body_mesh
from dreamactor.recipes.ablations.faces import Faces, face_crops
from dreamactor.recipes.ablations.measure import placed_beforehand
from dreamactor.recipes.ablations.variants import COMPARISONS, Variant
from dreamactor.recipes.tiny import tiny_bundle
from dreamactor.types.guidance import ReferenceSet
from factories import make_track


def _turns(degrees: list[float]) -> Tensor:
    return torch.deg2rad(torch.tensor(degrees))


def test_every_comparison_switches_one_thing() -> None:
    for comparison in COMPARISONS.values():
        a, b = comparison.a.variant, comparison.b.variant
        assert sum(getattr(a, name) != getattr(b, name) for name in Variant.__dataclass_fields__) == 1


def test_views_are_the_least_the_median_and_the_greatest_yaw() -> None:
    assert pick_by_yaw(_turns([0, 50, 10, -70, 20, 60])) == [3, 4, 5]


def test_a_whole_turn_more_changes_no_view() -> None:
    yaw = _turns([0, 50, 10, -70, 5])
    assert pick_by_yaw(yaw) == pick_by_yaw(yaw + 2 * torch.pi)


def test_views_across_the_back_do_not_show_the_same_side_twice() -> None:
    picks = pick_by_yaw(_turns([175, -175, 0, 90, -90]))  # the extremes are ten degrees apart
    assert len({picks.index(p) for p in picks}) == 3
    assert not {0, 1} <= set(picks)


def test_who_never_turns_has_one_view() -> None:
    assert len(pick_by_yaw(_turns([12, 12.2, 12]))) == 1


def _awake(kind: type[DiT], config: DiTConfig) -> DiT:
    """A network whose zero layers say something; equal weights for every kind."""
    torch.manual_seed(3)
    network = kind(**{name: getattr(config, name) for name in DiTConfig.__dataclass_fields__})
    with torch.no_grad():
        for parameter in network.parameters():
            if not parameter.any():
                parameter.normal_(std=0.1)
    return network.eval()


@torch.no_grad()
def test_to_the_network_a_proxy_of_zeros_is_none() -> None:
    dit = _awake(DiT, tiny_bundle().dit_config)
    maps = torch.zeros(1, 6, 5, 64, 64)
    none = dit.prepare_drive(DriveInput(num_latents=2, first_frames=1, pose_maps=maps))
    zeros = dit.prepare_drive(
        DriveInput(
            num_latents=2, first_frames=1, pose_maps=maps, proxy_latent=torch.zeros(1, 4, 2, 4, 4),
            proxy_seen=torch.zeros(1, 1, 2, 4, 4),
        )
    )  # fmt: skip
    noisy, times = torch.randn(1, 4, 2, 4, 4, generator=torch.Generator().manual_seed(0)), torch.full((1, 2), 0.5)
    torch.testing.assert_close(dit(noisy, times, None, zeros), dit(noisy, times, None, none))


@pytest.fixture(scope="module")
def clip() -> ActorSample:
    return draw_sample(2, size=128, num_frames=3)


def _overlap(one: Tensor, other: Tensor) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_the_body_mesh_covers_the_person(clip: ActorSample) -> None:
    maps = draw_body_mesh(body_mesh(clip.seed), clip.track, width=128, height=128)
    drawn = maps.body_skeleton.any(dim=-1)
    assert _overlap(drawn, clip.mask > 127) > 0.7  # hair and clothes are not on it
    assert torch.equal(drawn, maps.head_sphere.any(dim=-1))


def test_the_body_mesh_faces_the_viewer_where_the_person_does() -> None:
    front, back = (make_track(num_frames=1, body_yaw_rad=yaw, head_angles_rad=(yaw, 0.0, 0.0)) for yaw in (0.0, torch.pi))
    mesh = body_mesh(5)
    chest = []
    for track in (front, back):
        maps = draw_body_mesh(mesh, track, width=track.width, height=track.height)
        x, y = ((track.body.joints[0, 0] + track.body.joints[0, 1]) / 2)[:2].round().int().tolist()
        assert int(maps.body_skeleton[0, y, x, 2]) > 200  # whatever is seen looks at the viewer
        chest.append(int(maps.head_sphere[0, y, x, 2]))
    assert chest[0] > 200
    assert chest[1] < 55


def test_a_stouter_body_is_drawn_stouter_in_the_same_pose(clip: ActorSample) -> None:
    by_girth = sorted(range(1, 40), key=lambda seed: sample_actor(seed).body.girth)
    slim, stout = (
        draw_body_mesh(body_mesh(seed), clip.track, width=128, height=128).body_skeleton.any(dim=-1).sum()
        for seed in (by_girth[0], by_girth[-1])
    )
    assert stout > 1.03 * slim


def _frames(animator: Animator, case: HeldOutCase, *, beforehand: bool | None) -> Tensor:
    references = ReferenceSet(images=(case.reference,), proportions=estimate_proportions([case.reference.person]))
    driving, nowhere = case.driving, Path("held-out")
    request = AnimateRequest(references=(nowhere,), driving=nowhere, steps=1, use_proxy=False)
    if beforehand is not None:
        driving, references = placed_beforehand(driving, references, adjust_bones=beforehand)
        request = replace(request, framing="driving")
    return next(iter(animator.animate_track(driving, references, request))).frames


@pytest.fixture(scope="module")
def far_apart() -> CaseSpec:
    return replace(set_specs("cross_identity", 4)[3], width=64, height=64, num_frames=5)


def test_a_motion_placed_beforehand_is_placed_as_the_road_places_it(far_apart: CaseSpec) -> None:
    case = draw_case(far_apart)
    references = ReferenceSet(images=(case.reference,), proportions=estimate_proportions([case.reference.person]))
    for adjust in (True, False):
        track, own = placed_beforehand(case.driving, references, adjust_bones=adjust)
        again = retarget(track, own, RetargetOptions(framing="driving"))
        for part in ("body", "hands", "face"):
            name = "landmarks" if part == "face" else "joints"
            torch.testing.assert_close(getattr(getattr(again, part), name), getattr(getattr(track, part), name))
        torch.testing.assert_close(again.head.center, track.head.center)
        torch.testing.assert_close(again.head.radius_px, track.head.radius_px)


def test_bones_left_alone_are_seen_in_the_picture(far_apart: CaseSpec) -> None:
    bundle = tiny_bundle(segment_frames=5)
    with torch.no_grad():
        for parameter in bundle.dit.parameters():
            if not parameter.any():
                parameter.normal_(std=0.1, generator=torch.Generator().manual_seed(1))
    animator, case = Animator(bundle), draw_case(far_apart)
    plain, adjusted, alone = (_frames(animator, case, beforehand=how) for how in (None, True, False))
    assert (plain.float() - adjusted.float()).abs().max() <= 1
    assert not torch.equal(plain, alone)


def test_equal_generators_vary_a_crop_alike(clip: ActorSample, tmp_path: Path) -> None:
    path = tmp_path / "sample_000002.safetensors"
    save_sample(path, clip)
    faces = Faces(
        points=torch.zeros(2, 1, 3), codes=torch.zeros(2, 1), boxes=clip.track.face.box[:2], frames=[(path, 0), (path, 1)]
    )
    one, again, other = (
        face_crops(faces, torch.tensor([0, 1]), generator=torch.Generator().manual_seed(seed)) for seed in (4, 4, 5)
    )
    assert one.shape == (2, 3, 224, 224)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
