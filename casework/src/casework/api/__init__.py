"""The HTTP side of casework, for the service that binds it."""

from fastapi import APIRouter

from casework.api.bureau import bureau_router
from casework.api.cases import case_router
from casework.api.certificates import certificate_router
from casework.api.changes import change_router
from casework.api.decision_lists import decision_list_router
from casework.api.documents import document_router, file_router
from casework.api.draws import draw_router
from casework.api.duties import duty_router
from casework.api.experts import expert_router
from casework.api.exports import export_router
from casework.api.forms import form_router
from casework.api.inspections import inspection_router
from casework.api.objections import objection_router
from casework.api.panels import panel_router
from casework.api.public import public_router
from casework.api.revocations import revocation_router
from casework.api.rounds import round_router
from casework.api.words import in_the_callers_words
from casework.use_cases import Casework

__all__ = ["casework_routers", "in_the_callers_words"]


def casework_routers(work: Casework) -> list[APIRouter]:
    """/v1/files and /v1/cases with every verb, panels and sheets, /v1/experts, /v1/draws, /v1/titles, /v1/notices, /v1/inspections, /v1/exports …"""
    panels = [expert_router(), draw_router(work), panel_router(work)]
    return [
        case_router(work),
        bureau_router(work),
        objection_router(work),
        inspection_router(work),
        document_router(),
        file_router(),
        form_router(work),
        *panels,
        public_router(work),
        certificate_router(work),
        revocation_router(work),
        duty_router(work),
        change_router(work),
        round_router(work),
        decision_list_router(work),
        export_router(),
    ]
