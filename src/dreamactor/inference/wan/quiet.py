"""Keeps the libraries that load models from talking: what matters is said by us."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """No progress bars, notes and deprecation warnings of diffusers and transformers."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    levels = [(library, library.get_verbosity()) for library in (diffusers_logging, transformers_logging)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        for library, _ in levels:
            library.set_verbosity_error()
            library.disable_progress_bar()
        try:
            yield
        finally:
            for library, level in levels:
                library.set_verbosity(level)
                library.enable_progress_bar()
