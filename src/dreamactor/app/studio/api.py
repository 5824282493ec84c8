"""HTTP endpoints; see docs/api.md. Everything they do is in `StudioService`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, Annotated, Any

from fastapi import Body, FastAPI, File, Form, HTTPException, Path, Query, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import ValidationError
from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import Match, Route

from dreamactor import __version__
from dreamactor.app.studio.guard import Guard
from dreamactor.app.studio.intake import MAX_REFERENCES
from dreamactor.app.studio.schemas import Health, JobOut, JobSettings, PathJob, Problem
from dreamactor.app.studio.service import WANTED, StudioService, UnknownJobError
from dreamactor.app.studio.store import QueueFullError
from dreamactor.errors import DreamActorError

EVENT_S = 0.25
"""How often a stream of events looks for news."""
HEARTBEAT_S = 15.0
SWEEP_S = 3600.0


class _IdConvertor(Convertor[str]):
    """Only what can be a job's id is looked up as one, so that other names below /jobs keep their own methods."""

    regex = "[0-9a-f]{32}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("job", _IdConvertor())
JobId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="As the submission answered.")]
Upload = UploadFile | None
_MEDIA_TYPES = {".mp4": "video/mp4", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": text}
    for code, text in {
        400: "Not a request that can be read.",
        404: "No such job or file.",
        409: "Not now: the job is not finished, or has no such file yet.",
        413: "Too large.",
        422: "A file or a setting cannot be used.",
        429: "Too many jobs wait.",
    }.items()
}


def build_app(service: StudioService) -> FastAPI:
    """The application; the caller mounts the page."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        sweeping = asyncio.create_task(_sweep(service))
        yield
        sweeping.cancel()
        await run_in_threadpool(service.close)

    app = FastAPI(
        title="dreamactor", version=__version__, lifespan=lifespan, docs_url="/api/docs", redoc_url=None,
        openapi_url="/api/openapi.json", description="Submit jobs, follow them, fetch results.",
    )  # fmt: skip
    app.add_middleware(Guard, settings=service.settings, is_full=lambda: service.is_full)
    app.add_exception_handler(DreamActorError, _problem)
    app.add_exception_handler(405, _wrong_method)
    app.add_exception_handler(RequestValidationError, tell_what_is_wrong)
    _add_jobs(app, service)
    _add_results(app, service)

    @app.get("/api/v1/health")
    def health() -> Health:
        """How the server is."""
        model = service.settings.model
        return Health(
            version=__version__, model=model.rsplit("/", 1)[-1], worker=service.worker_state, queued=service.num_queued()
        )  # fmt: skip

    return app


def _add_jobs(app: FastAPI, service: StudioService) -> None:
    @app.post("/api/v1/jobs", status_code=202, responses=_PROBLEMS)
    def submit(
        references: Annotated[
            list[UploadFile],
            File(
                min_length=1,
                max_length=MAX_REFERENCES,
                description="Pictures of the character, the first decides the canvas.",
            ),
        ],
        driving: Annotated[Upload, File(description="Video or motion file that drives what has no file of its own.")] = None,
        body: Annotated[Upload, File()] = None,
        head: Annotated[Upload, File()] = None,
        face: Annotated[Upload, File()] = None,
        audio: Annotated[Upload, File(description="Speech.")] = None,
        settings: Annotated[str, Form(max_length=10_000, description="JSON: the fields of JobSettings.")] = "{}",
    ) -> JobOut:
        """Submit a job with its files."""
        sent = {"driving": driving, "body": body, "head": head, "face": face, "audio": audio}
        others: dict[str, IO[bytes]] = {role: upload.file for role, upload in sent.items() if upload is not None}
        chosen = _settings(lambda: JobSettings.model_validate_json(settings))
        return service.describe(service.submit(chosen, [upload.file for upload in references], others))

    @app.post("/api/v1/jobs/from-paths", status_code=202, responses=_PROBLEMS)
    def submit_paths(job: PathJob) -> JobOut:
        """Submit a job whose files lie below a folder that the server may read (--root)."""
        others = {role: name for role in WANTED if (name := getattr(job, role)) is not None}
        return service.describe(service.submit_paths(job.settings, job.references, others))

    @app.get("/api/v1/jobs")
    def newest(limit: Annotated[int, Query(ge=1, le=200)] = 50) -> list[JobOut]:
        """The latest jobs, newest first."""
        return [service.describe(job) for job in service.newest(limit)]

    @app.get("/api/v1/jobs/{job_id:job}", responses=_PROBLEMS)
    def status(job_id: JobId) -> JobOut:
        """How far a job is."""
        return service.describe(service.get(job_id))

    @app.get("/api/v1/jobs/{job_id:job}/events", responses=_PROBLEMS, response_class=StreamingResponse)
    async def events(job_id: JobId, request: Request) -> StreamingResponse:
        """Server-sent events: `job` with a JobOut whenever something changes; the stream ends with the job."""
        await run_in_threadpool(service.get, job_id)
        return StreamingResponse(_events(service, job_id, request), media_type="text/event-stream")

    @app.post("/api/v1/jobs/{job_id:job}/cancel", responses=_PROBLEMS)
    def cancel(job_id: JobId) -> JobOut:
        """End a job; a running one ends within seconds."""
        service.cancel(job_id)
        return service.describe(service.get(job_id))

    @app.post("/api/v1/jobs/{job_id:job}/again", status_code=202, responses=_PROBLEMS)
    def again(job_id: JobId, changes: Annotated[dict[str, Any], Body(description="Fields of JobSettings.")]) -> JobOut:
        """Submit the same files once more with some settings changed."""
        return service.describe(_settings(lambda: service.again(job_id, changes)))

    @app.delete("/api/v1/jobs/{job_id:job}", status_code=204, responses=_PROBLEMS)
    def remove(job_id: JobId) -> None:
        """Delete a finished job and its files."""
        if not service.get(job_id).is_final:
            raise HTTPException(409, "The job is not finished. Cancel it first.")
        service.remove(job_id)


def _add_results(app: FastAPI, service: StudioService) -> None:
    @app.get("/api/v1/jobs/{job_id:job}/result", responses=_PROBLEMS, response_class=FileResponse)
    def result(job_id: JobId) -> FileResponse:
        """The finished video."""
        return _send(service, job_id, "result.mp4", download=True)

    @app.get("/api/v1/jobs/{job_id:job}/files/{name}", responses=_PROBLEMS, response_class=FileResponse)
    def file(
        job_id: JobId,
        name: Annotated[str, Path(pattern="^[a-z-]+(\\.(mp4|png|jpg))?$", max_length=40)],
        download: bool = False,
    ) -> FileResponse:
        """One of the files that a job names."""
        return _send(service, job_id, name, download=download)


def _send(service: StudioService, job_id: str, name: str, *, download: bool) -> FileResponse:
    job = service.get(job_id)
    path = service.file(job, name)
    if path is None:
        raise HTTPException(
            409, f"The job is {job.state} and has no {name}. It has: {', '.join(service.files(job)) or 'nothing'}."
        )
    media_type = _MEDIA_TYPES.get(path.suffix, "application/octet-stream")
    fresh = {"cache-control": "no-store"} if name == "preview.jpg" else {}
    return FileResponse(
        path, media_type=media_type, filename=f"dreamactor-{job_id[:8]}-{path.name}" if download else None, headers=fresh
    )


async def _events(service: StudioService, job_id: str, request: Request) -> AsyncIterator[str]:
    said, silent_s = None, 0.0
    while not await request.is_disconnected():
        try:
            job = await run_in_threadpool(service.get, job_id)
        except UnknownJobError:
            return
        told = await run_in_threadpool(service.describe, job)
        news = told.model_dump(exclude={"progress": {"seconds_left"}})  # a clock that runs is no news
        if news != said:
            said, silent_s = news, 0.0
            yield f"event: job\ndata: {told.model_dump_json()}\n\n"
        elif silent_s >= HEARTBEAT_S:
            silent_s = 0.0
            yield ": still here\n\n"
        if job.is_final:
            return
        await asyncio.sleep(EVENT_S)
        silent_s += EVENT_S


async def _sweep(service: StudioService) -> None:
    while True:
        await asyncio.sleep(SWEEP_S)
        await run_in_threadpool(service.sweep)


async def _problem(request: Request, error: Exception) -> JSONResponse:
    status = 404 if isinstance(error, UnknownJobError) else 429 if isinstance(error, QueueFullError) else 422
    headers = {"retry-after": "30"} if status == 429 else {}
    return JSONResponse({"detail": str(error)}, status_code=status, headers=headers)


async def tell_what_is_wrong(request: Request, error: Exception) -> JSONResponse:
    """What is wrong with a request, without what was sent: that may be bytes that are no text."""
    assert isinstance(error, RequestValidationError)
    found = [{name: entry[name] for name in ("loc", "msg", "type")} for entry in error.errors()]
    return JSONResponse({"detail": found}, status_code=422)


async def _wrong_method(request: Request, error: Exception) -> JSONResponse:
    """Names every method of the address, whichever route has it."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    found = [route.methods or () for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    allowed = ", ".join(sorted({method for methods in found for method in methods}))
    return JSONResponse({"detail": "Method Not Allowed"}, status_code=405, headers={"allow": allowed})


def _settings(read: Any) -> Any:
    """What `read` returns; settings that are not as documented are the sender's to mend."""
    try:
        return read()
    except ValidationError as error:
        found = [f"{'.'.join(map(str, entry['loc'])) or 'settings'}: {entry['msg']}" for entry in error.errors()]
        raise HTTPException(422, "; ".join(found)) from error
