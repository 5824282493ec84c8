"""The road from a request to a video (figure 3). Nothing here grows with the length of the video but the track's points."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamactor.errors import InputError
from dreamactor.flow.guidance import Branch, Guidance
from dreamactor.flow.sampler import sample
from dreamactor.flow.time import sampling_times
from dreamactor.guidance.build import build_guidance
from dreamactor.guidance.pose_maps import draw_pose_maps
from dreamactor.guidance.retarget import RetargetOptions, retarget
from dreamactor.guidance.textured_proxy import ProxyModel, prepare_proxy
from dreamactor.inference.bundle import ModelBundle, load_bundle
from dreamactor.inference.face_encoders import load_own_encoder
from dreamactor.inference.face_motion import FaceMotion, read_face_motion
from dreamactor.inference.references import read_references
from dreamactor.inference.request import AnimateRequest, Progress
from dreamactor.inference.segments import Segment, plan_segments
from dreamactor.models.caches import DriveCache, ReferenceCache
from dreamactor.models.inputs import DecodeInput, DriveInput, ReferenceInput
from dreamactor.models.vae import StreamedDecoder
from dreamactor.perception.build import build_estimator
from dreamactor.perception.cache import cached_track
from dreamactor.perception.perceive import perceive_video
from dreamactor.perception.track_file import load_track
from dreamactor.types.guidance import FaceInput, MotionGuidance, PoseMaps, ReferenceSet
from dreamactor.types.track import PersonTrack
from dreamactor.types.video import VideoClip
from dreamactor.video.reader import VideoReader, probe
from dreamactor.video.tensor import to_frames, to_model

TIME_SHIFT = 2.0
"""Moves sampling steps towards noise, where pose and silhouette are decided."""

Report = Callable[[Progress], None]
logger = logging.getLogger(__name__)


def perceive_driving(path: Path, *, person: int | None, report: Report) -> PersonTrack:
    """The motion of a video or motion file; a video's is cached by its content.

    Raises:
        MediaError, MotionFileError: not a usable file.
        NoPersonError: nobody in the whole clip.
    """
    if path.suffix.lower() == ".npz":
        return load_track(path)
    info = probe(path)

    def compute() -> PersonTrack:
        with closing(build_estimator("mediapipe")) as estimator, VideoReader(path) as reader:
            return perceive_video(
                ((frame.image, frame.pts) for frame in reader),
                time_base=Fraction(reader.time_base),
                estimator=estimator,
                source=path.name,
                num_frames=info.num_frames,
                person=person,
                progress=lambda done, total: report(Progress(stage="perceive", done=done, total=total)),
            )

    return cached_track(path, f"mediapipe person={person}", compute)


def _channels(maps: PoseMaps) -> Tensor:
    """Pose maps as the model's input: [1, 6, T, H, W] in -1..1."""
    return torch.cat([to_model(maps.body_skeleton), to_model(maps.head_sphere)], dim=1)


class Animator:
    """One loaded model."""

    def __init__(self, bundle: ModelBundle) -> None:
        self.bundle = bundle

    @classmethod
    def from_pretrained(cls, name_or_path: str = "actor") -> Animator:
        """Loads a shipped model by name, or one from a folder."""
        return cls(load_bundle(name_or_path))

    @torch.no_grad()
    def animate(
        self, request: AnimateRequest, report: Report = lambda progress: None, say: Callable[[str], None] = logger.info
    ) -> Iterator[VideoClip]:
        """Yields the video segment by segment; all clips together have exactly the driver's frames and times.

        Args:
            request: what to make.
            report: called with the progress.
            say: called with lines for the user.

        Raises:
            DreamActorError: something about the request that its author can mend.
        """
        bundle, defaults = self.bundle, self.bundle.defaults
        driving = perceive_driving(request.driving, person=request.person, report=report)
        if driving.num_frames == 0:
            raise InputError(f"{request.driving} has no frames.")
        report(Progress(stage="prepare", done=0, total=1))
        with closing(build_estimator("mediapipe", static=True)) as estimator:
            references = read_references(
                request.references,
                size=request.size or defaults.size,
                grid=bundle.grid,
                estimator=estimator,
                described=request.described,
            )
        face = self.read_face(driving, request)
        say(str(face))
        yield from self.animate_track(driving, references, request, report, face=face)

    @torch.no_grad()
    def animate_track(
        self, driving: PersonTrack, references: ReferenceSet, request: AnimateRequest, report: Report = lambda _: None, *,
        face: FaceMotion | None = None,
    ) -> Iterator[VideoClip]:  # fmt: skip
        """The same from what perception gives; of the request only the settings count. Without `face` the driver's face is
        read off its landmarks."""
        bundle, defaults = self.bundle, self.bundle.defaults
        track = retarget(driving, references, RetargetOptions(framing=request.framing))
        proxy = prepare_proxy(references) if request.use_proxy else None
        cache = self.prepare_references(references)
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
        segments = plan_segments(track.num_frames, defaults.segment_frames, bundle.grid)
        steps = request.steps or defaults.steps
        for index, segment in enumerate(segments):

            def stepped(done: int, total: int, before: int = index * steps) -> None:
                report(Progress(stage="denoise", done=before + done, total=len(segments) * total))

            stepped(0, steps)
            drawn = self._draw(track, segment, proxy, width=width, height=height)
            if face is not None and face.source == "implicit":
                tokens = face.tokens[segment.control_frames(bundle.grid).clamp(max=len(face.tokens) - 1)]
                drawn = replace(drawn, face=replace(drawn.face, tokens=tokens))
            drive = self.prepare_drive(drawn, segment)
            latent = self._denoise(
                drive, cache, guidance, first_latent=carried, steps=steps, seed=request.seed + 7919 * index,
                width=width, height=height, stepped=stepped,
            )  # fmt: skip
            frames = self._decode(stream, latent, drawn, segment)
            yield VideoClip(frames=frames, times=driving.times[segment.start : segment.stop])
            report(Progress(stage="decode", done=segment.stop, total=track.num_frames))
            carried = latent[:, :, -1:]

    def read_face(self, driving: PersonTrack, request: AnimateRequest) -> FaceMotion:
        """The driver's face motion, by the encoder that the request asks for.

        Raises:
            ConfigError, InputError: the encoder or the weights asked for cannot be used.
        """
        faces = self.bundle.faces
        if request.face_weights is not None:
            faces = replace(faces, rgb=load_own_encoder(request.face_weights, code_dim=faces.landmarks.code_dim))
        if request.driving.suffix.lower() == ".npz":
            return read_face_motion(faces, driving, None, choice=request.face_encoder)
        with VideoReader(request.driving) as reader:
            return read_face_motion(faces, driving, (frame.image for frame in reader), choice=request.face_encoder)

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
        piece = _pick(track, chosen)
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


def _pick(track: PersonTrack, chosen: Tensor) -> PersonTrack:
    """The track at some frames, the last of which may repeat."""
    first, last = int(chosen[0]), int(chosen[-1])
    piece = track[slice(first, last + 1)]
    surplus = len(chosen) - piece.num_frames
    return piece if surplus == 0 else _hold_last(piece, surplus)


def _hold_last(track: PersonTrack, surplus: int) -> PersonTrack:
    """Appends copies of the last frame, with times that go on."""

    def longer(part: Any) -> Any:
        return replace(
            part,
            **{
                f.name: torch.cat([value, value[-1:].expand(surplus, *value.shape[1:])])
                for f in fields(part)
                if (value := getattr(part, f.name)) is not None
            },
        )

    times = replace(track.times, pts=torch.cat([track.times.pts, track.times.pts[-1] + 1 + torch.arange(surplus)]))
    return replace(
        track, times=times, body=longer(track.body), hands=longer(track.hands), head=longer(track.head),
        face=longer(track.face), cut=torch.cat([track.cut, torch.zeros(surplus, dtype=torch.bool)]),
    )  # fmt: skip
