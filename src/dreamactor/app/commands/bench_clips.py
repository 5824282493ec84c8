"""`dreamactor bench clips`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of videos with people.", show_default=False)],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
) -> None:
    """Measure how calm and prompt the tracks of real clips are; nobody needs to know the truth about them.

    Per clip: shares of frames with body, face and hands; the largest jump of a hip or shoulder between frames (in torsos,
    outside cuts; also less the camera's own jolts); limbs that leap and are back within three frames; by how many frames
    the wrists run behind what the estimator saw. A calm track has jumps up to 0.2, no spike, and a lag of at most 1.

    Examples:

      dreamactor bench clips clips/

      dreamactor bench clips clips/ --json clips.json
    """
    from dreamactor.app.bench.clips import bench_clips, clip_rows, clip_table
    from dreamactor.app.bench.drivers import find_clips
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.video.output import check_output

    given = find_clips(folder)
    if json_file is not None:
        check_output(json_file, given, suffixes=(".json",))
    with named_bars() as bars:
        clips = bench_clips(given, bars)
    typer.echo(clip_table(clips))
    if json_file is not None:
        write_scores(json_file, clip_rows(clips))
        typer.echo(str(json_file))
