"""The page: Gradio over `StudioService`. A job goes on whether or not anybody looks; the browser remembers which to show."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import IO, Any

import gradio as gr
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from python_multipart.exceptions import FormParserError
from starlette.requests import Request
from starlette.routing import Mount

from dreamactor.app.studio.api import tell_what_is_wrong
from dreamactor.app.studio.designer import HAIRCUTS, LARGEST, MAX_SEED, SMALLEST, Design, draw_design
from dreamactor.app.studio.guard import page_call
from dreamactor.app.studio.plan import can_speak
from dreamactor.app.studio.schemas import JobOut, JobSettings
from dreamactor.app.studio.service import StudioService, UnknownJobError
from dreamactor.app.studio.views import CSS, facts_html, history_choices, job_html, look_html
from dreamactor.errors import ConfigError, DreamActorError
from dreamactor.inference.request import PARTS
from dreamactor.video.image import write_image
from dreamactor.video.provenance import Provenance
from dreamactor.video.reader import VideoReader

TITLE = "dreamactor studio"
NOTICE = (
    "Only animate people who agreed to it. Every result says in signed content credentials that it is AI-generated. "
    "The embedded model has seen drawn actors only: photos are accepted, and come out as a rough likeness."
)
SOURCES = [
    ("driving video", "driving"), ("held as in the picture", "reference"), ("none", "none"), ("a file of its own", "file"),
]  # fmt: skip
FRAMINGS = [("head and shoulders", "portrait"), ("waist up", "upper"), ("whole body", "full")]
TICK_S = 1.0
KEPT_S = 3600.0
"""Pictures made for the page are deleted after this long; by then Gradio has its own copy."""
_log = logging.getLogger(__name__)
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def mount_page(app: FastAPI, service: StudioService) -> FastAPI:
    """Serves the page at / beside the API."""
    mounted = gr.mount_gradio_app(
        app, build_page(service), path="/", css=CSS, footer_links=[], show_error=True, theme=gr.themes.Default(),
        max_file_size=service.settings.max_upload_bytes, ssr_mode=False, enable_monitoring=False,
    )  # fmt: skip
    for route in mounted.routes:
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            route.app.add_exception_handler(RequestValidationError, tell_what_is_wrong)
            route.app.add_exception_handler(FormParserError, _no_form)
            route.app.add_exception_handler(KeyError, _no_handler)
    return mounted


async def _no_form(request: Request, error: Exception) -> JSONResponse:
    """Gradio reads uploads by a parser of its own."""
    return JSONResponse({"detail": "Not a form that can be read."}, status_code=400)


async def _no_handler(request: Request, error: Exception) -> JSONResponse:
    """Gradio looks handlers up by number without asking whether there is one; any other missing key is a fault."""
    wanted = error.args[0] if error.args else None
    if request.method == "POST" and isinstance(wanted, int) and wanted not in request.app.get_blocks().fns:
        return JSONResponse({"detail": "The page has no such handler."}, status_code=404)
    raise error


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
                    history = gr.Dropdown([], label="Earlier results", elem_id="history", interactive=True, visible=False)
                    with gr.Accordion("Settings and notes of this result", open=False, visible=False) as about:
                        facts = gr.HTML("", elem_id="facts")
            with gr.Tab("Design an actor", id="design") as design_tab, gr.Row():
                design, use = _designer()
        _wire_design(design_tab, design, actions)
        use.click(_handler(actions.use), [design["picture"]], [inputs["pictures"], tabs], **_PRIVATE)
        values = list(inputs.values())
        look.click(_handler(actions.look), [remembered, *values], [remembered], **_PRIVATE)
        start.click(_handler(actions.start), [remembered, *values], [remembered], **_PRIVATE)
        again.click(_handler(actions.again), [remembered, *values], [remembered], **_PRIVATE)
        cancel.click(_handler(actions.cancel), [remembered], [], **_PRIVATE)
        history.input(_handler(actions.choose), [remembered, history], [remembered], **_PRIVATE)
        reuse.click(_handler(actions.reuse), [remembered], [inputs["pictures"]], **_PRIVATE)
        views = [shown, look_view, job_view, cancel, again, reuse, history, about, facts]
        gr.on([timer.tick, page.load], _handler(actions.refresh), [remembered, shown], views, queue=False, **_PRIVATE)
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
            chosen = gr.Dropdown(SOURCES, value="driving", label=part.capitalize(), elem_id=f"{part}-from")
            file = gr.File(
                label=f"Video or motion file for the {part}", file_types=["video", ".npz"], height=150, visible=False,
                elem_id=f"{part}-file",
            )  # fmt: skip
            chosen.change(_handler(_shown_for_file), [chosen], [file], **_PRIVATE)
            made |= {f"{part}_from": chosen, f"{part}_file": file}
    with gr.Accordion("More settings", open=False):
        made["seed"] = gr.Number(0, label="Seed", precision=0, minimum=0)
        made["steps"] = gr.Number(0, label="Sampling steps (0: the model's own)", precision=0, minimum=0)
        made["size"] = gr.Number(0, label="Size in pixels (0: the model's own)", precision=0, minimum=0)
        made["framing"] = gr.Dropdown(["auto", "reference", "driving"], value="auto", label="Framing")
        made["camera"] = gr.Dropdown(["ignore", "follow"], value="ignore", label="The driver's camera")
        made["person"] = gr.Number(0, label="Which person of the video (0: the largest)", precision=0, minimum=0)
        made["label"] = gr.Checkbox(False, label="Write AI-generated into every picture")
    return made


def _designer() -> tuple[dict[str, gr.components.Component], gr.Button]:
    """Sliders and their picture, and the button below it."""
    with gr.Column(min_width=300):
        made: dict[str, gr.components.Component] = {
            "seed": gr.Slider(0, MAX_SEED, value=7, step=1, label="Who", elem_id="who"),
            "framing": gr.Radio(FRAMINGS, value="full", label="In the picture"),
        }
        for name in ("head", "legs", "arms", "girth"):
            made[name] = gr.Slider(SMALLEST, LARGEST, value=1, step=0.05, label=name.capitalize())
        made["hair"] = gr.Dropdown(list(HAIRCUTS), value=HAIRCUTS[0], label="Hair")
    with gr.Column(min_width=300):
        picture = gr.Image(
            label="The actor", type="filepath", interactive=False, elem_id="actor", format="png", buttons=["download"]
        )
        use = gr.Button("Use as reference", variant="primary", elem_id="use-actor")
    return {**made, "picture": picture}, use


def _wire_design(tab: gr.Tab, design: dict[str, gr.components.Component], actions: _Actions) -> None:
    *sliders, picture = design.values()
    changes = [slider.change for slider in sliders]  # type: ignore[attr-defined]
    gr.on([*changes, tab.select], _handler(actions.draw), sliders, [picture], trigger_mode="always_last", **_PRIVATE)


class _Actions:
    """What happens on the page. Values of components were checked by them; what the browser remembers is checked here."""

    def __init__(self, service: StudioService) -> None:
        self._service = service
        self._made = tempfile.TemporaryDirectory(prefix="dreamactor-")

    def look(self, remembered: Any, *values: Any) -> dict[str, str]:
        return {**_ids(remembered), "look": self._submit("look", values)}

    def start(self, remembered: Any, *values: Any) -> dict[str, str]:
        return {**_ids(remembered), "job": self._submit("animate", values)}

    def again(self, remembered: Any, *values: Any) -> dict[str, str]:
        """The files of the result that is shown, with the settings of the page."""
        ids = _ids(remembered)
        old = self._service.get(ids["job"])
        kept = {f"{part}_from": old.settings[f"{part}_from"] for part in PARTS}
        settings = _settings("animate", values).model_dump(exclude={"kind"})
        return {**ids, "job": self._service.again(old.id, settings | kept).id}

    def cancel(self, remembered: Any) -> None:
        self._service.cancel(_ids(remembered)["job"])

    def choose(self, remembered: Any, job_id: str | None) -> dict[str, str]:
        return {**_ids(remembered), "job": job_id or ""}

    def reuse(self, remembered: Any) -> list[str]:
        """The first picture of the result, as a reference for the next job."""
        job = self._service.get(_ids(remembered)["job"])
        video = self._service.file(job, "result.mp4")
        if video is None:
            raise UnknownJobError("There is no result to take a picture from yet.")
        with VideoReader(video) as reader:
            frame = next(iter(reader))
        path = self._new_path(f"result_{job.id[:8]}.png")
        write_image(
            path, frame.image, provenance=Provenance(origin="trained", model=Path(self._service.settings.model).name)
        )
        return [str(path)]

    def use(self, picture: str | None) -> tuple[list[str], gr.Tabs]:
        """The designed actor, as a reference for the next job."""
        return [picture] if picture else [], gr.Tabs(selected="animate")

    def draw(self, seed: int, framing: Any, head: float, legs: float, arms: float, girth: float, hair: str) -> str:
        """A picture of the actor."""
        design = Design(seed=int(seed), framing=framing, head=head, legs=legs, arms=arms, girth=girth, hair=hair)
        path = self._new_path(f"actor_{design.seed}.png")
        write_image(path, draw_design(design), provenance=design.provenance())
        return str(path)

    def refresh(self, remembered: Any, shown: Any) -> tuple[Any, ...]:
        """What changed since it was last shown; what did not is left alone, so that a video goes on playing."""
        ids, shown = _ids(remembered), shown if isinstance(shown, dict) else {}
        look, job = self._described(ids["look"]), self._described(ids["job"])
        choices = history_choices(self._service.newest(100))
        folded = look is not None and job is not None and job.created_s > look.created_s
        now = {
            "look": look_html(look, folded=folded),
            "job": job_html(job),
            "cancel": job is not None and job.state in ("queued", "running"),
            "again": job is not None and job.state not in ("queued", "running"),
            "reuse": job is not None and job.state == "done",
            "history": [[*choice] for choice in choices] + [job.id if job is not None else ""],
            "about": job is not None,
            "facts": facts_html(job),
        }
        make: dict[str, Callable[[Any], Any]] = {
            "look": gr.HTML, "job": gr.HTML, "facts": gr.HTML,
            "cancel": _visible, "again": _visible, "reuse": _visible,
            "about": lambda visible: gr.Accordion(visible=visible),
            "history": lambda _: gr.Dropdown(
                choices=choices, value=job.id if job is not None else None, visible=bool(choices)
            ),
        }  # fmt: skip
        order = ("look", "job", "cancel", "again", "reuse", "history", "about", "facts")
        return now, *(make[name](now[name]) if now[name] != shown.get(name) else gr.skip() for name in order)

    def _submit(self, kind: str, values: tuple[Any, ...]) -> str:
        with ExitStack() as stack:
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

    def _new_path(self, name: str) -> Path:
        """For a picture that Gradio copies; older ones are deleted."""
        folder = Path(self._made.name)
        for path in folder.iterdir():
            if time.time() - path.stat().st_mtime > KEPT_S:
                path.unlink(missing_ok=True)
        return folder / f"{time.time_ns()}_{name}"


def _asked(kind: str, values: tuple[Any, ...]) -> tuple[list[str], JobSettings, dict[str, str]]:
    """Pictures, settings and other files, as the page's fields say."""
    settings, (pictures, driving, _, audio, _, face, _, head, _, body, *_) = _settings(kind, values), values
    own = {"face": face, "head": head, "body": body}
    wanted = {part: path for part, path in own.items() if getattr(settings, f"{part}_from") == "file"}
    for part, path in wanted.items():
        if not path:
            raise ConfigError(
                f"The {part} shall come from a file of its own, and there is none. Drop one, or choose another."
            )
    files = {role: path for role, path in {"driving": driving, "audio": audio, **wanted}.items() if path}
    return [picture[0] for picture in pictures or ()], settings, files


def _settings(kind: str, values: tuple[Any, ...]) -> JobSettings:
    """What the page's fields say, apart from files."""
    (
        _, _, proportions, _, face_from, _, head_from, _, body_from, _, seed, steps, size, framing, camera, person, label,
    ) = values  # fmt: skip
    return JobSettings(
        kind=kind,  # type: ignore[arg-type]
        face_from=face_from, head_from=head_from, body_from=body_from, proportions=proportions, seed=seed or 0,
        steps=steps or None, size=size or None, framing=framing, camera=camera, person=person or None, label=label,
    )  # fmt: skip


def _ids(remembered: Any) -> dict[str, str]:
    """The jobs that the browser remembers; it may have been told anything."""
    known = remembered if isinstance(remembered, dict) else {}
    return {name: known[name] if isinstance(known.get(name), str) else "" for name in ("look", "job")}


def _shown_for_file(chosen: str) -> gr.File:
    return gr.File(visible=chosen == "file")


def _visible(visible: bool) -> gr.Button:
    return gr.Button(visible=visible)


def _handler(action: Callable[..., Any]) -> Callable[..., Any]:
    """An action as Gradio calls it."""

    @wraps(action)
    def called(*values: Any) -> Any:
        with _told():
            return action(*values)

    return called


@contextmanager
def _told() -> Iterator[None]:
    """What the user can mend is said on the page in one line; a fault is told by its name, and by the log in full."""
    call = page_call.get()
    if call is not None:
        call.entered = True
    try:
        yield
    except (DreamActorError, ValidationError) as error:
        if call is not None:
            call.refused = True
        raise gr.Error(_line(error), print_exception=False) from error
    except Exception as error:
        _log.exception("The page failed")
        said = f"Something in the program failed ({type(error).__name__}); the server's log tells where."
        raise gr.Error(said, print_exception=False) from error


def _line(error: DreamActorError | ValidationError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
