# SPDX-License-Identifier: Apache-2.0
"""One measurement: a load against a server, its figures and its ratios."""

import asyncio
import json
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import load
from bench.load import Job
from bench.processes import ROOT, CannotMeasure, python

Json = dict[str, object]


@dataclass(frozen=True)
class Measured:
    """What came of one load; processor time is the server's, in seconds."""

    done: int
    seconds: float
    cpu: float
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    database_cpu: float = 0.0

    @property
    def per_second(self) -> float:
        """By the clock."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def cpu_us(self) -> float:
        """Processor microseconds of the server for one."""
        return self.cpu / self.done * 1e6 if self.done else 0.0

    @property
    def per_core(self) -> float:
        """How many a core could do in a second, were it the server's alone."""
        return self.done / self.cpu if self.cpu else 0.0

    def figures(self) -> Json:
        """For the report."""
        return {
            "done": self.done,
            "per_second": round(self.per_second, 1),
            "cpu_us": round(self.cpu_us, 1),
            "per_core": round(self.per_core, 1),
            "database_cpu_us": round(self.database_cpu / self.done * 1e6, 1) if self.done else 0,
            "p50_ms": round(self.p50_ms, 2),
            "p95_ms": round(self.p95_ms, 2),
            "bytes_each": round(self.bytes / self.done) if self.done else 0,
        }


def together(parts: Sequence[Measured]) -> Measured:
    """Several as one; p95 is that of the slowest."""
    middle = sorted(part.p50_ms for part in parts)[len(parts) // 2]
    return Measured(
        sum(part.done for part in parts),
        sum(part.seconds for part in parts),
        sum(part.cpu for part in parts),
        p50_ms=middle,
        p95_ms=max(part.p95_ms for part in parts),
        bytes=sum(part.bytes for part in parts),
        database_cpu=sum(part.database_cpu for part in parts),
    )


Counter = Callable[[], float]


def _none() -> float:
    return 0.0


def send(
    requests: Sequence[bytes],
    job: Job,
    cpu: Counter,
    *,
    expected: Sequence[str] = ("200",),
    database_cpu: Counter = _none,
) -> Measured:
    """Send from a process of its own; CannotMeasure when an answer is another than expected."""
    with tempfile.NamedTemporaryFile(suffix=".requests") as file:
        load.write(requests, Path(file.name))
        before, database_before = cpu(), database_cpu()
        told = subprocess.run(
            [*python("bench.load"), file.name, json.dumps(asdict(job))],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=job.seconds + 60,
        )
        after, database_after = cpu(), database_cpu()
    if told.returncode:
        raise CannotMeasure(f"The load generator failed: {told.stderr[-400:]}")
    said = json.loads(told.stdout)
    if said["broken"] or set(said["statuses"]) - set(expected):
        raise CannotMeasure(f"Answers: {said['statuses']}, {said['broken']} connections broken.")
    return Measured(
        done=said["done"],
        seconds=said["seconds"],
        cpu=after - before,
        p50_ms=said["p50_ms"],
        p95_ms=said["p95_ms"],
        statuses=said["statuses"],
        bytes=said["bytes"],
        database_cpu=database_after - database_before,
    )


def get(host: str, path: str, **headers: str) -> bytes:
    """A GET as bytes; `accept_language` becomes Accept-Language."""
    return _head("GET", host, path, headers)


def post(host: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A POST as bytes."""
    return _head("POST", host, path, headers | {"Content-Length": str(len(body))}) + body


def _head(method: str, host: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1"]
    given = {name.replace("_", "-").title(): value for name, value in headers.items()}
    lines += [f"{name}: {value}" for name, value in ({"Host": host} | given).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def fetch(port: int, request: bytes) -> tuple[int, bytes]:
    """One request on a connection of its own: (status, body)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        at = head.find(b"\r\ncontent-length:")
        size = int(head[at + 17 : head.find(b"\r\n", at + 2)]) if at >= 0 else 0
        return int(head[9:12]), await reader.readexactly(size)
    finally:
        writer.close()
