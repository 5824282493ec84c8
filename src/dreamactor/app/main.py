"""The command line: one file per verb under `commands`, imported only when its verb is called."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path

import click
import typer
from typer.core import TyperGroup

VERBS = {
    "animate": "Animate a character by a driving video.",
    "extract": "Find the motion in a video and save it.",
    "actor": "Draw a procedural actor, or film its performance.",
    "demo": "Draw an actor, film another one, animate the first by the second.",
    "doctor": "Say what works on this machine.",
    "build-data": "Draw actor samples for training.",
    "bench": "Measure the model on held-out actors.",
}
"""Verb -> one line of help. The command itself lives in `dreamactor.app.commands.<verb>` as `command`."""


class _Verbs(TyperGroup):
    """Loads a verb's module when it is needed, so that help starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        asked_for_help = not getattr(ctx, "protected_args", None) and ctx.invoked_subcommand is None
        if asked_for_help and not ctx.args and "--help" in sys.argv[1:2]:
            return click.Command(cmd_name, help=VERBS[cmd_name])
        module = import_module(f"dreamactor.app.commands.{cmd_name.replace('-', '_')}")
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name=cmd_name, help=module.command.__doc__)(module.command)
        return typer.main.get_command(single)


app = typer.Typer(
    cls=_Verbs,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Human image animation after DreamActor-M1. Start with: dreamactor demo",
)


@app.callback()
def _root() -> None:
    """Human image animation after DreamActor-M1. Start with: dreamactor demo"""


def run(arguments: list[str] | None = None) -> int:
    """Runs one command line and returns its exit code: 0 done, 2 the user's to mend, 1 ours, 130 interrupted."""
    try:
        app(args=arguments, standalone_mode=False, prog_name="dreamactor")
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except (click.Abort, KeyboardInterrupt):
        print("Interrupted; nothing half-written is left.", file=sys.stderr)
        return 130
    except click.ClickException as error:
        print(f"dreamactor: {error.format_message()} See --help.", file=sys.stderr)
        return 2
    except Exception as error:
        from dreamactor.errors import DreamActorError

        if isinstance(error, DreamActorError):
            print(f"dreamactor: {error}", file=sys.stderr)
            return 2
        handle, name = tempfile.mkstemp(prefix="dreamactor-error-", suffix=".log")
        os.close(handle)
        Path(name).write_text(traceback.format_exc())
        print(
            f"dreamactor: internal error ({type(error).__name__}: {error}). The traceback is in {name}.",
            file=sys.stderr,
        )
        return 1
    return 0


def main() -> None:
    """Entry point of the `dreamactor` command."""
    sys.exit(run())
