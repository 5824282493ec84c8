"""Every command does what its help says, on a tiny model."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from dreamactor.app.main import VERBS, run
from dreamactor.data.actors import EXPRESSION
from dreamactor.data.build import list_samples
from dreamactor.data.samples import load_sample
from dreamactor.evaluation.judge import load_judge
from dreamactor.inference.bundle import load_bundle, load_face_encoders
from dreamactor.perception.track_file import load_track
from dreamactor.types.video import AudioClip, FrameTimes
from dreamactor.video.audio import read_audio
from dreamactor.video.image import read_image, write_image
from dreamactor.video.reader import read_clip
from dreamactor.video.writer import VideoWriter


def _animate(shared: Path, driving: Path, output: Path, *more: str) -> int:
    files = [str(shared / "actor.png"), "--driving", str(driving), "-o", str(output)]
    return run(["animate", *files, "--model", str(shared / "model"), "--steps", "1", *more])


def test_animate_gives_exactly_the_drivers_frames_and_times(shared: Path, tmp_path: Path) -> None:
    output, both = tmp_path / "out.mp4", tmp_path / "both.mp4"
    assert _animate(shared, shared / "clip.mp4", output, "--preview", str(both), "--seed", "3") == 0
    driving, made, pair = read_clip(shared / "clip.mp4"), read_clip(output), read_clip(both)
    assert made.num_frames == pair.num_frames == driving.num_frames == 7
    torch.testing.assert_close(made.times.seconds, driving.times.seconds)
    assert pair.size[0] > 2 * made.size[0]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["both.mp4", "out.mp4"]


def test_animate_says_in_one_line_what_to_expect_of_a_photo(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _animate(shared, shared / "clip.mp4", tmp_path / "out.mp4") == 0
    assert len([line for line in capsys.readouterr().err.splitlines() if "photo" in line]) == 1


def test_irregular_times_a_start_offset_and_sound_survive(shared: Path, tmp_path: Path) -> None:
    source = read_clip(shared / "clip.mp4")
    pts = torch.tensor([9, 12, 13, 19, 22, 23, 40])
    tone = torch.sin(torch.arange(16000) / 16000 * 2 * torch.pi * 440)[None] * 0.5
    times = FrameTimes(pts=pts, time_base=Fraction(1, 30))
    driving, output = tmp_path / "irregular.mp4", tmp_path / "out.mp4"
    with VideoWriter(
        driving, width=192, height=192, times=times, audio=AudioClip(samples=tone, rate_hz=16000, start_s=0.3)
    ) as writer:
        writer.write(source.frames)
    assert _animate(shared, driving, output) == 0
    torch.testing.assert_close(read_clip(output).times.seconds, read_clip(driving).times.seconds)
    given, kept = read_audio(driving), read_audio(output)
    assert given is not None
    assert kept is not None
    assert kept.start_s == pytest.approx(given.start_s, abs=0.05)
    assert kept.samples.shape[1] / kept.rate_hz == pytest.approx(given.samples.shape[1] / given.rate_hz, abs=0.1)


def test_a_motion_file_drives_and_equal_seeds_give_equal_videos(shared: Path, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.mp4", "two.mp4")]
    for path in paths:
        assert _animate(shared, shared / "exact.npz", path, "--seed", "1", "--framing", "driving") == 0
    one, two = (read_clip(path) for path in paths)
    assert torch.equal(one.frames, two.frames)
    torch.testing.assert_close(one.times.seconds, load_track(shared / "exact.npz").times.seconds)


def test_a_reference_in_which_nothing_is_found_can_be_described(
    shared: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blob, person = tmp_path / "blob.png", tmp_path / "blob.json"
    write_image(blob, torch.full((160, 96, 3), 120, dtype=torch.uint8))
    person.write_text('{"head_box": [38, 20, 58, 42], "joints": {"neck": [48, 50], "pelvis": [48, 95]}}')
    plain, described = tmp_path / "plain.mp4", tmp_path / "described.mp4"
    common = ["--driving", str(shared / "clip.mp4"), "--model", str(shared / "model"), "--steps", "1"]
    assert run(["animate", str(blob), "-o", str(plain), *common]) == 0
    assert "--reference-json" in caplog.text
    assert run(["animate", str(blob), "-o", str(described), "--reference-json", str(person), *common]) == 0
    assert read_clip(plain).num_frames == read_clip(described).num_frames == 7
    assert not torch.equal(read_clip(plain).frames, read_clip(described).frames)


def test_inspect_tells_how_a_video_was_made_and_whether_it_has_changed(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.mp4"
    assert _animate(shared, shared / "clip.mp4", output, "--seed", "3", "--label") == 0
    capsys.readouterr()
    assert run(["inspect", str(output)]) == 0
    said = capsys.readouterr().out
    for part in ("AI-generated", "trainedAlgorithmicMedia", "signature", "valid", "seed", "model"):
        assert part in said
    assert "actor.png" not in said
    assert str(tmp_path) not in said
    data = bytearray(output.read_bytes())
    data[-100] ^= 1
    output.write_bytes(data)
    assert run(["inspect", str(output), "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["intact"] is False
    assert "not what was signed" in captured.err
    assert run(["inspect", str(shared / "exact.npz")]) == 2


def test_extract_saves_the_motion_and_shows_it(shared: Path, tmp_path: Path) -> None:
    motion, preview = tmp_path / "motion.npz", tmp_path / "look.mp4"
    assert run(["extract", str(shared / "clip.mp4"), "-o", str(motion), "--preview", str(preview)]) == 0
    track = load_track(motion)
    assert track.num_frames == read_clip(preview).num_frames == 7
    assert bool(track.body.tracked.any())


def test_actor_draws_and_films(tmp_path: Path) -> None:
    picture, film, exact = tmp_path / "a.png", tmp_path / "a.mp4", tmp_path / "a.npz"
    assert run(["actor", "--seed", "7", "-o", str(picture), "--size", "64"]) == 0
    film_it = ["actor", "--seed", "7", "--perform", "--seconds", "0.2", "--size", "64"]
    assert run([*film_it, "-o", str(film), "--track", str(exact)]) == 0
    assert read_image(picture).shape == (64, 64, 3)
    assert read_clip(film).num_frames == load_track(exact).num_frames == 5


def test_actor_films_the_kinds_of_either_cast_and_names_what_it_does_not_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film, track = tmp_path / "film.mp4", tmp_path / "exact.npz"
    film_it = ["actor", "--seed", "7", "--perform", "--seconds", "0.2", "--size", "64", "-o", str(film)]
    assert run([*film_it, "--kind", "jump", "--track", str(track)]) == 0
    assert load_track(track).num_frames == 5
    other_kind, other_cast = ["--cast", "2", "--kind", "jump"], ["--cast", "4"]
    for wrong, named in ((other_kind, "Unknown kind 'jump' of cast 2"), (other_cast, "Unknown cast '4'")):
        assert run([*film_it, *wrong]) == 2
        assert named in capsys.readouterr().err


def test_demo_writes_four_files_and_says_where(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    arguments = ["demo", "--folder", str(folder), "--seconds", "0.2", "--model", str(shared / "model")]
    assert run(arguments) == 0
    said = capsys.readouterr().out
    for name in ("reference.png", "driving.mp4", "output.mp4", "side_by_side.mp4"):
        assert (folder / name).is_file()
        assert str(folder / name) in said
    assert read_clip(folder / "output.mp4").num_frames == read_clip(folder / "driving.mp4").num_frames == 5


def test_bench_perception_rates_every_framing(tmp_path: Path) -> None:
    scores = tmp_path / "scores.json"
    assert run(["bench", "perception", "--frames", "8", "--size", "128", "--json", str(scores)]) == 0
    rows = json.loads(scores.read_text())["rows"]
    rates = [row for row in rows if row["metric"] == "body_rate"]
    assert {(row["set"], row["mode"]) for row in rates} == {
        (framing, mode) for framing in ("portrait", "upper", "full") for mode in ("picture", "clip")
    }
    assert all(0 <= row["value"] <= 1 for row in rates)


def test_build_data_draws_the_samples_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    command = ["build-data", str(folder), "--num", "2", "--first-seed", "5", "--size", "64", "--frames", "5"]
    assert run([*command, "--workers", "1"]) == 0
    assert [load_sample(path).seed for path in list_samples(folder)] == [5, 6]


def test_train_makes_a_model_that_animates_and_the_same_command_again_trains_nothing(shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = ["train", "--output", str(folder), "--samples", "4", "--size", "64", "--scale", "0.0005"]
    assert run(command) == 0
    logs = {path: path.read_text() for path in folder.rglob("log.jsonl")}
    assert len(logs) == 6
    assert run(command) == 0
    assert {path: path.read_text() for path in folder.rglob("log.jsonl")} == logs
    output = tmp_path / "out.mp4"
    files = [str(shared / "actor.png"), "--driving", str(shared / "clip.mp4"), "-o", str(output)]
    assert run(["animate", *files, "--model", str(folder / "model"), "--steps", "1", "--size", "64"]) == 0
    assert read_clip(output).num_frames == 7


def test_training_goes_on_from_a_model(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = ["train", "--output", str(folder), "--samples", "4", "--size", "64", "--scale", "0.0005", "--start-from"]
    assert run([*command, "actor"]) == 0
    made, start = load_bundle(str(folder / "model")), load_bundle("actor")
    assert not (folder / "vae").exists()
    for name, value in made.vae.state_dict().items():
        torch.testing.assert_close(value, start.vae.state_dict()[name], rtol=0, atol=0)
    moved = (made.dit.proj_out.weight - start.dit.proj_out.weight).abs().max()
    assert 0 < moved < 0.01, "a few steps from where it started"
    assert made.metadata["started_from"] == start.metadata


def test_a_judge_and_face_encoders_go_on_from_trained_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ["--samples", "4", "--scale", "0.0005", "--workers", "1"]
    assert run(["train", "judge", "--output", str(tmp_path / "judge"), *few, "--start-from", "judge"]) == 0
    made, start = load_judge(tmp_path / "judge" / "judge"), load_judge()
    assert made.coefficients == EXPRESSION
    moved = (made.who.out.weight - start.who.out.weight).abs().max()
    assert 0 < moved < 0.01, "a few steps from where it started"
    assert run(["train", "face", "--output", str(tmp_path / "face"), *few]) == 0
    again = ["train", "face", "--output", str(tmp_path / "more"), *few, "--start-from"]
    assert run([*again, str(tmp_path / "face")]) == 0
    first, more = (load_face_encoders(str(tmp_path / name)).rgb for name in ("face", "more"))
    assert first is not None
    assert more is not None
    assert 0 < (more.heat[2].weight - first.heat[2].weight).abs().max() < 0.01
    assert run(["train", "judge", "--output", str(tmp_path / "no"), "--start-from", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_doctor_finds_what_this_machine_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    assert torch.__version__ in capsys.readouterr().out


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_help_has_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*verb.split(), "--help"]) == 0
    assert f"dreamactor {verb}" in capsys.readouterr().out.split("Examples")[1]


def test_the_installed_command_answers() -> None:
    code = "from dreamactor.app.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "animate" in done.stdout
