# SPDX-License-Identifier: Apache-2.0
"""What is installed is ours, and fits but for two lines."""

import re
import subprocess
import sys
from pathlib import Path

import federation
import server
import storage
import web
from tests.house.sources import ROOT

LOCKED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def locked(name: str) -> set[tuple[str, str]]:
    """(library, version) pairs of a lock, one for each marker."""
    return set(LOCKED.findall((ROOT / name).read_text(encoding="utf-8")))


def test_the_floors_are_ours_and_not_a_library_of_the_same_name() -> None:
    for floor in (web, federation, server, storage):
        assert floor.__file__
        assert Path(floor.__file__).resolve().parent == ROOT / floor.__name__


def test_pip_complains_only_of_the_two_limits_we_lift_on_purpose() -> None:
    command = [sys.executable, "-m", "pip", "check"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    # A line reads "bovine 0.5.19 has requirement pyld<3.0.0,>=2.0.3, but you have pyld 3.3.0."
    complaints = [line.split() for line in told.stdout.splitlines() if line]
    about = sorted((words[0], re.split(r"[<>=!~]", words[4])[0]) for words in complaints)
    assert about == [("bovine", "cryptography"), ("bovine", "pyld")], told.stdout


def test_the_development_lock_holds_the_other_lock() -> None:
    assert locked("requirements.lock") <= locked("requirements-dev.lock")


def test_the_build_backend_is_in_both_locks() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert "setuptools" in {library for library, _ in locked(name)}


def test_every_locked_file_has_a_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
        assert entries
        assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_a_skip_for_want_of_a_program_fails_where_ci_is_set(tmp_path: Path) -> None:
    markers = ("postgres", "browser")
    tests = [
        f"@pytest.mark.{marker}\ndef test_{marker}(): pytest.skip('not installed')\n"
        for marker in markers
    ]
    (tmp_path / "test_page.py").write_text("import pytest\n" + "".join(tests))
    options = ["-p", "tests.machine", "-p", "no:cacheprovider", "-q", f"--rootdir={tmp_path}"]
    known = "\n".join(markers)
    command = [sys.executable, "-m", "pytest", *options, "-o", f"markers={known}", str(tmp_path)]
    # Both at once: most of the time goes into starting.
    programs = [
        (status, ended, subprocess.Popen(
            command, cwd=ROOT, env={"CI": ci}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True,
        ))
        for ci, status, ended in (("", 0, "2 skipped"), ("true", 1, "2 failed"))
    ]  # fmt: skip
    for status, ended, program in programs:
        told, _ = program.communicate(timeout=60)
        assert (program.returncode, ended in told) == (status, True), told
