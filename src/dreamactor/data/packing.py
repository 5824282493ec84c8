"""Tracks as named tensors, for files that hold tensors only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from fractions import Fraction
from typing import Any, Final

import torch
from torch import Tensor

from dreamactor.types.track import BodyTrack, CameraTrack, FaceTrack, HandTrack, HeadTrack, PersonTrack
from dreamactor.types.video import FrameTimes

_PARTS: Final[dict[str, type[Any]]] = {"body": BodyTrack, "hands": HandTrack, "head": HeadTrack, "face": FaceTrack}


def pack_track(prefix: str, track: PersonTrack) -> dict[str, Tensor]:
    """Everything of a track but its source, as tensors whose names begin with `prefix`."""
    parts: dict[str, Any] = {name: getattr(track, name) for name in _PARTS}
    if track.camera is not None:
        parts["camera"] = track.camera
    packed = {
        f"{prefix}.{name}.{field.name}": getattr(part, field.name).contiguous()
        for name, part in parts.items()
        for field in fields(part)
    }
    packed[f"{prefix}.size"] = torch.tensor([track.width, track.height])
    packed[f"{prefix}.cut"] = track.cut.contiguous()
    packed[f"{prefix}.pts"] = track.times.pts.contiguous()
    packed[f"{prefix}.time_base"] = torch.tensor([track.times.time_base.numerator, track.times.time_base.denominator])
    return packed


def unpack_track(prefix: str, packed: Mapping[str, Tensor], *, source: str) -> PersonTrack:
    """The track that `pack_track` packed; samples from before times were kept have 25 frames a second.

    Raises:
        KeyError: a tensor is missing.
    """

    def part(name: str, kind: type[Any]) -> Any:
        return kind(**{field.name: packed[f"{prefix}.{name}.{field.name}"] for field in fields(kind)})

    width, height = packed[f"{prefix}.size"].tolist()
    parts = {name: part(name, kind) for name, kind in _PARTS.items()}
    num_frames = len(parts["body"].tracked)
    times = FrameTimes.constant(num_frames, Fraction(25))
    if f"{prefix}.pts" in packed:
        times = FrameTimes(pts=packed[f"{prefix}.pts"], time_base=Fraction(*packed[f"{prefix}.time_base"].tolist()))
    return PersonTrack(
        width=width,
        height=height,
        times=times,
        cut=packed.get(f"{prefix}.cut", torch.zeros(num_frames, dtype=torch.bool)),
        source=source,
        camera=part("camera", CameraTrack) if f"{prefix}.camera.known" in packed else None,
        **parts,
    )
