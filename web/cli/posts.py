# SPDX-License-Identifier: Apache-2.0
"""Threads, replies and endorsements at the command line."""

from typing import Annotated, Any

import typer

from server import endorsements
from server.errors import NotFound
from server.instance import Instance
from server.posts import drafts, writing
from server.posts.drafts import ReplyDraft, ThreadForm
from server.transaction import Transaction
from storage.posts import Post
from web.cli import threads
from web.cli.desk import Acting, Json, act, acting, answer, perform, read_text
from web.cli.things import wanted_forum, wanted_post
from web.cli.threads import Told

app = typer.Typer(help="Write, endorse and read posts.", no_args_is_help=True)
Url = Annotated[str, typer.Argument(metavar="URL", help="The address of a post.")]
File = Annotated[str, typer.Option("--file", help="The text in Markdown; - for standard input.")]


@app.command("add")
def add(
    forum: Annotated[str, typer.Argument(metavar="FORUM", help="permits, or @permits@host.")],
    name: Acting,
    title: Annotated[str, typer.Option(help="What it is about.")],
    file: File,
    tags: Annotated[str, typer.Option(help="Such as “permits, digital-forms”.")] = "",
    json: Json = False,
) -> None:
    """Open a thread; prints its address."""
    draft = drafts.check_thread(ThreadForm(title, read_text(file), tags))

    async def task(instance: Instance) -> tuple[Post, str]:
        place = await wanted_forum(instance, forum)

        async def deed(tx: Transaction) -> Post:
            return await writing.post_thread(tx, await acting(tx, name), place, draft)

        return await act(instance, deed)

    _say(*perform(task), as_json=json)


@app.command("reply")
def reply(url: Url, name: Acting, file: File, json: Json = False) -> None:
    """Answer a post; prints the address of the reply."""
    source = drafts.check_body(read_text(file))

    async def task(instance: Instance) -> tuple[Post, str]:
        parent = await wanted_post(instance, url)

        async def deed(tx: Transaction) -> Post:
            return await writing.reply(tx, await acting(tx, name), ReplyDraft(source, parent.id))

        return await act(instance, deed)

    _say(*perform(task), as_json=json)


@app.command("endorse")
def endorse(url: Url, name: Acting, json: Json = False) -> None:
    """Endorse a post; prints its address."""

    async def task(instance: Instance) -> tuple[Post, str]:
        post = await wanted_post(instance, url)

        async def deed(tx: Transaction) -> Post:
            await endorsements.endorse(tx, await acting(tx, name), post)
            return await tx.session.get_one(Post, post.id)

        return await act(instance, deed)

    _say(*perform(task), as_json=json)


@app.command("show")
def show(url: Url, json: Json = False) -> None:
    """Print a post's whole thread: who wrote what, and what answers it."""

    async def task(instance: Instance) -> Told:
        post = await wanted_post(instance, url)
        async with instance.reading() as session:
            found = await threads.told(session, instance.settings, post)
        if found is None:
            raise NotFound
        return found

    told = perform(task)
    answer(told.as_data(), told.as_text(), as_json=json)


def _say(post: Post, waits: str, *, as_json: bool) -> None:
    data: dict[str, Any] = {
        "id": str(post.id),
        "uri": post.uri,
        "url": post.url,
        "state": post.state,
        "endorsements": post.endorsement_count,
        "queued": bool(waits),
    }
    answer(data, post.url, as_json=as_json, waits=waits)
