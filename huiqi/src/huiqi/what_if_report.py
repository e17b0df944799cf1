"""How the answer to what-if is written: row by row as it comes, the totals at the end."""

import csv
import json
from collections.abc import Sequence
from typing import Any, Final, Protocol, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from casework.edition import Edition
from casework.what_if import STATES, Flip, Row, Side, Totals

SHOWN: Final = 50


class Report(Protocol):
    def begin(self) -> None: ...
    def rows(self, rows: Sequence[Row]) -> None: ...
    def end(self, totals: Totals) -> None: ...


class AsJson:
    """One JSON object: the editions, `enterprises` one to a line, and `totals` last."""

    def __init__(self, out: TextIO, before: Edition, after: Edition) -> None:
        self._out, self._editions = out, (before, after)
        self._written = 0

    def begin(self) -> None:
        before, after = ({"edition": str(e.in_force_from), "hash": e.hash} for e in self._editions)
        head = {"programme": self._editions[0].programme, "before": before, "after": after}
        self._out.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "enterprises": [')

    def rows(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._out.write((",\n " if self._written else "\n ") + json.dumps(_row(row), ensure_ascii=False))
            self._written += 1

    def end(self, totals: Totals) -> None:
        self._out.write(
            f'\n], "totals": {json.dumps(totals_of(totals, self._editions), ensure_ascii=False)}}}\n'
        )


class AsCsv:
    """A line for each enterprise; the totals go to standard error."""

    def __init__(self, out: TextIO, before: Edition, after: Edition) -> None:
        self._csv, self._editions = csv.writer(out, lineterminator="\n"), (before, after)

    def begin(self) -> None:
        names = ("verdict", "failed", "unknown", "score_from", "score_to", "refused")
        sides = [f"{side}_{name}" for side in ("before", "after") for name in names]
        self._csv.writerow(["enterprise_id", "name", "case_id", *sides, "flips"])

    def rows(self, rows: Sequence[Row]) -> None:
        for row in rows:
            who = row.subject
            sides = [cell for side in (row.before, row.after) for cell in _cells(side)]
            self._csv.writerow(
                [who.enterprise_id, _harmless(who.name), who.case_id, *sides, " ".join(map(_flip, row.flips))]
            )

    def end(self, totals: Totals) -> None:
        _show_totals(totals, self._editions, Console(stderr=True))


class AsTable:
    """The first enterprises and the totals, to be read."""

    def __init__(self, out: TextIO, before: Edition, after: Edition) -> None:
        self._console, self._editions = Console(file=out), (before, after)
        self._first: list[Row] = []
        self._count = 0

    def begin(self) -> None:
        pass

    def rows(self, rows: Sequence[Row]) -> None:
        self._first += rows[: SHOWN - len(self._first)]
        self._count += len(rows)

    def end(self, totals: Totals) -> None:
        before, after = (str(edition.in_force_from) for edition in self._editions)
        table = Table("enterprise", "name", before, "score", after, "score", "why", box=None)
        for row in self._first:
            who, sides = row.subject, (row.before, row.after)
            cells = [cell for side in sides for cell in (side.verdict, _score(side) or "-")]
            table.add_row(who.enterprise_id, escape(who.name or ""), *cells, _why(row))
        self._console.print(table)
        if self._count > len(self._first):
            self._console.print(f"and {self._count - len(self._first):,} more; --format csv lists all")
        _show_totals(totals, self._editions, self._console)


FORMS: Final[dict[str, Any]] = {"json": AsJson, "csv": AsCsv, "table": AsTable}


def _row(row: Row) -> dict[str, Any]:
    who = row.subject
    return {
        "enterprise_id": who.enterprise_id, "name": who.name, "case_id": who.case_id,
        "before": _side(row.before), "after": _side(row.after), "flips": [flip._asdict() for flip in row.flips],
    }  # fmt: skip


def _side(side: Side) -> dict[str, Any]:
    return {
        "verdict": side.verdict, "failed": side.failed, "unknown": side.unknown,
        "score": None if side.score is None else dict(zip(("lo", "hi"), side.score, strict=True)),
        "refused": None if side.refused is None else dict(zip(("path", "rule"), side.refused, strict=True)),
    }  # fmt: skip


def totals_of(totals: Totals, editions: tuple[Edition, Edition]) -> dict[str, Any]:
    """What was counted, as plain names and values."""
    conditions = [
        [
            {"id": one.id, **{outcome: counted[one.id, outcome] for outcome in ("pass", "fail", "unknown")}}
            for one in edition.conditions
        ]
        for edition, counted in zip(editions, totals.conditions, strict=True)
    ]
    moves = sorted(totals.moves.items())
    return {
        "judged": totals.judged, "changed": totals.changed,
        "moves": [{"before": before, "after": after, "count": count} for (before, after), count in moves],
        "flips": [{**flip._asdict(), "count": count} for flip, count in totals.flips.most_common()],
        "conditions": dict(zip(("before", "after"), conditions, strict=True)),
        "refused": {
            side: [{"path": path, "rule": rule, "count": count} for (path, rule), count in refused.most_common()]
            for side, refused in zip(("before", "after"), totals.refused, strict=True)
        },
        "by_scalar": totals.by_scalar,
    }  # fmt: skip


def _show_totals(totals: Totals, editions: tuple[Edition, Edition], console: Console) -> None:
    before, after = (str(edition.in_force_from) for edition in editions)
    moves = Table(f"{before} \\ {after}", *STATES, box=None)
    for state in STATES:
        moves.add_row(state, *(f"{totals.moves[state, other]:,}" for other in STATES))
    console.print(moves)
    for flip, count in totals.flips.most_common():
        console.print(f"{count:>12,}  {_flip(flip)}", highlight=False)
    for day, refused in zip((before, after), totals.refused, strict=True):
        for (path, rule), count in refused.most_common(5):
            console.print(
                f"{count:>12,}  unusable under {day}: {path}: {rule}", highlight=False, markup=False
            )
    console.print(f"{totals.changed:,} of {totals.judged:,} enterprises change their verdict")


def _cells(side: Side) -> list[str]:
    low, high = side.score or ("", "")
    refused = ": ".join(side.refused) if side.refused else ""
    return [side.verdict, " ".join(side.failed), " ".join(side.unknown), low, high, _harmless(refused) or ""]


def _why(row: Row) -> str:
    refused = [": ".join(side.refused) for side in (row.before, row.after) if side.refused]
    return ", ".join([*dict.fromkeys(refused), *map(_flip, row.flips)])


def _score(side: Side) -> str | None:
    return None if side.score is None else "–".join(dict.fromkeys(side.score))


def _flip(flip: Flip) -> str:
    """`O3 fail → H4 pass`."""
    sides = ((flip.before, flip.was), (flip.after, flip.becomes))
    return " → ".join(" ".join(filter(None, side)) or "·" for side in sides)


def _harmless(text: str | None) -> str | None:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text
