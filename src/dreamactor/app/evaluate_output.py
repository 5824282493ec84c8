"""What an evaluation leaves behind: the table on the terminal, JSON, the page; and fetching the networks beforehand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from dreamactor.app.evaluate import Evaluation
from dreamactor.app.progress import named_bars
from dreamactor.evaluation.metrics import METRICS
from dreamactor.evaluation.networks import NETWORKS, fetch_network
from dreamactor.evaluation.report import write_report
from dreamactor.evaluation.report_json import scores_json
from dreamactor.evaluation.report_text import print_table
from dreamactor.video.output import atomic_path


def fetch_networks() -> None:
    """Downloads what is missing."""
    with named_bars() as bars:
        for name, network in NETWORKS.items():
            found = fetch_network(name, lambda done, total, label=network.metric: bars(label, done, total))  # type: ignore[misc]
            typer.echo(f"{network.metric}: {found.path} (SHA-256 {found.sha256}; {network.licence})")


def show(
    found: Evaluation, *, json_file: Path | None, html: Path | None, title: str, notes: tuple[str, ...] = (), **about: Any
) -> None:
    """Prints the table and writes the files that were asked for."""
    typer.echo(print_table(found.scores, METRICS, found.distributions), nl=False)
    if json_file is not None:
        content = {**about, **scores_json(found.scores, METRICS, found.distributions, found.settings)}
        with atomic_path(json_file) as part:
            part.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")
        typer.echo(str(json_file))
    if html is not None:
        write_report(
            html, found.scores, metrics=METRICS, distributions=found.distributions, settings=found.settings, notes=notes,
            title=title,
        )  # fmt: skip
        typer.echo(str(html))
