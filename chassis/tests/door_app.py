"""A small service for the tests of the HTTP door: notes that enterprises write and officers read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import httpx
from fastapi import FastAPI, Request, Response, UploadFile
from pydantic import BaseModel, Field, SecretStr
from uuid_utils.compat import uuid7

from chassis.api import build_app
from chassis.auth import Authenticator, DevelopmentIssuer, allow, authorize
from chassis.database import Database
from chassis.errors import NotFound, Refused, Unavailable
from chassis.http import (
    Body,
    Db,
    IfMatch,
    IncomingFile,
    ObjectStorage,
    Page,
    Paged,
    Tx,
    Who,
    etag,
    page,
    require_version,
    router,
)
from chassis.inbox import Consumers
from chassis.relay import Relay
from chassis.service import Context
from chassis.settings import ServiceSettings
from chassis.subscribe import Subscription
from chassis.work import Worker
from contracts.values import Day, Money

SCHEMA = """
CREATE TABLE notes (note_id uuid PRIMARY KEY, enterprise_id text, amount numeric, version int DEFAULT 1);
CREATE TABLE rules (name text PRIMARY KEY);
CREATE TABLE kept (name text REFERENCES rules (name) DEFERRABLE INITIALLY DEFERRED);
"""
POLICY = {
    "note.write": allow("enterprise", "officer", own="enterprise"),
    "note.read": allow("enterprise", "officer", own="enterprise"),
}
notes = router("/v1/notes", ["notes"])


class NoteTooDear(Refused):
    """{amount} yuan is more than a note may cost."""

    status: ClassVar[int] = 409


class NewNote(Body):
    enterprise_id: str
    amount: Decimal
    paid: Money | None = None
    on: Day | None = None
    extra: dict[str, Any] = Field(default_factory=dict)


class Note(BaseModel):
    note_id: UUID
    enterprise_id: str
    amount: Decimal


def note_of(row: Any) -> Note:
    return Note(note_id=row["note_id"], enterprise_id=row["enterprise_id"], amount=row["amount"])


@notes.post("", status_code=201)
async def write_note(body: NewNote, who: Who, tx: Tx, response: Response) -> Note:
    authorize(POLICY, who, "note.write", enterprise_id=body.enterprise_id)
    if body.amount > 10**21:
        raise NoteTooDear(amount=body.amount, rule="N1", source="Law of notes, Art. 1")
    note_id = uuid7()
    await tx.execute("INSERT INTO notes VALUES ($1, $2, $3)", note_id, body.enterprise_id, body.amount)
    response.headers["ETag"] = etag(1)
    return Note(note_id=note_id, enterprise_id=body.enterprise_id, amount=body.amount)


@notes.post("/echo")
async def echo_note(body: NewNote) -> dict[str, Any]:
    return {"amount": body.amount, "paid": body.paid, "on": body.on, "extra": body.extra}


@notes.get("")
async def list_notes(asked: Paged, db: Db) -> Page[Note]:
    after = asked.after(UUID)
    rows = await db.fetch(
        "SELECT * FROM notes WHERE $1::uuid IS NULL OR note_id > $1 ORDER BY note_id LIMIT $2",
        after and after[0], asked.limit + 1,
    )  # fmt: skip
    return page(rows, asked, key=lambda row: [row["note_id"]], item=note_of)


@notes.get("/{note_id}")
async def read_note(note_id: UUID, who: Who, db: Db) -> Note:
    row = await db.fetchrow("SELECT * FROM notes WHERE note_id = $1", note_id)
    if row is None:
        raise NotFound(thing="note")
    authorize(POLICY, who, "note.read", enterprise_id=row["enterprise_id"])
    return note_of(row)


@notes.put("/{note_id}")
async def change_note(note_id: UUID, body: NewNote, seen: IfMatch, tx: Tx, response: Response) -> Note:
    row = await tx.fetchrow("SELECT * FROM notes WHERE note_id = $1 FOR UPDATE", note_id)
    if row is None:
        raise NotFound(thing="note")
    require_version(seen, row["version"])
    await tx.execute(
        "UPDATE notes SET version = version + 1, amount = $2 WHERE note_id = $1", note_id, body.amount
    )
    response.headers["ETag"] = etag(row["version"] + 1)
    return Note(note_id=note_id, enterprise_id=row["enterprise_id"], amount=body.amount)


@notes.post("/kept/{name}", status_code=204)
async def keep_name(name: str, tx: Tx) -> None:
    await tx.execute("INSERT INTO kept VALUES ($1)", name)


@notes.post("/fail/{how}")
async def fail(how: str, tx: Tx) -> Response:
    await tx.execute("INSERT INTO rules VALUES ($1)", how)
    match how:
        case "bug":
            raise RuntimeError("secret of the inside")
        case "away":
            raise Unavailable("database restarts", retry_after=7)
        case _:
            return Response("no", status_code=409)


@notes.post("/uploads", max_body_size=4096)
async def upload(file: UploadFile, tx: Tx) -> dict[str, int]:
    await tx.execute("INSERT INTO rules VALUES ($1)", file.filename)
    return {"size": len(await file.read())}


@notes.post("/kept-files")
async def keep_file(file: IncomingFile, storage: ObjectStorage) -> dict[str, Any]:
    async with file.opened() as incoming:
        stored = await storage.put("a", incoming.chunks)
    return {"name": incoming.file_name, "size": stored.bytes}


@notes.post("/raw")
async def raw(request: Request) -> dict[str, int]:
    return {"size": len(await request.body())}


class Settings(ServiceSettings, env_prefix="DOOR_"):
    pass


@dataclass
class Door:
    app: FastAPI
    db: Database
    issuer: DevelopmentIssuer
    context: Context

    @asynccontextmanager
    async def client(self, role: str | None = None, **claims: Any) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Accept-Language": "en"}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.issuer.token('li', role, 'door', **claims)}"
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://door", headers=headers) as client:
            yield client


async def open_door(db: Database, directory: Path) -> Door:
    async with db.connection() as connection:
        await connection.execute(SCHEMA)
    issuer = DevelopmentIssuer(directory)
    settings = Settings(
        environment="development", database_url=SecretStr("unused"), kafka_bootstrap="127.0.0.1:9",
        issuer=issuer.name, audience="door", jwks_url=issuer.jwks_url, max_body_bytes=2048,
        max_upload_bytes=8192, upload_timeout=0.5, storage=f"file://{directory}/kept",
    )  # fmt: skip
    context = Context(
        settings, db, db.clock, Authenticator.from_settings(settings), Relay(db, settings), Worker(db, {}),
        Subscription(db, settings, Consumers("door"), []),
    )  # fmt: skip
    return Door(
        build_app(title="door", routers=[notes], context=context, package="chassis"), db, issuer, context
    )
