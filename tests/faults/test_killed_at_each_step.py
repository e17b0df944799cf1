"""A process killed (-9) at each step of the way of one fact: nothing is lost, nothing is done twice."""

from datetime import UTC, datetime

import pytest
from way import Way

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LISTENERS = ("ip-enterprise", "finance-link", "notifier")


def known_to(way: Way, service: str, enterprise_id: str) -> int:
    return len(way.rows(service, "SELECT 1 FROM enterprises WHERE enterprise_id = $1", enterprise_id))


def known_to_all(way: Way, enterprise_id: str) -> bool:
    return all(known_to(way, service, enterprise_id) == 1 for service in LISTENERS)


def said(way: Way, enterprise_id: str) -> int:
    sql = "SELECT 1 FROM events WHERE topic = 'certification.enterprises' AND key = $1"
    return len(way.rows("certification", sql, enterprise_id))


@pytest.mark.parametrize("step", ["publish.before_commit", "publish.after_commit"])
def test_killed_around_the_commit_the_repeated_request_has_one_effect(way: Way, step: str) -> None:
    way.arm(f"{step}=kill@1", "certification")
    enterprise_id = way.register()  # the first try meets the kill; the same key is sent again
    way.until(lambda: known_to_all(way, enterprise_id), "known to all")
    assert said(way, enterprise_id) == 1
    way.assert_kept()


@pytest.mark.parametrize("step", ["relay.after_claim", "relay.after_send", "relay.after_ack"])
def test_a_relay_killed_at_any_step_loses_and_doubles_nothing(way: Way, step: str) -> None:
    way.arm(f"{step}=kill@1", "certification")
    enterprise_id = way.register()
    way.until_died("certification")
    way.revive()
    way.until(lambda: known_to_all(way, enterprise_id), "known to all")
    assert said(way, enterprise_id) == 1
    way.assert_kept()


@pytest.mark.parametrize(
    "step", ["inbox.before_begin", "inbox.inside", "inbox.after_commit", "inbox.before_offsets"]
)
def test_listeners_killed_at_any_step_apply_the_event_once(way: Way, step: str) -> None:
    way.arm(f"{step}=kill@1", *LISTENERS)
    enterprise_id = way.register()
    way.until_died(*LISTENERS)
    way.revive()
    way.until(lambda: known_to_all(way, enterprise_id), "known to all")
    way.assert_kept()


def test_a_delivery_killed_before_its_row_is_repeated_and_the_doubt_is_shown(way: Way) -> None:
    enterprise_id = way.register()
    way.until(lambda: known_to_all(way, enterprise_id), "known to all")
    way.arm("delivery.before_row=kill@1", "notifier")
    way.consent(enterprise_id)
    way.until_died("notifier")
    way.rows(
        "notifier", "UPDATE work SET leased_until = now() WHERE state = 'due' AND leased_until IS NOT NULL"
    )
    way.revive()
    mine = "SELECT state FROM notifications WHERE recipient = $1 AND channel = 'mail'"
    way.until(
        lambda: [r["state"] for r in way.rows("notifier", mine, enterprise_id)] == ["delivered"], "delivered"
    )
    to = f"post-{enterprise_id.lower()}@firm.example"
    mails = [mail for mail in way.house.mail.mails() if to in (mail["X-RcptTo"] or "")]
    assert len({mail["Message-ID"] for mail in mails}) == 1
    assert way.rows("notifier", "SELECT sum(ambiguous) AS n FROM notifications")[0]["n"] >= len(mails) - 1
    way.assert_kept()


def test_a_deadline_killed_while_it_fires_is_met_once(way: Way) -> None:
    enterprise_id = way.register()
    way.until(lambda: known_to_all(way, enterprise_id), "known to all")
    way.consent(enterprise_id)
    way.arm("deadline.before_commit=kill@1", "finance-link")
    way.house.set_clock(datetime(2010, 1, 2, 2, 0, tzinfo=UTC))
    way.until_died("finance-link")
    way.rows(
        "finance-link",
        "UPDATE work SET leased_until = now() WHERE state = 'due' AND leased_until IS NOT NULL",
    )
    way.revive()
    ended = "SELECT ended_because FROM consents WHERE enterprise_id = $1 AND ended_at IS NOT NULL"
    way.until(lambda: len(way.rows("finance-link", ended, enterprise_id)) == 1, "ended")
    way.assert_kept()
