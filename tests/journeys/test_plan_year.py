"""The demo year 2009 and the round of 2016, played in a whole house: what was meant to happen happened, and once."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.testing import given_kafka
from huiqi.demo import play
from huiqi.demo_progress import Silent
from huiqi.demo_result import Result
from huiqi.demo_year import CLOSES, OPENS, Outcome, Year, instant, read_year
from huiqi.house import House

COMMAND = [str(Path(sys.executable).with_name("huiqi")), "demo"]
MENDED_WITHIN = timedelta(days=90)
MEMORY = 1.5 * 2**30


@dataclass(frozen=True)
class Played:
    year: Year
    house: House
    result: Result


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    year = read_year()
    banks = [bank.bank_id for bank in year.banks]
    with House(clock_at=instant(OPENS), banks=banks, broker=given_kafka()) as house:
        yield Played(year, house, asyncio.run(play(house, year, Silent())))


@pytest.mark.timeout(300)
def test_every_application_comes_to_its_meant_end(played: Played) -> None:
    assert played.result.unexpected == []
    assert played.result.as_json()["applications"]["total"] == len(played.year.applications) == 25


def test_the_round_walks_from_the_call_to_a_certificate_and_every_line_of_it_holds(played: Played) -> None:
    told = played.result.round
    assert all(one.holds for one in told)
    assert [one.on for one in told] == sorted(one.on for one in told)
    whole = "\n".join(one.what for one in told)
    for step in ("upload", "commits to a draw", "draws every panel again", "hand in 25 sheets", "refuses", "objects to",
                 "dismisses", "grants GR201644000001", "certificate of", "credential", "is told of"):  # fmt: skip
        assert step in whole


def test_a_line_that_does_not_hold_is_unexpected(played: Played) -> None:
    last = played.result.round[-1]
    broken = replace(played.result, round=[replace(last, holds=False)])
    assert (broken.as_meant, broken.unexpected) == (False, [f"{last.on} {last.who}: {last.what}"])
    assert played.result.as_meant


def test_titles_reach_the_plan_s_targets(played: Played) -> None:
    actual = {target["id"]: target for target in played.result.year.plan}
    for name in ("hnte", "ip-advantage-municipal"):
        assert actual[name]["min"] <= actual[name]["actual"] <= actual[name]["max"]
    assert actual["sme-credit"]["actual"] == 6
    assert actual["museum-phase-1"]["actual"] is None


def _stands(year: Year, outcome: Outcome) -> str:
    """Where the referral has to stand at the year's end, by what the bank said and what ended by itself."""
    last = outcome.answers[-1]
    withdrawn = any(
        consent.withdrawn_on and (consent.enterprise_id, consent.bank_id) == (outcome.enterprise_id, outcome.bank_id)
        for consent in year.consents
    )  # fmt: skip
    if withdrawn:
        return "withdrawn"
    kind = str(last.body["kind"])
    return "expired" if kind == "returned" and last.on + MENDED_WITHIN < CLOSES else kind


def test_every_referral_stands_where_its_bank_left_it(played: Played) -> None:
    meant: dict[str, list[str]] = {}
    for outcome in played.year.outcomes:
        meant.setdefault(outcome.bank_id, []).append(_stands(played.year, outcome))
    found = {
        bank: sorted(state for state, count in states.items() for _ in range(count))
        for bank, states in played.result.year.referrals.items()
    }
    assert found == {bank: sorted(states) for bank, states in meant.items()}


def test_everybody_is_told_over_every_channel_once(played: Played) -> None:
    told = played.result.notifications
    assert {channel: set(states) for channel, states in told.items()} == {
        "inbox": {"delivered"}, "mail": {"delivered"},
    }  # fmt: skip
    mails = [mail["Message-ID"] for mail in played.house.mail.mails()]
    assert len(mails) == len(set(mails)) == told["mail"]["delivered"] > 0


def test_no_promise_of_the_ledger_is_broken(played: Played) -> None:
    ledger = played.result.ledger
    assert ledger.kept, ledger.as_json()
    assert all(promise.checked > 0 for promise in ledger.promises.values())
    # I4 looks at every record of every topic: a ledger that read no topic would be clean and say nothing.
    assert ledger.promises["I4"].checked > sum(played.result.events.values())


def test_the_report_has_the_promised_parts(played: Played) -> None:
    report = json.loads(json.dumps(played.result.as_json()))
    assert list(report) == [
        "plan", "applications", "titles", "referrals", "round", "notifications", "events", "ledger", "seconds",
    ]  # fmt: skip
    assert set(report["plan"][0]) == {"id", "min", "max", "actual"}
    assert {"I1", "I2", "I3", "I4", "I5"} <= set(report["ledger"])
    assert set(report["ledger"]["I1"]) == {"checked", "broken"}
    assert report["titles"]["total"] == 17


def test_the_whole_house_stays_within_its_memory(played: Played) -> None:
    assert 0 < sum(played.result.memory.values()) < MEMORY


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_ctrl_c_in_the_middle_of_the_year_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_environment(tmp_path)
    )
    assert demo.stderr is not None
    for line in demo.stderr:
        if line.startswith("2009-"):
            break
    demo.send_signal(signal.SIGINT)
    _, rest = demo.communicate(timeout=60)
    assert demo.returncode == 130, rest
    assert list(tmp_path.iterdir()) == []
    assert _processes_of(tmp_path) == []


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_two_demos_at_once_do_not_meet_and_say_json_alone(tmp_path: Path) -> None:
    command = [*COMMAND, "--format", "json"]
    pipe, environment = subprocess.PIPE, _environment(tmp_path)
    demos = [
        subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) for _ in range(2)
    ]
    for demo in demos:
        said, told = demo.communicate(timeout=300)
        assert demo.returncode == 0, told
        assert json.loads(said)["titles"]["total"] == 17
    assert list(tmp_path.iterdir()) == []


def _environment(scratch: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(scratch)}


def _processes_of(directory: Path) -> list[str]:
    """Command lines of processes that work in the directory, once those that were told to end had time for it."""
    until = time.monotonic() + 10
    while found := [line for line in _command_lines() if str(directory) in line]:
        if time.monotonic() > until:
            break
        time.sleep(0.1)
    return found


def _command_lines() -> Iterator[str]:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            where = str((entry / "cwd").readlink())
            yield (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace") + where
        except OSError:
            continue
