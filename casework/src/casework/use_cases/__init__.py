"""The verbs of a case. Both doors end here."""

from casework.use_cases.applying import NOTICE_CLOSE, draft_case, revise_case, submit_case, withdraw_case
from casework.use_cases.casework import Casework
from casework.use_cases.certifying import issue_certificate, issue_credential, issue_status_list
from casework.use_cases.changing import decide_change, report_change
from casework.use_cases.deciding import (
    accept_case,
    judge_case,
    propose_case,
    refuse_case,
    return_case,
    start_review,
)
from casework.use_cases.decision_lists import (
    decision_form,
    list_taken_lists,
    look_through_list,
    open_taken_list,
    take_in_list,
)
from casework.use_cases.drawing import commit_draw, read_draw, read_panel, recuse_expert, reveal_draw
from casework.use_cases.duties import TITLE_DUTIES, act_on_duties
from casework.use_cases.experts import add_expert, change_expert, declare_interest, end_interest, read_expert
from casework.use_cases.exporting import (
    EXPORT_REMOVE,
    EXPORT_WRITE,
    ask_export,
    export_layout,
    list_exports,
    open_export,
    read_export,
)
from casework.use_cases.filing import keep_file, open_document
from casework.use_cases.forming import fill_form
from casework.use_cases.granting import close_notice, grant_case, open_notice
from casework.use_cases.inspecting import (
    INSPECTION_OVERDUE,
    act_on_overdue,
    kept_back,
    read_inspections,
    record_inspection,
)
from casework.use_cases.keeping import assess_title, report_duty
from casework.use_cases.marking import fill_sheet, hand_in_sheet, read_scores, read_sheet
from casework.use_cases.objecting import decide_objection, lodge_objection, read_answer
from casework.use_cases.redrawing import end_panel
from casework.use_cases.revoking import decide_revocation, propose_revocation
from casework.use_cases.rounds import call_round, change_round, rank_round
from casework.use_cases.sampling import commit_sample, read_sample, reveal_sample

__all__ = [
    "EXPORT_REMOVE",
    "EXPORT_WRITE",
    "INSPECTION_OVERDUE",
    "NOTICE_CLOSE",
    "TITLE_DUTIES",
    "Casework",
    "accept_case",
    "act_on_duties",
    "act_on_overdue",
    "add_expert",
    "ask_export",
    "assess_title",
    "call_round",
    "change_expert",
    "change_round",
    "close_notice",
    "commit_draw",
    "commit_sample",
    "decide_change",
    "decide_objection",
    "decide_revocation",
    "decision_form",
    "declare_interest",
    "draft_case",
    "end_interest",
    "end_panel",
    "export_layout",
    "fill_form",
    "fill_sheet",
    "grant_case",
    "hand_in_sheet",
    "issue_certificate",
    "issue_credential",
    "issue_status_list",
    "judge_case",
    "keep_file",
    "kept_back",
    "list_exports",
    "list_taken_lists",
    "lodge_objection",
    "look_through_list",
    "open_document",
    "open_export",
    "open_notice",
    "open_taken_list",
    "propose_case",
    "propose_revocation",
    "rank_round",
    "read_answer",
    "read_draw",
    "read_expert",
    "read_export",
    "read_inspections",
    "read_panel",
    "read_sample",
    "read_scores",
    "read_sheet",
    "record_inspection",
    "recuse_expert",
    "refuse_case",
    "report_change",
    "report_duty",
    "return_case",
    "reveal_draw",
    "reveal_sample",
    "revise_case",
    "start_review",
    "submit_case",
    "take_in_list",
    "withdraw_case",
]
