"""What is an enterprise's own is reached by one door, which knows its members too."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOMES = ("casework/src", "services/certification/src", "services/ip-enterprise/src")
DOOR = "casework/src/casework/use_cases/permitting.py"


def ways_around(text: str) -> list[int]:
    """The lines where `authorize` is asked about an owner."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if "authorize" in (getattr(call.func, "id", ""), getattr(call.func, "attr", ""))
        and any(keyword.arg in ("enterprise_id", None) for keyword in call.keywords)
    ]


def test_nobody_asks_about_an_enterprise_around_its_members() -> None:
    files = [path for home in HOMES for path in (ROOT / home).rglob("*.py")]
    found = {str(path.relative_to(ROOT)) for path in files if ways_around(path.read_text(encoding="utf-8"))}
    assert found == {DOOR}


def test_a_way_around_would_be_seen() -> None:
    assert ways_around('authorize(POLICY, who, "case.read", enterprise_id=uscc)') == [1]
    assert ways_around('auth.authorize(POLICY, who, "case.read", **owners)') == [1]
    assert ways_around('authorize(POLICY, who, "case.list")') == []
