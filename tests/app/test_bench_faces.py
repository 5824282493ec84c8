"""Real faces from the command line: a clip is read, a bad file gives its reason, the probe knows mouths and eyes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from dreamactor.app.bench.real_faces import actor_probe
from dreamactor.app.film import film_actor
from dreamactor.app.main import run
from dreamactor.data.actors import NUM_EXPRESSION, sample_actor
from dreamactor.data.actors.coefficients import COEFFICIENT, EXPRESSION_OF
from dreamactor.data.actors.expression import face_curves, face_points
from dreamactor.guidance.face_proxies import face_proxies, follows


def test_a_folder_is_read_clip_by_clip(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file = tmp_path / "clips", tmp_path / "faces.json"
    folder.mkdir()
    (folder / "a.mp4").write_text("This is no video.\n" * 40)
    film_actor(folder / "b.mp4", seed=6, seconds=0.56, framing="portrait", size=192, kind="talk")
    assert run(["bench", "faces", str(folder), "--json", str(file)]) == 0
    written = json.loads(file.read_text())
    assert "a.mp4" in written["curves"]["a.mp4"]["error"]
    good = written["curves"]["b.mp4"]
    assert "Face motion is read off" in good["auto"]
    assert len(good["perception"]["mouth"]) == len(good["landmarks"]["mouth"]) == 14
    assert {row["set"] for row in written["rows"]} <= {"b.mp4"}
    assert "auto takes" in capsys.readouterr().out
    assert run(["bench", "faces", str(tmp_path / "nowhere")]) == 2


@pytest.mark.parametrize("names", EXPRESSION_OF.values())
def test_the_probe_reads_lips_and_eyes_off_coefficients(names: tuple[str, ...]) -> None:
    code = torch.zeros(3, NUM_EXPRESSION)
    code[1, COEFFICIENT["jaw_open"]] = 0.6
    code[2, [COEFFICIENT["blink_left"], COEFFICIENT["blink_right"]]] = 1.0
    faces = [sample_actor(900_001 + index).face for index in range(12)]
    shown, read = (
        face_proxies(torch.cat([face_points(face, face_curves(face, code)) for face in faces])),
        actor_probe(names).read(code[:, : len(names)]),
    )
    usual = shown.view(len(faces), 3, 2).mean(dim=0)  # eyes and mouths differ in size; the probe knows the usual ones
    torch.testing.assert_close(read[1:] - read[0], usual[1:] - usual[0], atol=0.08, rtol=0)
    assert float(read[1, 0] - read[0, 0]) > 0.08
    assert float(read[0, 1] - read[2, 1]) > 0.15


def test_still_series_are_told_apart_from_silent_ones() -> None:
    wave = torch.sin(torch.arange(40) / 3)
    assert follows(2 * wave + 1, wave, "mouth") == pytest.approx(1.0)
    assert follows(torch.ones(40), wave, "mouth") == 0.0
    assert follows(wave, 0.001 * wave, "mouth") != follows(wave, 0.001 * wave, "mouth")
