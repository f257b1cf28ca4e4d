# SPDX-License-Identifier: Apache-2.0
"""Forums at the command line."""

import asyncio
import time
from typing import Annotated, Any

import typer
from sqlalchemy import select

from server.errors import NotFound
from server.forums import comparing, deeds, follows
from server.forums.deeds import ForumDraft
from server.instance import Instance
from server.transaction import Transaction
from storage.forums import FollowState, Forum, ForumFollow
from storage.members import Member
from web.cli.desk import WORKER_SECONDS, Acting, Json, act, acting, answer, perform
from web.cli.things import wanted_forum
from web.templates import plural

app = typer.Typer(help="Make, list and follow forums.", no_args_is_help=True)
CHECK_SECONDS = 30.0
SAID = {
    FollowState.ACCEPTED: "{name} follows {title}.",
    FollowState.PENDING: "{name} asked to follow {title}; its agency has not answered yet.",
    FollowState.REJECTED: "{name} may not follow {title}: {reason}",
}


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its handle, such as permits.")],
    title: Annotated[str, typer.Option(help="Such as “Permits and licensing”.")],
    visibility: Annotated[
        str, typer.Option(help="public, agencies, instance or members.")
    ] = "public",
    description: Annotated[str, typer.Option(help="What it is for, in Markdown.")] = "",
    language: Annotated[str, typer.Option(help="A code such as en; by default the site's.")] = "",
    founder: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Its first steward; by default an admin.")
    ] = "",
    json: Json = False,
) -> None:
    """Open a forum."""

    async def task(instance: Instance) -> Forum:
        code = language or instance.settings.language
        draft = deeds.check(ForumDraft(name, title, description, visibility, code))
        keys = await instance.vault.new_pair()
        async with instance.transaction() as tx:
            person = await acting(tx, founder) if founder else await _first_admin(tx)
            return await deeds.create(tx, person, draft, keys)

    forum = perform(task)
    answer(_data(forum), forum.url, as_json=json)


@app.command("list")
def list_(json: Json = False) -> None:
    """List the forums that live here, and those of other agencies known here."""

    async def task(instance: Instance) -> list[Forum]:
        question = select(Forum).order_by(Forum.peer.is_not(None), Forum.peer, Forum.handle)
        async with instance.reading() as session:
            return list((await session.execute(question)).scalars())

    found = perform(task)
    lines = [
        f"{_handle(forum)}\t{forum.title}\t{forum.visibility}\t{forum.copy_state}"
        f"\t{plural(forum.thread_count, 'thread')}"
        for forum in found
    ]
    answer([_data(forum) for forum in found], "\n".join(lines), as_json=json)


@app.command("follow")
def follow(
    what: Annotated[str, typer.Argument(metavar="HANDLE-OR-URL", help="@permits@host or a URL.")],
    name: Acting,
    json: Json = False,
) -> None:
    """Follow a forum, here or at another agency."""

    async def task(instance: Instance) -> tuple[Forum, ForumFollow, str]:
        forum = await wanted_forum(instance, what)

        async def deed(tx: Transaction) -> ForumFollow:
            return await follows.follow(tx, await acting(tx, name), forum)

        held, waits = await act(instance, deed)
        return forum, held if waits else await _answered(instance, held), waits

    forum, held, waits = perform(task)
    said = SAID[FollowState(held.state)].format(
        name=name, title=f"{forum.title} ({_handle(forum)})", reason=held.reason
    )
    data = _data(forum) | {"follow": held.state, "reason": held.reason, "queued": bool(waits)}
    answer(data, waits or said, as_json=json)


@app.command("check")
def check(
    what: Annotated[str, typer.Argument(metavar="HANDLE-OR-URL", help="@permits@host or a URL.")],
    json: Json = False,
) -> None:
    """Check a forum of another agency with its home, and fetch what is missing here."""

    async def task(instance: Instance) -> tuple[Forum, str]:
        forum = await wanted_forum(instance, what)

        async def deed(tx: Transaction) -> Forum:
            return await comparing.ask(tx, None, forum)

        asked, waits = await act(instance, deed)
        return (asked, waits) if waits else await _compared(instance, asked)

    forum, waits = perform(task)
    data = _data(forum) | {
        "compared": forum.compared.isoformat() if forum.compared else None,
        "error": forum.compare_error,
        "not_shown": forum.compare_missing,
        "queued": bool(waits),
    }
    answer(data, waits or _outcome(forum), as_json=json)


async def _compared(instance: Instance, asked: Forum) -> tuple[Forum, str]:
    """The forum once it was compared, or that this takes longer."""
    deadline = time.monotonic() + CHECK_SECONDS
    while time.monotonic() < deadline:
        async with instance.reading() as session:
            held = await session.get_one(Forum, asked.id)
        if held.compare_next != asked.compare_next:
            return held, ""
        await asyncio.sleep(0.1)
    return asked, f"{_handle(asked)}: looking…"


def _outcome(forum: Forum) -> str:
    if forum.compare_error:
        return f"{_handle(forum)}: {forum.compare_error}"
    kept_out = f"; {plural(forum.compare_missing, 'post')} not shown"
    return f"{_handle(forum)}: checked{kept_out if forum.compare_missing else ''}"


async def _answered(instance: Instance, held: ForumFollow) -> ForumFollow:
    """The follow once its agency has answered, or as it stands after a while."""
    deadline = time.monotonic() + WORKER_SECONDS
    while held.state == FollowState.PENDING and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
        async with instance.reading() as session:
            held = await session.get_one(ForumFollow, (held.forum_id, held.member_id))
    return held


async def _first_admin(tx: Transaction) -> Member:
    question = select(Member).where(Member.is_admin, Member.peer.is_(None)).order_by(Member.id)
    admin = (await tx.session.execute(question.limit(1))).scalar_one_or_none()
    if admin is None:
        raise NotFound("There is no admin yet: make one with `guildhall member add … --admin`.")
    return admin


def _handle(forum: Forum) -> str:
    return f"@{forum.handle}" if forum.is_local else f"@{forum.handle}@{forum.peer}"


def _data(forum: Forum) -> dict[str, Any]:
    return {
        "handle": _handle(forum),
        "title": forum.title,
        "agency": forum.agency,
        "visibility": forum.visibility,
        "copy_state": forum.copy_state,
        "threads": forum.thread_count,
        "uri": forum.uri,
        "url": forum.url,
    }
