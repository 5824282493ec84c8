"""Laws of reading and writing pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from dreamactor.errors import MediaError, OutputError
from dreamactor.video.image import read_image, write_image
from dreamactor.video.writer import VideoWriter


def picture(width: int = 40, height: int = 30) -> Tensor:
    x, y = torch.arange(width).expand(height, width), torch.arange(height)[:, None].expand(height, width)
    return torch.stack([x * 6, y * 8, (x + y) * 3], dim=-1).to(torch.uint8)


def test_png_keeps_every_value(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", picture())
    assert torch.equal(read_image(tmp_path / "a.png"), picture())


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.webp"])
def test_lossy_formats_stay_near(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / name, picture())
    assert (read_image(tmp_path / name).float() - picture().float()).abs().mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    upright = Image.fromarray(picture().numpy())
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that a viewer's turn takes back
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    assert torch.equal(read_image(tmp_path / "a.png"), picture())


def test_transparent_parts_show_the_background(tmp_path: Path) -> None:
    colours = np.dstack([picture().numpy(), np.full((30, 40), 255, np.uint8)])
    colours[:10, :, 3] = 0
    colours[10:20, :, 3] = 128
    Image.fromarray(colours, "RGBA").save(tmp_path / "a.png")
    seen = read_image(tmp_path / "a.png", background=(10, 200, 30))
    assert torch.equal(seen[20:], picture()[20:])
    assert (seen[:10] == torch.tensor([10, 200, 30])).all()
    half = (picture()[10:20].float() * 128 + torch.tensor([10.0, 200.0, 30.0]) * 127) / 255
    assert (seen[10:20].float() - half).abs().max() <= 1.5


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "CMYK", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    grey = picture()[..., 0].numpy()
    if mode == "I;16":
        Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "a.png")
    elif mode in ("I", "F"):
        Image.fromarray(grey.astype(np.int32 if mode == "I" else np.float32)).save(tmp_path / "a.tif")
    elif mode == "CMYK":
        Image.fromarray(picture().numpy()).convert("CMYK").save(tmp_path / "a.jpg", quality=100, subsampling=0)
    else:
        Image.fromarray(grey).convert(mode).save(tmp_path / "a.png")
    seen = read_image(next(tmp_path.iterdir()))
    assert seen.shape == (30, 40, 3)
    assert seen.dtype == torch.uint8
    if mode == "CMYK":
        assert (seen.float() - picture().float()).abs().mean() < 4
    elif mode != "1":
        assert (seen.float() - torch.from_numpy(grey)[..., None].float()).abs().max() <= 1


def test_palette_with_transparency_shows_the_background(tmp_path: Path) -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.putpixel((0, 0), 0)
    image.save(tmp_path / "a.png", transparency=0)
    seen = read_image(tmp_path / "a.png", background=(1, 2, 3))
    assert seen[0, 0].tolist() == [1, 2, 3]
    assert seen[1, 1].tolist() == [255, 0, 0]


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds next to nothing."""
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def test_bad_pictures_get_one_clear_line(tmp_path: Path) -> None:
    write_image(tmp_path / "whole.jpg", torch.randint(0, 255, (200, 200, 3), dtype=torch.uint8))
    write_image(tmp_path / "whole.png", torch.randint(0, 255, (200, 200, 3), dtype=torch.uint8))
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:3000])
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:3000])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("no picture\n" * 20)
    (tmp_path / "zero.png").write_bytes(png_header(0, 0))
    (tmp_path / "huge.png").write_bytes(png_header(12000, 12000))
    (tmp_path / "bomb.png").write_bytes(png_header(60000, 60000))
    (tmp_path / "bodyless.png").write_bytes(png_header(20, 20))
    with VideoWriter(tmp_path / "video.mp4", width=16, height=16, fps=Fraction(25)) as writer:
        writer.write(torch.zeros(2, 16, 16, 3, dtype=torch.uint8))
    reasons = {
        "absent.png": "No such file",
        "empty.png": "empty",
        "text.png": "not a picture",
        "zero.png": "picture|pixels",
        "huge.png": "too large",
        "bomb.png": "too large",
        "cut.jpg": "damaged or cut off",
        "cut.png": "damaged or cut off",
        "bodyless.png": "damaged or cut off",
        "video.mp4": "is a video",
        ".": "folder",
    }
    for name, reason in reasons.items():
        with pytest.raises(MediaError, match=reason) as caught:
            read_image(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_writing_leaves_nothing_behind_on_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full_disk)
    with pytest.raises(OutputError, match="No space"):
        write_image(tmp_path / "a.png", picture())
    with pytest.raises(OutputError, match="must end in"):
        write_image(tmp_path / "a.xyz", picture())
    assert not list(tmp_path.iterdir())
