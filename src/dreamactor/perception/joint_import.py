"""A `JointRecording` -> `PersonTrack`: which points make our joints, and what is derived where a layout says nothing.

Nothing is smoothed: what a file says exactly, the track says exactly. Where a point is missing its joint has confidence 0
and goes along with its parent, so that every value is finite.
"""

from __future__ import annotations

from math import radians
from typing import Final

import torch
from torch import Tensor

from dreamactor.errors import MotionFileError
from dreamactor.geometry.layouts import LAYOUTS, hand_points
from dreamactor.geometry.rotation import matrix_to_angles, unwrap, view_from_pixels
from dreamactor.geometry.skeleton import BODY_JOINTS, BODY_PARENTS, FACE_POINTS, HANDS, JOINT
from dreamactor.perception.assemble import face_box
from dreamactor.perception.head import wrap
from dreamactor.perception.head_fit import HeadFit, fit_head, head_points, mean_head, place_head
from dreamactor.perception.lift import lift_limbs
from dreamactor.perception.recording import JointRecording
from dreamactor.perception.smoothing import interpolate, running_median
from dreamactor.types.track import BodyTrack, FaceTrack, HandTrack, HeadTrack, PersonTrack

SEEN: Final = 0.3
"""A body, hand or face counts as tracked from this confidence on."""

_MEAN_OF: Final = {
    "pelvis": ("left_hip", "right_hip"),
    "neck": ("left_shoulder", "right_shoulder"),
    "head": ("left_ear", "right_ear"),
}
_STAND_INS: Final = {
    f"{side}_toe": ((f"{side}_big_toe", f"{side}_small_toe"), (f"{side}_foot_index",), (f"{side}_foot",))
    for side in ("left", "right")
}
"""Joint -> groups of points whose mean it is; the first group the layout has."""

_TORSO_M: Final = 0.5
_SHOULDERS_PER_TORSO: Final = 0.72
_HEAD_RADIUS_M: Final = 0.115
_MOST_POINTS: Final = 0.7
"""A head's size is read in frames that show so large a share of the points that its best frame shows."""
_FINGERTIP: Final = 0.8
"""Length of a finger's last bone in lengths of the one before."""
_MAX_FACE_YAW_RAD: Final = radians(80.0)
"""A face turned farther away is a guess, whatever confidence it has."""


def track_from_joints(recording: JointRecording) -> PersonTrack:
    """Makes a track of a recording.

    Raises:
        MotionFileError: the recording has no body in any frame.
    """
    points = _Points(recording)
    body, px_per_m, origin = _body(recording, points)
    if not body.tracked.any():
        raise MotionFileError(
            f"{recording.source}: no frame has a body (no point of it with a confidence of {SEEN} or more). "
            "Check the layout and the confidences."
        )
    hands = _hands(points, body, origin, px_per_m)
    head, fit = _head(recording, points, body, origin, px_per_m)
    return PersonTrack(
        width=recording.width, height=recording.height, times=recording.times, body=body, hands=hands, head=head,
        face=_face(points, head, fit), cut=recording.cut, source=recording.source,
    )  # fmt: skip


class _Points:
    """The recording's points by name."""

    def __init__(self, recording: JointRecording) -> None:
        self.recording = recording
        self.index = {name: index for index, name in enumerate(LAYOUTS[recording.layout])}

    def take(self, names: list[str]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """pixels [T, K, 3], metres [T, K, 3], confidence [T, K], in_metres [T, K]; zeros for names the layout lacks."""
        recording, have = self.recording, torch.tensor([name in self.index for name in names])
        at = torch.tensor([self.index.get(name, 0) for name in names], dtype=torch.int64)
        return (
            recording.pixels[:, at] * have[:, None],
            recording.metres[:, at] * have[:, None],
            recording.confidence[:, at] * have,
            recording.in_metres[:, at] & have,
        )


def _body(recording: JointRecording, points: _Points) -> tuple[BodyTrack, Tensor, Tensor]:
    """The body, pixels per metre [T], and the depth in pixels that counts as zero [T]."""
    pixels, metres, confidence, in_metres = _body_points(points)
    known = confidence > 0
    px_per_m = recording.px_per_m
    if px_per_m is None and in_metres.any():
        px_per_m = _scale_between(pixels, metres, confidence * in_metres)
    hips = known[:, JOINT["left_hip"]] & known[:, JOINT["right_hip"]]
    if not recording.has_depth and in_metres.any() and px_per_m is not None:
        depth = torch.where(in_metres, metres[..., 2] * px_per_m[:, None], 0.0)
        pixels = torch.cat((pixels[..., :2], depth[..., None]), dim=-1)
    elif not recording.has_depth:
        pixels = torch.cat((pixels[..., :2], lift_limbs(pixels[..., :2], known)[..., None]), dim=-1)
    pixels = _along_with_parents(pixels, known)
    if px_per_m is None:
        px_per_m = _scale_of_a_usual_body(pixels, known & (confidence >= SEEN).any(1, keepdim=True))
    origin = pixels[:, JOINT["pelvis"], 2]
    joints = torch.cat((pixels[..., :2], (pixels[..., 2] - origin[:, None])[..., None]), dim=-1)

    by_picture = (joints - joints[:, :1]) / px_per_m[:, None, None]
    pelvis_m = (metres[:, JOINT["left_hip"]] + metres[:, JOINT["right_hip"]]) / 2
    rooted = hips & in_metres[:, JOINT["left_hip"]] & in_metres[:, JOINT["right_hip"]]
    use = (in_metres & rooted[:, None])[..., None]
    joints_m = torch.where(use, metres - pelvis_m[:, None], by_picture)
    joints_m[:, 0] = 0.0
    tracked = confidence.amax(1) >= SEEN
    return BodyTrack(joints=joints, joints_m=joints_m, confidence=confidence, tracked=tracked), px_per_m, origin


def _body_points(points: _Points) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """As `_Points.take` for our body joints, derived ones included."""
    columns: dict[str, tuple[Tensor, Tensor, Tensor, Tensor]] = {}
    for joint in BODY_JOINTS:
        if joint in _MEAN_OF:
            continue
        groups = _STAND_INS.get(joint, ((joint,),))
        group = next((group for group in groups if group[0] in points.index), groups[0])
        pixels, metres, confidence, in_metres = points.take(list(group))
        columns[joint] = (
            _mean(pixels, confidence > 0), _mean(metres, in_metres), confidence.amax(1), in_metres.any(1),
        )  # fmt: skip
    for joint, (left, right) in _MEAN_OF.items():
        both = [torch.stack(pair) for pair in zip(columns[left], columns[right], strict=True)]
        sure = both[2].amin(0)
        if joint == "head":  # in profile one ear is always hidden and the head is still well known
            sure = torch.where(sure > 0, both[2].amax(0), 0.0)
        columns[joint] = (both[0].mean(0), both[1].mean(0), sure, both[3].all(0))
    stacked = [torch.stack(parts, dim=1) for parts in zip(*(columns[joint] for joint in BODY_JOINTS), strict=True)]
    return stacked[0], stacked[1], stacked[2], stacked[3]


def _mean(values: Tensor, known: Tensor) -> Tensor:
    """[T, K, 3] -> [T, 3] mean of the known ones; zero where none is."""
    weight = known.float()[..., None]
    return (weight * values).sum(1) / weight.sum(1).clamp_min(1.0)


def _scale_between(pixels: Tensor, metres: Tensor, weight: Tensor) -> Tensor:
    """[T] pixels per metre that lay the metres on the picture best (weak perspective); held where nothing says it."""
    total = weight.sum(1).clamp_min(1e-6)[:, None, None]
    weight = weight[..., None]
    here = pixels[..., :2] - (weight * pixels[..., :2]).sum(1, keepdim=True) / total
    there = metres[..., :2] - (weight * metres[..., :2]).sum(1, keepdim=True) / total
    size = (weight * there.square()).sum((1, 2))
    scale = (weight * here * there).sum((1, 2)) / size.clamp_min(1e-9)
    known = (size > 1e-4) & (scale > 0)
    return torch.where(known, scale, interpolate(scale, known).clamp_min(1e-3))


def _scale_of_a_usual_body(joints: Tensor, known: Tensor) -> Tensor:
    """[T] pixels per metre, the same in all frames: of a torso of half a metre, or of shoulders that fit one."""

    def length(one: str, other: str) -> Tensor:
        both = known[:, JOINT[one]] & known[:, JOINT[other]]
        return (joints[:, JOINT[one]] - joints[:, JOINT[other]]).norm(dim=-1)[both]

    torso = length("neck", "pelvis")
    if not torso.numel():
        torso = length("left_shoulder", "right_shoulder") / _SHOULDERS_PER_TORSO
    if not torso.numel():
        torso = joints[..., :2].flatten(1).std(1)
    # Foreshortening only ever shortens, so a high quantile is nearer to the truth than the median.
    return (torso.quantile(0.8) / _TORSO_M).clamp_min(1e-3).expand(len(joints)).clone()


def _along_with_parents(joints: Tensor, known: Tensor) -> Tensor:
    """[T, J, 3] with missing joints as far from their parents as in the nearest frames that show both, or on them."""
    filled = joints.clone()
    root, neck = JOINT["pelvis"], JOINT["neck"]
    if not known[:, root].all():
        torso = interpolate(joints[:, root] - joints[:, neck], known[:, root] & known[:, neck])
        if not (known[:, root] & known[:, neck]).any():
            shoulders = (joints[:, JOINT["left_shoulder"]] - joints[:, JOINT["right_shoulder"]]).norm(dim=-1)
            torso[:, 1] = shoulders / _SHOULDERS_PER_TORSO
        by_neck = torch.where(known[:, neck, None], joints[:, neck] + torso, interpolate(joints[:, root], known[:, root]))
        filled[:, root] = torch.where(known[:, root, None], joints[:, root], by_neck)
    for joint, parent in enumerate(BODY_PARENTS):
        if parent >= 0 and not known[:, joint].all():
            offset = interpolate(joints[:, joint] - joints[:, parent], known[:, joint] & known[:, parent])
            filled[:, joint] = torch.where(known[:, joint, None], joints[:, joint], filled[:, parent] + offset)
    return filled


def _hands(points: _Points, body: BodyTrack, origin: Tensor, px_per_m: Tensor) -> HandTrack:
    joints, tracked = [], []
    for side in HANDS:
        names = list(hand_points(side))
        pixels, metres, confidence, in_metres = points.take(names)
        wrist = body.joints[:, JOINT[f"{side}_wrist"]]
        if names[0] not in points.index:  # body models have one wrist for arm and hand
            body_px, body_m, body_confidence, body_known = points.take([f"{side}_wrist"])
            pixels, metres = torch.cat((body_px, pixels[:, 1:]), 1), torch.cat((body_m, metres[:, 1:]), 1)
            confidence = torch.cat((body_confidence, confidence[:, 1:]), 1)
            in_metres = torch.cat((body_known, in_metres[:, 1:]), 1)
        carried = [name in points.index or joint == 0 for joint, name in enumerate(names)]
        depth = pixels[..., 2]
        if not points.recording.has_depth:  # relative to the wrist, which may have its own depth
            depth = torch.where(in_metres, (metres[..., 2] - metres[:, :1, 2]) * px_per_m[:, None], 0.0)
            depth = depth + wrist[:, None, 2] + origin[:, None]
        pixels = torch.cat((pixels[..., :2], (depth - origin[:, None])[..., None]), dim=-1)
        for joint in range(4, 21, 4):
            if not carried[joint]:
                pixels[:, joint] = pixels[:, joint - 1] + _FINGERTIP * (pixels[:, joint - 1] - pixels[:, joint - 2])
        whole = confidence[:, torch.tensor(carried)]
        seen = (whole > 0).all(1) & (whole.mean(1) >= SEEN) & torch.tensor(sum(carried) > 10)
        joints.append(torch.where(seen[:, None, None], pixels, wrist[:, None]))
        tracked.append(seen & body.tracked)
    return HandTrack(joints=torch.stack(joints, dim=1), tracked=torch.stack(tracked, dim=1))


def _head(
    recording: JointRecording, points: _Points, body: BodyTrack, origin: Tensor, px_per_m: Tensor
) -> tuple[HeadTrack, HeadFit]:
    """The head as the file says, else as the mean head lies on its points."""
    names = head_points(list(points.index))
    pixels, metres, confidence, in_metres = points.take(names)
    sure = confidence * (confidence >= SEEN)
    by_picture = fit_head(pixels, sure, names, has_depth=recording.has_depth)
    by_metres = fit_head(metres, sure * in_metres, names, has_depth=True)
    given = view_from_pixels(recording.head_rotation.transpose(1, 2)).transpose(1, 2)
    # Nose and ears alone say less about the pitch than a face does, so metres count where they know as many points.
    in_space = by_metres.fitted & ((in_metres & (sure > 0)).sum(1) >= (sure > 0).sum(1))
    rotation = torch.where(in_space[:, None, None], by_metres.rotation, by_picture.rotation)
    rotation = torch.where(recording.head_rotated[:, None, None], given, rotation)
    turned = recording.head_rotated | in_space | by_picture.fitted
    placed = place_head(pixels, sure, names, rotation, has_depth=recording.has_depth)

    # A size that is read off a few points trembles, and heads do not grow when they turn away.
    count = (sure > 0).sum(1)
    sized = placed.fitted & turned
    sized = sized & (count >= _MOST_POINTS * count[sized].max()) if sized.any() else sized
    share = running_median(interpolate(placed.radius / px_per_m, sized), radius=4)
    if not sized.any():
        share = torch.full_like(share, _HEAD_RADIUS_M)
    radius = torch.where(recording.head_placed, recording.head_radius, share * px_per_m)
    depth = body.joints[:, JOINT["head"], 2]
    if recording.has_depth:
        depth = torch.where(placed.fitted, placed.center[:, 2] - origin, depth)
    center = torch.cat((placed.center[:, :2], depth[:, None]), dim=-1)
    anchor, anchored = _skull(points, rotation, radius, origin, has_depth=recording.has_depth)
    center = torch.where(placed.fitted[:, None], center, anchor)
    center = torch.where(recording.head_placed[:, None], recording.head_center, center)
    tracked = turned & (placed.fitted | anchored | recording.head_placed)

    angles = matrix_to_angles(rotation)
    angles = interpolate(torch.cat((_unwrap_known(angles[:, :1], tracked), angles[:, 1:]), dim=-1), tracked)
    center = torch.where(tracked[:, None], center, _following(center - body.joints[:, JOINT["neck"]], tracked, body))
    fit = HeadFit(rotation=rotation, center=center, radius=radius, fitted=tracked)
    return HeadTrack(angles_rad=angles, center=center, radius_px=radius, tracked=tracked), fit


def _unwrap_known(angle_rad: Tensor, known: Tensor) -> Tensor:
    """[T, 1] without jumps of a full turn between known frames."""
    smooth = angle_rad.clone()
    smooth[known] = unwrap(angle_rad[known]) if known.any() else angle_rad[known]
    return smooth


def _following(offset: Tensor, known: Tensor, body: BodyTrack) -> Tensor:
    """[T, 3] places that keep their distance to the neck where they are not known."""
    return body.joints[:, JOINT["neck"]] + interpolate(offset, known)


def _skull(points: _Points, rotation: Tensor, radius: Tensor, origin: Tensor, *, has_depth: bool) -> tuple[Tensor, Tensor]:
    """Middle of the head [T, 3] from a body model's head joint alone, and where there is one [T]."""
    pixels, _, confidence, _ = points.take(["smpl/head"])
    offset = rotation @ mean_head(["smpl/head"])[0]
    center = pixels[:, 0] - view_from_pixels(offset) * radius[:, None]
    depth = center[:, 2] - origin if has_depth else torch.zeros_like(origin)
    return torch.cat((center[:, :2], depth[:, None]), dim=-1), confidence[:, 0] >= SEEN


def _face(points: _Points, head: HeadTrack, fit: HeadFit) -> FaceTrack:
    """Face points; those the layout lacks lie where the mean head has them, irises in the middle of the eyes."""
    names = [f"face/{name}" for name in FACE_POINTS]
    pixels, _, confidence, _ = points.take(names)
    carried = torch.tensor([name in points.index for name in names])
    on_head = view_from_pixels(mean_head(names) @ fit.rotation.transpose(1, 2)) * fit.radius[:, None, None]
    placed = on_head + fit.center[:, None]
    known = confidence > 0
    if not points.recording.has_depth:
        pixels = torch.cat((pixels[..., :2], placed[..., 2:]), dim=-1)
    else:
        shift = ((pixels - placed)[..., 2] * known).sum(1) / known.sum(1).clamp_min(1)  # the two may differ in origin
        placed = torch.cat((placed[..., :2], (placed[..., 2] + shift[:, None])[..., None]), dim=-1)
    landmarks = torch.where(known[..., None], pixels, placed)
    for side in ("left", "right"):
        iris = FACE_POINTS.index(f"{side}_iris")
        if not carried[iris]:
            eye = [FACE_POINTS.index(f"{side}_eye_{i}") for i in range(6)]
            landmarks[:, iris] = landmarks[:, eye].mean(1)
    landmarks = torch.cat((landmarks[..., :2], landmarks[..., 2:] - landmarks[..., 2:].mean(1, keepdim=True)), dim=-1)
    whole = confidence[:, carried] if carried.any() else torch.zeros(len(confidence), 1)
    found = (whole.mean(1) >= SEEN) & ((whole > 0).float().mean(1) > 0.5) & torch.tensor(int(carried.sum()) > 30)
    found = found & head.tracked & (wrap(head.angles_rad[:, 0]).abs() < _MAX_FACE_YAW_RAD)
    return FaceTrack(landmarks=landmarks, box=face_box(landmarks, found, head), tracked=found)
