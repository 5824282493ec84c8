"""Writes the table of all commands from the code itself: `python -m dreamactor.app.reference > docs/commands.md`."""

from __future__ import annotations

from importlib import import_module

import click
import typer

from dreamactor.app.main import VERBS


def command_reference() -> str:
    """All verbs with their arguments and examples, as Markdown."""
    lines = ["# Commands", "", "Written by `python -m dreamactor.app.reference`; do not edit by hand.", ""]
    lines += ["| command | what it does |", "|---|---|"]
    lines += [f"| [`dreamactor {verb}`](#{verb}) | {summary} |" for verb, summary in VERBS.items()]
    for verb, summary in VERBS.items():
        lines += ["", f"## {verb}", "", summary, "", "| option | meaning | default |", "|---|---|---|"]
        module = import_module(f"dreamactor.app.commands.{verb.replace('-', '_')}")
        single = typer.Typer(add_completion=False)
        single.command(name=verb)(module.command)
        for parameter in typer.main.get_command(single).params:
            lines.append(_row(parameter))
        doc = module.command.__doc__ or ""
        examples = [line.strip() for line in doc.splitlines() if line.strip().startswith("dreamactor ")]
        lines += ["", "```", *examples, "```"]
    return "\n".join(lines) + "\n"


def _row(parameter: click.Parameter) -> str:
    name = ", ".join(parameter.opts) if isinstance(parameter, click.Option) else str(parameter.name).upper()
    default = "needed" if parameter.required else ("" if parameter.default is None else str(parameter.default))
    return f"| `{name}` | {getattr(parameter, 'help', '') or ''} | {default} |"


if __name__ == "__main__":
    typer.echo(command_reference(), nl=False)
