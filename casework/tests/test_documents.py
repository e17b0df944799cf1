"""Documents with their bytes: how they come in, what a submission asks of them, how they are read again."""

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
from casework.use_cases import Casework
from casework.use_cases.refusals import DocumentsNotUploaded
from casework_way import (
    APPLICANT,
    EXPERT,
    OFFICER,
    PAPERS,
    STRANGER,
    Door,
    Way,
    casework_door,
    documents,
    in_pieces,
)
from chassis.database import Database
from chassis.testing import PDF

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MEGABYTE = 1_000_000


@pytest.fixture
def door(db: Database, tmp_path: Path, work: Casework) -> Door:
    return casework_door(db, tmp_path, work)


@pytest.fixture
async def own(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    async with door.client(APPLICANT) as client:
        yield client


def kept(directory: Path) -> list[Path]:
    return [path for path in (directory / "kept").rglob("*") if path.is_file()]


def archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        for name in names:
            opened.writestr(name, "<x/>")
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


async def test_a_submission_names_each_document_whose_file_is_not_as_declared(way: Way) -> None:
    case = await way.drafted()
    declared = documents()
    wrong: dict[str, dict[str, Any]] = {
        "application_form": {"sha256": "0" * 64},
        "registration": {"bytes": 7},
        "rd_audit": {"media_type": "image/png"},
    }
    given = [document.model_copy(update=wrong.get(document.paper, {})) for document in declared]
    await way.step("revise_case", APPLICANT, case.case_id, documents=given)
    with pytest.raises(DocumentsNotUploaded) as refused:
        await way.step("submit_case", APPLICANT, case.case_id)
    assert refused.value.fields["documents"] == sorted(wrong)
    for said in ("application_form (未上传", "declared 7 bytes", "declared image/png, is application/pdf"):
        assert said in str(refused.value)


async def test_the_file_of_another_enterprise_does_not_count(way: Way, db: Database) -> None:
    case = await way.drafted()
    await db.fetch("UPDATE files SET enterprise_id = $1", STRANGER.enterprise_id)
    with pytest.raises(DocumentsNotUploaded) as refused:
        await way.step("submit_case", APPLICANT, case.case_id)
    assert refused.value.fields["documents"] == sorted(PAPERS)


async def test_a_returned_case_is_handed_in_again_with_uploaded_documents_only(
    way: Way, db: Database
) -> None:
    case = await way.submitted()
    await way.step("return_case", OFFICER, case.case_id, defects=["no stamp"])
    await db.fetch("DELETE FROM files")
    with pytest.raises(DocumentsNotUploaded):
        await way.step("submit_case", APPLICANT, case.case_id)


async def test_a_document_is_read_by_who_may_read_the_case(door: Door, way: Way) -> None:
    case = await way.drafted()
    given = [document.model_copy(update={"file_name": "企业所得税 报表.pdf"}) for document in documents()]
    await way.step("revise_case", APPLICANT, case.case_id, documents=given)
    address = f"/v1/cases/{case.case_id}/documents/rd_audit"
    for actor in (APPLICANT, OFFICER, EXPERT):
        async with door.client(actor) as client:
            answer = await client.get(address)
        assert (answer.status_code, answer.content) == (200, PDF)
    named = "%E4%BC%81%E4%B8%9A%E6%89%80%E5%BE%97%E7%A8%8E%20%E6%8A%A5%E8%A1%A8.pdf"
    assert {name: answer.headers[name] for name in _TOLD} == {
        "Content-Type": "application/pdf", "Content-Length": str(len(PDF)),
        "Content-Disposition": f"attachment; filename=\"rd_audit\"; filename*=UTF-8''{named}",
        "ETag": f'"{hashlib.sha256(PDF).hexdigest()}"', "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    async with door.client(STRANGER) as other, door.client() as anybody:
        assert (await other.get(address)).status_code == 404
        assert (await anybody.get(address)).status_code == 401


_TOLD = ("Content-Type", "Content-Length", "Content-Disposition", "ETag", "X-Content-Type-Options")


async def test_a_large_document_comes_back_whole(own: httpx.AsyncClient, way: Way) -> None:
    content = PDF + os.urandom(3 * MEGABYTE)
    await way.uploaded(content)
    case = await way.drafted()
    large = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    await way.step(
        "revise_case", APPLICANT, case.case_id, documents=[documents()[0].model_copy(update=large)]
    )
    assert (await own.get(f"/v1/cases/{case.case_id}/documents/application_form")).content == content


async def test_what_was_never_uploaded_is_said_so(own: httpx.AsyncClient, way: Way, db: Database) -> None:
    case = await way.drafted()
    await db.fetch("DELETE FROM files")
    answer = await own.get(f"/v1/cases/{case.case_id}/documents/rd_audit")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-yet-uploaded")
    answer = await own.get(f"/v1/cases/{case.case_id}/documents/rd_plan")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("left", [None, b"", PDF[:50]], ids=["gone", "empty", "half"])
async def test_an_object_that_is_not_whole_is_a_problem_that_names_the_paper(
    own: httpx.AsyncClient, way: Way, tmp_path: Path, left: bytes | None
) -> None:
    case = await way.drafted()
    (path,) = kept(tmp_path)
    path.unlink() if left is None else path.write_bytes(left)
    answer = await own.get(f"/v1/cases/{case.case_id}/documents/rd_audit")
    assert (answer.status_code, answer.json()["code"]) == (500, "document-lost")
    assert "rd_audit" in answer.json()["detail"]


async def test_nobody_but_an_enterprise_adds_files(door: Door, tmp_path: Path) -> None:
    form = {"file": ("a.pdf", PDF)}
    for actor, status in ((OFFICER, 403), (EXPERT, 403), (None, 401)):
        async with door.client(actor) as client:
            assert (await client.post("/v1/files", files=form)).status_code == status
    assert kept(tmp_path) == []
