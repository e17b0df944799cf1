"""One case from the draft to the title and its revocation, and everywhere that is told: the bank's topic, the inbox, the mail."""

import asyncio
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from chassis.clock import SHANGHAI
from chassis.identity import Actor
from chassis.testing import given_kafka
from contracts.envelope import Envelope
from contracts.finance_link import ReferralCalledBack, ReferralOffered
from huiqi.demo_doors import OFFICER, Doors, Stopped, person, until
from huiqi.house import House
from huiqi.installation import Installation
from huiqi.ledger import check
from huiqi.scan import SCAN, SCANNED

FACTS = Path(__file__).parents[2] / "data/facts/whole-firm.hnte.yaml"
BANK = "hailing-bay"
TOPIC = f"finance-link.bank.{BANK}"
MAIL = "wang@firm.example"
CONSENTED = ["enterprise.name", "title.number", "title.valid_until"]
PRODUCT = {
    "name": {"zh": "高企信用贷", "en": "HNTE credit loan"}, "amount_max": "10000000", "term_months_max": 36,
    "annual_rate_from": "0.0385", "annual_rate_to": "0.0435", "programmes": ["hnte"],
}  # fmt: skip
ROUND = {
    "programme": "hnte", "name": "2016年第二批", "opens_on": "2016-07-16", "closes_on": "2016-12-31",
    "forwards_on": "2017-01-15", "source": "粤科函高字〔2016〕1号",
}  # fmt: skip
FRAUD = {"ground": "serious_fraud", "conduct_on": "2016-08-01", "reasons": ["研发费用专项审计报告系伪造"]}
REVOKE = {"decision": "revoke", "reasons": ["经复核属实"]}
EXPERT, COLLEAGUE = person("expert:chen"), person("officer:zhao")


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    clock_at = datetime(2016, 8, 1, 9, tzinfo=SHANGHAI)
    with House(clock_at=clock_at, banks=[BANK], broker=given_kafka()) as house:
        yield house


class Journey:
    """The people of one case, and what they see."""

    def __init__(self, house: House, doors: Doors) -> None:
        self.house = house
        self.doors = doors
        self.facts: dict[str, Any] = yaml.safe_load(FACTS.read_text(encoding="utf-8"))
        self.uscc: str = self.facts["enterprise"]["uscc"]
        self.applicant = person(f"enterprise:{self.uscc}")
        self.case_id = ""
        self.etag = ""

    async def register(self) -> None:
        firm = {name: fact for name, fact in self.facts["enterprise"].items() if name != "uscc"}
        path = f"/v1/enterprises/{self.uscc}"
        await self.doors.ask(OFFICER, "certification", "PUT", path, {**firm, "contact_email": MAIL})
        sections = ["years", "ip", "conversions", "incidents"]
        known: dict[str, Any] = {str(name): self.facts[name] for name in sections if name in self.facts}
        await self.doors.ask(OFFICER, "certification", "PUT", f"{path}/facts", known)

    async def consent(self) -> None:
        await self.doors.ask(OFFICER, "finance-link", "PUT", f"/v1/products/{BANK}/hnte-credit", PRODUCT)
        body = {
            "bank_id": BANK, "purpose": "financing", "fields": CONSENTED, "text_version": "2016-05",
            "expires_on": "2017-07-31", "on_title": True,
        }  # fmt: skip
        await self.doors.ask(self.applicant, "finance-link", "POST", "/v1/consents", body)

    async def draft(self) -> None:
        edition = await self.doors.get(OFFICER, "certification", "/v1/programmes/hnte/editions/2016-01-01")
        papers = [
            {"paper": paper["id"], "file_name": f"{paper['id']}.pdf", **SCANNED}
            for paper in edition["documents"] if "first" in (paper.get("case_types") or ["first"])
        ]  # fmt: skip
        await self.doors.ask(self.applicant, "certification", "POST", "/v1/files", SCAN)
        body = {"programme": "hnte", "case_type": "first", "documents": papers}
        answer = await self.doors.ask(self.applicant, "certification", "POST", "/v1/cases", body)
        self.case_id, self.etag = answer.json()["case_id"], answer.headers["ETag"]

    async def seen(self, number: str) -> dict[str, Any]:
        """The title as anybody sees it."""
        url = self.house.services["certification"].url
        title: dict[str, Any] = httpx.get(f"{url}/v1/titles/{number}", trust_env=False).json()
        return title

    async def lose(self, number: str) -> None:
        """One officer proposes to revoke the title, another does."""
        path = f"/v1/titles/{number}"
        await self.doors.ask(OFFICER, "certification", "POST", f"{path}/revocation", FRAUD)
        with pytest.raises(Stopped, match="decided by somebody else"):
            await self.doors.ask(OFFICER, "certification", "POST", f"{path}/revocation/decision", REVOKE)
        await self.doors.ask(COLLEAGUE, "certification", "POST", f"{path}/revocation/decision", REVOKE)

    async def say(self, who: Actor, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        path = f"/v1/cases/{self.case_id}/{verb}"
        answer = await self.doors.ask(who, "certification", "POST", path, body, seen=self.etag)
        self.etag = answer.headers.get("ETag", self.etag)
        said: dict[str, Any] = answer.json()
        return said

    async def decide(self) -> dict[str, Any]:
        """From the submission to the title; the notice runs out in between. The title as anybody sees it."""
        await self.say(self.applicant, "submit")
        await self.say(OFFICER, "accept")
        await self.say(OFFICER, "review")
        judged = await self.say(EXPERT, "judgements", {"judgements": self.facts["judgements"]})
        assert judged["verdict"] == "pass"
        await self.say(OFFICER, "propose", {"proposal": "grant"})
        await self.say(OFFICER, "notice")
        await self._let_the_notice_run_out()
        return await self.say(OFFICER, "grant")

    async def _let_the_notice_run_out(self) -> None:
        path = f"/v1/cases/{self.case_id}"
        ends_on = date.fromisoformat(
            (await self.doors.get(OFFICER, "certification", path))["notice"]["ends_on"]
        )
        after = datetime.combine(ends_on + timedelta(days=1), datetime.min.time(), SHANGHAI)
        self.house.set_clock(after)

        async def recorded() -> str | None:
            answer = await self.doors.ask(OFFICER, "certification", "GET", path)
            return answer.headers["ETag"] if answer.json()["case"]["state"] == "recorded" else None

        self.etag = await until("the notice runs out", recorded)

    async def message(self, text: str) -> dict[str, Any]:
        """The message in the applicant's inbox that holds the text."""

        async def look() -> dict[str, Any] | None:
            inbox = await self.doors.get(self.applicant, "notifier", "/v1/inbox", limit="50")
            return next((m for m in inbox["items"] if text in m["subject"] + m["body"]), None)

        return await until(f"the inbox holds {text}", look)

    async def mail(self, text: str) -> str:
        """Subject and body of the mail to the applicant that holds the text."""

        async def look() -> str | None:
            for mail in self.house.mail.mails():
                body = mail.get_payload(decode=True)
                subject = str(make_header(decode_header(mail["Subject"])))
                whole = f"{subject}\n{body.decode() if isinstance(body, bytes) else ''}"
                if MAIL in mail["To"] and text in whole:
                    return whole
            return None

        return await until(f"a mail holds {text}", look)


async def read_as_the_bank(house: House, seconds: float = 60) -> ConsumerRecord:
    """The first record of the bank's own topic, read in a group of the bank's own."""
    consumer = AIOKafkaConsumer(
        TOPIC, **house.broker.client, group_id=f"bank-{BANK}", auto_offset_reset="earliest", enable_auto_commit=False
    )  # fmt: skip
    await consumer.start()
    try:
        async with asyncio.timeout(seconds):
            record: ConsumerRecord = await consumer.getone()
            await consumer.commit()
            return record
    finally:
        await consumer.stop()


async def granted(journey: Journey) -> tuple[dict[str, Any], ReferralOffered]:
    """The title, and what the bank is told of it: what the firm consented to, and nothing else."""
    await journey.doors.ask(OFFICER, "certification", "POST", "/v1/rounds", ROUND)
    await journey.register()
    await journey.consent()
    await journey.draft()
    title = await journey.decide()
    seen = await journey.seen(title["number"])
    assert (seen["enterprise_id"], seen["in_force"]) == (journey.uscc, True)
    record = await read_as_the_bank(journey.house)
    envelope = Envelope.from_headers(record.topic, record.headers)
    offered = ReferralOffered.read(record.value)
    assert (envelope.type, envelope.sequence) == (ReferralOffered.type, 1)
    assert record.key.decode() == envelope.key == str(offered.referral_id)
    assert offered.facts == {
        "enterprise.name": journey.facts["enterprise"]["name"],
        "title.number": title["number"],
        "title.valid_until": title["valid_until"],
    }
    assert journey.uscc not in record.value.decode()
    return title, offered


async def revoked(journey: Journey, title: dict[str, Any], offered: ReferralOffered) -> None:
    """The title is gone, the bank is called back, the firm is told and may not apply again this year."""
    await journey.lose(title["number"])
    lost = await journey.seen(title["number"])
    assert (lost["in_force"], lost["revoked_on"]) == (False, title["granted_on"])
    called_back = ReferralCalledBack.read((await read_as_the_bank(journey.house)).value)
    assert called_back.referral_id == offered.referral_id
    path = f"/v1/referrals/{offered.referral_id}"
    assert (await journey.doors.get(journey.applicant, "finance-link", path))["state"] == "withdrawn"
    assert "2016年12月31日" in (await journey.message("已撤销"))["body"]
    assert "严重弄虚作假" in await journey.mail("已撤销")
    await journey.draft()
    with pytest.raises(Stopped, match="After a revocation no application for hnte is taken until 2016-12-31"):
        await journey.say(journey.applicant, "submit")


@pytest.mark.timeout(240)
async def test_one_case_goes_to_the_title_the_bank_the_inbox_and_the_mail_and_back_when_it_is_revoked(
    house: House,
) -> None:
    async with Doors(house.addresses) as doors:
        journey = Journey(house, doors)
        title, offered = await granted(journey)
        path = f"/v1/referrals/{offered.referral_id}"
        accepted = {"kind": "accepted", "bank_reference": "2016/1"}
        await doors.ask(person(f"bank:{BANK}"), "finance-link", "POST", f"{path}/outcomes", accepted)
        assert (await doors.get(journey.applicant, "finance-link", path))["state"] == "accepted"
        assert (await journey.message(title["number"]))["read_at"] is None
        assert title["number"] in await journey.mail(title["number"])
        await revoked(journey, title, offered)

    ledger = await check(Installation.of_house(house.addresses), wait=60)
    assert ledger.kept, ledger.as_json()
