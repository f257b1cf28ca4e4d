# SPDX-License-Identifier: Apache-2.0
"""The demo and its check, as a command."""

import asyncio
from typing import Annotated

import typer

from server.errors import Invalid, Unavailable
from web.demo import check, show
from web.demo.agencies import CommandFailed
from web.demo.names import SABOTAGES
from web.demo.nursery import forked
from web.demo.visitor import Unexpected
from web.demo.waiting import TooLate


def demo(
    checking: Annotated[
        bool, typer.Option("--check", help="Play the story on fresh agencies and say what held.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
    only: Annotated[
        str, typer.Option(metavar="PREFIX", help="With --check: only these steps.")
    ] = "",
    sabotage: Annotated[
        str, typer.Option(metavar="PART", help="With --check: break delivery, signature or policy.")
    ] = "",
    port: Annotated[
        int, typer.Option(help="The first of the ports; by default free ones are found.")
    ] = 0,
) -> None:
    """Start two agencies on this machine that share their forums, until Ctrl-C."""
    if sabotage and sabotage not in SABOTAGES:
        raise Invalid(message=f"Only these can be broken: {', '.join(SABOTAGES)}.")
    if (only or sabotage) and not checking:
        raise Invalid(message="--only and --sabotage go with --check.")
    if only and not any(name.startswith(only) for name in check.names()):
        raise Invalid(message=f"No step begins with {only}: there are {', '.join(check.names())}.")
    try:
        if not checking:
            asyncio.run(show.run(forked, as_json=json, first_port=port))
            return
        held = asyncio.run(
            check.run(forked, only=only, sabotage=sabotage, as_json=json, first_port=port)
        )
    except (CommandFailed, TooLate, Unexpected) as error:
        raise Unavailable(f"The demo could not be set up: {error}") from error
    raise typer.Exit(0 if held else 1)
