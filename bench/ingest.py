# SPDX-License-Identifier: Apache-2.0
"""Signed deliveries to the inbox, each durable before its 202."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from bench import measures, town
from bench.elsewhere import Elsewhere
from bench.load import Job
from bench.measures import Measured
from bench.processes import CannotMeasure
from bench.product import HOST, ORIGIN, Product
from bench.result import Line
from bench.setting import Bench
from bench.town import Town
from server import peers
from server.peers import RuleDraft
from storage import members
from storage.inbox import InboxRow, InboxState

# Of the domain whose hosts may follow and deliver in every measurement.
DOMAIN = "peers.example"
SENDER = f"lakeside.{DOMAIN}"
ACTORS = 8
CONNECTIONS = 32
ENOUGH = 0.30
BODY_BYTES = 2_400
# So many to a burst: fewer are over before the process has warmed up.
DELIVERIES = 10_000


@dataclass
class Intake:
    """A server with an allowlisted sender whose keys it knows by now."""

    product: Product
    elsewhere: Elsewhere
    place: Town
    thread: int


async def allow(place: Town, *rules: str) -> None:
    """Put hosts on the town's list."""
    instance = await town.opened(place)
    try:
        async with instance.transaction() as tx:
            admin = await members.by_handle(tx.session, town.ADMIN)
            assert admin is not None
            for rule in rules:
                await peers.add_rule(tx, admin, RuleDraft(rule, reason="We learn from them."))
    finally:
        await instance.close()


async def kept(place: Town, state: InboxState | None = None) -> int:
    """How many deliveries are in the database, of all states or of one."""
    instance = await town.opened(place)
    try:
        async with instance.reading() as session:
            question = select(func.count()).select_from(InboxRow)
            if state is not None:
                question = question.where(InboxRow.state == state)
            return (await session.execute(question)).scalar_one()
    finally:
        await instance.close()


def deliveries(intake: Intake, count: int, tag: str) -> list[bytes]:
    """Replies of several people of one agency, each signed, 2.4 KB large."""
    made = []
    for number in range(count):
        actor = f"http://{SENDER}/u/actor{number % ACTORS}"
        # Nobody may write ten posts a minute: each was written a while after the last.
        written = datetime.now(UTC) - timedelta(seconds=8 * (count - number))
        body = _activity(actor, intake.thread, f"{tag}-{number}", written)
        headers = intake.elsewhere.signed("POST", HOST, "/inbox", actor, body)
        headers["content-type"] = "application/activity+json"
        made.append(measures.post(HOST, "/inbox", body, headers))
    return made


def _activity(actor: str, thread: int, name: str, written: datetime) -> bytes:
    uri = f"http://{SENDER}/p/{name}"
    to = ["https://www.w3.org/ns/activitystreams#Public", f"{ORIGIN}/f/{town.FORUM}"]
    note = {
        "id": uri,
        "type": "Note",
        "attributedTo": actor,
        "inReplyTo": f"{ORIGIN}/p/{thread}",
        "context": f"{ORIGIN}/p/{thread}/context",
        "audience": f"{ORIGIN}/f/{town.FORUM}",
        "published": written.isoformat(timespec="seconds"),
        "to": to,
        "content": "",
    }
    create = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{uri}#create",
        "type": "Create",
        "actor": actor,
        "to": to,
        "audience": f"{ORIGIN}/f/{town.FORUM}",
        "object": note,
    }
    room = BODY_BYTES - len(json.dumps(create)) - 7
    note["content"] = f"<p>{('We publish both figures. ' * 99)[:room]}</p>"
    return json.dumps(create).encode()


@contextmanager
def intake(
    bench: Bench, kind: str, folder: Path, *, servers: int, worker: bool
) -> Iterator[Intake]:
    """A small town of its own with so many serving processes."""
    cluster = bench.cluster(kind)
    place = town.copied(bench.town(kind, bench.smallest), folder, f"ingest_{servers}", cluster)
    asyncio.run(allow(place, f"*.{DOMAIN}"))
    elsewhere = Elsewhere(folder)
    product = Product(place.database, place.state, folder, resolve=elsewhere.at([SENDER]))
    try:
        for _ in range(servers):
            product.serve(worker=worker)
        yield Intake(product, elsewhere, place, place.short[0])
    finally:
        product.stop()
        elsewhere.stop()


def run(bench: Bench, kind: str, only: Callable[[str], bool]) -> Iterator[Line]:
    """Acceptance alone, then by two processes on PostgreSQL, then with the work it causes."""
    if only("ingest, durable"):
        yield _durable(bench, kind, servers=1)
    if only("ingest, durable, 2 processes") and kind == "postgresql":
        yield _durable(bench, kind, servers=2)
    if only("ingest, applied"):
        yield _applied(bench, kind)


def _durable(bench: Bench, kind: str, *, servers: int) -> Line:
    with bench.folder() as folder, intake(bench, kind, folder, servers=servers, worker=False) as at:
        make_known(at)
        with bench.beside("ingest") as beside:
            measured = burst(bench, kind, at)
    ideal = beside.limits.ideal_ingest(kind)
    # What the processes take in together, each on a core of its own.
    rate = servers * measured.per_core
    stricter = rate / beside.limits.ideal_ingest(kind, bare=True)
    name, unit = "ingest, durable", "a core"
    note = f"{stricter:.3f} of the sum with a bare POST"
    if servers > 1:
        name, unit = f"{name}, {servers} processes", "in sum"
        note = (
            f"{measured.per_core / ideal:.3f} for each of them; {measured.per_second:,.0f}/s by the"
            f" clock, on cores shared with database and load; {note}"
        )
    return Line(
        name,
        kind,
        bench.smallest,
        f"{rate:,.0f}/s {unit}",
        measured.figures() | {"ratio_bare": round(stricter, 4)},
        limit=f"sum of parts {ideal:,.0f}/s",
        ratio=rate / ideal,
        wall_ratio=measured.per_second / ideal,
        must=ENOUGH,
        note=note,
    )


def make_known(at: Intake) -> None:
    """Let every process fetch the senders' keys, before anything is counted."""
    warm = deliveries(at, ACTORS, "warm")
    for port in at.product.ports:
        job = Job([port], 4, len(warm), 30.0)
        measures.send(warm, job, at.product.cpu, expected=("202", "409"))
    at.product.rest()


def burst(bench: Bench, kind: str, at: Intake) -> Measured:
    """Send to all processes at once; CannotMeasure when fewer rows are there than were accepted."""
    before = asyncio.run(kept(at.place))
    job = Job(at.product.ports, CONNECTIONS, bench.count(DELIVERIES), bench.seconds)
    requests = deliveries(at, job.count, "burst")
    measured = measures.send(
        requests, job, at.product.cpu, expected=("202",), database_cpu=bench.database_cpu(kind)
    )
    stored = asyncio.run(kept(at.place)) - before
    if stored < measured.done:
        raise CannotMeasure(f"{measured.done} were accepted, {stored} are in the database.")
    return measured


def _applied(bench: Bench, kind: str) -> Line:
    """Until the posts are in their thread and their announcements in the log."""
    count = bench.count(400)
    with bench.folder() as folder, intake(bench, kind, folder, servers=1, worker=True) as at:
        warm = Job(at.product.ports, 1, ACTORS, 30.0)
        measures.send(deliveries(at, ACTORS, "warm"), warm, at.product.cpu, expected=("202",))
        at.product.rest()
        requests = deliveries(at, count, "applied")
        cpu, used, begun = at.product.cpu(), bench.database_cpu(kind)(), time.perf_counter()
        job = Job(at.product.ports, 8, count, bench.seconds)
        done = measures.send(requests, job, at.product.cpu, expected=("202",)).done
        at.product.rest(90.0)
        wall = time.perf_counter() - begun
        measured = Measured(
            done, wall, at.product.cpu() - cpu, database_cpu=bench.database_cpu(kind)() - used
        )
        waiting = asyncio.run(kept(at.place, InboxState.APPLIED))
    note = "" if waiting >= done else f"{waiting} of {done} were applied in time"
    return Line(
        "ingest, applied",
        kind,
        bench.smallest,
        f"{measured.per_core:,.0f}/s a core",
        measured.figures(),
        note=note,
    )
