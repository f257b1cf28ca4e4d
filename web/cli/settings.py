# SPDX-License-Identifier: Apache-2.0
"""The settings in force, and the table of all of them."""

from typing import Annotated
from urllib.parse import urlsplit

import typer

from server.settings import PREFIX, as_markdown, load
from web.cli.desk import Json, answer


def show(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table of docs/settings.md instead.")
    ] = False,
    json: Json = False,
) -> None:
    """Print the settings in force, without passwords."""
    if markdown:
        typer.echo(as_markdown(), nl=False)
        return
    values = {
        PREFIX + name.upper(): _shown(value)
        for name, value in load().model_dump(mode="json").items()
    }
    answer(values, "\n".join(f"{name}={value}" for name, value in values.items()), as_json=json)


def _shown(value: object) -> str:
    """A value as it may be read over a shoulder."""
    if isinstance(value, dict):
        return ",".join(f"{name}={to}" for name, to in value.items())
    if isinstance(value, list | tuple):
        return ",".join(str(part) for part in value)
    text = str(value)
    password = urlsplit(text).password if "://" in text else None
    return text.replace(f":{password}@", ":…@") if password else text
