"""What is granted: the number of a title and how long it holds, by the edition."""

import re
from datetime import date

from casework.edition import Edition

_PLACE = re.compile(r"\{(year|province|region|serial)(?::0([1-9])d)?\}")


def problem_with_number(form: str) -> str | None:
    """What is wrong with an edition's form of numbers (`GR{year}44{serial:06d}`), or None."""
    places = [place[1] for place in _PLACE.finditer(form)]
    if places.count("serial") != 1:
        return "a title number needs {serial} once"
    if "year" not in places:
        return "a title number needs {year}"
    return (
        "only year, province, region and serial have a place"
        if set("{}") & set(_PLACE.sub("", form))
        else None
    )


def number_series(edition: Edition, region: str, granted_on: date) -> str:
    """The edition's number with its serial left open: `GR200944{serial:06d}`.

    Serials are counted for each such series. `region` is a GB/T 2260 code; its first two digits are the province.
    """
    known = {"year": str(granted_on.year), "province": region[:2], "region": region}
    return _PLACE.sub(lambda place: known.get(place[1], place[0]), edition.title_number)


def title_number(series: str, serial: int) -> str:
    """The whole number: `GR200944000001`. Raises ValueError when the serial outgrows its digits."""

    def written(place: re.Match[str]) -> str:
        digits = int(place[2] or 0)
        if digits and len(str(serial)) > digits:
            raise ValueError(f"{series} has no number {serial}")
        return str(serial).zfill(digits)

    return _PLACE.sub(written, series)


def valid_until(edition: Edition, granted_on: date) -> date:
    """The last day of the validity that the edition gives."""
    return edition.validity.valid_until(granted_on)
