"""`dreamactor evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="GENERATED and TRUTH: two videos, or two folders of videos.", show_default=False),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Several methods side by side: GENERATED GENERATED ... TRUTH.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots and pictures here (.html).")] = None,
    lpips: Annotated[Path | None, typer.Option(help="TorchScript network of LPIPS, instead of the fetched one.")] = None,
    fid: Annotated[Path | None, typer.Option(help="TorchScript network of FID.")] = None,
    fvd: Annotated[Path | None, typer.Option(help="TorchScript network of FVD.")] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the networks of LPIPS, FID and FVD, checked by SHA-256.")
    ] = False,
) -> None:
    """Score videos of any method against their truth. Clips that are scored already are not scored again.

    Examples:

      dreamactor evaluate made.mp4 truth.mp4

      dreamactor evaluate outputs/ cases/ --json scores.json --html report.html

      dreamactor evaluate --compare ours/ theirs/ others/ cases/ --html report.html

      dreamactor evaluate --fetch
    """
    from dreamactor.app.evaluate import Networks, evaluate
    from dreamactor.app.evaluate_output import fetch_networks, show
    from dreamactor.app.progress import named_bars
    from dreamactor.errors import ConfigError
    from dreamactor.video.output import check_output

    given = paths or []
    if fetch:
        fetch_networks()
        if not given:
            return
    if len(given) < 2:
        raise ConfigError(f"evaluate needs GENERATED and TRUTH, got {len(given)} paths.")
    if len(given) > 2 and not compare:
        raise ConfigError(f"evaluate takes GENERATED and TRUTH, got {len(given)} paths. Use --compare for several methods.")
    if json_file is not None:
        check_output(json_file, given, suffixes=(".json",))
    if html is not None:
        check_output(html, given, suffixes=(".html", ".htm"))
    networks = Networks.find({"vgg16": lpips, "inception": fid, "i3d": fvd})
    with named_bars() as bars:
        found = evaluate(given[:-1], given[-1], networks, bars)
    show(found, json_file=json_file, html=html, title="Evaluation")
