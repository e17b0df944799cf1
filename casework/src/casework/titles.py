"""What is granted: the number of a title and how long it holds, by the edition."""

import re
from datetime import date

from casework.case import Case
from casework.edition import Edition

_PLACE = re.compile(r"\{(year|province|region|serial)(?::0([1-9])d)?\}")
_SERIAL = re.compile("[0-9]{1,9}")


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


def serial_of(series: str, number: str) -> int | None:
    """The serial of a number of the series, None for any other text: 1 of `GR200944000001`."""
    before, after = _PLACE.sub("\0", series).split("\0")
    digits = number.removeprefix(before).removesuffix(after)
    if not _SERIAL.fullmatch(digits) or int(digits) == 0:
        return None
    try:
        return int(digits) if title_number(series, int(digits)) == number else None
    except ValueError:
        return None


def region_of(case: Case) -> str:
    """The GB/T 2260 code of the enterprise; without one, the code in its USCC (characters 3 to 8)."""
    region: str = case.facts.get("enterprise", {}).get("region") or case.enterprise_id[2:8]
    return region


def valid_until(edition: Edition, granted_on: date) -> date:
    """The last day of the validity that the edition gives."""
    return edition.validity.valid_until(granted_on)
