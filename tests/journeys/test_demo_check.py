# SPDX-License-Identifier: Apache-2.0
"""The demo starts, and its check tells a sound house from a broken one."""

import ast
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.crash.zygote import Zygote
from tests.house.sources import ROOT, imports
from web.demo import check
from web.demo.threads import TALKS

GUILDHALL = [sys.executable, "-P", "-m", "web.cli"]
MOST_POSTS_A_MINUTE = 10


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GUILDHALL_")}


@dataclass(frozen=True)
class Check:
    """`guildhall demo --check --json`, from a process that has everything imported."""

    processes: Zygote
    folder: Path

    def play(self, *options: str) -> tuple[int, list[dict[str, Any]]]:
        """Its exit status and reports, with more options."""
        printed, said = self.folder / "printed", self.folder / "said"
        process = self.processes.begin(
            environment(), (printed, said), "demo", "--check", "--json", *options
        )
        status = self.processes.ended(process)
        # Shown beside whatever fails.
        print(said.read_text(encoding="utf-8"))
        assert status in {0, 1}
        lines = printed.read_text(encoding="utf-8").splitlines()
        return status, [json.loads(line) for line in lines]


@pytest.fixture
def demo_check(processes: Zygote, tmp_path: Path) -> Check:
    """The check of the demo, which writes into this test's folder."""
    return Check(processes, tmp_path)


def test_every_step_of_the_check_holds(demo_check: Check) -> None:
    status, reports = demo_check.play()
    failed = [f"{report['step']}: {report['detail']}" for report in reports if not report["ok"]]
    assert not failed, "\n".join(failed)
    assert status == 0
    assert [report["step"] for report in reports] == check.names()
    for report in reports:
        assert set(report) == {"step", "ok", "seconds", "detail"}
        assert report["detail"]


@pytest.mark.parametrize(
    ("sabotage", "only", "must_fail"),
    [
        ("delivery", "federation", [n for n in check.names() if n.startswith("federation.")]),
        ("signature", "federation", [n for n in check.names() if n.startswith("federation.")]),
        # Whoever checks what we sign notices at the first thing sent.
        ("signing", "federation.follow_accepted", ["federation.follow_accepted"]),
        (
            "policy",
            "policy",
            ["policy.inbox_refused", "policy.fetch_refused", "policy.knock_recorded"],
        ),
    ],
)
def test_what_is_broken_on_purpose_is_noticed(
    demo_check: Check, sabotage: str, only: str, must_fail: list[str]
) -> None:
    status, reports = demo_check.play("--only", only, "--sabotage", sabotage)
    assert status == 1
    assert set(must_fail) <= {report["step"] for report in reports if not report["ok"]}


def test_the_demo_says_where_everything_is_and_leaves_nothing_running() -> None:
    demo = subprocess.Popen(
        [*GUILDHALL, "demo", "--json"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert demo.stdout
        line = demo.stdout.readline()
        assert line, demo.stderr.read() if demo.stderr else ""
        agencies = json.loads(line)["agencies"]
        assert [agency["name"] for agency in agencies] == ["City of Riverton", "City of Lakeside"]
        for agency in agencies:
            assert set(agency) == {"name", "url", "connect", "members"}
            assert {member["role"] for member in agency["members"]} == {"admin", "member"}
            assert all(len(member["password"]) >= 15 for member in agency["members"])
        lakeside = agencies[1]
        host = {"Host": lakeside["url"].removeprefix("http://")}
        page = httpx.get(f"http://{lakeside['connect']}/f/permits", headers=host, timeout=20)
        assert "How we cut permit times from 21 days to 12.6" in page.text
    finally:
        demo.send_signal(signal.SIGTERM)
        rest, said = demo.communicate(timeout=60)
    assert (demo.returncode, rest, said) == (0, "", "")
    for agency in agencies:
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://{agency['connect']}/healthz", timeout=5)


def test_nobody_in_the_story_writes_faster_than_the_rules_allow() -> None:
    posts = Counter(author for talk in TALKS for author in talk.authors())
    assert {author: count for author, count in posts.items() if count >= MOST_POSTS_A_MINUTE} == {}


def test_the_check_looks_at_the_house_from_outside_only() -> None:
    """Only the sabotage, which the server runs, may know what is inside."""
    inside = {"federation", "server", "storage"}
    found = [
        f"{path.name}:{line} imports {name}"
        for path in sorted((ROOT / "web/demo").glob("*.py"))
        if path.name != "sabotage.py"
        for line, name in imports(ast.parse(path.read_text(encoding="utf-8")))
        if name.split(".")[0] in inside
        or (name.startswith("web.") and not name.startswith("web.demo."))
        or name == "web.demo.sabotage.commit"
    ]
    assert found == []


def test_sabotage_is_refused_in_production(tmp_path: Path) -> None:
    settings = {
        "GUILDHALL_DATABASE": f"sqlite:///{tmp_path / 'guildhall.db'}",
        "GUILDHALL_STATE": str(tmp_path),
    }
    told = subprocess.run(
        [*GUILDHALL, "serve", "--port", "0", "--sabotage", "policy"],
        env=environment() | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.returncode == 2
    assert told.stderr == "Sabotage is for the modes demo and test only.\n"
