# SPDX-License-Identifier: Apache-2.0
"""One post on its way to many inboxes: speed, memory, pages meanwhile."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench import measures
from bench.elsewhere import holds
from bench.followers import Following, following
from bench.load import Job
from bench.measures import Measured, get
from bench.processes import CannotMeasure
from bench.product import HOST
from bench.result import Line
from bench.setting import Bench
from bench.sink import Arrivals

ENOUGH = 0.60
# So many are measured together; what a short one costs is told from more of them.
POSTS, SHORT, POSTS_WHEN_SHORT = 6, 500, 8
IDLE_SECONDS = 4.0
MOST_GROWTH_MB = 200
STALLED_SECONDS = 60.0
AT_MOST_SECONDS = 300.0
QUIET_SECONDS = 1.0


@dataclass(frozen=True)
class Course:
    """How one fan-out went; memory is of the process that serves, in MB."""

    measured: Measured
    rows: int
    twice: int
    memory_before: float
    memory_peak: float


def send_one(at: Following, database_cpu: Callable[[], float], idle: float = 0.0) -> Course:
    """Post, then watch until every host has it; CannotMeasure where one never does.

    What the server would have used meanwhile without any post, `idle` seconds in each, is not
    what the post has cost.
    """
    at.elsewhere.forget()
    at.product.forget_peak()
    memory = at.product.memory()
    cpu, used, begun = at.product.cpu(), database_cpu(), time.time()
    rows = at.post()
    arrivals = _watch(at)
    if arrivals.hosts < len(at.hosts):
        raise CannotMeasure(
            f"The post came to {arrivals.hosts} of {len(at.hosts)} hosts within "
            f"{time.time() - begun:.0f} s."
        )
    wrong = [sample for sample in arrivals.samples if not holds(sample, at.keys)]
    if wrong or not arrivals.samples:
        raise CannotMeasure(f"Not every delivery is signed as it should be: {wrong[:1]}")
    # What is still noted about deliveries that have arrived belongs to them.
    at.product.rest(15.0)
    measured = Measured(
        arrivals.distinct,
        arrivals.last - begun,
        at.product.cpu() - cpu - idle * (time.time() - begun),
        database_cpu=database_cpu() - used,
    )
    twice = arrivals.count - arrivals.distinct
    return Course(measured, at.log_rows() - rows, twice, memory, at.product.peak_memory())


def _idle(at: Following) -> float:
    """Processor seconds in each second while there is nothing to do."""
    at.product.rest(60.0)
    cpu, begun = at.product.cpu(), time.time()
    time.sleep(IDLE_SECONDS)
    return (at.product.cpu() - cpu) / (time.time() - begun)


def _watch(at: Following) -> Arrivals:
    """Wait until all have it and nothing more comes, or until nothing goes on."""
    begun = time.time()
    while True:
        time.sleep(0.1)
        arrivals = at.elsewhere.arrivals()
        now = time.time()
        quiet = now - max(arrivals.last, begun)
        complete = arrivals.hosts >= len(at.hosts) and quiet > QUIET_SECONDS
        if complete or quiet > STALLED_SECONDS or now - begun > AT_MOST_SECONDS:
            return arrivals


def run(bench: Bench, kind: str, only: Callable[[str], bool]) -> Iterator[Line]:
    """To 200 and to 2,000 inboxes, by a second process too; memory with 10,000."""
    if only("fan-out to 200"):
        yield _sent(bench, kind, bench.count(200))
    alone: Line | None = None
    if only("fan-out to 2,000"):
        alone = _sent(bench, kind, bench.count(2_000))
        yield alone
    if only("fan-out to 2,000, 2 processes") and kind == "postgresql":
        yield _sent(bench, kind, bench.count(2_000), workers=1, alone=alone)
    if only("memory"):
        yield from _memory(bench, kind, bench.count(10_000))


def _sent(
    bench: Bench, kind: str, followers: int, *, workers: int = 0, alone: Line | None = None
) -> Line:
    """One line; with `workers` of what all send together, which must be more than `alone`."""
    with bench.folder() as folder, following(bench, kind, folder, followers, workers=workers) as at:
        # The first post opens the connections; what the next ones cost is what every post costs.
        send_one(at, bench.database_cpu(kind))
        courses, signatures, idle = [], 0.0, _idle(at)
        for _ in range(POSTS_WHEN_SHORT if followers <= SHORT else POSTS):
            at.product.rest(60.0)
            with bench.beside("signs") as beside:
                courses.append(send_one(at, bench.database_cpu(kind), idle))
            # What the machine gives changes between posts, at times by half.
            signatures += courses[-1].measured.done / beside.limits.signs
    found = measures.together([course.measured for course in courses])
    limit = found.done / signatures
    twice = sum(course.twice for course in courses)
    # What the processes send together, each on a core of its own.
    rate, name, unit, notes = found.per_core, f"fan-out to {followers:,}", "a core", []
    must: float | None = ENOUGH
    if workers:
        rate, unit = found.per_core * (workers + 1), "in sum"
        name = f"{name}, {workers + 1} processes"
        notes.append(f"{found.per_core / limit:.3f} for each of them")
        if alone is not None:
            must = alone.ratio
            notes.append(f"one alone {alone.wall_ratio or 0.0:.3f} by the clock")
    if twice:
        notes.append(f"{twice} sent twice")
    return Line(
        name,
        kind,
        bench.smallest,
        f"{rate:,.0f}/s {unit}",
        found.figures() | {"log_rows": courses[-1].rows, "sent_twice": twice},
        limit=f"RSA-2048 signatures {limit:,.0f}/s",
        ratio=rate / limit,
        wall_ratio=found.per_second / limit,
        must=must,
        note="; ".join(notes),
    )


def _memory(bench: Bench, kind: str, followers: int) -> Iterator[Line]:
    """Growth of memory, log rows, and how pages are answered while it goes on."""
    with bench.folder() as folder, following(bench, kind, folder, followers) as at:
        page = [get(HOST, f"/p/{number}?after={number}") for number in at.place.short]
        port = at.product.ports
        before = measures.send(page, Job(port, 2, 60, 20.0, pause=0.05), at.product.cpu)
        with ThreadPoolExecutor(1) as readers:
            job = Job(port, 2, 100_000, AT_MOST_SECONDS, pause=0.05, while_there=str(folder / "on"))
            (folder / "on").touch()
            reading = readers.submit(measures.send, page, job, at.product.cpu)
            try:
                course = send_one(at, bench.database_cpu(kind))
            finally:
                (folder / "on").unlink()
            meanwhile = reading.result()
    growth = course.memory_peak - course.memory_before
    figures = {"before_mb": round(course.memory_before), "peak_mb": round(course.memory_peak)}
    name = f"memory, fan-out to {followers:,}"
    yield Line(
        name,
        kind,
        bench.smallest,
        f"+{growth:,.0f} MB",
        course.measured.figures() | figures | {"log_rows": course.rows},
        limit="MB",
        ratio=growth,
        must=MOST_GROWTH_MB,
        at_most=True,
        note=f"{course.rows} log rows for one post",
    )
    yield Line(
        f"memory, pages during {followers:,}",
        kind,
        bench.smallest,
        f"p95 {meanwhile.p95_ms:,.0f} ms",
        meanwhile.figures() | {"p95_before_ms": round(before.p95_ms, 1)},
        note=f"p95 before {before.p95_ms:,.0f} ms; {meanwhile.done} pages answered",
    )
