"""Picture files -> upright RGB, and back."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from dreamactor.errors import MediaError, OutputError
from dreamactor.types.shapes import expect_shape
from dreamactor.video.output import atomic_path
from dreamactor.video.provenance import Provenance, sign_file

MAX_PIXELS = 100_000_000

_WRITE_OPTIONS: dict[str, tuple[str, dict[str, object]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", {"quality": 95}),
}


def read_image(path: Path, *, background: tuple[int, int, int] = (255, 255, 255)) -> Tensor:
    """Reads a PNG, JPEG or WebP picture (first frame of an animation), turned upright by its EXIF orientation.

    Args:
        path: picture file; grey, palette, CMYK and 16 bit are converted.
        background: RGB colour that shows through transparent parts.

    Returns:
        [H, W, 3] uint8 RGB.
    """
    path = Path(path)
    if path.is_dir():
        raise MediaError(f"{path} is a folder. Give a picture file.")
    if not path.is_file():
        raise MediaError(f"No such file: {path}. Check the path.")
    if path.stat().st_size == 0:
        raise MediaError(f"{path} is empty (0 bytes). Copy or download it again.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(path)
    except UnidentifiedImageError as error:
        raise MediaError(_why_no_picture(path)) from error
    except Image.DecompressionBombError as error:
        raise MediaError(f"{path} is too large: {error}. Scale it below {MAX_PIXELS // 1_000_000} megapixels.") from error
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise MediaError(f"{path} cannot be read as a picture: {error}. Save it again as PNG or JPEG.") from error
    with picture:
        width, height = picture.size
        if width < 1 or height < 1:
            raise MediaError(f"{path} has no pixels ({width}x{height}). Save it again as PNG or JPEG.")
        if width * height > MAX_PIXELS:
            raise MediaError(
                f"{path} is too large: {width}x{height} pixels. Scale it below {MAX_PIXELS // 1_000_000} megapixels."
            )
        try:
            upright = ImageOps.exif_transpose(picture)
            rgb = _to_rgb(upright, background)
        except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
            raise MediaError(f"{path} is damaged or cut off: {error}. Copy or save it again.") from error
    return torch.from_numpy(np.array(rgb))


def write_image(path: Path, image: Tensor, *, provenance: Provenance | None = None) -> None:
    """Writes [H, W, 3] uint8 RGB as PNG, JPEG or WebP, by the file's ending; the file appears whole or not at all.

    With `provenance` the file carries content credentials.
    """
    path = Path(path)
    expect_shape("image", image, "H W 3")
    if image.dtype != torch.uint8:
        raise ValueError(f"image must be uint8, got {image.dtype}")
    if path.suffix.lower() not in _WRITE_OPTIONS:
        raise OutputError(f"Cannot write {path}: the name must end in {', '.join(_WRITE_OPTIONS)}.")
    kind, options = _WRITE_OPTIONS[path.suffix.lower()]
    with atomic_path(path) as part:
        try:
            Image.fromarray(image.cpu().contiguous().numpy(), "RGB").save(part, kind, **options)
        except OSError as error:
            raise OutputError(f"Cannot write {path}: {error}. Free space or choose another folder.") from error
        if provenance is not None:
            sign_file(part, provenance)


def _to_rgb(picture: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        return Image.fromarray(_deep_grey_to_bytes(np.asarray(picture))).convert("RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, (*background, 255)), layer).convert("RGB")
    return picture.convert("RGB")


def _deep_grey_to_bytes(levels: np.ndarray) -> np.ndarray:
    """Grey of 16 bit, 32 bit or float -> uint8; the range is read off the type and the brightest pixel."""
    bright = float(levels.max()) if levels.size else 0.0
    if levels.dtype == np.uint16 or bright > 255:
        scale = 255.0 / 65535.0
    else:
        scale = 255.0 if np.issubdtype(levels.dtype, np.floating) and bright <= 1.0 else 1.0
    return np.clip(np.rint(np.nan_to_num(levels.astype(np.float64)) * scale), 0, 255).astype(np.uint8)


def _why_no_picture(path: Path) -> str:
    from dreamactor.video.reader import probe  # only a failed picture pays for the video library

    try:
        probe(path)
    except MediaError:
        return f"{path} is not a picture that can be read. Give a PNG, JPEG or WebP file."
    return f"{path} is a video, not a picture. Give a PNG, JPEG or WebP file, or pass it as the driving video."
