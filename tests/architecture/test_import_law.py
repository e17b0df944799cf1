"""The import law holds, and each of its contracts goes red when it is broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = [
    path for pattern in ("*/src/*", "services/*/src/*") for path in ROOT.glob(pattern) if path.is_dir()
]
BREACHES = {
    "services import each other": ("notifier/domain/notifications.py", "import finance_link.settings"),
    "a lower package imports a higher one": ("chassis/work.py", "import casework.titles"),
    "finance-link uses casework": ("finance_link/use_cases/__init__.py", "import casework.titles"),
    "a store imports use cases": ("notifier/store/enterprises.py", "import notifier.use_cases"),
    "a domain imports a driver": ("certification/domain.py", "import asyncpg"),
    "the law knows the wire": ("casework/lifecycle.py", "import contracts.certification"),
    "a room nobody planned": ("notifier/helpers.py", ""),
}


def lint(home: Path) -> subprocess.CompletedProcess[str]:
    linter = str(Path(sys.executable).parent / "lint-imports")
    command = [linter, "--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(home)}
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(
            package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__", "*.txt", "*.po")
        )
    return tmp_path


def test_the_import_law_holds(copied: Path) -> None:
    checked = lint(copied)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_found(copied: Path, breach: str) -> None:
    name, line = BREACHES[breach]
    file = copied / name
    file.write_text(f"{line}\n{file.read_text(encoding='utf-8') if file.exists() else ''}", encoding="utf-8")
    checked = lint(copied)
    assert checked.returncode == 1, checked.stdout
    assert "BROKEN" in checked.stdout
