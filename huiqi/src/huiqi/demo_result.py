"""What the demonstration came to, as the services tell it, beside what was meant to happen."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import asyncpg

from huiqi.demo_doors import OFFICER, Doors
from huiqi.demo_replay import Replay
from huiqi.demo_round import Told
from huiqi.demo_year import Application, Target
from huiqi.installation import Installation
from huiqi.ledger import Ledger, check

TITLE_SERVICES: Final = ("certification", "ip-enterprise")
Counts = dict[str, int]
Table = dict[str, Counts]


@dataclass(frozen=True, slots=True)
class YearEnd:
    """The year as it stood on its last day. `unexpected` says which application came out otherwise, and how."""

    plan: list[dict[str, Any]]
    applications: Table
    unexpected: list[str]
    titles: Counts
    referrals: Table


@dataclass(slots=True)
class Result:
    """The year, the round, and what all of it left: `by_…` breakdowns count each thing once."""

    year: YearEnd
    round: list[Told]
    notifications: Table
    undelivered: Counts
    events: Counts
    ledger: Ledger
    seconds: float = 0.0
    memory: Mapping[str, int] = field(default_factory=dict)

    @property
    def unexpected(self) -> list[str]:
        """What came out otherwise than meant, in the year and in the round."""
        return self.year.unexpected + [
            f"{one.on} {one.who}: {one.what}" for one in self.round if not one.holds
        ]

    @property
    def as_meant(self) -> bool:
        return self.ledger.kept and not self.unexpected

    def as_json(self) -> dict[str, Any]:
        year = self.year
        return {
            "plan": year.plan,
            "applications": {
                "total": _total(year.applications),
                "by_programme": year.applications,
                "unexpected": year.unexpected,
            },
            "titles": {"total": sum(year.titles.values()), "by_programme": year.titles},
            "referrals": {"total": _total(year.referrals), "by_bank": year.referrals},
            "round": [{**asdict(one), "on": one.on.isoformat()} for one in self.round],
            "notifications": {
                "total": _total(self.notifications),
                "by_channel": self.notifications,
                "undelivered": self.undelivered,
            },
            "events": {"total": sum(self.events.values()), "by_topic": self.events},
            "ledger": self.ledger.counts(),
            "seconds": round(self.seconds, 1),
        }


def _total(table: Table) -> int:
    return sum(sum(counts.values()) for counts in table.values())


async def year_end(replay: Replay) -> YearEnd:
    """Reads through the APIs what the year came to; the round that follows would change it."""
    doors, year = replay.doors, replay.year
    titles = [
        title for service in TITLE_SERVICES for title in await doors.every(OFFICER, service, "/v1/titles")
    ]
    referrals = await doors.every(OFFICER, "finance-link", "/v1/referrals")
    return YearEnd(
        plan=[_reached(target, titles, referrals) for target in year.targets],
        applications=await _applications(doors),
        unexpected=[
            why
            for application in year.applications.values()
            for why in await _unlike(doors, application, replay.cases[application.id].case_id)
        ],
        titles=_counted(map(_programme, titles)),
        referrals=_table((row["bank_id"], row["state"]) for row in referrals),
    )


async def look_back(replay: Replay, year: YearEnd, told: list[Told]) -> Result:
    """Whom all of it was told, through the API; events and promises come from the databases and topics themselves."""
    installation = Installation.of_house(replay.house.addresses)
    summary = await replay.doors.get(OFFICER, "notifier", "/v1/notifications/summary")
    return Result(
        year=year,
        round=told,
        notifications=_table((row["channel"], row["state"]) for row in summary["counts"] for _ in range(row["count"])),
        undelivered={row["reason_code"]: row["count"] for row in summary["reasons"]},
        events=await _events(installation),
        ledger=await check(installation),
        memory=replay.house.memory(),
    )  # fmt: skip


async def _applications(doors: Doors) -> Table:
    rows = [row for service in TITLE_SERVICES for row in await doors.every(OFFICER, service, "/v1/cases")]
    return _table((_programme(row), f"{row['state']}, {row['verdict']}") for row in rows)


async def _unlike(doors: Doors, application: Application, case_id: str) -> list[str]:
    """In what the case differs from what was meant."""
    whole = await doors.get(OFFICER, application.service, f"/v1/cases/{case_id}")
    failed = [c["id"] for c in whole["answer"]["conditions"] if c["outcome"] == "fail"]
    found = {
        "verdict": whole["case"]["verdict"],
        "failed_conditions": sorted(failed),
        "state": whole["case"]["state"],
    }
    meant = application.expected.model_dump() | {
        "failed_conditions": sorted(application.expected.failed_conditions)
    }
    return [
        f"{application.id}: {name} is {found[name]} instead of {meant[name]}"
        for name in meant
        if found[name] != meant[name]
    ]


def _reached(
    target: Target, titles: Sequence[Mapping[str, Any]], referrals: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The target with its `actual`; null where nothing that the services do is counted."""
    actual = None
    if target.counts == "titles":
        actual = sum(
            title["programme"] == target.programme and target.level in (None, title["level"])
            for title in titles
        )
    elif target.counts == "referrals":
        actual = sum(referral["state"] == target.outcome for referral in referrals)
    return {"id": target.id, "min": target.min, "max": target.max, "actual": actual}


def _programme(row: Mapping[str, Any]) -> str:
    return f"{row['programme']}/{row['level']}" if row["level"] else str(row["programme"])


def _counted(names: Iterable[str]) -> Counts:
    return dict(sorted(Counter(names).items()))


def _table(pairs: Iterable[tuple[str, str]]) -> Table:
    table: dict[str, Counter[str]] = {}
    for row, column in pairs:
        table.setdefault(row, Counter())[column] += 1
    return {name: dict(table[name].most_common()) for name in sorted(table)}


async def _events(installation: Installation) -> Counts:
    counts: Counts = {}
    for url in installation.databases.values():
        connection = await asyncpg.connect(url)
        try:
            rows = await connection.fetch("SELECT topic, count(*) AS events FROM events GROUP BY topic")
        finally:
            await connection.close()
        counts |= {row["topic"]: row["events"] for row in rows}
    return dict(sorted(counts.items()))
