"""A service that was never asked for a workbook, a certificate or a file does without their libraries, and idles lightly."""

import subprocess
import sys

import pytest

HEAVY = ("lxml", "numpy", "obstore", "openpyxl", "PIL", "polars", "pyhanko", "typst")
SHOW = "import {package}.main, sys; print(*sys.modules, sep='\\n')"


def loaded(program: str) -> set[str]:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in ran.stdout.split()}


@pytest.mark.parametrize("package", ["certification", "ip_enterprise", "finance_link", "notifier"])
def test_a_service_starts_without_what_few_requests_need(package: str) -> None:
    assert loaded(SHOW.format(package=package)) & set(HEAVY) == set()


def test_a_heavy_import_would_be_seen() -> None:
    assert {"openpyxl", "numpy"} <= loaded("import openpyxl, sys; print(*sys.modules, sep='\\n')")
