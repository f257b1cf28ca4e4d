# SPDX-License-Identifier: Apache-2.0
"""Starts commands from a process that has imported everything already."""

import gc
import json
import os
import selectors
import signal
import sys
from typing import Any, NoReturn

from sqlalchemy.orm import configure_mappers

from web.cli.program import main as guildhall
from web.cli.program import mount

BROKE = 70


class Nursery:
    """Does what each line of `asked` says, and says on `told` what became of it.

    A line asks for a command, `{"run": ["member", "list"], "env": {…}, "files": [in, out, err]}`
    with paths of files for its standard streams, answered by `{"started": process}` at once and
    `{"ended": process, "status": number}` in the end; or for a signal to one of the processes,
    `{"signal": number, "to": process}`. At the end of `asked` all of them are killed.
    """

    def __init__(self, asked: int, told: int) -> None:
        self._asked = asked
        self._told = told
        self._running: set[int] = set()
        self._half = b""
        self._woken, self._wakes = os.pipe()
        for pipe in (self._woken, self._wakes):
            os.set_blocking(pipe, False)

    def run(self) -> None:
        """Until nobody asks any more."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as ready:
            ready.register(self._asked, selectors.EVENT_READ)
            ready.register(self._woken, selectors.EVENT_READ)
            while self._turn({key.fd for key, _ in ready.select()}):
                pass
        for process in self._running:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)

    def _turn(self, ready: set[int]) -> bool:
        if self._woken in ready:
            os.read(self._woken, 4096)
            self._reap()
        if self._asked in ready:
            read = os.read(self._asked, 65536)
            *lines, self._half = (self._half + read).split(b"\n")
            for line in lines:
                self._do(json.loads(line))
            return bool(read)
        return True

    def _reap(self) -> None:
        for process in sorted(self._running):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                self._running.discard(process)
                self._tell(ended=process, status=os.waitstatus_to_exitcode(status))

    def _do(self, what: dict[str, Any]) -> None:
        if "signal" in what:
            if what["to"] in self._running:
                os.kill(what["to"], what["signal"])
            return
        process = os.fork()
        if not process:
            self._become(what)
        self._running.add(process)
        self._tell(started=process)

    def _tell(self, **what: int) -> None:
        os.write(self._told, json.dumps(what).encode() + b"\n")

    def _become(self, what: dict[str, Any]) -> NoReturn:
        """In the new process: be the command, and never come back."""
        status = BROKE
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for pipe in (self._asked, self._told, self._woken, self._wakes):
                os.close(pipe)
            _wire(what["files"])
            os.environ.clear()
            os.environ.update(what["env"])
            guildhall(what["run"])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


def _wire(files: list[str]) -> None:
    """Put files in the place of standard input, output and error."""
    ways = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_APPEND] * 2)
    for number, (path, way) in enumerate(zip(files, ways, strict=True)):
        opened = os.open(path, way, 0o600)
        os.dup2(opened, number)
        os.close(opened)


def main() -> None:
    """Be asked by standard input, and tell by standard output."""
    asked, told = os.dup(0), os.dup(1)
    # Nothing of what is imported is garbage, and looking for it takes a fifth of the time.
    gc.disable()
    mount("")
    # Each of them would do it at its first question.
    configure_mappers()
    # What is shared by all stays shared only while nobody writes to it.
    gc.freeze()
    gc.enable()
    Nursery(asked, told).run()


if __name__ == "__main__":
    main()
