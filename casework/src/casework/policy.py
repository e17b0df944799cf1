"""Who may do what to a case, before the edition says in which state and role. What is not named is nobody's."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from casework.member import MemberKind
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
    "round.decide": allow("officer"),
    "round.decisions": allow("officer", "auditor"),
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
    "panel.end": allow("officer"),
    "sheet.read": allow("expert"),
    "sheet.write": allow("expert"),
    "score.read": allow("officer", "auditor", "expert"),
}

READING: Final = frozenset({"case.read", "case.list", "inspection.read", "title.duties", "file.list"})
"""What a viewer of an enterprise may do."""

APPLYING: Final = frozenset({"case.draft", "case.revise", "case.submit", "case.withdraw"})
"""What an agent does only where the edition of the application lets agents act."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A policy, and how far the members of an enterprise reach into what it lets the enterprise do of its own.

    An owner does all of it, an agent what is not `owning`, a viewer what is `reading`.
    """

    policy: Policy
    reading: AbstractSet[str] = frozenset()
    owning: AbstractSet[str] = frozenset()

    def allows(self, kind: MemberKind, action: str) -> bool:
        match kind:
            case "owner":
                return True
            case "agent":
                return action not in self.owning
            case "viewer":
                return action in self.reading


CASEWORK: Final = Reach(POLICY, READING)
