# SPDX-License-Identifier: Apache-2.0
"""Accounts at the command line."""

import sys
from typing import Annotated

import typer

from server.errors import Invalid
from server.instance import Instance
from server.members import accounts, passwords
from server.members.accounts import AccountDraft
from storage.members import Member
from web.cli.desk import Json, answer, perform

app = typer.Typer(help="Make and list accounts.", no_args_is_help=True)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What they sign in with.")],
    email: Annotated[str, typer.Option(help="Their address.")],
    full_name: Annotated[str, typer.Option("--name", help="As colleagues know them.")],
    role: Annotated[str, typer.Option(help="Their work, such as “permit analyst”.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="Let them administer.")] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    json: Json = False,
) -> None:
    """Make an account."""
    draft = accounts.check(AccountDraft(name, email, full_name, _password(password_stdin), role))

    async def task(instance: Instance) -> Member:
        password_hash = await passwords.hashed(draft.password)
        keys = await instance.vault.new_pair()
        async with instance.transaction() as tx:
            return await accounts.create(tx, draft, password_hash, keys, admin=admin)

    member = perform(task)
    answer(_data(member), f"{member.name} can sign in as {member.handle}.", as_json=json)


@app.command("list")
def list_(json: Json = False) -> None:
    """List the accounts of this instance."""

    async def task(instance: Instance) -> list[Member]:
        async with instance.reading() as session:
            return await accounts.page(session)

    found = perform(task)
    lines = [
        f"{member.handle}\t{member.name}\t{member.email}{'	admin' if member.is_admin else ''}"
        for member in found
    ]
    answer([_data(member) for member in found], "\n".join(lines), as_json=json)


def _data(member: Member) -> dict[str, object]:
    return {
        "handle": member.handle,
        "name": member.name,
        "role": member.role_title,
        "email": member.email,
        "admin": member.is_admin,
        "uri": member.uri,
    }


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Invalid(message="Give the password with --password-stdin.")
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed
