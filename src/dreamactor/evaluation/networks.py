"""The networks behind FID, LPIPS and FVD: which file counts, where it lies, how it is fetched, checked and run.

They are TorchScript files that others publish; none comes with the project. A file is known by its SHA-256, so that two
people who print the same hash measured with the same network. Does not know what the features are used for.
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from dreamactor.errors import ConfigError, InputError, OutputError
from dreamactor.perception.cache import cache_folder
from dreamactor.video.output import atomic_path

TIMEOUT_S: Final = 60.0
"""How long a server may stay silent."""
CHUNK_BYTES: Final = 1 << 20
FETCH_COMMAND: Final = "dreamactor evaluate --fetch"


@dataclass(frozen=True, kw_only=True, slots=True)
class PinnedNetwork:
    """One published network and how it is asked.

    Attributes:
        name: short name, a key of `NETWORKS`.
        metric: what it is for, as people write it.
        file_name: name in the networks folder.
        url: where it is published.
        sha256: hex digest of the one file that counts.
        size_mb: size in megabytes, rounded.
        licence: under what it is published, for whoever fetches it.
        protocol: what goes in and what comes out, as it is printed with every number.
    """

    name: str
    metric: str
    file_name: str
    url: str
    sha256: str
    size_mb: int
    licence: str
    protocol: str


_NVIDIA = "NVIDIA Source Code License of StyleGAN2-ADA: not for commercial use"

NETWORKS: Final = {
    network.name: network
    for network in (
        PinnedNetwork(
            name="inception",
            metric="FID",
            file_name="inception-2015-12-05.pt",
            url="https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
            sha256="f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
            size_mb=96,
            licence=_NVIDIA,
            protocol=(
                "every frame stretched to 299 x 299 by antialiased bicubic, neither rounded nor clipped, as clean-fid does; "
                "values 0..255; 2048 features; covariance over N - 1"
            ),
        ),
        PinnedNetwork(
            name="vgg16",
            metric="LPIPS",
            file_name="vgg16.pt",
            url="https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/vgg16.pt",
            sha256="b437eb095feaeb0b83eb3fa11200ebca4548ee39a07fb944a417ddc516cc07c3",
            size_mb=553,
            licence=_NVIDIA,
            protocol="VGG-16; frames at their own size, not resized; values 0..255; summed squared differences of features",
        ),
        PinnedNetwork(
            name="i3d",
            metric="FVD",
            file_name="i3d_torchscript.pt",
            url="https://www.dropbox.com/s/ge9e5ujwgetktms/i3d_torchscript.pt?dl=1",
            sha256="bec6519f66ea534e953026b4ae2c65553c17bf105611c746d904657e5860a5e2",
            size_mb=51,
            licence="published with StyleGAN-V, which names the NVIDIA Source Code License as the likely one",
            protocol=(
                "I3D of Kinetics-400; frames stretched to 224 x 224 by the network's own filter; values 0..255; 400 features"
                "; covariance over N - 1"
            ),
        ),
    )
}
"""The networks by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundNetwork:
    """A network file that is here.

    Attributes:
        pinned: what it stands for.
        path: the file.
        sha256: its own hex digest, whether or not it is the pinned one.
    """

    pinned: PinnedNetwork
    path: Path
    sha256: str

    @property
    def label(self) -> str:
        """File and digest, as printed with every number."""
        note = "" if self.sha256 == self.pinned.sha256 else ", not the pinned file"
        return f"{self.path.name}, SHA-256 {self.sha256}{note}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """Why there is no number.

    Attributes:
        reason: half a sentence that fits into "not computed (...)".
    """

    reason: str


class LoadedNetwork:
    """A network that is ready to be asked, on the CPU."""

    def __init__(self, found: FoundNetwork, module: torch.jit.ScriptModule) -> None:
        self.found = found
        self._module = module

    def features(self, pictures: Tensor, **flags: bool) -> Tensor:
        """What the network sees.

        Args:
            pictures: [N, 3, H, W] or [N, 3, T, H, W] float32, 0..255, RGB.
            flags: switches of the network's own.

        Returns:
            [N, D] float32, finite.

        Raises:
            InputError: the file is another kind of network.
        """
        pinned = self.found.pinned
        try:
            with torch.inference_mode():
                features = self._module(pictures, **flags)
        except (RuntimeError, torch.jit.Error) as error:
            reason = str(error).strip().splitlines()[-1].rstrip(".: ")
            raise InputError(f"{self._refusal(pictures)} {reason}. {_advice(pinned)}") from error
        if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != len(pictures):
            raise InputError(f"{self._refusal(pictures)} its answer is not one list of features each. {_advice(pinned)}")
        if not features.isfinite().all():
            raise InputError(f"{self._refusal(pictures)} its features are not finite. {_advice(pinned)}")
        return features.float()

    def _refusal(self, pictures: Tensor) -> str:
        return f"Cannot use {self.found.path} for {self.found.pinned.metric} on pictures {list(pictures.shape)}:"


def networks_folder() -> Path:
    """Where fetched networks are kept; it need not exist."""
    return cache_folder() / "networks"


def find_network(name: str, given: Path | None = None) -> FoundNetwork | Missing:
    """Looks for a network, on this machine only.

    Args:
        name: key of `NETWORKS`.
        given: a file to use in place of the fetched one. It counts whatever its digest; `FoundNetwork.label` says so.

    Raises:
        ConfigError: unknown name.
        InputError: the given file cannot be read, or is the network of another metric.
    """
    pinned = _pinned(name)
    if given is not None:
        try:
            sha256 = _sha256(given)
        except OSError as error:
            raise InputError(f"Cannot read the {pinned.metric} network {given}: {error.strerror}.") from error
        for other in NETWORKS.values():
            if other.sha256 == sha256 != pinned.sha256:
                raise InputError(f"{given} is the network of {other.metric}, not of {pinned.metric}. {_advice(pinned)}")
        return FoundNetwork(pinned=pinned, path=given, sha256=sha256)
    path = networks_folder() / pinned.file_name
    if not path.is_file():
        return Missing(reason=f"the network {pinned.file_name} is not here; fetch it with `{FETCH_COMMAND}`")
    try:
        sha256 = _sha256(path)
    except OSError as error:
        return Missing(reason=f"the network {path} cannot be read: {error.strerror}")
    if sha256 != pinned.sha256:
        return Missing(reason=f"the network {path} is damaged; fetch it again with `{FETCH_COMMAND}`")
    return FoundNetwork(pinned=pinned, path=path, sha256=sha256)


def fetch_network(name: str, report: Callable[[int, int | None], None]) -> FoundNetwork:
    """Downloads a network into the networks folder, unless it is there and whole.

    Args:
        name: key of `NETWORKS`.
        report: called with the bytes so far and, where the server says it, those in all.

    Raises:
        ConfigError: unknown name.
        InputError: the address cannot be reached, or what came is not the pinned file.
        OutputError: the file cannot be written. An error leaves no file behind.
    """
    pinned = _pinned(name)
    here = find_network(name)
    if isinstance(here, FoundNetwork):
        return here
    path = networks_folder() / pinned.file_name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as part:
            sha256, num_bytes = _download(pinned, part, report)
            if sha256 != pinned.sha256:
                raise InputError(
                    f"What came from {pinned.url} is not the pinned file: {num_bytes} bytes with SHA-256 {sha256}, "
                    f"needed {pinned.sha256}. Try again, or get {pinned.file_name} elsewhere and give it by its path."
                )
    except OSError as error:
        raise OutputError(
            f"Cannot write {path}: {error.strerror}. Make room, or name another folder in DREAMACTOR_CACHE."
        ) from error
    return FoundNetwork(pinned=pinned, path=path, sha256=sha256)


def load_network(found: FoundNetwork) -> LoadedNetwork:
    """Loads a TorchScript file; nothing in it is unpickled by Python.

    Raises:
        InputError: the file is damaged or of another kind.
    """
    try:
        module = torch.jit.load(found.path, map_location="cpu")
    except Exception as error:  # torch documents no set of errors for a bad file
        raise InputError(f"{found.path} is not a TorchScript file, or is damaged. {_advice(found.pinned)}") from error
    return LoadedNetwork(found, module.eval())


def _pinned(name: str) -> PinnedNetwork:
    if name not in NETWORKS:
        raise ConfigError(f"Unknown network '{name}'. Known: {', '.join(NETWORKS)}.")
    return NETWORKS[name]


def _advice(pinned: PinnedNetwork) -> str:
    return f"{pinned.metric} needs {pinned.file_name} of {pinned.url}."


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _download(pinned: PinnedNetwork, path: Path, report: Callable[[int, int | None], None]) -> tuple[str, int]:
    """Writes what the address gives to `path`; returns its hex digest and its bytes.

    Raises:
        InputError: the address fails.
        OSError: the disk fails.
    """
    digest, num_bytes = hashlib.sha256(), 0
    with path.open("wb") as stream:
        for chunk, total in _chunks(pinned):
            stream.write(chunk)
            digest.update(chunk)
            num_bytes += len(chunk)
            report(num_bytes, total)
    return digest.hexdigest(), num_bytes


def _chunks(pinned: PinnedNetwork) -> Iterator[tuple[bytes, int | None]]:
    """Pieces of what the address gives, each with the bytes in all where the server says it."""
    try:
        with urllib.request.urlopen(pinned.url, timeout=TIMEOUT_S) as answer:
            length = answer.headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
            while chunk := answer.read(CHUNK_BYTES):
                yield chunk, total
    except (OSError, http.client.HTTPException) as error:
        raise InputError(
            f"Cannot fetch {pinned.url}: {error}. Check the connection, or get {pinned.file_name} elsewhere and give it by "
            "its path."
        ) from error
