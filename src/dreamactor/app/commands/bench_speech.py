"""`dreamactor bench speech`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    model: Annotated[str, typer.Option(help="Model whose audio encoder is measured.")] = "actor",
    audio_weights: Annotated[
        Path | None, typer.Option(help="An audio encoder, or a run of `train audio`, in place of the model's.")
    ] = None,
    clips_each: Annotated[int, typer.Option(min=0, help="Held-out voices of every language; 0: none.")] = 6,
    minutes: Annotated[float, typer.Option(min=0, help="Length of the long sound; 0: none.")] = 60,
    videos: Annotated[
        int, typer.Option(min=0, help="Portraits animated in each of five languages, read by the judge; slow. 0: none.")
    ] = 0,
    video_seconds: Annotated[float, typer.Option(min=1.5, help="Length of each of these.")] = 4.0,
    clips: Annotated[
        Path | None, typer.Option(help="Folder of recorded people who talk, sound in sync, to be followed too.")
    ] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for curves and sheets.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the scores here.")] = None,
) -> None:
    """Measure how well speech drives the mouth: voices, sentences and languages never heard, noise, music, silence, length.

    Needs espeak-ng; voices made of recordings are measured where flite or festival has them. Recorded clips are named by
    number in what is written.

    Examples:

      dreamactor bench speech --json speech.json

      dreamactor bench speech --minutes 0 --videos 1 --plots sheets

      dreamactor bench speech --audio-weights audio-run --clips talking --plots curves
    """
    from dreamactor.app.progress import named_bars
    from dreamactor.app.scores import write_scores
    from dreamactor.errors import ConfigError
    from dreamactor.inference.audio_encoder import load_audio_encoder
    from dreamactor.inference.bundle import load_bundle
    from dreamactor.inference.speech import require_audio
    from dreamactor.video.output import check_output

    try:
        from dreamactor.app.bench.speech import (
            bench_length,
            bench_recorded_voices,
            bench_silence,
            bench_voices,
            speech_table,
            voice_rows,
        )
    except ModuleNotFoundError as error:
        raise ConfigError(f"{error.name} is not installed. Run: pip install 'dreamactor[train]'") from error
    if json_file is not None:
        check_output(json_file, suffixes=(".json",))
    bundle = load_bundle(model)
    if audio_weights is not None:
        from dataclasses import replace

        bundle = replace(bundle, audio=load_audio_encoder(audio_weights, bundle.face))
    encoder = require_audio(bundle.audio)
    rows = []
    with named_bars() as bars:
        if clips_each:
            voices = bench_voices(encoder, clips_each=clips_each, report=bars)
            voices += bench_recorded_voices(encoder, clips_each=clips_each, report=bars)
            rows += voice_rows(voices)
            rows += bench_silence(encoder, seconds=10 * clips_each, report=bars)
        if minutes:
            rows += bench_length(encoder, minutes=minutes, report=bars)
        if videos:
            from dreamactor.app.bench.speech_videos import bench_videos

            rows += bench_videos(bundle, videos_each=videos, seconds=video_seconds, plots=plots, report=bars)
        if clips is not None:
            from dreamactor.app.bench.speech_clips import bench_recorded

            rows += bench_recorded(encoder, clips, plots=plots, report=bars)
    typer.echo(speech_table(rows))
    if json_file is not None:
        write_scores(json_file, rows, model=model)
        typer.echo(str(json_file))
