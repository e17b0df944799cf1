"""The demo year, played day by day through the services' HTTP APIs.

Nothing is waited for by the clock on the wall: where a step needs what an event or a deadline brings about, that is
looked for until it is there.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from huiqi.demo_doors import OFFICER, Doors, Stopped, person, until
from huiqi.demo_progress import Progress
from huiqi.demo_year import (
    CLOSES,
    OPENS,
    REGISTERS_ASSETS,
    Answer,
    Application,
    Consent,
    Day,
    Outcome,
    Step,
    Wish,
    Year,
    instant,
)
from huiqi.house import House
from huiqi.installation import Installation
from huiqi.ledger import await_quiet
from huiqi.scan import SCAN, SCANNED

QUIET_WITHIN: Final = 60.0
_ADDRESS: Final = {
    "submit": "submit", "resubmit": "submit", "return": "return", "accept": "accept", "start_review": "review",
    "judge": "judgements", "propose": "propose", "open_notice": "notice", "grant": "grant", "refuse": "refuse",
    "withdraw": "withdraw",
}  # fmt: skip


@dataclass(slots=True)
class Case:
    """A case as its applicant and its officers have last seen it."""

    case_id: str
    etag: str


@dataclass(slots=True)
class Replay:
    year: Year
    house: House
    doors: Doors
    progress: Progress
    cases: dict[str, Case] = field(default_factory=dict)
    consents: dict[tuple[str, str, str], str] = field(default_factory=dict)
    expiries: list[tuple[str, str, date]] = field(default_factory=list)

    async def run(self) -> None:
        """Plays the whole year. Raises Stopped when something is refused or does not happen."""
        await self._open()
        days = self.year.days()
        for _, _, last in self.expiries:
            days.setdefault(last + timedelta(days=1), Day())
        for place, on in enumerate(sorted(days), 1):
            self.house.set_clock(instant(on))
            self.progress.day(on, _told(days[on]), place / len(days))
            await self._play(on, days[on])
        self.house.set_clock(instant(CLOSES))
        await self.quiet("the end of the year")

    async def quiet(self, why: str) -> None:
        installation = Installation.of_house(self.house.addresses)
        if not await await_quiet(installation, QUIET_WITHIN):
            raise Stopped(f"still not at rest after {QUIET_WITHIN:.0f} s: {why}")

    async def _open(self) -> None:
        """The registers, and what the banks offer. Everybody has to know them before the first application."""
        self.house.set_clock(instant(OPENS))
        self.progress.step("enterprises and their facts")
        await self._take_in("certification", self.year.enterprises)
        self.house.set_clock(instant(REGISTERS_ASSETS))
        self.progress.step("IP assets, banks and their products")
        await self._take_in("ip-enterprise", self.year.assets)
        await together(
            self.doors.ask(OFFICER, "finance-link", "PUT", f"/v1/products/{p.bank_id}/{p.product_id}", p.body)
            for p in self.year.products
        )
        assets = await self.doors.every(OFFICER, "ip-enterprise", "/v1/assets")
        self.expiries = [
            (asset["enterprise_id"], asset["asset_id"], last)
            for asset in assets
            if asset["in_force"]
            and asset["expires_on"]
            and (last := date.fromisoformat(asset["expires_on"])) < CLOSES
        ]
        self.progress.step("the registers reach the other services")
        await self.quiet("the registers")

    async def _take_in(self, service: str, content: bytes) -> None:
        await self.doors.ask(OFFICER, service, "POST", "/v1/imports", content, query={"dry_run": "false"})

    async def _play(self, on: date, day: Day) -> None:
        await together(
            self._see_expired(*asset) for asset in self.expiries if asset[2] + timedelta(days=1) == on
        )
        await together(self._see_run_out(consent) for consent in day.run_out)
        await together(map(self._consent, day.consents))
        await together(map(self._wish, day.wishes))
        await self._steps(day)
        await self._answers(day.answers)
        await together(map(self._withdraw, day.withdrawals))
        if day.grants:
            await self.quiet("the titles reach the banks")

    async def _see_expired(self, enterprise_id: str, asset_id: str, _last: date) -> None:
        async def look() -> bool | None:
            query = {"enterprise": enterprise_id, "in_force": "false"}
            rows = await self.doors.every(OFFICER, "ip-enterprise", "/v1/assets", **query)
            return any(row["asset_id"] == asset_id for row in rows) or None

        await until(f"the IP right {asset_id} runs out", look)

    async def _see_run_out(self, consent: Consent) -> None:
        who = person(f"enterprise:{consent.enterprise_id}")
        path = f"/v1/consents/{self.consents[_key(consent)]}"

        async def look() -> Any:
            return (await self.doors.get(who, "finance-link", path))["ended_because"]

        await until(f"the consent of {consent.enterprise_name} runs out", look)

    async def _consent(self, consent: Consent) -> None:
        who = person(f"enterprise:{consent.enterprise_id}")
        given = await self.doors.ask(who, "finance-link", "POST", "/v1/consents", consent.body)
        self.consents[_key(consent)] = given.json()["consent_id"]

    async def _withdraw(self, consent: Consent) -> None:
        who = person(f"enterprise:{consent.enterprise_id}")
        path = f"/v1/consents/{self.consents[_key(consent)]}/withdrawal"
        await self.doors.ask(who, "finance-link", "POST", path)

    async def _wish(self, wish: Wish) -> None:
        who = person(f"enterprise:{wish.enterprise_id}")
        await self.doors.ask(who, "finance-link", "POST", "/v1/referrals", wish.body)

    async def _steps(self, day: Day) -> None:
        """All cases at once; titles one after another, so that their numbers are the same every time."""
        granted = [
            self.year.applications[name] for name, steps in day.steps.items() if steps[-1].verb == "grant"
        ]
        await together(map(self._see_recorded, granted))
        for application in granted:
            await self._walk(application, day.steps[application.id])
        await together(
            self._walk(self.year.applications[name], steps)
            for name, steps in day.steps.items()
            if steps[-1].verb != "grant"
        )

    async def _see_recorded(self, application: Application) -> None:
        """The notice has run out, and the service has taken note of it."""
        case = self.cases[application.id]

        async def look() -> str | None:
            answer = await self.doors.ask(OFFICER, application.service, "GET", f"/v1/cases/{case.case_id}")
            return answer.headers["ETag"] if answer.json()["case"]["state"] == "recorded" else None

        case.etag = await until(f"the notice of {application.id} ends", look)

    async def _walk(self, application: Application, steps: Sequence[Step]) -> None:
        for step in steps:
            if step.verb == "submit":
                self.cases[application.id] = await self._draft(application, step)
            case = self.cases[application.id]
            path = f"/v1/cases/{case.case_id}/{_ADDRESS[step.verb]}"
            answer = await self.doors.ask(
                person(step.by), application.service, "POST", path, step.body or None, seen=case.etag
            )
            case.etag = answer.headers.get("ETag", case.etag)

    async def _draft(self, application: Application, step: Step) -> Case:
        who, service = person(step.by), application.service
        await self.doors.ask(who, service, "POST", "/v1/files", SCAN)
        body = application.model_dump(include={"programme", "level", "case_type", "facts"})
        body["documents"] = [{**document, **SCANNED} for document in application.documents]
        answer = await self.doors.ask(who, service, "POST", "/v1/cases", body)
        return Case(answer.json()["case_id"], answer.headers["ETag"])

    async def _answers(self, answers: Sequence[tuple[Outcome, Answer]]) -> None:
        """Banks at once; what one bank says of one referral in its order."""
        by_outcome: dict[int, list[tuple[Outcome, Answer]]] = {}
        for outcome, answer in answers:
            by_outcome.setdefault(id(outcome), []).append((outcome, answer))
        await together(
            self._report(said[0][0], [answer for _, answer in said]) for said in by_outcome.values()
        )

    async def _report(self, outcome: Outcome, answers: Sequence[Answer]) -> None:
        bank = person(f"bank:{outcome.bank_id}")
        referral_id = await until(
            f"{outcome.bank_id} is told of {outcome.enterprise_id} for {outcome.product_id}",
            lambda: self._referral(outcome),
        )
        for answer in answers:
            path = f"/v1/referrals/{referral_id}/outcomes"
            await self.doors.ask(bank, "finance-link", "POST", path, answer.body)

    async def _referral(self, outcome: Outcome) -> str | None:
        """A bank may not see whose referral it is, so an officer looks for the one that was sent."""
        query = {name: getattr(outcome, name) for name in ("enterprise_id", "bank_id", "product_id")}
        rows = await self.doors.every(OFFICER, "finance-link", "/v1/referrals", **query)
        return next((row["referral_id"] for row in rows if row["sent_at"]), None)


def _key(consent: Consent) -> tuple[str, str, str]:
    return consent.enterprise_id, consent.bank_id, consent.purpose


async def together(acts: Iterable[Coroutine[Any, Any, Any]]) -> None:
    """All at once; the first failure ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            for act in acts:
                group.create_task(act)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed


def _told(day: Day) -> str:
    counts: dict[str, int] = {}
    verbs = [step.verb.replace("_", " ") for steps in day.steps.values() for step in steps]
    verbs += ["consent given"] * len(day.consents) + ["consent withdrawn"] * len(day.withdrawals)
    verbs += ["consent runs out"] * len(day.run_out) + ["financing wish"] * len(day.wishes)
    verbs += [f"bank: {answer.body['kind']}" for _, answer in day.answers]
    for verb in verbs:
        counts[verb] = counts.get(verb, 0) + 1
    return (
        ", ".join(f"{verb} ×{count}" if count > 1 else verb for verb, count in counts.items())
        or "an IP right runs out"
    )
