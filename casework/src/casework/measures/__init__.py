"""Measures: small pure functions on exact numbers that rulebooks name; see `REGISTRY`."""

from casework.measures import growing, rights, spending, staffing
from casework.measures.amounts import REGISTRY, Amount, Case, Measure, Missing, NoGrade, Registered, Span

__all__ = [
    "REGISTRY", "Amount", "Case", "Measure", "Missing", "NoGrade", "Registered", "Span",
    "growing", "rights", "spending", "staffing",
]  # fmt: skip
