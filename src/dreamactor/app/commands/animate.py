"""`dreamactor animate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_HEARD = "audio:"


def command(
    references: Annotated[list[Path], typer.Argument(help="One or more pictures of the character.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Video to write (.mp4, .m4v or .mov).")],
    driving: Annotated[
        Path | None,
        typer.Option(
            help="Video whose motion drives the character, or a motion file (.npz). Needed unless all parts differ, or "
            "--audio is given."
        ),
    ] = None,
    body_from: Annotated[
        str,
        typer.Option(help="Body and hands: a video, a motion file, driving, reference (held as in the picture) or none."),
    ] = "driving",
    head_from: Annotated[str, typer.Option(help="The head's rotation against the chest: the same choice.")] = "driving",
    face_from: Annotated[str, typer.Option(help="The expression: the same choice, or audio:FILE (speech).")] = "driving",
    audio: Annotated[
        Path | None,
        typer.Option(
            help="Sound or video file whose speech moves the mouth, and whose sound the result has. With --driving the rest "
            "of the face is the video's; without, the person is at ease."
        ),
    ] = None,
    mouth_strength: Annotated[float, typer.Option(help="How far speech opens the mouth; 0 not at all, 1 as learnt.")] = 1.0,
    model: Annotated[str, typer.Option(help="Model name, or a folder with a model.json.")] = "actor",
    seed: Annotated[int, typer.Option(help="Of all randomness; equal seeds give equal videos.")] = 0,
    steps: Annotated[int | None, typer.Option(help="Sampling steps; the model's own if left out.")] = None,
    size: Annotated[int | None, typer.Option(help="Side of a square of the output's area, in pixels.")] = None,
    guidance_ref: Annotated[float | None, typer.Option(help="Guidance scale of the references.")] = None,
    guidance_motion: Annotated[float | None, typer.Option(help="Guidance scale of the motion.")] = None,
    framing: Annotated[str, typer.Option(help="auto, reference or driving.")] = "auto",
    camera: Annotated[
        str, typer.Option(help="Motion of the body's own camera: ignore takes it out of the body's way, follow keeps it.")
    ] = "ignore",
    person: Annotated[int | None, typer.Option(help="Which person of the driving video, 1 for the largest.")] = None,
    reference_json: Annotated[
        list[Path] | None, typer.Option(help="Head box and joints of the first reference by hand; repeat for the next.")
    ] = None,
    reference_yaw: Annotated[
        list[str] | None,
        typer.Option(
            help="Which way the first reference faces, by hand: 0 to the camera, 90 to the image's right, 180 away, or "
            "auto; repeat for the next."
        ),
    ] = None,
    pseudo_references: Annotated[
        bool,
        typer.Option("--pseudo-references", help="First make the sides that no reference shows, in the driver's poses."),
    ] = False,
    pseudo_turn: Annotated[
        bool, typer.Option("--pseudo-turn", help="The same, but in a turn on the spot instead of the driver's poses.")
    ] = False,
    pseudo_folder: Annotated[
        Path | None, typer.Option(help="Keep these pictures here, or use the ones that are here already.")
    ] = None,
    proportions: Annotated[str, typer.Option(help="Bone lengths of reference, driving, or 0 (driving) to 1.")] = "reference",
    proportions_image: Annotated[
        Path | None, typer.Option(help="Measure this picture instead of the references, such as an A-pose by an editor.")
    ] = None,
    proportions_json: Annotated[
        Path | None, typer.Option(help="Bone lengths by hand; `dreamactor proportions` writes a file to correct.")
    ] = None,
    proxy: Annotated[bool, typer.Option(help="Carry the reference's own pixels along.")] = True,
    face_encoder: Annotated[
        str, typer.Option(help="What reads the driver's face: auto, implicit (its pictures) or landmarks.")
    ] = "auto",
    face_weights: Annotated[
        Path | None, typer.Option(help="Own weights of the implicit face encoder (.safetensors).")
    ] = None,
    preview: Annotated[Path | None, typer.Option(help="Also write sources and result side by side.")] = None,
    label: Annotated[bool, typer.Option("--label", help="Write AI-generated into every picture.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the last finished segment of the same command, if it broke off.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="wan-animate: put the character into the driving video, in the driver's place.")
    ] = False,
    memory: Annotated[
        str, typer.Option(help="wan-animate: auto (what this machine has room for), full, offload, group, fp8 or gguf.")
    ] = "auto",
    lora: Annotated[
        str | None, typer.Option(help="wan-animate: low-rank weights, a file or lightx2v-4step (4 steps for 20).")
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="wan-animate: text for the model; its own if left out.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Download a model that is missing without asking.")] = False,
) -> None:
    """Animate a character by a driving video, its face, head and body by several, or by speech.

    Length, frame times and sound are those of --driving, or of the first of body's, head's and face's own file. Other
    clips start with it, are resampled to its times, and hold their last frame if they end early. The video carries content
    credentials that say how it was made; `dreamactor inspect` reads them.

    Examples:

      dreamactor animate actor.png --driving dance.mp4 -o out.mp4

      dreamactor animate front.png back.png --driving turn.mp4 -o out.mp4 --preview both.mp4 --seed 3

      dreamactor animate front.png --driving turn.mp4 -o out.mp4 --pseudo-references --pseudo-folder sides/

      dreamactor animate actor.png --driving long.mp4 -o out.mp4 --resume

      dreamactor animate actor.png --driving dance.mp4 --face-from talk.mp4 --head-from reference -o out.mp4

      dreamactor animate photo.jpg --driving dance.mp4 -o out.mp4 --model wan-animate-14b --lora lightx2v-4step

      dreamactor animate photo.jpg --driving dance.mp4 -o out.mp4 --model wan-animate-14b --replace --memory group

      dreamactor animate actor.png --face-from a.mp4 --head-from b.mp4 --body-from c.npz -o out.mp4 --camera follow

      dreamactor animate actor.png --audio speech.wav -o out.mp4

      dreamactor animate actor.png --driving talk.mp4 --audio other-language.wav -o out.mp4
    """
    from dreamactor.app.animate import animate_to_file
    from dreamactor.app.models import ensure_installed
    from dreamactor.errors import ConfigError
    from dreamactor.inference.catalogue import find_lora
    from dreamactor.inference.character_build import parse_proportions
    from dreamactor.inference.request import AnimateRequest, parse_source, parse_yaw
    from dreamactor.inference.wan.options import PROMPT, WanOptions

    if face_from.startswith(_HEARD):
        named = Path(face_from.removeprefix(_HEARD))
        if audio is not None and audio != named:
            raise ConfigError(f"--audio names {audio}, --face-from names {named}. Name one of them.")
        audio, face_from = named, "audio"

    request = AnimateRequest(
        references=tuple(references),
        driving=driving,
        body_from=parse_source(body_from),
        head_from=parse_source(head_from),
        face_from="audio" if face_from == "audio" else parse_source(face_from),
        seed=seed,
        steps=steps,
        size=size,
        guidance_reference=guidance_ref,
        guidance_motion=guidance_motion,
        framing=framing,  # type: ignore[arg-type]
        camera=camera,  # type: ignore[arg-type]
        person=person,
        described=tuple(reference_json or ()),
        reference_yaw_deg=tuple(parse_yaw(text) for text in reference_yaw or ()),
        pseudo_references="turn" if pseudo_turn else "driving" if pseudo_references else None,
        pseudo_folder=pseudo_folder,
        proportions=parse_proportions(proportions),
        proportions_image=proportions_image,
        proportions_json=proportions_json,
        use_proxy=proxy,
        face_encoder=face_encoder,  # type: ignore[arg-type]
        face_weights=face_weights,
        audio=audio,
        mouth_strength=mouth_strength,
    )
    for name in (model, lora):
        ensure_installed(name, yes=yes)
    wan = WanOptions(
        memory=memory,
        replaces=replace,
        lora=None if lora is None else find_lora(lora),
        prompt=PROMPT if prompt is None else prompt,
    )
    num_frames = animate_to_file(request, model=model, output=output, preview=preview, wan=wan, resume=resume, label=label)
    typer.echo(f"{output} ({num_frames} frames)" + (f", {preview}" if preview else ""))
