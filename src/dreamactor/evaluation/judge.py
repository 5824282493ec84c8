"""Reads drawn actors off generated video, and compares what was read with the truth.

The judge networks were trained on rendered pictures, cropped by the true box, of actors that no generator learns from; they
are shipped, their own error is measured by `dreamactor bench judge`, and nothing is ever trained against them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from dreamactor.errors import InputError
from dreamactor.evaluation.clip import Found, Truth
from dreamactor.evaluation.coefficients import JUDGED, UNNAMED, missing, pick
from dreamactor.evaluation.lip_sync import lip_sync
from dreamactor.geometry.skeleton import BODY_JOINTS, JOINT, NUM_FACE_POINTS
from dreamactor.guidance.person_box import (
    JUDGED_POINTS,
    MIRRORED_POINTS,
    crop_boxes,
    head_boxes,
    judged_points,
    other_side,
    person_boxes,
)
from dreamactor.models.judge import HEAD_PX, POINTS_PX, WHO_PX, HeadJudge, HeadReading, PointJudge, WhoJudge
from dreamactor.types.track import PersonTrack

FACE_SHOWS_COS, FACE_SHOWS_PX = 0.5, 16.0
"""An expression is judged where the nose points at least this much towards the camera, on heads of at least this radius."""
PICTURES_AT_ONCE: Final = 32
FEET: Final = ("ankle", "heel", "toe")
_FLIP = torch.tensor([-1.0, 1.0])
"""Points and faces are read off the picture and its mirror image; the mean of both is nearer the truth than either."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What the judge sees in a video, frame by frame.

    Attributes:
        points: [T, P, 2] pixels, in the order of `JUDGED_POINTS`.
        angles_rad: [T, 3] yaw, pitch, roll of the head.
        expression: [T, E].
        coefficients: what each of the E columns is.
        who: [T, D] identity, of length one.
        picture: [T, S] features of the person's picture, pooled.
        change: [T - 1, S] how the features change from frame to frame, pooled.
        maps: features, finest first, each [T, C, h, w], of unit length over C; empty unless asked for.
    """

    points: Tensor
    angles_rad: Tensor
    expression: Tensor
    coefficients: tuple[str, ...]
    who: Tensor
    picture: Tensor
    change: Tensor
    maps: tuple[Tensor, ...]


class Judge:
    """The three networks, ready to read."""

    def __init__(
        self, points: PointJudge, head: HeadJudge, who: WhoJudge, *, coefficients: Sequence[str], sha256: str = ""
    ) -> None:
        """Puts the networks together.

        Args:
            points, head, who: the networks.
            coefficients: names of the expression coefficients that `head` reads, in its order.
            sha256: of the file they come from.

        Raises:
            ValueError: other names than the network reads, or some that must be read are not among them.
        """
        if head.num_expression != len(coefficients):
            raise ValueError(f"the judge reads {head.num_expression} coefficients, {len(coefficients)} are named")
        if why := missing(coefficients):
            raise ValueError(why)
        self.coefficients = tuple(coefficients)
        self.networks = {"points": points, "head": head, "who": who}
        self.points, self.head, self.who = points, head, who
        self.sha256 = sha256
        for network in self.networks.values():
            network.requires_grad_(False).eval()

    @torch.no_grad()
    def read(self, frames: Tensor, track: PersonTrack, *, maps: bool = False) -> Reading:
        """Reads a video.

        Args:
            frames: [T, H, W, 3] uint8.
            track: where the person is (of the truth: boxes are taken from it, nothing else).
            maps: keep the feature maps.
        """
        person, head = person_boxes(track), head_boxes(track)
        large = _input(crop_boxes(frames, person, size_px=POINTS_PX))
        small = _input(crop_boxes(frames, person, size_px=WHO_PX))
        faces = _input(crop_boxes(frames, head, size_px=HEAD_PX))
        points, turns, codes, who, kept = [], [], [], [], []
        pictures, changes, last = [], [], None
        for start in range(0, len(frames), PICTURES_AT_ONCE):
            now = slice(start, start + PICTURES_AT_ONCE)
            place, shapes = self.points(large[now])
            mirrored, _ = self.points(large[now].flip(3))
            place = (place + mirrored[:, MIRRORED_POINTS] * _FLIP) / 2
            face = _both_sides(self.head(faces[now]), self.head(faces[now].flip(3)), self.coefficients)
            identity, looks = self.who(small[now])
            levels = [F.normalize(level, dim=1) for level in (*shapes, *looks)]
            points.append(place)
            turns.append(face.angles_rad)
            codes.append(face.expression)
            who.append(identity)
            pictures.append(torch.cat([part for level in (shapes[-1], looks[-1]) for part in _pooled(level)], dim=1))
            coarse = torch.cat([levels[2].flatten(1), levels[5].flatten(1)], dim=1)
            before = coarse[:1] if last is None else last
            changes.append(_change(torch.cat([before, coarse]), (levels[2].shape[1:], levels[5].shape[1:])))
            last = coarse[-1:]
            if maps:
                kept.append(levels)
        half = (person[:, 2:] - person[:, :2])[:, None] / 2
        middle = ((person[:, 2:] + person[:, :2]) / 2)[:, None]
        return Reading(
            points=torch.cat(points) * half + middle,
            angles_rad=torch.cat(turns),
            expression=torch.cat(codes),
            coefficients=self.coefficients,
            who=torch.cat(who),
            picture=torch.cat(pictures),
            change=torch.cat(changes)[1:],
            maps=tuple(torch.cat(level) for level in zip(*kept, strict=True)),
        )


def _both_sides(seen: HeadReading, mirrored: HeadReading, coefficients: Sequence[str]) -> HeadReading:
    """The mean of what was read off a picture and off its mirror image; coefficients that are not judged stay."""
    back = mirrored.turn * torch.tensor([-1.0, 1.0, 1.0, -1.0])
    expression = seen.expression.clone()
    for name in JUDGED:
        index, twin = coefficients.index(name), coefficients.index(other_side(name))
        sign = -1 if name == "gaze_x" else 1
        expression[:, index] = (expression[:, index] + sign * mirrored.expression[:, twin]) / 2
    return HeadReading(turn=(seen.turn + back) / 2, landmarks=seen.landmarks, expression=expression)


def _input(crops: Tensor) -> Tensor:
    return crops.float() / 127.5 - 1


def _pooled(level: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and spread over places of [T, C, h, w]."""
    return level.mean(dim=(2, 3)), level.std(dim=(2, 3))


def _change(coarse: Tensor, shapes: Sequence[torch.Size]) -> Tensor:
    """Size of the change from frame to frame, per channel, mean over places: [T, S] for [T + 1, ...]."""
    moved = torch.diff(coarse, dim=0).abs()
    parts, start = [], 0
    for shape in shapes:
        parts.append(moved[:, start : start + shape.numel()].unflatten(1, shape).mean(dim=(2, 3)))
        start += shape.numel()
    return torch.cat(parts, dim=1)


def perceptual_distance(made: Reading, truth: Reading) -> Tensor:
    """[T] "actor-perceptual": mean squared difference of unit features over places, summed over six levels of the judge.

    Made like LPIPS (Zhang et al., 2018) but with the judge's networks and equal weights, so it is not LPIPS.
    """
    return torch.stack(
        [(a - b).square().sum(dim=1).mean(dim=(1, 2)) for a, b in zip(made.maps, truth.maps, strict=True)]
    ).sum(dim=0)


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Pictures of many actors, as identities, for retrieval.

    Attributes:
        actors: [G] seeds.
        who: [G, D].
    """

    actors: tuple[int, ...]
    who: Tensor

    def ranks_first(self, who: Tensor, actor: int) -> Tensor:
        """[T] bool, the nearest of the gallery is the actor."""
        nearest = (who @ self.who.T).argmax(dim=1)
        return nearest == self.actors.index(actor)

    def likeness(self, who: Tensor, actor: int) -> Tensor:
        """[T] cosine to the actor's own picture."""
        return who @ self.who[self.actors.index(actor)]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One video read beside its truth; the readings go into distributions over many videos.

    Attributes:
        made, truth: what was read.
        found: the scores.
    """

    made: Reading
    truth: Reading
    found: Found

    @cached_property
    def windows(self) -> tuple[Tensor, Tensor]:
        """Features of eight-frame windows of video and truth, [N, 2 S] each, for the Frechet distance of video."""
        return video_windows(self.made), video_windows(self.truth)


WINDOW: Final = 8
"""Frames of a window of the Frechet distance of video."""


def video_windows(reading: Reading) -> Tensor:
    """[N, 2 S] windows of eight frames, each the mean picture and the mean change; every four frames one."""
    count = len(reading.picture)
    starts = range(0, max(count - WINDOW, 0) + 1, WINDOW // 2) if count >= WINDOW else range(0)
    rows = [
        torch.cat([reading.picture[s : s + WINDOW].mean(dim=0), reading.change[s : s + WINDOW - 1].mean(dim=0)])
        for s in starts
    ]
    width = reading.picture.shape[1] + reading.change.shape[1]
    return torch.stack(rows) if rows else torch.zeros(0, width)


def compare(
    judge: Judge, made: Tensor, truth: Truth, gallery: Gallery | None, *, read_truth: Reading | None = None
) -> Comparison:
    """Reads a video of a drawn actor and scores it against the exact truth.

    Args:
        judge: the networks.
        made: [T, H, W, 3] uint8.
        truth: with track and expression.
        gallery: with the truth's actor in it; None: identity is not scored.
        read_truth: what the judge read off the truth (with maps), where that is known already.
    """
    assert truth.track is not None
    assert truth.expression is not None
    own = read_truth or judge.read(truth.frames, truth.track, maps=True)
    seen = own if made is truth.frames else judge.read(made, truth.track, maps=True)
    found = Found()
    _score_points(found, seen, truth.track)
    _score_head(found, seen, truth.track)
    _score_face(found, seen, truth)
    _score_who(found, seen, truth.actor, gallery)
    distance = perceptual_distance(seen, own)
    found.put("actor_perceptual", float(distance.mean()), "no frames")
    found.series["actor_perceptual"] = distance.tolist()
    return Comparison(made=seen, truth=own, found=found)


def point_errors(points: Tensor, track: PersonTrack) -> Tensor:
    """[T, P] distance of read points [T, P, 2] from the truth, in percent of the truth's torso; NaN outside the picture.

    The torso is the drawn length of neck to pelvis, in the frame where it is longest: a bow does not shrink it.
    """
    goal, seen = judged_points(track)
    torso = (track.body.joints[:, JOINT["neck"]] - track.body.joints[:, JOINT["pelvis"]]).norm(dim=-1).amax()
    apart = (points - goal).norm(dim=-1) / torso.clamp(min=1) * 100
    return apart.masked_fill(~seen, torch.nan)


_FEET: Final = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in FEET]
_HANDS: Final = [*range(len(BODY_JOINTS), len(JUDGED_POINTS)), JOINT["left_wrist"], JOINT["right_wrist"]]
_BODY: Final = [index for index in range(len(BODY_JOINTS)) if index not in _FEET and index not in _HANDS]


def _score_points(found: Found, seen: Reading, track: PersonTrack) -> None:
    error = point_errors(seen.points, track)
    for part, chosen in (("body", _BODY), ("hands", _HANDS), ("feet", _FEET)):
        found.put(f"joint_error_{part}", float(error[:, chosen].nanmean()), f"the truth shows no {part}")
    found.series["joint_error_body"] = error[:, _BODY].nanmean(dim=1).tolist()


def angle_errors_deg(angles_rad: Tensor, track: PersonTrack) -> Tensor:
    """[T, 3] absolute differences of yaw, pitch and roll, 0..180 degrees; NaN where the truth has no head."""
    turn = torch.rad2deg(angles_rad - track.head.angles_rad)
    return ((turn + 180) % 360 - 180).abs().masked_fill(~track.head.tracked[:, None], torch.nan)


def _score_head(found: Found, seen: Reading, track: PersonTrack) -> None:
    error = angle_errors_deg(seen.angles_rad, track)
    found.put("head_yaw_error", float(error[:, 0].nanmean()), "the truth shows no head")
    found.put("head_angle_error", float(error.nanmean()), "the truth shows no head")


def face_shows(track: PersonTrack) -> Tensor:
    """[T] bool, the face is turned to the camera and large enough to be judged."""
    yaw, pitch, _ = track.head.angles_rad.unbind(dim=-1)
    facing = yaw.cos() * pitch.cos() > FACE_SHOWS_COS
    return facing & (track.head.radius_px > FACE_SHOWS_PX) & track.head.tracked


def _score_face(found: Found, seen: Reading, truth: Truth) -> None:
    assert truth.track is not None
    assert truth.expression is not None
    shows = face_shows(truth.track)
    why = "the truth shows no face that is large enough"

    def both(*names: str) -> tuple[Tensor, Tensor]:
        assert truth.expression is not None
        return pick(seen.expression, seen.coefficients, names), pick(truth.expression, truth.coefficients, names)

    read, goal = both(*JUDGED)
    error = (read - goal).abs()
    found.put("expression_error", float(error[shows].mean()), why)
    found.series["expression_error"] = error.mean(dim=1).masked_fill(~shows, torch.nan).tolist()
    read, goal = both("blink_left", "blink_right")
    found.put("lid_error", float((read - goal).abs()[shows].mean()), why)
    read, goal = both("jaw_open")
    sync = lip_sync(read[:, 0], goal[:, 0], shows)
    still = "the truth's mouth hardly moves" if bool(shows.any()) else why
    found.put("lip_correlation", sync.correlation, still)
    found.put("lip_offset_frames", sync.offset_frames, still)


def _score_who(found: Found, seen: Reading, actor: int | None, gallery: Gallery | None) -> None:
    names = ("identity_rank1", "identity_likeness", "drift_identity")
    if actor is None or gallery is None:
        found.missing |= dict.fromkeys(names, "nobody said which actor it is")
        return
    like = gallery.likeness(seen.who, actor)
    found.put("identity_rank1", float(gallery.ranks_first(seen.who, actor).double().mean()) * 100, "no frames")
    found.put("identity_likeness", float(like.mean()), "no frames")
    found.series["identity_likeness"] = like.tolist()
    quarter = len(like) // 4
    change = float(like[-quarter:].mean() - like[:quarter].mean()) if quarter else math.nan
    found.put("drift_identity", change, "the clip is too short")


def judge_folder() -> Path:
    """Where the shipped judge lies."""
    return Path(str(resources.files("dreamactor") / "weights" / "judge"))


def save_judge(folder: Path, judge: Judge) -> None:
    """Writes the networks to one file in half precision; an existing one is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    halves = {
        f"{name}.{key}": value.half().contiguous().clone()
        for name, network in judge.networks.items()
        for key, value in network.state_dict().items()
    }
    part = folder / "judge.part"
    save_file(halves, part, metadata={"coefficients": " ".join(judge.coefficients)})
    part.rename(folder / "judge.safetensors")


def load_judge(folder: Path | None = None) -> Judge:
    """Loads a judge in single precision; None: the shipped one.

    Raises:
        InputError: it is not there, or damaged.
    """
    path = (folder or judge_folder()) / "judge.safetensors"
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        weights = load_file(path)
        with safe_open(path, framework="pt") as file:
            told = (file.metadata() or {}).get("coefficients")
        names = UNNAMED if told is None else tuple(told.split())
        head = HeadJudge(NUM_FACE_POINTS, len(names))
        judge = Judge(PointJudge(len(JUDGED_POINTS)), head, WhoJudge(), coefficients=names, sha256=digest)
        for name, network in judge.networks.items():
            own = {
                key.removeprefix(f"{name}."): value.float() for key, value in weights.items() if key.startswith(f"{name}.")
            }
            network.load_state_dict(own)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0].rstrip(".:")
        raise InputError(f"The judge at {path} cannot be loaded ({reason}). Install dreamactor again.") from error
    return judge
