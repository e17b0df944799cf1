"""The command as a person meets it: help, exit codes, errors that say what to do, and no secret anywhere."""

import asyncio
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import click.testing
import pytest
import yaml
from joserfc import jwt
from joserfc.jwk import KeySet

from chassis.auth import DevelopmentIssuer
from huiqi import ledger_command, reconcile, verify
from huiqi.addresses import Addresses, MailAddress, ServiceAddress
from huiqi.cli import COMMANDS, main
from huiqi.installation import IncompleteInstallation, Installation, read_installation
from small_town import TITLES, TOPICS, Quiet, Town

SECRET = "correct-horse"
KAFKA = {"bootstrap": "127.0.0.1:1"}


def huiqi(*arguments: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, list(arguments))


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    program = (
        "import sys; from huiqi.cli import main; main(['--help'], standalone_mode=False);"
        "heavy = {'asyncpg', 'aiokafka', 'fastapi', 'pydantic', 'rich', 'chassis'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_list_can_be_loaded_and_helps(name: str) -> None:
    module = COMMANDS[name][0].partition(":")[0]
    assert importlib.util.find_spec(module), f"{module} is listed and does not exist"
    done = huiqi(name, "--help")
    assert (done.exit_code, "Usage" in done.output) == (0, True), done.output


def test_an_unknown_command_is_refused() -> None:
    assert huiqi("nonsense").exit_code == 2


def installation_file(folder: Path, **changes: Any) -> Path:
    url = f"postgresql://huiqi:{SECRET}@127.0.0.1:1/x"
    services = dict.fromkeys(("certification", "ip-enterprise", "finance-link", "notifier"), url)
    file = folder / "installation.yaml"
    file.write_text(yaml.safe_dump({"services": services, "kafka": KAFKA} | changes))
    return file


def test_an_installation_is_read_with_its_secrets_from_files_and_never_shows_them(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"postgresql://huiqi:{SECRET}@db/x\n")
    (tmp_path / "password").write_text(SECRET)
    names = ("certification", "ip-enterprise", "finance-link", "notifier")
    services = {name: {"file": str(tmp_path / "url")} for name in names}
    kafka = {
        "bootstrap": "kafka:9092", "security_protocol": "SASL_PLAINTEXT", "sasl_username": "huiqi",
        "sasl_password": {"file": str(tmp_path / "password")},
    }  # fmt: skip
    found = read_installation(installation_file(tmp_path, services=services, kafka=kafka))
    assert found.databases["notifier"] == f"postgresql://huiqi:{SECRET}@db/x"
    assert found.kafka["bootstrap_servers"] == "kafka:9092"
    assert (found.kafka["sasl_mechanism"], found.kafka["sasl_plain_password"]) == ("SCRAM-SHA-512", SECRET)
    assert SECRET not in repr(found)


def test_an_installation_that_lacks_a_service_is_refused() -> None:
    with pytest.raises(IncompleteInstallation, match="finance-link, ip-enterprise, notifier"):
        Installation({"certification": "x"}, {})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kafka": {}}, "kafka.bootstrap"),
        ({"kafka": {**KAFKA, "pasword": SECRET}}, "kafka.pasword"),
        ({"services": {"certification": f"postgresql://huiqi:{SECRET}@x/y"}}, "no database is named for"),
        ({"services": {"certification": {"file": "/nowhere"}}}, "/nowhere"),
        ({"services": {"certification": 7}}, "services.certification"),
    ],
)
def test_a_wrong_installation_file_is_refused_with_its_place_and_without_secrets(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    done = huiqi("ledger", "--installation", str(installation_file(tmp_path, **changes)))
    assert done.exit_code == 2
    assert said in done.output
    assert SECRET not in done.output


@pytest.mark.parametrize("command", [["ledger"], ["reconcile"], ["verify", "audit"], ["parked", "list"]])
def test_an_installation_that_does_not_answer_is_no_broken_promise(
    tmp_path: Path, command: list[str]
) -> None:
    done = huiqi(*command, "--installation", str(installation_file(tmp_path)))
    assert done.exit_code == 1
    assert "Error" in done.output
    assert SECRET not in done.output
    assert "Traceback" not in done.output


def test_without_a_house_and_without_a_file_the_way_out_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    done = huiqi("ledger")
    assert done.exit_code == 2
    assert "huiqi up" in done.output


@pytest.fixture
def resting(quiet_town: Quiet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands find the quiet town, read only."""
    urls = {service: quiet_town.postgres.dsn(name) for service, name in quiet_town.names.items()}
    town = Installation(urls, quiet_town.broker.client, TOPICS)
    for module in (ledger_command, verify, reconcile):
        monkeypatch.setattr(module, "find_installation", lambda _house, _file: town)


def test_the_ledger_of_a_quiet_installation_is_a_table_and_an_object_and_exits_0(resting: None) -> None:
    done = huiqi("ledger", "--wait", "20")
    assert done.exit_code == 0, done.output
    assert "nothing lost" in done.output
    done = huiqi("ledger", "--format", "json")
    found = json.loads(done.output)
    assert found["I1"] == {"checked": 18, "broken": 0}
    assert set(found) == {f"I{n}" for n in range(1, 9)} | {"as_of", "details"}


def test_the_audit_prints_heads_and_accepts_them_later(resting: None) -> None:
    done = huiqi("verify", "audit", "--format", "json")
    assert done.exit_code == 0, done.output
    heads = {chain["service"]: chain["head"] for chain in json.loads(done.output)}
    again = huiqi("verify", "audit", "--service", "certification", "--head", heads["certification"])
    assert (again.exit_code, heads["certification"] in again.output) == (0, True)
    foreign = huiqi("verify", "audit", "--service", "certification", "--head", heads["finance-link"])
    assert (foreign.exit_code, "earlier head" in foreign.output) == (1, True)
    for wrong in (
        ["--head", "xyz", "--service", "notifier"],
        ["--head", heads["certification"]],
        ["--service", "x"],
    ):
        assert huiqi("verify", "audit", *wrong).exit_code == 2


def test_reconcile_finds_nothing_where_all_has_arrived(resting: None) -> None:
    done = huiqi("reconcile", "--dry-run")
    assert (done.exit_code, done.output) == (0, "every event has reached its listeners, or is on its way\n")


async def test_a_broken_promise_is_told_with_its_place_and_exits_1(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_command, "find_installation", lambda _house, _file: town.installation)
    await town.write("notifier", "DELETE FROM inbox WHERE topic = $1", TITLES)
    done = await asyncio.to_thread(huiqi, "ledger")
    assert done.exit_code == 1
    assert (
        f"I1 broken: has not reached notifier, whose mark is 0 (listener=notifier topic={TITLES}"
        in done.output
    )
    assert (await asyncio.to_thread(huiqi, "ledger", "--format", "json")).exit_code == 1
    await town.write("certification", "UPDATE events SET payload = '{}'")
    monkeypatch.setattr(verify, "find_installation", lambda _house, _file: town.installation)
    done = await asyncio.to_thread(huiqi, "verify", "audit")
    assert (done.exit_code, "certification broken: link 1" in done.output) == (1, True)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    service = ServiceAddress(url="http://127.0.0.1:1", database="postgresql://x", log=tmp_path / "log")
    Addresses(
        directory=tmp_path, pid=1, services={"certification": service, "notifier": service}, kafka={},
        mail=MailAddress(host="x", port=1, folder=tmp_path), issuer=tmp_path / "issuer", clock=None,
    ).write()  # fmt: skip
    return tmp_path


def claims(house: Path, token: str) -> dict[str, Any]:
    published: Any = DevelopmentIssuer(house / "issuer").jwks()
    keys = KeySet.import_key_set(published)
    return dict(jwt.decode(token.strip(), keys, algorithms=["Ed25519", "EdDSA"]).claims)


def test_a_token_says_who_for_whom_and_where(house: Path) -> None:
    done = huiqi(
        "token",
        "bank",
        "--subject",
        "teller",
        "--bank",
        "harbour",
        "--audience",
        "notifier",
        "--house",
        str(house),
    )
    assert done.exit_code == 0, done.output
    found = claims(house, done.output)
    assert (found["sub"], found["role"], found["bank_id"], found["aud"]) == (
        "teller",
        "bank",
        "harbour",
        ["notifier"],
    )
    everywhere = claims(house, huiqi("token", "officer", "--house", str(house)).output)
    assert everywhere["aud"] == ["certification", "notifier"]
    alone = claims(house, huiqi("token", "enterprise", "--house", str(house)).output)
    assert "enterprise_id" not in alone


@pytest.mark.parametrize(
    "arguments",
    [["bank"], ["system"], ["officer", "--audience", "x"], ["officer", "--hours", "0"]],
)
def test_a_token_that_no_service_would_take_is_not_made(house: Path, arguments: list[str]) -> None:
    assert huiqi("token", *arguments, "--house", str(house)).exit_code == 2
