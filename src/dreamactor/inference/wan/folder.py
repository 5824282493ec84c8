"""A model folder in diffusers' layout, looked at without loading it: which parts it has, how large they are, whether a
download broke off. What is checked here costs the headers of the files alone."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dreamactor.errors import InputError

INDEX_FILE: Final = "model_index.json"
MODEL_PARTS: Final = ("transformer", "vae", "text_encoder", "image_encoder")
"""Parts with weights."""
OTHER_PARTS: Final = ("tokenizer", "scheduler", "image_processor")
PIPELINE: Final = "WanAnimatePipeline"


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightFiles:
    """The weights of one part.

    Attributes:
        files: all of them.
        parameters: how many numbers they hold.
        bytes: on disk.
        config: the part's config.json.
    """

    files: tuple[Path, ...]
    parameters: int
    bytes: int
    config: dict[str, Any]


def is_pipeline_folder(folder: Path) -> bool:
    """Whether a folder says that it is a pipeline of diffusers."""
    return (folder / INDEX_FILE).is_file()


def check_pipeline_folder(folder: Path) -> dict[str, WeightFiles]:
    """Looks at every part of a Wan-Animate pipeline.

    Raises:
        InputError: another pipeline, a part is missing, a file is not whole; one line that names it.
    """
    if not is_pipeline_folder(folder):
        raise InputError(f"{folder} is not a model folder of diffusers: it has no {INDEX_FILE}. {_WHICH}")
    index = _read_json(folder / INDEX_FILE)
    if index.get("_class_name") != PIPELINE:
        raise InputError(f"{folder} holds a {index.get('_class_name')}, not a {PIPELINE}. {_WHICH}")
    for part in OTHER_PARTS:
        if not (folder / part).is_dir() or not any((folder / part).iterdir()):
            raise InputError(f"{folder} has no {part}. {_AGAIN}")
    return {part: read_weight_files(folder / part) for part in MODEL_PARTS}


def read_weight_files(folder: Path) -> WeightFiles:
    """The safetensors of one part, one file or several with an index.

    Raises:
        InputError: none, or a file is missing or not whole.
    """
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder} has no config.json. {_AGAIN}")
    indices = sorted(folder.glob("*.safetensors.index.json"))
    if indices:
        files = tuple(folder / name for name in sorted(set(_read_json(indices[0])["weight_map"].values())))
    else:
        files = tuple(sorted(folder.glob("*.safetensors")))
    if not files:
        raise InputError(f"{folder} has no weights (*.safetensors). {_AGAIN}")
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise InputError(f"{folder} lacks {len(missing)} of {len(files)} weight files, such as {missing[0]}. {_AGAIN}")
    return WeightFiles(
        files=files,
        parameters=sum(count_parameters(file) for file in files),
        bytes=sum(file.stat().st_size for file in files),
        config=_read_json(folder / "config.json"),
    )


def count_parameters(file: Path) -> int:
    """Numbers in a safetensors file, by its header.

    Raises:
        InputError: the file is shorter than its header says: a download that broke off.
    """
    size = file.stat().st_size
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > size - 8:
                raise ValueError("its header is cut off")
            header = json.loads(stream.read(length))
        tensors = [entry for name, entry in header.items() if name != "__metadata__"]
        needed = 8 + length + max((entry["data_offsets"][1] for entry in tensors), default=0)
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file} is not a whole safetensors file ({error}). {_AGAIN}") from error
    if size < needed:
        raise InputError(f"{file} is only half there: {size:,} of {needed:,} bytes. {_AGAIN}")
    return sum(math.prod(entry["shape"]) for entry in tensors)


_WHICH: Final = "Name a folder with Wan2.2-Animate-14B in diffusers' layout, or the model: --model wan-animate-14b."
_AGAIN: Final = "The download is not complete: run `dreamactor models pull` again, it goes on where it stopped."


def _read_json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read ({error}). {_AGAIN}") from error
    if not isinstance(found, dict):
        raise InputError(f"{file} is not a configuration. {_AGAIN}")
    return found
