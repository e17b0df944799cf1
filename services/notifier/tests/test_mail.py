"""A mail is taken, refused or tried again for hours; what may be a duplicate is counted."""

import asyncio
from email.message import EmailMessage

import pytest

from chassis.work import Job
from notifier.clients import SmtpChannel, composed
from notifier.deliveries import Deliveries
from notifier.domain.notifications import Mail
from notifier.use_cases import MAIL_SEND
from notifier_rig import FIRM, Bureau, Sink, changed, free_port, granted, registered, settings


async def title_mail(bureau: Bureau, **enterprise: str) -> None:
    await bureau.hear(registered(**enterprise), granted())


async def mail(bureau: Bureau) -> dict[str, object]:
    row = await bureau.row(channel="mail")
    return {name: row[name] for name in ("state", "reason_code", "attempts", "ambiguous", "answer")}


async def test_a_mail_is_taken_and_reads_as_written(bureau: Bureau, sink: Sink) -> None:
    await title_mail(bureau, name="示例精密制造有限公司")
    await bureau.work()
    ((recipients, message),) = sink.received
    row = await bureau.row(channel="mail")
    assert recipients == ["office@firm.example"]
    assert message["To"] == "office@firm.example"
    assert message["From"] == "noreply@bureau.example"
    assert message["Subject"] == row["subject"] == "已认定为高新技术企业"
    assert message["Message-ID"] == f"<{row['notification_id']}@bureau.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "zh-CN"
    assert message.get_content().replace("\r\n", "\n") == row["body"]
    assert message.get_content().startswith("示例精密制造有限公司：\r\n")
    assert await mail(bureau) == {
        "state": "delivered", "reason_code": None, "attempts": 1, "ambiguous": 0, "answer": "250 taken",
    }  # fmt: skip
    assert (await bureau.said())[-1] == ("notification-delivered", FIRM, "mail", None)


async def test_a_mail_is_plain_ascii_on_the_wire_and_the_same_at_every_attempt(bureau: Bureau) -> None:
    await title_mail(bureau, name="示例精密制造有限公司" * 20)
    row = await bureau.row(channel="mail")
    one = Mail(
        row["notification_id"], "office@firm.example", "zh-CN", row["subject"], row["body"], row["created_at"]
    )
    wire = composed(one, "noreply@bureau.example")
    assert wire == composed(one, "noreply@bureau.example")
    assert wire.isascii()
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998
    assert b"=?utf-8?" in wire


@pytest.mark.parametrize("place", ["recipient_answers", "text_answers"])
async def test_a_refused_mail_ends_at_once_with_its_reason(bureau: Bureau, sink: Sink, place: str) -> None:
    getattr(sink, place).append("550 5.1.1 no such mailbox")
    await title_mail(bureau)
    await bureau.work()
    reason = "address_refused" if place == "recipient_answers" else "message_refused"
    assert await mail(bureau) == {
        "state": "undelivered", "reason_code": reason, "attempts": 1, "ambiguous": 0,
        "answer": "550 5.1.1 no such mailbox",
    }  # fmt: skip
    assert (await bureau.said())[-1] == ("notification-undelivered", FIRM, "mail", reason)
    assert await bureau.work() == 0
    assert sink.received == []


@pytest.mark.parametrize("place", ["recipient_answers", "text_answers"])
async def test_a_mail_put_off_is_tried_again_and_is_no_duplicate(
    bureau: Bureau, sink: Sink, place: str
) -> None:
    getattr(sink, place).extend(["451 4.7.1 greylisted", "421 busy"])
    await title_mail(bureau)
    await bureau.work()
    assert (await mail(bureau))["state"] == "pending"
    await bureau.work_until_quiet()
    assert len(sink.received) == 1
    assert await mail(bureau) == {
        "state": "delivered", "reason_code": None, "attempts": 3, "ambiguous": 0, "answer": "250 taken",
    }  # fmt: skip


async def test_a_connection_lost_after_the_text_is_ambiguous_and_counted(bureau: Bureau, sink: Sink) -> None:
    sink.text_answers.append("drop")
    await title_mail(bureau)
    await bureau.work_until_quiet()
    found = await mail(bureau)
    assert (found["state"], found["attempts"], found["ambiguous"]) == ("delivered", 2, 1)
    assert len(sink.received) == 2
    (first, second) = (message for _, message in sink.received)
    assert first["Message-ID"] == second["Message-ID"]
    assert first.as_bytes() == second.as_bytes()


async def test_a_server_that_does_not_answer_the_text_is_ambiguous(bureau: Bureau, sink: Sink) -> None:
    sink.text_answers.append("hang")
    bureau.changes["smtp_timeout"] = 0.3
    await title_mail(bureau)
    await bureau.work()
    found = await mail(bureau)
    assert (found["state"], found["attempts"], found["ambiguous"]) == ("pending", 1, 1)


async def test_a_process_that_died_after_sending_is_counted_as_ambiguous(bureau: Bureau, sink: Sink) -> None:
    await title_mail(bureau)
    worker = bureau.worker()
    (job,) = await worker.lease([MAIL_SEND])
    told = settings(bureau.port)
    await Deliveries(bureau.db, told, SmtpChannel(told)).send_mail(job)
    async with bureau.db.transaction() as tx:
        await tx.execute("UPDATE work SET leased_until = now() - interval '1 second'")
    await bureau.work()
    found = await mail(bureau)
    assert (found["state"], found["attempts"], found["ambiguous"]) == ("delivered", 2, 1)
    assert len({message["Message-ID"] for _, message in sink.received}) == 1


async def test_a_mail_server_that_is_away_is_tried_again(bureau: Bureau, sink: Sink) -> None:
    bureau.port = free_port()
    await title_mail(bureau)
    await bureau.work()
    found = await mail(bureau)
    assert (found["state"], found["attempts"], found["ambiguous"]) == ("pending", 1, 0)
    bureau.port = sink.port
    await bureau.work_until_quiet()
    assert (await mail(bureau))["state"] == "delivered"


async def test_after_its_budget_a_mail_is_given_up_with_a_reason(bureau: Bureau) -> None:
    bureau.port = free_port()
    bureau.changes |= {"mail_first_delay": 30}
    await title_mail(bureau)
    async with bureau.db.transaction() as tx:
        await tx.execute("UPDATE notifications SET queued_at = now() - interval '71 hours 30 minutes'")
    await bureau.work()
    assert (await mail(bureau))["state"] == "pending"
    async with bureau.db.transaction() as tx:
        await tx.execute("UPDATE notifications SET queued_at = now() - interval '73 hours'")
        await tx.execute("UPDATE work SET leased_until = NULL")
    await bureau.work()
    found = await mail(bureau)
    assert (found["state"], found["reason_code"]) == ("undelivered", "no_answer_in_time")
    assert "SMTPConnectError" in str(found["answer"])


async def test_a_mail_that_is_taken_after_its_budget_is_delivered(bureau: Bureau) -> None:
    await title_mail(bureau)
    async with bureau.db.transaction() as tx:
        await tx.execute("UPDATE notifications SET queued_at = now() - interval '100 hours'")
    await bureau.work()
    assert (await mail(bureau))["state"] == "delivered"


async def test_the_next_attempt_goes_to_the_newest_address(bureau: Bureau, sink: Sink) -> None:
    sink.recipient_answers.append("451 later")
    await title_mail(bureau)
    await bureau.work()
    await bureau.hear(changed(email="new@firm.example"))
    await bureau.work_until_quiet()
    assert sink.received[0][0] == ["new@firm.example"]


async def test_an_address_taken_away_between_attempts_ends_the_mail(bureau: Bureau, sink: Sink) -> None:
    sink.recipient_answers.append("451 later")
    await title_mail(bureau)
    await bureau.work()
    await bureau.hear(changed(email=None))
    await bureau.work_until_quiet()
    assert (await mail(bureau))["reason_code"] == "no_address"
    assert sink.received == []


async def test_a_name_cannot_add_headers_or_recipients(bureau: Bureau, sink: Sink) -> None:
    await bureau.hear(
        registered(name="厂\r\nBcc: all@firm.example\n\nhello"), granted(number="x\r\nBcc: y@firm.example")
    )
    await bureau.work()
    ((recipients, message),) = sink.received
    assert recipients == ["office@firm.example"]
    assert message["Bcc"] is None
    assert message.get_content().splitlines()[0] == "厂 Bcc: all@firm.example hello："


async def test_a_line_break_in_a_header_is_refused_and_never_sent(bureau: Bureau, sink: Sink) -> None:
    await title_mail(bureau)
    async with bureau.db.transaction() as tx:
        await tx.execute(
            "UPDATE notifications SET subject = E'a\\r\\nBcc: x@firm.example' WHERE channel = 'mail'"
        )
    await bureau.work()
    assert (await mail(bureau))["reason_code"] == "message_refused"
    assert sink.received == []


async def test_without_the_wanted_encryption_nothing_is_said(bureau: Bureau, sink: Sink) -> None:
    bureau.changes["smtp_starttls"] = True
    await title_mail(bureau)
    await bureau.work()
    found = await mail(bureau)
    assert (found["state"], found["ambiguous"]) == ("pending", 0)
    assert sink.received == []


async def test_two_workers_send_each_mail_once(bureau: Bureau, sink: Sink) -> None:
    await bureau.hear(registered(), *(granted() for _ in range(12)))
    await asyncio.gather(*(bureau.work() for _ in range(4)))
    await bureau.work_until_quiet()
    ids: list[EmailMessage] = [message["Message-ID"] for _, message in sink.received]
    assert len(ids) == len(set(ids)) == 12


async def test_a_mail_already_settled_is_not_sent_again(bureau: Bureau, sink: Sink) -> None:
    await title_mail(bureau)
    row = await bureau.row(channel="mail")
    await bureau.work()
    told = settings(bureau.port)
    again = Job(1, MAIL_SEND, str(row["notification_id"]), {}, row["created_at"], 1, row["notification_id"])
    await Deliveries(bureau.db, told, SmtpChannel(told)).send_mail(again)
    assert len(sink.received) == 1
