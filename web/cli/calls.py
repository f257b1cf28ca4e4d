# SPDX-License-Identifier: Apache-2.0
"""The calls for apps, as a document and as a table."""

import json
from typing import Annotated

import typer

from server.settings import load
from web.api import CALLS, openapi


def show(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the tables of docs/api.md instead.")
    ] = False,
) -> None:
    """Print what apps can call, as an OpenAPI document."""
    if markdown:
        typer.echo(openapi.as_markdown(CALLS), nl=False)
        return
    typer.echo(json.dumps(openapi.document(CALLS, load().origin), indent=2))
