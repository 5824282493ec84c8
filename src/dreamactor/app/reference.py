"""Writes the table of all commands from the code itself: `python -m dreamactor.app.reference > docs/commands.md`."""

from __future__ import annotations

from typing import Any

import typer

from dreamactor.app.main import VERBS


def command_reference() -> str:
    """All verbs with their options and examples, as Markdown."""
    summaries = {verb: (command.__doc__ or "").strip().splitlines()[0] for verb, command in VERBS.items()}
    lines = ["# Commands", "", "Written by `python -m dreamactor.app.reference`; do not edit by hand.", ""]
    lines += ["| command | what it does |", "|---|---|"]
    lines += [f"| [`dreamactor {verb}`](#{verb.replace(' ', '-')}) | {summary} |" for verb, summary in summaries.items()]
    for verb, command in VERBS.items():
        lines += ["", f"## {verb}", "", summaries[verb], "", "| option | meaning | default |", "|---|---|---|"]
        single = typer.Typer(add_completion=False)
        single.command(name=verb)(command)
        lines += [_row(parameter) for parameter in typer.main.get_command(single).params]
        examples = [line.strip() for line in (command.__doc__ or "").splitlines()]
        lines += ["", "```", *(line for line in examples if line.startswith("dreamactor ")), "```"]
    return "\n".join(lines) + "\n"


def _row(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    name = ", ".join([*parameter.opts, *parameter.secondary_opts]) if is_option else str(parameter.name).upper()
    default = "needed" if parameter.required else ("" if parameter.default is None else str(parameter.default))
    return f"| `{name}` | {getattr(parameter, 'help', '') or ''} | {default} |"


if __name__ == "__main__":
    typer.echo(command_reference(), nl=False)
