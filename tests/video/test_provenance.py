"""What is signed says how it was made, and a change is seen."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
import torch

from dreamactor.errors import ConfigError, InputError
from dreamactor.video import signer
from dreamactor.video.image import read_image, write_image
from dreamactor.video.label import draw_label
from dreamactor.video.provenance import Provenance, read_comment, read_credentials
from dreamactor.video.reader import read_clip
from dreamactor.video.writer import VideoWriter

MADE = Provenance(origin="trained", model="actor", settings={"seed": 3, "framing": "auto"})


def _pictures(num_frames: int = 6) -> torch.Tensor:
    return torch.randint(0, 256, (num_frames, 64, 96, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def _film(path: Path, provenance: Provenance | None = MADE) -> Path:
    with VideoWriter(path, width=96, height=64, fps=Fraction(25), provenance=provenance) as writer:
        writer.write(_pictures())
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".m4v"])
def test_a_video_says_how_it_was_made_and_shows_the_same_pictures(tmp_path: Path, suffix: str) -> None:
    signed, plain = _film(tmp_path / f"signed{suffix}"), _film(tmp_path / f"plain{suffix}", None)
    found = read_credentials(signed)
    assert (found.found, found.intact, found.trusted, found.problems) == (True, True, True, ())
    assert found.settings == {"model": "actor", "seed": 3, "framing": "auto"}
    assert found.generator.startswith("dreamactor ")
    assert found.source_type == "trainedAlgorithmicMedia"
    assert read_comment(signed).startswith("AI-generated")
    assert torch.equal(read_clip(signed).frames, read_clip(plain).frames)
    assert not read_credentials(plain).found
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"plain{suffix}", f"signed{suffix}"]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_picture_carries_credentials_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"drawn{suffix}"
    write_image(path, _pictures(1)[0], provenance=Provenance(origin="drawn"))
    assert read_credentials(path).intact
    assert read_credentials(path).source_type == "algorithmicMedia"
    assert read_image(path).shape == (64, 96, 3)


def test_a_flipped_byte_of_the_pictures_is_seen(tmp_path: Path) -> None:
    path = _film(tmp_path / "made.mp4")
    data = path.read_bytes()
    start = data.index(b"mdat")
    for at in range(start + 8, len(data), (len(data) - start) // 12):
        changed = bytearray(data)
        changed[at] ^= 1
        path.write_bytes(changed)
        assert not read_credentials(path).intact


def test_a_changed_word_of_the_settings_is_seen(tmp_path: Path) -> None:
    path = _film(tmp_path / "made.mp4")
    data = path.read_bytes()
    assert data.count(b"framing") == 1
    path.write_bytes(data.replace(b"framing", b"Framing"))
    assert not read_credentials(path).intact


def test_what_this_machine_did_not_sign_is_intact_but_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _film(tmp_path / "made.mp4")
    monkeypatch.setenv("DREAMACTOR_CONFIG", str(tmp_path / "elsewhere"))
    found = read_credentials(path)
    assert (found.intact, found.trusted, found.problems) == (True, False, ())


def test_a_certificate_of_ones_own_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = signer._make()
    (tmp_path / "chain.pem").write_text("".join(signer._CERTIFICATE.findall(made)))
    (tmp_path / "key.pem").write_text(made)
    monkeypatch.setenv(signer.CERTIFICATE_VARIABLE, str(tmp_path / "chain.pem"))
    with pytest.raises(ConfigError, match="Set both"):
        signer.own_signer()
    monkeypatch.setenv(signer.KEY_VARIABLE, str(tmp_path / "key.pem"))
    assert read_credentials(_film(tmp_path / "made.mp4")).intact
    (tmp_path / "key.pem").write_text("no key")
    with pytest.raises(ConfigError, match="PEM"):
        signer.own_signer()


def test_the_key_of_this_machine_is_made_once_and_read_by_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DREAMACTOR_CONFIG", str(tmp_path / "config"))
    first = signer.own_signer()
    (kept,) = (tmp_path / "config").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    signer._of_this_machine.cache_clear()
    assert signer.own_signer() == first


def test_where_nothing_can_be_kept_files_are_signed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DREAMACTOR_CONFIG", str(tmp_path / "file" / "below"))
    assert read_credentials(_film(tmp_path / "made.mp4")).intact


def test_what_cannot_hold_credentials_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    for name in ("notes.txt", "missing.mp4"):
        with pytest.raises(InputError, match=name):
            read_credentials(tmp_path / name)


def test_a_label_changes_its_corner_alone() -> None:
    frames = torch.full((2, 240, 320, 3), 100, dtype=torch.uint8)
    changed = (draw_label(frames) != frames).any(dim=-1).any(dim=0)
    rows, columns = changed.any(dim=1).nonzero().flatten(), changed.any(dim=0).nonzero().flatten()
    assert rows.min() >= 240 - 24
    assert columns.max() < 160
    assert draw_label(frames).max() > 240
