"""What an enterprise cannot have had before it was founded."""

from datetime import date

from casework.facts import Facts
from casework.unusable import UnusableInput


def check_founding(facts: Facts, founded: date | None) -> None:
    """Raises UnusableInput for a right of its own that is older than the enterprise; one from others may be older."""
    if founded is None:
        return
    for place, right in enumerate(facts.ip or ()):
        if right.acquired == "self" and right.granted_on is not None and right.granted_on < founded:
            path = f"ip[{place}].granted_on"
            raise UnusableInput(path, "before_founding", given=right.granted_on, founded=founded)
