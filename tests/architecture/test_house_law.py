"""What the house law says of files, functions and names, run by a machine."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = {
    "certification": "certification",
    "ip-enterprise": "ip_enterprise",
    "finance-link": "finance_link",
    "notifier": "notifier",
}
ROOMS = ["__main__", "main", "settings", "api", "consumers", "use_cases", "store", "domain"]
BANNED = {
    "manager",
    "helper",
    "util",
    "utils",
    "common",
    "base",
    "process",
    "data",
    "info",
    "impl",
    "dto",
    "handle",
}
BUSINESS = re.compile(
    r"hnte|title_id|referral|consent|rulebook|panel|objection|subsid|incentive|(?<!root_)certificat|programme|notification"
    r"|\bassets? of\b|loan|verdict|self.?check",
    re.IGNORECASE,
)


def tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


SOURCES = [path for path in tracked("*.py") if "src" in path.parts]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def where(path: Path, line: int = 0) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_no_file_is_longer_than_300_lines() -> None:
    long = [where(p) for p in tracked("*.py") if p.read_text(encoding="utf-8").count("\n") > 300]
    assert long == []


def test_no_function_is_longer_than_40_lines() -> None:
    long = [
        where(path, f.lineno)
        for path in tracked("*.py")
        for f in functions(path)
        if (f.end_lineno or 0) - f.lineno >= 40
    ]
    assert long == []


def test_no_name_says_nothing() -> None:
    empty = [where(p) for p in SOURCES if BANNED & set(p.stem.strip("_").split("_"))]
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                words = {word.lower() for word in re.findall("[A-Z][a-z]+", node.name)}
                empty += [where(path, node.lineno)] * bool(words & (BANNED - {"data", "process", "base"}))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("handle_"):
                empty.append(where(path, node.lineno))
    assert empty == []


@pytest.mark.parametrize("folder", SERVICES)
def test_every_service_has_the_same_rooms(folder: str) -> None:
    home = ROOT / "services" / folder / "src" / SERVICES[folder]
    missing = [room for room in ROOMS if not (home / f"{room}.py").is_file() and not (home / room).is_dir()]
    assert missing == []
    assert (ROOT / "services" / folder / "README.md").is_file()
    assert list((ROOT / "services" / folder / "migrations").glob("0001_pre_*.sql"))


def test_the_chassis_knows_no_business_word() -> None:
    found = [
        f"{where(path, number)} {match[0]}"
        for path in [*SOURCES, *tracked("chassis/src/chassis/sql/*.sql")]
        if "chassis" in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := BUSINESS.search(line)) and "contracts." not in line
    ]
    assert found == []


def test_faststream_is_used_in_one_place_only() -> None:
    pattern = re.compile(r"\.subscriber\(|\bKafkaBroker\(|AIOKafkaConsumer\(.*group_id=[^N]")
    places = {where(p) for p in SOURCES if pattern.search(p.read_text(encoding="utf-8"))}
    assert places == {"chassis/src/chassis/subscribe.py:0"}


def test_only_the_relay_produces() -> None:
    places = {where(p) for p in SOURCES if "AIOKafkaProducer(" in p.read_text(encoding="utf-8")}
    assert places == {"chassis/src/chassis/relay.py:0"}


def test_contracts_import_pydantic_only() -> None:
    allowed = {"pydantic", "pydantic_core", "contracts"}
    foreign = []
    for path in (ROOT / "contracts/src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            foreign += [n for n in names if n.split(".")[0] not in allowed | _stdlib()]
    assert foreign == []


def _stdlib() -> frozenset[str]:
    import sys

    return sys.stdlib_module_names


def test_no_file_knows_what_lies_beside_the_project() -> None:
    beside = r"\.\./(shared|\.[a-z])"
    command = ["git", "grep", "-lE", beside]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert found == [".ci/run"]


def test_nothing_imports_tests() -> None:
    importing = [
        where(p)
        for p in SOURCES
        if re.search(r"^(from|import) tests\b", p.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert importing == []


def test_no_ignore_is_bare() -> None:
    bare = re.compile(r"#\s*type:\s*ignore(?!\[)|#\s*noqa(?!:)")
    found = [
        where(p, n)
        for p in tracked("*.py")
        if p != Path(__file__)
        for n, line in enumerate(p.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    ]
    assert found == []
