"""Lists models by name, and downloads them after saying how much that is."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from dreamactor.errors import ConfigError
from dreamactor.inference.catalogue import CATALOGUE, Model, find_model, installed_at, link_model
from dreamactor.inference.download import check_room, download, missing_bytes


def describe_models() -> str:
    """One block of lines per model."""
    lines = []
    for model in CATALOGUE:
        place = installed_at(model)
        size = "shipped" if model.repository is None else f"about {model.gigabytes:g} GB"
        where = "the package" if model.repository is None else f"huggingface.co/{model.repository}"
        state = "installed" if place is not None else "not installed"
        if place is not None and model.repository is not None:
            state += f" in {place.resolve()}"
        lines += [
            f"{model.name} ({model.use}; {state})",
            f"    {model.domain}",
            f"    licence {model.licence}; {size}; {model.hardware}; from {where}",
        ]
    return "\n".join(lines)


def pull(name: str, *, source: Path | None, yes: bool) -> Path:
    """Downloads a model, or makes a folder known under its name.

    Raises:
        DreamActorError: no such model, no network, no room, no consent.
    """
    model = find_model(name)
    if model.repository is None:
        raise ConfigError(f"{name} is shipped with dreamactor; there is nothing to pull.")
    if source is not None:
        return link_model(model, source)
    needed = missing_bytes(model)
    if needed == 0:
        return download(model)
    check_room(needed)
    typer.echo(
        f"{name}: {needed / 1e9:.1f} GB to download from huggingface.co/{model.repository}, licence {model.licence}.",
        err=True,
    )
    _expect_consent(model, yes=yes)
    return download(model)


def ensure_installed(name: str | None, *, yes: bool) -> None:
    """Offers to download a model of the catalogue that is not there; other names are left to whoever reads them."""
    known = {model.name: model for model in CATALOGUE}
    if name not in known or installed_at(known[name]) is not None:
        return
    if yes or sys.stdin.isatty():
        pull(name, source=None, yes=yes)


def _expect_consent(model: Model, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"Nobody is there to say yes to the download of {model.name}. Add --yes.")
    if not typer.confirm("Download it?", err=True):
        raise typer.Abort
