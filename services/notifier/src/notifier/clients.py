"""The mail server, behind one protocol. An attempt never raises: it ends with what the server said."""

import asyncio
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Final, Protocol

import aiosmtplib

from chassis.telemetry import mask
from notifier.domain.lines import one_line
from notifier.domain.notifications import LONGEST_ANSWER, Answer, Deferred, Mail, Reason, Rejected, Taken
from notifier.settings import Settings

_CLOSING_TIMEOUT: Final = 2.0


class MailChannel(Protocol):
    async def send(self, mail: Mail) -> Answer: ...


def composed(mail: Mail, sender: str) -> bytes:
    """The message: the same bytes, and so the same Message-ID, at every attempt. Lines end with CR LF.

    Raises ValueError where a header would hold a line break.
    """
    message = EmailMessage(policy=WIRE)
    message["From"] = sender
    message["To"] = mail.address
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.notification_id}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, charset="utf-8", cte="base64")
    message["Content-Language"] = mail.language
    return message.as_bytes()


class SmtpChannel:
    """One connection for each mail, ended within `smtp_timeout`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        cafile = str(settings.smtp_ca_file) if settings.smtp_ca_file else None
        self._tls = ssl.create_default_context(cafile=cafile) if settings.smtp_starttls else None

    async def send(self, mail: Mail) -> Answer:
        try:
            text = composed(mail, self._settings.mail_from)
        except ValueError as error:
            return Rejected("message_refused", _said(error))
        smtp = self._client()
        conversation = _Conversation(smtp, self._settings.mail_from, mail.address, text)
        try:
            async with asyncio.timeout(self._settings.smtp_timeout):
                return await conversation.hold()
        except TimeoutError:
            return Deferred("no answer in time", ambiguous=conversation.text_left)
        finally:
            await _close(smtp)

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=password,
            local_hostname=settings.mail_domain,
            timeout=settings.smtp_timeout,
            start_tls=settings.smtp_starttls,
            tls_context=self._tls,
        )


class _Conversation:
    """`text_left`: the text may have reached the server, so a missing answer leaves open whether it took the mail."""

    def __init__(self, smtp: aiosmtplib.SMTP, sender: str, address: str, text: bytes) -> None:
        self._smtp = smtp
        self._sender = sender
        self._address = address
        self._text = text
        self.text_left = False

    async def hold(self) -> Answer:
        try:
            await self._smtp.connect()
            # What is refused up to here is our own trouble, not the recipient's: it is tried again.
            await self._smtp.mail(self._sender)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return Deferred(_said(error))
        try:
            await self._smtp.rcpt(self._address)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return _refusal(error, "address_refused")
        self.text_left = True
        try:
            answer = await self._smtp.data(self._text)
        except aiosmtplib.SMTPDataError as error:
            return _refusal(error, "message_refused")
        except (aiosmtplib.SMTPException, OSError) as error:
            return Deferred(_said(error), ambiguous=True)
        return Taken(one_line(mask(f"{answer.code} {answer.message}"), LONGEST_ANSWER))


def _refusal(error: Exception, reason: Reason) -> Answer:
    if isinstance(error, aiosmtplib.SMTPResponseException) and 500 <= error.code < 600:
        return Rejected(reason, _said(error))
    return Deferred(_said(error))


def _said(error: Exception) -> str:
    """Without the address, which servers like to repeat; whom it was about is known from the notification."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return one_line(mask(f"{error.code} {error.message}"), LONGEST_ANSWER)
    return one_line(mask(f"{type(error).__name__}: {error}"), LONGEST_ANSWER)


async def _close(smtp: aiosmtplib.SMTP) -> None:
    """Says good-bye where that is possible; whatever comes of it, the answer about the mail stands."""
    if smtp.is_connected:
        with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            await asyncio.wait_for(smtp.quit(), _CLOSING_TIMEOUT)
    smtp.close()
