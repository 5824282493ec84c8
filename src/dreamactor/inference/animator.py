"""The road from a request to a video (figure 3). Nothing here grows with the length of the video but the track's points."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.flow.guidance import Branch, Guidance
from dreamactor.flow.sampler import sample
from dreamactor.flow.time import sampling_times
from dreamactor.guidance.background import without_background
from dreamactor.guidance.build import build_guidance
from dreamactor.guidance.mix import drop_parts
from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.guidance.retarget import RetargetOptions, retarget
from dreamactor.guidance.textured_proxy import ProxyModel, draw_proxy, prepare_proxy
from dreamactor.inference.bundle import ModelBundle, load_bundle
from dreamactor.inference.character_build import character_build
from dreamactor.inference.face_encoders import load_own_encoder
from dreamactor.inference.face_motion import FaceMotion, read_face_motion
from dreamactor.inference.pseudo_references import (
    PseudoReference,
    collect,
    lines_about,
    load_pseudo_references,
    plan_stage_one,
    save_pseudo_references,
)
from dreamactor.inference.reference_choice import carried_images, choose_references, keep_chosen, with_images
from dreamactor.inference.references import perceive_picture, read_references
from dreamactor.inference.request import PARTS, AnimateRequest, Progress
from dreamactor.inference.segments import Segment, plan_segments
from dreamactor.inference.sources import MotionSources, Report, is_motion_file, read_sources
from dreamactor.inference.speech import require_audio, speak
from dreamactor.inference.unfinished import Handover, UnfinishedRun, clips_of, pictures_fact
from dreamactor.models.caches import DriveCache, ReferenceCache
from dreamactor.models.inputs import DecodeInput, DriveInput, ReferenceInput
from dreamactor.models.vae import StreamedDecoder
from dreamactor.perception.build import build_estimator
from dreamactor.types.guidance import FaceInput, MotionGuidance, PoseMaps, ReferenceSet
from dreamactor.types.track import PersonTrack, shots_of, take_frames
from dreamactor.types.video import VideoClip
from dreamactor.video.reader import VideoReader
from dreamactor.video.tensor import to_frames, to_model

TIME_SHIFT = 2.0
"""Moves sampling steps towards noise, where pose and silhouette are decided."""

logger = logging.getLogger(__name__)


def _channels(maps: PoseMaps) -> Tensor:
    """Pose maps as the model's input: [1, 6, T, H, W] in -1..1."""
    return torch.cat([to_model(maps.body_skeleton), to_model(maps.head_sphere)], dim=1)


def _uses_proxy(request: AnimateRequest) -> bool:
    """Without a body there is nothing that could carry the references' pixels."""
    return request.use_proxy and request.body_from != "none"


class Animator:
    """One loaded model."""

    advice = (
        "Note: the embedded model has seen drawn actors only. With a photo expect its own pixels in the new pose, and a "
        "drawn look where the model must invent (faces, hands, hidden sides). Photos want --model wan-animate-14b and a GPU."
    )

    def __init__(self, bundle: ModelBundle) -> None:
        self.bundle = bundle

    @classmethod
    def from_pretrained(cls, name_or_path: str = "actor") -> Animator:
        """Loads a shipped model by name, or one from a folder."""
        return cls(load_bundle(name_or_path))

    def check(self, request: AnimateRequest) -> None:
        """Refuses what this model cannot do.

        Raises:
            ConfigError: with what to do about it.
        """
        if request.audio is not None:
            require_audio(self.bundle.audio)

    @torch.no_grad()
    def animate(
        self,
        request: AnimateRequest,
        report: Report = lambda progress: None,
        say: Callable[[str], None] = logger.info,
        *,
        sources: MotionSources | None = None,
        unfinished: UnfinishedRun | None = None,
    ) -> Iterator[VideoClip]:
        """Yields the video segment by segment; all clips together have exactly the frames and times of `sources.times`.

        Args:
            request: what to make.
            report: called with the progress.
            say: called with lines for the user.
            sources: the clips of the request, where they were perceived already.
            unfinished: gives the segments that were finished before, and keeps those that are finished now.

        Raises:
            DreamActorError: something about the request that its author can mend.
        """
        bundle, defaults = self.bundle, self.bundle.defaults
        self.check(request)
        sources = sources or read_sources(request, report)
        report(Progress(stage="prepare", done=0, total=1))
        with closing(build_estimator("mediapipe", static=True)) as estimator:
            references = read_references(
                request.references,
                size=request.size or defaults.size,
                grid=bundle.grid,
                estimator=estimator,
                described=request.described,
                yaw_deg=request.reference_yaw_deg,
            )
            build = character_build(
                references.proportions,
                image=request.proportions_image,
                described=request.proportions_json,
                estimator=estimator,
            )
            pseudo = []
            if request.pseudo_folder is not None:
                place = partial(perceive_picture, canvas=references.canvas, estimator=estimator)
                pseudo = load_pseudo_references(request.pseudo_folder, canvas=references.canvas, perceive=place)
        choice = choose_references(references.images, most=defaults.max_references)
        for line in choice.lines([path.name for path in request.references], most=defaults.max_references):
            say(line)
        references = keep_chosen(replace(references, proportions=build), choice)
        face = self.read_face(sources, request)
        if face is not None:
            say(str(face))
        driving = sources.join(references)
        if request.pseudo_references is not None:
            if not pseudo:
                pseudo = self.make_pseudo_references(driving, references, request, face=face)
                if request.pseudo_folder is not None:
                    save_pseudo_references(request.pseudo_folder, pseudo)
            for line in lines_about(pseudo, request.pseudo_folder):
                say(line)
            references = with_images(references, [one.image for one in pseudo])
        if sources.speech is not None:
            driving, face = speak(bundle.audio, bundle.face, driving, face, sources, request)
            say(str(face))
        yield from self.animate_track(driving, references, request, report, face=face, unfinished=unfinished)

    @torch.no_grad()
    def animate_track(
        self, driving: PersonTrack, references: ReferenceSet, request: AnimateRequest, report: Report = lambda _: None, *,
        face: FaceMotion | None = None, unfinished: UnfinishedRun | None = None,
    ) -> Iterator[VideoClip]:  # fmt: skip
        """The same from one track for all parts; of the request only the settings count, and which parts are `none`.

        Without `face` the face is read off the track's landmarks.
        """
        track = self.place(driving, references, request)
        yield from self._generate(track, references, request, report, face=face, unfinished=unfinished)

    def place(self, driving: PersonTrack, references: ReferenceSet, request: AnimateRequest) -> PersonTrack:
        """The motion on the references' canvas, without the parts that are `none`."""
        options = RetargetOptions(framing=request.framing, proportions=request.proportions, camera=request.camera)
        dropped = {part: getattr(request, f"{part}_from") == "none" for part in PARTS}
        return drop_parts(retarget(driving, references, options), **dropped)

    @torch.no_grad()
    def make_pseudo_references(
        self, driving: PersonTrack, references: ReferenceSet, request: AnimateRequest, *, face: FaceMotion | None = None
    ) -> list[PseudoReference]:
        """Stage one: pictures of the sides that the references do not show."""
        placed = self.place(driving, references, request)
        stage = plan_stage_one(placed, references, poses=request.pseudo_references or "driving")
        if stage is None:
            return []
        if face is not None:
            face = None if stage.frames is None else replace(face, tokens=face.tokens[stage.frames])
        frames = torch.cat([clip.frames for clip in self._generate(stage.poses, references, request, face=face)])
        figure = None
        if _uses_proxy(request):
            width, height = references.canvas
            model = prepare_proxy(references, stage.poses)
            figure = draw_proxy(model, stage.poses, width=width, height=height).figure
            frames = without_background(frames, figure, model.background)
        return collect(stage, frames, figure)

    def _generate(
        self, track: PersonTrack, references: ReferenceSet, request: AnimateRequest, report: Report = lambda _: None, *,
        face: FaceMotion | None = None, unfinished: UnfinishedRun | None = None,
    ) -> Iterator[VideoClip]:  # fmt: skip
        """Segment by segment, from a track that lies on the canvas already."""
        bundle, defaults = self.bundle, self.bundle.defaults
        proxy = prepare_proxy(carried_images(references), track) if _uses_proxy(request) else None
        shown = choose_references(references.images, most=defaults.max_references)
        cache = self.prepare_references(keep_chosen(references, shown))
        scales = [
            own if given is None else given
            for given, own in (
                (request.guidance_reference, defaults.guidance_reference),
                (request.guidance_motion, defaults.guidance_motion),
            )
        ]
        guidance = Guidance(reference=scales[0], motion=scales[1])
        report(Progress(stage="prepare", done=1, total=1))
        width, height = references.canvas
        stream = bundle.vae.decoder_stream()
        carried: Tensor | None = None
        cuts = [shot.start for shot in shots_of(track.cut)][1:]
        segments = plan_segments(track.num_frames, defaults.segment_frames, bundle.grid, cuts=cuts)
        steps = request.steps or defaults.steps
        num_done = 0
        if unfinished is not None:
            unfinished.also("pictures", pictures_fact(references))
        if unfinished is not None and unfinished.handover is not None:
            num_done, carried = unfinished.num_done, unfinished.handover.carried
            stream.load_state(unfinished.handover.decoder)
            yield from clips_of(unfinished, track.times)
        for index, segment in enumerate(segments[num_done:], start=num_done):
            if not segment.carries:  # the start, or a cut: motion starts anew, the character is in the references
                stream, carried = bundle.vae.decoder_stream(), None

            def stepped(done: int, total: int, before: int = index * steps) -> None:
                report(Progress(stage="denoise", done=before + done, total=len(segments) * total))

            stepped(0, steps)
            drawn = self._draw(track, segment, proxy, width=width, height=height)
            if face is not None and face.source != "landmarks":
                tokens = face.tokens[segment.control_frames(bundle.grid).clamp(max=len(face.tokens) - 1)]
                drawn = replace(drawn, face=replace(drawn.face, tokens=tokens))
            drive = self.prepare_drive(drawn, segment)
            latent = self._denoise(
                drive, cache, guidance, first_latent=carried, steps=steps, seed=request.seed + 7919 * index,
                width=width, height=height, stepped=stepped,
            )  # fmt: skip
            frames = self._decode(stream, latent, drawn, segment)
            carried = latent[:, :, -1:]
            if unfinished is not None and index + 1 < len(segments):
                unfinished.keep(frames, Handover(carried=carried, decoder=stream.state()))
            yield VideoClip(frames=frames, times=track.times[segment.start : segment.stop])
            report(Progress(stage="decode", done=segment.stop, total=track.num_frames))

    def read_face(self, sources: MotionSources, request: AnimateRequest) -> FaceMotion | None:
        """The motion of the face's own source at `sources.times`, by the encoder that the request asks for.

        Returns:
            None where no clip drives the face.

        Raises:
            ConfigError, InputError: the encoder or the weights asked for cannot be used.
        """
        source = sources.chosen["face"]
        if not isinstance(source, Path):
            return None
        faces, track = self.bundle.faces, sources.tracks[source]
        if request.face_weights is not None:
            faces = replace(faces, rgb=load_own_encoder(request.face_weights, code_dim=faces.landmarks.code_dim))
        if is_motion_file(source):
            found = read_face_motion(faces, track, None, choice=request.face_encoder)
        else:
            with VideoReader(source) as reader:
                found = read_face_motion(faces, track, (frame.image for frame in reader), choice=request.face_encoder)
        return replace(found, tokens=found.tokens[sources.pictures(source)])

    def prepare_references(self, references: ReferenceSet) -> ReferenceCache:
        """Latents and tokens of the references, for the whole video."""
        width, height = references.canvas
        latents, maps = [], []
        for reference in references.images:
            latents.append(self.bundle.vae.encode(to_model(reference.image[None]))[:, :, 0])
            drawn = draw_pose_maps(reference.person, width=width, height=height)
            maps.append(_channels(drawn)[:, :, 0])
        return self.bundle.dit.prepare_references(
            ReferenceInput(latents=torch.stack(latents, dim=1), pose_maps=torch.stack(maps, dim=1))
        )

    def _draw(
        self, track: PersonTrack, segment: Segment, proxy: ProxyModel | None, *, width: int, height: int
    ) -> MotionGuidance:
        """Controls of a segment: of the frames a handed-over latent stands for, then of the new ones."""
        chosen = segment.control_frames(self.bundle.grid)
        piece = take_frames(track, chosen)
        return build_guidance(piece, slice(0, len(chosen)), width=width, height=height, proxy=proxy, crops=None)

    def prepare_drive(self, drawn: MotionGuidance, segment: Segment) -> DriveCache:
        """Motion tokens of one segment."""
        proxy_latent, proxy_seen = None, None
        if drawn.proxy is not None:
            video = to_model(drawn.proxy.rgb)
            if segment.carries:  # the encoder's own first latent stands for one frame: show it the last handed-over one
                video = video[:, :, segment.first_frames - 1 :]
            proxy_latent = self.bundle.vae.encode(video)
            seen = F.adaptive_avg_pool2d(
                drawn.proxy.seen[:, None].float() / 255, (proxy_latent.shape[3], proxy_latent.shape[4])
            )[:, 0]
            lead, rest = seen[: segment.first_frames].mean(dim=0, keepdim=True), seen[segment.first_frames :]
            proxy_seen = torch.cat([lead, rest.unflatten(0, (-1, self.bundle.grid.temporal)).mean(dim=1)])[None, None]
        code = self._face_codes(drawn.face)
        return self.bundle.dit.prepare_drive(
            DriveInput(
                num_latents=segment.num_latents,
                first_frames=segment.first_frames,
                pose_maps=_channels(drawn.pose),
                face=code[None],
                face_tracked=drawn.face.tracked[None],
                proxy_latent=proxy_latent,
                proxy_seen=proxy_seen,
            )
        )

    def _face_codes(self, face: FaceInput) -> Tensor:
        """Face motion tokens of some frames: [T, c]."""
        return self.bundle.face(face.landmarks) if face.tokens is None else face.tokens

    def _denoise(
        self, drive: DriveCache, references: ReferenceCache, guidance: Guidance, *, first_latent: Tensor | None,
        steps: int, seed: int, width: int, height: int, stepped: Callable[[int, int], None],
    ) -> Tensor:  # fmt: skip
        dit = self.bundle.dit
        rows, columns = self.bundle.grid.cells(height=height, width=width)
        shape = (1, self.bundle.vae.config.latent_channels, drive.num_latents, rows, columns)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        still = dit.prepare_drive(DriveInput(num_latents=drive.num_latents, first_frames=1))
        branches: dict[Branch, tuple[ReferenceCache | None, DriveCache]] = {
            "nothing": (None, still),
            "reference": (references, still),
            "full": (references, drive),
        }

        def velocity(noisy: Tensor, times: Tensor) -> Tensor:
            return guidance.combine({name: dit(noisy, times, *branches[name]) for name in guidance.weights})

        times = sampling_times(steps, shift=TIME_SHIFT)
        return sample(velocity, noise, times, first_latent=first_latent, report=stepped)

    def _decode(self, stream: StreamedDecoder, latent: Tensor, drawn: MotionGuidance, segment: Segment) -> Tensor:
        """New frames of a segment: [t, H, W, 3] uint8. The handed-over latent is not decoded again."""
        skip = 1 if segment.carries else 0
        decoded = stream.push(latent[:, :, skip:])
        own = slice(segment.first_frames if segment.carries else 0, None)
        proxy = seen = figure = None
        if drawn.proxy is not None:
            proxy = to_model(drawn.proxy.rgb[own])
            seen, figure = (mask[own][None, None].float() / 255 for mask in (drawn.proxy.seen, drawn.proxy.figure))
        joined = self.bundle.decoder(
            DecodeInput(
                decoded=decoded,
                proxy=proxy,
                seen=seen,
                figure=figure,
                pose_maps=_channels(drawn.pose)[:, :, own],
                face=self._face_codes(drawn.face)[own][None],
                face_tracked=drawn.face.tracked[own][None],
            )
        )
        return to_frames(joined)[0, : segment.stop - segment.start]
