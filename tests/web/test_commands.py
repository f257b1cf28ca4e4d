# SPDX-License-Identifier: Apache-2.0
"""What commands print and refuse, and how they end."""

import io
import json
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests import makers
from web.cli.program import main


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
    began = time.monotonic()
    status, printed, said = terminal.type("post", "add", "counters", *written, stdin="How?")
    assert (status, said) == (0, "")
    assert printed.startswith("http://riverton.localhost:8000/p/")
    data = json.loads(terminal.type("post", "add", "counters", *written, "--json", stdin="How?")[1])
    assert data["queued"] is False
    assert time.monotonic() - began < 5
    assert terminal.type("forum", "list")[1].endswith("2 threads")


@pytest.mark.parametrize("which", [0, 1])
def test_a_demo_at_a_port_in_use_says_so_at_once(terminal: Terminal, which: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        began = time.monotonic()
        status, printed, said = terminal.type("demo", "--port", str(port - which))
    assert (status, printed) == (2, "")
    assert f"port {port} is in use" in said
    assert "\n" not in said
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("port", ["65535", "70000", "-5"])
def test_a_demo_at_no_port_says_so(terminal: Terminal, port: str) -> None:
    status, _, said = terminal.type("demo", "--port", port)
    assert status == 2
    assert "is not a port" in said
