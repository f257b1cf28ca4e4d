# SPDX-License-Identifier: Apache-2.0
"""The limits of this machine, as they are in one minute and the next."""

import shutil
import tempfile
import time
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from bench.cluster import Cluster
from bench.limits import crypto, inserts
from bench.limits.inserts import InsertSpeed
from bench.load import Job
from bench.measures import Json, Measured, get, post, send
from bench.processes import CannotMeasure, Program, python, start
from bench.wait import until_it_answers
from web.demo.ports import free_port

HOST = "bare.example"
CONNECTIONS = 32
QUICK = 1_000
# Measured beside every few hundred pages, it may not take longer than they do.
PAGES = 4_000
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

    tiny: float = 0.0
    page: float = 0.0
    post: float = 0.0
    framework_post: float = 0.0
    signs: float = 0.0
    verifies: float = 0.0
    digests: float = 0.0
    rsa_by: str = ""
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


NOTE = b'{"content": "' + b"x" * 2_385 + b'"}'
POSTING = post(HOST, "/inbox", NOTE, {"Content-Type": "application/activity+json"})
PAGE = get(HOST, "/page")
# What was measured this many seconds ago need not be measured again.
FRESH = 1.0


class Served:
    """One of the limit programs, served as long as a run lasts."""

    def __init__(self, folder: Path, name: str, request: bytes, status: int) -> None:
        self._port = free_port()
        options = ("--port", str(self._port), "--no-access-log", "--log-level", "warning")
        command = python("uvicorn", f"bench.limits.{name}", *options)
        self._program: Program = start(command, folder / "limit.log", {})
        try:
            until_it_answers(self._port, request, self._program, status=status)
        except CannotMeasure:
            self.stop()
            raise

    def per_core(self, request: bytes, count: int, status: str) -> float:
        """How many of these a core could answer in a second."""
        if count > QUICK:
            self._send(request, Job([self._port], 4, 50, 5.0), status)
        found = self._send(request, Job([self._port], CONNECTIONS, count, 20.0), status)
        if not found.cpu:
            raise CannotMeasure("Too few requests to count the processor time of a bare server.")
        return found.per_core

    def _send(self, request: bytes, job: Job, status: str) -> Measured:
        return send([request], job, self._program.cpu, expected=(status,))

    def stop(self) -> None:
        self._program.stop()


class Ceilings:
    """Measures the limits, as often as asked; `quick` ones are coarse."""

    def __init__(self, cluster: Cluster | None, *, quick: bool) -> None:
        self._cluster, self._quick = cluster, quick
        self._requests = QUICK if quick else 20_000
        self._folder = Path(tempfile.mkdtemp(prefix="guildhall-bench-limits-"))
        self._at: dict[str, float] = {}
        self._served: list[Served] = []
        try:
            self._bare = self._serve("bare:app", get(HOST, "/tiny"), 200)
            self._framework = self._serve("framework:app", POSTING, 202)
        except CannotMeasure:
            self.close()
            raise
        self.last = Limits()

    def _serve(self, name: str, request: bytes, status: int) -> Served:
        self._served.append(Served(self._folder, name, request, status))
        return self._served[-1]

    def measure(self, *names: str, fresh: float = FRESH) -> Limits:
        """Those of this kind (`tiny`, `page`, `signs`, `ingest`), or all.

        What was measured less than `fresh` seconds ago is kept.
        """
        for name in names or ("tiny", "page", "signs", "ingest"):
            if time.monotonic() - self._at.get(name, -FRESH) >= fresh:
                getattr(self, f"_{name}")()
                self._at[name] = time.monotonic()
        return replace(self.last, inserts=dict(self.last.inserts))

    def _tiny(self) -> None:
        self.last.tiny = self._bare.per_core(get(HOST, "/tiny"), self._requests, "200")

    def _page(self) -> None:
        self.last.page = self._bare.per_core(PAGE, min(PAGES, self._requests), "200")

    def _signs(self) -> None:
        rsa = crypto.by_library(0.05) if self._quick else crypto.rsa_speed()
        self.last.signs, self.last.verifies, self.last.rsa_by = rsa.signs, rsa.verifies, rsa.by
        self._at["signs"] = time.monotonic()

    def _ingest(self) -> None:
        self.measure("signs")
        self.last.post = self._bare.per_core(POSTING, self._requests, "202")
        self.last.framework_post = self._framework.per_core(POSTING, self._requests, "202")
        self.last.digests = crypto.digest_rate(0.02 if self._quick else 0.3)
        batches = 5 if self._quick else 100
        (self._folder / "limit.db").unlink(missing_ok=True)
        self.last.inserts["sqlite"] = inserts.sqlite(self._folder, batches)
        if self._cluster:
            url = self._cluster.url("postgres")
            self.last.inserts["postgresql"] = inserts.postgresql(url, batches)

    def close(self) -> None:
        for served in self._served:
            served.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


class Beside:
    """The limits right before and right after something, once both are there."""

    def __init__(self, before: Limits) -> None:
        self.before = before
        self.limits = before

    def and_after(self, after: Limits) -> None:
        """The mean of both: the machine gives more in one minute than in the next."""
        self.limits = mean(self.before, after)


def mean(one: Limits, other: Limits) -> Limits:
    """Of each figure; costs, not rates, are what adds up."""
    found = {
        each.name: _between(getattr(one, each.name), getattr(other, each.name))
        for each in fields(Limits)
        if each.name not in ("rsa_by", "inserts")
    }
    kinds = one.inserts.keys() & other.inserts.keys()
    middle = {
        kind: InsertSpeed(
            _between(one.inserts[kind].rows, other.inserts[kind].rows),
            (one.inserts[kind].cpu_us + other.inserts[kind].cpu_us) / 2,
        )
        for kind in kinds
    }
    return Limits(**found, rsa_by=one.rsa_by, inserts=middle)


def _between(one: float, other: float) -> float:
    return 2 / (1 / one + 1 / other) if one and other else max(one, other)
