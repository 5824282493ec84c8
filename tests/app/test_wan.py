"""Wan-Animate behind `dreamactor animate`: a pipeline of random weights, the real class, both modes, exact frame counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from huggingface_hub import errors
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

pytest.importorskip("transformers")
pytest.importorskip("ftfy")
pytest.importorskip("accelerate")

from dreamactor.app.main import run
from dreamactor.inference import download
from dreamactor.inference.request import AnimateRequest
from dreamactor.inference.wan import backend, controls
from dreamactor.inference.wan.controls import ControlFrames
from dreamactor.inference.wan.memory import MemoryPlan, Needs
from dreamactor.inference.wan.references import read_wan_references
from dreamactor.inference.wan.segments import plan_wan_segments
from dreamactor.types.guidance import ReferenceSet
from dreamactor.video.audio import read_audio
from dreamactor.video.image import write_image
from dreamactor.video.reader import read_clip
from tiny_wan import write_gguf, write_tiny_wan
from wan_drivers import write_driver

SHORT = 9
"""Frames of a segment where the real 77 would only cost time."""


class HalfMasker:
    """Stands in for the network: the left half of every picture is the person."""

    def masks(self, frames: Tensor) -> Tensor:
        masks = torch.zeros(frames.shape[:3], dtype=torch.uint8)
        masks[:, :, : frames.shape[2] // 2] = 255
        return masks

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def wan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_wan(tmp_path_factory.mktemp("wan") / "model")


@pytest.fixture
def photo(tmp_path: Path) -> list[str]:
    """A picture and where the person in it is."""
    write_image(tmp_path / "photo.png", torch.randint(0, 256, (96, 64, 3), dtype=torch.uint8))
    place = {"head_box": [26, 10, 38, 24], "joints": {"neck": [32, 28], "pelvis": [32, 50]}}
    (tmp_path / "photo.json").write_text(json.dumps(place))
    return [str(tmp_path / "photo.png"), "--reference-json", str(tmp_path / "photo.json"), "--size", "64"]


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "SEGMENT_FRAMES", SHORT)


def _animate(wan: Path, photo: list[str], driver: Path, output: Path, *more: str) -> int:
    return run(["animate", *photo, "--driving", str(driver), "-o", str(output), "--model", str(wan), "--steps", "1", *more])


def _expect_same_frames_and_sound(driver: Path, output: Path, num_frames: int) -> None:
    made, given = read_clip(output), read_clip(driver)
    assert made.num_frames == given.num_frames == num_frames
    torch.testing.assert_close(made.times.seconds, given.times.seconds)
    kept, sound = read_audio(output), read_audio(driver)
    assert kept is not None
    assert sound is not None
    assert kept.samples.shape[1] / kept.rate_hz == pytest.approx(sound.samples.shape[1] / sound.rate_hz, abs=0.1)


@pytest.mark.parametrize(("num_frames", "mode"), [(2, ()), (SHORT + 1, ()), (2 * SHORT, ("--replace",))])
def test_frames_times_and_sound_are_the_drivers(
    wan: Path, photo: list[str], tmp_path: Path, short_segments: None, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], num_frames: int, mode: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.setattr(controls, "PersonMasker", HalfMasker)
    driver = write_driver(tmp_path / "driver.mp4", num_frames)
    assert _animate(wan, photo, driver, tmp_path / "out.mp4", *mode) == 0
    _expect_same_frames_and_sound(driver, tmp_path / "out.mp4", num_frames)
    said = capsys.readouterr().err.splitlines()
    assert len([line for line in said if line.startswith("Memory: full")]) == 1
    assert len([line for line in said if line.startswith("Face: driver.mp4")]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("mode", [(), ("--replace",)])
@pytest.mark.parametrize("num_frames", [2, 76, 77, 78, 300])
def test_real_segments_give_exact_frames(
    wan: Path, photo: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_frames: int, mode: tuple[str, ...]
) -> None:
    monkeypatch.setattr(controls, "PersonMasker", HalfMasker)
    driver = write_driver(tmp_path / "driver.mp4", num_frames)
    assert _animate(wan, photo, driver, tmp_path / "out.mp4", *mode) == 0
    _expect_same_frames_and_sound(driver, tmp_path / "out.mp4", num_frames)


def test_one_frame_is_refused(wan: Path, photo: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    driver = write_driver(tmp_path / "driver.mp4", 1)
    assert _animate(wan, photo, driver, tmp_path / "out.mp4") == 2
    assert "has 1 frame, and Wan-Animate needs at least 2" in capsys.readouterr().err
    assert not (tmp_path / "out.mp4").exists()


def _expect_one_line(capsys: pytest.CaptureFixture[str], says: str) -> None:
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("dreamactor: ")
    assert says in last


def test_out_of_memory_and_a_wrong_lora_are_one_line_and_leave_nothing(
    wan: Path, photo: list[str], tmp_path: Path, short_segments: None, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from dreamactor.inference.wan.pipeline import SegmentPipeline

    driver = write_driver(tmp_path / "driver.mp4", 2)
    save_file({"nothing.known": torch.zeros(2, 2)}, tmp_path / "odd.safetensors")
    assert _animate(wan, photo, driver, tmp_path / "out.mp4", "--lora", str(tmp_path / "odd.safetensors")) == 2
    _expect_one_line(capsys, "not low-rank weights of Wan-Animate")

    def runs_out(*args: object, **kwargs: object) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(SegmentPipeline, "draw", runs_out)
    assert _animate(wan, photo, driver, tmp_path / "out.mp4") == 2
    _expect_one_line(capsys, "Out of memory in mode full")
    assert not (tmp_path / "out.mp4").exists()


def test_a_run_that_broke_off_goes_on_with_the_same_frames(
    wan: Path, photo: list[str], tmp_path: Path, short_segments: None, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from dreamactor.inference.wan.pipeline import SegmentPipeline

    driver, draw, drawn = write_driver(tmp_path / "driver.mp4", 12), SegmentPipeline.draw, []
    assert _animate(wan, photo, driver, tmp_path / "whole.mp4") == 0

    def draws_once(self: SegmentPipeline, *args: Any, **kwargs: Any) -> Tensor:
        drawn.append(True)
        if len(drawn) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return draw(self, *args, **kwargs)

    monkeypatch.setattr(SegmentPipeline, "draw", draws_once)
    assert _animate(wan, photo, driver, tmp_path / "out.mp4") == 2
    monkeypatch.setattr(SegmentPipeline, "draw", draw)
    assert _animate(wan, photo, driver, tmp_path / "out.mp4", "--resume") == 0
    assert "Resuming after 1 finished" in capsys.readouterr().err
    whole, resumed = (read_clip(tmp_path / f"{name}.mp4").frames for name in ("whole", "out"))
    assert torch.equal(whole, resumed)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--guidance-ref", "2"], "--guidance-ref belongs to the embedded model"),
        (["--no-proxy"], "--no-proxy belongs"),
        (["--memory", "group"], "there is none here"),
        (["--memory", "gguf"], "models pull wan-animate-14b-gguf"),
        (["--memory", "little"], "Unknown --memory"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    wan: Path, photo: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], says: str
) -> None:
    assert _animate(wan, photo, write_driver(tmp_path / "driver.mp4", 2), tmp_path / "out.mp4", *more) == 2
    _expect_one_line(capsys, says)


def _plan(mode: str) -> MemoryPlan:
    needs = Needs(device_bytes=0, main_bytes=0, seconds=0, tiles=False)
    return MemoryPlan(mode=mode, device=torch.device("cpu"), dtype=torch.float32, tiles=False, needs=needs)  # type: ignore[arg-type]


def _controls(num_frames: int) -> ControlFrames:
    generator = torch.Generator().manual_seed(5)
    pose, face = (
        torch.randint(0, 256, (num_frames, side, side, 3), dtype=torch.uint8, generator=generator) for side in (32, 16)
    )
    return ControlFrames(pose=pose, face=face)


def test_segments_one_by_one_are_the_whole_pipelines(wan: Path) -> None:
    from diffusers import WanAnimatePipeline

    from dreamactor.inference.wan.pipeline import encode_text, load_pipeline

    pipeline = load_pipeline(wan, _plan("full"))
    text = encode_text(wan, "a person", _plan("full"), text_bytes=0, say=str)
    assert torch.equal(text, encode_text(wan, "a person", _plan("full"), text_bytes=0, say=pytest.fail))  # kept
    reference, controls, number = torch.full((32, 32, 3), 90, dtype=torch.uint8), _controls(20), 20
    generator, carried, ours = torch.Generator().manual_seed(1), None, []
    for segment in plan_wan_segments(number, SHORT):
        index = list(segment.index)
        piece = ControlFrames(pose=controls.pose[index], face=controls.face[index])
        frames = pipeline.draw(
            reference, piece, text, carried=carried, steps=2, generator=generator, stepped=lambda done: None
        )
        carried = frames[:, :, -1:]
        skip = 1 if ours else 0
        ours.append(frames[:, :, skip : skip + segment.stop - segment.first])
    pipeline.carried = None
    whole = WanAnimatePipeline.__call__(
        pipeline, image=Image.fromarray(reference.numpy()),
        pose_video=[Image.fromarray(frame.numpy()) for frame in controls.pose],
        face_video=[Image.fromarray(frame.numpy()) for frame in controls.face], prompt_embeds=text, height=32, width=32,
        segment_frame_length=SHORT, num_inference_steps=2, generator=torch.Generator().manual_seed(1), output_type="pt",
    ).frames  # fmt: skip
    torch.testing.assert_close(torch.cat(ours, dim=2), whole, atol=1e-6, rtol=0)


def test_memory_modes_draw_the_same_and_a_lora_something_else(wan: Path, tmp_path: Path) -> None:
    from dreamactor.inference.wan.pipeline import load_pipeline

    def made(mode: str, **more: Path) -> Tensor:
        pipeline = load_pipeline(wan, _plan(mode), **more)
        return pipeline.draw(
            torch.full((32, 32, 3), 90, dtype=torch.uint8), _controls(5), torch.zeros(1, 4, 8), carried=None, steps=1,
            generator=torch.Generator().manual_seed(1), stepped=lambda done: None,
        )  # fmt: skip

    full = made("full")
    torch.testing.assert_close(made("group"), full, atol=1e-6, rtol=0)
    error = (made("fp8") - full).abs().mean()
    assert 0 < error < 0.5 * full.std()
    if find_spec("gguf") is not None:
        error = (made("gguf", gguf=write_gguf(wan, tmp_path / "tiny.gguf")) - full).abs().mean()
        assert 0 < error < 0.2 * full.std()
    generator = torch.Generator().manual_seed(2)
    save_file(
        {
            f"transformer.blocks.0.attn1.to_q.lora_{name}.weight": torch.randn(shape, generator=generator)
            for name, shape in (("A", (2, 32)), ("B", (32, 2)))
        },
        tmp_path / "lora.safetensors",
    )
    assert (made("full", lora=tmp_path / "lora.safetensors") - full).abs().max() > 1e-4


def test_models_are_listed_and_pulled(
    wan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DREAMACTOR_MODELS", str(tmp_path / "models"))
    assert run(["models"]) == 0
    said = capsys.readouterr().out
    assert "wan-animate-14b (animate; not installed)" in said
    assert "licence Apache-2.0; about 48 GB; NVIDIA GPU" in said
    assert run(["models", "pull", "wan-animate-14b", "--from", str(wan)]) == 0
    assert run(["models", "list"]) == 0
    assert f"wan-animate-14b (animate; installed in {wan})" in capsys.readouterr().out
    assert run(["models", "pull", "actor"]) == 2

    def unreachable(*args: object, **kwargs: object) -> None:
        raise errors.DryRunError("no internet")

    monkeypatch.setattr(download, "snapshot_download", unreachable)
    assert run(["models", "pull", "lightx2v-4step", "--yes"]) == 2
    _expect_one_line(capsys, "huggingface.co cannot be reached for lightx2v-4step")
    size = SimpleNamespace(file_size=739_000_000, will_download=True)
    monkeypatch.setattr(download, "DryRunFileInfo", SimpleNamespace)
    monkeypatch.setattr(download, "snapshot_download", lambda *args, **kwargs: [size])
    assert run(["models", "pull", "lightx2v-4step"]) == 2
    said = capsys.readouterr().err
    assert "0.7 GB to download from huggingface.co/lightx2v/Wan2.1-Distill-Loras, licence Apache-2.0" in said
    assert "Add --yes" in said
    assert run(["animate", "a.png", "--driving", "b.mp4", "-o", "c.mp4", "--lora", "lightx2v-4step"]) == 2
    _expect_one_line(capsys, "lightx2v-4step is not installed (about 0.74 GB")


def test_export_controls(
    photo: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(controls, "PersonMasker", HalfMasker)
    picture = photo[0]
    monkeypatch.setattr("dreamactor.app.export_controls.read_wan_references", _described(photo))
    driver = write_driver(tmp_path / "driver.mp4", 6)
    common = ["export-controls", picture, "--driving", str(driver), "--size", "64"]
    assert run([*common, "-o", str(tmp_path / "wan"), "--replace"]) == 0
    names = ("src_pose.mp4", "src_face.mp4", "src_bg.mp4", "src_mask.mp4")
    clips = {name: read_clip(tmp_path / "wan" / name) for name in names}
    assert all(clip.num_frames == 6 for clip in clips.values())
    assert clips["src_face.mp4"].size == (512, 512)
    mask, background = clips["src_mask.mp4"].frames.float(), clips["src_bg.mp4"].frames.float()
    half = mask.shape[2] // 2
    assert mask[:, :, : half - 4].min() > 245
    assert mask[:, :, half + 12 :].max() < 10
    assert background[:, :, : half - 4].max() < 40
    assert run([*common, "-o", str(tmp_path / "vace"), "--format", "vace"]) == 0
    assert read_clip(tmp_path / "vace" / "mask.mp4").frames.min() > 245
    assert (tmp_path / "vace" / "reference.png").is_file()
    assert run([*common, "-o", str(tmp_path / "vace")]) == 2
    _expect_one_line(capsys, "not empty")
    assert run([*common, "-o", str(tmp_path / "new"), "--format", "comfy"]) == 2
    _expect_one_line(capsys, "Unknown format")


def _described(photo: list[str]) -> Callable[..., ReferenceSet]:
    """Reads references with the description of the person, which `export-controls` has no option for."""

    def read(request: AnimateRequest, **settings: object) -> ReferenceSet:
        return read_wan_references(replace(request, described=(Path(photo[2]),)), **settings)  # type: ignore[arg-type]

    return read


def test_memory_at_work_is_counted() -> None:
    from dreamactor.app.bench.wan_memory import count_memory

    shape = {
        "num_attention_heads": 2, "attention_head_dim": 16, "ffn_dim": 64, "num_layers": 1, "image_dim": 8, "text_dim": 8,
        "added_kv_proj_dim": 32, "motion_encoder_channel_sizes": {"4": 8, "8": 8, "16": 8}, "motion_encoder_size": 16,
        "motion_style_dim": 8, "motion_dim": 4, "motion_encoder_dim": 8, "face_encoder_hidden_dim": 8,
        "inject_face_latents_blocks": 1,
    }  # fmt: skip
    small, large = (count_memory(width=side, height=side, shape=shape, vae=False)[0] for side in (256, 512))
    assert large.peak_bytes == pytest.approx(4 * small.peak_bytes, rel=0.1)
    assert run(["bench", "wan-memory", "--width", "100"]) == 2
