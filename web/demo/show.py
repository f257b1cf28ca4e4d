# SPDX-License-Identifier: Apache-2.0
"""Two agencies with the story in them, until somebody stops them."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import typer

from web.demo import mentoring
from web.demo.agencies import Agency, CommandFailed, lay_tables
from web.demo.events import EVENTS
from web.demo.nursery import Hatched
from web.demo.practices import PRACTICES
from web.demo.resources import SHARED
from web.demo.story import LAKESIDE, PEOPLE, PLACES, RIVERTON, password
from web.demo.telling import Telling, befriend, furnish
from web.demo.threads import TALKS
from web.demo.town import Stopped, stop_at_signals, town, unless


async def run(hatch: Callable[[], Hatched], *, as_json: bool, first_port: int = 0) -> None:
    """The demo: start, tell the story, say where everything is, wait for Ctrl-C."""
    stop = stop_at_signals()
    async with town((RIVERTON, LAKESIDE), first_port, hatch=hatch) as (agencies, _):
        try:
            await unless(stop, _prepare(agencies, quiet=as_json))
            typer.echo(json.dumps(_as_data(agencies)) if as_json else _as_text(agencies))
            await unless(stop, _watch(agencies))
        except Stopped:
            if not as_json:
                typer.echo("Stopping.")


async def _prepare(agencies: dict[str, Agency], *, quiet: bool) -> None:
    def say(what: str) -> None:
        if not quiet:
            typer.echo(what)

    say("Starting two agencies on this machine…")
    await lay_tables(*agencies.values())
    await asyncio.gather(*(_open(agency, agencies) for agency in agencies.values()))
    say("Letting their people talk…")
    await Telling(agencies).tell(TALKS, PRACTICES, EVENTS, SHARED)
    await mentoring.begin(agencies)


async def _open(agency: Agency, agencies: dict[str, Agency]) -> None:
    key = agency.sign.key
    await furnish(
        agency,
        tuple(person for person in PEOPLE if person.agency == key),
        tuple(place for place in PLACES if place.agency == key),
    )
    for other in agencies.values():
        if other is not agency:
            await befriend(agency, other)
    await agency.start()


async def _watch(agencies: dict[str, Agency]) -> None:
    """Wait for ever, unless a server ends by itself."""
    watched = {asyncio.ensure_future(agency.died()): agency for agency in agencies.values()}
    try:
        done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        gone = watched[next(iter(done))]
        raise CommandFailed(f"{gone.sign.agency} stopped: {gone.last_words()}")
    finally:
        for task in watched:
            task.cancel()


def _as_data(agencies: dict[str, Agency]) -> dict[str, Any]:
    return {
        "agencies": [
            {
                "name": agency.sign.agency,
                "url": agency.origin,
                "connect": f"127.0.0.1:{agency.port}",
                "members": [
                    {
                        "handle": person.handle,
                        "password": password(key),
                        "role": "admin" if person.admin else "member",
                    }
                    for person in PEOPLE
                    if person.agency == key
                ],
            }
            for key, agency in agencies.items()
        ]
    }


def _as_text(agencies: dict[str, Agency]) -> str:
    lines = ["", "Two agencies are running, and share their forums:"]
    for key, agency in agencies.items():
        lines += ["", f"{agency.sign.agency}: {agency.origin}", f"  password: {password(key)}"]
        lines += [
            f"  {person.handle:<7} {person.name}, {person.role}"
            for person in PEOPLE
            if person.agency == key
        ]
    return "\n".join([*lines, "", "Press Ctrl-C to stop. Everything in them is then gone."])
