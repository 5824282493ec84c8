"""One tiny model, one actor's picture and one performance, shared by the tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dreamactor.app.film import film_actor, picture_actor
from dreamactor.data import gallery
from dreamactor.inference.bundle import save_bundle
from dreamactor.recipes.tiny import tiny_bundle


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with model/, actor.png, clip.mp4 (7 frames) and exact.npz; do not write into it."""
    folder = tmp_path_factory.mktemp("shared")
    save_bundle(folder / "model", tiny_bundle())
    picture_actor(folder / "actor.png", seed=3, framing="full", size=128)
    film_actor(folder / "clip.mp4", seed=4, seconds=0.28, framing="full", size=192, kind="wave", track=folder / "exact.npz")
    return folder


@pytest.fixture(autouse=True)
def _small_gallery(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty actors take a while to draw."""
    monkeypatch.setattr(gallery, "GALLERY_SIZE", 4)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREAMACTOR_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
