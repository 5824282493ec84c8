"""The smallest model that walks the whole road: random weights, for tests and for trying the machinery."""

from __future__ import annotations

from dataclasses import replace

import torch

from dreamactor.inference.bundle import ModelBundle, ModelDefaults
from dreamactor.models.dit import DiT, DiTConfig
from dreamactor.models.face_motion import LandmarkFaceEncoder
from dreamactor.models.proxy_decoder import ProxyDecoder, ProxyDecoderConfig
from dreamactor.models.vae import VAEConfig, VideoVAE
from dreamactor.recipes.actor import ActorRecipe, ActorShapes

FACE_CODE_DIM = 8


VAE = VAEConfig(
    latent_channels=4, channels=(8, 8, 16), decoder_channels=(8, 8, 16), layers=(1, 1, 1, 1), decoder_layers=(1, 1, 1, 1),
    pixel_patch=4,
)  # fmt: skip
DIT = DiTConfig(
    latent_channels=4, width=32, num_layers=1, num_heads=2, ffn_width=32, patch=2, temporal=VAE.temporal,
    spatial=VAE.spatial, pose_channels=8, face_code_dim=FACE_CODE_DIM, reference_mode="one_way", uses_proxy=True,
    prediction="clean_residual",
)  # fmt: skip
DECODER = ProxyDecoderConfig(channels=(8, 8), blocks=1, face_code_dim=FACE_CODE_DIM)
DEFAULTS = ModelDefaults(size=64, steps=2, guidance_reference=2.5, guidance_motion=2.5, segment_frames=73)


def tiny_recipe() -> ActorRecipe:
    """The actor's whole training in seconds; the face encoder stays untrained."""
    return ActorRecipe(
        num_samples=4, num_glimpses=2, num_stills=2, size=64, num_frames=9, vae_steps=2, dit_steps=20, decoder_steps=2,
        colourings=1, face=None, workers=1,
        shapes=ActorShapes(vae=VAE, dit=DIT, decoder=DECODER, defaults=DEFAULTS),
    )  # fmt: skip


def tiny_bundle(seed: int = 0, *, segment_frames: int = 73) -> ModelBundle:
    """A bundle of under a million random weights; equal seeds give equal weights.

    Args:
        seed: of the weights; torch's own random state is left as it was.
        segment_frames: frames of a segment, 73 as in the paper.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        bundle = ModelBundle(
            vae=VideoVAE(VAE),
            dit=DiT.from_dataclass(DIT),
            dit_config=DIT,
            decoder=ProxyDecoder(DECODER),
            face=LandmarkFaceEncoder(code_dim=FACE_CODE_DIM, width=16),
            defaults=replace(DEFAULTS, segment_frames=segment_frames),
            metadata={"recipe": "tiny", "seed": seed},
        )
    for network in bundle.parts().values():
        network.requires_grad_(False).eval()
    return bundle
