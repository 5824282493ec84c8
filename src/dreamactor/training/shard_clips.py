"""Clips of shards for the DiT: guidance drawn and encoded as they are read, anew every time, so that no epoch repeats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from dreamactor.data.clips import ClipRecord
from dreamactor.data.shards import ClipEntry, ShardSampler, load_clip
from dreamactor.guidance.jitter import jitter_track
from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.inference.face_encoders import FaceEncoders
from dreamactor.models.vae import VideoVAE
from dreamactor.models.wan_vae import WanVAE
from dreamactor.training.batch import clip_generator
from dreamactor.training.clips import CONTINUE_RATE, Window
from dreamactor.training.encoded import EncodedSample, encode_sample
from dreamactor.training.guided import EXACT_REFERENCES, guide_sample, stack_maps
from dreamactor.types.guidance import ReferenceImage
from dreamactor.video.tensor import to_model

MAX_REFERENCES = 4


@dataclass(frozen=True, slots=True)
class Ticket:
    """A clip that is to be read.

    Attributes:
        entry: which.
        number: of the clip in the run.
        continues: whether it starts at a latent out of the middle of its encoding, as all of its batch.
    """

    entry: ClipEntry
    number: int
    continues: bool


class ShardClips:
    """A `ClipSource` over shards: the sampler says which clips, every process reads and encodes its own share."""

    def __init__(self, sampler: ShardSampler, *, vae: VideoVAE | WanVAE, faces: FaceEncoders, seed: int) -> None:
        """
        Args:
            sampler: of the batches of all processes together (rank 0 of 1), equal in all of them.
            vae: frozen.
            faces: give the face tokens.
            seed: of what is random about a clip's guidance.
        """
        self._sampler, self._vae, self._faces, self._seed = sampler, vae, faces, seed
        self._drawn = 0

    def draw(self, count: int) -> list[Ticket]:
        """The next batch.

        Raises:
            ValueError: the sampler's batches have another size.
        """
        entries = self._sampler.next_batch()
        if len(entries) != count:
            raise ValueError(f"The sampler gives batches of {len(entries)} clips, the stage wants {count}.")
        chance = float(torch.rand((), generator=clip_generator(self._seed, self._drawn, 1)))
        tickets = [Ticket(entry, self._drawn + index, chance < CONTINUE_RATE) for index, entry in enumerate(entries)]
        self._drawn += count
        return tickets

    def load(self, drawn: Ticket) -> Window:
        """Reads, guides and encodes one clip."""
        generator = clip_generator(self._seed, drawn.number, 0)
        sample = encode_record(load_clip(drawn.entry), self._vae, self._faces, generator=generator)
        length = sample.clean.shape[1]
        start = int(drawn.continues and length > 1)
        return Window(sample=sample, start=start, num_latents=length - start)

    def state_dict(self) -> dict[str, Any]:
        return {"sampler": self._sampler.state_dict(), "drawn": self._drawn}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._sampler.load_state_dict(state["sampler"])
        self._drawn = state["drawn"]


def encode_record(
    clip: ClipRecord, vae: VideoVAE | WanVAE, faces: FaceEncoders, *, generator: torch.Generator
) -> EncodedSample:
    """A clip with guidance drawn from one of its references, and up to `MAX_REFERENCES` of them to be shown."""
    sample = clip.as_sample()
    guided = guide_sample(sample, generator=generator, faces=faces)
    encoded = encode_sample(vae, guided)
    others = [picture for picture in sample.references if picture.image is not guided.reference][: MAX_REFERENCES - 1]
    if not others:
        return encoded
    latents, maps = zip(*(_reference(vae, picture, clip.exact, generator=generator) for picture in others), strict=True)
    return replace(
        encoded,
        references=torch.cat([encoded.references, *latents]),
        reference_maps=torch.cat([encoded.reference_maps, *maps]),
    )


@torch.no_grad()
def _reference(
    vae: VideoVAE | WanVAE, picture: ReferenceImage, exact: bool, *, generator: torch.Generator
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Latent [1, C, h, w] and maps [1, 6, H, W] uint8; exact tracks mostly as perception might see them."""
    height, width, _ = picture.image.shape
    person = picture.person
    if exact and float(torch.rand((), generator=generator)) >= EXACT_REFERENCES:
        person = jitter_track(person, generator=generator)
    maps = stack_maps(draw_pose_maps(person, width=width, height=height))
    return vae.encode(to_model(picture.image[None]))[:, :, 0].float(), maps[:, 0][None]
