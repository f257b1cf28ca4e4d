# SPDX-License-Identifier: Apache-2.0
"""Keys of this instance's actors at the command line."""

from functools import partial
from typing import Annotated

import typer

from server import rotation
from server.errors import Invalid
from server.instance import Instance
from web.cli.desk import Json, act, answer, perform

app = typer.Typer(help="Change the keys that this instance signs with.", no_args_is_help=True)


@app.command("rotate")
def rotate(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="A member, a forum, or “instance”.")
    ] = "",
    everybody: Annotated[bool, typer.Option("--all", help="Everybody's, one by one.")] = False,
    json: Json = False,
) -> None:
    """Give an actor new keys; the old public ones are shown for seven more days.

    Other servers learn of them when they next see something signed. Do this when a key may have
    been seen by somebody, and not by habit.
    """
    if bool(name) == everybody:
        raise Invalid({}, "Name a member or a forum, or give --all.")

    async def task(instance: Instance) -> tuple[dict[str, list[str]], str]:
        made: dict[str, list[str]] = {}
        waits = ""
        for owner in await _owners(instance, name):
            fresh = await instance.vault.new_pair()
            deed = partial(rotation.rotate, admin=None, owner=owner, fresh=fresh)
            made[owner], waits = await act(instance, deed)
        return made, waits

    made, waits = perform(task)
    lines = "\n".join(f"{owner} has new keys." for owner in made)
    answer(made, lines, as_json=json, waits=waits)


async def _owners(instance: Instance, name: str) -> list[str]:
    """The actors meant; all of them for no name."""
    async with instance.transaction() as tx:
        if not name:
            return await rotation.owners(tx)
        return [await rotation.owner_named(tx.session, instance.settings.origin, name)]
