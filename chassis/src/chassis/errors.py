"""The three kinds of error. Anything that is neither Refused nor Unavailable is a bug."""

import re
from typing import Any, ClassVar


class Refused(Exception):
    """The request was refused."""

    # The first line of a subclass's docstring is its English message and the catalogue's message id;
    # {names} in it are filled from `fields`.
    status: ClassVar[int] = 409

    def __init__(self, *, rule: str | None = None, source: str | None = None, **fields: Any) -> None:
        self.rule = rule
        self.source = source
        self.fields = fields
        super().__init__(self.message_id.format_map(_Lenient(fields)))

    @property
    def message_id(self) -> str:
        return (type(self).__doc__ or Refused.__doc__ or "").strip().splitlines()[0]

    @property
    def code(self) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()


class _Lenient(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


class NotFound(Refused):
    """There is no such {thing}."""

    status = 404


class Forbidden(Refused):
    """You may not do this: {action}."""

    status = 403


class PreconditionFailed(Refused):
    """Somebody changed this before you; the version is now {version}."""

    status = 412


class Invalid(Refused):
    """{field}: {rule_broken}"""

    status = 422


class Unavailable(Exception):
    """A database, a broker or a network does not answer now; the same request may succeed later."""

    def __init__(self, reason: str, retry_after: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
