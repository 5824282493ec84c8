"""Pictures beside each other: previews and contact sheets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from dreamactor.video.resize import fit_to_canvas, resize_frames

_GROUND = (24, 24, 24)
_TEXT = (235, 235, 235)


def side_by_side(clips: Sequence[Tensor], height: int, gap: int = 4) -> Tensor:
    """Scales clips to one height and puts them in a row.

    Args:
        clips: each [T, H, W, 3] uint8 with the same T; sizes may differ.
        height: even height of the result.
        gap: pixels between clips.

    Returns:
        [T, height, W, 3] uint8 with an even W, so that it can be written as video.
    """
    lengths = {len(clip) for clip in clips}
    if len(lengths) != 1:
        raise ValueError(f"clips must have the same number of frames, got {sorted(lengths)}")
    row: list[Tensor] = []
    for clip in clips:
        width = max(1, round(clip.shape[2] * height / clip.shape[1]))
        row += [resize_frames(clip, width=width, height=height), _filled(len(clip), height, gap)]
    row.pop()
    if sum(part.shape[2] for part in row) % 2:
        row.append(_filled(len(clips[0]), height, 1))
    return torch.cat(row, dim=2)


def contact_sheet(
    rows: Sequence[Sequence[Tensor]],
    labels: Sequence[str] | None = None,
    titles: Sequence[str] | None = None,
    *,
    cell_height: int | None = None,
    gap: int = 4,
) -> Tensor:
    """Pictures in rows, with an optional label left of each row and a title above each column.

    Args:
        rows: pictures [H, W, 3] uint8; rows may differ in length, pictures in size (each is fitted into its cell).
        labels: one text per row.
        titles: one text per column.
        cell_height: height of the cells; None takes the largest picture as it is.
        gap: pixels between cells.

    Returns:
        [H, W, 3] uint8.
    """
    pictures = [picture for row in rows for picture in row]
    if not pictures:
        raise ValueError("a contact sheet needs at least one picture")
    if labels is not None and len(labels) != len(rows):
        raise ValueError(f"got {len(labels)} labels for {len(rows)} rows")
    tall = cell_height or max(int(picture.shape[0]) for picture in pictures)
    scale = tall / max(int(picture.shape[0]) for picture in pictures)
    wide = max(1, round(max(int(picture.shape[1]) for picture in pictures) * scale))
    font_size = max(11.0, tall / 14)
    font = ImageFont.load_default(size=font_size)
    margin = 0 if labels is None else gap + max(int(font.getlength(line)) for text in labels for line in text.split("\n"))
    header = 0 if titles is None else gap + round(font_size * 1.3)
    columns = max(len(row) for row in rows)
    size = (margin + gap + columns * (wide + gap), header + gap + len(rows) * (tall + gap))
    sheet = Image.new("RGB", size, _GROUND)
    draw = ImageDraw.Draw(sheet)
    for column, title in enumerate(titles or ()):
        draw.text((margin + gap + column * (wide + gap), gap), title, font=font, fill=_TEXT)
    for index, row in enumerate(rows):
        top = header + gap + index * (tall + gap)
        if labels is not None:
            draw.multiline_text((gap, top), labels[index], font=font, fill=_TEXT)
        for column, picture in enumerate(row):
            cell, _ = fit_to_canvas(picture, width=wide, height=tall, background=_GROUND)
            sheet.paste(Image.fromarray(cell.cpu().numpy()), (margin + gap + column * (wide + gap), top))
    return torch.from_numpy(np.array(sheet))


def _filled(num_frames: int, height: int, width: int) -> Tensor:
    return torch.tensor(_GROUND, dtype=torch.uint8).expand(num_frames, height, width, 3)
