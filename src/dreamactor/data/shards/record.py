"""A clip as the members of a tar archive, in webdataset's layout, and back.

KEY.json                 what is said about the clip
KEY.tensors.safetensors  tracks of clip and references, expression
KEY.latent.safetensors   latents, where they were asked for
KEY.f000.png ...         frames (jpg where they came from a video that was compressed anyhow)
KEY.mask.png             masks of all frames, one below the other
KEY.ref0.png ...         references;  KEY.ref0mask.png ... their masks
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from dreamactor.data.clips import ClipRecord, ClipReference, described
from dreamactor.data.packing import pack_track, unpack_track
from dreamactor.data.shards.index import ClipEntry
from dreamactor.errors import InputError
from dreamactor.types.guidance import ReferenceImage

RECORD_VERSION: Final = 1
"""Raised when a record changes its meaning."""
_LOSSY: Final = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
_LOSSLESS: Final = [cv2.IMWRITE_PNG_COMPRESSION, 3]

Members = dict[str, bytes]
"""Ending of the member's name (after the key and a dot) -> its bytes."""


def pack_clip(clip: ClipRecord) -> Members:
    """A clip as members of an archive: exact clips lose nothing, the others' pictures become JPEGs of quality 95."""
    ending = "png" if clip.exact else "jpg"
    tensors = pack_track("track", clip.track)
    if clip.expression is not None:
        tensors["expression"] = clip.expression
    members: Members = {"json": json.dumps({"version": RECORD_VERSION, "pictures": ending, **described(clip)}).encode()}
    for index, frame in enumerate(clip.frames):
        members[f"f{index:03d}.{ending}"] = _encode(frame, ending)
    members["mask.png"] = _encode(clip.mask.flatten(0, 1), "png")
    for index, reference in enumerate(clip.references):
        tensors |= pack_track(f"ref{index}", reference.picture.person)
        members[f"ref{index}.{ending}"] = _encode(reference.picture.image, ending)
        if reference.picture.mask is not None:
            members[f"ref{index}mask.png"] = _encode(reference.picture.mask, "png")
    members["tensors.safetensors"] = _pack(tensors)
    if clip.latent is not None:
        members["latent.safetensors"] = pack_latents(clip.latent, [one.latent for one in clip.references])
    return members


def pack_latents(latent: Tensor, references: list[Tensor | None]) -> bytes:
    """Latents [C, F, h, w] of a clip and [C, h, w] of its references, as one member."""
    named = {f"ref{index}": one for index, one in enumerate(references) if one is not None}
    return _pack({"clip": latent, **named})


def unpack_clip(members: Mapping[str, bytes]) -> ClipRecord:
    """The clip that `pack_clip` packed.

    Raises:
        KeyError, ValueError: a member is missing or damaged.
    """
    said: dict[str, Any] = json.loads(members["json"])
    if said["version"] != RECORD_VERSION:
        raise ValueError(f"record of version {said['version']}, this program reads version {RECORD_VERSION}")
    ending = said["pictures"]
    tensors = load(members["tensors.safetensors"])
    latents = load(members["latent.safetensors"]) if "latent.safetensors" in members else {}
    track = unpack_track("track", tensors, source=said["track_source"])
    frames = torch.stack([_decode(members[f"f{index:03d}.{ending}"]) for index in range(track.num_frames)])
    references = [
        ClipReference(
            view=one["view"],
            frame=one["frame"],
            inside=one["inside"],
            latent=latents.get(f"ref{index}"),
            picture=ReferenceImage(
                image=_decode(members[f"ref{index}.{ending}"]),
                person=unpack_track(f"ref{index}", tensors, source=one["track_source"]),
                mask=_decode(members[f"ref{index}mask.png"]) if f"ref{index}mask.png" in members else None,
            ),
        )
        for index, one in enumerate(said["references"])
    ]
    return ClipRecord(
        **{name: said[name] for name in ("key", "source", "kind", "category", "framing", "exact", "seed", "camera")},
        frames=frames,
        mask=_decode(members["mask.png"]).unflatten(0, (track.num_frames, -1)),
        track=track,
        references=tuple(references),
        expression=tensors.get("expression"),
        latent=latents.get("clip"),
    )


def load_clip(entry: ClipEntry) -> ClipRecord:
    """Reads one clip out of its shard, without reading the rest of the shard.

    Raises:
        InputError: the shard is missing, damaged, or not the one that the index describes.
    """
    try:
        with entry.shard.open("rb") as stream:
            stream.seek(entry.offset)
            members = split_members(stream.read(entry.num_bytes))
        return unpack_clip(members[entry.key])
    except (OSError, KeyError, ValueError, TypeError, tarfile.TarError) as error:
        raise InputError(
            f"Clip {entry.key} cannot be read from {entry.shard} ({error}). "
            "Copy the shard again, or delete its folder and run `dreamactor build-data` again."
        ) from error


def split_members(archive: bytes) -> dict[str, Members]:
    """Records of (a piece of) an uncompressed tar archive: key -> members, in the order of the archive."""
    found: dict[str, Members] = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        for info in tar:
            stream = tar.extractfile(info)
            if stream is not None:
                key, _, ending = info.name.partition(".")
                found.setdefault(key, {})[ending] = stream.read()
    return found


def write_members(stream: io.BufferedIOBase, key: str, members: Mapping[str, bytes]) -> tuple[int, int]:
    """Appends a record to an archive that is being written; returns its first byte and how many bytes it takes."""
    start = stream.tell()
    for ending, content in members.items():
        info = tarfile.TarInfo(f"{key}.{ending}")
        info.size, info.mode = len(content), 0o644
        stream.write(info.tobuf(tarfile.USTAR_FORMAT))
        stream.write(content)
        stream.write(b"\0" * (-len(content) % tarfile.BLOCKSIZE))
    return start, stream.tell() - start


def end_archive(stream: io.BufferedIOBase) -> None:
    """Writes the end of an archive: two empty blocks, filled up to a whole record as tar expects."""
    stream.write(b"\0" * (2 * tarfile.BLOCKSIZE))
    stream.write(b"\0" * (-stream.tell() % tarfile.RECORDSIZE))


def _pack(tensors: dict[str, Tensor]) -> bytes:
    return save({name: value.contiguous().clone() for name, value in tensors.items()})


def _encode(picture: Tensor, ending: str) -> bytes:
    """[H, W, 3] or [H, W] uint8 as a PNG or JPEG file."""
    pixels = picture.contiguous().numpy()
    pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    done, coded = cv2.imencode(f".{ending}", pixels, _LOSSLESS if ending == "png" else _LOSSY)
    assert done
    return coded.tobytes()


def _decode(coded: bytes) -> Tensor:
    pixels = cv2.imdecode(np.frombuffer(coded, dtype=np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("a picture is damaged")
    return torch.from_numpy(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if pixels.ndim == 3 else pixels)
