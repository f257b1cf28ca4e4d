# SPDX-License-Identifier: Apache-2.0
"""How a command opens the instance, acts, and answers."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy import select

from server.errors import NotFound, Unavailable
from server.instance import Instance
from server.settings import Federation, Settings, load
from server.transaction import Transaction
from storage import members
from storage.facts import FactRow
from storage.members import Member
from web.cli import logs

WORKER_SECONDS = 5.0
NOT_RUNNING = "queued: the server is not running"

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Acting = Annotated[str, typer.Option("--as", metavar="NAME", help="The member who does it.")]
Outcome = TypeVar("Outcome")


def perform(task: Callable[[Instance], Awaitable[Outcome]]) -> Outcome:
    """Run a task on the instance that the settings name, and close it again."""
    settings = load()
    logs.configure("error", plain=True)
    return asyncio.run(_perform(settings, task))


async def _perform(settings: Settings, task: Callable[[Instance], Awaitable[Outcome]]) -> Outcome:
    instance = await Instance.open(settings)
    try:
        return await task(instance)
    finally:
        await instance.close()


async def act(
    instance: Instance, deed: Callable[[Transaction], Awaitable[Outcome]]
) -> tuple[Outcome, str]:
    """Do a deed; answers what it gave and why its news still waits here (empty: it does not)."""
    async with instance.transaction() as tx:
        before = tx.ids.next()
        outcome = await deed(tx)
    if instance.settings.federates is Federation.OFF:
        # There is nobody to tell, whether the server runs or not.
        return outcome, ""
    return outcome, await _waits(instance, before, instance.ids.next())


async def _waits(instance: Instance, after: int, upto: int) -> str:
    """Wait for the worker to take the facts between two ids; what keeps them, if anything."""
    deadline = time.monotonic() + WORKER_SECONDS
    question = select(FactRow.attempts, FactRow.error).where(
        FactRow.id > after, FactRow.id < upto, FactRow.done.is_(None)
    )
    while True:
        async with instance.reading() as session:
            left = (await session.execute(question)).all()
        if not left:
            return ""
        if time.monotonic() > deadline:
            failed = next((row.error for row in left if row.attempts), "")
            return f"queued: {failed}" if failed else NOT_RUNNING
        await asyncio.sleep(0.1)


async def acting(tx: Transaction, name: str) -> Member:
    """The local member a command acts for."""
    member = await members.by_handle(tx.session, name.strip().lower().lstrip("@"))
    if member is None:
        raise NotFound(f"Nobody here is called {name}.")
    return member


def answer(data: Any, lines: str, *, as_json: bool, waits: str = "") -> None:
    """Print the answer; what still waits goes beside it, so that scripts read on."""
    if as_json:
        typer.echo(json.dumps(data, ensure_ascii=False))
        return
    if lines:
        typer.echo(lines)
    if waits:
        typer.echo(waits, err=True)


def read_text(path: str) -> str:
    """The text of a file, or of standard input for `-`."""
    try:
        if path == "-":
            return sys.stdin.buffer.read().decode()
        with open(path, "rb") as file:
            return file.read().decode()
    except UnicodeDecodeError as error:
        raise Unavailable("The text is not UTF-8.") from error
