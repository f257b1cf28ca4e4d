# SPDX-License-Identifier: Apache-2.0
"""Makes serving processes that start at once: everything is imported already."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from server.settings import Settings

ROOT = Path(__file__).parents[2]


def environment(settings: Settings) -> dict[str, str]:
    """Settings as a process is told them."""
    others = {k: v for k, v in os.environ.items() if not k.startswith("GUILDHALL_")}
    return others | {
        "GUILDHALL_MODE": settings.mode,
        "GUILDHALL_ORIGIN": settings.origin,
        "GUILDHALL_DATABASE": settings.database,
        "GUILDHALL_STATE": str(settings.state),
        "GUILDHALL_AGENCY": settings.agency,
        "GUILDHALL_RESOLVE": ",".join(f"{host}={to}" for host, to in settings.resolve.items()),
    }


class Zygote:
    """The nursery of the demo, for tests that wait for nothing; all log to one file."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.crash.nursery"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ended: dict[int, int] = {}

    def _ask(self, **what: object) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, int]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the nursery is gone"
        told: dict[str, int] = json.loads(line)
        if "ended" in told:
            self._ended[told["ended"]] = told["status"]
        return told

    def run(self, settings: Settings, *arguments: str) -> int:
        """Start `guildhall` with these arguments; answers the process."""
        return self.begin(environment(settings), (self.log, self.log), *arguments)

    def begin(self, around: dict[str, str], files: tuple[Path, Path], *arguments: str) -> int:
        """The same in an environment; `files` take its output and what it says of errors."""
        paths = [os.devnull, *(str(path) for path in files)]
        self._ask(run=arguments, env=around, files=paths)
        while "started" not in (told := self._hear()):
            pass
        return told["started"]

    def serve(self, settings: Settings, port: int, *, worker: bool = True) -> int:
        """Start `guildhall serve`; answers the process."""
        extra = [] if worker else ["--no-worker"]
        return self.run(settings, "serve", "--host", "127.0.0.1", "--port", str(port), *extra)

    def work(self, settings: Settings) -> int:
        """Start `guildhall worker`; answers the process."""
        return self.run(settings, "worker")

    def kill(self, process: int) -> None:
        """Kill a process (SIGKILL) and wait until it is gone."""
        self._ask(signal=signal.SIGKILL, to=process)
        ended = self.ended(process)
        assert ended == -signal.SIGKILL, f"it had ended by itself: {ended}, see {self.log}"

    def end(self, process: int) -> None:
        """Tell a process to end (SIGTERM), as whoever supervises it does."""
        self._ask(signal=signal.SIGTERM, to=process)

    def ended(self, process: int) -> int:
        """The exit status of a process, once it has ended."""
        while process not in self._ended:
            self._hear()
        return self._ended.pop(process)

    def close(self) -> None:
        """End, with every process that was started."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=30)
        assert self._process.stdout
        self._process.stdout.close()


@contextlib.contextmanager
def zygote(log: Path) -> Iterator[Zygote]:
    """A zygote while the block runs."""
    made = Zygote(log)
    try:
        yield made
    finally:
        made.close()
