"""What the page says about jobs, as HTML. Everything that comes from outside is escaped."""

from __future__ import annotations

import re
import time
from html import escape
from typing import Final

from dreamactor.app.studio.jobs import Job
from dreamactor.app.studio.schemas import JobOut

_STAGES: Final = {
    "": "starting",
    "perceive": "looking at the motion",
    "prepare": "preparing the character",
    "denoise": "drawing",
    "decode": "drawing",
}
_SETTINGS: Final = {
    "body_from": "Body from",
    "head_from": "Head from",
    "face_from": "Face from",
    "seed": "Seed",
    "steps": "Sampling steps",
    "size": "Size in pixels",
    "guidance_reference": "Pull to the pictures",
    "guidance_motion": "Pull to the motion",
    "framing": "Framing",
    "camera": "The driver's camera",
    "person": "Which person",
    "proportions": "Bone lengths",
    "use_proxy": "Textured proxy",
    "label": "AI-generated in every picture",
}
_WORDS: Final = {"True": "yes", "False": "no"}
_PARTS: Final = {"driving": "driving video", "reference": "held as in the picture", "file": "a file of its own"}
_OPTION: Final = re.compile(r"--([a-z][a-z-]*[a-z])")
_FOLLOW: Final = (
    "const d=this.closest('.pair').querySelector('.driver');"
    "if(d){{if(Math.abs(d.currentTime-this.currentTime)>0.08)d.currentTime=this.currentTime;{act}}}"
)

CSS: Final = """
.job-line { display: flex; gap: .6rem; align-items: baseline; flex-wrap: wrap; margin: .2rem 0; }
.bar { height: .6rem; border-radius: .3rem; background: var(--border-color-primary); overflow: hidden; }
.bar { margin: .4rem 0 .8rem; }
.bar > div { height: 100%; background: var(--color-accent); transition: width .3s; }
.muted { opacity: .75; }
.warning, .good, .bad { border-left: .25rem solid #d97706; padding: .35rem .7rem; margin: .4rem 0; }
.warning, .good, .bad { background: var(--block-background-fill); }
.good { border-color: #16a34a; }
.bad { border-color: #dc2626; }
.pair { display: flex; gap: .5rem; align-items: flex-start; }
.pair figure { flex: 1 1 0; margin: 0; min-width: 0; }
.pair video { width: 100%; max-height: 60vh; object-fit: contain; border-radius: .4rem; }
.pair figcaption { font-size: .85rem; opacity: .75; }
.sheet img, .small img { max-width: 100%; border-radius: .4rem; }
.small img { max-height: 220px; }
.facts { width: 100%; border-collapse: collapse; font-size: .9rem; }
.facts td { padding: .15rem .8rem .15rem 0; vertical-align: top; border: none; overflow-wrap: anywhere; }
.facts td:first-child { white-space: nowrap; overflow-wrap: normal; }
.facts + ul { font-size: .9rem; margin: .6rem 0 0 1.1rem; list-style: disc; }
details > summary { cursor: pointer; margin: .2rem 0 .6rem; }
#driving video { max-height: 280px; }
#pictures .grid-wrap { overflow: auto; }
#pictures .thumbnail-lg { aspect-ratio: auto; height: 196px; }
#pictures .thumbnail-lg img { height: 100%; object-fit: contain; }
footer { display: none !important; }
"""


def job_html(job: JobOut | None) -> str:
    """A generation: where it is, its latest picture, its result."""
    if job is None:
        return '<p class="muted">The result appears here.</p>'
    match job.state:
        case "queued":
            ahead = f"{job.position} before it" if job.position else "next"
            return f'<div class="job-line"><b>Waiting</b> <span class="muted">{ahead}</span></div>'
        case "running":
            return _running(job) + _preview(job)
        case "cancelled":
            return '<div class="job-line"><b>Cancelled</b></div>'
        case "failed":
            return f'<div class="bad"><b>That did not work.</b> {escape(job.error)}</div>'
    return _result(job)


def look_html(job: JobOut | None, *, folded: bool = False) -> str:
    """A look: warnings and the sheet.

    Args:
        job: the look.
        folded: only its heading is seen until it is opened; for when a generation was begun after it.
    """
    if job is None:
        return ""
    if job.state != "done":
        return job_html(job)
    warnings = [f'<div class="warning">{escape(text)}</div>' for text in job.outcome.get("warnings", ())]
    sheet = f'<a href="{_url(job, "look.png")}" target="_blank"><img src="{_url(job, "look.png")}" alt="What was seen"></a>'
    caption = (
        "At four moments: the driving video, the body and the head that were seen in it, its face, and the same motion on "
        "your character. Press it to enlarge."
    )
    body = "".join(warnings or ['<div class="good">No problem was found. You can animate.</div>'])
    body += f'<div class="sheet">{sheet}</div><p class="muted">{caption}</p>'
    if not folded:
        return body
    num = len(warnings)
    found = "no problem" if not num else "1 warning" if num == 1 else f"{num} warnings"
    return f"<details><summary>What was seen before ({found})</summary>{body}</details>"


def facts_html(job: JobOut | None) -> str:
    """The settings of a job and what was said about it."""
    if job is None:
        return ""
    rows = [(_SETTINGS.get(name, name), _setting(name, value)) for name, value in job.settings.items() if value is not None]
    cells = "".join(f"<tr><td class='muted'>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows)
    notes = "".join(f"<li>{escape(_OPTION.sub(_without_dashes, line))}</li>" for line in job.lines)
    return f"<table class='facts'>{cells}</table>" + (f"<ul>{notes}</ul>" if notes else "")


def history_choices(jobs: list[Job]) -> list[tuple[str, str]]:
    """(what is shown, id) of the generations, newest first."""
    return [(_history_line(job), job.id) for job in jobs if job.kind == "animate"]


def _history_line(job: Job) -> str:
    frames = f" · {job.outcome['frames']} frames" if "frames" in job.outcome else ""
    asked = time.strftime("%d %b %H:%M:%S", time.localtime(job.created_s))
    return f"{asked} · {job.state}{frames} · seed {job.settings['seed']}"


def _setting(name: str, value: object) -> str:
    said = str(value)
    return _PARTS.get(said, said) if name.endswith("_from") else _WORDS.get(said, said)


def _without_dashes(option: re.Match[str]) -> str:
    """A note that names an option of the command line names the setting instead."""
    return option[1].replace("-", " ")


def _running(job: JobOut) -> str:
    progress = job.progress
    percent = round(100 * progress.share)
    left = "" if progress.seconds_left is None else f"about {_span(progress.seconds_left)} left"
    counted = f"{progress.done} of {progress.total} frames" if progress.stage == "perceive" and progress.total else ""
    if progress.num_frames is not None:
        counted = f"{progress.frames_done} of {progress.num_frames} frames finished"
    return (
        f'<div class="job-line"><b>{_STAGES.get(job.progress.stage, job.progress.stage)}</b> '
        f'<span class="muted">{counted}</span> <span>{percent} %</span> <span class="muted">{left}</span></div>'
        f'<div class="bar" role="progressbar" aria-valuenow="{percent}" aria-valuemin="0" aria-valuemax="100">'
        f'<div style="width: {percent}%"></div></div>'
    )


def _preview(job: JobOut) -> str:
    if "preview.jpg" not in job.files:
        return ""
    version = job.progress.frames_done
    return f'<div class="small"><img src="{_url(job, "preview.jpg")}?v={version}" alt="The latest picture"></div>'


def _result(job: JobOut) -> str:
    """Result and driver beside each other; the driver follows the result's clock."""
    play, pause, seek = (_FOLLOW.format(act=act) for act in ("d.play();", "d.pause();", ""))
    result = (
        f'<video class="result" controls playsinline src="{_url(job, "result.mp4")}" onplay="{play}" onpause="{pause}" '
        f'onseeked="{seek}" ontimeupdate="{seek}"></video>'
    )
    driver = f'<video class="driver" muted playsinline preload="auto" src="{_url(job, "input-driving")}"></video>'
    figures = [("result", result)] + ([("driving video", driver)] if "input-driving" in job.files else [])
    shown = "".join(f"<figure>{video}<figcaption>{name}</figcaption></figure>" for name, video in figures)
    links = [("Download", "result.mp4"), ("Side by side in one video", "beside.mp4")]
    saved = " · ".join(f'<a href="{_url(job, name)}?download=true">{text}</a>' for text, name in links if name in job.files)
    took = (job.finished_s or 0) - (job.started_s or 0)
    note = f"{job.outcome.get('frames')} frames in {_span(took)}. Its content credentials say that it is AI-generated."
    return f'<div class="pair">{shown}</div><div class="job-line">{saved} <span class="muted">{note}</span></div>'


def _url(job: JobOut, name: str) -> str:
    return f"/api/v1/jobs/{job.id}/files/{name}"


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
