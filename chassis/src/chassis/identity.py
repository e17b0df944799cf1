"""Who acts."""

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["enterprise", "officer", "expert", "bank", "operator", "auditor", "public", "system"]
ROLES: frozenset[str] = frozenset(get_args(Role))


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or machine in one role. `enterprise_id` and `bank_id` say on whose behalf the issuer lets it act.

    A bank's clerk always has a bank; a person of the role enterprise may have no enterprise of its own.
    """

    subject: str
    role: Role
    enterprise_id: str | None = None
    bank_id: str | None = None

    def __str__(self) -> str:
        return f"{self.role}:{self.subject}"


SYSTEM = Actor("system", "system")
PUBLIC = Actor("anonymous", "public")
