"""What listeners made of what they heard: copies that are what was told last, and everybody told who is to be told."""

from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from chassis.topics import load_topics
from rig.ground import Ground
from rig.witness_rows import Row, Rows, Seen, Told
from rig.witness_state import ENTRY_FACTS, compare, last_of_assets

_ENTRY: Final = ("name", "region", "established_on")
_COPIES: Final = {
    "ip-enterprise": _ENTRY,
    "finance-link": (*_ENTRY, "language", "contact_email"),
    "notifier": ("name", "language", "contact_email"),
}
_ASSET: Final = ("kind", "acquired", "granted_on", "expires_on", "in_force", "owned", "related")
_TITLE: Final = ("enterprise_id", "programme", "number", "granted_on", "valid_until")


def check_heard(seen: Seen, ground: Ground, rows: Rows) -> None:
    for listener, names in _COPIES.items():
        held = _held(ground, rows, listener)
        last = rows.last_of_key("certification.enterprises", ENTRY_FACTS)
        copies = {r["enterprise_id"]: r for r in rows.of(listener, "enterprises") if r["name"] is not None}
        wanted = {
            key: {**told.payload, "cause": told.cause}
            for key, told in last.items()
            if (told.topic, key) not in held
        }
        _check_copies(seen, listener, copies, wanted, names)
    _check_assets(seen, ground, rows)
    _check_titles(seen, ground, rows)
    _check_told(seen, ground, rows)


def _held(ground: Ground, rows: Rows, listener: str) -> set[tuple[str, str]]:
    """Keys of which the listener has set something aside, or that a fault made unservable: they wait with a reason."""
    aside = {(topic, key) for topic, key, _ in rows.aside(listener)}
    return aside | {(topic, key) for name, topic, key in ground.held if name == listener}


def _check_copies(
    seen: Seen, listener: str, copies: dict[Any, Row], wanted: dict[Any, Row], names: tuple[str, ...]
) -> None:
    for name, told in wanted.items():
        where = {"listener": listener, "about": str(name), "cause": told["cause"]}
        copy = copies.get(name)
        seen.counts("I1", 1)
        if copy is None:
            seen.breaks("I1", "the listener keeps no copy of what was told", **where)
        elif copy["caused_by"] != told["cause"]:
            why = f"the listener's copy is of {copy['caused_by']}, which is not the last event"
            seen.breaks("I4", why, **where)
        else:
            compare(
                seen,
                "the listener's copy is not what the event says",
                copy,
                told,
                names,
                promise="I3",
                **where,
            )


def _check_assets(seen: Seen, ground: Ground, rows: Rows) -> None:
    held = {key for topic, key in _held(ground, rows, "certification") if topic == "ip-enterprise.assets"}
    copies = {(row["enterprise_id"], row["asset_id"]): row for row in rows.of("certification", "assets")}
    wanted = {name: told for name, told in last_of_assets(rows).items() if name[0] not in held}
    _check_copies(seen, "certification", copies, wanted, _ASSET)


def _check_titles(seen: Seen, ground: Ground, rows: Rows) -> None:
    held = _held(ground, rows, "finance-link")
    copies = {str(row["title_id"]): row for row in rows.of("finance-link", "titles")}
    granted = [
        told for told in rows.told if told.fact == "title-granted" and (told.topic, told.key) not in held
    ]
    wanted = {told.payload["title_id"]: {**told.payload, "cause": told.cause} for told in granted}
    _check_copies(seen, "finance-link", copies, wanted, _TITLE)


@cache
def _rules() -> dict[str, Row]:
    """The notifier's table as data: who is told of which type of event, over which channels."""
    content: dict[str, Row] = yaml.safe_load((files("notifier") / "rules.yaml").read_text(encoding="utf-8"))
    return content


def _recipient(who: str, told: Told) -> str:
    match who:
        case "enterprise":
            return str(told.payload["enterprise_id"])
        case "bank":
            return f"bank:{told.payload['bank_id']}"
        case "expert":
            return f"expert:{told.payload['subject']}"
        case _:
            return "role:officer"


def _owed(told: Told) -> list[tuple[str, str, str]]:
    """Whom the notifier has to tell of an event: its cause, recipient and channel."""
    notices = _rules().get(told.type, {}).get("tell", [])
    return [(told.cause, _recipient(one["who"], told), by) for one in notices for by in one["channels"]]


def _check_told(seen: Seen, ground: Ground, rows: Rows) -> None:
    topics = {name for name, topic in load_topics().items() if "notifier" in topic.listeners}
    held = _held(ground, rows, "notifier")
    heard = [told for told in rows.told if told.topic in topics and (told.topic, told.key) not in held]
    passed = {told.cause for told in rows.told if (told.topic, told.key) in held}
    owed = Counter(one for told in heard for one in _owed(told))
    found = [row for row in rows.of("notifier", "notifications") if row["caused_by"] not in passed]
    kept = Counter((row["caused_by"], row["recipient"], row["channel"]) for row in found)
    for name in owed.keys() | kept.keys():
        seen.counts("I1", 1)
        where = {"cause": name[0], "recipient": name[1], "channel": name[2]}
        if kept[name] < owed[name]:
            seen.breaks("I1", "somebody was not told of an event", **where)
        elif kept[name] > owed[name] > 0:
            seen.breaks("I2", f"somebody was told {kept[name]} times of one event", **where)
        elif kept[name] > owed[name]:
            seen.breaks("I3", "somebody was told of what nobody said, or without a rule", **where)
