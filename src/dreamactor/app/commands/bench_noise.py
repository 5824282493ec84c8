"""`dreamactor bench noise`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    frames: Annotated[int, typer.Option(min=1, max=20000, help="About so many frames in all.")] = 2000,
    fit: Annotated[Path | None, typer.Option(help="Fit the noise model and write it here (.json).")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
) -> None:
    """Measure the errors of perceived tracks on training actors, and compare the noise model of training with them.

    A quarter each are portraits, half figures, whole figures, and people who turn round; the last tell the noise of turned
    heads alone. Lengths are in torsos, of faces and heads in head radii, angles in degrees; losses are shares of frames and
    lengths in frames. With --fit the model compared is the fitted one, else the one that training uses.

    Examples:

      dreamactor bench noise --json noise.json

      dreamactor bench noise --fit jitter.json --frames 2000
    """
    import json
    from dataclasses import asdict

    from dreamactor.app.bench.noise import fit_jitter, noise_rows, perceive_pairs
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.video.output import atomic_path, check_output

    for file in (fit, json_file):
        if file is not None:
            check_output(file, suffixes=(".json",))
    with named_bars() as bars:
        pairs = perceive_pairs(frames, lambda done, total: bars("perceive", done, total))
    jitter = None
    if fit is not None:
        jitter = fit_jitter(pairs)
        with atomic_path(fit) as part:
            part.write_text(json.dumps(asdict(jitter), indent=2) + "\n")
    rows = noise_rows(pairs, jitter)
    for row in rows:
        typer.echo(f"{row['set']:9} {row['metric']:20} measured {row['measured']:9.4f}   model {row['model']:9.4f}")
    if json_file is not None:
        write_scores(json_file, rows)
        typer.echo(str(json_file))
