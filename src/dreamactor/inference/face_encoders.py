"""The face encoders of a model or of a training run, as files.

    face.safetensors       landmarks -> tokens
    face_rgb.safetensors   RGB crops -> tokens; a model may lack it
    face.json              their shapes; a model's are in its model.json

Weights are stored in half precision and loaded in single precision.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from dreamactor.errors import ConfigError, InputError
from dreamactor.models.face_motion import ImplicitFaceEncoder, LandmarkFaceEncoder
from dreamactor.video.output import atomic_path

LANDMARKS_FILE, RGB_FILE, CONFIG_FILE = "face.safetensors", "face_rgb.safetensors", "face.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceEncoders:
    """Both ways to the same face motion tokens.

    Attributes:
        landmarks: always there.
        rgb: the implicit encoder, or None where a model has none.
    """

    landmarks: LandmarkFaceEncoder
    rgb: ImplicitFaceEncoder | None

    def __post_init__(self) -> None:
        if self.rgb is not None and self.rgb.code_dim != self.landmarks.code_dim:
            raise ConfigError(
                f"The RGB face encoder's tokens have {self.rgb.code_dim} numbers, the landmark encoder's "
                f"{self.landmarks.code_dim}. Use encoders that were trained together."
            )

    @property
    def num_read(self) -> int:
        """How many numbers of a token are expression coefficients."""
        return self.landmarks.num_read

    def described(self) -> dict[str, Any]:
        """Shapes, as they stand in a model's or run's JSON file."""
        found: dict[str, Any] = {
            "face": {
                "code_dim": self.landmarks.code_dim, "width": self.landmarks.width,
                "coefficients": list(self.landmarks.coefficients),
            }
        }  # fmt: skip
        if self.rgb is not None:
            found["face_rgb"] = {"code_dim": self.rgb.code_dim, "coefficients": list(self.rgb.coefficients)}
        return found


def build_face_encoders(described: dict[str, Any]) -> FaceEncoders:
    """Networks with random weights from `FaceEncoders.described`; raises KeyError or TypeError where that does not fit."""
    rgb = described.get("face_rgb")
    return FaceEncoders(
        landmarks=LandmarkFaceEncoder(**described["face"]), rgb=None if rgb is None else ImplicitFaceEncoder(**rgb)
    )


def write_weights(path: Path, network: nn.Module, metadata: dict[str, str] | None = None) -> None:
    """Writes a network in half precision, atomically."""
    halves = {
        name: (value.half() if value.dtype.is_floating_point else value).contiguous().clone()
        for name, value in network.state_dict().items()
    }
    with atomic_path(path) as part:
        save_file(halves, part, metadata=metadata)


def read_weights(path: Path, network: nn.Module) -> None:
    """Reads what `write_weights` wrote, in evaluation mode."""
    weights = load_file(path)
    network.load_state_dict({k: v.float() if v.dtype == torch.float16 else v for k, v in weights.items()})
    network.requires_grad_(False).eval()


def save_face_encoders(folder: Path, encoders: FaceEncoders, metadata: dict[str, Any]) -> None:
    """Writes the encoders of a training run."""
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder / LANDMARKS_FILE, encoders.landmarks)
    if encoders.rgb is not None:
        write_weights(folder / RGB_FILE, encoders.rgb, {"coefficients": " ".join(encoders.rgb.coefficients)})
    with atomic_path(folder / CONFIG_FILE) as part:
        part.write_text(json.dumps({**encoders.described(), "metadata": metadata}, indent=2) + "\n")


def load_run_encoders(folder: Path) -> FaceEncoders:
    """The encoders of a training run: of its folder, or of the folder `model` in it.

    Raises:
        ConfigError: no such folder.
        InputError: damaged files.
    """
    if not (folder / CONFIG_FILE).is_file() and (folder / "model" / CONFIG_FILE).is_file():
        folder = folder / "model"
    if not (folder / CONFIG_FILE).is_file():
        raise ConfigError(f"There are no face encoders in {folder} (no {CONFIG_FILE}). Train some: dreamactor train face.")
    try:
        encoders = build_face_encoders(json.loads((folder / CONFIG_FILE).read_text()))
        read_weights(folder / LANDMARKS_FILE, encoders.landmarks)
        if encoders.rgb is not None:
            read_weights(folder / RGB_FILE, encoders.rgb)
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise InputError(f"The face encoders in {folder} are damaged ({error}). Train them again.") from error
    return encoders


def load_own_encoder(path: Path, *, code_dim: int) -> ImplicitFaceEncoder:
    """A user's own weights of the implicit encoder, for a model whose face tokens have `code_dim` numbers.

    Raises:
        InputError: not a readable safetensors file, or not the weights of such an encoder.
        ConfigError: tokens of another size than the model takes.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            told, names = opened.metadata() or {}, list(opened.keys())
            size = opened.get_slice("mlp.5.bias").get_shape()[0] if "mlp.5.bias" in names else None
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path} is not a readable safetensors file ({error}).") from error
    if size is None:
        raise InputError(
            f"{path} holds no implicit face encoder (no 'mlp.5.bias'). Give what `dreamactor train face` wrote."
        )
    if size != code_dim:
        raise ConfigError(
            f"The face encoder in {path} gives tokens of {size} numbers, the model takes {code_dim}. Use one trained for "
            "this model, or retrain the model's face path with it."
        )
    encoder = ImplicitFaceEncoder(code_dim=size, coefficients=told.get("coefficients", "").split())
    try:
        read_weights(path, encoder)
    except RuntimeError as error:
        shapes = str(error).splitlines()
        raise InputError(f"The weights in {path} do not fit the implicit face encoder ({shapes[-1].strip()}).") from error
    return encoder
