"""The columnar forms of measures: each answers for every row what the measure of its name answers for one case."""

from casework.columns.twins import growing, rights, spending, staffing

__all__ = ["growing", "rights", "spending", "staffing"]
