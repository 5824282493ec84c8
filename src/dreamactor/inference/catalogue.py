"""The models that can be asked for by name: what they are for, their licence, their size, where they come from, where
they lie. Knows nothing of how they run.

A model lies in `$DREAMACTOR_MODELS/NAME` (`~/.cache/dreamactor/models/NAME` where that is not set), or wherever a link
there leads. The embedded model lies in the package.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from dreamactor.errors import ConfigError, InputError
from dreamactor.inference.bundle import SHIPPED
from dreamactor.inference.wan.options import Lora
from dreamactor.perception.cache import cache_folder

Use = Literal["animate", "train from", "lora", "weights"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """One model by name.

    Attributes:
        name: what is typed.
        use: animate (--model), train from (start of `train wan-1.3b`), lora (--lora), weights (the transformer of another
            model in fewer bits).
        domain: what it is good for.
        licence: of the weights.
        gigabytes: about how much is downloaded; 0 for what is shipped.
        hardware: what it needs.
        repository: on huggingface.co; None for what is shipped.
        files: patterns of what is downloaded.
        marker: a file that a folder of this model has.
        steps: sampling steps of a distilled model; None: as many as ever.
    """

    name: str
    use: Use
    domain: str
    licence: str
    gigabytes: float
    hardware: str
    repository: str | None
    files: tuple[str, ...] = ()
    marker: str = "model_index.json"
    steps: int | None = None


_DIFFUSERS: Final = ("model_index.json", "*/*.json", "*/*.safetensors", "*/*.model", "*/*.txt")
CATALOGUE: Final = (
    Model(
        name="actor", use="animate", domain="drawn actors; photos look drawn", licence="Apache-2.0", gigabytes=0.0,
        hardware="any processor", repository=None, marker="model.json",
    ),
    Model(
        name="wan-animate-14b", use="animate", domain="photos, drawings, any person; 77-frame segments",
        licence="Apache-2.0", gigabytes=48.0, hardware="NVIDIA GPU from 12 GB, 32-64 GB of memory",
        repository="Wan-AI/Wan2.2-Animate-14B-Diffusers", files=_DIFFUSERS,
    ),
    Model(
        name="wan-animate-14b-gguf", use="weights", domain="wan-animate-14b's transformer in 4 bits, for --memory gguf",
        licence="Apache-2.0 (of the base; a third party's conversion)", gigabytes=11.5, hardware="NVIDIA GPU from 16 GB",
        repository="QuantStack/Wan2.2-Animate-14B-GGUF", files=("*Q4_K_M.gguf",), marker="*.gguf",
    ),
    Model(
        name="lightx2v-4step", use="lora", domain="wan-animate-14b in 4 steps instead of 20",
        licence="Apache-2.0 (of lightx2v's sister repositories; its own page names none)", gigabytes=0.74,
        hardware="as wan-animate-14b", repository="lightx2v/Wan2.1-Distill-Loras",
        files=("wan2.1_i2v_lora_rank64_lightx2v_4step.safetensors",), marker="*.safetensors", steps=4,
    ),
    Model(
        name="wan2.1-t2v-1.3b", use="train from", domain="start of `train wan-1.3b`; animates nothing by itself",
        licence="Apache-2.0", gigabytes=6.2, hardware="GPU from 24 GB (LoRA), several with FSDP2",
        repository="Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
        files=("transformer/*.json", "transformer/*.safetensors", "vae/*.json", "vae/*.safetensors"),
        marker="transformer/config.json",
    ),
    Model(
        name="wan2.1-t2v-14b", use="train from", domain="the same, of 14 billion parameters", licence="Apache-2.0",
        gigabytes=57.7, hardware="8 GPUs of 80 GB with FSDP2", repository="Wan-AI/Wan2.1-T2V-14B-Diffusers",
        files=("transformer/*.json", "transformer/*.safetensors", "vae/*.json", "vae/*.safetensors"),
        marker="transformer/config.json",
    ),
)  # fmt: skip
"""Sizes are what the files held when this was written; the exact one is asked for before a download."""


def models_folder() -> Path:
    """Where pulled models are kept; it need not exist."""
    chosen = os.environ.get("DREAMACTOR_MODELS")
    return Path(chosen).expanduser() if chosen else cache_folder() / "models"


def find_model(name: str) -> Model:
    """A model by name.

    Raises:
        ConfigError: no such model.
    """
    for model in CATALOGUE:
        if model.name == name:
            return model
    known = [model.name for model in CATALOGUE]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f" Did you mean '{close[0]}'?" if close else ""
    raise ConfigError(f"Unknown model '{name}'.{meant} Known: {', '.join(known)}.")


def installed_at(model: Model) -> Path | None:
    """Where a model lies, or None; whether it is whole is another question."""
    if model.name in SHIPPED:
        return Path("shipped")
    folder = models_folder() / model.name
    return folder if folder.is_dir() and any(folder.glob(model.marker)) else None


def expect_installed(name: str) -> Path:
    """The folder of a pulled model.

    Raises:
        InputError: it is not there; says how to get it.
    """
    model = find_model(name)
    folder = installed_at(model)
    if folder is None:
        raise InputError(
            f"{name} is not installed (about {model.gigabytes:g} GB, {model.licence}). Get it with `dreamactor models pull "
            f"{name}`, or point to a folder that has it: `dreamactor models pull {name} --from FOLDER`."
        )
    return folder


def find_lora(name_or_path: str) -> Lora:
    """Low-rank weights by a catalogue's name, or a file.

    Raises:
        ConfigError, InputError: neither, or not pulled yet.
    """
    file = Path(name_or_path)
    if file.is_file():
        return Lora(file=file, licence="its author's")
    named = [model for model in CATALOGUE if model.use == "lora"]
    for model in named:
        if model.name == name_or_path:
            place = expect_installed(model.name)
            return Lora(file=min(place.glob(model.marker)), licence=model.licence, steps=model.steps)
    raise ConfigError(
        f"--lora '{name_or_path}' is neither a file nor known ({', '.join(model.name for model in named)}). Pass a "
        ".safetensors file of low-rank weights."
    )


def link_model(model: Model, folder: Path) -> Path:
    """Makes a folder that lies elsewhere known under the model's name.

    Raises:
        InputError: the folder does not hold such a model.
        ConfigError: a model was pulled under this name already.
    """
    if not folder.is_dir() or not any(folder.glob(model.marker)):
        raise InputError(f"{folder} does not hold {model.name}: nothing there is called {model.marker}. Name its folder.")
    place = models_folder() / model.name
    if place.is_symlink():
        place.unlink()
    if place.exists():
        raise ConfigError(f"{model.name} is installed in {place} already. Remove that folder first.")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(folder.resolve(), target_is_directory=True)
    return place
