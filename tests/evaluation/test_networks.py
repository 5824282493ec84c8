"""Published networks are found, fetched and checked by their hash; metrics on them obey their laws.

The networks here are tiny stand-ins with the call signatures of the real ones.
"""

from __future__ import annotations

import hashlib
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.testing import assert_close

from dreamactor.errors import ConfigError, InputError, OutputError
from dreamactor.evaluation.distribution import Fid, Fvd, Lpips
from dreamactor.evaluation.networks import (
    NETWORKS,
    FoundNetwork,
    LoadedNetwork,
    Missing,
    fetch_network,
    find_network,
    load_network,
    networks_folder,
)


class _Inception(nn.Module):
    """Means of a 2 x 2 grid: 12 features; refuses pictures of another size than the real one's."""

    def forward(self, img: Tensor, return_features: bool = False) -> Tensor:
        assert return_features
        assert img.shape[2] == 299
        assert img.shape[3] == 299
        return nn.functional.adaptive_avg_pool2d(img.float(), 2).flatten(1) / 255


class _Vgg(nn.Module):
    """Colours at half size."""

    def forward(self, images: Tensor, resize_images: bool = True, return_lpips: bool = False) -> Tensor:
        assert return_lpips
        assert not resize_images
        half = nn.functional.avg_pool2d(images / 255, 2)
        return half.flatten(1) / (half.shape[2] * half.shape[3]) ** 0.5


class _I3d(nn.Module):
    """Mean colour of each quarter of 16 frames: 12 features."""

    def forward(self, x: Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False) -> Tensor:
        assert rescale
        assert resize
        assert return_features
        assert x.shape[2] == 16
        return x.mean(dim=(3, 4)).reshape(x.shape[0], 3, 4, 4).mean(dim=3).flatten(1) / 255


class _Vague(nn.Module):
    """Takes everything and answers with a single number, or with one that is none."""

    def __init__(self, answer: float) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, img: Tensor, return_features: bool = False) -> Tensor:
        return torch.full((len(img), 2), self.answer) if self.answer != 0 else img.sum()


def _save(module: nn.Module, path: Path) -> Path:
    torch.jit.script(module).save(str(path))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("published")
    modules = {"inception": _Inception(), "vgg16": _Vgg(), "i3d": _I3d()}
    return {name: _save(module, folder / f"{name}.pt") for name, module in modules.items()}


@pytest.fixture
def loaded(files: dict[str, Path]) -> Callable[[str], LoadedNetwork]:
    def load(name: str) -> LoadedNetwork:
        found = find_network(name, files[name])
        assert isinstance(found, FoundNetwork)
        return load_network(found)

    return load


@pytest.fixture
def published(files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and FID's network published as a file of this machine; gives that file."""
    monkeypatch.setenv("DREAMACTOR_CACHE", str(tmp_path / "cache"))
    _publish(monkeypatch, files["inception"].as_uri(), files["inception"].read_bytes())
    return files["inception"]


def _publish(monkeypatch: pytest.MonkeyPatch, url: str, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setitem(NETWORKS, "inception", replace(NETWORKS["inception"], url=url, sha256=digest))


def _ignore(done: int, total: int | None) -> None:
    pass


def _left_behind() -> list[Path]:
    return list(networks_folder().iterdir()) if networks_folder().is_dir() else []


def _clip(seed: int, num_frames: int, *, width: int = 20, height: int = 16) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (num_frames, height, width, 3), generator=generator, dtype=torch.uint8)


# ---- which file counts ----


def test_every_hash_is_one_and_no_two_networks_share_one() -> None:
    hashes = [network.sha256 for network in NETWORKS.values()]
    assert all(len(bytes.fromhex(digest)) == 32 for digest in hashes)
    assert len(set(hashes)) == len(NETWORKS) == 3
    assert all(network.name == name for name, network in NETWORKS.items())


def test_a_fetched_network_is_found_afterwards_and_not_fetched_again(published: Path, monkeypatch: Any) -> None:
    missing = find_network("inception")
    assert isinstance(missing, Missing)
    assert "inception-2015-12-05.pt is not here" in missing.reason
    assert "dreamactor evaluate --fetch" in missing.reason
    seen: list[tuple[int, int | None]] = []
    fetched = fetch_network("inception", lambda done, total: seen.append((done, total)))
    size = published.stat().st_size
    assert seen[-1] == (size, size)
    assert fetched.path == networks_folder() / "inception-2015-12-05.pt"
    assert find_network("inception") == fetched
    assert _left_behind() == [fetched.path]
    assert "not the pinned file" not in fetched.label
    assert fetched.sha256 in fetched.label
    load_network(fetched)
    monkeypatch.setitem(NETWORKS, "inception", replace(NETWORKS["inception"], url="http://127.0.0.1:1/gone"))
    assert fetch_network("inception", _ignore).path == fetched.path


def test_a_damaged_file_in_the_cache_does_not_count_and_is_fetched_again(published: Path) -> None:
    fetched = fetch_network("inception", _ignore)
    fetched.path.write_bytes(published.read_bytes()[:-10])
    damaged = find_network("inception")
    assert isinstance(damaged, Missing)
    assert "damaged" in damaged.reason
    assert fetch_network("inception", _ignore) == find_network("inception") == fetched


def test_a_given_file_counts_and_says_that_it_is_not_the_pinned_one(files: dict[str, Path]) -> None:
    found = find_network("i3d", files["i3d"])
    assert isinstance(found, FoundNetwork)
    assert found.sha256 == hashlib.sha256(files["i3d"].read_bytes()).hexdigest()
    assert found.label == f"i3d.pt, SHA-256 {found.sha256}, not the pinned file"


def test_a_given_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Cannot read the FVD network .*nothing\.pt: No such file"):
        find_network("i3d", tmp_path / "nothing.pt")
    with pytest.raises(InputError, match="Is a directory"):
        find_network("i3d", tmp_path)


def test_the_network_of_another_metric_is_told_apart(published: Path) -> None:
    with pytest.raises(InputError, match="is the network of FID, not of LPIPS"):
        find_network("vgg16", published)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"Unknown network 'clip'\. Known: inception, vgg16, i3d"):
        find_network("clip")


# ---- what goes wrong while fetching leaves nothing behind ----


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/inception.pt", "file:///nowhere/inception.pt"])
def test_an_address_that_cannot_be_reached(url: str, published: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    _publish(monkeypatch, url, published.read_bytes())
    with pytest.raises(InputError, match=f"Cannot fetch {url}.*give it by its path"):
        fetch_network("inception", _ignore)
    assert _left_behind() == []


def test_a_file_of_another_hash(published: Path, monkeypatch: Any) -> None:
    _publish(monkeypatch, published.as_uri(), b"another file")
    with pytest.raises(InputError, match="is not the pinned file"):
        fetch_network("inception", _ignore)
    assert _left_behind() == []


@contextmanager
def _server(status: int, content: bytes, length: int) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/inception.pt"
    finally:
        server.shutdown()
        server.server_close()


def test_a_connection_that_breaks_off_and_a_server_that_refuses(published: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    content = published.read_bytes()
    with _server(200, content[:-100], len(content)) as url:
        _publish(monkeypatch, url, content)
        with pytest.raises(InputError, match=r"not the pinned file|Cannot fetch"):
            fetch_network("inception", _ignore)
    with _server(404, b"gone", 4) as url:
        _publish(monkeypatch, url, content)
        with pytest.raises(InputError, match="404"):
            fetch_network("inception", _ignore)
    assert _left_behind() == []


def test_a_folder_that_cannot_be_written(published: Path, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DREAMACTOR_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match=r"Cannot write .*DREAMACTOR_CACHE"):
        fetch_network("inception", _ignore)


def test_a_disk_that_is_full(published: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OutputError, match=r"Cannot write .*Make room"):
            fetch_network("inception", _ignore)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert _left_behind() == []


# ---- files that are no such network ----


def test_files_of_other_kinds_do_not_load(files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "network.pt"

    def refuse() -> None:
        found = find_network("inception", path)
        assert isinstance(found, FoundNetwork)
        with pytest.raises(InputError, match=r"network\.pt is not a TorchScript file, or is damaged"):
            load_network(found)

    for content in (b"", b"<html>", files["inception"].read_bytes()[:-100]):
        path.write_bytes(content)
        refuse()
    torch.save({"weight": torch.zeros(2)}, path)
    refuse()


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (_I3d(), r"Cannot use .*other\.pt for FID on pictures \[1, 3, 299, 299\]"),
        (_Vague(0.0), "not one list of features each"),
        (_Vague(float("nan")), "not finite"),
    ],
)
def test_a_network_of_another_kind_is_refused_when_asked(module: nn.Module, reason: str, tmp_path: Path) -> None:
    found = find_network("inception", _save(module, tmp_path / "other.pt"))
    assert isinstance(found, FoundNetwork)
    with pytest.raises(InputError, match=reason):
        Fid(load_network(found)).add(_clip(0, 1))


# ---- the laws of the metrics ----


@pytest.mark.parametrize(("metric", "name"), [(Fid, "inception"), (Fvd, "i3d")])
def test_equal_sets_are_at_distance_zero_and_others_are_not(metric: Any, name: str, loaded: Any) -> None:
    made, truth, other = (metric(loaded(name)) for _ in range(3))
    for features, seed in ((made, 0), (truth, 0), (other, 5)):
        features.add(_clip(seed, 48) // (1 + seed))
    assert made.distance_to(truth) == pytest.approx(0, abs=1e-6)
    assert other.distance_to(truth) > 0.1


@pytest.mark.parametrize(("metric", "name"), [(Fid, "inception"), (Fvd, "i3d")])
def test_pieces_give_the_same_as_all_at_once(metric: Any, name: str, loaded: Any) -> None:
    whole, pieces, truth = (metric(loaded(name)) for _ in range(3))
    clip = _clip(1, 64)
    whole.add(clip)
    for piece in clip.split((32, 16, 16)):
        pieces.add(piece)
    truth.add(_clip(2, 64) // 2)
    assert pieces.num_samples == whole.num_samples
    assert pieces.distance_to(truth) == pytest.approx(whole.distance_to(truth), rel=1e-9, abs=1e-9)
    assert pieces.distance_to(whole) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("width", "height"), [(40, 31), (640, 333), (299, 299)])
def test_frames_are_resized_as_pillow_does_it_without_rounding(
    width: int, height: int, loaded: Any, monkeypatch: Any
) -> None:
    clip = _clip(3, 1, width=width, height=height)
    channels = [Image.fromarray(clip[0, :, :, c].numpy().astype(np.float32)) for c in range(3)]
    resized = np.stack([np.asarray(channel.resize((299, 299), Image.Resampling.BICUBIC)) for channel in channels])
    seen: list[Tensor] = []

    def watch(network: LoadedNetwork, pictures: Tensor, **flags: bool) -> Tensor:
        seen.append(pictures)
        return torch.zeros(len(pictures), 2)

    monkeypatch.setattr(LoadedNetwork, "features", watch)
    Fid(loaded("inception")).add(clip)
    assert_close(seen[0][0], torch.from_numpy(resized), atol=0.02, rtol=0)  # of 255


def test_short_clips_and_ends_are_counted_and_left_out(loaded: Any) -> None:
    made, truth = Fvd(loaded("i3d")), Fvd(loaded("i3d"))
    clip = _clip(4, 37)
    made.add(clip)
    made.add(clip[:15])
    truth.add(clip[:32])
    assert (made.num_samples, made.num_short_clips, made.num_unused_frames) == (2, 1, 5)
    assert made.distance_to(truth) == pytest.approx(0, abs=1e-6)
    assert "2 windows of 16 frames of 20 x 16 px (left out: short clips 1, frames at ends 5)" in made.protocol(truth)


def test_less_than_two_samples_is_no_number(loaded: Any) -> None:
    made, truth = Fvd(loaded("i3d")), Fvd(loaded("i3d"))
    made.add(_clip(0, 20))
    truth.add(_clip(0, 40))
    missing = made.distance_to(truth)
    assert isinstance(missing, Missing)
    assert "FVD needs two windows of 16 frames on each side: 1 windows" in missing.reason
    frames = Fid(loaded("inception"))
    assert isinstance(frames.distance_to(frames), Missing)
    frames.add(_clip(0, 0))
    assert isinstance(frames.distance_to(frames), Missing)


def test_the_protocol_says_sizes_counts_filter_file_and_hash(loaded: Any, files: dict[str, Path]) -> None:
    made, truth = Fid(loaded("inception")), Fid(loaded("inception"))
    made.add(_clip(0, 3))
    truth.add(_clip(0, 20, width=32))
    line = made.protocol(truth)
    for part in (
        "FID", "299 x 299 by antialiased bicubic", "3 frames of 20 x 16 px against the truth's 20 frames of 32 x 16 px",
        "too few samples", "inception.pt", hashlib.sha256(files["inception"].read_bytes()).hexdigest(),
    ):  # fmt: skip
        assert part in line
    assert "\n" not in line
    made.add(_clip(1, 20))
    assert "too few samples" not in made.protocol(truth)


def test_sets_of_different_networks_do_not_compare(loaded: Any, tmp_path: Path) -> None:
    found = find_network("inception", _save(_Vague(1.0), tmp_path / "other.pt"))
    assert isinstance(found, FoundNetwork)
    with pytest.raises(ValueError, match="same network"):
        Fid(loaded("inception")).distance_to(Fid(load_network(found)))


def test_lpips_of_equal_frames_is_zero_and_grows_with_the_difference(loaded: Any) -> None:
    lpips = Lpips(loaded("vgg16"))
    truth = _clip(6, 3).clamp(40, 200)
    assert (lpips(truth, truth) == 0).all()
    near, far = lpips(truth + 4, truth), lpips(truth + 40, truth)
    assert_close(near, torch.full((3,), 3 * (4 / 255) ** 2, dtype=torch.float64), atol=1e-6, rtol=0)
    assert (far > near).all()
    assert_close(torch.cat([lpips(truth[:1] + 4, truth[:1]), lpips(truth[1:] + 4, truth[1:])]), near)
    assert "12 frames of 20 x 16 px" in lpips.protocol()
    assert lpips.network.found.sha256 in lpips.protocol()


def test_other_shapes_and_types_are_refused(loaded: Any) -> None:
    clip = _clip(0, 2)
    with pytest.raises(ValueError, match="uint8"):
        Fid(loaded("inception")).add(clip.float())
    with pytest.raises(ValueError, match=r"clip must be \[T, H, W, 3\]"):
        Fvd(loaded("i3d")).add(clip[0])
    with pytest.raises(ValueError, match="truth"):
        Lpips(loaded("vgg16"))(clip, clip[:1])
    with pytest.raises(ValueError, match="uint8"):
        Lpips(loaded("vgg16"))(clip, clip.float())
