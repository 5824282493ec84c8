"""`dreamactor inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[Path, typer.Argument(help="A video or picture, of dreamactor or of any other program.")],
    json_lines: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Say how a file was made, and whether it has changed since: its content credentials (C2PA) and metadata.

    The exit code is 0 where the credentials hold, and 2 where there are none or the file is not what was signed.

    Examples:

      dreamactor inspect out.mp4

      dreamactor inspect out.mp4 --json
    """
    import json
    from dataclasses import asdict

    from dreamactor.errors import InputError
    from dreamactor.video.provenance import read_comment, read_credentials

    found = read_credentials(file)
    comment = read_comment(file)
    if json_lines:
        typer.echo(json.dumps({**asdict(found), "comment": comment}, indent=1))
    else:
        rows = [("metadata", comment or "says nothing")]
        if found.generator:
            rows += [("made by", found.generator), ("source type", found.source_type), ("signed by", found.signer)]
            rows += [(name.replace("_", " "), str(value)) for name, value in found.settings.items()]
        if found.intact:
            rows.append(("signature", "valid; " + _who(found.trusted, found.signer)))
        for name, value in rows:
            typer.echo(f"{name:20} {value}")
    if not found.found:
        raise InputError(f"{file} has no content credentials: nobody says how it was made.")
    if not found.intact:
        raise InputError(f"{file} is not what was signed ({', '.join(found.problems)}). It has changed since it was made.")


def _who(trusted: bool, signer: str) -> str:
    """What the signature is worth."""
    if trusted and signer.startswith("dreamactor"):
        return "by this machine's own certificate, which says that nothing has changed and not who made it"
    return "its signer is on a trust list" if trusted else "nobody vouches for its signer"
