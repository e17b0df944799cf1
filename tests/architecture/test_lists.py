"""Lists stay quick however long they grow: pages begin behind a key, and no statement counts its way to them."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for path in ROOT.glob("**/src/**/*.py") if ".venv" not in path.parts)
MIGRATIONS = sorted(path for path in ROOT.glob("**/*.sql") if ".venv" not in path.parts)
SKIPS_ROWS = re.compile(r"\bOFFSET\b(?!\s*=)")


def texts_of(source: Path) -> list[str]:
    nodes = ast.walk(ast.parse(source.read_text(encoding="utf-8")))
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_no_statement_skips_rows() -> None:
    skipping = {
        str(path.relative_to(ROOT)) for path in SOURCES for text in texts_of(path) if SKIPS_ROWS.search(text)
    }
    skipping |= {
        str(path.relative_to(ROOT)) for path in MIGRATIONS if SKIPS_ROWS.search(path.read_text("utf-8"))
    }
    assert skipping == set()


def made_late(tree: ast.Module) -> list[int]:
    """The lines where a Listing is made inside a function: its texts could come from a request there."""
    functions = [
        n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    ]
    calls = [call for function in functions for call in ast.walk(function) if isinstance(call, ast.Call)]
    return [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Listing"]


def test_the_texts_of_a_list_are_there_before_any_request() -> None:
    late = {str(path.relative_to(ROOT)): made_late(ast.parse(path.read_text("utf-8"))) for path in SOURCES}
    assert {path: lines for path, lines in late.items() if lines} == {}


@pytest.mark.parametrize("text", ["SELECT 1 OFFSET $2", "LIMIT 5 OFFSET 10"])
def test_a_statement_that_skips_rows_would_be_seen(text: str) -> None:
    assert SKIPS_ROWS.search(text)


def test_a_late_list_would_be_seen() -> None:
    assert made_late(ast.parse("def rows(order):\n    return Listing('SELECT 1', order=order)\n")) == [2]
