"""The textured proxy's body parts in one picture: where each capsule lies, which pixel belongs to which, how deep it
is.

A part is a capsule about a segment with a radius on the picture and a half-thickness in depth. Radii start from a human
prior in torso units and are corrected by the person's outline where that is visible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dreamactor.geometry.rotation import angles_to_matrix
from dreamactor.geometry.skeleton import HAND_JOINTS, JOINT
from dreamactor.guidance.proxy_bones import BONE
from dreamactor.types.track import PersonTrack

_LIMB_PARTS: Final = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")
PARTS: Final = (
    "torso", "neck", "head",
    *(f"left_{part}" for part in _LIMB_PARTS),
    *(f"right_{part}" for part in _LIMB_PARTS),
)  # fmt: skip
"""Parts of the proxy; each follows the bone of its name, the torso follows chest and hips."""
PART: Final = {name: index for index, name in enumerate(PARTS)}

_RADII: Final = {
    "neck": (0.14, 0.13),
    "upper_arm": (0.14, 0.105),
    "forearm": (0.105, 0.075),
    "hand": (0.085, 0.085),
    "thigh": (0.20, 0.14),
    "shin": (0.135, 0.085),
    "foot": (0.10, 0.085),
}
"""Radius at the near and far end in torso lengths: a slim adult in light clothes."""
_TORSO_DEPTH: Final = 0.23
"""Half the torso's thickness in torso lengths."""
_NUM_BINS: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Capsule:
    """One part in one picture.

    Attributes:
        name: of `PARTS`.
        start, end: [3] px3 ends of the axis.
        radius: pixels at start and end.
        depth: half-thickness in pixels at start and end.
    """

    name: str
    start: np.ndarray
    end: np.ndarray
    radius: tuple[float, float]
    depth: tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A capsule seen from a set of points; all arrays have the points' shape.

    Attributes:
        along: place along the axis, 0 at start, 1 at end.
        side: signed distance from the axis in pixels.
        distance: distance from the segment in pixels.
        radius: capsule radius at that place.
    """

    along: np.ndarray
    side: np.ndarray
    distance: np.ndarray
    radius: np.ndarray

    @property
    def outside(self) -> np.ndarray:
        """Signed distance to the capsule's outline, negative inside."""
        return self.distance - self.radius


def capsule_field(capsule: Capsule, x: np.ndarray, y: np.ndarray) -> Field:
    """Sees one capsule from points x, y (broadcast together), in pixels."""
    axis = capsule.end[:2] - capsule.start[:2]
    length = float(np.hypot(*axis))
    ux, uy = (axis / length) if length > 1e-3 else (0.0, 1.0)
    dx, dy = x - np.float32(capsule.start[0]), y - np.float32(capsule.start[1])
    reach = dx * np.float32(ux) + dy * np.float32(uy)
    side = dx * np.float32(-uy) + dy * np.float32(ux)
    along = np.clip(reach / max(length, 1e-3), 0.0, 1.0)
    beyond = reach - along * np.float32(length)
    radius = capsule.radius[0] + (capsule.radius[1] - capsule.radius[0]) * along
    return Field(along=along, side=side, distance=np.hypot(side, beyond), radius=radius)


def surface_depth(capsule: Capsule, field: Field, reach: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Depth of the capsule's front and of its back in pixels; beyond the outline both are on the axis.

    Args:
        reach: outline distance to use instead of the capsule's radius.
    """
    radius = field.radius if reach is None else reach
    round_off = np.sqrt(np.maximum(1.0 - (field.distance / np.maximum(radius, 1e-3)) ** 2, 0.0))
    near, far = float(capsule.start[2]), float(capsule.end[2])
    axis = near + (far - near) * field.along
    thickness = (capsule.depth[0] + (capsule.depth[1] - capsule.depth[0]) * field.along) * round_off
    # a limb that points at the viewer is cut slantwise, but not beyond its ends
    slant = float(np.hypot(1.0, (far - near) / max(float(np.hypot(*(capsule.end - capsule.start)[:2])), 1e-3)))
    front = np.maximum(axis - slant * thickness, min(near, far) - thickness)
    back = np.minimum(axis + slant * thickness, max(near, far) + thickness)
    return front.astype(np.float32), back.astype(np.float32)


def person_capsules(person: PersonTrack) -> tuple[Capsule, ...]:
    """Capsules of all parts with prior radii, for a track of exactly one frame."""
    joints = person.body.joints[0].numpy().astype(np.float64)
    head, head_radius = person.head.center[0].numpy().astype(np.float64), float(person.head.radius_px[0])
    hands, hand_tracked = person.hands.joints[0].numpy(), person.hands.tracked[0].numpy()

    def joint(name: str) -> np.ndarray:
        return joints[JOINT[name]]

    neck, pelvis = joint("neck"), joint("pelvis")
    spine = pelvis - neck
    torso = max(float(np.linalg.norm(spine)), 1.0)

    capsules = [
        _torso(neck, spine, joint("left_shoulder") - joint("right_shoulder"), joint("left_hip") - joint("right_hip"))
    ]
    up = angles_to_matrix(person.head.angles_rad[0])[:, 1].numpy() * (1.0, -1.0, -1.0) * head_radius  # towards the crown
    capsules.append(_limb("neck", "neck", neck, head - up * 0.6, torso))
    capsules.append(
        Capsule(
            name="head",
            start=head + up * 0.2,
            end=head - up * 0.25,
            radius=(head_radius * 0.8, head_radius * 0.75),
            depth=(head_radius * 0.85, head_radius * 0.85),
        )
    )
    for hand, side in enumerate(("left", "right")):
        shoulder, elbow, wrist = (joint(f"{side}_{n}") for n in ("shoulder", "elbow", "wrist"))
        hip, knee, ankle, toe = (joint(f"{side}_{n}") for n in ("hip", "knee", "ankle", "toe"))
        fingers = hands[hand, HAND_JOINTS.index("middle_tip")] if hand_tracked[hand] else wrist + 0.36 * (wrist - elbow)
        ends = {
            "upper_arm": (shoulder, elbow),
            "forearm": (elbow, wrist),
            "hand": (wrist + 0.15 * (fingers - wrist), wrist + 0.75 * (fingers - wrist)),
            "thigh": (hip, knee),
            "shin": (knee, ankle),
            "foot": (ankle, ankle + 0.9 * (toe - ankle)),
        }
        capsules += [_limb(f"{side}_{part}", part, start, end, torso) for part, (start, end) in ends.items()]
    return tuple(capsules)


def _limb(name: str, kind: str, start: np.ndarray, end: np.ndarray, torso: float) -> Capsule:
    near, far = (radius * torso for radius in _RADII[kind])
    return Capsule(name=name, start=start, end=end, radius=(near, far), depth=(near, far))


def _torso(neck: np.ndarray, spine: np.ndarray, shoulders: np.ndarray, hips: np.ndarray) -> Capsule:
    """The torso is flat: its width on the picture and its thickness change places as it turns."""
    size = max(float(np.linalg.norm(spine)), 1.0)
    width, depth = [], []
    for line, extra in ((shoulders, 0.0), (hips, 0.12)):
        half = 0.5 * float(np.linalg.norm(line)) + extra * size
        turned = abs(float(line[2])) / max(float(np.linalg.norm(line)), 1e-3)  # 0 frontal, 1 seen from the side
        frontal = float(np.sqrt(max(1.0 - turned**2, 0.0)))
        width.append(float(np.hypot(half * frontal, _TORSO_DEPTH * size * turned)))
        depth.append(float(np.hypot(half * turned, _TORSO_DEPTH * size * frontal)))
    # ends drawn in, because a capsule has caps as round as it is wide
    start = neck + spine * (0.55 * width[0] / size)
    end = neck + spine * max(1.12 - 0.75 * width[1] / size, 0.56 * width[0] / size + 0.05)
    return Capsule(name="torso", start=start, end=end, radius=(width[0], width[1]), depth=(depth[0], depth[1]))


def fit_radii(capsules: tuple[Capsule, ...], mask: np.ndarray) -> tuple[Capsule, ...]:
    """Corrects limb radii by the outline: where the limb ends on its nearer free side.

    Args:
        mask: [H, W] bool, True on the person, in the capsules' pixels.
    """
    height, width = mask.shape
    fitted = []
    for capsule in capsules:
        axis = capsule.end[:2] - capsule.start[:2]
        length = float(np.hypot(*axis))
        largest = max(capsule.radius)
        if capsule.name in ("torso", "head", "neck") or length < largest or "foot" in capsule.name:
            fitted.append(capsule)
            continue
        normal = np.array((-axis[1], axis[0])) / length
        steps = np.arange(0.0, 2.5 * largest, 0.5)
        ratios = []
        for along in (0.25, 0.4, 0.5, 0.6, 0.75):
            place = capsule.start[:2] + along * axis
            radius = capsule.radius[0] + along * (capsule.radius[1] - capsule.radius[0])
            reaches = []
            for sign in (1.0, -1.0):
                line = place + sign * steps[:, None] * normal
                x, y = np.floor(line).astype(int).T
                valid = (x >= 0) & (x < width) & (y >= 0) & (y < height)
                on = np.zeros(len(steps), dtype=bool)
                on[valid] = mask[y[valid], x[valid]]
                reaches.append(steps[np.argmin(on)] if valid.all() and not on.all() else np.inf)
            nearest = min(reaches)
            if 0.0 < nearest < np.inf:
                ratios.append(nearest / radius)
        factor = float(np.clip(np.median(ratios), 0.6, 1.8)) if len(ratios) >= 2 else 1.0
        near, far = (radius * factor for radius in capsule.radius)
        fitted.append(
            Capsule(name=capsule.name, start=capsule.start, end=capsule.end, radius=(near, far), depth=(near, far))
        )
    return tuple(fitted)


def label_pixels(capsules: tuple[Capsule, ...], fields: tuple[Field, ...]) -> np.ndarray:
    """[H, W] int16 part of every pixel: the front-most capsule that covers it, else the nearest one."""
    best = np.full(fields[0].distance.shape, np.inf, dtype=np.float32)
    label = np.zeros(best.shape, dtype=np.int16)
    far = np.float32(1e5)
    for index, (capsule, field) in enumerate(zip(capsules, fields, strict=True)):
        outside = field.outside
        front, _ = surface_depth(capsule, field)
        cost = np.where(outside < 0, front - far, outside)
        closer = cost < best
        best[closer] = cost[closer]
        label[closer] = index
    return label


def outline_reach(field: Field, own: np.ndarray) -> np.ndarray:
    """[2, bins] how far a part's own pixels reach from its axis on either side, never less than zero.

    Args:
        own: bool, the points that belong to the part.
    """
    reach = np.zeros((2, _NUM_BINS), dtype=np.float32)
    place = np.minimum((field.along[own] * _NUM_BINS).astype(int), _NUM_BINS - 1)
    np.maximum.at(reach, ((field.side[own] > 0).astype(int), place), field.distance[own])
    padded = np.pad(reach, ((0, 0), (1, 1)), mode="edge")
    return np.maximum(reach, (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3.0)


def reach_at(field: Field, reach: np.ndarray) -> np.ndarray:
    """The larger of capsule radius and measured outline (at most three radii) at every point of a field."""
    place = field.along * _NUM_BINS - 0.5
    low = np.clip(np.floor(place).astype(int), 0, _NUM_BINS - 1)
    high = np.minimum(low + 1, _NUM_BINS - 1)
    share = np.clip(place - low, 0.0, 1.0)
    sides = reach[:, low] * (1.0 - share) + reach[:, high] * share  # [2, ...]
    blend = np.clip(field.side / np.maximum(field.radius, 1e-3) + 0.5, 0.0, 1.0)  # no step at the axis
    measured = sides[0] * (1.0 - blend) + sides[1] * blend
    return np.clip(measured, field.radius, 3.0 * field.radius)


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Where a part passes into a neighbour: the skin follows both there.

    Attributes:
        part: index of the neighbouring part.
        bone: bone that the neighbour's skin follows at this joint.
        joint: [3] px3.
        radius: pixels over which the skin is shared.
    """

    part: int
    bone: int
    joint: np.ndarray
    radius: float


def skirt_hem(capsules: tuple[Capsule, ...], mask: np.ndarray) -> float:
    """How far down the legs one piece of cloth joins them: 0 none, 1 to the knees, 2 to the ankles.

    Told from the picture: cloth fills the gap between legs that stand apart.
    """
    by_name = {capsule.name: capsule for capsule in capsules}
    height, width = mask.shape
    hem, missed = 0.0, 0
    for step in range(2, 20):
        down = step / 10
        part, along = ("thigh", down) if down < 1.0 else ("shin", down - 1.0)
        left, right = by_name[f"left_{part}"], by_name[f"right_{part}"]
        a, b = (c.start[:2] + along * (c.end - c.start)[:2] for c in (left, right))
        radius = left.radius[0] + along * (left.radius[1] - left.radius[0])
        apart = float(np.hypot(*(b - a)))
        clear = 0.5 * apart - 1.1 * radius
        if clear < 0.5:
            continue
        middle = 0.5 * (a + b) + np.linspace(-0.6, 0.6, 5)[:, None] * clear * (b - a) / apart
        x, y = np.floor(middle).astype(int).T
        if ((x < 0) | (x >= width) | (y < 0) | (y >= height)).any():
            break
        if mask[y, x].mean() > 0.7:
            hem = down
        else:
            missed += 1
            if missed > 1:
                break
    return hem


def part_links(capsules: tuple[Capsule, ...], hem: float) -> tuple[tuple[Link, ...], ...]:
    """Neighbours of every part, in the order of `PARTS`.

    Args:
        hem: from `skirt_hem`; the two legs are neighbours as far as cloth joins them.
    """
    links: list[list[Link]] = [[] for _ in PARTS]

    def connect(parent: str, child: str, joint: np.ndarray, radius: float, parent_bone: str | None = None) -> None:
        links[PART[child]].append(Link(part=PART[parent], bone=BONE[parent_bone or parent], joint=joint, radius=radius))
        links[PART[parent]].append(Link(part=PART[child], bone=BONE[child], joint=joint, radius=radius))

    by_name = {capsule.name: capsule for capsule in capsules}
    for part, needed in (("thigh", 0.35), ("shin", 1.2)):
        if hem >= needed:
            left, right = by_name[f"left_{part}"], by_name[f"right_{part}"]
            middle = 0.5 * (left.start + right.start)
            reach = float(np.hypot(*(left.end - left.start)[:2])) + float(np.hypot(*(left.start - right.start)[:2]))
            connect(f"left_{part}", f"right_{part}", middle, reach)
    neck, head = by_name["neck"], by_name["head"]
    connect("torso", "neck", neck.start, neck.radius[0], "chest")
    connect("neck", "head", neck.end, 0.6 * head.radius[0])
    for side in ("left", "right"):
        for parent, child, bone in (
            ("torso", f"{side}_upper_arm", "chest"),
            (f"{side}_upper_arm", f"{side}_forearm", None),
            (f"{side}_forearm", f"{side}_hand", None),
            ("torso", f"{side}_thigh", "hips"),
            (f"{side}_thigh", f"{side}_shin", None),
            (f"{side}_shin", f"{side}_foot", None),
        ):
            connect(parent, child, by_name[child].start, by_name[child].radius[0], bone)
    return tuple(tuple(found) for found in links)
