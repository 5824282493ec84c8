"""What every request passes first, page and API alike: who asks, from where, and how much they send."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dreamactor.app.studio.settings import StudioSettings

log = logging.getLogger(__name__)

COOKIE: Final = "dreamactor_token"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_PAGE: Final = "/gradio_api/"
_PAGE_CALL: Final = f"{_PAGE}run/predict"
_PAGE_ROUTES: Final = ("run/predict", "queue/", "upload", "file=", "heartbeat/", "startup-events", "cancel", "reset")
"""What the page uses of Gradio's own routes, as they begin; the others are not served."""
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"SAMEORIGIN"),
)


@dataclass(slots=True)
class PageCall:
    """What became of a call of a handler of the page.

    Gradio answers 500 whether the values do not fit the handler, the handler refuses them, or it fails. The first two are
    the caller's to mend (422); only the last is a fault of this server.

    Attributes:
        entered: the values came as far as the handler.
        refused: the handler said what is wrong with them.
    """

    entered: bool = False
    refused: bool = False


page_call: ContextVar[PageCall | None] = ContextVar("page_call", default=None)


class Guard:
    """ASGI middleware. A server that only this machine can reach also refuses what a foreign page in the browser sends.

    Args:
        app: what is guarded.
        settings: of the server.
        is_full: whether no further job can be accepted; asked before an upload is read.
    """

    def __init__(self, app: ASGIApp, settings: StudioSettings, is_full: Callable[[], bool]) -> None:
        self._app, self._settings, self._is_full = app, settings, is_full

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _answer(send, *refusal)
            return
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if given and scope["method"] == "GET" and self._settings.token:
            await _redirect(send, scope["path"], self._settings.token)
            return
        await self._pass_on(scope, receive, send)

    def _refusal(self, scope: Scope, headers: dict[bytes, str]) -> tuple[int, str] | None:
        """Status and reason, if the request is refused before its body is read."""
        host, path = headers.get(b"host", ""), str(scope["path"])
        if self._settings.is_loopback and _name_of(host) not in _LOOPBACK:
            return 403, "This server answers to localhost only."
        if self._settings.token and not self._knows_token(scope, headers):
            return 401, "A token is needed: Authorization: Bearer TOKEN, or open the page with ?token=TOKEN."
        if scope["method"] not in _SAFE:
            origin = headers.get(b"origin")
            if origin is not None and urlsplit(origin).netloc != host:
                return 403, "Requests from other sites are refused."
            asks_for_work = path.startswith("/api/v1/jobs") and not path.endswith("/cancel")
            if scope["method"] == "POST" and asks_for_work and self._is_full():
                return 429, f"{self._settings.max_queue} jobs wait already. Try again when some are done."
        if path.startswith(_PAGE) and not path.removeprefix(_PAGE).startswith(_PAGE_ROUTES):
            return 404, "Not Found"
        try:
            announced = int(headers.get(b"content-length", "0"))
        except ValueError:
            return 400, "Content-Length is no number."
        if announced > self._settings.max_upload_bytes:
            return 413, _too_large(self._settings)
        return None

    def _knows_token(self, scope: Scope, headers: dict[bytes, str]) -> bool:
        token = self._settings.token or ""
        given = [headers.get(b"authorization", "").removeprefix("Bearer ").strip()]
        given += parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        try:
            cookie = SimpleCookie(headers.get(b"cookie", "")).get(COOKIE)
        except CookieError:
            cookie = None
        given += [cookie.value] if cookie is not None else []
        return any(hmac.compare_digest(text.encode(), token.encode()) for text in given)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts what comes in; too much ends the request."""
        received, too_much, started = 0, False, False
        call = PageCall()
        page_call.set(call)

        async def counted() -> Message:
            nonlocal received, too_much
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._settings.max_upload_bytes:
                too_much = True
                raise _TooLargeError
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            if too_much:  # whatever the application made of the broken body
                return
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": [*message.get("headers", []), *_HEADERS]}
                if message["status"] == 500 and scope["path"].startswith(_PAGE_CALL):
                    if call.refused or not call.entered:
                        log.info("A call of the page had values that do not fit.")
                        message["status"] = 422
                    else:
                        log.error("A call of the page failed; the traceback stands above.")
            await send(message)

        with suppress(_TooLargeError):
            await self._app(scope, counted, watched)
        if too_much and not started:
            await _answer(send, 413, _too_large(self._settings))


class _TooLargeError(Exception):
    """More came in than may."""


def _name_of(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _too_large(settings: StudioSettings) -> str:
    return f"A request may have at most {settings.max_upload_bytes} bytes."


async def _answer(send: Send, status: int, detail: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close"), *_HEADERS]
    headers += [(b"retry-after", b"30")] if status == 429 else []
    headers += [(b"www-authenticate", b"Bearer")] if status == 401 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"detail": detail}).encode()})


async def _redirect(send: Send, path: str, token: str) -> None:
    """To the same page without the token in its address; a cookie carries it from now on."""
    cookie = SimpleCookie({COOKIE: token})
    morsel = cookie[COOKIE]
    morsel["path"], morsel["httponly"], morsel["samesite"] = "/", True, "Strict"
    headers = [
        (b"location", f"/{path.lstrip('/')}".encode("latin-1")),
        (b"set-cookie", morsel.OutputString().encode()),
    ]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
