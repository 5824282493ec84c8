"""The page in a real browser, on a tiny model: look, animate, reload, cancel, compare, design."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from studio_server import StudioServer

from dreamactor.app.film import film_actor, picture_actor

pytestmark = pytest.mark.slow
sync_api = pytest.importorskip("playwright.sync_api", reason="pip install -e '.[serve-checks]'")

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 600_000
MEDIA = Path(os.environ.get("DREAMACTOR_MEDIA", Path(__file__).parents[3] / "shared" / "media"))


@pytest.fixture(scope="module")
def server(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioServer]:
    server = StudioServer(tmp_path_factory.mktemp("browser") / "studio", shared / "model")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS, timeout=PATIENCE_MS)
        yield browser
        browser.close()


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Any, server: StudioServer) -> Iterator[Any]:
    """The page at both widths; nothing may be fetched from elsewhere, and nothing may lie beside the screen."""
    size = {"width": 1280, "height": 900} if request.param == "desktop" else {"width": 390, "height": 844}
    scheme = "light" if request.param == "desktop" else "dark"
    context = browser.new_context(viewport=size, color_scheme=scheme, has_touch=request.param == "phone")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    page.goto(server.url)
    page.wait_for_selector("#start")
    page.wait_for_timeout(2000)
    yield page
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert [url for url in asked if not url.startswith((server.url, "data:", "blob:"))] == []
    context.close()


def _fill(page: Any, picture: Path, video: Path) -> None:
    page.set_input_files("#pictures input[type=file]", str(picture))
    page.wait_for_selector("#pictures img")
    page.set_input_files("#driving input[type=file]", str(video))
    page.wait_for_selector("#driving video")
    page.wait_for_timeout(1000)


def test_from_a_look_to_a_result_that_plays_beside_its_driver(page: Any, shared: Path) -> None:
    page.click("#start")
    page.wait_for_selector("text=No reference picture given")
    _fill(page, shared / "actor.png", shared / "clip.mp4")
    page.click("#look")
    page.wait_for_selector("#look-view .sheet img")
    assert "pixels high" in page.inner_text("#look-view .warning")
    page.click("#start")
    page.wait_for_selector("#cancel:visible")
    page.reload()
    page.wait_for_selector("#job-view video.result")
    page.wait_for_function("[...document.querySelectorAll('#job-view video')].every(video => video.readyState > 1)")
    lengths = page.evaluate("[...document.querySelectorAll('#job-view video')].map(video => video.duration)")
    assert lengths == pytest.approx([7 / 25, 7 / 25], abs=0.01)
    page.evaluate("document.querySelector('video.result').currentTime = 0.2")
    page.wait_for_function("Math.abs(document.querySelector('video.driver').currentTime - 0.2) < 0.05")


def test_cancel_works_in_the_middle(page: Any, tmp_path: Path) -> None:
    picture_actor(tmp_path / "actor.png", seed=3, framing="full", size=256)
    film_actor(tmp_path / "clip.mp4", seed=4, seconds=6, framing="full", size=192, kind="wave")
    _fill(page, tmp_path / "actor.png", tmp_path / "clip.mp4")
    page.click("#start")
    page.wait_for_selector("#job-view .bar")
    shares = set()
    for _ in range(400):
        shares.add(page.get_attribute("#job-view .bar", "aria-valuenow"))
        if len(shares) > 3:
            break
        page.wait_for_timeout(300)
    assert len(shares) > 3, "the progress moves"
    page.click("#cancel")
    page.wait_for_selector("#job-view:has-text('Cancelled')")
    assert page.query_selector("#job-view video") is None
    page.click("button:has-text('Settings and notes')")
    assert "--" not in page.inner_text("#facts"), "what is for terminals is not said here"


@pytest.mark.media
def test_a_real_driver_is_looked_at_and_followed(page: Any, shared: Path, tmp_path: Path) -> None:
    source = MEDIA / "portrait_webcam_vertical.mp4"
    if not source.is_file():
        pytest.skip(
            f"{source.name} shows a real person and is not part of the project; its folder is named by DREAMACTOR_MEDIA"
        )
    seconds = _cut(source, tmp_path / "clip.mp4", frames=15)
    _fill(page, shared / "actor.png", tmp_path / "clip.mp4")
    page.click("#look")
    page.wait_for_selector("#look-view .sheet img")
    assert "No face" not in page.inner_text("#look-view")
    page.click("#start")
    page.wait_for_selector("#job-view video.result")
    page.wait_for_function("document.querySelector('video.result').readyState > 1")
    assert page.evaluate("document.querySelector('video.result').duration") == pytest.approx(seconds, abs=0.02)
    assert page.query_selector("#look-view details"), "the look makes room for the result"


def _cut(source: Path, output: Path, *, frames: int) -> float:
    """The beginning of a video, as it is; returns how long it lasts, in seconds."""
    with av.open(str(source)) as found, av.open(str(output), "w") as made:
        taken = found.streams.video[0]
        given = made.add_stream("libx264", rate=taken.average_rate)
        given.width, given.height, given.pix_fmt = taken.width, taken.height, "yuv420p"
        for index, frame in enumerate(found.decode(taken)):
            if index == frames:
                break
            frame.pts, frame.time_base = index, 1 / taken.average_rate
            made.mux(given.encode(frame))
        made.mux(given.encode())
        return float(frames / taken.average_rate)


def test_an_actor_is_designed_with_the_keyboard_and_used(page: Any) -> None:
    page.click("button[role=tab]:has-text('Design')")
    page.wait_for_selector("#actor img")
    before = page.get_attribute("#actor img", "src")
    page.focus("#who input[type=range]")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => document.querySelector('#actor img').src !== before", arg=before)
    page.click("#use-actor")
    page.wait_for_selector("#pictures img")
