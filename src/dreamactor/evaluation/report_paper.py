"""The numbers the paper publishes, and the page's section that quotes them."""

from __future__ import annotations

from typing import Final

from dreamactor.evaluation.plots import element
from dreamactor.evaluation.report_markup import column_heading, framed_table

PAPER_SOURCE: Final = (
    "DreamActor-M1: Holistic, Expressive and Robust Human Image Animation with Hybrid Guidance, arXiv 2504.01724"
)
PAPER_COLUMNS: Final = ("FID ↓", "SSIM ↑", "PSNR ↑", "LPIPS ↓", "FVD ↓")
PAPER_TABLES: Final = (
    (
        "Table 1. Body animation",
        (
            ("Animate Anyone", "36.72", "0.791", "21.74", "0.266", "158.3"),
            ("Champ", "40.21", "0.732", "20.18", "0.281", "171.2"),
            ("MimicMotion", "35.90", "0.799", "22.25", "0.253", "149.9"),
            ("DisPose", "33.01", "0.804", "21.99", "0.248", "144.7"),
            ("DreamActor-M1", "27.27", "0.821", "23.93", "0.206", "122.0"),
        ),
    ),
    (
        "Table 2. Portrait animation",
        (
            ("LivePortrait", "31.72", "0.809", "24.25", "0.270", "147.1"),
            ("X-Portrait", "30.09", "0.774", "22.98", "0.281", "150.9"),
            ("SkyReels-A1", "30.66", "0.811", "24.11", "0.262", "133.8"),
            ("Act-One", "29.84", "0.817", "25.07", "0.259", "135.2"),
            ("DreamActor-M1", "25.70", "0.823", "28.44", "0.238", "110.3"),
        ),
    ),
    (
        "Table 3. References, DreamActor-M1",
        (
            ("Single-R", "28.22", "0.798", "25.86", "0.223", "120.5"),
            ("Multi-R (pseudo)", "26.53", "0.812", "26.22", "0.219", "116.6"),
        ),
    ),
)
"""Section 4 of the paper, digit by digit."""


def paper_section() -> str:
    """The tables of the paper, marked as not comparable."""
    about = element(
        "p",
        element("strong", "Private data, not comparable."),
        f" Quoted from the paper’s section 4 ({PAPER_SOURCE}): measured on the authors’ own videos, which are not public.",
        class_="about",
    )
    head = [column_heading("Method"), *(column_heading(column, class_="num") for column in PAPER_COLUMNS)]
    tables = []
    for caption, rows in PAPER_TABLES:
        lines = [
            element("tr", element("th", row[0], scope="row"), *(element("td", cell, class_="num") for cell in row[1:]))
            for row in rows
        ]
        tables.append(framed_table(caption, caption, head, [element("tbody", *lines)], class_="quoted"))
    return about + element("div", *tables, class_="side-by-side")
