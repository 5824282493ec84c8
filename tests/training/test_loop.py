"""The training loop: resumed equals uninterrupted, wherever it stopped, and nothing that goes wrong is lost or hidden."""

from __future__ import annotations

import json
import logging
import math
import multiprocessing
import os
import random
import resource
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from dreamactor.errors import ConfigError, InputError, OutputError, TrainingError
from dreamactor.training.checkpoint import read_checkpoint, write_checkpoint
from dreamactor.training.loop import CHECKPOINT, LoopConfig, TrainingLoop
from dreamactor.training.run_log import time_left
from dreamactor.training.schedule import FLOOR, rate_share
from dreamactor.training.signals import TrainingStopped

CONFIG = LoopConfig(num_steps=40, learning_rate=0.05, warmup=2, cooldown=8, log_every=4)
OFTEN = replace(CONFIG, save_every_s=0.0)
TARGET = torch.tensor([1.0, -2.0, 0.5, 3.0])


class Walk:
    """Data with a place in it."""

    def __init__(self) -> None:
        self.place = 0

    def state_dict(self) -> dict[str, int]:
        return {"place": self.place}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.place = state["place"]


class Fit:
    """Fits a line; `before` is called before every loss, with the loop."""

    def __init__(self, folder: Path, config: LoopConfig = CONFIG, **settings: object) -> None:
        torch.manual_seed(0)
        self.layer, self.walk = nn.Linear(4, 1), Walk()
        self.loop = TrainingLoop({"layer": self.layer}, config, folder, seed=3, source=self.walk, settings=settings)
        self.before = lambda loop: None

    def loss(self, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        self.before(self.loop)
        x = torch.randn(16, 4, generator=generator) + 0.01 * torch.randn(16, 4)  # its own and torch's random numbers
        self.walk.place += 1
        self.loop.batch = {"x": x}
        return (self.layer(x)[:, 0] - x @ TARGET).square().mean() + 0.001 * self.walk.place, {"place": self.walk.place}

    def run(self) -> dict[str, float]:
        return self.loop.run(self.loss)


def _curve(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nn.Linear]:
    fit = Fit(tmp_path_factory.mktemp("whole"))
    fit.run()
    return fit.loop.folder, fit.layer


def _slowly(folder: Path) -> None:
    torch.set_num_threads(1)
    fit = Fit(folder, OFTEN)
    fit.before = lambda loop: time.sleep(0.06)  # the three kills come within 1.05 s, before the last step
    fit.run()


def test_killed_at_random_moments_and_resumed_equals_uninterrupted(whole: tuple[Path, nn.Linear], tmp_path: Path) -> None:
    chance, kills = random.Random(0), 0
    start = multiprocessing.get_context("fork").Process
    while True:
        child = start(target=_slowly, args=(tmp_path,))
        child.start()
        child.join(chance.uniform(0.05, 0.35) if kills < 3 else 60)
        if child.exitcode is not None:
            break
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        kills += 1
    assert child.exitcode == 0
    assert kills == 3
    assert _curve(tmp_path) == _curve(whole[0])
    assert_close(Fit(tmp_path).layer.weight, whole[1].weight, atol=0, rtol=0)
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_writes_the_checkpoint_and_tells_by_the_exit_code(
    number: int, whole: tuple[Path, nn.Linear], tmp_path: Path
) -> None:
    fit = Fit(tmp_path)
    fit.before = lambda loop: os.kill(os.getpid(), number) if loop.step == 13 else None
    with pytest.raises(TrainingStopped) as stopped:
        fit.run()
    assert stopped.value.code == 128 + number
    assert read_checkpoint(tmp_path / CHECKPOINT)["step"] == 14
    Fit(tmp_path).run()
    assert _curve(tmp_path) == _curve(whole[0])


def test_averaged_weights_are_loaded_on_request(tmp_path: Path) -> None:
    layer = nn.Linear(1, 1)
    loop = TrainingLoop({"layer": layer}, LoopConfig(num_steps=1, learning_rate=0.1), tmp_path, seed=0)
    loop.ema["layer.weight"].fill_(7.0)
    loop.load_averaged()
    assert float(layer.weight.detach()) == 7.0


def test_a_sheet_shows_the_averaged_weights_and_changes_nothing(whole: tuple[Path, nn.Linear], tmp_path: Path) -> None:
    fit, seen = Fit(tmp_path), []

    def sheet(step: int) -> None:
        assert torch.equal(fit.layer.weight, fit.loop.ema["layer.weight"])
        seen.append(step)

    fit.loop.run(fit.loss, sheet=sheet, sheet_every=16)
    assert seen == [16, 32]
    assert _curve(tmp_path) == _curve(whole[0])


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_what_is_not_finite_stops_the_run_and_keeps_the_batch(where: str, tmp_path: Path) -> None:
    fit = Fit(tmp_path, OFTEN)

    def loss(generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        found, numbers = fit.loss(generator)
        if fit.loop.step == 9:
            found = (
                found * math.nan if where == "loss" else found + (fit.layer.weight - fit.layer.weight.detach()).sum().sqrt()
            )
        return found, numbers

    with pytest.raises(TrainingError, match="Step 10 of"):
        fit.loop.run(loss)
    kept = read_checkpoint(tmp_path / "failed_step.pt")
    assert (kept["step"], tuple(kept["batch"]["x"].shape)) == (9, (16, 4))
    assert bool(fit.layer.weight.isfinite().all())
    assert_close(kept["weights"]["layer.weight"], fit.layer.weight.detach(), atol=0, rtol=0)
    assert read_checkpoint(tmp_path / CHECKPOINT)["step"] <= 9


class _full_disk:
    """No file may grow beyond 100 bytes: what the kernel then says is what it says of a full disk, but for the words."""

    def __enter__(self) -> None:
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, self.before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)
        signal.signal(signal.SIGXFSZ, self.handler)


def test_a_full_disk_loses_nothing(whole: tuple[Path, nn.Linear], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fit, disk = Fit(tmp_path, OFTEN), _full_disk()

    def fill(loop: TrainingLoop) -> None:
        if loop.step == 10:
            disk.__enter__()
        if loop.step == 13:
            disk.__exit__()

    fit.before = fill
    fit.run()
    said = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert sum("The last good one" in line for line in said) == 3
    assert sum("log.jsonl" in line for line in said) == 1
    assert all("\n" not in line for line in said)
    assert _curve(tmp_path) == _curve(whole[0])


def test_a_disk_full_at_the_end_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    fit = Fit(tmp_path, replace(CONFIG, num_steps=5, cooldown=1))
    fit.run()
    before = (tmp_path / CHECKPOINT).read_bytes()
    fit.loop.step = 99
    with _full_disk(), pytest.raises(OutputError, match="The last good one") as said:
        fit.loop.save()
    assert "\n" not in str(said.value)
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    assert list(tmp_path.glob("*.part")) == []


def test_a_longer_run_goes_on_before_the_cool_down(tmp_path: Path) -> None:
    whole = Fit(tmp_path / "long", replace(CONFIG, num_steps=60))
    whole.run()
    Fit(tmp_path / "short").run()
    longer = Fit(tmp_path / "short", replace(CONFIG, num_steps=60))
    assert longer.loop.step == 40 - 8
    longer.run()
    assert _curve(tmp_path / "short") == _curve(tmp_path / "long")
    assert_close(longer.layer.weight, whole.layer.weight, atol=0, rtol=0)


def test_other_settings_and_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    Fit(tmp_path, replace(CONFIG, num_steps=2), batch_size=4).run()
    with pytest.raises(ConfigError, match="batch_size = 4, this one has batch_size = 8"):
        Fit(tmp_path, batch_size=8)
    Fit(tmp_path, batch_size=4)
    (tmp_path / CHECKPOINT).write_bytes(b"no checkpoint")
    with pytest.raises(InputError, match="damaged"):
        Fit(tmp_path, batch_size=4)
    torch.save({"step": 1}, tmp_path / CHECKPOINT)
    with pytest.raises(InputError, match="format 1"):
        Fit(tmp_path, batch_size=4)


def test_checkpoints_go_round(tmp_path: Path) -> None:
    saved = {"tensor": torch.arange(3), "nested": {"text": "a", "number": 0.5}}
    write_checkpoint(tmp_path / "c.pt", saved)
    read = read_checkpoint(tmp_path / "c.pt")
    assert torch.equal(read["tensor"], saved["tensor"])
    assert read["nested"] == saved["nested"]


def test_rates_rise_hold_and_fall() -> None:
    def rate(step: int, cooldown: int | None = 20) -> float:
        return rate_share(step, num_steps=100, warmup=10, cooldown=cooldown)

    assert [rate(s) for s in (0, 4, 9, 50, 79, 80)] == pytest.approx([0.1, 0.5, 1, 1, 1, 1])
    assert rate(90) == pytest.approx((1 + FLOOR) / 2)
    assert rate(100) == pytest.approx(FLOOR) == pytest.approx(rate(100, None))
    assert rate(50, None) == pytest.approx((1 + FLOOR) / 2)
    # The end need not be known: until the cool-down a longer run has the same rates.
    assert [rate(s) for s in range(80)] == [rate_share(s, num_steps=900, warmup=10, cooldown=20) for s in range(80)]


@pytest.mark.parametrize(
    ("seconds", "said"), [(12.3, "12 s"), (200, "3 min"), (3 * 3600 + 310, "3 h 05 min"), (52 * 3600, "2 d 4 h")]
)
def test_time_left_is_said_in_plain_words(seconds: float, said: str) -> None:
    assert time_left(seconds) == said
