"""Wan-Animate without its libraries: segments, memory arithmetic, folders that are not whole, models by name."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from dreamactor.errors import ConfigError, InputError
from dreamactor.geometry.layouts import COCO_WHOLEBODY_133
from dreamactor.inference.backend import find_backend
from dreamactor.inference.catalogue import CATALOGUE, expect_installed, find_lora, find_model, installed_at, link_model
from dreamactor.inference.request import AnimateRequest
from dreamactor.inference.wan.controls import whole_body
from dreamactor.inference.wan.folder import MODEL_PARTS, OTHER_PARTS, WeightFiles, check_pipeline_folder
from dreamactor.inference.wan.options import MODES, WanOptions
from dreamactor.inference.wan.segments import mirrored, plan_wan_segments
from factories import make_track

pytest.importorskip("psutil")
from dreamactor.inference.wan.memory import Machine, Work, needs_of, out_of_memory, plan_memory

SHAPE = {
    "num_attention_heads": 40,
    "attention_head_dim": 128,
    "num_layers": 40,
    "ffn_dim": 13_824,
    "motion_encoder_size": 512,
}
REAL = {
    name: WeightFiles(files=(), parameters=count, bytes=2 * count, config=SHAPE if name == "transformer" else {})
    for name, count in {
        "transformer": 17_274_816_884, "vae": 126_892_531, "text_encoder": 5_680_910_336, "image_encoder": 630_766_080,
    }.items()
}  # fmt: skip
"""Wan2.2-Animate-14B, counted on the classes of diffusers and transformers."""
HD = Work(width=1280, height=720, segment_frames=77, segments=2, steps=20)


def _gpu(gigabytes: float, *, main: float = 64.0) -> Machine:
    return Machine(
        device=torch.device("cuda"), name="a GPU", device_bytes=gigabytes * 1e9, main_bytes=main * 1e9, flops=4e14,
        copy_bytes=2e10,
    )  # fmt: skip


@pytest.mark.parametrize("num_frames", [2, 3, 76, 77, 78, 152, 153, 154, 300])
def test_segments_show_every_frame_once_and_start_at_the_one_before(num_frames: int) -> None:
    segments = plan_wan_segments(num_frames, 77)
    assert [frame for segment in segments for frame in range(segment.first, segment.stop)] == list(range(num_frames))
    assert all(len(segment.index) == 77 for segment in segments)
    assert all(later.index[0] == earlier.index[-1] == later.first - 1 for earlier, later in pairwise(segments))
    shown = [segment.index[segment.first - 76 * n : segment.stop - 76 * n] for n, segment in enumerate(segments)]
    assert [frame for part in shown for frame in part] == list(range(num_frames))


def test_past_the_end_frames_run_backwards_and_forwards() -> None:
    assert [mirrored(frame, 5) for frame in range(11)] == [0, 1, 2, 3, 4, 3, 2, 1, 0, 1, 2]
    assert [mirrored(frame, 2) for frame in range(4)] == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("gigabytes", "mode"), [(141, "full"), (80, "full"), (48, "fp8"), (32, "fp8"), (24, "group"), (18, "group")]
)
def test_the_fastest_mode_that_fits_is_picked_and_said_in_one_line(gigabytes: float, mode: str) -> None:
    plan, line = plan_memory("auto", REAL, _gpu(gigabytes), HD)
    assert plan.mode == mode
    assert line.startswith(f"Memory: {mode} (picked")
    assert "\n" not in line
    assert plan.needs.device_bytes < gigabytes * 1e9
    assert plan.tiles == (gigabytes < 40)


def test_needs_are_those_of_the_documentation() -> None:
    table = (Path(__file__).parents[2] / "docs" / "backends.md").read_text()
    for mode in MODES:
        needs = needs_of(mode, REAL, _gpu(1.0), HD, gguf_bytes=11_500_000_000)
        assert f"| `{mode}` |" in table
        row = next(line for line in table.splitlines() if line.startswith(f"| `{mode}` |"))
        assert f" {needs.device_bytes / 1e9:.1f} GB " in row
        assert f" {needs.main_bytes / 1e9:.1f} GB " in row


def test_less_memory_for_smaller_pictures_and_more_time_for_larger_ones() -> None:
    small = Work(width=832, height=480, segment_frames=77, segments=2, steps=20)
    for mode in MODES:
        less, more = (needs_of(mode, REAL, _gpu(24), work, gguf_bytes=11_500_000_000) for work in (small, HD))
        assert less.device_bytes < more.device_bytes
        assert less.seconds <= more.seconds


def test_what_does_not_fit_is_said_with_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"No memory mode fits: group.*Use a smaller --size"):
        plan_memory("auto", REAL, _gpu(8), HD)
    with pytest.raises(ConfigError, match="GB of main memory"):
        plan_memory("auto", REAL, _gpu(24, main=16), HD)
    with pytest.raises(ConfigError, match="models pull wan-animate-14b-gguf"):
        plan_memory("gguf", REAL, _gpu(24), HD)
    assert "may not fit" in plan_memory("full", REAL, _gpu(24), HD)[1]
    processor = Machine(
        device=torch.device("cpu"), name="this processor", device_bytes=2e11, main_bytes=2e11, flops=5e10, copy_bytes=1e99
    )
    with pytest.raises(ConfigError, match="there is none here"):
        plan_memory("group", REAL, processor, HD)
    plan, line = plan_memory("auto", REAL, processor, HD)
    assert plan.mode == "full"
    assert line.rstrip(".").endswith(" h")
    assert "Use a smaller --size" in out_of_memory(plan, HD)


def _folder(place: Path) -> Path:
    """What a whole pipeline looks like from outside."""
    place.mkdir()
    (place / "model_index.json").write_text(json.dumps({"_class_name": "WanAnimatePipeline"}))
    for part in OTHER_PARTS:
        (place / part).mkdir()
        (place / part / "config.json").write_text("{}")
    for part in MODEL_PARTS:
        (place / part).mkdir()
        (place / part / "config.json").write_text(json.dumps(SHAPE))
        save_file({"a": torch.zeros(40, 3), "b": torch.zeros(2)}, place / part / "model.safetensors")
    return place


def test_a_whole_folder_is_counted(tmp_path: Path) -> None:
    parts = check_pipeline_folder(_folder(tmp_path / "wan"))
    assert {name: part.parameters for name, part in parts.items()} == dict.fromkeys(MODEL_PARTS, 122)


def _half(folder: Path) -> None:
    file = folder / "transformer" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def _stub(folder: Path) -> None:
    (folder / "vae" / "model.safetensors").write_bytes(b"\x00\x01")


def _shard(folder: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "transformer" / "model.safetensors").rename(folder / "transformer" / "model-00001-of-00002.safetensors")
    (folder / "transformer" / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (_half, "only half there"),
        (_stub, "not a whole safetensors file"),
        (_shard, "lacks 1 of 2 weight files, such as model-00002"),
        (lambda folder: (folder / "text_encoder" / "model.safetensors").unlink(), "has no weights"),
        (lambda folder: (folder / "vae" / "config.json").unlink(), "has no config.json"),
        (lambda folder: (folder / "vae" / "config.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "scheduler" / "config.json").unlink(), "has no scheduler"),
        (
            lambda folder: (folder / "model_index.json").write_text('{"_class_name": "WanPipeline"}'),
            "not a WanAnimatePipeline",
        ),
        (lambda folder: (folder / "model_index.json").unlink(), "not a model folder"),
    ],
)
def test_a_folder_that_is_not_whole_is_named_in_one_line(tmp_path: Path, harm: object, says: str) -> None:
    folder = _folder(tmp_path / "wan")
    harm(folder)  # type: ignore[operator]
    with pytest.raises(InputError, match=says) as caught:
        check_pipeline_folder(folder)
    assert "\n" not in str(caught.value)


def test_models_are_found_where_they_were_pulled_or_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREAMACTOR_MODELS", str(tmp_path / "models"))
    assert len({model.name for model in CATALOGUE}) == len(CATALOGUE)
    assert installed_at(find_model("actor")) is not None
    with pytest.raises(InputError, match=r"not installed \(about 48 GB, Apache-2.0\).*--from FOLDER"):
        expect_installed("wan-animate-14b")
    with pytest.raises(ConfigError, match="Did you mean 'wan-animate-14b'"):
        find_model("wan-animate")
    with pytest.raises(InputError, match="does not hold wan-animate-14b"):
        link_model(find_model("wan-animate-14b"), tmp_path)
    folder = _folder(tmp_path / "elsewhere")
    for _ in range(2):  # linking again is the same
        link_model(find_model("wan-animate-14b"), folder)
    assert expect_installed("wan-animate-14b").resolve() == folder.resolve()
    with pytest.raises(ConfigError, match="neither a file nor known"):
        find_lora("fast")


def test_options_of_another_model_are_refused() -> None:
    request = AnimateRequest(references=(Path("a.png"),), driving=Path("b.mp4"))
    for name, options in {
        "--replace": WanOptions(replaces=True), "--memory": WanOptions(memory="group"), "--prompt": WanOptions(prompt="x"),
    }.items():  # fmt: skip
        with pytest.raises(ConfigError, match=f"{name} belongs to Wan-Animate"):
            find_backend("actor", options, request)
    with pytest.raises(ConfigError, match="Unknown --memory"):
        WanOptions(memory="half")
    with pytest.raises(ConfigError, match="Did you mean 'wan-animate-14b'"):
        find_backend("wan-animate-14", WanOptions(), request)


def test_our_threshold_becomes_theirs_and_nothing_flickers() -> None:
    track = make_track(num_frames=30, hands=False)
    elbow, nose = COCO_WHOLEBODY_133.index("left_elbow"), COCO_WHOLEBODY_133.index("nose")
    track.body.confidence[:] = 0.31
    track.body.confidence[10:12] = 0.1
    _, confidence = whole_body(track)
    assert bool((confidence[:, elbow] >= 0.5).all())
    track.body.confidence[10:] = 0.1
    shoulder, confidence = COCO_WHOLEBODY_133.index("left_shoulder"), whole_body(track)[1]
    assert bool((confidence[:, shoulder] >= 0.5).all())
    assert not bool((confidence[24:, elbow] >= 0.5).any())
    track.body.confidence[:] = 0.29
    assert not bool((whole_body(track)[1][:, elbow] >= 0.5).any())
    track.body.confidence[:] = 1.0
    track.head.angles_rad[:, 0] = 3.0
    assert not bool((whole_body(track)[1][:, nose] > 0).any())
