import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from chassis import children, kafka_admin
from chassis.children import NotFromHere, Scratch, spawn
from chassis.embedded import EmbeddedBroker, EmbeddedPostgres, NotStarted, free_port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


async def ask(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def soon(holds: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def gone(pid: int) -> bool:
    """A zombie counts as gone: nobody in a container may reap an orphan."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def test_postgres_18_answers_in_a_directory_that_only_we_may_enter(server: EmbeddedPostgres) -> None:
    assert server.directory.stat().st_mode & 0o077 == 0 or os.geteuid() != 0
    assert str(await ask(server.dsn(), "SHOW server_version")).startswith("18.")
    assert await ask(server.dsn(), "SHOW fsync") == "on"
    assert await ask(server.dsn(), "SHOW listen_addresses") == "127.0.0.1"


async def test_postgres_refuses_a_wrong_password(server: EmbeddedPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(f"postgresql://huiqi:wrong@127.0.0.1:{server.port}/postgres", "SELECT 1")


async def test_a_database_is_copied_from_a_template(server: EmbeddedPostgres) -> None:
    await ask(server.create_database("mould"), "CREATE TABLE seen (id int)")
    assert await ask(server.create_database("cast", template="mould"), "SELECT count(*) FROM seen") == 0


@pytest.mark.parametrize("how", ["fast", "immediate", "kill"])
async def test_committed_rows_outlive_a_restart_on_the_same_port(server: EmbeddedPostgres, how: str) -> None:
    dsn = server.create_database(f"kept_{how}")
    await ask(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    if how == "kill":
        server.kill()
        assert not server.running
        server.start()
    else:
        server.restart("fast" if how == "fast" else "immediate")
    assert await ask(dsn, "SELECT answer FROM kept") == 42


async def test_a_paused_postgres_answers_nobody_until_it_is_resumed(server: EmbeddedPostgres) -> None:
    connection = await asyncpg.connect(server.dsn())
    server.pause()
    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.fetchval("SELECT 1"), 0.3)
    finally:
        server.resume()
    connection.terminate()
    assert await ask(server.dsn(), "SELECT 1") == 1


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, settings={"shared_buffers": "lots"})
    with pytest.raises(NotStarted, match="shared_buffers"):
        server.start()


def test_a_port_that_another_took_is_given_up_for_a_free_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = iter([taken.getsockname()[1], free_port()])
        monkeypatch.setattr("chassis.servers.free_port", lambda: next(ports))
        with EmbeddedPostgres(tmp_path) as server:
            assert server.port != taken.getsockname()[1]


async def test_the_broker_keeps_order_headers_and_committed_offsets(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        await broker.create_topics({"fruit": 3})
        await broker.create_topics({"fruit": 3})
        async with AIOKafkaProducer(**broker.client, acks="all") as producer:
            sent = [
                await producer.send("fruit", str(n).encode(), key=b"apple", headers=[("n", str(n).encode())])
                for n in range(100)
            ]
            partition = (await asyncio.gather(*sent))[0].partition
        there = TopicPartition("fruit", partition)
        for offset, expected in ((0, 60), (60, 40)):
            async with AIOKafkaConsumer(
                **broker.client, group_id="eaters", enable_auto_commit=False
            ) as consumer:
                consumer.assign([there])
                assert (await consumer.committed(there) or 0) == offset
                await consumer.seek_to_beginning(there) if offset == 0 else None
                records: list[ConsumerRecord] = []
                while len(records) < expected:
                    records += (await consumer.getmany(there, timeout_ms=500, max_records=60)).get(there, [])
                assert [int(r.value) for r in records] == [int(dict(r.headers)["n"]) for r in records]
                assert [r.offset for r in records] == list(range(offset, offset + expected))
                await consumer.commit({there: records[-1].offset + 1})


async def test_a_killed_broker_comes_back_empty_on_its_port(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        await broker.create_topics({"fruit": 1})
        bootstrap = broker.bootstrap
        broker.kill()
        assert not listens(broker.port)
        broker.start()
        assert broker.bootstrap == bootstrap
        assert await kafka_admin.list_topics(broker.client) == []


async def test_a_deleted_topic_is_made_anew_and_empty(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        await broker.create_topics({"fruit": 2})
        await kafka_admin.delete_topics(broker.client, ["fruit", "stranger"])
        assert await kafka_admin.list_topics(broker.client) == []
        await broker.create_topics({"fruit": 2})
        assert await kafka_admin.list_topics(broker.client) == ["fruit"]


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_servers_and_their_directory_are_gone_when_their_owner_is_killed(
    tmp_path: Path, death: signal.Signals
) -> None:
    program = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from chassis.children import Scratch
        from chassis.embedded import EmbeddedBroker, EmbeddedPostgres
        with Scratch("owned-", Path(sys.argv[1])) as here, EmbeddedPostgres(here / "p") as p, \\
                EmbeddedBroker(here / "b") as b:
            print(p.pid, b.pid, p.port, b.port, flush=True)
            time.sleep(60)
    """)
    owner = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    *pids, postgres_port, broker_port = map(int, owner.stdout.readline().split())
    assert listens(postgres_port)
    assert listens(broker_port)
    owner.send_signal(death)
    owner.wait()
    assert soon(lambda: all(gone(pid) for pid in pids))
    assert not listens(postgres_port)
    assert not listens(broker_port)
    assert soon(lambda: list(tmp_path.iterdir()) == [])


def test_a_directory_is_gone_when_its_block_ends(tmp_path: Path) -> None:
    with Scratch("used-", tmp_path) as directory:
        (directory / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_a_child_is_refused_from_a_thread_whose_end_would_kill_it(tmp_path: Path) -> None:
    refused = []

    def start() -> None:
        try:
            spawn(["sleep", "1"], log=tmp_path / "log")
        except NotFromHere as refusal:
            refused.append(refusal)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert len(refused) == 1


def test_a_child_that_ignores_sigterm_is_killed_at_its_deadline(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = spawn(["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"], log=log)
    assert children.await_that(lambda: "up" in children.tail(log), child, 5)
    assert children.end(child, signal.SIGTERM, deadline=0.3) == -signal.SIGKILL
