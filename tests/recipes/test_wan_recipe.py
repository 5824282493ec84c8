"""Training from Wan's weights: which go where, what learns with LoRA, and two steps of a stage on clips in shards."""

from __future__ import annotations

from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from safetensors.torch import load_file, save_file

from dreamactor.app.main import run
from dreamactor.errors import ConfigError, InputError
from dreamactor.models.weights import load_wan
from dreamactor.recipes.wan import DIT, NEW, WanRecipe, build_wan_dit, wan_1_3b
from dreamactor.training.lora import add_lora
from dreamactor.training.stages import set_trainable


@pytest.fixture(scope="module")
def wan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Wan2.1 of two blocks, in diffusers' layout."""
    folder = tmp_path_factory.mktemp("wan")
    torch.manual_seed(0)
    WanTransformer3DModel(
        num_layers=2, attention_head_dim=16, num_attention_heads=2, in_channels=16, out_channels=16, text_dim=8, ffn_dim=48
    ).save_pretrained(folder / "transformer")
    AutoencoderKLWan(
        base_dim=2, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    ).save_pretrained(folder / "vae")
    return folder


def test_the_shape_is_read_off_the_folder_and_every_weight_is_reported(wan: Path, tmp_path: Path) -> None:
    dit = build_wan_dit(wan, face_code_dim=20, seed=1, said=tmp_path / "loaded.txt")
    assert (dit.config["width"], dit.config["num_layers"], dit.config["face_code_dim"]) == (32, 2, 20)
    lines = [line.split() for line in (tmp_path / "loaded.txt").read_text().splitlines()]
    ours = {name for kind, name in lines if kind in ("loaded", "new")}
    theirs = {name for kind, name in lines if kind in ("baked", "needless")}
    assert ours | {f"blocks.{index}.text_constant" for index in range(2)} == set(dit.state_dict())
    assert theirs < set(load_file(next((wan / "transformer").glob("*.safetensors"))))


def test_wrong_folders_are_one_line(wan: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no Wan transformer"):
        build_wan_dit(tmp_path, face_code_dim=20, seed=0)
    other = tmp_path / "i2v"
    (other / "transformer").mkdir(parents=True)
    (other / "transformer" / "config.json").write_text((wan / "transformer" / "config.json").read_text())
    weights = load_file(next((wan / "transformer").glob("*.safetensors")))
    save_file(
        weights | {"condition_embedder.image_embedder.norm1.weight": torch.zeros(3)}, other / "transformer" / "a.safetensors"
    )
    with pytest.raises(ConfigError, match=r"has 1 weights that Wan2.1-T2V has not, such as 'condition_embedder\.image"):
        build_wan_dit(other, face_code_dim=20, seed=0)
    (other / "transformer" / "a.safetensors").write_bytes(b"half")
    with pytest.raises(InputError, match="only half there"):
        build_wan_dit(other, face_code_dim=20, seed=0)


def test_new_is_what_wan_has_not(wan: Path) -> None:
    dit = build_wan_dit(wan, face_code_dim=20, seed=0)
    stage = WanRecipe(start=wan, lora_rank=2).stages(batch_size=1, bfloat16=False)[-1]
    set_trainable(dit, stage)
    report = load_wan(dit, load_file(next((wan / "transformer").glob("*.safetensors"))))
    matched = {name for name, _ in dit.named_parameters() if any(fnmatchcase(name, pattern) for pattern in NEW)}
    constants = {name for name in dit.state_dict() if name.endswith("text_constant")}
    assert matched == set(report.new) | constants


@pytest.mark.skipif(find_spec("peft") is None, reason="PEFT is an optional extra")
def test_with_lora_new_layers_learn_whole_and_wans_beside(wan: Path) -> None:
    dit = build_wan_dit(wan, face_code_dim=20, seed=0)
    add_lora(dit, 2, whole=NEW)
    learning = {name for name, parameter in dit.named_parameters() if parameter.requires_grad}
    assert "blocks.0.ref_attention.to_q.weight" in learning
    assert any(name.startswith("pose_encoder.") for name in learning)
    assert not any(".ref_attention." in name and ".lora_" in name for name in learning)
    assert any("self_attention.to_q.lora_A" in name for name in learning)
    assert not any(name.endswith("base_layer.weight") for name in learning)


def test_the_preset_is_wans_shape() -> None:
    preset = wan_1_3b()
    assert preset.dit is DIT
    assert (DIT.width, DIT.num_layers, DIT.text_constant) == (1536, 30, True)
    assert run(["train", "wan-1.3b", "--dry-run"]) == 0


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("shards") / "clips")
    assert run(["build-data", folder, "--actors", "0-1", "--frames", "9-9", "--size", "64", "--workers", "1"]) == 0
    return folder


@pytest.mark.parametrize("lora", [(), ("--lora-rank", "2")])
def test_a_stage_trains_on_clips_in_shards(
    wan: Path, clips: str, tmp_path: Path, lora: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    if lora and find_spec("peft") is None:
        pytest.skip("PEFT is an optional extra")
    command = ["train", "wan-1.3b", "--output", str(tmp_path / "run"), "--start-from", str(wan), "--scale", "0.0005", *lora]
    assert run(command) == 2
    assert "--data" in capsys.readouterr().err
    assert run([*command, "--data", clips, "--stage", "warm-up"]) == 0
    trained = load_file(tmp_path / "run" / "dit" / "warm-up" / "finished.safetensors")
    start = build_wan_dit(wan, face_code_dim=trained["face_mlp.0.weight"].shape[1], seed=0).state_dict()
    assert set(trained) == set(start)
    changed = {name for name, value in trained.items() if not torch.equal(value, start[name])}
    assert any(name.startswith("pose_encoder") or name.startswith("drive_embedding") for name in changed)
    assert ("patch_embedding.weight" in changed) == (not lora)
