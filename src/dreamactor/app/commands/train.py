"""`dreamactor train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_MODELS = ("actor", "tiny", "paper", "wan-1.3b")
_PARTS = ("face", "audio", "judge")


def command(
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Folder of the run; the same folder resumes it. Needed, but for --dry-run.",
            show_default=False,
        ),
    ] = None,
    preset: Annotated[
        str,
        typer.Argument(
            help="What to train: actor (the embedded model), tiny (the same road in seconds), wan-1.3b (from open weights, "
            "on GPUs), paper (to be looked at with --dry-run), face (the face encoders), audio (the audio encoder) or judge."
        ),
    ] = "actor",
    stage: Annotated[
        str | None,
        typer.Option(
            help="Stage of the DiT: pretrain, warm-up, stage-1, stage-2 or stage-3 by itself, all of them in turn, or "
            "together (one stage with all conditions; the actor's default).",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say stages, parameters, memory and FLOPs of the preset; train nothing.")
    ] = False,
    samples: Annotated[
        int | None,
        typer.Option(
            min=4,
            help="Clips of actors to draw (800, with 3400 short ones in proportion), actors of the face encoders (1200) "
            "or of the judge (884), clips of speech (480).",
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=64, max=512, help="Pixels of a side, a multiple of 32 (256).", show_default=False)
    ] = None,
    scale: Annotated[
        float, typer.Option(min=0.0005, help="Multiplies all step counts, and how many actors the face encoders see.")
    ] = 1.0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that draw.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of everything.")] = 0,
    start_from: Annotated[
        str | None,
        typer.Option(
            help="Go on from what is trained already: a model (actor, or a folder), whose VAE is kept; its face encoders; a "
            "judge (judge, or a folder). For audio: the model whose face tokens are given (actor).",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of clips from build-data; may be given several times. The DiT of --start-from learns from them.",
            show_default=False,
        ),
    ] = None,
    lora_rank: Annotated[
        int,
        typer.Option(min=0, help="Rank of low-rank layers that learn instead of the DiT's own (LoRA, needs PEFT); 0: none."),
    ] = 0,
    gradient_checkpointing: Annotated[
        bool, typer.Option("--gradient-checkpointing", help="Less memory for the DiT's training, a third more time.")
    ] = False,
) -> None:  # fmt: skip
    """Train the embedded model from nothing (draw actors, then face encoders, VAE, DiT and decoder), or a part by itself.

    Ctrl-C and SIGTERM write a checkpoint first (exit codes 130 and 143); the same command goes on there.

    Examples:

      dreamactor train --output run

      dreamactor train actor --output run --stage all

      dreamactor train tiny --output quick --stage pretrain

      dreamactor train paper --dry-run

      dreamactor train --output quick --samples 16 --size 64 --scale 0.01

      dreamactor train --output more --start-from actor --scale 0.3

      dreamactor train --output mine --start-from actor --data clips --scale 0.1

      dreamactor train wan-1.3b --output wan --data clips --lora-rank 32

      dreamactor train face --output face-run

      dreamactor train audio --output audio-run

      dreamactor train judge --output judge-run --start-from judge

      torchrun --nproc-per-node 8 -m dreamactor train actor --output run
    """
    from dreamactor.errors import ConfigError

    if preset not in (*_MODELS, *_PARTS):
        raise ConfigError(f"Unknown preset '{preset}'. Known: {', '.join((*_MODELS, *_PARTS))}.")
    if preset in _PARTS:
        given = {
            "--size": size, "--stage": stage, "--dry-run": dry_run or None,
            "--data": data or None, "--lora-rank": lora_rank or None,
            "--gradient-checkpointing": gradient_checkpointing or None,
        }  # fmt: skip
        for option, value in given.items():
            if value is not None:
                why = ": its networks see crops of fixed sizes" if option == "--size" else ""
                raise ConfigError(f"{option} does not apply to {preset}{why}. Leave it out.")
    if dry_run:
        from dreamactor.recipes.estimate import describe
        from dreamactor.recipes.presets import PRESETS

        typer.echo(describe(PRESETS[preset]()))
        return
    if lora_rank and start_from is None and preset != "wan-1.3b":
        raise ConfigError("--lora-rank changes a trained model a little: say which one with --start-from.")
    if output is None:
        raise ConfigError("Say where the run goes: --output FOLDER. The same folder resumes it.")
    if preset == "paper":
        raise ConfigError(
            "paper needs GPUs, a data set of videos and weights that are not public, so this command cannot train it. See "
            "it with --dry-run; recipes.stages.train_stages trains it from a clip source of yours."
        )
    if preset == "wan-1.3b":
        _train_wan(output, stage, start_from, data or [], scale=scale, seed=seed, lora_rank=lora_rank)
    elif preset == "face":
        _train_face(output, samples, start_from, scale=scale, workers=workers, seed=seed)
    elif preset == "audio":
        _train_audio(output, samples, start_from, scale=scale, workers=workers, seed=seed)
    elif preset == "judge":
        _train_judge(output, samples, start_from, scale=scale, workers=workers, seed=seed)
    else:
        _train_model(
            output, preset, stage, samples, size, start_from, data or [], scale=scale, workers=workers, seed=seed,
            lora_rank=lora_rank, gradient_checkpointing=gradient_checkpointing,
        )  # fmt: skip


def _train_wan(
    output: Path, stage: str | None, start: str | None, data: list[Path], *, scale: float, seed: int, lora_rank: int
) -> None:
    from dreamactor.app.progress import training_lines
    from dreamactor.errors import ConfigError
    from dreamactor.inference.catalogue import expect_installed
    from dreamactor.recipes.stages import ALL
    from dreamactor.recipes.wan import WanRecipe, train_wan
    from dreamactor.training.distributed import open_workers

    if not data:
        raise ConfigError("wan-1.3b learns from clips of people: make them with build-data and name them with --data.")
    folder = Path(start) if start is not None and Path(start).is_dir() else expect_installed(start or "wan2.1-t2v-1.3b")
    recipe = WanRecipe(start=folder, scale=scale, lora_rank=lora_rank, seed=seed)
    with open_workers() as processes, training_lines():
        made = train_wan(output, data, recipe, stage=stage or ALL, workers=processes)
        main = processes.main
    if main:
        typer.echo(f"{made} (weights of the DiT; what was loaded is in {output / 'loaded.txt'})")


def _train_judge(output: Path, samples: int | None, start: str | None, *, scale: float, workers: int, seed: int) -> None:
    from dataclasses import replace
    from typing import Any

    from dreamactor.app.progress import training_lines
    from dreamactor.recipes.judge import JudgeRecipe, train_judge

    recipe = JudgeRecipe(workers=workers, seed=seed, start=start)
    steps: dict[str, Any] = {
        name: _scaled(getattr(recipe, name), scale) for name in ("points_steps", "head_steps", "who_steps")
    }
    recipe = replace(recipe, num_actors=samples or recipe.num_actors, **steps)
    with training_lines() as report:
        judge = train_judge(output, recipe, report)
    typer.echo(f"{judge} (measure it with: dreamactor bench judge --judge {judge})")


def _train_face(output: Path, samples: int | None, start: str | None, *, scale: float, workers: int, seed: int) -> None:
    from dataclasses import replace

    from dreamactor.app.progress import training_lines
    from dreamactor.errors import ConfigError
    from dreamactor.inference.bundle import load_face_encoders
    from dreamactor.recipes.face import FaceRecipe, train_faces

    if samples is not None and samples % 2:
        raise ConfigError(f"--samples must be even for the face encoders (actors learn in pairs), got {samples}.")
    recipe = FaceRecipe(workers=workers, seed=seed).scaled(scale)
    recipe = replace(recipe, num_actors=samples or recipe.num_actors)
    encoder = None if start is None else load_face_encoders(start).rgb
    if start is not None and encoder is None:
        raise ConfigError(f"{start} has no implicit face encoder to go on from. Leave --start-from out.")
    with training_lines() as report:
        train_faces(output, recipe, report, start=encoder)
    typer.echo(f"{output / 'model'} (measure it with: dreamactor bench guidance --only faces --faces {output / 'model'})")


def _train_audio(output: Path, samples: int | None, start: str | None, *, scale: float, workers: int, seed: int) -> None:
    from dataclasses import replace

    from dreamactor.app.progress import training_lines
    from dreamactor.errors import ConfigError
    from dreamactor.inference.bundle import load_face_encoders

    try:
        from dreamactor.recipes.audio import AudioRecipe, train_audio
    except ModuleNotFoundError as error:
        raise ConfigError(f"{error.name} is not installed. Run: pip install 'dreamactor[train]'") from error
    recipe = AudioRecipe(workers=workers, seed=seed).scaled(scale)
    recipe = replace(recipe, num_clips=samples or recipe.num_clips)
    faces = load_face_encoders(start or "actor").landmarks
    with training_lines() as report:
        train_audio(output, recipe, faces, report)
    typer.echo(f"{output / 'model'} (measure it with: dreamactor bench speech --audio-weights {output / 'model'})")


def _train_model(
    output: Path, preset: str, stage: str | None, samples: int | None, size: int | None, start: str | None,
    data: list[Path], *,
    scale: float, workers: int, seed: int, lora_rank: int, gradient_checkpointing: bool,
) -> None:  # fmt: skip
    from dataclasses import replace
    from typing import Any

    from dreamactor.app.progress import training_lines
    from dreamactor.errors import ConfigError
    from dreamactor.recipes.actor import TOGETHER, ActorRecipe, train_actor
    from dreamactor.recipes.own_clips import train_on_clips
    from dreamactor.recipes.stages import ALL
    from dreamactor.recipes.tiny import tiny_recipe
    from dreamactor.training.distributed import open_workers

    tiny = preset == "tiny"
    recipe = tiny_recipe() if tiny else ActorRecipe(workers=workers)
    face = None if recipe.face is None else replace(recipe.face, workers=workers, seed=seed).scaled(scale)
    recipe = replace(
        recipe.of_size(samples or recipe.num_samples), seed=seed, start=start, size=size or recipe.size, face=face,
        lora_rank=lora_rank, gradient_checkpointing=gradient_checkpointing,
    )  # fmt: skip
    if recipe.size % 32:
        raise ConfigError(f"--size must be a multiple of 32, got {recipe.size}.")
    counts: dict[str, Any] = {
        name: _scaled(getattr(recipe, name), scale) for name in ("vae_steps", "dit_steps", "decoder_steps")
    }
    recipe = replace(recipe, **counts)
    chosen = stage or (ALL if tiny else TOGETHER)
    with open_workers() as processes, training_lines() as report:
        if data:
            made = train_on_clips(output, data, recipe, stage=chosen, workers=processes)
        else:
            made = train_actor(output, recipe, report, stage=chosen, workers=processes)
        main = processes.main
    if main:
        trained = (made / "model.json").exists()
        typer.echo(f"{made} (use it with --model {made})" if trained else f"{made} (the next stage starts from it)")


def _scaled(steps: int, scale: float) -> int:
    return max(2, round(steps * scale))
