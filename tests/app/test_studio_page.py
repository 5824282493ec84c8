"""The page's calls as a stranger may send them: only a fault of the server is one, and that is kept in full."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dreamactor.app.studio.api import build_app
from dreamactor.app.studio.page import mount_page
from dreamactor.app.studio.service import StudioService
from dreamactor.app.studio.settings import StudioSettings

CALL = "/gradio_api/run/predict"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> StudioService:
    """Its worker is never started."""
    return StudioService(StudioSettings(folder=tmp_path_factory.mktemp("page")))


@pytest.fixture(scope="module")
def page(service: StudioService) -> TestClient:
    return TestClient(mount_page(build_app(service), service), base_url="http://127.0.0.1")


def _call(page: TestClient, name: str, data: list[Any]) -> Any:
    (number,) = (entry["id"] for entry in page.get("/config").json()["dependencies"] if entry["api_name"] == name)
    return page.post(CALL, json={"fn_index": number, "data": data})


def test_the_page_is_refreshed_whatever_the_browser_remembers(page: TestClient) -> None:
    for remembered in ({"look": "", "job": ""}, None, {"job": 5}, {"job": "unknown"}, "x", 7, []):
        assert _call(page, "refresh", [remembered, None]).status_code == 200, remembered


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("draw", []),
        ("draw", ["x"] * 7),
        ("draw", [1e308] * 7),
        ("look", [None] * 3),
        ("start", [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}] * 18),
        ("cancel", [{"job": "unknown"}]),
        ("reuse", [{"job": 5}]),
        ("choose", [{}, "unknown"]),
    ],
)
def test_values_that_do_not_fit_are_the_callers_to_mend(page: TestClient, name: str, data: list[Any]) -> None:
    answer = _call(page, name, data)
    assert answer.status_code in (404, 422)
    assert "Traceback" not in answer.text


def test_a_fault_stays_a_fault_and_its_traceback_is_in_the_log(
    page: TestClient, service: StudioService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(limit: int) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(service, "newest", broken)
    with caplog.at_level(logging.ERROR):
        answer = _call(page, "refresh", [{}, {}])
    assert answer.status_code == 500
    assert "disk" not in answer.text
    assert "RuntimeError" in answer.json()["error"]
    assert any(record.exc_info and "the disk is gone" in str(record.exc_info[1]) for record in caplog.records)


@pytest.mark.parametrize("path", ["call/draw", "dev/reload", "proxy=http://127.0.0.1:1/", "component_server", "info"])
def test_what_the_page_does_not_use_is_not_served(page: TestClient, path: str) -> None:
    assert page.get(f"/gradio_api/{path}").status_code == 404


@pytest.mark.parametrize("path", [CALL, "/gradio_api/queue/join", "/api/v1/jobs/from-paths"])
def test_bytes_that_are_no_text_are_refused(page: TestClient, path: str) -> None:
    for kind in ("application/json", "", "text/plain"):
        answer = page.post(path, content=b"\xff" * 50, headers={"content-type": kind})
        assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=" + "x" * 300, "multipart/form-data; boundary=", "text/plain"]
)
def test_uploads_that_are_no_form_are_refused(page: TestClient, kind: str) -> None:
    assert page.post("/gradio_api/upload", content=b"--x\r\n", headers={"content-type": kind}).status_code in (400, 422)


@pytest.mark.parametrize("number", [-1, 999])
def test_a_handler_that_is_not_there_is_not_found(page: TestClient, number: int) -> None:
    for path in (CALL, "/gradio_api/queue/join"):
        assert page.post(path, json={"fn_index": number, "data": [], "session_hash": "x"}).status_code in (404, 422)
