"""What is granted: the number of a title and how long it holds, by the edition."""

import re
from datetime import date

from casework.edition import Edition

_PLACE = re.compile(r"\{(year|province|region|sequence)(?::0?([1-9]))?d?\}")


def number_series(edition: Edition, region: str, granted_on: date) -> str:
    """The edition's number with its sequence left open: `GR200944{sequence:06}`.

    Sequences are counted for each such series. `region` is a GB/T 2260 code; its first two digits are the province.
    """
    known = {"year": str(granted_on.year), "province": region[:2], "region": region}
    return _PLACE.sub(lambda place: known.get(place[1], place[0]), edition.title_number)


def title_number(series: str, sequence: int) -> str:
    """The whole number: `GR200944000001`. Raises ValueError when the sequence outgrows its digits."""

    def written(place: re.Match[str]) -> str:
        digits = int(place[2] or 1)
        text = str(sequence).zfill(digits)
        if place[2] and len(text) > digits:
            raise ValueError(f"{series} has no number {sequence}")
        return text

    return _PLACE.sub(written, series)


def valid_until(edition: Edition, granted_on: date) -> date:
    """The last day of the validity that the edition gives."""
    return edition.validity.valid_until(granted_on)
