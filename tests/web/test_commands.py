# SPDX-License-Identifier: Apache-2.0
"""What commands print and refuse, and how they end."""

import asyncio
import contextlib
import io
import itertools
import json
import shutil
import socket
import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server import peers
from server.clock import SystemClock
from server.instance import Instance
from server.settings import load
from storage import log
from storage.log import ActivityBody, Entry, Form, Parked
from tests import makers
from web.cli import peers as commands_on_peers
from web.cli.program import main
from web.demo.ports import free_port


class Terminal:
    """Commands typed one after the other on one instance."""

    def __init__(self, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._patch = patch

    def type(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        """Exit status, what was printed, and what was said beside it."""
        self._patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        printed = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out.strip(), printed.err.strip()

    def rules(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.type("allow", "list", "--json")[1])
        return found


@pytest.fixture
def terminal(
    tmp_path: Path,
    empty_database: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Terminal:
    shutil.copy(empty_database, tmp_path / "guildhall.db")
    monkeypatch.setenv("GUILDHALL_MODE", "test")
    monkeypatch.setenv("GUILDHALL_ORIGIN", "http://riverton.localhost:8000")
    monkeypatch.setenv("GUILDHALL_DATABASE", f"sqlite:///{tmp_path / 'guildhall.db'}")
    monkeypatch.setenv("GUILDHALL_STATE", str(tmp_path))
    return Terminal(capsys, monkeypatch)


def test_a_rule_keeps_its_reason_until_another_is_given(terminal: Terminal) -> None:
    host = "lakeside.example.gov"
    assert terminal.type("allow", "add", host, "--reason", "Agreement")[0] == 0
    assert terminal.type("allow", "add", f"https://{host}/f/permits")[0] == 0
    assert [(rule["rule"], rule["reason"]) for rule in terminal.rules()] == [(host, "Agreement")]
    assert terminal.type("allow", "add", host, "--reason", "Renewed")[0] == 0
    assert [rule["reason"] for rule in terminal.rules()] == ["Renewed"]


@pytest.mark.parametrize(
    "named", ["x.example.gov", "https://x.example.gov/z", "X.example.gov:8443", "x.example.gov."]
)
def test_a_rule_is_removed_by_whatever_names_its_host(terminal: Terminal, named: str) -> None:
    terminal.type("allow", "add", "x.example.gov")
    status, printed, _ = terminal.type("allow", "remove", named)
    assert (status, printed) == (0, "x.example.gov is no longer allowed.")
    assert terminal.rules() == []
    assert terminal.type("allow", "remove", named)[0] == 2


@pytest.mark.parametrize("host", ["", " ", "https://"])
def test_testing_no_host_is_refused_in_a_sentence(terminal: Terminal, host: str) -> None:
    said = (2, "", "Name a host, such as lakeside.example.gov.")
    assert terminal.type("allow", "test", host) == said


@pytest.mark.parametrize(
    "rule", ["riverton.localhost", "http://riverton.localhost:8000", "org", "*.org"]
)
def test_our_own_host_and_whole_domains_are_not_let_in(terminal: Terminal, rule: str) -> None:
    status, printed, said = terminal.type("allow", "add", rule)
    assert (status, printed) == (2, "")
    assert said.endswith(".")
    assert terminal.rules() == []


def test_nothing_is_queued_where_nothing_is_shared(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUILDHALL_FEDERATION", "off")
    person = ("--email", "sam@riverton.example.gov", "--name", "Sam Hale", "--password-stdin")
    terminal.type("member", "add", "sam", *person, "--admin", stdin=f"{makers.PASSWORD}\n")
    terminal.type("forum", "add", "counters", "--title", "Service counters")
    written = ("--as", "sam", "--title", "Queues?", "--file", "-")
    status, printed, said = terminal.type("post", "add", "counters", *written, stdin="How?")
    assert (status, said) == (0, "")
    assert printed.startswith("http://riverton.localhost:8000/p/")
    data = json.loads(terminal.type("post", "add", "counters", *written, "--json", stdin="How?")[1])
    assert data["queued"] is False
    assert terminal.type("forum", "list")[1].endswith("2 threads")


def test_keys_are_changed_by_name_or_for_all(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUILDHALL_FEDERATION", "off")
    person = ("--email", "sam@riverton.example.gov", "--name", "Sam Hale", "--password-stdin")
    terminal.type("member", "add", "sam", *person, "--admin", stdin=f"{makers.PASSWORD}\n")
    terminal.type("forum", "add", "counters", "--title", "Service counters")
    sam, counters = (f"http://riverton.localhost:8000/{name}" for name in ("u/sam", "f/counters"))
    assert terminal.type("key", "rotate", "@sam") == (0, f"{sam} has new keys.", "")
    made = json.loads(terminal.type("key", "rotate", "--all", "--json")[1])
    assert set(made) == {sam, counters}
    assert all(key.startswith(f"{owner}#") for owner, keys in made.items() for key in keys)
    for wrong in (["nobody"], [], ["sam", "--all"]):
        status, printed, said = terminal.type("key", "rotate", *wrong)
        assert (status, printed) == (2, "")
        assert said.endswith(".")


@pytest.mark.parametrize("which", [0, 1])
def test_a_demo_at_a_port_in_use_says_so(terminal: Terminal, which: int) -> None:
    with socket.socket() as taken:
        # Not one for outgoing connections: those of other tests might hold its neighbour.
        port = free_port()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen(1)
        status, printed, said = terminal.type("demo", "--port", str(port - which))
    assert (status, printed) == (2, "")
    assert f"port {port} is in use" in said
    assert "\n" not in said


@pytest.mark.parametrize("port", ["65535", "70000", "-5"])
def test_a_demo_at_no_port_says_so(terminal: Terminal, port: str) -> None:
    status, _, said = terminal.type("demo", "--port", port)
    assert status == 2
    assert "is not a port" in said


@pytest.fixture
def peer(terminal: Terminal) -> str:
    """A server that was not reached, with one thing waiting for it and one set aside."""

    async def make() -> None:
        instance = await Instance.open(load())
        async with instance.transaction() as tx:
            peer = await peers.seen(tx, makers.LAKESIDE, f"http://{makers.LAKESIDE}")
            peer.failures, peer.failing_since, peer.last_error = 2, tx.now, "No answer\nat all"
            inbox = f"http://{makers.LAKESIDE}/inbox"
            lane = await log.lane_to(tx.session, inbox, peer.host, tx.ids.next(), tx.now)
            for number in (1, 2):
                tx.session.add(ActivityBody(id=number, body='{"type":"Like"}', subject="x:1"))
                await tx.session.flush()
                entry = Entry(Form.DIRECT, f"x:#{number}", "x:2", "x:1", inbox, "x:1")
                await log.append(tx.session, entry, number, tx.now, [lane.id])
            lane.cursor = 1
            tx.session.add(
                Parked(
                    lane_id=lane.id, seq=1, order_key="x:1", attempts=3, next_try=tx.now,
                    error="500 Oops",
                )
            )  # fmt: skip
        await instance.close()

    assert terminal.type("peer", "list")[0] == 0
    asyncio.run(make())
    return makers.LAKESIDE


def test_a_peer_is_shown_as_on_its_page(terminal: Terminal, peer: str) -> None:
    status, printed, _ = terminal.type("peer", "show", peer.upper(), "--json")
    data = json.loads(printed)
    assert status == 0
    assert (data["host"], data["failures"], data["in_flight"]) == (peer, 2, None)
    assert (data["outstanding"], data["outstanding_or_more"], data["waiting"]) == (1, False, 1)
    assert data["lag_seconds"] >= 0
    assert data["said"] == [
        {"about": "not reached", "words": "No answer at all"},
        {"about": "parked", "words": "500 Oops"},
    ]
    (entry,) = data["parked"]
    assert (entry["verb"], entry["subject"], entry["attempts"]) == ("Endorsement", "x:1", 3)
    lines = terminal.type("peer", "show", peer)[1].splitlines()
    for line in ("in_flight: -", "outstanding: 1", "said (not reached): “No answer at all”"):
        assert line in lines
    assert lines[-1].startswith("parked: Endorsement: x:1, 3 attempts, next try ")
    listed = terminal.type("peer", "list")[1]
    assert listed == f"{peer}\tunknown\tnot reachable: No answer at all"


def test_a_peer_is_paused_resumed_and_given_up(terminal: Terminal, peer: str) -> None:
    assert terminal.type("peer", "pause", peer)[:2] == (
        0,
        f"Nothing is sent to {peer} until you resume it.",
    )
    assert terminal.type("peer", "list")[1].endswith("\tpaused")
    refused = (2, "", f"Sending to {peer} is paused: resume it first.")
    assert terminal.type("peer", "retry", peer) == refused
    data = json.loads(terminal.type("peer", "resume", peer, "--json")[1])
    assert (data["paused"], data["outstanding"]) == (None, 1)
    data = json.loads(terminal.type("peer", "forget", peer, "--json")[1])
    assert (data["outstanding"], data["waiting"], data["failures"]) == (0, 0, 0)
    assert json.loads(terminal.type("peer", "list", "--json")[1])[0]["state"] == "well"


def test_retrying_says_that_no_server_runs(
    terminal: Terminal, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands_on_peers, "WORKER_SECONDS", 0.0)
    ticks = itertools.count(time.time_ns() // 1_000_000)
    # Whoever looks at the clock twice sees two moments, as on a machine that is busy.
    monkeypatch.setattr(
        SystemClock, "now", lambda _: datetime.fromtimestamp(next(ticks) / 1000, UTC)
    )
    said = (0, "queued: the server is not running", "")
    assert terminal.type("peer", "retry", peer) == said
    assert json.loads(terminal.type("peer", "retry", peer, "--json")[1])["queued"] is True


@pytest.mark.parametrize("command", ["show", "retry", "pause", "resume", "forget"])
def test_a_peer_nobody_heard_of_is_refused_in_a_sentence(terminal: Terminal, command: str) -> None:
    said = (2, "", "We have never heard of nobody.example.")
    assert terminal.type("peer", command, "nobody.example") == said
    assert terminal.type("peer", command, "nobody.example", "--json") == said


def test_the_record_is_checked_exported_and_erased_by_command(
    terminal: Terminal, tmp_path: Path
) -> None:
    for number in range(3):
        terminal.type("allow", "add", f"{number}.example", "--reason", "Kim asked")
    whole = json.loads(terminal.type("record", "verify", "--json")[1])
    assert (whole["whole"], whole["lines"]) == (True, 3)
    sentence = f"The record is whole: 3 lines, the last one's hash is {whole['hash']}."
    assert terminal.type("record", "verify") == (0, sentence, "")
    assert terminal.type("record", "erase", "2", "--reason", "Article 17")[:2] == (0, "Erased: 2.")
    status, _, said = terminal.type("record", "erase", "2", "--reason", "Article 17")
    assert (status, said) == (2, "Line 2 is erased already.")
    assert terminal.type("record", "verify", "--expect", whole["hash"])[0] == 0
    unknown = f"No line of the record has the hash {'0' * 64}."
    assert terminal.type("record", "verify", "--expect", "0" * 64) == (1, unknown, "")
    lines = [json.loads(line) for line in terminal.type("record", "export")[1].splitlines()]
    assert ["erased" in line for line in lines] == [False, True, False, False]
    assert lines[2]["hash"] == whole["hash"]
    with contextlib.closing(sqlite3.connect(tmp_path / "guildhall.db")) as connection:
        connection.execute("DROP TRIGGER audit_seals_not_dropped")
        connection.execute("DELETE FROM audit_seals WHERE place = 2")
        connection.commit()
    assert terminal.type("record", "verify") == (1, "Line 2 is missing.", "")
    broken = terminal.type("record", "verify", "--json")
    assert broken[0] == 1
    assert json.loads(broken[1])["broken"] == 2
