"""A scanned page, for the demonstration and for whoever drives a house: a real PDF that any paper may name."""

import hashlib
from collections.abc import Iterable
from typing import Any, Final


def page_saying(line: str) -> bytes:
    """A PDF of one page with this line on it, in ASCII and without parentheses or backslashes."""
    text = b"BT /F1 18 Tf 72 760 Td (%s) Tj ET" % line.encode("ascii")
    return _pdf((
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ))  # fmt: skip


def described(content: bytes) -> dict[str, Any]:
    """What a document of a case says of its file."""
    digest = hashlib.sha256(content).hexdigest()
    return {"media_type": "application/pdf", "bytes": len(content), "sha256": digest}


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


SCAN: Final = page_saying("huiqi: a sample document")
SCANNED: Final = described(SCAN)
