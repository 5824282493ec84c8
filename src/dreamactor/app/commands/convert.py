"""`dreamactor convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Joint file of another tool, or a motion file (.npz).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write (.npz).")],
    layout: Annotated[
        str | None,
        typer.Option(
            help="Write a joint file: coco_wholebody_133, mediapipe_33, mediapipe_75, mediapipe_553, smpl_24, smplx_55, "
            "smplx_127 or smplx_144. Left out, a motion file is written."
        ),
    ] = None,
    body_model: Annotated[
        Path | None, typer.Option(help="Your own SMPL-X or SMPL model (.npz), for parameters without rest joints.")
    ] = None,
) -> None:
    """Turn joints of other tools into a motion file, or a motion file into joints.

    Examples:

      dreamactor convert joints.npz -o motion.npz

      dreamactor convert smplx.npz -o motion.npz --body-model SMPLX_NEUTRAL.npz

      dreamactor convert motion.npz -o joints.npz --layout coco_wholebody_133
    """
    from dreamactor.app.convert import convert_file

    done = convert_file(source, output, layout=layout, body_model=body_model)
    track = done.track

    def share(tracked: object) -> str:
        return f"{float(tracked.float().mean()):.0%}"  # type: ignore[attr-defined]

    typer.echo(
        f"{output} ({track.num_frames} frames: body {share(track.body.tracked)}, head {share(track.head.tracked)}, "
        f"face {share(track.face.tracked)}, left hand {share(track.hands.tracked[:, 0])}, "
        f"right hand {share(track.hands.tracked[:, 1])})"
    )
    for note in done.notes:
        typer.echo(f"Note: {note}.", err=True)
