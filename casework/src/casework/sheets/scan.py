"""What openpyxl's streaming reader does not tell: extents, merged ranges, formulas without a stored result."""

from dataclasses import dataclass, field
from typing import IO
from xml.etree.ElementTree import Element, iterparse

from openpyxl.utils.cell import coordinate_to_tuple, get_column_letter, range_boundaries

from casework.sheets.workbook import MAX_COLUMNS, MAX_ROWS

MAX_MERGED_CELLS = 200_000


@dataclass(slots=True)
class Scan:
    """Extents count filled cells only; `merged` maps (row, column) to the range it belongs to."""

    rows: int = 0
    columns: int = 0
    merged: dict[tuple[int, int], str] = field(default_factory=dict)
    uncached: set[tuple[int, int]] = field(default_factory=set)


def scan_sheet(source: IO[bytes]) -> Scan:
    """Raises ValueError or ParseError for malformed XML; stops early once the sheet is too tall or too wide."""
    scan = Scan()
    ranges: list[str] = []
    row = column = 0
    for event, element in iterparse(source, events=("start", "end")):  # noqa: S314 - sizes are capped before
        match event, element.tag.rpartition("}")[2]:
            case "start", "row":
                row, column = int(element.get("r") or row + 1), 0
            case "end", "c":
                row, column = _place(element, row, column)
                _note_cell(scan, element, row, column)
            case "end", "row":
                element.clear()
            case "end", "mergeCell":
                ranges.append(element.get("ref") or "")
        if scan.rows > MAX_ROWS or scan.columns > MAX_COLUMNS:
            return scan
    for merged in ranges:
        _note_merged(scan, merged)
    return scan


def _place(element: Element, row: int, column: int) -> tuple[int, int]:
    address = element.get("r")
    return coordinate_to_tuple(address) if address else (row, column + 1)


def _note_cell(scan: Scan, element: Element, row: int, column: int) -> None:
    parts = {child.tag.rpartition("}")[2]: child for child in element}
    value = parts.get("v")
    empty = value is None or not value.text
    if empty and "f" in parts and (value is None or element.get("t") != "str"):
        scan.uncached.add((row, column))
    elif empty and "is" not in parts:
        return
    scan.rows = max(scan.rows, row)
    scan.columns = max(scan.columns, column)


def _note_merged(scan: Scan, merged: str) -> None:
    left, top, right, bottom = range_boundaries(merged)
    if left is None or top is None or right is None or bottom is None:
        return
    right, bottom = min(right, scan.columns), min(bottom, scan.rows)
    if len(scan.merged) + max(0, right - left + 1) * max(0, bottom - top + 1) > MAX_MERGED_CELLS:
        message = f"too many merged cells at {get_column_letter(left)}{top}"
        raise ValueError(message)
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            scan.merged[row, column] = merged
