"""The page: Gradio over `StudioService`. A job goes on whether or not anybody looks; the browser remembers which to show."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import gradio as gr
from fastapi import FastAPI
from pydantic import ValidationError

from dreamactor.app.studio.designer import HAIRCUTS, LARGEST, MAX_SEED, SMALLEST, Design, draw_design
from dreamactor.app.studio.plan import can_speak
from dreamactor.app.studio.schemas import JobOut, JobSettings
from dreamactor.app.studio.service import StudioService, UnknownJobError
from dreamactor.app.studio.views import CSS, facts_html, history_choices, job_html, look_html
from dreamactor.errors import DreamActorError
from dreamactor.video.image import write_image
from dreamactor.video.reader import VideoReader

TITLE = "dreamactor studio"
NOTICE = (
    "Only animate people who agreed to it. Every result says in signed content credentials that it is AI-generated. "
    "The embedded model has seen drawn actors only: photos are accepted, and come out as a rough likeness."
)
SOURCES = [("driving video", "driving"), ("held as in the picture", "reference"), ("none", "none")]
TICK_S = 1.0
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def mount_page(app: FastAPI, service: StudioService) -> FastAPI:
    """Serves the page at / beside the API."""
    return gr.mount_gradio_app(
        app, build_page(service), path="/", css=CSS, footer_links=[], show_error=True, theme=gr.themes.Default(),
        max_file_size=service.settings.max_upload_bytes, ssr_mode=False, enable_monitoring=False,
    )  # fmt: skip


def build_page(service: StudioService) -> gr.Blocks:
    """All of the page."""
    actions = _Actions(service)
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 86400)) as page:
        remembered = gr.BrowserState({"look": "", "job": ""}, storage_key="dreamactor", secret="not a secret")
        shown = gr.State({})
        timer = gr.Timer(TICK_S)
        gr.Markdown(f"# {TITLE}\n{NOTICE}")
        with gr.Tabs() as tabs:
            with gr.Tab("Animate", id="animate"), gr.Row():
                with gr.Column(min_width=320):
                    inputs = _inputs()
                    with gr.Row():
                        look = gr.Button("Look first", elem_id="look")
                        start = gr.Button("Animate", variant="primary", elem_id="start")
                with gr.Column(min_width=320):
                    look_view = gr.HTML(look_html(None), elem_id="look-view")
                    job_view = gr.HTML(job_html(None), elem_id="job-view")
                    cancel = gr.Button("Cancel", variant="stop", visible=False, elem_id="cancel")
                    with gr.Row():
                        again = gr.Button("Run again with these settings", visible=False, size="md", elem_id="again")
                        reuse = gr.Button("Use as reference", visible=False, size="md", elem_id="reuse")
                    history = gr.Dropdown([], label="Earlier results", elem_id="history", interactive=True)
                    with gr.Accordion("Settings of this result", open=False):
                        facts = gr.HTML("", elem_id="facts")
            with gr.Tab("Design an actor", id="design") as design_tab, gr.Row():
                design = _designer(inputs["pictures"], tabs)
        _wire_design(design_tab, design, actions)
        values = list(inputs.values())
        look.click(actions.look, [remembered, *values], [remembered], **_PRIVATE)
        start.click(actions.start, [remembered, *values], [remembered], **_PRIVATE)
        again.click(actions.again, [remembered, *values], [remembered], **_PRIVATE)
        cancel.click(actions.cancel, [remembered], [], **_PRIVATE)
        history.input(actions.choose, [remembered, history], [remembered], **_PRIVATE)
        reuse.click(actions.reuse, [remembered], [inputs["pictures"]], **_PRIVATE)
        views = [shown, look_view, job_view, cancel, again, reuse, history, facts]
        gr.on([timer.tick, page.load], actions.refresh, [remembered, shown], views, queue=False, **_PRIVATE)
    return page


def _inputs() -> dict[str, gr.components.Component]:
    """What a job needs, in the order that `_Actions._asked` reads."""
    made: dict[str, gr.components.Component] = {
        "pictures": gr.Gallery(
            label="Pictures of the character", type="filepath", sources=["upload"],
            file_types=["image"], interactive=True, columns=3, height=240, elem_id="pictures", buttons=[],
            object_fit="contain",
        ),
        "driving": gr.Video(label="Driving video", sources=["upload", "webcam"], elem_id="driving"),
        "proportions": gr.Slider(
            0, 1, value=1, step=0.05, label="Bone lengths: 0 as the driver, 1 as the character", elem_id="proportions"
        ),
    }  # fmt: skip
    with gr.Accordion("Speech, alone or over a video", open=False, visible=can_speak()):
        made["audio"] = gr.Audio(show_label=False, type="filepath", elem_id="speech")
    with gr.Accordion("Where face, head and body come from", open=False):
        for part in ("face", "head", "body"):
            made[f"{part}_from"] = gr.Dropdown(SOURCES, value="driving", label=part.capitalize(), elem_id=f"{part}-from")
            made[f"{part}_file"] = gr.File(
                label=f"A video or motion file of its own for the {part}", file_types=["video", ".npz"], height=90
            )
    with gr.Accordion("More settings", open=False):
        made["seed"] = gr.Number(0, label="Seed", precision=0, minimum=0)
        made["steps"] = gr.Number(None, label="Sampling steps (empty: the model's own)", precision=0)
        made["size"] = gr.Number(None, label="Size in pixels (empty: the model's own)", precision=0)
        made["framing"] = gr.Dropdown(["auto", "reference", "driving"], value="auto", label="Framing")
        made["camera"] = gr.Dropdown(["ignore", "follow"], value="ignore", label="The driver's camera")
        made["person"] = gr.Number(None, label="Which person, 1 for the largest (empty: the largest)", precision=0)
        made["label"] = gr.Checkbox(False, label="Write AI-generated into every picture")
    return made


def _designer(pictures: gr.components.Component, tabs: gr.Tabs) -> dict[str, gr.components.Component]:
    """Sliders and their picture."""
    with gr.Column(min_width=300):
        made: dict[str, gr.components.Component] = {
            "seed": gr.Slider(0, MAX_SEED, value=7, step=1, label="Who", elem_id="who"),
            "framing": gr.Radio(["portrait", "upper", "full"], value="full", label="In the picture"),
        }
        for name in ("head", "legs", "arms", "girth"):
            made[name] = gr.Slider(SMALLEST, LARGEST, value=1, step=0.05, label=name.capitalize())
        made["hair"] = gr.Dropdown(list(HAIRCUTS), value=HAIRCUTS[0], label="Hair")
    with gr.Column(min_width=300):
        picture = gr.Image(
            label="The actor", type="filepath", interactive=False, elem_id="actor", format="png", buttons=["download"]
        )
        use = gr.Button("Use as reference", variant="primary", elem_id="use-actor")
    use.click(lambda path: ([path] if path else None, gr.Tabs(selected="animate")), [picture], [pictures, tabs], **_PRIVATE)
    return {**made, "picture": picture}


def _wire_design(tab: gr.Tab, design: dict[str, gr.components.Component], actions: _Actions) -> None:
    *sliders, picture = design.values()
    changes = [slider.change for slider in sliders]  # type: ignore[attr-defined]
    gr.on([*changes, tab.select], actions.draw, sliders, [picture], trigger_mode="always_last", **_PRIVATE)


class _Actions:
    """What happens on the page; nothing is kept here but the door to the jobs."""

    def __init__(self, service: StudioService) -> None:
        self._service = service

    def look(self, remembered: dict[str, str], *values: Any) -> dict[str, str]:
        return {**remembered, "look": self._submit("look", values)}

    def start(self, remembered: dict[str, str], *values: Any) -> dict[str, str]:
        return {**remembered, "job": self._submit("animate", values)}

    def again(self, remembered: dict[str, str], *values: Any) -> dict[str, str]:
        """The files of the result that is shown, with the settings of the page."""
        with _told():
            old = self._service.get(remembered["job"])
            _, settings, _ = _asked("animate", values)
            parts = {f"{part}_from": old.settings[f"{part}_from"] for part in ("body", "head", "face")}
            changes = {**settings.model_dump(exclude={"kind"}), **parts}
            return {**remembered, "job": self._service.again(old.id, changes).id}

    def cancel(self, remembered: dict[str, str]) -> None:
        with _told():
            self._service.cancel(remembered["job"])

    def choose(self, remembered: dict[str, str], job_id: str) -> dict[str, str]:
        return {**remembered, "job": job_id}

    def reuse(self, remembered: dict[str, str]) -> list[str]:
        """The first picture of the result, as a reference for the next job."""
        with _told():
            job = self._service.get(remembered["job"])
            video = self._service.file(job, "result.mp4")
            if video is None:
                raise UnknownJobError("There is no result to take a picture from yet.")
            with VideoReader(video) as reader:
                frame = next(iter(reader))
            path = Path(tempfile.mkdtemp()) / "reference.png"
            write_image(path, frame.image)
            return [str(path)]

    def draw(self, seed: int, framing: Any, head: float, legs: float, arms: float, girth: float, hair: str) -> str:
        """A picture of the actor."""
        with _told():
            design = Design(seed=int(seed), framing=framing, head=head, legs=legs, arms=arms, girth=girth, hair=hair)
            path = Path(tempfile.mkdtemp()) / f"actor_{design.seed}.png"
            write_image(path, draw_design(design), provenance=design.provenance())
            return str(path)

    def refresh(self, remembered: dict[str, str], shown: dict[str, Any]) -> tuple[Any, ...]:
        """What changed since it was last shown; what did not is left alone, so that a video goes on playing."""
        look, job = (self._described((remembered or {}).get(name, "")) for name in ("look", "job"))
        choices = history_choices(self._service.newest(100))
        now = {
            "look": look_html(look),
            "job": job_html(job),
            "cancel": job is not None and job.state in ("queued", "running"),
            "again": job is not None and job.state not in ("queued", "running"),
            "reuse": job is not None and job.state == "done",
            "history": [[*choice] for choice in choices] + [job.id if job is not None else ""],
            "facts": facts_html(job),
        }
        make: dict[str, Callable[[Any], Any]] = {
            "look": gr.HTML, "job": gr.HTML, "facts": gr.HTML,
            "cancel": _visible, "again": _visible, "reuse": _visible,
            "history": lambda _: gr.Dropdown(choices=choices, value=job.id if job is not None else None),
        }  # fmt: skip
        order = ("look", "job", "cancel", "again", "reuse", "history", "facts")
        return now, *(make[name](now[name]) if now[name] != shown.get(name) else gr.skip() for name in order)

    def _submit(self, kind: str, values: tuple[Any, ...]) -> str:
        with _told(), ExitStack() as stack:
            pictures, settings, files = _asked(kind, values)

            def opened(path: str) -> IO[bytes]:
                return stack.enter_context(Path(path).open("rb"))

            sent = {role: opened(path) for role, path in files.items()}
            return self._service.submit(settings, [opened(path) for path in pictures], sent).id

    def _described(self, job_id: str) -> JobOut | None:
        try:
            return self._service.describe(self._service.get(job_id)) if job_id else None
        except UnknownJobError:
            return None


def _asked(kind: str, values: tuple[Any, ...]) -> tuple[list[str], JobSettings, dict[str, str]]:
    """Pictures, settings and other files, as the page's fields say."""
    (
        pictures, driving, proportions, audio, face_from, face, head_from, head, body_from, body, seed, steps, size, framing,
        camera, person, label,
    ) = values  # fmt: skip
    given = {"driving": driving, "audio": audio, "face": face, "head": head, "body": body}
    files = {role: path for role, path in given.items() if path}
    chosen = {"face": face_from, "head": head_from, "body": body_from}
    settings = JobSettings(
        kind=kind,  # type: ignore[arg-type]
        **{f"{part}_from": "file" if part in files else word for part, word in chosen.items()},  # type: ignore[arg-type]
        proportions=proportions, seed=seed or 0, steps=steps or None, size=size or None, framing=framing, camera=camera,
        person=person or None, label=label,
    )  # fmt: skip
    return [picture[0] for picture in pictures or ()], settings, files


def _visible(visible: bool) -> gr.Button:
    return gr.Button(visible=visible)


@contextmanager
def _told() -> Iterator[None]:
    """What the user can mend is said on the page in one line."""
    try:
        yield
    except DreamActorError as error:
        raise gr.Error(str(error), print_exception=False) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise gr.Error(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", print_exception=False) from error
