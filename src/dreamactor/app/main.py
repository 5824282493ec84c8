"""The command line: one file per verb under `commands`; what is heavy is imported inside the verbs."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import typer

from dreamactor.app.commands import (
    actor,
    animate,
    bench_ablations,
    bench_actors,
    bench_clips,
    bench_drift,
    bench_drivers,
    bench_export,
    bench_faces,
    bench_guidance,
    bench_judge,
    bench_metrics,
    bench_noise,
    bench_perception,
    bench_references,
    bench_speech,
    bench_speed,
    bench_wan_memory,
    build_data,
    convert,
    demo,
    doctor,
    evaluate,
    export_controls,
    extract,
    gallery_sources,
    inspect,
    models,
    models_pull,
    motion_join,
    motion_mirror,
    motion_mix,
    motion_show,
    motion_slow,
    motion_smooth,
    motion_trim,
    proportions,
    serve,
    train,
)
from dreamactor.errors import DreamActorError

VERBS: dict[str, Callable[..., None]] = {
    "animate": animate.command,
    "extract": extract.command,
    "motion show": motion_show.command,
    "motion trim": motion_trim.command,
    "motion smooth": motion_smooth.command,
    "motion mirror": motion_mirror.command,
    "motion slow": motion_slow.command,
    "motion mix": motion_mix.command,
    "motion join": motion_join.command,
    "proportions": proportions.command,
    "convert": convert.command,
    "export-controls": export_controls.command,
    "actor": actor.command,
    "demo": demo.command,
    "serve": serve.command,
    "inspect": inspect.command,
    "doctor": doctor.command,
    "models list": models.command,
    "models pull": models_pull.command,
    "build-data": build_data.command,
    "train": train.command,
    "evaluate": evaluate.command,
    "bench actors": bench_actors.command,
    "bench clips": bench_clips.command,
    "bench drivers": bench_drivers.command,
    "bench references": bench_references.command,
    "bench drift": bench_drift.command,
    "bench export": bench_export.command,
    "bench speech": bench_speech.command,
    "bench speed": bench_speed.command,
    "bench ablations": bench_ablations.command,
    "bench metrics": bench_metrics.command,
    "bench judge": bench_judge.command,
    "bench noise": bench_noise.command,
    "bench perception": bench_perception.command,
    "bench guidance": bench_guidance.command,
    "bench faces": bench_faces.command,
    "bench wan-memory": bench_wan_memory.command,
    "gallery sources": gallery_sources.command,
}
"""What is typed -> what runs; two words are a command of a group."""

INTERRUPTED = 130

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Human image animation after DreamActor-M1. Start with: dreamactor demo",
)
_groups = {
    name: typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=text)
    for name, text in {
        "bench": "Measure models, speed, and the measures themselves.",
        "motion": "Look at motion files and edit them.",
        "gallery": "Draw the pictures of the documentation.",
    }.items()
}
_groups["models"] = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    callback=models.list_by_default,
    help="Models by name: list and pull.",
)
for _name, _group in _groups.items():
    app.add_typer(_group, name=_name)
for _verb, _command in VERBS.items():
    _first, _, _second = _verb.partition(" ")
    (_groups[_first] if _second else app).command(name=_second or _first)(_command)


def run(arguments: list[str] | None = None) -> int:
    """Runs one command line and returns its exit code: 0 done, 2 the user's to mend, 1 ours, 130 interrupted, 143 ended."""
    try:
        code = app(args=arguments, standalone_mode=False, prog_name="dreamactor")
    except (typer.Abort, KeyboardInterrupt):
        typer.echo("Interrupted; nothing half-written is left.", err=True)
        return INTERRUPTED
    except DreamActorError as error:
        typer.echo(f"dreamactor: {error}", err=True)
        return 2
    except SystemExit as stop:  # a training that was asked to stop, and has saved its checkpoint
        return stop.code if isinstance(stop.code, int) else 1
    except Exception as error:
        if hasattr(error, "format_message"):  # about the command line itself: unknown option, value out of range
            typer.echo(f"dreamactor: {error.format_message()} See --help.", err=True)
            return 2
        handle, name = tempfile.mkstemp(prefix="dreamactor-error-", suffix=".log")
        os.close(handle)
        Path(name).write_text(traceback.format_exc())
        typer.echo(f"dreamactor: internal error ({type(error).__name__}: {error}). The traceback is in {name}.", err=True)
        return 1
    if code == INTERRUPTED:  # typer answers Ctrl-C itself, without a word
        typer.echo("Interrupted; nothing half-written is left.", err=True)
    return code if isinstance(code, int) else 0


def main() -> None:
    """Entry point of the `dreamactor` command."""
    sys.exit(run())
