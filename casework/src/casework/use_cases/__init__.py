"""The verbs of a case. Both doors end here."""

from casework.use_cases.applying import NOTICE_CLOSE, draft_case, revise_case, submit_case, withdraw_case
from casework.use_cases.deciding import (
    accept_case,
    judge_case,
    propose_case,
    refuse_case,
    return_case,
    start_review,
)
from casework.use_cases.granting import close_notice, grant_case, open_notice
from casework.use_cases.steps import Casework

__all__ = [
    "NOTICE_CLOSE",
    "Casework",
    "accept_case",
    "close_notice",
    "draft_case",
    "grant_case",
    "judge_case",
    "open_notice",
    "propose_case",
    "refuse_case",
    "return_case",
    "revise_case",
    "start_review",
    "submit_case",
    "withdraw_case",
]
