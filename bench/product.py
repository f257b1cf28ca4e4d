# SPDX-License-Identifier: Apache-2.0
"""The real product under measurement: `guildhall serve` and `worker`."""

import time
from collections.abc import Mapping
from pathlib import Path

from bench.measures import get
from bench.processes import Program, python, start
from bench.wait import until_it_answers
from web.demo.ports import free_port

HOST = "commons.riverton.example.gov"
ORIGIN = f"https://{HOST}"


def settings(database: str, state: Path, resolve: Mapping[str, str]) -> dict[str, object]:
    """The settings of the instance, as the product names them."""
    return {
        "origin": ORIGIN,
        "database": database,
        "state": state,
        "mode": "test",
        "name": "Riverton Commons",
        "agency": "City of Riverton",
        "resolve": dict(resolve),
        "log_level": "warning",
        "proxies": ("127.0.0.1",),
        # What is measured is how much can be taken in, not when an origin is told to wait.
        "inbox_rate": 0,
    }


class Product:
    """One instance: a process that serves, and more that serve or work if asked."""

    def __init__(
        self,
        database: str,
        state: Path,
        folder: Path,
        *,
        resolve: Mapping[str, str] | None = None,
        federation: str = "allowlist",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        given = settings(database, state, {}) | {"federation": federation}
        config = folder / "settings.toml"
        # A table, since thousands of hosts do not fit into one environment variable.
        named = "\n".join(f'"{host}" = "{at}"' for host, at in (resolve or {}).items())
        config.write_text(f"[resolve]\n{named}\n", encoding="utf-8")
        self._environment = {
            f"GUILDHALL_{name.upper()}": ",".join(value) if isinstance(value, tuple) else str(value)
            for name, value in given.items()
            if name != "resolve"
        } | {"GUILDHALL_CONFIG": str(config)}
        self.ports: list[int] = []
        self.started_in = 0.0
        self.programs: list[Program] = []

    def serve(self, *, worker: bool = True) -> None:
        """Start a process that serves, and wait until it answers."""
        port = free_port()
        extra = [] if worker else ["--no-worker"]
        program = self._start("serve", "--host", "127.0.0.1", "--port", str(port), *extra)
        self.started_in = until_it_answers(port, get(HOST, "/healthz"), program)
        self.ports.append(port)

    def work(self) -> None:
        """Start one more process that sends and receives."""
        self._start("worker")

    def _start(self, *arguments: str) -> Program:
        log = self._folder / "log.txt"
        program = start(python("web.cli", *arguments), log, self._environment)
        self.programs.append(program)
        return program

    def cpu(self) -> float:
        """Processor seconds of all its processes."""
        return sum(program.cpu() for program in self.programs)

    def memory(self) -> float:
        """Resident megabytes of the process that serves."""
        return self.programs[0].memory()

    def forget_peak(self) -> None:
        """Count the peak of memory from now on."""
        self.programs[0].forget_peak()

    def peak_memory(self) -> float:
        """The most megabytes the process that serves had resident."""
        return self.programs[0].peak_memory()

    def rest(self, seconds: float = 20.0) -> None:
        """Wait until it has nothing more to do."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            before = self.cpu()
            time.sleep(0.5)
            if self.cpu() - before <= 0.03:
                return

    def stop(self) -> None:
        for program in self.programs:
            program.stop()
        self.programs, self.ports = [], []
