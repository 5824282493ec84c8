"""What can be asked of Wan-Animate beyond an ordinary request."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from dreamactor.errors import ConfigError

MemoryMode = Literal["full", "offload", "group", "fp8", "gguf"]
MODES: Final[tuple[MemoryMode, ...]] = get_args(MemoryMode)
AUTO: Final = "auto"
PROMPT: Final = "视频中的人在做动作"
"""What the model was trained with: the person in the video makes movements."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lora:
    """Low-rank weights that are added to the transformer's.

    Attributes:
        file: safetensors.
        licence: of the weights, for people.
        steps: sampling steps of a distilled model; None: the weights change nothing about that.
    """

    file: Path
    licence: str
    steps: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WanOptions:
    """Settings of Wan-Animate alone.

    Attributes:
        memory: one of `MODES`, or `AUTO`; see `dreamactor.inference.wan.memory`.
        replaces: put the character into the driving video, instead of the motion into the character's picture.
        lora: low-rank weights, such as a distilled model's; None: none.
        prompt: the text that the model reads.

    Raises:
        ConfigError: a value that cannot work.
    """

    memory: str = AUTO
    replaces: bool = False
    lora: Lora | None = None
    prompt: str = PROMPT

    def __post_init__(self) -> None:
        if self.memory not in (AUTO, *MODES):
            raise ConfigError(f"Unknown --memory '{self.memory}'. Known: {', '.join((AUTO, *MODES))}.")
        if not self.prompt.strip():
            raise ConfigError("--prompt is empty. Leave it out for the text that the model was trained with.")

    def given(self) -> str | None:
        """The first option that is not left at its default, as it is typed."""
        default = WanOptions()
        typed = (("--memory", "memory"), ("--replace", "replaces"), ("--lora", "lora"), ("--prompt", "prompt"))
        return next((option for option, name in typed if getattr(self, name) != getattr(default, name)), None)
