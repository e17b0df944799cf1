"""The files of an enterprise: how they come in, and what is not taken."""

import asyncio
import hashlib
import io
import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from starlette.requests import ClientDisconnect

from casework import use_cases
from casework_way import (
    APPLICANT,
    EXPERT,
    OFFICER,
    STRANGER,
    Door,
    Way,
    in_pieces,
    kept,
)
from chassis.database import Database
from chassis.testing import PDF

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MEGABYTE = 1_000_000


@pytest.fixture
async def own(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    async with door.client(APPLICANT) as client:
        yield client


def archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        for name in names:
            opened.writestr(name, "<x/>")
    return content.getvalue()


def bomb(*names: str) -> bytes:
    """The last of the parts is large once it is unpacked."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as opened:
        for name in names[:-1]:
            opened.writestr(name, "<x/>")
        opened.writestr(names[-1], bytes(40 * MEGABYTE))
    return content.getvalue()


def workbook() -> bytes:
    content = io.BytesIO()
    openpyxl.Workbook().save(content)
    return content.getvalue()


async def add(client: httpx.AsyncClient, content: Any, name: str | None = None) -> httpx.Response:
    return await client.post("/v1/files", content=content, params={} if name is None else {"name": name})


async def test_a_file_is_answered_with_what_its_bytes_say(own: httpx.AsyncClient) -> None:
    answer = await add(own, PDF, "审计报告.PDF")
    assert answer.status_code == 201
    assert answer.json() == {
        "sha256": hashlib.sha256(PDF).hexdigest(), "bytes": len(PDF), "media_type": "application/pdf",
        "file_name": "审计报告.PDF",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "media_type", "ending"),
    [
        (PDF, "application/pdf", "pdf"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png", "png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg", "jpg"),
        (workbook(), XLSX, "xlsx"),
        (archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"), DOCX, "docx"),
        (archive("OFD.xml", "Doc_0/Document.xml"), "application/ofd", "ofd"),
        (archive("Doc_0/Document.xml", "OFD.xml"), "application/ofd", "ofd"),
    ],
    ids=["pdf", "png", "jpeg", "xlsx", "docx", "ofd", "ofd-last"],
)  # fmt: skip
async def test_a_file_without_a_name_is_called_after_its_type(
    own: httpx.AsyncClient, content: bytes, media_type: str, ending: str
) -> None:
    added = (await add(own, content)).json()
    assert (added["media_type"], added["file_name"]) == (media_type, f"{added['sha256'][:12]}.{ending}")


async def test_a_pdf_that_is_called_a_workbook_is_refused_with_both_named(door: Door, tmp_path: Path) -> None:
    for language, word in (("zh-CN", "文件名为"), ("en", "The file is called")):
        async with door.client(APPLICANT, language) as client:
            refused = await add(client, PDF, "报表.xlsx")
        assert (refused.status_code, refused.json()["code"]) == (422, "named-otherwise")
        detail = refused.json()["detail"]
        assert word in detail
        assert "报表.xlsx" in detail
        assert "application/pdf" in detail
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"MZ" + bytes(62) + b"PE\0\0", "file-type-not-taken"),
        (archive("a.txt"), "file-type-not-taken"),
        (b"\x7fELF\2\1\1" + bytes(57), "file-type-not-taken"),
        (b"#!/bin/sh\n", "file-type-unknown"),
        ("编号,名称\n".encode("gbk"), "file-type-unknown"),
    ],
    ids=["empty", "exe", "zip", "elf", "script", "text"],
)
async def test_what_is_no_document_is_refused_whatever_it_is_called(
    own: httpx.AsyncClient, tmp_path: Path, content: bytes, code: str
) -> None:
    refused = await add(own, content, "章程.pdf")
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert kept(tmp_path) == []


REFUSED: dict[str, tuple[bytes, str, str, tuple[str, str]]] = {
    "a PDF of 300 pages": (
        PDF + b"4 0 obj<</Type/Page/Parent 2 0 R>>endobj\n" * 300, "name", "named-otherwise", ("文件名为", "is called")),
    "a CSV in GBK": ("编号,名称\n".encode("gbk"), "body", "file-type-unknown", ("无法从文件内容判断", "do not say what it is")),
    "a zip bomb": (bomb("0.xml"), "body", "file-type-not-taken", ("application/zip", "application/zip")),
    "nothing": (b"", "body", "empty-file", ("空", "is empty")),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_called_a_workbook_and_is_none_is_refused_with_field_and_rule(
    door: Door, tmp_path: Path, name: str
) -> None:
    content, field, code, said = REFUSED[name]
    for language, words in zip(("zh-CN", "en"), said, strict=True):
        async with door.client(APPLICANT, language) as client:
            problem = (await add(client, content, "报表.xlsx")).json()
        (error,) = problem["errors"]
        assert (problem["rule"], problem["code"], error["field"]) == ("documents.type", code, field)
        assert words in error["rule"]
    assert kept(tmp_path) == []


async def test_a_workbook_is_kept_as_it_is_and_nobody_unpacks_it(
    own: httpx.AsyncClient, tmp_path: Path
) -> None:
    content = bomb("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml")
    added = await add(own, content, "报表.xlsx")
    assert (added.status_code, added.json()["bytes"]) == (201, len(content))
    assert [path.read_bytes() for path in kept(tmp_path)] == [content]


@pytest.mark.parametrize("name", ["../etc/passwd.pdf", "a\\b.pdf", "a\nb.pdf"])
async def test_a_name_that_leads_elsewhere_is_refused(own: httpx.AsyncClient, name: str) -> None:
    refused = await add(own, PDF, name)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "name")


async def test_the_same_bytes_again_are_the_same_file(own: httpx.AsyncClient, tmp_path: Path) -> None:
    first, again = await add(own, PDF, "first.pdf"), await add(own, PDF, "again.pdf")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(kept(tmp_path)) == 1


async def test_of_the_same_bytes_at_once_one_object_stays(
    own: httpx.AsyncClient, db: Database, tmp_path: Path
) -> None:
    meet = asyncio.Barrier(4)

    async def together() -> AsyncIterator[bytes]:
        yield PDF
        await meet.wait()
        yield bytes(20_000)

    answers = await asyncio.gather(*(add(own, together(), "a.pdf") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    key = f"files/{await db.fetchval('SELECT file_id FROM files')}"
    assert [str(path.relative_to(tmp_path / "kept")) for path in kept(tmp_path)] == [key]


async def test_sixty_megabytes_are_refused_and_never_held(own: httpx.AsyncClient, tmp_path: Path) -> None:
    held = []

    def resident() -> int:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    async def large() -> AsyncIterator[bytes]:
        yield PDF
        for _ in range(60):
            yield bytes(MEGABYTE)
            held.append(resident())

    before = resident()
    refused = await add(own, large(), "a.pdf")
    assert (refused.status_code, refused.json()["code"]) == (413, "body-too-large")
    assert len(held) > 50
    assert max(held) - before < 36 * MEGABYTE
    assert kept(tmp_path) == []


async def test_an_upload_that_breaks_off_leaves_neither_object_nor_row(
    way: Way, db: Database, tmp_path: Path
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for piece in in_pieces(PDF + bytes(MEGABYTE)):
            yield piece
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        await use_cases.keep_file(db, way.storage, APPLICANT, broken(), "a.pdf")
    assert kept(tmp_path) == []
    assert await db.fetchval("SELECT count(*) FROM files") == 0


async def test_where_the_storage_is_away_an_upload_may_be_tried_again(
    own: httpx.AsyncClient, db: Database, tmp_path: Path
) -> None:
    (tmp_path / "kept").write_text("no folder")
    refused = await add(own, PDF)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert await db.fetchval("SELECT count(*) FROM files") == 0
    (tmp_path / "kept").unlink()
    assert (await add(own, PDF)).status_code == 201


async def test_an_enterprise_lists_its_own_files_page_by_page(door: Door, own: httpx.AsyncClient) -> None:
    names = [f"{number}.pdf" for number in range(3)]
    for number, name in enumerate(names):
        await add(own, PDF + bytes(number), name)
    async with door.client(STRANGER) as other:
        assert (await other.get("/v1/files")).json()["items"] == []
    first = (await own.get("/v1/files", params={"limit": 2})).json()
    rest = (await own.get("/v1/files", params={"limit": 2, "cursor": first["cursor"]})).json()
    assert [file["file_name"] for file in first["items"] + rest["items"]] == names
    assert rest["cursor"] is None


async def test_nobody_but_an_enterprise_adds_files(door: Door, tmp_path: Path) -> None:
    form = {"file": ("a.pdf", PDF)}
    for actor, status in ((OFFICER, 403), (EXPERT, 403), (None, 401)):
        async with door.client(actor) as client:
            assert (await client.post("/v1/files", files=form)).status_code == status
    assert kept(tmp_path) == []
