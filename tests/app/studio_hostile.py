"""What strangers may send to a studio, and what they should: the same for a server in this process and one beside it."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dreamactor.app.studio.settings import MIB

JOBS = "/api/v1/jobs"


def form(shared: Path, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    files = [
        ("references", ("me.png", (shared / "actor.png").read_bytes())),
        ("driving", ("../../evil.npz", (shared / "exact.npz").read_bytes())),
    ]
    return {"files": files, "data": {"settings": json.dumps({"steps": 1, **(settings or {})})}}


def _png(width: int, height: int) -> bytes:
    """A picture that is small as a file and claims to be large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def _zip_bomb() -> bytes:
    """300 MiB of zeros, which take 300 kB."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.npy", b"x")
        with archive.open("big.npy", "w") as member:
            for _ in range(300):
                member.write(bytes(MIB))
    return bomb.getvalue()


def hostile_files(shared: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Uploads that must be refused."""
    picture, motion = (shared / "actor.png").read_bytes(), (shared / "exact.npz").read_bytes()
    clip = (shared / "clip.mp4").read_bytes()
    bad_pictures = {
        "empty": b"", "text": b"hello" * 99, "script": b"#!/bin/sh\nrm -rf /", "html": b"<html><script>", "pdf": b"%PDF-1.7",
        "elf": b"\x7fELF" + bytes(99), "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>", "huge": _png(60_000, 60_000),
        "cut": picture[:40], "head alone": picture[:8], "gif": b"GIF89a" + bytes(50), "tiff": b"II*\x00" + bytes(50),
        "video": clip, "motion": motion, "gzip": b"\x1f\x8b" + bytes(60), "zeros": bytes(5000), "one byte": b"\x89",
        "heic": b"\x00\x00\x00\x18ftypheic" + bytes(60), "bomb": _png(30_000, 30_000), "webp": b"RIFF\xff\xff\xff\xffWEBP",
        "jpeg": b"\xff\xd8\xff" + bytes(200), "playlist": b"#EXTM3U\nfile:///etc/passwd\n",
    }  # fmt: skip
    for name, data in bad_pictures.items():
        yield f"picture {name}", {"files": [("references", ("a.png", data)), ("driving", ("a.npz", motion))]}
    bad_drivers = {
        "empty": b"", "text": b"hello" * 99, "picture": picture, "cut": clip[:200], "ftyp alone": clip[:32],
        "zip": _plain_zip(), "zip bomb": _zip_bomb(), "cut zip": motion[: len(motion) // 2], "mkv": b"\x1a\x45\xdf\xa3" * 9,
        "avi": b"RIFF\x00\x00\x00\x00AVI LIST", "sound": b"RIFF\x00\x00\x00\x00WAVEfmt ", "playlist": b"#EXTM3U\nhttp://a/b\n",
        "concat": b"ffconcat version 1.0\nfile /etc/passwd", "sdp": b"v=0\r\no=- 0 0 IN IP4 127.0.0.1", "zeros": bytes(9000),
    }  # fmt: skip
    for name, data in bad_drivers.items():
        yield f"driver {name}", {"files": [("references", ("a.png", picture)), ("driving", ("a.mp4", data))]}
    many = [("references", ("a.png", picture))] * 9
    yield "nine pictures", {"files": [*many, ("driving", ("a.npz", motion))]}
    yield "no driver", {"files": [("references", ("a.png", picture))]}
    yield "no picture", {"files": [("driving", ("a.npz", motion))]}
    yield (
        "a file for a part that is not asked for",
        {**form(shared), "files": [*form(shared)["files"], ("face", ("a", motion))]},
    )


def _plain_zip() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("../../etc/passwd", "x")
    return archive.getvalue()


HOSTILE_SETTINGS: tuple[str, ...] = (
    "nonsense", "[]", "null", "1", '{"seed": -1}', '{"seed": 1e400}', '{"seed": "x"}', '{"steps": 0}', '{"steps": 999}',
    '{"size": 100000}', '{"size": NaN}', '{"proportions": Infinity}', '{"proportions": 2}', '{"framing": "../x"}',
    '{"camera": 7}', '{"kind": "delete"}', '{"unknown": 1}', '{"face_from": "/etc/passwd"}', '{"face_from": "file"}',
    '{"body_from": "none", "head_from": "none", "face_from": "none"}', "{" * 9000, '"' + "x" * 20_000 + '"',
    '{"person": 0}', '{"label": "maybe"}', '{"guidance_motion": 1e9}', "\x00", '{"seed": 99999999999999999999999}',
)  # fmt: skip

HOSTILE_PATHS: tuple[tuple[str, str], ...] = (
    ("GET", f"{JOBS}/{'0' * 32}"), ("GET", f"{JOBS}/nonsense"), ("GET", f"{JOBS}/../../etc/passwd"),
    ("GET", f"{JOBS}/%2e%2e%2f%2e%2e%2fetc%2fpasswd"), ("GET", f"{JOBS}/{'0' * 32}/files/..%2f..%2fjobs.sqlite3"),
    ("GET", f"{JOBS}/{'0' * 32}/files/jobs.sqlite3"), ("GET", f"{JOBS}/{'0' * 32}/events"), ("GET", f"{JOBS}?limit=-1"),
    ("GET", f"{JOBS}?limit=99999999999999999999"), ("GET", f"{JOBS}?limit=x"), ("DELETE", f"{JOBS}/{'0' * 32}"),
    ("POST", f"{JOBS}/{'0' * 32}/cancel"), ("PUT", JOBS), ("PATCH", f"{JOBS}/x"), ("DELETE", JOBS), ("GET", "/etc/passwd"),
    ("GET", f"{JOBS}/{'a' * 5000}"), ("GET", f"{JOBS}/%00"), ("GET", f"{JOBS}/' OR 1=1 --"), ("GET", f"{JOBS}/{'A' * 32}"),
    ("GET", "/file=/etc/passwd"), ("GET", "/api/v1/../../jobs.sqlite3"), ("TRACE", JOBS), ("POST", "/api/v1/health"),
)  # fmt: skip

HOSTILE_BODIES: tuple[tuple[str, bytes], ...] = (
    ("multipart/form-data", b"x"), ("multipart/form-data; boundary=", b"--x"), ("multipart/form-data; boundary=x", b""),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="driving"; filename="a"\r\n\r\nabc'),
    ("multipart/form-data; boundary=x", b"--x\r\n" * 500), ("application/json", b"{}"), ("text/plain", b"hello"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--"), ("", b"\xff" * 200),
    ("application/x-www-form-urlencoded", b"references=1&driving=2"), ("multipart/form-data; boundary=" + "x" * 300, b"--x"),
)  # fmt: skip

HOSTILE_PAGE_PATHS: tuple[tuple[str, str], ...] = (
    ("GET", "/gradio_api/file=/etc/passwd"), ("GET", "/gradio_api/file=../../jobs.sqlite3"), ("GET", "/gradio_api/file=%00"),
    ("GET", "/gradio_api/proxy=http://127.0.0.1:1/"), ("GET", "/gradio_api/file=" + "a" * 5000),
    ("GET", "/gradio_api/call/x/y"), ("GET", "/gradio_api/dev/reload"), ("POST", "/gradio_api/component_server"),
    ("POST", "/gradio_api/vibe-edit/"), ("POST", "/gradio_api/call/draw"), ("POST", "/gradio_api/api/draw"),
    ("GET", "/gradio_api/stream/a/b/c/playlist.m3u8"), ("GET", "/gradio_api/monitoring/summary"),
    ("POST", "/gradio_api/process_recording"), ("GET", "/gradio_api/mcp/"), ("GET", "/static/%2e%2e/%2e%2e/routes.py"),
    ("GET", "/gradio_api/custom_component/a/b/c/d"), ("PUT", "/gradio_api/upload"), ("GET", "/monitoring"),
)  # fmt: skip

HOSTILE_NAMES: tuple[str, ...] = (
    "/etc/passwd", "../../../etc/passwd", "", "\x00", "/dev/zero", "/proc/self/environ", "~/.ssh/id_rsa", "a" * 9000,
    "http://127.0.0.1/", "file:///etc/passwd", "/", ".",
)  # fmt: skip


def solid_png(width: int, height: int) -> bytes:
    """A whole picture of one colour, which is small as a file."""
    row = bytes(1 + width)
    packer = zlib.compressobj(9)
    packed = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def hostile_page_calls(config: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Calls of every handler of the page with values that it never sends; `config` is what Gradio says of the page."""
    picture = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    values: tuple[Any, ...] = (None, 1, "x", [], {}, {"job": "x"}, {"job": 1}, {"job": []}, picture, [[[[]]]], 1e308, True)
    for handler in config["dependencies"]:
        for value in values:
            data = [value] * len(handler["inputs"])
            yield f"handler {handler['id']} with {str(value)[:20]}", {"fn_index": handler["id"], "data": data}
        for data in ([], [1], [None] * 60, None, "x", {"a": 1}):
            yield f"handler {handler['id']} data {str(data)[:20]}", {"fn_index": handler["id"], "data": data}
    for number in (-1, 999, "x", 1e99, [], {}):
        yield f"handler {number}", {"fn_index": number, "data": []}


def hostile_streams() -> Iterator[bytes]:
    """Bytes that are no requests, or break off."""
    post = f"POST {JOBS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n".encode()
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    yield b"hello\r\n\r\n"
    yield b"GET\r\n\r\n"
    yield b"GET / HTTP/9.9\r\n\r\n"
    yield b"GET / HTTP/1.1\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    yield b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n"
    yield b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    yield post + b"Content-Length: 10737418240\r\n\r\nabc"
    yield post + b"Content-Length: -1\r\n\r\nabc"
    yield post + b"Content-Length: 3\r\nContent-Length: 9\r\n\r\nabc"
    yield post + b"Content-Length: 1e3\r\n\r\nabc"
    yield post + b'Content-Length: 500\r\n\r\n--x\r\nContent-Disposition: form-data; name="references"; filename="a'
    yield post + b"Transfer-Encoding: chunked\r\n\r\nzzz\r\nabc\r\n"
    yield post + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc"
    yield post + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc"
    yield post + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
    yield post + b"Expect: 100-continue\r\nContent-Length: 10737418240\r\n\r\n"
    yield b"\x00" * 1000
