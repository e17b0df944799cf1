import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP
from typing import Any

import asyncpg
import click
import pytest

from chassis import kafka_admin
from huiqi import addresses
from huiqi.addresses import Addresses
from huiqi.house import House
from huiqi.services import Named, NotReady, environment_without

HERE = Path(__file__).parent
TINY = Named("tiny")
AT = datetime(2009, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE))
        patch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("shared")))
        with House(services=[TINY], clock_at=AT, banks=["harbour"], fsync=False) as house:
            yield house


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def soon(holds: Callable[[], bool], seconds: float = 15) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def processes_of(directory: Path) -> list[str]:
    """Command lines, of processes that are not zombies, in which the directory or our service is named."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = str((entry / "cwd").readlink())
        except (OSError, ProcessLookupError):
            continue
        if command and str(directory) in command + where and f"/{os.getpid()}" != str(entry)[5:]:
            found.append(command)
    return found


async def test_a_house_has_databases_topics_and_a_service_that_is_ready(house: House) -> None:
    connection = await asyncpg.connect(house.postgres.dsn("tiny"))
    assert await connection.fetchval("SELECT count(*) FROM migrations") > 0
    await connection.close()
    topics = await kafka_admin.list_topics(house.broker.client)
    assert {"certification.titles", "finance-link.bank.harbour"} <= set(topics)
    assert house.services["tiny"].ready()


def test_a_token_of_the_house_is_accepted_by_its_services(house: House) -> None:
    url = house.services["tiny"].url
    token = house.issuer.token("li", "officer", "tiny")
    request = urllib.request.Request(f"{url}/openapi.json", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as answer:
        assert "paths" in json.load(answer)


def test_a_mail_is_kept_in_the_sink(house: House) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "huiqi@huiqi.example", "zhang@firm.example", "您好"
    with SMTP(house.mail.host, house.mail.port) as smtp:
        smtp.send_message(mail)
    assert len(house.mail.mails()) == 1


def test_a_killed_service_comes_back_on_its_port(house: House) -> None:
    service = house.services["tiny"]
    url = service.url
    service.kill()
    assert not service.ready()
    service.start()
    service.await_ready()
    assert service.url == url


def test_the_clock_of_the_house_moves_when_told(house: House) -> None:
    assert house.clock_file is not None
    later = AT.replace(month=6)
    house.set_clock(later)
    assert datetime.fromisoformat(house.clock_file.read_text()) == later


def test_nothing_is_left_when_the_block_ends(tmp_path: Path) -> None:
    with House(services=[TINY], fsync=False) as house:
        ports = [house.postgres.port, house.mail.port, house.services["tiny"].port]
        directory = house.directory
        assert all(map(listens, ports))
        assert len(processes_of(directory)) >= 3
    child = house.services["tiny"].child
    assert child is not None
    assert child.returncode == 0
    assert not any(map(listens, ports))
    assert processes_of(directory) == []
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_a_service_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILPOINTS", "nonsense")
    with pytest.raises(NotReady, match="nonsense"), House(services=[TINY], fsync=False):
        pass
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_owner_is_ended_by(end: signal.Signals, tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import time
        from huiqi.house import House
        from huiqi.services import Named
        with House(services=[Named("tiny")], fsync=False) as house:
            print(house.postgres.port, house.services["tiny"].port, house.mail.port, flush=True)
            time.sleep(60)
    """)
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment)
    assert owner.stdout is not None
    ports = [int(port) for port in owner.stdout.readline().split()]
    assert len(ports) == 3
    assert all(map(listens, ports))
    owner.send_signal(end)
    assert owner.wait(20) != 0
    assert soon(lambda: processes_of(tmp_path) == [] and list(tmp_path.iterdir()) == [])
    assert not any(map(listens, ports))


def test_two_houses_at_once_do_not_meet(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(house.directory.parent))
    with House(services=[TINY], fsync=False) as other:
        assert other.directory != house.directory
        assert other.services["tiny"].url != house.services["tiny"].url
        with pytest.raises(click.UsageError, match="which house"):
            addresses.find(None)
    assert addresses.find(None).directory == house.directory


def test_commands_find_the_house_by_the_file_that_only_its_owner_may_read(house: House) -> None:
    found = addresses.find(house.directory)
    assert found == house.addresses == Addresses.read(house.directory)
    assert (house.directory / addresses.FILE).stat().st_mode & 0o077 == 0


def test_a_house_that_is_gone_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="none"):
        addresses.find(None)
    with pytest.raises(click.UsageError, match="no house"):
        addresses.find(tmp_path)


def test_exported_settings_of_a_service_do_not_leak_into_a_house(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY_DATABASE_URL", "postgresql://elsewhere")
    monkeypatch.setenv("KEPT", "yes")
    environment: dict[str, Any] = environment_without([TINY])
    assert environment["KEPT"] == "yes"
    assert "TINY_DATABASE_URL" not in environment
