"""The character's pictures for a request, with lengths of bones from wherever the request says."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from dreamactor.inference.character_build import character_build
from dreamactor.inference.references import read_references
from dreamactor.inference.request import AnimateRequest
from dreamactor.perception.build import build_estimator
from dreamactor.types.guidance import ReferenceSet
from dreamactor.types.latent import LatentGrid


def read_wan_references(request: AnimateRequest, *, size: int, grid: LatentGrid) -> ReferenceSet:
    """Reads and perceives; arguments and errors are those of `read_references` and `character_build`."""
    with closing(build_estimator("mediapipe", static=True)) as estimator:
        references = read_references(
            request.references, size=size, grid=grid, estimator=estimator, described=request.described
        )
        build = character_build(
            references.proportions, image=request.proportions_image, described=request.proportions_json,
            estimator=estimator,
        )  # fmt: skip
    return replace(references, proportions=build)
