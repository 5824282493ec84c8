"""Files that strangers send: told by their content, measured before anything is decoded, stored under names of ours."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path
from typing import IO, Final, Literal

import av
from PIL import Image

from dreamactor.app.studio.settings import MIB, StudioSettings
from dreamactor.errors import InputError, MediaError
from dreamactor.video.audio import open_media

FileKind = Literal["picture", "video", "sound", "motion"]
MAX_REFERENCES: Final = 8
_MAX_PICTURE_PIXELS: Final = 50_000_000
_MAX_MOTION_BYTES: Final = 256 * MIB
_MAX_SOUND_S: Final = 600.0
_STILL_BRANDS: Final = (b"heic", b"heix", b"mif1", b"avif", b"msf1", b"avis")
_SOUND_BRANDS: Final = (b"M4A ", b"M4B ")
_CHUNK: Final = MIB


def kind_of(path: Path) -> tuple[FileKind, str]:
    """What a file is, by its first bytes, and the suffix it gets.

    Raises:
        MediaError: nothing we take.
    """
    with path.open("rb") as stream:
        head = stream.read(16)
    if not head:
        raise MediaError("An uploaded file is empty (0 bytes). Send it again.")
    match head:
        case _ if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return "picture", ".png"
        case _ if head.startswith(b"\xff\xd8\xff"):
            return "picture", ".jpg"
        case _ if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return "picture", ".webp"
        case _ if head[4:8] == b"ftyp" and head[8:12] not in _STILL_BRANDS:
            return ("sound", ".m4a") if head[8:12] in _SOUND_BRANDS else ("video", ".mp4")
        case _ if head.startswith(b"\x1a\x45\xdf\xa3"):
            return "video", ".mkv"
        case _ if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            return "video", ".avi"
        case _ if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
            return "sound", ".wav"
        case _ if head.startswith((b"fLaC", b"OggS", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")):
            return "sound", ".flac" if head.startswith(b"fLaC") else ".ogg" if head.startswith(b"OggS") else ".mp3"
        case _ if head.startswith(b"PK\x03\x04"):
            return "motion", ".npz"
    raise MediaError(
        "An uploaded file is neither a picture (PNG, JPEG, WebP), a video (mp4, mov, mkv, webm, avi), sound (wav, flac, "
        "ogg, mp3, m4a) nor a motion file (.npz)."
    )


def store(source: IO[bytes], folder: Path, role: str, *, wanted: tuple[FileKind, ...], limits: StudioSettings) -> str:
    """Writes an upload into a folder under a name of ours and checks it; returns the name.

    Args:
        source: read to its end.
        role: what it is for, the start of the name.
        wanted: kinds that can be used here.

    Raises:
        MediaError, InputError: not a usable file. Nothing is left of it.
    """
    part = folder / f"{role}.part"
    try:
        with part.open("wb") as stream:
            shutil.copyfileobj(source, stream, _CHUNK)
        kind, suffix = kind_of(part)
        if kind not in wanted:
            raise MediaError(f"The file for {role} is a {kind}; needed is a {' or '.join(wanted)}.")
        final = folder / f"{role}{suffix}"
        part.rename(final)
        try:
            check_size(final, kind, limits)
        except BaseException:
            final.unlink()
            raise
    finally:
        part.unlink(missing_ok=True)
    return final.name


def check_size(path: Path, kind: FileKind, limits: StudioSettings) -> None:
    """Reads what a file says about its own size, and decodes nothing.

    Raises:
        MediaError, InputError: too large, too long, or not what its first bytes say.
    """
    match kind:
        case "picture":
            _check_picture(path)
        case "motion":
            _check_motion(path)
        case "video" | "sound":
            _check_media(path, kind, limits)


def below_roots(name: str, roots: tuple[Path, ...]) -> Path:
    """A file that a job names, if it lies below one of the allowed folders (links are followed first).

    Raises:
        InputError: it does not, or is no file. The message is the same for both, so that nobody can ask what there is.
    """
    try:
        path = Path(os.path.realpath(name))
        allowed = any(path.is_relative_to(Path(os.path.realpath(root))) for root in roots)
        if allowed and path.is_file():
            return path
    except (OSError, ValueError):  # a name with a zero byte, or too long
        pass
    raise InputError("A named file does not exist, or does not lie below a folder that this server may read (--root).")


def _check_picture(path: Path) -> None:
    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as picture:
            width, height = picture.size
    except Image.DecompressionBombError as error:
        raise MediaError(f"A picture is too large. Scale it below {_MAX_PICTURE_PIXELS // 10**6} megapixels.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise MediaError("A picture is damaged. Save it again as PNG or JPEG.") from error
    if width * height > _MAX_PICTURE_PIXELS:
        raise MediaError(f"A picture has {width}x{height} pixels. Scale it below {_MAX_PICTURE_PIXELS // 10**6} megapixels.")


def _check_motion(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            names = {entry.filename for entry in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise MediaError("A motion file is damaged. Write it again with `dreamactor extract`.") from error
    if "header.npy" not in names:
        raise MediaError("A zip archive that is no motion file. Write one with `dreamactor extract`.")
    if unpacked > _MAX_MOTION_BYTES:
        raise MediaError(f"A motion file unpacks to {unpacked // MIB} MiB; {_MAX_MOTION_BYTES // MIB} MiB is the limit.")


def _check_media(path: Path, kind: FileKind, limits: StudioSettings) -> None:
    try:
        with open_media(path) as container:
            duration_s = (container.duration or 0) / av.time_base
            sizes = [(stream.width, stream.height) for stream in container.streams.video]
            has_sound = bool(container.streams.audio)
    except MediaError as error:
        raise MediaError("A video or sound file is damaged, or of a kind that cannot be read. Export it again.") from error
    longest = limits.max_seconds if kind == "video" else _MAX_SOUND_S
    if duration_s > longest:
        raise MediaError(f"A file lasts {duration_s:.0f} s; {longest:.0f} s is the limit of this server. Cut it first.")
    if any(width * height > limits.max_pixels for width, height in sizes):
        raise MediaError(f"A video has more than {limits.max_pixels} pixels in a frame. Scale it down first.")
    if kind == "video" and not sizes:
        raise MediaError("A file holds no video. Send a video such as mp4, mov, mkv or webm.")
    if kind == "sound" and not has_sound:
        raise MediaError("A file holds no sound. Send wav, flac, ogg, mp3 or m4a.")
