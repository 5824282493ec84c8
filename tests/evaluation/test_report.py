"""The report says what was measured, why something was not, and nothing else; it needs no other file."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dreamactor.errors import OutputError
from dreamactor.evaluation.plots import Axis, Line, axis_around, element, line_plot, number
from dreamactor.evaluation.report import write_report
from dreamactor.evaluation.report_json import scores_json
from dreamactor.evaluation.report_sheets import OPEN_SHEETS
from dreamactor.evaluation.report_text import print_table
from dreamactor.evaluation.scores import ClipScores, Metric
from dreamactor.evaluation.summary import MIN_PAIRS, DistributionScore

METRICS = {
    "psnr_frame": Metric(label="PSNR, frame", unit="dB", better="higher"),
    "psnr_person": Metric(label="PSNR, person", unit="dB", better="higher"),
    "sharpness_person": Metric(label="Sharpness", unit="", better="one"),
    "flicker_person": Metric(label="Flicker", unit="0..255", better="lower"),
    "identity": Metric(label="Identity", unit="cosine", better="higher"),
    "length": Metric(label="Length", unit="frames", better="none"),
}
WHEN = datetime(2025, 3, 5, 14, 2)
VOID = {"meta", "img"}


class Page(HTMLParser):
    """Reads a page and notes what the laws ask for."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    def values(self, tag: str, name: str) -> list[str]:
        """Every value of one attribute of one kind of element."""
        return [value for one, key, value in self.attributes if (one, key) == (tag, name)]


def make_scores(methods: Sequence[str] = ("ours", "theirs"), num_clips: int = 8) -> list[ClipScores]:
    """Clips c0, c1, ...: later ones are worse, and later methods are worse by 1 dB."""
    return [
        ClipScores(
            clip=f"c{clip}",
            method=method,
            values={
                "psnr_frame": 30.0 - clip - place,
                "psnr_person": 25.0 - clip - place,
                "sharpness_person": 1.0 + 0.1 * (-1) ** clip,
                "length": 25.0,
            },
            missing={"identity": "network not fetched"},
            tags={"framing": "full" if clip % 2 else "upper"},
            series={"psnr_person": [25.0 - clip, math.nan, 24.0 - clip]},
            strip=torch.full((8, 12, 3), 10 * clip, dtype=torch.uint8),
        )
        for place, method in enumerate(methods)
        for clip in range(num_clips)
    ]


def distribution(method: str, value: float | None = 31.4, missing: str | None = None) -> DistributionScore:
    return DistributionScore(method=method, label="FID", value=value, protocol="Inception, 200 frames", missing=missing)


def write(folder: Path, scores: Sequence[ClipScores], **changes: Any) -> str:
    given: dict[str, Any] = {
        "metrics": METRICS,
        "distributions": [distribution("ours")],
        "settings": {"Resolution": "256 x 256"},
        "notes": ["The background is the reference’s."],
        "title": "Held-out clips",
        "when": WHEN,
    }
    path = folder / "report.html"
    write_report(path, scores, **(given | changes))
    return path.read_text(encoding="utf-8")


def test_the_page_stands_alone_and_is_well_formed(tmp_path: Path) -> None:
    page = Page(write(tmp_path, make_scores()))
    links = [value for _, name, value in page.attributes if name in ("src", "href", "srcset", "data", "action")]
    assert links
    assert all(link.startswith(("#", "data:image/jpeg;base64,")) for link in links)
    assert not any("url(" in value or "http:" in value or "https:" in value for _, _, value in page.attributes)
    assert not {"link", "iframe", "object"} & {tag for tag, _, _ in page.attributes}
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


@pytest.mark.parametrize(
    "place", ["clip", "method", "error", "tag", "metric", "note", "title", "setting", "missing", "label"]
)
def test_what_is_given_is_escaped(tmp_path: Path, place: str) -> None:
    bad = "<script>alert('&\"')</script>"
    scores = make_scores()
    changes: dict[str, Any] = {}
    match place:
        case "clip":
            scores[0] = replace(scores[0], clip=bad)
        case "method":
            scores = make_scores(methods=(bad, "theirs"))
        case "error":
            scores[0] = ClipScores(clip="c0", method="ours", error=bad)
        case "tag":
            scores[0] = replace(scores[0], tags={bad: bad})
        case "metric":
            changes["metrics"] = METRICS | {"psnr_person": Metric(label=bad, unit=bad, better="higher")}
        case "note":
            changes["notes"] = [bad]
        case "title":
            changes["title"] = bad
        case "setting":
            changes["settings"] = {bad: bad}
        case "missing":
            scores = [replace(score, missing={"identity": bad}) for score in scores]
        case "label":
            changes["distributions"] = [DistributionScore(method="ours", label=bad, value=None, protocol=bad, missing=bad)]
    markup = write(tmp_path, scores, **changes)
    assert markup.count("<script>") == 1
    assert bad in "".join(Page(markup).text)


def test_the_worst_clip_comes_first(tmp_path: Path) -> None:
    page = Page(write(tmp_path, make_scores(methods=("ours",))))
    assert page.values("article", "id") == [f"clip-{place}" for place in reversed(range(8))]


def test_clips_without_the_headline_metric_come_last(tmp_path: Path) -> None:
    scores = make_scores(methods=("ours",), num_clips=3)
    scores[2] = replace(scores[2], values={"psnr_frame": 1.0})
    assert Page(write(tmp_path, scores)).values("article", "id") == ["clip-1", "clip-0", "clip-2"]


def test_the_pictures_are_the_strips(tmp_path: Path) -> None:
    scores = make_scores(methods=("ours",), num_clips=2)
    page = Page(write(tmp_path, scores))
    shown = [Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) for source in page.values("img", "src")]
    for picture, score in zip(shown, reversed(scores), strict=True):
        assert score.strip is not None
        assert np.abs(np.asarray(picture).astype(int) - score.strip.numpy()).max() <= 2
    assert all(page.values("img", "alt"))


@pytest.mark.parametrize(("num_clips", "folded"), [(OPEN_SHEETS, False), (OPEN_SHEETS + 2, True)])
def test_many_pictures_unfold(tmp_path: Path, num_clips: int, folded: bool) -> None:
    markup = write(tmp_path, make_scores(methods=("ours",), num_clips=num_clips))
    assert markup.count("<article") == num_clips
    assert ("2 more clips" in markup) is folded
    assert markup.partition("<details>")[0].count("<article") == OPEN_SHEETS


def test_a_bad_file_is_a_row_with_its_reason(tmp_path: Path) -> None:
    scores = [*make_scores(), ClipScores(clip="broken", method="ours", error="no video stream")]
    markup = write(tmp_path, scores)
    assert "not scored (no video stream)" in markup
    assert "8 of 9" in markup
    assert "1 video could not be scored" in markup
    assert "not scored: broken (ours): no video stream" in print_table(scores, METRICS, [])
    assert {"clip": "broken", "error": "no video stream"}.items() <= scores_json(scores, METRICS, [], {})["clips"][
        -1
    ].items()


def test_only_bad_files_still_make_a_page(tmp_path: Path) -> None:
    text = "".join(Page(write(tmp_path, [ClipScores(clip="broken", method="ours", error="no video stream")])).text)
    assert "not computed (no video stream)" in text
    assert "not scored (no video stream)" in text


def test_no_scores_is_said(tmp_path: Path) -> None:
    assert "No clips were scored." in "".join(Page(write(tmp_path, [], distributions=[])).text)
    assert print_table([], METRICS, []) == "No clips were scored.\n"
    assert scores_json([], METRICS, [], {})["rows"] == []


def test_equal_input_makes_an_equal_page_but_for_the_date(tmp_path: Path) -> None:
    pages = [write(tmp_path, make_scores(), when=when) for when in (WHEN, WHEN, datetime(2026, 1, 1))]
    assert pages[0] == pages[1] != pages[2]
    assert pages[2] == pages[0].replace("2025-03-05T14:02", "2026-01-01T00:00").replace(
        "2025-03-05 14:02", "2026-01-01 00:00"
    )


def test_what_has_no_number_says_why(tmp_path: Path) -> None:
    scores = make_scores()
    fids = [distribution("ours", None, "fewer than two clips"), distribution("theirs", math.nan)]
    text = "".join(Page(write(tmp_path, scores, distributions=fids)).text)
    table = print_table(scores, METRICS, fids)
    for said in (text, table):
        assert "not computed (network not fetched)" in said
        assert "not computed (not measured for this clip)" in said  # flicker, which no clip mentions
        assert "not computed (fewer than two clips)" in said
        assert "not computed (not a finite number)" in said


def test_means_are_means_over_clips() -> None:
    data = scores_json(make_scores(), METRICS, [], {})
    rows = {(row["set"], row["method"], row["metric"]): row for row in data["rows"]}
    everything = rows["all", "ours", "psnr_person"]
    assert everything["value"] == pytest.approx(25 - 3.5)
    assert everything["ci95"][0] < everything["value"] < everything["ci95"][1]
    assert everything["n"] == 8
    assert rows["full", "theirs", "psnr_person"]["value"] == pytest.approx(25 - 4 - 1)
    assert rows["upper", "ours", "psnr_person"]["n"] == 4


def test_json_has_no_number_that_is_none() -> None:
    scores = [*make_scores(), ClipScores(clip="broken", method="ours", error="cut off")]
    scores[0] = replace(scores[0], values=scores[0].values | {"psnr_frame": math.inf})
    data = scores_json(
        scores, METRICS, [distribution("ours"), distribution("theirs", math.nan, "too few")], {"Frames": "25"}
    )
    text = json.dumps(data, allow_nan=False)
    assert json.loads(text) == data
    assert "null" not in text
    assert {"method": "theirs", "metric": "FID", "reason": "too few"}.items() <= data["missing"][-1].items()
    assert data["clips"][0]["missing"]["psnr_frame"] == "not a finite number"
    assert data["clips"][1]["series"]["psnr_person"] == {"frames": [0, 2], "values": [24.0, 23.0]}
    assert {"set": "all", "method": "ours", "metric": "identity", "reason": "network not fetched"} in data["missing"]


def comparison(scores: Sequence[ClipScores], metric: str = "psnr_person") -> dict[str, Any]:
    rows = scores_json(scores, METRICS, [], {})["comparisons"]
    return next(row for row in rows if row["metric"] == metric)


def test_a_steady_lead_is_a_best_method(tmp_path: Path) -> None:
    assert comparison(make_scores()) == {
        "metric": "psnr_person",
        "best": "ours",
        "second": "theirs",
        "conclusive": True,
        "lead": 1.0,
        "ci95": [1.0, 1.0],
        "n": 8,
    }
    assert "higher than theirs by 1.00" in "".join(Page(write(tmp_path, make_scores())).text)


def test_equal_methods_are_inconclusive(tmp_path: Path) -> None:
    same = [replace(score, method=method) for method in ("ours", "theirs") for score in make_scores(methods=("x",))]
    assert not comparison(same)["conclusive"]
    text = "".join(Page(write(tmp_path, same)).text)
    assert "inconclusive" in text
    assert "best " not in print_table(same, METRICS, []).partition("\n")[2]


@pytest.mark.parametrize(("num_clips", "conclusive"), [(1, False), (MIN_PAIRS - 1, False), (MIN_PAIRS, True)])
def test_few_clips_are_inconclusive(num_clips: int, conclusive: bool) -> None:
    assert comparison(make_scores(num_clips=num_clips))["conclusive"] is conclusive


def test_a_method_that_shares_no_clip_is_not_compared() -> None:
    ours, theirs = make_scores(methods=("ours",)), make_scores(methods=("theirs",))
    row = comparison([*ours, *(replace(score, clip=f"other {score.clip}") for score in theirs)])
    assert row["conclusive"] is False
    assert "lead" not in row


def test_a_ratio_is_best_at_one() -> None:
    near = [
        replace(score, values={"sharpness_person": 1 + 0.01 * (-1) ** place})
        for place, score in enumerate(make_scores(("near",)))
    ]
    far = [replace(score, values={"sharpness_person": 1.3}) for score in make_scores(("far",))]
    row = comparison([*far, *near], "sharpness_person")
    assert (row["best"], row["conclusive"]) == ("near", True)
    assert row["lead"] == pytest.approx(0.29)


def test_one_method_is_compared_with_nobody(tmp_path: Path) -> None:
    markup = write(tmp_path, make_scores(methods=("ours",)))
    assert "inconclusive" not in markup
    assert "Best against" not in markup


def test_the_table_is_aligned() -> None:
    lines = print_table(make_scores(), METRICS, [distribution("ours")]).splitlines()
    columns = [lines[0].index(name) for name in ("ours", "theirs")]
    for line in lines[2 : 3 + len(METRICS)]:
        assert all(line[column - 1] == " " and line[column] != " " for column in columns)


def test_long_reasons_stand_below_the_table() -> None:
    reason = "the network's file has another checksum; fetch it again"
    scores = [replace(score, missing={"identity": reason}) for score in make_scores()]
    table = print_table(scores, METRICS, [])
    assert table.count(reason) == 1
    assert table.count("not computed (note 1)") == 2


def test_a_metric_nobody_described_is_printed_by_its_name(tmp_path: Path) -> None:
    scores = [replace(score, values={"new_thing": 3.0}) for score in make_scores()]
    assert "new_thing" in "".join(Page(write(tmp_path, scores)).text)
    assert "new_thing" in print_table(scores, METRICS, [])


def test_metrics_stand_below_their_headings(tmp_path: Path) -> None:
    names = ("drift_identity", "joint_error_hands", "psnr_hands", "psnr_person", "psnr_frame", "new_thing")
    scores = [replace(score, values=dict.fromkeys(names, 1.0), missing={}) for score in make_scores()]
    text = "".join(Page(write(tmp_path, scores, metrics={})).text)
    headings = ("Whole picture", "Person", "Head and hands", "Motion", "Over time", "Other")
    shown = [text.index(heading + name) for heading, name in zip(headings, reversed(names[:-1]), strict=False)]
    assert shown == sorted(shown)
    assert f"Other{names[-1]}" in text


def test_different_protocols_do_not_share_a_row(tmp_path: Path) -> None:
    pair = [distribution("ours"), replace(distribution("theirs"), protocol="Inception, 50 frames")]
    assert (
        "".join(Page(write(tmp_path, make_scores(), distributions=pair)).text).count("not measured with this protocol") == 2
    )


def test_published_numbers_are_called_not_comparable(tmp_path: Path) -> None:
    text = "".join(Page(write(tmp_path, make_scores())).text)
    assert "Private data, not comparable." in text
    assert "27.27" in text


def test_a_clip_is_scored_once_per_method(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="different names"):
        write(tmp_path, [*make_scores(), make_scores()[0]])


def test_names_that_are_no_text_are_written(tmp_path: Path) -> None:
    assert "\\udcff" in write(tmp_path, [replace(make_scores()[0], clip="clip \udcff")])


def test_a_page_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write(tmp_path / "nowhere", make_scores())


@pytest.mark.parametrize("values", [[3.0], [0.0], [-2.0, -2.0], [0.0, 1e-9], [1e6, 1e6 + 1], [-1.0, 1.0]])
def test_an_axis_holds_its_values_between_round_ticks(values: list[float]) -> None:
    axis = axis_around(values, 0, 100)
    ticks, decimals = axis.ticks()
    assert all(0 <= axis.at(value) <= 100 for value in [*values, *ticks])
    assert len({number(tick, decimals) for tick in ticks}) == len(ticks) >= 1


def test_ticks_are_round() -> None:
    assert Axis(0, 10, 0, 1).ticks() == ([0, 2, 4, 6, 8, 10], 0)


def test_a_line_breaks_where_a_frame_has_no_number() -> None:
    markup = line_plot([Line(label="ours", place=0, values=[1.0, 2.0, math.nan, 3.0])], alt="a line")
    path = next(value for tag, _, value in Page(markup).attributes if tag == "path" and "L" in value)
    assert path.count("M") == 2
    assert path.endswith("h0")


def test_numbers_have_a_true_minus_and_no_negative_zero() -> None:
    assert number(-1.25, 1) == "−1.2"
    assert number(-0.001, 2) == "0.00"


def test_an_element_escapes_its_attributes() -> None:
    assert element("td", "x", class_="a", data_value='"<', id=None) == '<td class="a" data-value="&quot;&lt;">x</td>'
