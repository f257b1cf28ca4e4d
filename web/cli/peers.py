# SPDX-License-Identifier: Apache-2.0
"""Other agencies' servers at the command line."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from federation.delivery.lanes import retry_now
from server import peers
from server.errors import NotFound
from server.instance import Instance
from storage.log import Lane, LogRow, Parked
from storage.peers import Peer
from web.cli.desk import NOT_RUNNING, WORKER_SECONDS, Json, answer, perform
from web.templates import plural

app = typer.Typer(help="See how sharing with other agencies fares.", no_args_is_help=True)
Host = Annotated[str, typer.Argument(metavar="HOST", help="A host, with its port if it has one.")]


@dataclass(frozen=True)
class Line:
    """A peer with what its lanes have done and still hold."""

    peer: Peer
    delivered: int
    refused: int
    parked: int
    last_refusal: str
    behind: bool


@app.command("list")
def list_(json: Json = False) -> None:
    """List every server we know of."""

    async def task(instance: Instance) -> list[Line]:
        async with instance.reading() as session:
            return [await _line(session, peer) for peer in await peers.page(session)]

    found = perform(task)
    lines = [
        f"{line.peer.host}\t{line.peer.software or 'unknown'}\t{_state(line)}" for line in found
    ]
    answer([_data(line) for line in found], "\n".join(lines), as_json=json)


@app.command("show")
def show(host: Host, json: Json = False) -> None:
    """Show one server: what it runs, and how deliveries to it fare."""

    async def task(instance: Instance) -> Line:
        async with instance.reading() as session:
            return await _line(session, await _known(session, host))

    data = _data(perform(task))
    lines = [f"{name}: {'-' if value in (None, '') else value}" for name, value in data.items()]
    answer(data, "\n".join(lines), as_json=json)


@app.command("retry")
def retry(host: Host, json: Json = False) -> None:
    """Try again now whatever waits for a server."""

    async def task(instance: Instance) -> tuple[Line, str]:
        async with instance.transaction() as tx:
            peer, began = await _known(tx.session, host), tx.now
            await retry_now(tx, peer.host)
        return await _tried(instance, peer.host, began)

    line, waits = perform(task)
    data = _data(line) | {"queued": bool(waits)}
    answer(data, waits or f"{line.peer.host}: {_state(line)}", as_json=json)


async def _tried(instance: Instance, host: str, began: datetime) -> tuple[Line, str]:
    """Wait until the worker has tried, as the rows it keeps tell."""
    deadline = time.monotonic() + WORKER_SECONDS
    while True:
        async with instance.reading() as session:
            line = await _line(session, await _known(session, host))
        if line.peer.next_try != began or not (line.behind or line.parked):
            return line, ""
        if time.monotonic() > deadline:
            return line, NOT_RUNNING
        await asyncio.sleep(0.1)


async def _known(session: AsyncSession, host: str) -> Peer:
    peer = await session.get(Peer, host.strip().lower())
    if peer is None:
        raise NotFound(f"We have never heard of {host}.")
    return peer


async def _line(session: AsyncSession, peer: Peer) -> Line:
    lanes = list((await session.execute(select(Lane).where(Lane.peer == peer.host))).scalars())
    newest = (await session.execute(select(func.max(LogRow.seq)))).scalar_one() or 0
    parked = select(func.count()).where(Parked.lane_id.in_([lane.id for lane in lanes]))
    return Line(
        peer,
        delivered=sum(lane.delivered for lane in lanes),
        refused=sum(lane.refused for lane in lanes),
        parked=(await session.execute(parked)).scalar_one(),
        last_refusal=next((lane.last_refusal for lane in lanes if lane.last_refusal), ""),
        behind=any(lane.cursor < newest for lane in lanes),
    )


def _state(line: Line) -> str:
    if line.peer.failures:
        return f"not reachable: {line.peer.last_error or 'no answer'}"
    if line.parked:
        return f"{plural(line.parked, 'delivery', 'deliveries')} waiting to be tried again"
    return "well"


def _data(line: Line) -> dict[str, Any]:
    peer = line.peer
    return {
        "host": peer.host,
        "name": peer.name,
        "software": peer.software,
        "version": peer.version,
        "state": _state(line),
        "delivered": line.delivered,
        "refused": line.refused,
        "last_refusal": line.last_refusal,
        "waiting": line.parked,
        "failures": peer.failures,
        "last_heard": _when(peer.last_heard),
        "last_delivered": _when(peer.last_delivered),
        "next_try": _when(peer.next_try),
        "last_error": peer.last_error,
    }


def _when(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
