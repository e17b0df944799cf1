"""Spreadsheets of a bureau, read cell by cell: values out, or a refusal that names sheet, row, column and reason."""

from casework.sheets.refusals import Reason, Refusal
from casework.sheets.single import read_single
from casework.sheets.tables import Column, Record, Table, read_table
from casework.sheets.workbook import Cell, Grid, NotAWorkbook, read_csv, read_workbook

__all__ = [
    "Cell",
    "Column",
    "Grid",
    "NotAWorkbook",
    "Reason",
    "Record",
    "Refusal",
    "Table",
    "read_csv",
    "read_single",
    "read_table",
    "read_workbook",
]
