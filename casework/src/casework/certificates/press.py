"""Where certificates are set and signed: off the event loop, one at a time."""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from casework.certificates.face import Face
from casework.certificates.keys import CertificateKey
from casework.certificates.signing import sign
from chassis.clock import SHANGHAI
from chassis.errors import Unavailable

WAITING: Final = 32
FORM: Final = Path(__file__).with_name("certificate.typ")


class CannotBeSet(Exception):
    """The form is wrong, or the fonts lack a character of the name."""


class Press:
    """Sets certificates in a form, `form` instead of ours, with the fonts of the folder `fonts` besides ours.

    A thread of its own, and no more than WAITING in front of it: anybody may ask.
    """

    def __init__(self, form: Path | None = None, fonts: Path | None = None) -> None:
        self._form = form or FORM
        self._fonts = fonts
        self._waiting = 0

    async def certificate(self, face: Face, key: CertificateKey) -> bytes:
        """The signed PDF. Raises CannotBeSet, Unavailable when too many wait."""
        if self._waiting >= WAITING:
            raise Unavailable("too many certificates are being made", retry_after=2)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self._signed, face, key)
        finally:
            self._waiting -= 1

    def set(self, face: Face) -> bytes:
        """The unsigned PDF/A-2a: of the same face always the same bytes."""
        import typst  # noqa: PLC0415 - heavy, and a service may never be asked for a certificate

        said = face.model_dump_json()
        day = datetime.combine(face.granted_on, time.min, SHANGHAI)
        try:
            compiler = typst.Compiler(
                self._form, root=self._form.parent, font_paths=self._known_fonts, ignore_system_fonts=True,
                sys_inputs={"certificate": said, "qr": qr_code(face.verify_at)},
            )  # fmt: skip
            pdf = compiler.compile(format="pdf", pdf_standards=["a-2a"], timestamp=int(day.timestamp()))
        except typst.TypstError as error:
            raise CannotBeSet(f"{error.message} {' '.join(error.hints)}") from error
        if not isinstance(pdf, bytes):
            raise CannotBeSet("the form has no page")
        return pdf

    def _signed(self, face: Face, key: CertificateKey) -> bytes:
        return sign(self.set(face), key, bureau=face.bureau.zh, reason=f"{face.name.zh} {face.number}")

    @cached_property
    def _thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, "press")

    @cached_property
    def _known_fonts(self) -> Any:
        import pylopdf_fonts_zh_cn as ours  # noqa: PLC0415 - with typst
        import typst  # noqa: PLC0415

        folders = [ours.serif_path().parent, *([self._fonts] if self._fonts else [])]
        return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def qr_code(address: str) -> str:
    """The QR code of the address as an SVG of one path."""
    import segno  # noqa: PLC0415 - with typst

    drawn = io.BytesIO()
    segno.make_qr(address, error="m").save(drawn, kind="svg", border=0, xmldecl=False)
    return drawn.getvalue().decode()
