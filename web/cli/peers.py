# SPDX-License-Identifier: Apache-2.0
"""Other agencies' servers at the command line."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from server import text, traffic
from server.instance import Instance
from server.traffic import Line, PeerPage
from server.transaction import Transaction
from storage.members import Member
from storage.peers import Peer
from storage.traffic import Count, due_count
from web.cli.desk import NOT_RUNNING, WORKER_SECONDS, Json, answer, perform
from web.templates import plural

app = typer.Typer(help="See how sharing with other agencies fares.", no_args_is_help=True)
Host = Annotated[str, typer.Argument(metavar="HOST", help="A host, with its port if it has one.")]
LONGEST = 500
Deed = Callable[[Transaction, Member | None, str], Awaitable[Peer]]


@app.command("list")
def list_(json: Json = False) -> None:
    """List every server we know of."""

    async def task(instance: Instance) -> list[Line]:
        async with instance.reading() as session:
            return await traffic.every_line(session, instance.clock.now())

    found = perform(task)
    lines = [
        f"{line.peer.host}\t{line.peer.software or 'unknown'}\t{_state(line)}" for line in found
    ]
    answer([_data(line) for line in found], "\n".join(lines), as_json=json)


@app.command("show")
def show(host: Host, json: Json = False) -> None:
    """Show one server: what it runs, and how deliveries to it fare."""

    async def task(instance: Instance) -> PeerPage:
        return await _page(instance, host)

    page = perform(task)
    answer(_all_data(page), "\n".join(_all_lines(page)), as_json=json)


@app.command("retry")
def retry(host: Host, json: Json = False) -> None:
    """Try again now whatever waits for a server."""

    async def task(instance: Instance) -> tuple[Line, str]:
        async with instance.transaction() as tx:
            peer = await traffic.retry_now(tx, None, host)
            # Whatever waits is due by one moment: what is counted again is counted by it.
            began = peer.next_try or tx.now
            due = await due_count(tx.session, peer.host, began)
        return await _tried(instance, peer.host, began, due)

    line, waits = perform(task)
    data = _data(line) | {"queued": bool(waits)}
    answer(data, waits or f"{line.peer.host}: {_state(line)}", as_json=json)


@app.command("pause")
def pause(host: Host, json: Json = False) -> None:
    """Send nothing to a server until it is resumed; what is for it waits."""
    _do(traffic.pause, host, "Nothing is sent to {host} until you resume it.", as_json=json)


@app.command("resume")
def resume(host: Host, json: Json = False) -> None:
    """Send to a paused server again, beginning with what has waited."""
    _do(traffic.resume, host, "What is for {host} is sent again.", as_json=json)


@app.command("forget")
def forget(host: Host, json: Json = False) -> None:
    """Drop what waits for a server; it can ask for what it missed."""
    _do(traffic.forget, host, "What waited for {host} is dropped.", as_json=json)


def _do(deed: Deed, host: str, sentence: str, *, as_json: bool) -> None:
    async def task(instance: Instance) -> PeerPage:
        async with instance.transaction() as tx:
            peer = await deed(tx, None, host)
        return await _page(instance, peer.host)

    page = perform(task)
    answer(_all_data(page), sentence.format(host=page.peer.host), as_json=as_json)


async def _page(instance: Instance, host: str) -> PeerPage:
    async with instance.reading() as session:
        return await traffic.peer_page(session, host, instance.clock.now())


async def _tried(instance: Instance, host: str, began: datetime, due: int) -> tuple[Line, str]:
    """Wait until the worker has tried, as the rows it keeps tell; `due` are parked ones of then."""
    deadline = time.monotonic() + WORKER_SECONDS
    while True:
        async with instance.reading() as session:
            line = await traffic.line_of(session, host, instance.clock.now())
            left = await due_count(session, host, began)
        if line.peer.next_try != began or left < due or not (line.behind or line.parked):
            return line, ""
        if time.monotonic() > deadline:
            return line, NOT_RUNNING
        await asyncio.sleep(0.1)


def _state(line: Line) -> str:
    if line.peer.paused is not None:
        return "paused"
    if line.peer.failures:
        return f"not reachable: {line.said or 'no answer'}"
    if line.refusing:
        where = "" if line.refusing == line.inboxes else f" at {line.refusing} of its inboxes"
        return f"refuses everything{where}: {line.refused_with}"
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
        "refusing_since": _when(line.refusing_since),
        "waiting": line.parked,
        "failures": peer.failures,
        "failing_since": _when(peer.failing_since),
        "last_heard": _when(peer.last_heard),
        "last_delivered": _when(peer.last_delivered),
        "next_try": _when(peer.next_try),
        "last_error": peer.last_error,
        "paused": _when(peer.paused),
        "catch_up": _when(line.catch_up),
        "given_up": _when(line.given_up),
    }


def _all_data(page: PeerPage) -> dict[str, Any]:
    """What the list says of a peer, and what only its page does."""
    return _data(page.line) | {
        "described": _when(page.peer.described),
        "first_seen": _when(page.peer.first_seen),
        "in_flight": page.in_flight,
        "inboxes": page.line.inboxes,
        "inboxes_in_hand": page.line.in_hand,
        "outstanding": page.outstanding.number,
        "outstanding_or_more": page.outstanding.more,
        "oldest_outstanding": _when(page.oldest),
        "lag_seconds": None if page.lag is None else page.lag.total_seconds(),
        "received_not_applied": page.unapplied.number,
        "received_not_applied_or_more": page.unapplied.more,
        "said": [{"about": one.about, "words": one.words} for one in page.said],
        "parked": [
            {
                "verb": entry.verb,
                "kind": entry.subject.kind if entry.subject else "",
                "title": entry.subject.title if entry.subject else "",
                "subject": entry.uri,
                "written": _when(entry.at),
                "attempts": entry.attempts,
                "next_try": _when(entry.next_try),
                "error": entry.error,
                "behind": entry.behind,
            }
            for entry in page.parked
        ],
    }


def _all_lines(page: PeerPage) -> list[str]:
    data = _all_data(page)
    for name, count in (
        ("outstanding", page.outstanding),
        ("received_not_applied", page.unapplied),
    ):
        data[name] = _counted(count)
        del data[f"{name}_or_more"]
    said, parked = data.pop("said"), data.pop("parked")
    lines = [
        f"{name}: {'-' if value in (None, '') else text.clean_line(str(value), LONGEST)}"
        for name, value in data.items()
    ]
    lines += [f"said ({one['about']}): “{one['words']}”" for one in said]
    for entry in parked:
        about = f"{entry['kind']} “{entry['title']}”" if entry["title"] else entry["subject"]
        why = "waits behind an earlier one" if entry["behind"] else f"“{entry['error']}”"
        tried = plural(entry["attempts"], "attempt")
        lines.append(
            f"parked: {entry['verb']}: {about}, {tried}, next try {entry['next_try']}: {why}"
        )
    return lines


def _counted(count: Count) -> str:
    return f"{count.number:,}{'+' if count.more else ''}"


def _when(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
