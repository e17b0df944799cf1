"""After the year, one round under the rules of 2016, from the call to what can be shown of a title.

Every line that is told is looked up in the services first; one that does not hold makes the demonstration fail.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from casework.certificates.keys import development_key
from casework.certificates.signing import NotSigned, read_signed
from casework.credential_file import NotGood
from casework.draw_file import Differs, Draw
from casework.draw_file import verify as verify_draw
from huiqi.demo_doors import OFFICER, Doors, person, until
from huiqi.demo_progress import Progress
from huiqi.demo_year import instant
from huiqi.house import House
from huiqi.round_way import SERVICE, Firm, Round
from huiqi.scan import page_saying
from huiqi.verify_titles import checked_credential

HANDED_IN: Final = date(2016, 8, 1)
COMMITTED: Final = date(2016, 8, 8)
REVEALED: Final = date(2016, 8, 9)
SCORED: Final = date(2016, 8, 15)
PUBLISHED: Final = date(2016, 8, 22)
OBJECTED: Final = date(2016, 8, 24)
ANSWERED: Final = date(2016, 8, 29)
DAYS: Final = (HANDED_IN, COMMITTED, REVEALED, SCORED, PUBLISHED, OBJECTED, ANSWERED)
CALL: Final[dict[str, Any]] = {
    "programme": "hnte", "name": "2016年第二批", "opens_on": "2016-07-16", "closes_on": "2016-08-31",
    "forwards_on": "2016-09-30", "source": "粤科函高字〔2016〕1号",
}  # fmt: skip
BANK: Final = "hailing-bay"
CONSENT: Final[dict[str, Any]] = {
    "bank_id": BANK, "purpose": "financing", "fields": ["enterprise.name", "title.number", "title.valid_until"],
    "text_version": "2016-05", "expires_on": "2017-07-31", "on_title": True,
}  # fmt: skip
TECHNICAL, FINANCIAL = 12, 4


@dataclass(frozen=True, slots=True)
class Told:
    """One line: who did what on which day. `holds`: the services say the same."""

    on: date
    who: str
    what: str
    holds: bool


def _firms() -> list[Firm]:
    return [
        Firm(number, is_poor=number == 6, contact_email=f"firm{number}@example.com") for number in range(1, 7)
    ]


def _scan_of(firm: Firm, paper: str) -> bytes:
    return page_saying(f"{firm.uscc}: {paper.replace('_', ' ')}")


@dataclass(slots=True)
class Walk:
    house: House
    progress: Progress
    round: Round
    today: date = HANDED_IN
    told: list[Told] = field(default_factory=list)

    @property
    def firms(self) -> list[Firm]:
        return list(self.round.firms)

    @property
    def good(self) -> list[Firm]:
        return [firm for firm in self.round.firms if not firm.is_poor]

    @property
    def poor(self) -> Firm:
        return next(firm for firm in self.round.firms if firm.is_poor)

    def tell(self, who: str, what: str, *, holds: bool) -> None:
        self.told.append(Told(self.today, who, what, holds))

    def come(self, day: date, what: str) -> None:
        self.today = day
        self.house.set_clock(instant(day))
        self.progress.day(day, what, (DAYS.index(day) + 1) / len(DAYS))

    async def states(self, firms: list[Firm]) -> Counter[str]:
        return Counter(await self.round.all(firms, self.round.state))

    async def run(self) -> None:
        """Raises Stopped when something is refused that should not be."""
        await self._hand_in()
        await self._take_in()
        await self._draw()
        await self._score()
        await self._publish()
        await self._object()
        numbers = await self._grant()
        await self._show(numbers[0])
        await self._refer(numbers[0])

    async def _hand_in(self) -> None:
        self.come(HANDED_IN, "a round is called, enterprises apply")
        round_id = await self.round.open(CALL)
        first, doors = self.good[0], self.round.doors
        await self.round.all(self.firms, self.round.apply)
        called = await doors.get(OFFICER, SERVICE, f"/v1/rounds/{round_id}")
        what = f"calls {called['name']}, {called['opens_on']} to {called['closes_on']}"
        self.tell("officer", what, holds=called.items() >= CALL.items())
        cases = await doors.every(OFFICER, SERVICE, "/v1/cases", round_id=round_id)
        papers = len(self.firms) * len(self.round.papers)
        self.tell(
            f"{len(self.firms)} enterprises", f"register, upload {papers} papers and apply",
            holds=Counter(case["state"] for case in cases) == {"submitted": len(self.firms)},
        )  # fmt: skip
        paper = self.round.papers[-1]
        path = f"/v1/cases/{first.case_id}/documents/{paper}"
        same = (await doors.ask(OFFICER, SERVICE, "GET", path)).content == _scan_of(first, paper)
        self.tell("officer", f"opens {paper}.pdf: byte for byte what was uploaded", holds=same)
        given = (await doors.ask(first.actor, "finance-link", "POST", "/v1/consents", CONSENT)).json()
        kept = await doors.get(first.actor, "finance-link", f"/v1/consents/{given['consent_id']}")
        lasts = (kept["on_title"], kept["ended_at"]) == (True, None)
        self.tell("enterprise", f"lets the bank {BANK} know of its title to come", holds=lasts)

    async def _take_in(self) -> None:
        self.come(COMMITTED, "applications are accepted, a draw is committed to")
        await self.round.all(self.firms, self.round.take_in)
        await self.round.engage(TECHNICAL, FINANCIAL)

    async def _draw(self) -> None:
        """The hashes are public a day before the seed is."""
        committed = await self.round.commit(self.firms)
        self.tell(
            "officer", f"accepts all and commits to a draw: pool {_short(committed['pool_hash'])},"
            f" seed {_short(committed['seed_hash'])}",
            holds=committed["seed"] is None and await self.states(self.firms) == {"in_review": len(self.firms)},
        )  # fmt: skip
        self.come(REVEALED, "the draw is revealed")
        published = await self.round.reveal(committed)
        seats = [seat["expert_id"] for firm in self.firms for seat in await self.round.seats(firm)]
        what = f"reveals the seed: {len(seats)} seats, {len(set(seats))} experts"
        wanted = len(self.firms) * committed["pool"]["rules"]["size"]
        self.tell("officer", what, holds=len(seats) == wanted)
        try:
            again = verify_draw(published, pool_hash=committed["pool_hash"], seed_hash=committed["seed_hash"])
            panels = again.panels if isinstance(again, Draw) else ()
            drawn = Counter(str(place.expert_id) for panel in panels for place in panel.seated)
        except Differs:
            drawn = Counter()
        what = "draws every panel again from the published file: the same experts"
        self.tell("anybody", what, holds=drawn == Counter(seats))

    async def _score(self) -> None:
        self.come(SCORED, "experts score")
        await self.round.all(self.firms, self.round.judge)
        for firms, verdict in ((self.good, "pass"), ([self.poor], "fail")):
            cases = await self.round.all(firms, self._case)
            sheets = sum([len(await self.round.seats(firm)) for firm in firms])
            points = ", ".join(sorted({case["answer"]["score"]["hi"] for case in cases}))
            needed = cases[0]["answer"]["score"]["pass_above"]
            self.tell(
                "experts",
                f"hand in {sheets} sheets for {len(firms)}: {points} points, above {needed} passes",
                holds={case["case"]["verdict"] for case in cases} == {verdict},
            )

    async def _publish(self) -> None:
        self.come(PUBLISHED, "the proposed are on notice, one is refused")
        await self.round.all(self.good, self.round.publish)
        poor = self.poor
        await self.round.refuse(poor, "企业创新能力评价得分未达到要求")
        ends_on = await self.round.last_day(self.good[0])
        on_notice = await self.states(self.good) == {"on_notice": len(self.good)}
        self.tell("officer", f"puts {len(self.good)} on public notice until {ends_on}", holds=on_notice)
        case = await self._case(poor)
        failed = [one["id"] for one in case["answer"]["conditions"] if one["outcome"] == "fail"]
        refused = (case["case"]["state"], failed) == ("refused", ["H7"])
        self.tell("officer", f"refuses {poor.name}: H7, the score", holds=refused)

    async def _object(self) -> None:
        """One objection; the notices of all the others go on."""
        firm, others = self.good[1], [self.good[0], *self.good[2:]]
        meant = await self.round.last_day(firm)
        self.come(OBJECTED, "somebody objects")
        path = await self.round.object(firm, "陈某某")
        stopped = (await self.round.state(firm), await self.states(others))
        self.tell(
            "somebody", f"objects to {firm.name}: that notice alone stops",
            holds=stopped == ("objected", {"on_notice": len(others)}),
        )  # fmt: skip
        self.come(ANSWERED, "the objection is dismissed")
        answer = {"decision": "dismiss", "reasons": ["经向国家知识产权局查询核实，权属无误"]}
        await self.round.say(OFFICER, firm, f"{path}/decision", answer)
        ends_on = await self.round.last_day(firm)
        kept = {await self.round.last_day(other) for other in others} == {meant}
        goes_on = await self.round.state(firm) == "on_notice" and ends_on > meant
        self.tell("officer", f"dismisses the objection; the notice ends on {ends_on}", holds=kept and goes_on)

    async def _grant(self) -> list[str]:
        """The numbers, in the order of the firms."""
        self.progress.step("the notices run out")
        self.today = await self.round.let_the_notice_run_out(self.good)
        numbers = [str((await self.round.grant(firm))["number"]) for firm in self.good]
        in_a_row = [f"GR201644{serial:06d}" for serial in range(1, len(numbers) + 1)]
        self.tell("officer", f"grants {numbers[0]} to {numbers[-1]}", holds=numbers == in_a_row)
        return numbers

    async def _show(self, number: str) -> None:
        """What the holder shows to others, checked as `huiqi verify certificate` and `credential` check it."""
        path = f"/v1/titles/{number}"
        pdf = (await self.round.doors.ask(OFFICER, SERVICE, "GET", f"{path}/certificate")).content
        vouching = development_key(self.house.directory / "keys" / SERVICE).chain
        try:
            signed = await asyncio.to_thread(read_signed, pdf, vouching)
            is_signed = signed.trusted is True and signed.number == number
        except NotSigned:
            is_signed = False
        what = f"checks the certificate of {number}, {len(pdf) // 1024} kB of PDF: signed, unchanged"
        self.tell("anybody", what, holds=is_signed)
        token = (await self.round.doors.ask(OFFICER, SERVICE, "GET", f"{path}/credential")).text
        try:
            credential, _ = await checked_credential(token.strip(), instant(self.today))
            is_held = credential.subject.title.number == number
        except NotGood:
            is_held = False
        self.tell(
            "anybody", f"checks its credential, {len(token)} characters: signed, not revoked", holds=is_held
        )

    async def _refer(self, number: str) -> None:
        firm, doors = self.good[0], self.round.doors

        async def look() -> str | None:
            rows = await doors.every(OFFICER, "finance-link", "/v1/referrals", enterprise_id=firm.uscc)
            return next((str(row["referral_id"]) for row in rows if row["sent_at"]), None)

        path = f"/v1/referrals/{await until(f'{BANK} is told of {number}', look)}"
        accepted = {"kind": "accepted", "bank_reference": "2016/1"}
        await doors.ask(person(f"bank:{BANK}"), "finance-link", "POST", f"{path}/outcomes", accepted)
        state = (await doors.get(firm.actor, "finance-link", path))["state"]
        self.tell(
            "bank",
            f"is told of {number} as the enterprise allowed, and takes it up",
            holds=state == "accepted",
        )

    async def _case(self, firm: Firm) -> dict[str, Any]:
        case: dict[str, Any] = await self.round.ask(OFFICER, "GET", f"/v1/cases/{firm.case_id}")
        return case


async def walk_round(house: House, doors: Doors, progress: Progress) -> list[Told]:
    """What happened, in its order. Raises Stopped."""
    walk = Walk(house, progress, Round(house, doors, _firms(), _scan_of))
    await walk.run()
    return walk.told


def _short(digest: str) -> str:
    return f"{digest[:8]}…"
