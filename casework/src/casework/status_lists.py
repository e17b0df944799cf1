"""Status lists: one bit for each title, 1 once it is revoked (W3C Bitstring Status List v1.0)."""

import gzip
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# The least that the recommendation allows (section 3.1), so that a list does not tell whose status is asked for. It is
# part of every place ever given: lists never change their length.
LIST_LENGTH: Final = 131_072
_MULTIBASE_BASE64URL: Final = "u"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a title's bit is."""

    list_id: int
    index: int

    @classmethod
    def numbered(cls, place: int) -> "Place":
        return cls(*divmod(place, LIST_LENGTH))


def encoded(revoked: Iterable[int]) -> str:
    """The list with these bits set: index 0 is the highest bit of the first byte; gzip, base64url, multibase."""
    bits = bytearray(LIST_LENGTH // 8)
    for index in revoked:
        bits[index // 8] |= 0x80 >> index % 8
    packed = gzip.compress(bytes(bits), mtime=0)
    return _MULTIBASE_BASE64URL + urlsafe_b64encode(packed).decode().rstrip("=")


def decoded(encoded_list: str) -> bytes:
    """The bits. Raises ValueError for what is no list, or one that is too short or far too long."""
    if not encoded_list.startswith(_MULTIBASE_BASE64URL):
        raise ValueError("the list is not base64url in multibase")
    packed = urlsafe_b64decode(encoded_list[1:] + "=" * (-(len(encoded_list) - 1) % 4))
    unpacking = zlib.decompressobj(wbits=31)
    try:
        bits = unpacking.decompress(packed, LIST_LENGTH)
    except zlib.error as error:
        raise ValueError("the list is not gzip") from error
    if len(bits) < LIST_LENGTH // 8 or unpacking.unconsumed_tail:
        raise ValueError("the list is shorter than the standard allows, or far too long")
    return bits


def is_set(bits: bytes, index: int) -> bool:
    """Raises ValueError for an index outside of the list."""
    if not 0 <= index < len(bits) * 8:
        raise ValueError("the index is outside of the list")
    return bool(bits[index // 8] & (0x80 >> index % 8))
