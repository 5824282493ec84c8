"""Pictures of speech for people: frames over the waveform, and curves of how far a mouth opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor

from dreamactor.video.resize import resize_frames

_COLOURS: Final = ((220, 220, 220), (255, 170, 60), (90, 180, 255), (130, 220, 120))
_FRAME_PX, _WAVE_PX, _CURVE_PX = 112, 60, 140


def speech_sheet(frames: Tensor | None, samples: Tensor, curves: Mapping[str, Tensor], *, num_frames: int = 16) -> Tensor:
    """[H, W, 3] uint8: frames, evenly chosen, over the sound's waveform and the curves, all on one axis of time.

    Args:
        frames: [T, H, W, 3] uint8, or None for curves alone.
        samples: [N] sound of the same time.
        curves: name -> [T], each drawn between its own lowest and highest value.
    """
    width = num_frames * _FRAME_PX
    rows = []
    if frames is not None:
        side = min(frames.shape[1:3])
        middle = (frames.shape[2] - side) // 2
        index = torch.linspace(0, len(frames) - 1, num_frames).round().long()
        shown = resize_frames(frames[index, :side, middle : middle + side], width=_FRAME_PX, height=_FRAME_PX)
        rows.append(np.concatenate(list(shown.numpy()), axis=1))
    rows += [_waveform(samples.numpy(), width), _drawn(curves, width)]
    return torch.from_numpy(np.concatenate(rows, axis=0))


def _waveform(samples: np.ndarray, width: int) -> np.ndarray:
    picture = np.full((_WAVE_PX, width, 3), 20, dtype=np.uint8)
    edges = np.linspace(0, len(samples), width + 1).astype(int)
    loudest = max(float(np.abs(samples).max()), 1e-6)
    for x in range(width):
        piece = samples[edges[x] : max(edges[x + 1], edges[x] + 1)]
        half = int(np.abs(piece).max(initial=0.0) / loudest * (_WAVE_PX / 2 - 2))
        picture[_WAVE_PX // 2 - half : _WAVE_PX // 2 + half + 1, x] = (120, 120, 120)
    return picture


def _drawn(curves: Mapping[str, Tensor], width: int) -> np.ndarray:
    picture = np.full((_CURVE_PX, width, 3), 20, dtype=np.uint8)
    for place, (name, values) in enumerate(curves.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        low, high = float(values.min()), max(float(values.max()), float(values.min()) + 1e-6)
        y = _CURVE_PX - 6 - (values.numpy() - low) / (high - low) * (_CURVE_PX - 30)
        x = (np.arange(len(values)) + 0.5) / len(values) * width
        line = np.stack([x, y], axis=1).round().astype(np.int32)
        cv2.polylines(picture, [line], isClosed=False, color=colour, thickness=1, lineType=cv2.LINE_AA)
        cv2.putText(picture, name, (8 + 220 * place, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
    return picture
