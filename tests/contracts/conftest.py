"""The contracts folder, its tool and a copy of both to break."""

import shutil
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "contracts" / "tools"))


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def contracts_folder() -> Path:
    return REPOSITORY / "contracts"


@pytest.fixture
def copied_folder(contracts_folder: Path, tmp_path: Path) -> Path:
    """A copy of contracts/ that a test may change."""
    return shutil.copytree(
        contracts_folder, tmp_path / "contracts", ignore=shutil.ignore_patterns("__pycache__")
    )
