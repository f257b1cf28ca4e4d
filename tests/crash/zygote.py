# SPDX-License-Identifier: Apache-2.0
"""Makes serving processes that start at once: everything is imported already."""

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from server.settings import Settings
from web.cli import serving

ROOT = Path(__file__).parents[2]


def environment(settings: Settings) -> dict[str, str]:
    """Settings as a process is told them."""
    return {
        "GUILDHALL_MODE": settings.mode,
        "GUILDHALL_ORIGIN": settings.origin,
        "GUILDHALL_DATABASE": settings.database,
        "GUILDHALL_STATE": str(settings.state),
        "GUILDHALL_AGENCY": settings.agency,
        "GUILDHALL_RESOLVE": ",".join(f"{host}={to}" for host, to in settings.resolve.items()),
    }


class Zygote:
    """A process that forks others; each of them is what `guildhall serve` or `worker` runs."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.crash.zygote", str(log)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _ask(self, **what: object) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the zygote is gone"
        return int(line)

    def serve(self, settings: Settings, port: int, *, worker: bool = True) -> int:
        """Start `guildhall serve`; answers the process."""
        return self._ask(env=environment(settings), port=port, worker=worker)

    def work(self, settings: Settings) -> int:
        """Start `guildhall worker`; answers the process."""
        return self._ask(env=environment(settings), port=0)

    def kill(self, process: int) -> None:
        """Kill a process (SIGKILL) and wait until it is gone."""
        ended = self._ask(kill=process)
        assert ended == -signal.SIGKILL, f"it had ended by itself: {ended}, see {self.log}"

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


def _child(what: dict[str, object], log: int) -> None:
    """What the new process does; it never returns from here."""
    code = 70
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        told = what["env"]
        assert isinstance(told, dict)
        for name in [name for name in os.environ if name.startswith("GUILDHALL_")]:
            del os.environ[name]
        os.environ.update(told)
        port = what["port"]
        assert isinstance(port, int)
        if port:
            serving.serve("127.0.0.1", port, worker=bool(what["worker"]))
        else:
            serving.work()
        code = 0
    finally:
        os._exit(code)


def main(path: str) -> None:
    """Fork what each line asks for, and kill and reap what another names."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    started: set[int] = set()
    gc.freeze()
    for line in sys.stdin:
        what = json.loads(line)
        if "kill" in what:
            answer = _end(what["kill"])
            started.discard(what["kill"])
        else:
            answer = os.fork()
            if not answer:
                _child(what, log)
            started.add(answer)
        print(answer, flush=True)
    for process in started:
        _end(process)


def _end(process: int) -> int:
    os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


if __name__ == "__main__":
    main(sys.argv[1])
