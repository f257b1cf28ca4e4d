# SPDX-License-Identifier: Apache-2.0
"""Access tokens at the command line."""

from typing import Annotated

import typer

from server.apps import tokens
from server.apps.tokens import Given
from server.instance import Instance
from web.cli.desk import Json, acting, answer, perform

app = typer.Typer(help="Make tokens for scripts and apps.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The member it speaks for.")],
    scopes: Annotated[
        str, typer.Option(help="What it may do, such as “read write follow push”.")
    ] = "read",
    json: Json = False,
) -> None:
    """Make an access token and print it, this once: only its hash is kept."""

    async def task(instance: Instance) -> Given:
        async with instance.transaction() as tx:
            return await tokens.at_the_command_line(tx, await acting(tx, name), scopes)

    given = perform(task)
    data = {"access_token": given.token, "scope": given.row.scopes, "member": name}
    answer(data, given.token, as_json=json)


@app.callback()
def _tokens() -> None:
    """Make tokens for scripts and apps."""
