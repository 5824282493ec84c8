"""Laws of reading and writing video: every frame once, at its time, upright, in its colours."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from dreamactor.errors import ConfigError, MediaError, OutputError
from dreamactor.types.video import AudioClip, FrameTimes
from dreamactor.video.audio import read_audio, write_audio
from dreamactor.video.image import write_image
from dreamactor.video.output import remove_parts
from dreamactor.video.reader import VideoReader, constant_rate_indices, iter_clips, probe, read_clip
from dreamactor.video.writer import VideoWriter, check_output

VFR_STEPS = [0, 1, 2, 6, 7, 13, 14, 15, 40]


def moving_square(num_frames: int, width: int = 64, height: int = 48) -> Tensor:
    """[T, H, W, 3] uint8: a square that walks over a ramp, another one in every frame."""
    x = torch.arange(width).expand(num_frames, height, width)
    y = torch.arange(height)[None, :, None].expand(num_frames, height, width)
    frames = torch.stack([x * 3, y * 4, (x + y) * 2], dim=-1).to(torch.uint8)
    for index in range(num_frames):
        left, top = index * 5 % (width - 12), index * 3 % (height - 12)
        frames[index, top : top + 12, left : left + 12] = torch.tensor([250, 30 + index % 200, 40], dtype=torch.uint8)
    return frames


def write_video(path: Path, frames: Tensor, **options: object) -> Path:
    if "times" not in options:
        options.setdefault("fps", Fraction(25))
    with VideoWriter(path, width=frames.shape[2], height=frames.shape[1], **options) as writer:  # type: ignore[arg-type]
        writer.write(frames)
    return path


def exact_seconds(times: FrameTimes) -> list[Fraction]:
    return [int(pts) * times.time_base for pts in times.pts]


@pytest.mark.parametrize(
    ("pts", "time_base"),
    [
        pytest.param(range(12), Fraction(1, 25), id="25 fps"),
        pytest.param(range(12), Fraction(1001, 30000), id="29.97 fps"),
        pytest.param(VFR_STEPS, Fraction(1, 90), id="variable rate"),
        pytest.param([1350 + 3003 * i for i in range(9)], Fraction(1, 90000), id="start offset"),
        pytest.param([15001 + 40003 * i for i in range(9)], Fraction(1, 1000000), id="microseconds"),
        pytest.param([10**6 + s for s in VFR_STEPS], Fraction(1, 600), id="starts after 28 minutes"),
    ],
)
def test_times_come_back_exactly(tmp_path: Path, pts: list[int], time_base: Fraction) -> None:
    times = FrameTimes(pts=torch.tensor(list(pts), dtype=torch.int64), time_base=time_base)
    path = write_video(tmp_path / "clip.mp4", moving_square(len(times)), times=times)
    assert exact_seconds(read_clip(path).times) == exact_seconds(times)


def test_duration_of_constant_rate_is_frames_over_rate(tmp_path: Path) -> None:
    for num_frames in (1, 30):
        path = write_video(tmp_path / "clip.mp4", moving_square(num_frames), fps=Fraction(30))
        assert probe(path).duration_s == pytest.approx(num_frames / 30)
        assert probe(path).num_frames == num_frames


@pytest.mark.parametrize("num_frames", [1, 2, 73])
def test_as_many_frames_come_out_as_went_in_and_without_loss(tmp_path: Path, num_frames: int) -> None:
    frames = moving_square(num_frames)
    path = write_video(tmp_path / "clip.mp4", frames, lossless=True)
    assert torch.equal(read_clip(path).frames, frames)


def test_frames_may_be_written_in_any_pieces(tmp_path: Path) -> None:
    frames = moving_square(11)
    with VideoWriter(tmp_path / "clip.mp4", width=64, height=48, fps=Fraction(25), lossless=True) as writer:
        for piece in frames.split([1, 0, 7, 3]):
            if len(piece):
                writer.write(piece)
    assert torch.equal(read_clip(tmp_path / "clip.mp4").frames, frames)


def test_streaming_equals_reading_at_once(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", moving_square(11))
    whole, pieces = read_clip(path), list(iter_clips(path, 4))
    assert [piece.num_frames for piece in pieces] == [4, 4, 3]
    assert torch.equal(torch.cat([piece.frames for piece in pieces]), whole.frames)
    assert torch.equal(torch.cat([piece.times.pts for piece in pieces]), whole.times.pts)


def test_a_part_is_the_same_frames_with_the_same_times(tmp_path: Path) -> None:
    times = FrameTimes(pts=torch.arange(60) * 40 + 500, time_base=Fraction(1, 1000))
    path = write_video(tmp_path / "clip.mp4", moving_square(60), times=times)
    whole = read_clip(path)
    with VideoReader(path, start_s=0.8, end_s=1.6) as reader:
        part = list(reader)
    assert [frame.pts for frame in part] == whole.times.pts[20:40].tolist()
    assert all(torch.equal(frame.image, whole.frames[20 + frame.index]) for frame in part)


def set_display_matrix(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Rewrites the rotation flag in the track header of an mp4."""
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    for place, value in ((0, a), (4, b), (12, c), (16, d)):
        content[matrix + place : matrix + place + 4] = (value * 65536).to_bytes(4, "big", signed=True)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("matrix", "clockwise_deg"), [((1, 0, 0, 1), 0), ((0, 1, -1, 0), 90), ((-1, 0, 0, -1), 180), ((0, -1, 1, 0), 270)]
)
def test_rotation_flag_is_applied(tmp_path: Path, matrix: tuple[int, int, int, int], clockwise_deg: int) -> None:
    upright = moving_square(3)
    stored = torch.rot90(upright, clockwise_deg // 90, dims=(1, 2))  # counter-clockwise; the flag turns it back
    path = write_video(tmp_path / "clip.mp4", stored, lossless=True)
    set_display_matrix(path, *matrix)
    info = probe(path)
    assert torch.equal(read_clip(path).frames, upright)
    assert (info.width, info.height) == (64, 48)
    assert info.rotation_deg == (360 - clockwise_deg) % 360


def encode_raw(path: Path, pix_fmt: str, matrix: int, *, codec: str = "libx264") -> Tensor:
    """Writes flat colour bars with PyAV alone, tagged with a colour matrix; returns the bars."""
    colours = torch.tensor([[200, 40, 40], [40, 180, 60], [50, 60, 210], [128, 128, 128]], dtype=torch.uint8)
    bars = colours.repeat_interleave(16, dim=0).expand(48, 64, 3).contiguous()
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        stream.codec_context.colorspace = matrix
        picture = av.VideoFrame.from_ndarray(bars.numpy(), format="rgb24")
        container.mux(stream.encode(picture.reformat(format=pix_fmt, dst_colorspace=matrix)))
        container.mux(stream.encode(None))
    return bars


@pytest.mark.parametrize(
    ("pix_fmt", "matrix"),
    [
        pytest.param("yuv420p", 1, id="BT.709"),
        pytest.param("yuv420p", 5, id="BT.601"),
        pytest.param("yuv444p", 1, id="4:4:4"),
        pytest.param("yuv420p10le", 1, id="10 bit"),
    ],
)
def test_colours_follow_the_tag(tmp_path: Path, pix_fmt: str, matrix: int) -> None:
    bars = encode_raw(tmp_path / "bars.mp4", pix_fmt, matrix)
    middle = slice(8, None, 16)  # away from the borders, where chroma is shared
    seen = read_clip(tmp_path / "bars.mp4").frames[0, 24, middle].int()
    assert (seen - bars[24, middle].int()).abs().max() <= 4


def test_written_files_are_tagged_and_keep_colours(tmp_path: Path) -> None:
    flat = torch.tensor([200, 40, 40], dtype=torch.uint8).expand(2, 48, 64, 3).contiguous()
    path = write_video(tmp_path / "clip.mp4", flat)
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert [context.colorspace, context.color_primaries, context.color_trc, context.color_range] == [1, 1, 1, 1]
    assert (read_clip(path).frames.int() - flat.int()).abs().max() <= 3


def test_repeated_time_stamps_are_mended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "clip.mkv"  # stored packet by packet, each a key frame
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        packets = []
        for index, image in enumerate(moving_square(5)):
            picture = av.VideoFrame.from_ndarray(image.numpy(), format="rgb24")
            picture.pts = index
            packets += stream.encode(picture)
        packets += stream.encode(None)
        for packet, stamp in zip(packets, (0, 1, 1, 1, 4), strict=True):
            packet.pts = packet.dts = stamp
            container.mux(packet)
    with caplog.at_level(logging.WARNING):
        clip = read_clip(path)
    assert clip.num_frames == 5
    assert bool((clip.times.pts.diff() > 0).all())
    assert "time stamp" in caplog.text


# ---- resampling to a constant rate ----


def test_constant_rate_of_a_constant_clip_changes_nothing() -> None:
    times = FrameTimes.constant(17, Fraction(30000, 1001))
    assert constant_rate_indices(times, Fraction(30000, 1001)).tolist() == list(range(17))


def test_constant_rate_takes_the_nearest_frame() -> None:
    times = FrameTimes(pts=torch.tensor([100, 110, 150, 160]), time_base=Fraction(1, 100))
    assert constant_rate_indices(times, Fraction(10)).tolist() == [0, 1, 1, 1, 2, 2, 3, 3]
    assert constant_rate_indices(FrameTimes.constant(20, Fraction(50)), Fraction(25)).tolist() == list(range(0, 20, 2))


# ---- sound ----


def click(at_s: float, *, rate_hz: int = 44100, start_s: float = 0.0, seconds: float = 2.0, channels: int = 1) -> AudioClip:
    samples = torch.zeros(channels, round(seconds * rate_hz))
    first = round((at_s - start_s) * rate_hz)
    samples[:, first : first + 60] = 0.9
    return AudioClip(samples=samples, rate_hz=rate_hz, start_s=start_s)


def click_time_s(clip: AudioClip | None) -> float:
    assert clip is not None
    return clip.start_s + int((clip.samples[0].abs() > 0.3).nonzero()[0]) / clip.rate_hz


@pytest.mark.parametrize("start_s", [0.0, 0.015, 0.4, -0.2])
@pytest.mark.parametrize("rate_hz", [44100, 48000, 22000])
def test_sound_keeps_its_place(tmp_path: Path, start_s: float, rate_hz: int) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, moving_square(40), audio=click(0.9, rate_hz=rate_hz, start_s=start_s))
    assert probe(path).has_audio
    assert click_time_s(read_audio(path)) == pytest.approx(0.9, abs=1024 / 44100)


@pytest.mark.parametrize("start_s", [0.0, 0.4])
def test_copied_sound_is_the_same_packets_at_the_same_time(tmp_path: Path, start_s: float) -> None:
    source = write_video(tmp_path / "source.mp4", moving_square(40), audio=click(0.9, start_s=start_s))
    copy = write_video(tmp_path / "copy.mp4", moving_square(40), audio=source)
    assert click_time_s(read_audio(copy)) == pytest.approx(click_time_s(read_audio(source)), abs=1e-3)
    assert sound_packets(copy) == sound_packets(source)


def sound_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_sound_that_mp4_cannot_hold_is_encoded(tmp_path: Path) -> None:
    write_audio(tmp_path / "click.wav", click(0.9, channels=2))
    path = write_video(tmp_path / "clip.mp4", moving_square(40), audio=tmp_path / "click.wav")
    sound = read_audio(path)
    assert sound is not None
    assert sound.samples.shape[0] == 2
    assert click_time_s(sound) == pytest.approx(0.9, abs=1024 / 44100)


def test_late_start_of_the_pictures_keeps_sound_in_sync(tmp_path: Path) -> None:
    times = FrameTimes(pts=torch.arange(20) * 4 + 30, time_base=Fraction(1, 100))
    path = write_video(tmp_path / "clip.mp4", moving_square(20), times=times, audio=click(0.9))
    assert exact_seconds(read_clip(path).times) == exact_seconds(times)
    assert click_time_s(read_audio(path)) == pytest.approx(0.9, abs=1024 / 44100)


def test_start_before_zero_moves_pictures_and_sound_together(tmp_path: Path) -> None:
    times = FrameTimes(pts=torch.arange(20) - 5, time_base=Fraction(1, 10))
    path = write_video(tmp_path / "clip.mp4", moving_square(20), times=times, audio=click(0.9))
    assert exact_seconds(read_clip(path).times)[0] == 0
    assert click_time_s(read_audio(path)) == pytest.approx(0.9 + 0.5, abs=1024 / 44100)


# ---- files appear whole or not at all ----


def write_and_raise(path: Path, error: BaseException) -> None:
    with VideoWriter(path, width=64, height=48, fps=Fraction(25), audio=click(0.5)) as writer:
        writer.write(moving_square(30))
        raise error


def test_an_exception_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"old")
    for error in (ValueError("x"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            write_and_raise(path, error)
    assert [entry.name for entry in tmp_path.iterdir()] == ["clip.mp4"]
    assert path.read_bytes() == b"old"


def test_the_name_appears_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, width=64, height=48, fps=Fraction(25)) as writer:
        writer.write(moving_square(2))
        assert not path.exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["clip.mp4"]


def test_what_killed_processes_left_of_one_file_can_be_removed(tmp_path: Path) -> None:
    names = [".clip.77.part.mp4", ".clip.mp4", ".clip.b.77.part.mp4", ".clip.77.part.mov", ".clips.77.part.mp4", "clip.mp4"]
    for name in names:
        (tmp_path / name).touch()
    remove_parts(tmp_path / "clip.mp4")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(names[1:])


@pytest.mark.parametrize("num_written", [0, 4])
def test_too_few_frames_are_an_error(tmp_path: Path, num_written: int) -> None:
    times = FrameTimes.constant(5, Fraction(25))
    with pytest.raises(RuntimeError, match="needed 5"):
        write_video(tmp_path / "clip.mp4", moving_square(num_written), times=times)
    assert not list(tmp_path.iterdir())


def test_too_many_frames_are_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="more frames than times"),
        VideoWriter(tmp_path / "clip.mp4", width=64, height=48, times=FrameTimes.constant(2, Fraction(25))) as writer,
    ):
        writer.write(moving_square(3))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("width", "height"), [(63, 48), (64, 47), (0, 48)])
def test_odd_sizes_are_refused(tmp_path: Path, width: int, height: int) -> None:
    with pytest.raises(ConfigError, match="even"):
        VideoWriter(tmp_path / "clip.mp4", width=width, height=height, fps=Fraction(25))


def test_outputs_are_checked_before_any_work(tmp_path: Path) -> None:
    source = tmp_path / "source.mp4"
    source.write_bytes(b"x")
    (tmp_path / "link.mp4").symlink_to(source)
    (tmp_path / "hard.mp4").hardlink_to(source)
    for name in ("source.mp4", "link.mp4", "hard.mp4", "../" + tmp_path.name + "/source.mp4"):
        with pytest.raises(OutputError, match="input"):
            check_output(tmp_path / name, [source])
    for path in (tmp_path, tmp_path / "absent" / "x.mp4", source / "x.mp4", Path("/proc/x.mp4"), Path("/dev/null")):
        with pytest.raises(OutputError, match="Cannot write"):
            check_output(path, [source])
    check_output(tmp_path / "fresh.mp4", [source])
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["hard.mp4", "link.mp4", "source.mp4"]


def test_only_containers_with_a_fine_clock_are_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.mp4"):
        VideoWriter(tmp_path / "clip.avi", width=64, height=48, fps=Fraction(25))


# ---- bad input: one clear line each ----


def make_missing(path: Path) -> str:
    return "No such file"


def make_empty(path: Path) -> str:
    path.write_bytes(b"")
    return "empty"


def make_text(path: Path) -> str:
    path.write_text("This is a letter, not a film.\n" * 50)
    return "not a"


def make_playlist(path: Path) -> str:
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://localhost:9/x.ts\n#EXT-X-ENDLIST\n")
    return "not a"


def make_cut_off_index_last(path: Path) -> str:
    with av.open(str(path), "w") as container:  # without faststart: the index is at the end and gets lost
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 48
        for image in moving_square(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image.numpy(), format="rgb24")))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return "cut off"


def make_cut_off_index_first(path: Path) -> str:
    write_video(path, moving_square(50))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    return "cut off"


def make_audio_only(path: Path) -> str:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 44100
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    return "sound only"


def make_still(path: Path) -> str:
    picture = path.with_suffix(".png")
    write_image(picture, moving_square(1)[0])
    picture.replace(path)
    return "REFERENCE"


def make_undecodable(path: Path) -> str:
    write_video(path, moving_square(3))
    content = bytearray(path.read_bytes())
    data = content.index(b"mdat") + 4
    content[data:] = bytes(len(content) - data)
    path.write_bytes(content)
    return "can be decoded"


def make_folder(path: Path) -> str:
    path.mkdir()
    return "folder"


@pytest.mark.parametrize(
    "make",
    [
        make_missing,
        make_empty,
        make_text,
        make_playlist,
        make_cut_off_index_last,
        make_cut_off_index_first,
        make_audio_only,
        make_still,
        make_undecodable,
        make_folder,
    ],
)
def test_bad_video_files_get_one_clear_line(tmp_path: Path, make: object) -> None:
    path = tmp_path / "input.mp4"
    reason = make(path)  # type: ignore[operator]
    with pytest.raises(MediaError, match=reason) as caught:
        probe(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("span", [(-1.0, None), (2.0, 1.0), (float("nan"), None)])
def test_impossible_spans_are_refused(tmp_path: Path, span: tuple[float, float | None]) -> None:
    with pytest.raises(ConfigError):
        VideoReader(tmp_path / "any.mp4", start_s=span[0], end_s=span[1])
