"""A model as it is shipped: one folder with its configuration and its weights.

    model.json            shapes of all parts, defaults, and how it was trained
    vae.safetensors       the 3D VAE
    dit.safetensors       the DiT with pose encoder and face MLP
    decoder.safetensors   the proxy-aware decoder
    face.safetensors      the landmark face encoder
    face_rgb.safetensors  the implicit face encoder, where the model has one
    audio.safetensors     the audio encoder, where the model has one; it says its own shapes

Weights are stored in half precision and loaded in single precision.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import nn

from dreamactor.errors import ConfigError, InputError
from dreamactor.inference.audio_encoder import AUDIO_FILE, load_audio_encoder, save_audio_encoder
from dreamactor.inference.face_encoders import (
    CONFIG_FILE,
    RGB_FILE,
    FaceEncoders,
    build_face_encoders,
    load_run_encoders,
    read_weights,
    write_weights,
)
from dreamactor.models.audio_motion import AudioMotionEncoder
from dreamactor.models.dit import DiT, DiTConfig
from dreamactor.models.face_motion import ImplicitFaceEncoder, LandmarkFaceEncoder
from dreamactor.models.proxy_decoder import ProxyDecoder, ProxyDecoderConfig
from dreamactor.models.vae import VAEConfig, VideoVAE
from dreamactor.types.latent import LatentGrid

SHIPPED = ("actor",)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelDefaults:
    """What is used where a request says nothing.

    Attributes:
        size: side in pixels of a square of the output's area.
        steps: sampling steps.
        guidance_reference, guidance_motion: guidance scales.
        segment_frames: frames of a segment.
        max_references: most pictures of the character that it is shown at once.
    """

    size: int
    steps: int
    guidance_reference: float
    guidance_motion: float
    segment_frames: int
    max_references: int = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelBundle:
    """All networks of one model, ready to use."""

    vae: VideoVAE
    dit: DiT
    dit_config: DiTConfig
    decoder: ProxyDecoder
    face: LandmarkFaceEncoder
    defaults: ModelDefaults
    metadata: dict[str, Any] = field(default_factory=dict)
    face_rgb: ImplicitFaceEncoder | None = None
    """The implicit face encoder; None where the model has none and reads faces off landmarks alone."""
    audio: AudioMotionEncoder | None = None
    """The audio encoder; None where speech cannot drive the model."""

    @property
    def grid(self) -> LatentGrid:
        return self.vae.grid(self.dit_config.patch)

    @property
    def faces(self) -> FaceEncoders:
        """Both face encoders."""
        return FaceEncoders(landmarks=self.face, rgb=self.face_rgb)

    def parts(self) -> dict[str, nn.Module]:
        """File stem -> network."""
        parts: dict[str, nn.Module] = {"vae": self.vae, "dit": self.dit, "decoder": self.decoder, "face": self.face}
        return parts if self.face_rgb is None else parts | {"face_rgb": self.face_rgb}


def save_bundle(folder: Path, bundle: ModelBundle) -> None:
    """Writes a bundle; an existing one is replaced file by file."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, network in bundle.parts().items():
        write_weights(folder / f"{stem}.safetensors", network)
    if bundle.face_rgb is None:
        (folder / RGB_FILE).unlink(missing_ok=True)
    if bundle.audio is None:
        (folder / AUDIO_FILE).unlink(missing_ok=True)
    else:
        save_audio_encoder(folder / AUDIO_FILE, bundle.audio)
    described = {
        "vae": asdict(bundle.vae.config),
        "dit": asdict(bundle.dit_config),
        "decoder": asdict(bundle.decoder.config),
        **bundle.faces.described(),
        "defaults": asdict(bundle.defaults),
        "metadata": bundle.metadata,
    }
    part = folder / "model.part"
    part.write_text(json.dumps(described, indent=2) + "\n")
    part.rename(folder / "model.json")


def model_folder(name_or_path: str) -> Path:
    """Where a model lies: a shipped name, or a folder.

    Raises:
        ConfigError: neither.
    """
    if name_or_path in SHIPPED:
        return Path(str(resources.files("dreamactor") / "weights" / name_or_path))
    folder = Path(name_or_path)
    if (folder / "model.json").is_file():
        return folder
    close = difflib.get_close_matches(name_or_path, SHIPPED, n=1, cutoff=0.5)
    meant = f" Did you mean '{close[0]}'?" if close else ""
    raise ConfigError(f"Unknown model '{name_or_path}'.{meant} Known: {', '.join(SHIPPED)}, or a folder with a model.json.")


def load_bundle(name_or_path: str) -> ModelBundle:
    """Loads a model in single precision, in evaluation mode.

    Raises:
        ConfigError: no such model.
        InputError: damaged files.
    """
    folder = model_folder(name_or_path)
    if not (folder / "model.json").is_file():
        raise InputError(
            f"The model '{name_or_path}' is not installed ({folder} has no model.json). Install dreamactor again."
        )
    try:
        described = json.loads((folder / "model.json").read_text())
        vae_config: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in described["vae"].items()}
        decoder_config: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in described["decoder"].items()}
        dit_config = DiTConfig(**described["dit"])
        faces = build_face_encoders(described)
        audio_file = folder / AUDIO_FILE
        bundle = ModelBundle(
            vae=VideoVAE(VAEConfig(**vae_config)),
            dit=DiT.from_dataclass(dit_config),
            dit_config=dit_config,
            decoder=ProxyDecoder(ProxyDecoderConfig(**decoder_config)),
            face=faces.landmarks,
            face_rgb=faces.rgb,
            audio=load_audio_encoder(audio_file, faces.landmarks) if audio_file.is_file() else None,
            defaults=ModelDefaults(**described["defaults"]),
            metadata=described["metadata"],
        )
        for stem, network in bundle.parts().items():
            read_weights(folder / f"{stem}.safetensors", network)
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise InputError(f"The model in {folder} is damaged ({error}). Install it again.") from error
    return bundle


def load_face_encoders(name_or_path: str) -> FaceEncoders:
    """The face encoders of a model, or of a run of `train face`.

    Raises:
        ConfigError: neither.
        InputError: damaged files.
    """
    folder = Path(name_or_path)
    is_run = name_or_path not in SHIPPED and any((folder / part / CONFIG_FILE).is_file() for part in (".", "model"))
    return load_run_encoders(folder) if is_run else load_bundle(name_or_path).faces
