# SPDX-License-Identifier: Apache-2.0
"""Telling an event as a thread, to software that shows no events.

It is the same post under the same id, so that answers from there stand with all the others.
"""

import orjson

from federation import posts
from federation.outbox import needs
from federation.outbox.telling import Telling
from federation.plainly import as_thread
from federation.sharing import shared
from storage.forums import Forum, Visibility
from storage.log import Entry, Form
from storage.members import Member
from storage.posts import Kind, Post


async def told(
    t: Telling, post: Post, author: Member, forum: Forum, *, revision: int | None = None
) -> None:
    """Create of an event of ours, or Update to a revision, as of a thread."""
    is_ours = forum.is_local and author.is_local and post.kind == Kind.EVENT
    if not is_ours or forum.visibility != Visibility.PUBLIC:
        return
    changes = revision is not None
    # A new one is announced by its id as well, and fetched as a thread.
    forms = (Form.ARTICLE, Form.AUTHOR_ARTICLE) if changes else (Form.ARTICLE,)
    wanted = [
        form for form in forms if await needs.is_wanted(t.tx.session, forum, form, ever=changes)
    ]
    if not wanted:
        return
    sharing = as_thread(await shared(t.tx.session, post))
    document = await t.sign(author.uri, posts.to_wire(sharing))
    made = (
        posts.create(sharing, document)
        if revision is None
        else posts.update(sharing, document, revision)
    )
    made["id"] = f"{made['id']}-as-a-thread"
    raw = orjson.dumps(await t.sign(author.uri, made)).decode()
    if Form.ARTICLE in wanted:
        await t.announce(
            forum, raw, post=post, order_key=post.uri, follows=changes, form=Form.ARTICLE
        )
    if Form.AUTHOR_ARTICLE in wanted:
        entry = Entry(
            form=Form.AUTHOR_ARTICLE,
            activity_id=str(made["id"]),
            signer=author.uri,
            order_key=post.uri,
            audience=forum.uri,
            subject=post.uri,
            follows_subject=True,
        )
        await t.append(raw, [(entry, ())])
