import os
import subprocess
import sys
from pathlib import Path

import pytest

from certification.main import service
from certification.settings import Settings
from certification_rig import Counter
from chassis.messages import untranslated
from chassis.testing import Databases

RULEBOOKS = Path(__file__).parents[1] / "rulebooks"


def settings_of(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url, "KAFKA_BOOTSTRAP": "127.0.0.1:9", "ENVIRONMENT": "development",
        "ISSUER": "urn:huiqi:development", "AUDIENCE": "certification", "JWKS_URL": (tmp_path / "jwks.json").as_uri(),
        "STORAGE": (tmp_path / "kept").as_uri(),
    }  # fmt: skip


def started(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **{f"CERTIFICATION_{name}": text for name, text in settings.items()}}
    return subprocess.run(
        [sys.executable, "-m", "certification"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_malformed_rulebook_stops_the_start_with_file_and_line(
    make_database: Databases, tmp_path: Path
) -> None:
    text = (RULEBOOKS / "hnte/2016-01-01.yaml").read_text(encoding="utf-8")
    folder = tmp_path / "rulebooks/hnte"
    folder.mkdir(parents=True)
    (folder / "2016-01-01.yaml").write_text(text.replace("measure: ", "measure: no_", 1), encoding="utf-8")
    settings = settings_of(await make_database.url(service.migrations), tmp_path)
    ended = started(settings | {"RULEBOOKS": str(tmp_path / "rulebooks")})
    assert ended.returncode != 0
    assert "2016-01-01.yaml:" in ended.stderr
    assert "unknown measure no_" in ended.stderr


def test_without_a_place_for_files_it_does_not_start(tmp_path: Path) -> None:
    settings = settings_of("postgresql://nobody@127.0.0.1:9/none", tmp_path)
    del settings["STORAGE"]
    ended = started(settings)
    assert ended.returncode != 0
    assert "the setting STORAGE says where" in ended.stderr


def test_every_refusal_is_said_in_chinese_too() -> None:
    assert untranslated(["certification", "casework"]) == []


def test_the_rulebooks_that_ship_are_found() -> None:
    assert (Settings.model_construct(rulebooks=None).rulebook_folder / "hnte/2016-01-01.yaml").is_file()


@pytest.mark.parametrize("path", ["/openapi.json", "/healthz"])
async def test_the_service_describes_itself(counter: Counter, path: str) -> None:
    async with counter.client() as anybody:
        assert (await anybody.get(path)).status_code == 200
