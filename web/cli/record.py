# SPDX-License-Identifier: Apache-2.0
"""The record of decisions at the command line."""

import sys
from typing import Annotated

import typer

from server import audit
from server.chain import checking, ends, exporting
from server.chain.checking import Verdict
from server.instance import Instance
from web.cli.desk import Json, answer, perform
from web.templates import plural

app = typer.Typer(help="Check, export or erase what was decided here.", no_args_is_help=True)
BROKEN = 1


@app.command("verify")
def verify(
    expect: Annotated[
        str, typer.Option("--expect", metavar="HASH", help="A hash that some line must have.")
    ] = "",
    json: Json = False,
) -> None:
    """Compute every hash of the record anew; exit code 1 when a line does not fit."""
    wanted = expect.strip().lower()

    async def task(instance: Instance) -> Verdict:
        noted = ends.noted(instance.settings.state)
        async with instance.reading() as session:
            found = await checking.verify(session, instance.settings.origin, noted)
            if found.is_whole and wanted and not await audit.has_hash(session, wanted):
                fault = f"No line of the record has the hash {wanted}."
                return Verdict(found.place, found.hash, found.place + 1, fault)
            return found

    found = perform(task)
    data = {"whole": found.is_whole, "lines": found.place, "hash": found.hash}
    if not found.is_whole:
        data |= {"broken": found.broken, "fault": found.fault}
    said = (
        f"The record is whole: {plural(found.place, 'line')}, the last one's hash is {found.hash}."
    )
    answer(data, said if found.is_whole else found.fault, as_json=json)
    if not found.is_whole:
        raise typer.Exit(BROKEN)


@app.command("export")
def export() -> None:
    """Print the whole record, a JSON object a line, so that an outsider can check it."""

    async def task(instance: Instance) -> None:
        async for line in exporting.lines(instance):
            sys.stdout.buffer.write(line)

    perform(task)


@app.command("erase")
def erase(
    lines: Annotated[list[int], typer.Argument(metavar="LINE…", help="The numbers of lines.")],
    reason: Annotated[str, typer.Option("--reason", help="The rule that asks for it.")] = "",
    json: Json = False,
) -> None:
    """Take out of lines who did it, to what, and the note, for ever; a new line says so."""

    async def task(instance: Instance) -> None:
        async with instance.transaction() as tx:
            await audit.erase(tx, "command line", lines, reason)

    perform(task)
    done = ", ".join(map(str, lines))
    answer({"erased": lines}, f"Erased: {done}.", as_json=json)
