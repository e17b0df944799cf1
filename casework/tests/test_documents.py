"""Documents with their bytes: what a submission asks of them, how they are read again."""

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from casework.use_cases.refusals import DocumentsNotUploaded
from casework_way import (
    APPLICANT,
    EXPERT,
    OFFICER,
    PAPERS,
    STRANGER,
    Door,
    Way,
    documents,
    kept,
)
from chassis.database import Database
from chassis.testing import PDF

TOLD = ("Content-Type", "Content-Length", "Content-Disposition", "ETag", "X-Content-Type-Options")


@pytest.fixture
async def own(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    async with door.client(APPLICANT) as client:
        yield client


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
    assert {name: answer.headers[name] for name in TOLD} == {
        "Content-Type": "application/pdf", "Content-Length": str(len(PDF)),
        "Content-Disposition": f"attachment; filename=\"rd_audit\"; filename*=UTF-8''{named}",
        "ETag": f'"{hashlib.sha256(PDF).hexdigest()}"', "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    async with door.client(STRANGER) as other, door.client() as anybody:
        assert (await other.get(address)).status_code == 404
        assert (await anybody.get(address)).status_code == 401


async def test_a_large_document_comes_back_whole(own: httpx.AsyncClient, way: Way) -> None:
    content = PDF + os.urandom(3_000_000)
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
