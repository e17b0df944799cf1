"""Who may do what to a case, before the edition says in which state and role. What is not named is nobody's."""

from typing import Final

from chassis.auth import Policy, allow
from chassis.identity import Role

_BUREAU: Final[tuple[Role, ...]] = ("officer", "expert", "auditor", "operator")

POLICY: Policy = {
    "case.draft": allow("enterprise", own="enterprise"),
    "case.revise": allow("enterprise", own="enterprise"),
    "case.submit": allow("enterprise", own="enterprise"),
    "case.withdraw": allow("enterprise", own="enterprise"),
    "case.accept": allow("officer"),
    "case.return": allow("officer"),
    "case.review": allow("officer"),
    "case.judge": allow("officer", "expert"),
    "case.propose": allow("officer"),
    "case.notice": allow("officer"),
    "case.grant": allow("officer"),
    "case.close_notice": allow("system"),
    "case.refuse": allow("officer"),
    "objection.lodge": allow("public", "enterprise", "officer", "expert", "bank", "operator", "auditor"),
    "objection.decide": allow("officer"),
    "objection.list": allow("officer", "auditor"),
    "round.write": allow("officer"),
    "round.rank": allow("officer", "auditor"),
    "title.revoke": allow("officer"),
    "title.report": allow("enterprise", own="enterprise"),
    "title.decide_change": allow("officer"),
    "title.assess": allow("officer"),
    "title.duties": allow("officer", "auditor", "enterprise", own="enterprise"),
    "title.revocations": allow("officer", "auditor"),
    "inspection.record": allow("officer"),
    "inspection.draw": allow("officer"),
    "inspection.list": allow("officer", "auditor"),
    "inspection.read": allow("officer", "auditor", "enterprise", own="enterprise"),
    "case.read": allow(*_BUREAU, "enterprise", own="enterprise"),
    "case.list": allow(*_BUREAU, "enterprise", own="enterprise"),
    "case.judgements": allow("officer", "auditor"),
    "file.add": allow("enterprise", own="enterprise"),
    "file.list": allow("enterprise", own="enterprise"),
    "export.ask": allow("officer", "auditor"),
    "export.read": allow("officer", "auditor"),
    "expert.write": allow("officer"),
    "expert.list": allow("officer", "auditor"),
    "expert.read": allow("officer", "auditor", "expert"),
    "interest.declare": allow("officer", "expert"),
    "interest.end": allow("officer"),
    "interest.list": allow("officer", "auditor", "expert"),
    "draw.commit": allow("officer"),
    "draw.reveal": allow("officer"),
    "panel.read": allow("officer", "auditor", "expert"),
    "panel.recuse": allow("officer", "expert"),
    "sheet.read": allow("expert"),
    "sheet.write": allow("expert"),
    "score.read": allow("officer", "auditor", "expert"),
}
