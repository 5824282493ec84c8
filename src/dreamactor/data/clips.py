"""One clip as training reads it: pictures, track, references; nothing drawn, so that jitter and drop-out stay possible."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from torch import Tensor

from dreamactor.data.samples import ActorSample
from dreamactor.types.guidance import ReferenceImage
from dreamactor.types.shapes import expect_shape
from dreamactor.types.track import PersonTrack

Kind = Literal["video", "actor", "heads"]
KINDS: Final[tuple[Kind, ...]] = ("video", "actor", "heads")
"""Where clips come from: somebody's videos, procedural actors, or a set of heads filmed by many cameras at once."""

Category = Literal["full", "half"]
CATEGORIES: Final[tuple[Category, ...]] = ("full", "half")
"""What training holds in balance: people from head to foot, and all others."""

View = Literal["yaw_min", "yaw_median", "yaw_max", "half_body", "standing"]
"""Why a picture is a reference: by its yaw in the whole performance, as the upper half of a full-body picture, or because
the actor stood at ease for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipReference:
    """A picture of the clip's person.

    Attributes:
        view: why it was chosen.
        picture: at the clip's size, with a track of one frame and the person's mask.
        frame: its frame in the whole performance; -1 where it is no frame of it.
        inside: whether that frame is one of the clip's own (of the same camera).
        latent: [C, h, w] float16 of the picture, if latents were asked for.
    """

    view: View
    picture: ReferenceImage
    frame: int
    inside: bool
    latent: Tensor | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipRecord:
    """A clip and its references.

    Attributes:
        key: name of the record, unlike all others of a data set.
        source: video file or actor it was taken from, for people.
        kind: one of `KINDS`.
        category: one of `CATEGORIES`; framing: portrait, upper or full.
        frames: [T, H, W, 3] uint8; mask: [T, H, W] uint8, 255 on the person.
        track: of the clip, in pixels of its frames.
        exact: whether tracks and masks are the truth (drawn actors) or perceived, errors included.
        references: the one with the median yaw first.
        expression: [T, E] float32 where it is known (actors), else None.
        latent: [C, F, h, w] float16 of the frames, if latents were asked for.
        seed: the actor's, or a number made of the key.
        camera: which camera of several.
    """

    key: str
    source: str
    kind: Kind
    category: Category
    framing: str
    frames: Tensor
    mask: Tensor
    track: PersonTrack
    exact: bool
    references: tuple[ClipReference, ...]
    expression: Tensor | None
    latent: Tensor | None = None
    seed: int
    camera: str = ""

    def __post_init__(self) -> None:
        dims = expect_shape("frames", self.frames, "T H W 3")
        expect_shape("mask", self.mask, "T H W", **{axis: dims[axis] for axis in "THW"})
        expect_shape("track.cut", self.track.cut, "T", T=dims["T"])
        if self.expression is not None:
            expect_shape("expression", self.expression, "T E", T=dims["T"])
        if self.latent is not None:
            expect_shape("latent", self.latent, "C F h w")

    @property
    def num_frames(self) -> int:
        return int(self.frames.shape[0])

    def part(self, span: slice) -> ClipRecord:
        """A stretch of the clip, without its latent: a causal encoder sees a stretch otherwise than the whole."""
        start, stop, _ = span.indices(self.num_frames)
        return replace(
            self,
            frames=self.frames[start:stop],
            mask=self.mask[start:stop],
            track=self.track[start:stop],
            expression=None if self.expression is None else self.expression[start:stop],
            latent=None,
        )

    def as_sample(self) -> ActorSample:
        """The clip as `guide_sample` takes it; `expression` is [T, 0] where nobody knows it."""
        expression = self.frames.new_zeros(self.num_frames, 0).float() if self.expression is None else self.expression
        return ActorSample(
            seed=self.seed,
            frames=self.frames,
            mask=self.mask,
            track=self.track,
            expression=expression,
            references=tuple(reference.picture for reference in self.references),
            exact=self.exact,
        )


def seed_of(key: str) -> int:
    """A number below 2^31 that belongs to a key, equal on every machine."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "little") >> 1


def described(clip: ClipRecord) -> Mapping[str, Any]:
    """What is said about a clip beside its pictures, as JSON can hold it."""
    return {
        "key": clip.key,
        "source": clip.source,
        "kind": clip.kind,
        "category": clip.category,
        "framing": clip.framing,
        "exact": clip.exact,
        "seed": clip.seed,
        "camera": clip.camera,
        "track_source": clip.track.source,
        "references": [
            {"view": one.view, "frame": one.frame, "inside": one.inside, "track_source": one.picture.person.source}
            for one in clip.references
        ],
    }
