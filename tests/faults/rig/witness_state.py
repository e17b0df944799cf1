"""Rows and their events: a state that nobody was told of, and an event of a state that is not there."""

from collections import Counter, defaultdict
from typing import Any, Final

from rig.witness_acknowledged import same
from rig.witness_answers import gaps
from rig.witness_rows import CASEWORK, Row, Rows, Seen, pair

# Which steps of a case are told of, and by which event. A draft that is withdrawn was never told of.
_TOLD_BY: Final = {
    "submit": "case-submitted", "resubmit": "case-submitted", "return": "case-returned", "judge": "case-judged",
    "propose": "case-proposed", "open_notice": "notice-opened", "refuse": "case-refused",
    "withdraw": "case-withdrawn", "grant": "title-granted", "object": "objection-lodged",
    "dismiss_objection": "objection-decided", "uphold_objection": "objection-decided", "inspect": "inspection-held",
}  # fmt: skip
_STATE_AFTER: Final = {
    "referral-drafted": {"draft"}, "referral-sent": {"sent"}, "referral-accepted": {"accepted"},
    "referral-returned": {"returned"}, "referral-approved": {"approved"}, "referral-disbursed": {"disbursed"},
    "referral-rejected": {"rejected"}, "referral-withdrawn": {"withdrawn", "expired"},
}  # fmt: skip
ENTRY_FACTS: Final = ("enterprise-registered", "enterprise-changed")
_ENTRY: Final = ("name", "region", "established_on", "language", "contact_email")
_ASSET: Final = ("kind", "acquired", "granted_on", "expires_on", "in_force", "owned", "related")


def check_state(seen: Seen, rows: Rows) -> None:
    rows = rows.of_clients()
    _check_enterprises(seen, rows)
    for service in CASEWORK:
        _check_cases(seen, rows, service)
        _check_grants(seen, rows, service)
    _check_consents(seen, rows)
    _check_referrals(seen, rows)
    _check_assets(seen, rows)
    _check_notifications(seen, rows)


def _facts(rows: Rows, service: str, fact: str, *names: str) -> list[tuple[str, ...]]:
    told = [told for told in rows.told if told.service == service and told.fact == fact]
    return [tuple(str(one.payload[name]) for name in names) for one in told]


def _names(found: list[Row], *names: str) -> list[tuple[str, ...]]:
    return [tuple(str(row[name]) for name in names) for row in found]


def _check_enterprises(seen: Seen, rows: Rows) -> None:
    """The load changes what is told in every write: as many events as versions, the last with what stands there."""
    last = rows.last_of_key("certification.enterprises", ENTRY_FACTS)
    told = Counter(one.key for one in rows.told if one.topic == "certification.enterprises")
    entries = {row["enterprise_id"]: row for row in rows.of("certification", "enterprises")}
    versions = [name for name, row in entries.items() for _ in range(row["version"])]
    pair(seen, versions, told.elements(), "enterprise", service="certification")
    for enterprise_id in entries.keys() & last.keys():
        compare(seen, "an entry is not what was told last", entries[enterprise_id], last[enterprise_id].payload,
                _ENTRY, enterprise_id=enterprise_id)  # fmt: skip


def compare(
    seen: Seen, why: str, row: Row, payload: Row, names: tuple[str, ...], *, promise: str = "I1", **where: Any
) -> None:
    seen.counts(promise, 1)
    other = [name for name in names if same(row[name]) != same(payload[name])]
    if other:
        seen.breaks(promise, why, **where, differs=other)


def _check_cases(seen: Seen, rows: Rows, service: str) -> None:
    decisions: dict[str, list[Row]] = defaultdict(list)
    decided = []
    for row in rows.of(service, "decisions"):
        decisions[str(row["case_id"])].append(row)
        fact = _TOLD_BY.get(row["verb"])
        if fact is not None and not (row["verb"] == "withdraw" and row["from_state"] == "draft"):
            decided.append((str(row["case_id"]), fact, row["actor"]))
    told = [
        (one.payload["case_id"], one.fact, one.actor)
        for one in rows.told
        if one.service == service and one.fact in _TOLD_BY.values()
    ]
    pair(seen, decided, told, "decision", service=service)
    for case in rows.of(service, "cases"):
        seen.counts("I1", 1)
        made = sorted(decisions[str(case["case_id"])], key=lambda row: int(row["version"]))
        where = {"service": service, "case_id": str(case["case_id"])}
        if gaps([row["version"] for row in made]):
            seen.breaks("I1", "decisions are missing", **where)
        stands = (case["version"], case["state"])
        if not made or (made[-1]["version"], made[-1]["to_state"]) != stands:
            seen.breaks("I1", f"a case stands at {stands}, and its last decision does not say so", **where)


def _check_grants(seen: Seen, rows: Rows, service: str) -> None:
    granted = ("case_id", "title_id", "number", "enterprise_id")
    titles = _names(rows.of(service, "titles"), *granted)
    pair(seen, titles, _facts(rows, service, "title-granted", *granted), "title", service=service)
    opened = ("case_id", "opens_on", "ends_on")
    notices = _names(rows.of(service, "notices"), *opened)
    pair(seen, notices, _facts(rows, service, "notice-opened", *opened), "notice", service=service)


def _check_consents(seen: Seen, rows: Rows) -> None:
    consents, service = rows.of("finance-link", "consents"), "finance-link"
    names = ("consent_id", "enterprise_id", "bank_id", "purpose", "text_version", "expires_on")
    pair(
        seen,
        _names(consents, *names),
        _facts(rows, service, "consent-given", *names),
        "consent",
        service=service,
    )
    withdrawn = [row for row in consents if row["ended_because"] == "withdrawn"]
    pair(
        seen, _names(withdrawn, "consent_id"), _facts(rows, service, "consent-withdrawn", "consent_id"),
        "withdrawal", service=service,
    )  # fmt: skip


def _check_referrals(seen: Seen, rows: Rows) -> None:
    service, referrals = "finance-link", rows.of("finance-link", "referrals")
    names = ("referral_id", "enterprise_id", "bank_id", "product_id")
    drafted = _facts(rows, service, "referral-drafted", *names)
    pair(seen, _names(referrals, *names), drafted, "referral", service=service)
    reported = [
        (one.payload["referral_id"], one.fact.removeprefix("referral-"))
        for one in rows.told
        if one.topic == "finance-link.referrals" and one.fact in _STATE_AFTER
        and one.fact not in {"referral-drafted", "referral-sent", "referral-withdrawn"}
    ]  # fmt: skip
    outcomes = _names(rows.of(service, "outcomes"), "referral_id", "kind")
    pair(seen, outcomes, reported, "outcome", service=service)
    sent = _facts(rows, service, "referral-sent", "referral_id", "consent_id")
    offered = _facts(rows, service, "referral-offered", "referral_id", "consent_id")
    pair(seen, sent, offered, "offer", service=service)
    last = rows.last_of_key("finance-link.referrals", _STATE_AFTER)
    for row in referrals:
        told = last.get(str(row["referral_id"]))
        seen.counts("I1", 1)
        if told is not None and row["state"] not in _STATE_AFTER[told.fact]:
            why = f"a referral is {row['state']}, and {told.fact} was told last"
            seen.breaks("I1", why, service=service, referral_id=str(row["referral_id"]))


def _check_assets(seen: Seen, rows: Rows) -> None:
    entries = {(row["enterprise_id"], row["asset_id"]): row for row in rows.of("ip-enterprise", "assets")}
    told = last_of_assets(rows)
    pair(seen, entries, told, "asset", service="ip-enterprise")
    for name in entries.keys() & told.keys():
        compare(
            seen, "an asset is not what was told last", entries[name], told[name], _ASSET, asset=str(name)
        )


def last_of_assets(rows: Rows) -> dict[tuple[str, str], Row]:
    """Each asset as its events tell it, with the place of the last of them under `cause`."""
    found: dict[tuple[str, str], Row] = {}
    assets = [told for told in rows.told if told.topic == "ip-enterprise.assets"]
    for told in sorted(assets, key=lambda told: (told.key, told.sequence)):
        name = told.payload["enterprise_id"], told.payload["asset_id"]
        if told.fact == "asset-recorded":
            found[name] = {**told.payload, "cause": told.cause}
        elif name in found:
            expired = {"in_force": False, "expires_on": told.payload["expired_on"], "cause": told.cause}
            found[name] = {**found[name], **expired}
    return found


def _check_notifications(seen: Seen, rows: Rows) -> None:
    for state in ("delivered", "undelivered"):
        ended = [row for row in rows.of("notifier", "notifications") if row["state"] == state]
        names = ("notification_id", "recipient", "channel", "caused_by")
        told = _facts(rows, "notifier", f"notification-{state}", *names)
        pair(seen, _names(ended, *names), told, f"{state} notification", service="notifier")
