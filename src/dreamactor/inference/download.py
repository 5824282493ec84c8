"""Downloads of a catalogue's models: how much is missing, said before it starts, and one clear line where it cannot be."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from httpx2 import HTTPError
from huggingface_hub import DryRunFileInfo, errors, snapshot_download

from dreamactor.errors import InputError, OutputError
from dreamactor.inference.catalogue import Model, models_folder


def missing_bytes(model: Model) -> int:
    """How much a download of this model would still fetch, asked of the repository.

    Raises:
        InputError: the repository cannot be reached or has no such model.
    """
    assert model.repository is not None
    with _one_line(model):
        files = snapshot_download(
            model.repository, local_dir=models_folder() / model.name, allow_patterns=list(model.files), dry_run=True
        )
    return sum(file.file_size or 0 for file in files if isinstance(file, DryRunFileInfo) and file.will_download)


def download(model: Model) -> Path:
    """Fetches what is missing of a model; a download that broke off goes on.

    Raises:
        InputError, OutputError: no network, no such model, no room.
    """
    assert model.repository is not None
    folder = models_folder() / model.name
    try:
        with _one_line(model):
            snapshot_download(model.repository, local_dir=folder, allow_patterns=list(model.files))
    except OSError as error:
        raise OutputError(f"Cannot write to {folder}: {error.strerror}. Set DREAMACTOR_MODELS to another folder.") from error
    return folder


def check_room(num_bytes: int) -> None:
    """Raises:
    OutputError: the disk has no room for so much.
    """
    folder = models_folder()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < num_bytes:
        raise OutputError(
            f"{num_bytes / 1e9:.1f} GB are to be downloaded to {folder}, which has {free / 1e9:.1f} GB free. Free some, or "
            "set DREAMACTOR_MODELS to a folder on another disk."
        )


_NO_NETWORK: Final = (
    errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, errors.DryRunError, errors.HfHubHTTPError, HTTPError,
    ConnectionError, TimeoutError,
)  # fmt: skip


@contextmanager
def _one_line(model: Model) -> Iterator[None]:
    other = f"On a machine without it, copy the folder there and name it: dreamactor models pull {model.name} --from FOLDER."
    try:
        yield
    except (errors.RepositoryNotFoundError, errors.GatedRepoError) as error:
        raise InputError(f"{model.repository} is not there, or not for everybody ({type(error).__name__}).") from error
    except _NO_NETWORK as error:
        raise InputError(
            f"huggingface.co cannot be reached for {model.name} ({type(error).__name__}). Try again with a network. {other}"
        ) from error
