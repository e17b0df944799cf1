"""What may go wrong with a table, as one statement each, and what the witness has to say of it."""


def first(table: str, where: str = "true") -> str:
    return f"{table}.ctid = (SELECT ctid FROM {table} WHERE {where} LIMIT 1)"


def fact(name: str) -> str:
    return f"events.id = (SELECT min(id) FROM events WHERE type LIKE '%.{name}.v1')"


_SAID_AGAIN = """
INSERT INTO events (event_id, topic, key, sequence, type, payload, actor, caused_by, occurred_at)
SELECT gen_random_uuid(), topic, key, (SELECT max(sequence) + 1 FROM events WHERE topic = e.topic AND key = e.key),
       type, payload, actor, caused_by, occurred_at FROM events e WHERE type LIKE '%.{}.v1' LIMIT 1
"""
_CONSENT_AGAIN = """
INSERT INTO consents SELECT gen_random_uuid(), enterprise_id, bank_id, purpose, fields, text_version, on_title,
    given_on, given_at, given_by, expires_on, now(), 'replaced' FROM consents LIMIT 1
"""
_DECIDED_AGAIN = """
INSERT INTO decisions SELECT case_id, version + 1000, verb, actor, from_state, to_state, reasons, at FROM decisions
WHERE verb = 'propose' LIMIT 1
"""
_TOLD_AGAIN = """
INSERT INTO notifications SELECT gen_random_uuid(), caused_by, event_type, recipient || 'x', channel, statutory,
    template, template_version, language, subject, body, facts, state, reason_code, answer, attempts, ambiguous,
    created_at, queued_at, settled_at FROM notifications LIMIT 1
"""
_APPLIED_AGAIN = "INSERT INTO applied (topic, key, sequence, event_id) SELECT topic, key, sequence, event_id FROM applied {}"
_MOVED = "INSERT INTO rig_marks (consumer, topic, key, old, new) SELECT consumer, topic, key, {} FROM inbox LIMIT 1"

_ACCEPTED = "verb = 'accept'"

# What is done to whose tables, the promise that it breaks, and what the witness says of it.
TAMPERED = [
    ("certification", "DELETE FROM enterprises", "I1", "nothing is there"),
    ("certification", "UPDATE enterprises SET name = 'another'", "I1", "with another content"),
    ("certification", "UPDATE enterprises SET name = 'another'", "I1", "not what was told last"),
    ("certification", f"DELETE FROM enterprise_facts WHERE {first('enterprise_facts')}", "I1", "nothing is there"),
    ("certification", f"DELETE FROM idempotency WHERE {first('idempotency')}", "I1", "the answer is kept nowhere"),
    ("certification", "UPDATE idempotency SET body = '{}'", "I2", "not the one that was given"),
    ("certification", f"DELETE FROM decisions WHERE {first('decisions', _ACCEPTED)}", "I1", "no decision of it"),
    ("certification", f"DELETE FROM decisions WHERE {first('decisions', _ACCEPTED)}", "I1", "decisions are missing"),
    ("certification", _DECIDED_AGAIN, "I2", "2 decisions of one request"),
    ("ip-enterprise", f"DELETE FROM cases WHERE {first('cases')}", "I1", "0 rows of it"),
    ("ip-enterprise", "UPDATE cases SET state = 'withdrawn'", "I1", "its last decision does not say so"),
    ("ip-enterprise", f"DELETE FROM titles WHERE {first('titles')}", "I3", "title: the event was said"),
    ("ip-enterprise", "UPDATE titles SET number = 'X' || number", "I1", "acknowledged with number"),
    ("ip-enterprise", f"DELETE FROM notices WHERE {first('notices')}", "I3", "notice: the event was said"),
    ("ip-enterprise", f"DELETE FROM assets WHERE {first('assets')}", "I3", "asset: the event was said"),
    ("ip-enterprise", "UPDATE assets SET owned = NOT owned", "I1", "an asset is not what was told last"),
    ("ip-enterprise", f"DELETE FROM imports WHERE {first('imports')}", "I1", "no row of it is in imports"),
    ("finance-link", f"DELETE FROM consents WHERE {first('consents')}", "I1", "0 rows of it"),
    ("finance-link", f"DELETE FROM consents WHERE {first('consents')}", "I3", "consent: the event was said"),
    ("finance-link", _CONSENT_AGAIN, "I2", "2 rows in consents of one request"),
    ("finance-link", "UPDATE consents SET fields = '{contact.email}'", "I1", "acknowledged with fields"),
    ("finance-link", "UPDATE referrals SET state = 'withdrawn'", "I1", "a referral is withdrawn"),
    ("finance-link", "UPDATE referrals SET loan_use = 'yacht'", "I3", "a need that nobody was told of"),
    ("finance-link", f"DELETE FROM outcomes WHERE {first('outcomes')}", "I3", "outcome: the event was said"),
    ("certification", f"DELETE FROM events WHERE {fact('enterprise-changed')}", "I1", "was said 0 times instead of 1"),
    ("certification", f"DELETE FROM events WHERE {fact('case-submitted')}", "I1", "decision: the row is there"),
    ("finance-link", f"DELETE FROM events WHERE {fact('consent-given')}", "I1", "consent: the row is there"),
    ("finance-link", f"DELETE FROM events WHERE {fact('referral-drafted')}", "I1", "referral: the row is there"),
    ("notifier", f"DELETE FROM events WHERE {fact('notification-delivered')}", "I1", "notification: the row is"),
    ("certification", _SAID_AGAIN.format("enterprise-changed"), "I2", "was said 2 times instead of 1"),
    ("certification", _SAID_AGAIN.format("case-submitted"), "I2", "decision: 2 events of 1 row"),
    ("finance-link", "UPDATE events SET actor = 'officer:nobody'", "I3", "somebody who asked for nothing"),
    ("finance-link", f"DELETE FROM enterprises WHERE {first('enterprises')}", "I1", "keeps no copy"),
    ("finance-link", "UPDATE enterprises SET name = 'another'", "I3", "copy is not what the event says"),
    ("ip-enterprise", f"UPDATE enterprises SET caused_by = 'x' WHERE {first('enterprises')}", "I4", "not the last"),
    ("certification", f"DELETE FROM assets WHERE {first('assets')}", "I1", "keeps no copy"),
    ("finance-link", f"DELETE FROM titles WHERE {first('titles')}", "I1", "keeps no copy"),
    ("notifier", f"DELETE FROM notifications WHERE {first('notifications')}", "I1", "was not told of an event"),
    ("notifier", _TOLD_AGAIN, "I3", "told of what nobody said"),
    ("notifier", "UPDATE inbox SET sequence = sequence + 1", "I4", "a mark stands on"),
    ("notifier", _MOVED.format("2, 1"), "I4", "a mark went back from 2 to 1"),
    ("notifier", _MOVED.format("sequence + 5, sequence + 6"), "I4", "a mark moved from"),
    ("notifier", _MOVED.format("sequence, sequence + 1000"), "I4", "and the last event is"),
    ("tally", f"DELETE FROM applied WHERE {first('applied')}", "I1", "tally never applied"),
    ("tally", _APPLIED_AGAIN.format("LIMIT 1"), "I2", "tally applied the event 2 times"),
    ("tally", "UPDATE applied SET key = 'another'", "I3", "tally applied an event that nobody said"),
    ("tally", "UPDATE applied SET event_id = gen_random_uuid()", "I3", "tally applied another event"),
    ("tally", "UPDATE applied SET sequence = 3 - sequence WHERE sequence < 3", "I4", "tally applied number 2 after 0"),
    ("tally", "UPDATE counters SET applied = applied + 1", "I2", "tally's counter is"),
]  # fmt: skip
