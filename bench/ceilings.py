# SPDX-License-Identifier: Apache-2.0
"""The limits of this machine in this very minute."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.cluster import Cluster
from bench.limits import crypto, inserts
from bench.limits.inserts import InsertSpeed
from bench.load import Job
from bench.measures import Json, Measured, get, post, send
from bench.processes import CannotMeasure, python, start
from bench.wait import until_it_answers
from web.demo.ports import free_port

HOST = "bare.example"
CONNECTIONS = 32
QUICK = 1_000
# What a quiet run of this kind of machine gave; under half of it, the machine is busy or slow.
USUAL = {
    "bare ASGI, GET tiny": 38_650,
    "bare ASGI, GET 15 KB": 34_500,
    "bare ASGI, POST 2.4 KB": 29_400,
    "Starlette, POST 2.4 KB of JSON": 21_000,
    "RSA-2048 signatures": 4_120,
    "RSA-2048 checks": 61_000,
    "SQLite rows, 100 a commit": 50_085,
    "PostgreSQL rows, 100 a commit": 21_600,
}


@dataclass
class Limits:
    """Each limit, a second on one core; `inserts` by kind of database."""

    tiny: float
    page: float
    post: float
    signs: float
    verifies: float
    digests: float
    rsa_by: str
    framework_post: float = 0.0
    inserts: dict[str, InsertSpeed] = field(default_factory=dict)

    def ideal_ingest(self, kind: str, *, bare: bool = False) -> float:
        """Deliveries a second and core, were ingest no more than its parts.

        The request by a program that routes it and reads its JSON, as whoever takes deliveries
        must; with `bare` by one that looks at nothing.
        """
        request = self.post if bare else self.framework_post
        parts = (1 / request, 1 / self.verifies, 1 / self.digests)
        return 1 / (sum(parts) + self.inserts[kind].cpu_us / 1e6)

    def figures(self) -> dict[str, float]:
        """By the names in USUAL."""
        found = {
            "bare ASGI, GET tiny": self.tiny,
            "bare ASGI, GET 15 KB": self.page,
            "bare ASGI, POST 2.4 KB": self.post,
            "Starlette, POST 2.4 KB of JSON": self.framework_post,
            "RSA-2048 signatures": self.signs,
            "RSA-2048 checks": self.verifies,
        }
        names = {
            "sqlite": "SQLite rows, 100 a commit",
            "postgresql": "PostgreSQL rows, 100 a commit",
        }
        return found | {names[kind]: speed.rows for kind, speed in self.inserts.items()}

    def report(self) -> Json:
        """Figures, and which of them say that the machine is busy or slow."""
        found = self.figures()
        slow = [name for name, figure in found.items() if figure < USUAL[name] / 2]
        rounded: Json = {name: round(figure) for name, figure in found.items()}
        return {"figures": rounded, "rsa_by": self.rsa_by, "machine busy or slow": slow}


# A request, how often, and the status of its answers.
Try = Callable[[bytes, int, str], Measured]


@contextmanager
def served(folder: Path, name: str, request: bytes, status: int) -> Iterator[Try]:
    """One of the limit programs, served; what is given sends it requests and measures."""
    port = free_port()
    options = ("--port", str(port), "--no-access-log", "--log-level", "warning")
    program = start(python("uvicorn", f"bench.limits.{name}", *options), folder / "limit.log", {})
    try:
        until_it_answers(port, request, program, status=status)

        def measured(request: bytes, count: int, status: str) -> Measured:
            expected = (status,)
            if count > QUICK:
                send([request], Job([port], 4, 50, 5.0), program.cpu, expected=expected)
            job = Job([port], CONNECTIONS, count, 20.0)
            return send([request], job, program.cpu, expected=expected)

        yield measured
    finally:
        program.stop()


def measure(folder: Path, cluster: Cluster | None, *, quick: bool) -> Limits:
    """Every limit, one after the other; `quick` ones are coarse."""
    requests, batches = (QUICK, 5) if quick else (40_000, 100)
    note = b'{"content": "' + b"x" * 2_385 + b'"}'
    posting = post(HOST, "/inbox", note, {"Content-Type": "application/activity+json"})
    getting = get(HOST, "/tiny")
    with served(folder, "bare:app", getting, 200) as measured:
        tiny = measured(getting, requests, "200")
        page = measured(get(HOST, "/page"), requests, "200")
        posted = measured(posting, requests, "202")
    with served(folder, "framework:app", posting, 202) as measured:
        routed = measured(posting, requests, "202")
    if not (tiny.cpu and page.cpu and posted.cpu and routed.cpu):
        raise CannotMeasure("Too few requests to count the processor time of a bare server.")
    rsa = crypto.by_library(0.05) if quick else crypto.rsa_speed()
    limits = Limits(
        tiny=tiny.per_core,
        page=page.per_core,
        post=posted.per_core,
        signs=rsa.signs,
        verifies=rsa.verifies,
        digests=crypto.digest_rate(0.02 if quick else 0.3),
        rsa_by=rsa.by,
        framework_post=routed.per_core,
    )
    (folder / "limit.db").unlink(missing_ok=True)
    limits.inserts["sqlite"] = inserts.sqlite(folder, batches)
    if cluster:
        limits.inserts["postgresql"] = inserts.postgresql(cluster.url("postgres"), batches)
    return limits
