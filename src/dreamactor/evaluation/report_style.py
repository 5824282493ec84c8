"""What the page looks like and how its tables are sorted: its style, its script, and what a browser may load for it."""

from __future__ import annotations

from typing import Final

CONTENT_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""The browser itself refuses whatever would leave the file."""
STYLE: Final = """
:root {
  --paper: #fdfcfa; --card: #ffffff; --ink: #1c1b19; --muted: #6a675f; --rule: #e4e0d8; --strong-rule: #a8a295;
  --wash: #f4f1ea; --bad: #a3301c;
  --c0: #1f5f9e; --c1: #c2541d; --c2: #2b7a58; --c3: #84489b; --c4: #977000; --c5: #55606e;
  --serif: Charter, "Bitstream Charter", "Iowan Old Style", "Source Serif 4", Georgia, "Liberation Serif", serif;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #151618; --card: #1b1c1f; --ink: #e9e6e0; --muted: #a09c93; --rule: #2e2f33; --strong-rule: #63625f;
    --wash: #212226; --bad: #ff9a85;
    --c0: #7cb2ee; --c1: #f0986c; --c2: #6fc59d; --c3: #c99add; --c4: #d8b754; --c5: #aab4c2;
  }
}
* { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 var(--sans); }
main { max-width: 74rem; margin: 0 auto; padding: 3.5rem 1.5rem 5rem; }
a { color: inherit; text-decoration-color: var(--strong-rule); text-underline-offset: .18em; }
a:hover { text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--c0); outline-offset: 2px; }
h1, h2, h3 { font-family: var(--serif); font-weight: 600; line-height: 1.15; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.9rem, 5vw, 3rem); letter-spacing: -.015em; margin: .35rem 0 1rem; }
h2 { font-size: 1.6rem; letter-spacing: -.01em; margin: 0 0 1rem; }
h3 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
section { margin-top: 3.5rem; padding-top: 1.4rem; border-top: 1px solid var(--ink); }
.kicker { margin: 0; color: var(--muted); font-size: .85rem; font-variant-numeric: tabular-nums; }
.lede { max-width: 46rem; margin: 0; font: 1.2rem/1.5 var(--serif); overflow-wrap: anywhere; }
.notes { max-width: 46rem; margin: 1.2rem 0 0; padding: 0; list-style: none; color: var(--muted); overflow-wrap: anywhere; }
.notes li { padding-left: 1rem; border-left: 2px solid var(--rule); margin: .4rem 0; }
.about { max-width: 46rem; margin: 0 0 1rem; color: var(--muted); }
.about strong { color: var(--ink); }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin-top: 1.6rem; font-size: .9rem; }

.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--muted); font-size: .88rem; padding-bottom: .8rem; }
caption span { display: block; position: sticky; left: 0; max-width: min(46rem, 100vw - 2rem); }
th, td { padding: .5rem .9rem .5rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
th:last-child, td:last-child { padding-right: 0; }
th { font-weight: 400; }
thead th { color: var(--muted); font-size: .85rem; vertical-align: bottom; border-bottom-color: var(--strong-rule); }
.num { text-align: right; font-variant-numeric: tabular-nums; }
small { display: block; color: var(--muted); font-size: .86em; font-weight: 400; }
.unit { color: var(--muted); font-size: .86em; }
abbr { text-decoration: none; cursor: help; white-space: nowrap; color: var(--muted); }
.nothing { color: var(--muted); font-size: .86em; }
.summary { width: auto; min-width: min(40rem, 100%); }
.summary thead th.num { color: var(--ink); font-weight: 600; min-width: 7rem; overflow-wrap: anywhere; }
.summary td.num { white-space: nowrap; }
.summary td.num .nothing { white-space: normal; display: inline-block; max-width: 14rem; }
.summary th small { max-width: 26rem; overflow-wrap: anywhere; }
.summary .mean { font-size: 1.05rem; }
.summary .group { padding-top: 1.5rem; font: 600 1rem var(--serif); border-bottom-color: var(--strong-rule); }
.summary td.best .mean { font-weight: 700; }
.mark { margin-right: .5rem; padding: .05rem .4rem; border-radius: 2px; font-size: .72rem; }
.mark { background: var(--ink); color: var(--paper); }
.summary .verdict { min-width: 13rem; max-width: 19rem; padding-left: 1.2rem; }
.summary tbody th { min-width: 12.5rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin-bottom: .3rem; color: var(--ink); }

.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); gap: 1.6rem 2.4rem; }
figure { margin: 0; min-width: 0; padding-top: .5rem; border-top: 1px solid var(--rule); }
figcaption { font-size: .92rem; font-weight: 600; margin-bottom: .2rem; }
figcaption .unit { font-weight: 400; }
.side-by-side { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1.5rem; }
.quoted { font-size: .8rem; }
.quoted th:not(:last-child), .quoted td:not(:last-child) { padding-right: .5rem; }
.quoted th.num { white-space: nowrap; }
.quoted caption { color: var(--ink); font-weight: 600; padding-bottom: .3rem; }

.sheet { padding: 1.1rem 0 1.4rem; border-top: 1px solid var(--rule); scroll-margin-top: 1rem; }
.about + .sheet { border-top: 0; padding-top: 0; }
.sheet h3 { margin: 0 0 .7rem; }
.tag { margin-left: .7rem; color: var(--muted); font: .8rem var(--sans); }
.moments { display: grid; grid-template-columns: minmax(0, 1fr) 15rem; gap: .4rem 1.5rem; margin-bottom: 1rem; }
.moments img { display: block; max-width: 100%; height: auto; border-radius: 2px; background: var(--wash); }
.who { margin: 0 0 .3rem; font-size: .92rem; font-weight: 600; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 1fr auto; gap: .05rem .8rem; margin: 0; font-size: .85rem; }
dt { color: var(--muted); }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
dt:first-of-type, dd:first-of-type { color: var(--ink); font-weight: 600; }
details > summary { cursor: pointer; padding: .8rem 0; border-top: 1px solid var(--rule); font-weight: 600; }
.error { color: var(--bad); overflow-wrap: anywhere; }
p.error { margin: 0; }

.clips { font-size: .85rem; }
.clips th, .clips td { padding: .35rem .9rem .35rem 0; }
.clips tbody th, .clips td { white-space: nowrap; }
.clips .nothing, .clips .error { white-space: normal; }
.summary th[scope=row], .clips th[scope=row] { position: sticky; left: 0; background: var(--paper); }
.clips td .nothing { display: inline-block; min-width: 7rem; }
[role=button] { cursor: pointer; }
[role=button]:hover { color: var(--ink); }
[aria-sort] { color: var(--ink); font-weight: 600; }
[aria-sort=ascending] [role=button]::after { content: " ▴"; }
[aria-sort=descending] [role=button]::after { content: " ▾"; }
.settings th { white-space: nowrap; color: var(--muted); }
.settings td { font: .85rem/1.5 var(--mono); overflow-wrap: anywhere; width: 100%; }

@media screen { .ready caption span::after { content: " Click a heading to sort."; } }
@media screen and (max-width: 44rem) {
  main { padding: 2rem 1rem 3rem; }
  section { margin-top: 2.5rem; }
  .moments { grid-template-columns: minmax(0, 1fr); }
  .summary tbody th[scope=row], .clips tbody th { min-width: 7.5rem; max-width: 9.5rem; }
  .clips tbody th { white-space: normal; overflow-wrap: anywhere; }
  .settings th { white-space: normal; }
}
@media print {
  @page { margin: 14mm; }
  @page wide { size: landscape; }
  :root { --paper: #fff; }
  body { background: none; font-size: 10pt; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  section { margin-top: 2rem; }
  .scroll { overflow: visible; }
  .side-by-side { grid-template-columns: 1fr 1fr; }
  #clips { page: wide; }
  .clips { font-size: 7pt; }
  .clips td .nothing { min-width: 0; }
  .clips td { white-space: normal; }
  figure, tr, .moments { break-inside: avoid; }
  h2, h3, caption, .about { break-after: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
SCRIPT: Final = """
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  table.classList.add("ready");
  heads.forEach((head, column) => {
    const numeric = head.classList.contains("num");
    const key = (row) => {
      const cell = row.cells[column];
      if (!numeric) return cell.textContent;
      return cell && cell.dataset.value !== undefined ? Number(cell.dataset.value) : null;
    };
    const compare = (a, b) => (numeric ? a - b : a.localeCompare(b, undefined, { numeric: true }));
    const button = document.createElement("span"); // a real button is missing from the header of later printed pages
    button.tabIndex = 0;
    button.setAttribute("role", "button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      button.click();
    });
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      const rows = [...body.rows].map((row) => [key(row), row]);
      rows.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b)));
      body.append(...rows.map(([, row]) => row));
    });
  });
}
"""
