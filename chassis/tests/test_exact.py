import pytest
from pydantic import TypeAdapter, ValidationError

from chassis.errors import Invalid
from chassis.exact import MAX_NAMES, WrittenDay, exact_json


def named(number: int) -> bytes:
    return b"{" + b",".join(b'"%d":1' % name for name in range(number)) + b"}"


def test_an_object_of_very_many_names_is_refused_before_each_is_complained_of() -> None:
    assert len(exact_json(named(MAX_NAMES))) == MAX_NAMES
    with pytest.raises(Invalid, match="too many names"):
        exact_json(b"[" + named(MAX_NAMES + 1) + b"]")


@pytest.mark.parametrize(
    "given", ["0", "1470009600", "2016-8-1", "2016-08-01T00:00:00", "20160801", "２０１６-08-01"]
)
def test_a_day_in_an_address_is_written_as_a_day(given: str) -> None:
    day = TypeAdapter(WrittenDay)
    assert str(day.validate_python("2016-08-01")) == "2016-08-01"
    with pytest.raises(ValidationError):
        day.validate_python(given)
