"""Scores videos of any method against their truths: pairs, progress, resuming, one row for every bad file."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from dreamactor.app.gallery import gallery_of
from dreamactor.data.actors import ACTOR_VERSION
from dreamactor.errors import ConfigError, DreamActorError, InputError
from dreamactor.evaluation.clip import Truth
from dreamactor.evaluation.distribution import Fid, Fvd, Lpips
from dreamactor.evaluation.frame import WINDOW
from dreamactor.evaluation.judge import Judge, load_judge
from dreamactor.evaluation.known import Known, known_path, load_known
from dreamactor.evaluation.networks import NETWORKS, FoundNetwork, LoadedNetwork, Missing, find_network, load_network
from dreamactor.evaluation.pairs import Pair, match
from dreamactor.evaluation.scored import ScoredClip, frechet_of, load_scored, save_scored, score_video
from dreamactor.evaluation.scores import ClipScores
from dreamactor.evaluation.summary import DistributionScore
from dreamactor.inference.sources import perceive_driving
from dreamactor.perception.build import build_estimator
from dreamactor.perception.cache import cache_folder
from dreamactor.types.track import PersonTrack, resize_track
from dreamactor.video.reader import read_clip
from dreamactor.video.resize import resize_frames

EVALUATION_VERSION: Final = 1
"""Raised whenever the same two videos would get other scores: what is stored of earlier ones is then not used."""
MAX_ASPECT_CHANGE: Final = 0.02
_PROTOCOLS: Final = {network.metric: f"{network.protocol}; {network.file_name}" for network in NETWORKS.values()}
log = logging.getLogger(__name__)
Report = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Networks:
    """Networks of LPIPS, FID and FVD, or why they are not here."""

    vgg16: LoadedNetwork | Missing
    inception: LoadedNetwork | Missing
    i3d: LoadedNetwork | Missing

    @staticmethod
    def find(given: dict[str, Path | None]) -> Networks:
        """Looks for each, at the given path or among the fetched ones."""

        def one(name: str) -> LoadedNetwork | Missing:
            found = find_network(name, given.get(name))
            return load_network(found) if isinstance(found, FoundNetwork) else found

        return Networks(vgg16=one("vgg16"), inception=one("inception"), i3d=one("i3d"))


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What came out.

    Attributes:
        scores: of all clips of all methods, bad ones too.
        distributions: of the methods.
        settings: protocols, for the report.
    """

    scores: list[ClipScores]
    distributions: list[DistributionScore]
    settings: dict[str, str]


def method_names(folders: Sequence[Path]) -> list[str]:
    """Short names that tell the methods apart: the last parts of their paths that differ."""
    for depth in range(1, 1 + max(len(path.resolve().parts) for path in folders)):
        names = ["/".join(path.resolve().with_suffix("").parts[-depth:]) for path in folders]
        if len(set(names)) == len(names):
            return names
    raise ConfigError("The same videos were given twice. Give each method once.")


def evaluate(generated: Sequence[Path], truth: Path, networks: Networks, report: Report) -> Evaluation:
    """Scores one method or several against one truth.

    Args:
        generated: a file or folder per method.
        truth: a file or folder.
        networks: of the paper's metrics.
        report: called with (method, done, total).

    Raises:
        InputError, ConfigError: nothing can be compared at all. A single bad file becomes a row with its reason.
    """
    judge = load_judge()
    scores: list[ClipScores] = []
    distributions: list[DistributionScore] = []
    lpips = None if isinstance(networks.vgg16, Missing) else Lpips(networks.vgg16)
    why_no_lpips = networks.vgg16.reason if isinstance(networks.vgg16, Missing) else ""
    for method, folder in zip(method_names(generated), generated, strict=True):
        pairs = match(folder, truth)
        sets = _Sets(networks)
        clips = []
        for index, pair in enumerate(pairs):
            report(method, index, len(pairs))
            scored = _score_pair(pair, method, judge, lpips, why_no_lpips, sets)
            clips.append(scored)
            report(method, index + 1, len(pairs))
        scores += [clip.scores for clip in clips]
        distributions += _distances(method, clips, sets, judge)
    return Evaluation(scores=scores, distributions=distributions, settings=_settings(judge, lpips, why_no_lpips))


class _Sets:
    """Features of FID and FVD of one method and of its truths."""

    def __init__(self, networks: Networks) -> None:
        self.missing: dict[str, str] = {}
        self.pairs: dict[str, tuple[Fid, Fid] | tuple[Fvd, Fvd]] = {}
        for name, network, kind in (("FID", networks.inception, Fid), ("FVD", networks.i3d, Fvd)):
            if isinstance(network, Missing):
                self.missing[name] = network.reason
            else:
                self.pairs[name] = (kind(network), kind(network))  # type: ignore[assignment]

    def add(self, made: Tensor, truth: Tensor) -> None:
        """Takes a pair of clips in."""
        for ours, theirs in self.pairs.values():
            ours.add(made)
            theirs.add(truth)

    def scores(self, method: str) -> list[DistributionScore]:
        """FID and FVD."""
        found = [
            DistributionScore(method=method, label=name, value=None, protocol=_PROTOCOLS[name], missing=reason)
            for name, reason in self.missing.items()
        ]
        for name, (ours, theirs) in self.pairs.items():
            value = ours.distance_to(theirs)  # type: ignore[arg-type]
            found.append(
                DistributionScore(
                    method=method,
                    label=name,
                    value=None if isinstance(value, Missing) else value,
                    protocol=ours.protocol(theirs),  # type: ignore[arg-type]
                    missing=value.reason if isinstance(value, Missing) else None,
                )
            )
        return found


def judge_distances(method: str, clips: Sequence[ScoredClip], judge: Judge) -> list[DistributionScore]:
    """The Frechet distances by the judge's features."""
    labels = {"actor_frechet_image": "actor-Frechet image", "actor_frechet_video": "actor-Frechet video"}
    units = {
        "actor_frechet_image": "person crops of 128 and 96 px, one sample a frame",
        "actor_frechet_video": "windows of 8 frames, every 4 frames one",
    }
    found = []
    for name, value in frechet_of(clips).items():
        missing = value if isinstance(value, str) else None
        samples = "" if isinstance(value, str) else f"; {value[1]} samples"
        found.append(
            DistributionScore(
                method=method,
                label=labels[name],
                value=None if isinstance(value, str) else value[0],
                protocol=f"{units[name]}{samples}; judge SHA-256 {judge.sha256}",
                missing=missing,
            )
        )
    return found


def _distances(method: str, clips: Sequence[ScoredClip], sets: _Sets, judge: Judge) -> list[DistributionScore]:
    return sets.scores(method) + judge_distances(method, clips, judge)


def _score_pair(pair: Pair, method: str, judge: Judge, lpips: Lpips | None, why_no_lpips: str, sets: _Sets) -> ScoredClip:
    """One clip; whatever is wrong with its files becomes its error."""
    if pair.error is not None or pair.made is None or pair.truth is None:
        return ScoredClip(
            scores=ClipScores(clip=pair.clip, method=method, error=pair.error or "one of the files is missing")
        )
    try:
        key = _key(pair.made, pair.truth, judge, lpips)
        entry = cache_folder() / "scores" / f"{key}.safetensors"
        stored = load_scored(entry)
        if stored is not None and not sets.pairs:
            return replace(stored, scores=replace(stored.scores, clip=pair.clip, method=method))
        scored = _score_files(pair.clip, method, pair.made, pair.truth, judge, lpips, why_no_lpips, sets)
    except (DreamActorError, OSError, ValueError) as error:
        return ScoredClip(scores=ClipScores(clip=pair.clip, method=method, error=str(error)))
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        save_scored(entry, scored)
    except OSError as error:
        log.warning("Scores cannot be stored, so a second run computes them again: %s", error)
    return scored


def _score_files(
    clip: str, method: str, made_path: Path, truth_path: Path, judge: Judge, lpips: Lpips | None, why_no_lpips: str,
    sets: _Sets,
) -> ScoredClip:  # fmt: skip
    truth_frames = read_clip(truth_path, with_audio=False).frames
    made = read_clip(made_path, with_audio=False).frames
    made, resized = _fitted(made, truth_frames)
    known = load_known(truth_path)
    truth, why = _truth(truth_path, truth_frames, known)
    seen = None
    if truth.expression is None and truth.track is not None:
        found = _perceived(made_path)
        if isinstance(found, PersonTrack):
            seen = resize_track(found, width=truth.frames.shape[2], height=truth.frames.shape[1])
        else:
            why = f"in the video: {found}"
    gallery = None
    if truth.actor is not None:
        framing = known.tags.get("framing", "full")
        gallery = gallery_of(truth.actor, framing, judge)
    tags = dict(known.tags) | ({"resized": resized} if resized else {})
    scored = score_video(
        clip, method, made, truth, judge=judge, gallery=gallery, seen=seen, why_not_seen=why, tags=tags,
    )  # fmt: skip
    sets.add(made, truth.frames)
    values, missing, series = dict(scored.scores.values), dict(scored.scores.missing), dict(scored.scores.series)
    if lpips is None:
        missing["lpips"] = why_no_lpips
    else:
        distance = lpips(made, truth.frames)
        values["lpips"] = float(distance.mean())
        series["lpips"] = distance.tolist()
    return replace(scored, scores=replace(scored.scores, values=values, missing=missing, series=series))


def _fitted(made: Tensor, truth: Tensor) -> tuple[Tensor, str]:
    """The video at the truth's size, and what was done to it; other lengths and shapes are refused.

    Raises:
        InputError: another number of frames, or another shape.
    """
    if len(made) != len(truth):
        raise InputError(f"{len(made)} frames against the truth's {len(truth)}; give as many")
    (height, width), (own_height, own_width) = truth.shape[1:3], made.shape[1:3]
    if min(height, width) < WINDOW:
        raise InputError(f"the truth is {width}x{height}; SSIM needs at least {WINDOW} pixels each way")
    if (height, width) == (own_height, own_width):
        return made, ""
    change = (own_width / own_height) / (width / height)
    if abs(change - 1) > MAX_ASPECT_CHANGE:
        raise InputError(f"{own_width}x{own_height} has another shape than the truth's {width}x{height}")
    return resize_frames(
        made, width=width, height=height
    ), f"{own_width}x{own_height} to {width}x{height}, bilinear, antialiased"


def _truth(path: Path, frames: Tensor, known: Known) -> tuple[Truth, str]:
    """The truth with what is known or can be seen, and why more is not."""
    count, height, width, _ = frames.shape
    if known.mask is not None:
        if tuple(known.mask.shape) != (count, height, width):
            raise InputError(f"{known_path(path)} is of another video: mask {list(known.mask.shape)}")
        if known.track is None or known.track.num_frames != count:
            raise InputError(f"{path.with_suffix('.npz')} is missing or of another video; export the case again")
        return (
            Truth(
                frames=frames,
                mask=known.mask,
                track=known.track,
                expression=known.expression,
                coefficients=known.coefficients,
                actor=known.actor,
            ),
            "",
        )
    if known.track is not None and known.track.num_frames != count:
        raise InputError(f"{path.with_suffix('.npz')} has {known.track.num_frames} frames, the video {count}")
    track = known.track or _perceived(path)
    if not isinstance(track, PersonTrack):
        return Truth(frames=frames), f"in the truth: {track}"
    track = resize_track(track, width=width, height=height)
    return Truth(frames=frames, mask=_masks(frames), track=track), ""


def _perceived(path: Path) -> PersonTrack | str:
    """What perception finds in a video, or why nothing."""
    try:
        return perceive_driving(path, person=None, report=lambda progress: None)
    except DreamActorError as error:
        return str(error)


def _masks(frames: Tensor) -> Tensor:
    """Person masks of the default estimator: [T, H, W] uint8."""
    with closing(build_estimator("mediapipe", static=True)) as estimator:
        found = [estimator.observe(frame).mask for frame in frames]
    nobody = torch.zeros(frames.shape[1:3], dtype=torch.uint8)
    return torch.stack([nobody if mask is None else mask for mask in found])


@lru_cache(maxsize=4096)
def _digest(path: Path, changed: Fraction, size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _key(made: Path, truth: Path, judge: Judge, lpips: Lpips | None) -> str:
    """Of everything the scores depend on."""
    files = [made, truth, *(path for path in (truth.with_suffix(".npz"), known_path(truth)) if path.is_file())]
    parts = [_digest(path, Fraction(path.stat().st_mtime_ns), path.stat().st_size) for path in files]
    network = "" if lpips is None else lpips.network.found.sha256
    text = "\n".join([*parts, judge.sha256, network, ACTOR_VERSION, str(EVALUATION_VERSION)])
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _settings(judge: Judge, lpips: Lpips | None, why_no_lpips: str) -> dict[str, str]:
    return {
        "PSNR": "8 bits, data range 255, mean squared error over all frames and channels of the region",
        "SSIM": "per frame and channel, 11 x 11 Gaussian window of sigma 1.5, data range 255, where the window fits",
        "Regions": "person: the truth's mask; head and hands: boxes around the truth's track",
        "Resolution": "the truth's; videos of another size and the same shape are resized, bilinear and antialiased",
        "LPIPS": f"not computed ({why_no_lpips})" if lpips is None else lpips.protocol(),
        "Judge": f"networks trained on rendered actors, cropped by the true box; SHA-256 {judge.sha256}",
        "Intervals": "95 %, percentile bootstrap over clips, 2000 draws, seeded",
    }
