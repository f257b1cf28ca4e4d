# SPDX-License-Identifier: Apache-2.0
"""The limits of this machine in this very minute."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.cluster import Cluster
from bench.limits import crypto, inserts
from bench.limits.inserts import InsertSpeed
from bench.load import Job
from bench.measures import Json, Measured, get, post, send
from bench.processes import CannotMeasure, Program, free_port, python, start
from bench.wait import until_it_answers

HOST = "bare.example"
CONNECTIONS = 32
# What a quiet run of this kind of machine gave; under half of it, the machine is busy or slow.
USUAL = {
    "bare ASGI, GET tiny": 38_650,
    "bare ASGI, GET 15 KB": 34_500,
    "bare ASGI, POST 2.4 KB": 29_400,
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
    inserts: dict[str, InsertSpeed] = field(default_factory=dict)

    def ideal_ingest(self, kind: str) -> float:
        """Deliveries a second and core, were ingest no more than its parts."""
        parts = (1 / self.post, 1 / self.verifies, 1 / self.digests)
        return 1 / (sum(parts) + self.inserts[kind].cpu_us / 1e6)

    def figures(self) -> dict[str, float]:
        """By the names in USUAL."""
        found = {
            "bare ASGI, GET tiny": self.tiny,
            "bare ASGI, GET 15 KB": self.page,
            "bare ASGI, POST 2.4 KB": self.post,
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


@contextmanager
def bare(folder: Path) -> Iterator[tuple[int, Program]]:
    """The bare ASGI program, served."""
    port = free_port()
    options = ("--port", str(port), "--no-access-log", "--log-level", "warning")
    command = python("uvicorn", "bench.limits.bare:app", *options)
    program = start(command, folder / "bare.log", {})
    try:
        until_it_answers(port, get(HOST, "/tiny"), program)
        yield port, program
    finally:
        program.stop()


def measure(folder: Path, cluster: Cluster | None, *, quick: bool) -> Limits:
    """Every limit, one after the other; `quick` ones are coarse."""
    requests, batches = (1_000, 5) if quick else (40_000, 100)
    body = b"x" * 2_400
    with bare(folder) as (port, program):
        job = Job([port], CONNECTIONS, requests, 20.0)

        def answered(request: bytes, status: str = "200") -> Measured:
            send([request], Job([port], 4, 50, 5.0), program.cpu, expected=(status,))
            return send([request], job, program.cpu, expected=(status,))

        tiny = answered(get(HOST, "/tiny"))
        page = answered(get(HOST, "/page"))
        posted = answered(post(HOST, "/inbox", body, {"Content-Type": "text/plain"}), "202")
    if not (tiny.cpu and page.cpu and posted.cpu):
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
    )
    (folder / "limit.db").unlink(missing_ok=True)
    limits.inserts["sqlite"] = inserts.sqlite(folder, batches)
    if cluster:
        limits.inserts["postgresql"] = inserts.postgresql(cluster.url("postgres"), batches)
    return limits
