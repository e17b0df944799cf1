"""A file that holds one table: the one sheet of a workbook, or a CSV."""

from casework.sheets.refusals import MISSING_SHEET, REPEATED_SHEET, UNKNOWN_SHEET, refuse
from casework.sheets.tables import Table
from casework.sheets.values import plain
from casework.sheets.workbook import Grid, NotAWorkbook, read_csv, read_workbook

_NO_TEXT = (b"PK", b"%PDF", b"\xd0\xcf\x11\xe0")


def read_single(content: bytes, table: Table) -> Grid:
    """An .xlsx with the table's sheet and no other that holds anything, or a CSV (UTF-8 or GBK). Raises NotAWorkbook."""
    if not content.startswith(_NO_TEXT):
        return read_csv(content, table.sheet)
    grids = [grid for grid in read_workbook(content) if grid.rows]
    unknown = [grid.name for grid in grids if plain(grid.name) not in table.names]
    if unknown:
        raise NotAWorkbook(*(refuse(name, UNKNOWN_SHEET, sheet=name, known=table.sheet) for name in unknown))
    if not grids:
        raise NotAWorkbook(refuse(table.sheet, MISSING_SHEET, sheet=table.sheet))
    if len(grids) > 1:
        raise NotAWorkbook(refuse(grids[1].name, REPEATED_SHEET, sheet=grids[1].name, other=grids[0].name))
    return grids[0]
