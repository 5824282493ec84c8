"""The smallest model that walks the whole road: random weights, for tests and for trying the machinery."""

from __future__ import annotations

import torch

from dreamactor.inference.bundle import ModelBundle, ModelDefaults
from dreamactor.models.dit import DiT, DiTConfig
from dreamactor.models.face_motion import LandmarkFaceEncoder
from dreamactor.models.proxy_decoder import ProxyDecoder, ProxyDecoderConfig
from dreamactor.models.vae import VAEConfig, VideoVAE

FACE_CODE_DIM = 8


def tiny_bundle(seed: int = 0, *, segment_frames: int = 73) -> ModelBundle:
    """A bundle of under a million random weights; equal seeds give equal weights.

    Args:
        seed: of the weights; torch's own random state is left as it was.
        segment_frames: frames of a segment, 73 as in the paper.
    """
    vae_config = VAEConfig(
        latent_channels=4,
        channels=(8, 8, 16),
        decoder_channels=(8, 8, 16),
        layers=(1, 1, 1, 1),
        decoder_layers=(1, 1, 1, 1),
        pixel_patch=4,
    )
    dit_config = DiTConfig(
        latent_channels=4,
        width=32,
        num_layers=1,
        num_heads=2,
        ffn_width=32,
        patch=2,
        temporal=vae_config.temporal,
        spatial=vae_config.spatial,
        pose_channels=8,
        face_code_dim=FACE_CODE_DIM,
        reference_mode="one_way",
        uses_proxy=True,
        prediction="clean_residual",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        bundle = ModelBundle(
            vae=VideoVAE(vae_config),
            dit=DiT.from_dataclass(dit_config),
            dit_config=dit_config,
            decoder=ProxyDecoder(ProxyDecoderConfig(channels=(8, 8), blocks=1, face_code_dim=FACE_CODE_DIM)),
            face=LandmarkFaceEncoder(code_dim=FACE_CODE_DIM, width=16),
            defaults=ModelDefaults(
                size=64, steps=2, guidance_reference=2.5, guidance_motion=2.5, segment_frames=segment_frames
            ),
            metadata={"recipe": "tiny", "seed": seed},
        )
    for network in bundle.parts().values():
        network.requires_grad_(False).eval()
    return bundle
