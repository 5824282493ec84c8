"""What is compared with what, and how much of everything each side gets. Trains and measures nothing."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from dreamactor.data.actors import NUM_EXPRESSION
from dreamactor.errors import ConfigError
from dreamactor.models.dit import DiTConfig
from dreamactor.models.proxy_decoder import ProxyDecoderConfig
from dreamactor.models.vae import VAEConfig
from dreamactor.recipes import actor
from dreamactor.recipes.tiny import tiny_bundle


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One setting of all switches; the defaults are what every comparison starts from, the paper's mode without proxy.

    Attributes:
        references: "single", or "multi": trained with pictures at the least, median and greatest yaw of the source
            performance beside the reference, and animated in two stages with pseudo references chosen alike (section 3.3).
        adjust_bones: the driver's skeleton takes the character's proportions (section 3.2); a switch of inference alone.
        pose: "skeleton" (and head sphere), or "mesh": an untextured body instead of both.
        face: "landmarks" or "implicit" (RGB crops). Both encoders learn to read the same face motion codes off the same
            frames; the DiT learns from the exact codes, as in the actor's recipe, and is shared.
        reference_mode: of the DiT.
        proxy: the textured proxy in DiT and decoder.
    """

    references: Literal["single", "multi"] = "single"
    adjust_bones: bool = True
    pose: Literal["skeleton", "mesh"] = "skeleton"
    face: Literal["landmarks", "implicit"] = "landmarks"
    reference_mode: Literal["symmetric", "one_way"] = "one_way"
    proxy: bool = False

    @property
    def trained(self) -> str:
        """Names what is trained: variants of one name share DiT and decoder."""
        return f"{self.references}-{self.pose}-{self.reference_mode}-{'proxy' if self.proxy else 'pure'}"

    @property
    def key(self) -> str:
        """Names the variant."""
        return f"{self.trained}-{self.face}-{'adjusted' if self.adjust_bones else 'unadjusted'}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One side of a comparison."""

    name: str
    variant: Variant


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Two variants that differ in one switch.

    Attributes:
        name: what is typed.
        after: where the comparison comes from.
        a, b: the sides; A is the one that its proposers expect to win.
        cases: set of held-out cases that shows the difference.
    """

    name: str
    after: str
    a: Side
    b: Side
    cases: str

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.a, self.b


_BASE: Final = Variant()
_EVERY: Final = (
    Comparison(
        name="references",
        after="Table 3",
        a=Side(name="multi", variant=replace(_BASE, references="multi")),
        b=Side(name="single", variant=_BASE),
        cases="unseen",
    ),
    Comparison(
        name="bone_lengths",
        after="Figure 6",
        a=Side(name="adjusted", variant=_BASE),
        b=Side(name="unadjusted", variant=replace(_BASE, adjust_bones=False)),
        cases="cross_identity",
    ),
    Comparison(
        name="pose_control",
        after="Figure 6",
        a=Side(name="skeleton", variant=_BASE),
        b=Side(name="mesh", variant=replace(_BASE, pose="mesh")),
        cases="cross_identity",
    ),
    Comparison(
        name="face_encoder",
        after="Figure 6",
        a=Side(name="implicit", variant=replace(_BASE, face="implicit")),
        b=Side(name="landmarks", variant=_BASE),
        cases="expressions",
    ),
    Comparison(
        name="reference_mode",
        after="ours",
        a=Side(name="symmetric", variant=replace(_BASE, reference_mode="symmetric")),
        b=Side(name="one_way", variant=_BASE),
        cases="cross_identity",
    ),
    Comparison(
        name="textured_proxy",
        after="ours",
        a=Side(name="proxy", variant=replace(_BASE, proxy=True)),
        b=Side(name="pure", variant=_BASE),
        cases="cross_identity",
    ),
)
COMPARISONS: Final = {comparison.name: comparison for comparison in _EVERY}
"""Name -> comparison."""


def choose_comparisons(names: Sequence[str]) -> tuple[Comparison, ...]:
    """The named comparisons in their usual order; all where none is named.

    Raises:
        ConfigError: an unknown name.
    """
    for name in names:
        if name not in COMPARISONS:
            close = difflib.get_close_matches(name, COMPARISONS, n=1, cutoff=0.5)
            meant = f" Did you mean '{close[0]}'?" if close else ""
            raise ConfigError(f"Unknown comparison '{name}'.{meant} Known: {', '.join(COMPARISONS)}.")
    return tuple(comparison for name, comparison in COMPARISONS.items() if not names or name in names)


@dataclass(frozen=True, kw_only=True, slots=True)
class AblationBudget:
    """How much of everything, the same for every variant.

    Attributes:
        preset: its name.
        vae, dit, decoder: shapes; of the DiT the reference mode is the variant's.
        face_width: width of the landmark encoder.
        num_samples, size, num_frames: training clips, their pixels and frames.
        colourings: how many times the DiT sees each clip, every time in other colours.
        vae_steps, face_steps, dit_steps, decoder_steps: optimizer steps.
        vae_batch, face_batch, dit_batch, decoder_batch: batch sizes; of the decoder in frames.
        crop: side in pixels of the decoder's crops, and of the VAE's up to 64.
        cases, case_size, case_frames: held-out cases of a comparison, their pixels and judged frames.
        sampling_steps: of inference.
        workers: processes that draw.
    """

    preset: str
    vae: VAEConfig
    dit: DiTConfig
    decoder: ProxyDecoderConfig
    face_width: int
    num_samples: int
    size: int
    num_frames: int
    colourings: int
    vae_steps: int
    face_steps: int
    dit_steps: int
    decoder_steps: int
    vae_batch: int
    face_batch: int
    dit_batch: int
    decoder_batch: int
    crop: int
    cases: int
    case_size: int
    case_frames: int
    sampling_steps: int
    workers: int


def tiny_budget() -> AblationBudget:
    """The shapes of the tiny recipe and a few steps: walks the whole road in seconds and proves nothing about people."""
    shapes = tiny_bundle()
    return AblationBudget(
        preset="tiny", vae=shapes.vae.config, face_width=shapes.face.width,
        dit=replace(shapes.dit_config, face_code_dim=NUM_EXPRESSION),
        decoder=replace(shapes.decoder.config, face_code_dim=NUM_EXPRESSION),
        num_samples=6, size=64, num_frames=9, colourings=1,
        vae_steps=20, face_steps=8, dit_steps=12, decoder_steps=8,
        vae_batch=4, face_batch=4, dit_batch=2, decoder_batch=4, crop=32,
        cases=3, case_size=64, case_frames=9, sampling_steps=2, workers=1,
    )  # fmt: skip


def actor_budget() -> AblationBudget:
    """The shapes of the embedded model and about a quarter of its recipe's steps, so that many variants can be afforded."""
    return AblationBudget(
        preset="actor", vae=actor.VAE, dit=actor.DIT, decoder=actor.DECODER, face_width=256,
        num_samples=300, size=256, num_frames=13, colourings=2,
        vae_steps=800, face_steps=1500, dit_steps=800, decoder_steps=1200,
        vae_batch=16, face_batch=32, dit_batch=8, decoder_batch=8, crop=128,
        cases=24, case_size=256, case_frames=25, sampling_steps=2, workers=2,
    )  # fmt: skip


PRESETS: Final = {"tiny": tiny_budget, "actor": actor_budget}


def budget_of(preset: str) -> AblationBudget:
    """The budget of a preset.

    Raises:
        ConfigError: an unknown preset.
    """
    if preset not in PRESETS:
        raise ConfigError(f"Unknown preset '{preset}'. Known: {', '.join(PRESETS)}.")
    return PRESETS[preset]()
