"""A scanned page, for the demonstration and for whoever drives a house: one real PDF that any paper may name."""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

_PAGE: Final = b"BT /F1 18 Tf 72 760 Td (huiqi: a sample document) Tj ET"
_PARTS: Final = (
    b"<< /Type /Catalog /Pages 2 0 R >>",
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    b"<< /Length %d >>\nstream\n%s\nendstream" % (len(_PAGE), _PAGE),
    b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
)


def _pdf(parts: Iterable[bytes]) -> bytes:
    content, places = b"%PDF-1.7\n", [b"0000000000 65535 f \n"]
    for number, part in enumerate(parts, 1):
        places.append(b"%010d 00000 n \n" % len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(places),
        len(content),
    )
    return content + b"xref\n0 %d\n%s" % (len(places), b"".join(places)) + trailer


SCAN: Final = _pdf(_PARTS)
SCANNED: Final[dict[str, Any]] = {
    "media_type": "application/pdf", "bytes": len(SCAN), "sha256": hashlib.sha256(SCAN).hexdigest(),
}  # fmt: skip
"""What a document of a case says of it."""
