"""One enterprise's way to an HNTE title in 2016, step by step, for the tests."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
from fastapi import APIRouter, FastAPI
from pydantic import SecretStr

from casework import use_cases
from casework.api import casework_routers
from casework.case import Case, Document, KeptFile
from casework.issuing import Issuing
from casework.settings import TitleSettings
from casework.use_cases import INSPECTION_OVERDUE, NOTICE_CLOSE, TITLE_DUTIES, Casework
from chassis.api import build_app
from chassis.auth import Authenticator, DevelopmentIssuer
from chassis.database import Database, Transaction
from chassis.identity import Actor
from chassis.inbox import Consumers
from chassis.relay import Relay
from chassis.service import Context
from chassis.storage import Storage
from chassis.subscribe import Subscription
from chassis.testing import PDF
from chassis.work import Deadline, Worker

RULEBOOKS = Path(__file__).parents[2] / "services/certification/rulebooks"
USCC = "91441702MA4UABCD1F"
OTHER = "9144172362860503X4"
APPLICANT = Actor("wang", "enterprise", enterprise_id=USCC)
STRANGER = Actor("zhou", "enterprise", enterprise_id=OTHER)
OFFICER = Actor("li", "officer")
EXPERT = Actor("chen", "expert")
PAPERS = (
    "application_form", "registration", "ip_certificates", "conversion_evidence", "rd_organisation_evidence",
    "product_evidence", "staff_statement", "rd_audit", "high_tech_revenue_audit", "financial_statements",
    "cit_returns",
)  # fmt: skip
JUDGEMENTS = {
    "core_ip_supports": True, "in_supported_field": True, "ip_advancement": 7, "ip_core_support": 7, "ip_count": 8,
    "ip_acquisition": 5, "standards_bonus": 1, "conversion": 22, "rd_rules": 5, "rd_body": 5,
    "conversion_incentives": 3, "staff_training": 4, "growth_net_assets": 8, "growth_sales": 8,
}  # fmt: skip


def _year(year: int, **amounts: Any) -> dict[str, Any]:
    return {"year": year, **amounts}


FIRM: dict[str, Any] = {
    "enterprise": {
        "uscc": USCC, "name": "示例精密制造有限公司", "region": "441702", "established_on": "2010-03-15",
        "mainland_resident": True,
    },
    "years": [
        _year(
            2013, sales_revenue="24000000", total_revenue="25000000", high_tech_revenue="19000000",
            net_assets="10000000", rd_spend="1500000", rd_spend_domestic="1350000", staff={"total": 62, "st": 17},
        ),
        _year(
            2014, sales_revenue="32000000", total_revenue="33500000", high_tech_revenue="25500000",
            net_assets="12500000", rd_spend="2200000", rd_spend_domestic="1980000", staff={"total": 70, "st": 20},
        ),
        _year(
            2015, sales_revenue="42000000", total_revenue="44000000", high_tech_revenue="34440000",
            net_assets="16000000", rd_spend="3000000", rd_spend_domestic="2700000", staff={"total": 80, "st": 24},
        ),
    ],
    "ip": [
        {"id": number, "kind": "invention", "acquired": "self", "granted_on": "2013-06-05", "in_force": True,
         "owned": True, "related": True}
        for number in ("ZL201110000001.0", "ZL201210000002.9")
    ],
    "conversions": [{"result": f"R{n}", "year": 2013 + n % 3} for n in range(12)],
}  # fmt: skip


async def firm(_tx: Transaction, _enterprise_id: str) -> Mapping[str, Any]:
    """What the binding service knows: of every enterprise the same."""
    return FIRM


def documents(papers: Sequence[str] = PAPERS) -> list[Document]:
    """One file for all of them."""
    return [
        Document(
            paper=paper,
            file_name=f"{paper}.pdf",
            bytes=len(PDF),
            sha256=hashlib.sha256(PDF).hexdigest(),
        )
        for paper in papers
    ]


async def in_pieces(content: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def state_of(db: Database, case_id: UUID) -> str:
    return str(await db.fetchval("SELECT state FROM cases WHERE case_id = $1", case_id))


@dataclass
class Way:
    """Walks a case; each step in its own transaction by the actor whose step it is."""

    db: Database
    work: Casework
    storage: Storage
    programme: str = "hnte"
    case_type: str = "first"
    applicant: Actor = APPLICANT

    async def uploaded(self, content: bytes = PDF, file_name: str = "scan.pdf") -> KeptFile:
        added = await use_cases.keep_file(
            self.db, self.storage, self.applicant, in_pieces(content), file_name
        )
        return added.file

    async def drafted(self, papers: Sequence[str] = PAPERS) -> Case:
        await self.uploaded()
        async with self.db.transaction(self.applicant) as tx:
            return await use_cases.draft_case(
                self.work, tx, enterprise_id=self.applicant.enterprise_id or "", programme=self.programme,
                case_type=self.case_type, documents=documents(papers),
            )  # fmt: skip

    async def step(self, verb: str, actor: Actor, of: UUID | str, **arguments: Any) -> Any:
        """What the verb of casework.use_cases returns for a case's id or a title's number."""
        async with self.db.transaction(actor) as tx:
            return await getattr(use_cases, verb)(self.work, tx, of, **arguments)

    async def submitted(self) -> Case:
        case = await self.drafted()
        return cast("Case", await self.step("submit_case", self.applicant, case.case_id))

    async def in_review(self) -> Case:
        case = await self.submitted()
        await self.step("accept_case", OFFICER, case.case_id)
        return cast("Case", await self.step("start_review", OFFICER, case.case_id))

    async def judged(self) -> Case:
        case = await self.in_review()
        return cast("Case", await self.step("judge_case", EXPERT, case.case_id, judgements=JUDGEMENTS))

    async def on_notice(self) -> Case:
        case = await self.judged()
        await self.step("propose_case", OFFICER, case.case_id, proposal="grant")
        return cast("Case", await self.step("open_notice", OFFICER, case.case_id))

    async def meet_deadlines(self) -> int:
        """Performs what is due now, as the service's worker does, and says how much it was."""
        deadlines: dict[str, Deadline] = {
            NOTICE_CLOSE: partial(use_cases.close_notice, self.work),
            TITLE_DUTIES: partial(use_cases.act_on_duties, self.work),
            INSPECTION_OVERDUE: partial(use_cases.act_on_overdue, self.work),
        }
        worker = Worker(self.db, deadlines)
        jobs = await worker.lease(list(deadlines))
        for job in jobs:
            await worker._perform(job)
        return len(jobs)

    async def said(self) -> list[str]:
        """The types of all events published so far, in order."""
        rows = await self.db.fetch("SELECT type FROM events ORDER BY id")
        return [row["type"].removeprefix("cn.huiqi.certification.").removesuffix(".v1") for row in rows]


class Settings(TitleSettings, env_prefix="CASEWORK_TEST_"):
    pass


@dataclass
class Door:
    app: FastAPI
    issuer: DevelopmentIssuer

    @asynccontextmanager
    async def client(
        self, actor: Actor | None = None, language: str = "en"
    ) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Accept-Language": language}
        if actor is not None:
            token = self.issuer.token(actor.subject, actor.role, "test", enterprise_id=actor.enterprise_id)
            headers["Authorization"] = f"Bearer {token}"
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            yield client


def kept_in(directory: Path) -> str:
    return f"file://{directory}/kept"


def kept(directory: Path) -> list[Path]:
    """The objects that lie in the storage, whole or not."""
    return [path for path in (directory / "kept").rglob("*") if path.is_file()]


def open_door(db: Database, directory: Path, routers: Sequence[APIRouter], package: str = "casework") -> Door:
    issuer = DevelopmentIssuer(directory)
    settings = Settings(
        environment="development", database_url=SecretStr("unused"), kafka_bootstrap="127.0.0.1:9",
        issuer=issuer.name, audience="test", jwks_url=issuer.jwks_url, development_keys=directory,
        public_url="https://titles.example.gov.cn", storage=kept_in(directory),
    )  # fmt: skip
    context = Context(
        settings, db, db.clock, Authenticator.from_settings(settings), Relay(db, settings), Worker(db, {}),
        Subscription(db, settings, Consumers("test"), []), {"issuing": Issuing.of(settings)},
    )  # fmt: skip
    return Door(build_app(title="test", routers=routers, context=context, package=package), issuer)


def casework_door(db: Database, directory: Path, work: Casework) -> Door:
    return open_door(db, directory, casework_routers(work))
