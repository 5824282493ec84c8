"""The audio encoder of a model or of a training run, as a file that says its own shapes.

    audio.safetensors   sound -> face motion tokens; a model may lack it

Put beside a model's model.json, the file makes that model hear. Weights are stored in half precision.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from safetensors import SafetensorError, safe_open

from dreamactor.errors import ConfigError, InputError
from dreamactor.inference.face_encoders import read_weights, write_weights
from dreamactor.models.audio_motion import AudioMotionEncoder
from dreamactor.models.face_motion import LandmarkFaceEncoder

AUDIO_FILE: Final = "audio.safetensors"


def save_audio_encoder(path: Path, encoder: AudioMotionEncoder) -> None:
    """Writes weights and shapes, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_weights(path, encoder, {"shapes": json.dumps(encoder.described())})


def load_audio_encoder(path: Path, faces: LandmarkFaceEncoder) -> AudioMotionEncoder:
    """Reads what `save_audio_encoder` wrote.

    Args:
        path: the file, or a run of `train audio`.
        faces: of the model it is for.

    Raises:
        InputError: no such file, or not an audio encoder.
        ConfigError: its tokens are not the model's.
    """
    if path.is_dir():
        path = next((at for at in (path / AUDIO_FILE, path / "model" / AUDIO_FILE) if at.is_file()), path / AUDIO_FILE)
    try:
        with safe_open(path, framework="pt") as opened:
            told = (opened.metadata() or {}).get("shapes")
        if told is None:
            raise InputError(f"{path} holds no audio encoder. Give what `dreamactor train audio` wrote.")
        encoder = AudioMotionEncoder(**{"levels": False, **json.loads(told)})
        read_weights(path, encoder)
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"The audio encoder {path} cannot be read ({reason}). Train one: dreamactor train audio."
        ) from error
    named = faces.coefficients or encoder.coefficients  # an encoder that names none takes any
    if encoder.code_dim != faces.code_dim or encoder.coefficients != named:
        raise ConfigError(
            f"The audio encoder {path} gives tokens of {encoder.code_dim} numbers, {len(encoder.coefficients)} of them "
            f"coefficients; the model takes {faces.code_dim}, {len(named)} of them coefficients by their names. Fit it to "
            "this model: dreamactor train audio --start-from MODEL."
        )
    return encoder
