"""Writes the figures of the newest full result into docs/performance.md, between its two marks.

`python bench/report.py [RESULT.json]`; with `--check` it changes nothing and ends with 1 where the page is out of date.
"""

import json
import sys
from pathlib import Path
from typing import Any

import click
from plot import draw

HOME = Path(__file__).parents[1]
PAGE = HOME / "docs" / "performance.md"
RESULTS = Path(__file__).parent / "results"
BEGIN, END = "<!-- figures: made by `python bench/report.py` -->", "<!-- end of figures -->"


def newest() -> Path:
    """The last result that holds the rows of the whole bench; of those, the last by name."""
    found = [path for path in sorted(RESULTS.glob("*.json")) if {"B1", "B5"} <= ids_of(path)]
    return found[-1] if found else max(RESULTS.glob("*.json"))


def ids_of(path: Path) -> set[str]:
    rows = json.loads(path.read_bytes()).get("rows", [])
    return {row["id"] for row in rows if isinstance(row, dict) and "id" in row}


def figures(result: dict[str, Any], name: str) -> str:
    lines = [
        f"From `bench/results/{name}.json`.", "", f"![ratios against promises](../bench/results/{name}.svg)", "",
        "| row | what | ours | peer | ratio | promise | | spread |", "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    lines += [line_of(row) for row in result["rows"]]
    machine, servers = result["machine"], result["servers"]
    lines += [
        "",
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, Python {machine['python']}; "
        + ", ".join(f"{name} {said}" if said[0].isdigit() else said for name, said in servers.items())
        + ".",
        "",
        "Ledger: "
        + ", ".join(
            f"{name} {p['checked']:,} checked, {p['broken']} broken" for name, p in result["ledger"].items()
        )
        + ".",
    ]
    return "\n".join(lines)


def line_of(row: dict[str, Any]) -> str:
    peer = "" if row["peer"] is None else f"{row['peer']:,} ({row['peer_name']})"
    verdict = "" if row["promise"] == "-" else "met" if row["met"] else "**missed**"
    ratio = "" if row["ratio"] is None else f"{row['ratio']:,}"
    cells = (row["id"], row["what"], f"{row['ours']:,} {row['unit']}", peer, ratio, row["promise"], verdict)
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} | {row['spread']:.0%} |"


def page_with(text: str, content: str) -> str:
    """Raises ValueError when the marks are not there."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{content}\n\n{END}{after}"


@click.command()
@click.argument("result", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--check", is_flag=True, help="change nothing; 1 where the page is out of date")
def main(*, result: Path | None, check: bool) -> None:
    chosen = result or newest()
    content = json.loads(chosen.read_bytes())
    text = PAGE.read_text(encoding="utf-8")
    written = page_with(text, figures(content, chosen.stem))
    if check:
        sys.exit(0 if written == text else 1)
    draw(content, chosen.with_suffix(".svg"))
    PAGE.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
