"""What kind of file it is: its bytes say so, not its name and not whoever sends it."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from casework.reading import read_yaml

if TYPE_CHECKING:
    from filetype.types.base import Type

NEEDED: Final = 8192
"""So many bytes from the beginning tell each type."""
_ZIP: Final = b"PK\x03\x04"
_OFD_ENTRY: Final = re.compile(rb"PK\x03\x04.{26}OFD\.xml", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FileType:
    """`endings` are those of a file name, in small letters without the dot; `is_taken`: as a document."""

    media_type: str
    endings: tuple[str, ...]
    is_taken: bool

    def may_be_called(self, file_name: str) -> bool:
        """A name without an ending says nothing wrong."""
        ending = PurePath(file_name).suffix.lower().removeprefix(".")
        return not ending or ending in self.endings


@cache
def taken_types() -> dict[str, FileType]:
    text = files("casework").joinpath("file_types.yaml").read_text(encoding="utf-8")
    return {
        one["media_type"]: FileType(one["media_type"], tuple(one["endings"]), is_taken=True)
        for one in read_yaml(text).content
    }


def file_type_of(head: bytes) -> FileType | None:
    """The type whose files begin like this; None when nobody knows it. Text has no mark of its own, so it has no type."""
    matcher = _matching(head)
    if matcher is None:
        return None
    taken = taken_types().get(matcher.mime)
    return taken or FileType(matcher.mime, (matcher.extension,), is_taken=False)


def _matching(head: bytes) -> "Type | None":
    import filetype  # noqa: PLC0415 - at the first file, not at the start

    found: Type | None = filetype.match(head, [_ofd(), *filetype.types])
    return found


@cache
def _ofd() -> "Type":
    """GB/T 33190: a ZIP archive with OFD.xml at its root, which the library does not know."""
    from filetype.types.base import Type  # noqa: PLC0415

    class Ofd(Type):  # type: ignore[misc]  # the library has no types
        def __init__(self) -> None:
            super().__init__(mime="application/ofd", extension="ofd")

        def match(self, head: bytes) -> bool:
            return head.startswith(_ZIP) and _OFD_ENTRY.search(head) is not None

    return Ofd()
