"""A mail server of our own, for demonstration and tests."""

import mailbox
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from chassis.embedded import HOST, free_port

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class MailSink:
    """Takes every mail and keeps it in `folder` (a maildir); sends nothing anywhere."""

    host: str
    port: int
    folder: Path

    def mails(self) -> list[mailbox.MaildirMessage]:
        return list(mailbox.Maildir(self.folder))


@contextmanager
def mail_sink(folder: Path) -> Iterator[MailSink]:
    """Raises OSError when no port can be had."""
    controller, sink = _listen(folder)
    try:
        yield sink
    finally:
        controller.stop(no_assert=True)


def _listen(folder: Path) -> tuple[Controller, MailSink]:
    for attempt in range(1, _ATTEMPTS + 1):
        port = free_port()
        controller = Controller(Mailbox(folder), hostname=HOST, port=port, server_hostname="huiqi.invalid")
        try:
            controller.start()
        except OSError:
            if attempt == _ATTEMPTS:
                raise
            continue
        return controller, MailSink(HOST, port, folder)
    raise AssertionError("unreachable")
