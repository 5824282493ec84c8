"""`dreamactor models` and `dreamactor models list`."""

from __future__ import annotations

import typer


def command() -> None:
    """List models: what they are for, licence, size, hardware, where from, whether installed. `dreamactor models` does too.

    Examples:

      dreamactor models list
    """
    from dreamactor.app.models import describe_models

    typer.echo(describe_models())


def list_by_default(context: typer.Context) -> None:
    """Models by name: list and pull."""
    if context.invoked_subcommand is None:
        command()
