# SPDX-License-Identifier: Apache-2.0
"""Programs started for a benchmark, and what the kernel counts of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
PROCESS_CLOCK = 2
STOP_SECONDS = 15.0


class CannotMeasure(Exception):
    """Something could not be measured; the message says what stood in the way."""


def python(*arguments: str) -> list[str]:
    """The command that runs one of our modules."""
    return [sys.executable, "-P", "-m", *arguments]


def start(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> "Program":
    """Start a program whose output goes to a file."""
    outer = {name: v for name, v in os.environ.items() if not name.startswith("GUILDHALL_")}
    with log.open("ab") as file:
        process = subprocess.Popen(
            command,
            env={**outer, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    return Program(process, log)


class Program:
    """One running program."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log
        self.pid = process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return text.strip()[-600:] or "it said nothing"

    def cpu(self) -> float:
        """Processor seconds so far, all threads together."""
        return cpu_of(self.pid)

    def memory(self) -> float:
        """Resident megabytes now."""
        return _status(self.pid, "VmRSS")

    def peak_memory(self) -> float:
        """Resident megabytes at most so far."""
        return _status(self.pid, "VmHWM")

    def forget_peak(self) -> None:
        """Count the peak from now on (proc(5), clear_refs 5)."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def stop(self) -> None:
        """Kindly, then not."""
        if not self.running:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def cpu_of(pid: int) -> float:
    """Processor seconds of a process, all threads together, by its own clock.

    The numbers of Linux: clock_getcpuclockid(3). What /proc tells is rounded to ten milliseconds.
    """
    return time.clock_gettime((~pid << 3) | PROCESS_CLOCK)


def cpu_of_family(pid: int) -> float:
    """Processor seconds of a process with its children, those that have ended included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    # cutime and cstime of proc(5).
    total = cpu_of(pid) + sum(int(field) for field in fields[13:15]) / TICKS
    for child in _children(pid):
        try:
            total += cpu_of(child)
        except OSError:
            continue
    return total


def _children(pid: int) -> Iterable[int]:
    tasks = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in tasks.split()]


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise CannotMeasure(f"The kernel does not tell {name} of {pid}.")
