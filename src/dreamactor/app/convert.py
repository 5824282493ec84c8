"""Joint files of other tools <-> our motion file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dreamactor.errors import ConfigError
from dreamactor.geometry.layouts import LAYOUTS
from dreamactor.perception.joint_export import joints_from_track
from dreamactor.perception.joint_file import is_joint_file, read_joint_file, write_joint_file
from dreamactor.perception.joint_import import track_from_joints
from dreamactor.perception.recording import JointRecording
from dreamactor.perception.track_file import load_track, save_track
from dreamactor.types.track import PersonTrack
from dreamactor.video.output import check_output


@dataclass(frozen=True, kw_only=True, slots=True)
class Converted:
    """What was converted.

    Attributes:
        track: the motion.
        notes: what the file could not say, for people.
    """

    track: PersonTrack
    notes: tuple[str, ...]


def convert_file(source: Path, output: Path, *, layout: str | None, body_model: Path | None) -> Converted:
    """Reads a joint or motion file and writes a motion file, or with a layout a joint file.

    Raises:
        DreamActorError: a file cannot be used, the layout is unknown, or there would be nothing to convert.
    """
    check_output(output, [source, *([body_model] if body_model else [])], suffixes=(".npz",))
    notes: list[str] = []
    if is_joint_file(source):
        recording = read_joint_file(source, body_model=body_model)
        track = track_from_joints(recording)
        notes += _notes_on_import(recording, track)
    else:
        track = load_track(source)
        if layout is None:
            raise ConfigError(f"{source} is a motion file already. Name the --layout of the joint file it shall become.")
        if body_model is not None:
            raise ConfigError("--body-model is for joint files with parameters. Leave it out.")
    if layout is None:
        save_track(output, track)
    else:
        recording = joints_from_track(track, layout)
        write_joint_file(output, recording)
        notes += _notes_on_export(recording, track)
    return Converted(track=track, notes=tuple(notes))


def _notes_on_import(recording: JointRecording, track: PersonTrack) -> list[str]:
    notes = []
    if not recording.has_depth and not recording.in_metres.any():
        notes.append("no depth in the file: it is guessed from the lengths of the limbs")
    elif not recording.in_metres.any() and recording.px_per_m is None:
        notes.append("no metres in the file: a torso of half a metre sets the scale")
    if not track.head.tracked.any():
        notes.append("no head pose: the layout has too few points of the head, give 'head_rotation'")
    if not track.face.tracked.any():
        notes.append("no face")
    return notes


def _notes_on_export(recording: JointRecording, track: PersonTrack) -> list[str]:
    missing = int((recording.confidence.amax(0) == 0).sum())
    notes = [f"{missing} of {recording.confidence.shape[1]} points missing throughout"] if missing else []
    lost = [
        name
        for name, had, kept in (
            ("hands", track.hands.tracked.any(), _carries(recording.layout, "left_hand/index_mcp")),
            ("face", track.face.tracked.any(), _carries(recording.layout, "face/lip_outer_0")),
        )
        if had and not kept
    ]
    return [*notes, *(f"the layout has no {name}" for name in lost)]


def _carries(layout: str, point: str) -> bool:
    return point in LAYOUTS[layout]
