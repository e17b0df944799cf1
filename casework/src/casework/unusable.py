"""The refusal of facts that cannot be judged."""

from typing import Any

from casework.wording import say
from chassis.errors import Invalid


class UnusableInput(Invalid):
    """{field}: {rule_broken}"""

    def __init__(
        self, path: str, rule_id: str, *, source: str | None = None, line: int = 0, **values: Any
    ) -> None:
        self.path = path
        self.rule_id = rule_id
        self.line = line
        self.values = values
        broken = say(rule_id, "en", **values)
        super().__init__(rule=rule_id, source=source, field=path or "facts", rule_broken=broken)

    def in_language(self, language: str) -> str:
        """`path (line n): what is wrong`, in `zh` or `en`."""
        place = say(
            "place_with_line" if self.line else "place", language, path=self.path or "facts", line=self.line
        )
        source = f" [{self.source}]" if self.source else ""
        return f"{place}{say(self.rule_id, language, **self.values)}{source}"
