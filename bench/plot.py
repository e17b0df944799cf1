"""The ratios of a run against their promises, drawn: `python bench/plot.py RESULT.json PICTURE`."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
mpl.rcParams["svg.hashsalt"] = "huiqi"
mpl.rcParams["svg.fonttype"] = "none"

from matplotlib.figure import Figure  # noqa: E402

MET, MISSED, INK, PALE = "#2f7d4f", "#b3261e", "#1f2933", "#d9dee4"
_BOUND = re.compile(r"(>=|<=) ([\d.]+)")


def share_of_promise(row: dict[str, Any]) -> float | None:
    """How many times better than promised: 1 is just met, below 1 is missed; None where nothing is promised."""
    found = _BOUND.match(row["promise"])
    if found is None:
        return None
    reached, bound = row["ratio"] if row["ratio"] is not None else row["ours"], float(found[2])
    if not reached:
        return None
    return float(reached / bound) if found[1] == ">=" else float(bound / reached)


def label(row: dict[str, Any]) -> str:
    what = row["what"].split(";")[0].split("(")[0].strip()
    if row["peer"] is not None and len(what) < 40:
        what = f"{what}, beside {row['peer_name'].split(':')[0]}"
    return f"{row['id']}  {what if len(what) <= 62 else what[:60] + '…'}"


def said(row: dict[str, Any]) -> str:
    reached = f"{row['ours']:,g} {row['unit']}" if row["ratio"] is None else f"{row['ratio']:g}×"
    return f"{reached}  (promise {row['promise'].replace('>=', '≥').replace('<=', '≤').replace('x', '×')})"


def draw(result: dict[str, Any], target: Path) -> None:
    rows = [(row, share) for row in result["rows"] if (share := share_of_promise(row)) is not None]
    rows.reverse()
    figure = Figure(figsize=(11, 0.42 * len(rows) + 1.3), layout="constrained")
    axes = figure.add_subplot()
    shares = [max(share, 0.02) for _, share in rows]
    colours = [MET if row["met"] else MISSED for row, _ in rows]
    axes.barh(range(len(rows)), [share - 1 for share in shares], left=1, color=colours, height=0.56)
    axes.axvline(1, color=INK, linewidth=1.2)
    axes.set_xscale("log")
    axes.set_xlim(min([*shares, 0.5]) / 1.6, max([*shares, 2]) * 6)
    axes.set_xticks(
        [0.1, 0.25, 0.5, 1, 2, 5, 10, 20], ["1/10", "1/4", "1/2", "promise", "2×", "5×", "10×", "20×"]
    )
    axes.set_yticks(range(len(rows)), [label(row) for row, _ in rows], fontsize=9, color=INK)
    axes.tick_params(length=0)
    axes.minorticks_off()
    axes.grid(axis="x", color=PALE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    for at, ((row, _), share) in enumerate(zip(rows, shares, strict=True)):
        axes.text(max(share, 1) * 1.08, at, said(row), va="center", fontsize=8.5, color=INK)
    missed = sum(not row["met"] for row, _ in rows)
    title = f"{len(rows) - missed} of {len(rows)} promises met"
    axes.set_title(
        f"{title} — how far each measured figure lies from what is promised",
        loc="left",
        fontsize=11,
        color=INK,
    )
    figure.savefig(target, dpi=110, metadata={"Date": None} if target.suffix == ".svg" else None)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]))
