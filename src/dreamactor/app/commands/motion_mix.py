"""`dreamactor motion mix`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Motion file to write (.npz).")],
    body: Annotated[Path, typer.Option(help="Motion file of body and hands; sets frame times and picture size.")],
    head: Annotated[str | None, typer.Option(help="Motion file of the head, or none; the body's own if left out.")] = None,
    face: Annotated[str | None, typer.Option(help="Motion file of the face, or none; the body's own if left out.")] = None,
) -> None:
    """Put body, head and face of several motions together.

    Examples:

      dreamactor motion mix --body dance.npz --head look.npz --face talk.npz -o mixed.npz

      dreamactor motion mix --body dance.npz --face none -o faceless.npz
    """
    from dreamactor.app.motion import edit_motion
    from dreamactor.guidance.mix import drop_parts, mix_tracks
    from dreamactor.types.track import PersonTrack

    parts = {"head": head, "face": face}
    files = {name: body if source in (None, "none") else Path(str(source)) for name, source in parts.items()}
    paths = list(dict.fromkeys([body, *files.values()]))

    def join(tracks: list[PersonTrack]) -> PersonTrack:
        of = dict(zip(paths, tracks, strict=True))
        mixed = mix_tracks(body=of[body], head=of[files["head"]], face=of[files["face"]])
        return drop_parts(mixed, **{name: source == "none" for name, source in parts.items()})

    edit_motion(paths, output, join)
