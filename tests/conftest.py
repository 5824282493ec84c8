"""Lies beside factories.py so that every test can import it by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The certificate that signs what tests make is made for them and goes with them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DREAMACTOR_CONFIG", str(tmp_path_factory.mktemp("config")))
        yield
