# SPDX-License-Identifier: Apache-2.0
"""Writing statuses: threads, replies, changes, deletions."""

import hashlib
from dataclasses import dataclass, replace

from server import text, uploads
from server.errors import Invalid, NotFound
from server.forums import pages as forum_pages
from server.polls.drafts import PollDraft
from server.posts import dictated, editing, writing
from server.posts import once as posting
from server.posts.drafts import EditDraft, ReplyDraft, ThreadForm, check_body, check_thread
from server.rows import Forum, Post
from server.timelines.statuses import Status
from server.transaction import Transaction
from web.api import polls
from web.api.calls import Call, Json
from web.api.entities.statuses import Statuses
from web.api.routes import call
from web.api.statuses import found, post_of, shown

NO_FORUM = "Say which forum this goes to: name one in the text, such as @permits, or answer a post."
NOT_PRIVATE = "Posts in forums are read by all who read the forum: choose a public post."
IN_THREADS = "A poll is asked with a thread, not with a reply."
SETTLED = "A poll is not changed once it was asked."
NO_SCHEDULE = "Posts cannot be scheduled here: send it when it is to appear."


@dataclass(frozen=True)
class Typed:
    """What an app sent to be posted."""

    source: str
    title: str
    media: list[int]
    language: str
    poll: PollDraft | None = None


async def _typed(call: Call) -> Typed:
    given = call.given
    if given.text("visibility", "public") not in {"public", "unlisted", ""}:
        raise Invalid(message=NOT_PRIVATE)
    if given.text("scheduled_at"):
        raise Invalid(message=NO_SCHEDULE)
    if given.text("quoted_status_id") or given.text("quote_id"):
        raise Invalid(message="Quotes are written with > here, or on the page of the thread.")
    media = given.numbers("media_ids")
    source, title = given.text("status"), given.text("spoiler_text")
    if len(source) > text.MAX_SOURCE:
        raise Invalid({"status": f"Keep it under {text.MAX_SOURCE} characters."})
    language = given.text("language").strip().lower()[:12]
    return Typed(source, title, media, language, polls.typed(given))


async def post(call: Call) -> Json:
    """Post a thread or a reply; once for each `Idempotency-Key` (of the last day)."""
    typed = await _typed(call)
    key = call.request.headers.get("idempotency-key", "")
    once = ""
    if key and call.holder is not None:
        once = hashlib.sha256(f"{call.holder.token} {key}".encode()).hexdigest()
    return await shown(call, await _post(call, typed, once))


async def _post(call: Call, typed: Typed, once: str) -> int:
    """The id of what was posted."""
    answered = call.given.text("in_reply_to_id")
    if not answered:
        return await _thread(call, typed, once)
    parent = call.given.number("in_reply_to_id")
    if parent is None:
        raise NotFound
    return await _reply(call, typed, await post_of(call, parent), once)


async def _reply(call: Call, typed: Typed, answered: Post, once: str) -> int:
    member = call.member
    if typed.poll is not None:
        raise Invalid(message=IN_THREADS)
    async with call.instance.transaction() as tx:
        if (before := await posting.before(tx, once)) is not None:
            return before
        pictures = await uploads.as_markdown(
            tx.session, member, typed.media, call.instance.settings.origin
        )
        words = dictated.answer(typed.source) if typed.source.strip() else ""
        body = check_body(_joined(typed.title, words, pictures))
        draft = ReplyDraft(body, answered.id, typed.language)
        made = await writing.reply(tx, member, draft)
        await uploads.posted(tx, member, typed.media)
        await posting.made(tx, once, made.id)
    return made.id


async def _thread(call: Call, typed: Typed, once: str) -> int:
    member = call.member
    named = dictated.handles(f"{typed.title} {typed.source}")
    forum, handle = await _forum(call, named)
    read = dictated.thread(dictated.without(typed.source, handle), typed.title)
    async with call.instance.transaction() as tx:
        if (before := await posting.before(tx, once)) is not None:
            return before
        pictures = await uploads.as_markdown(
            tx.session, member, typed.media, call.instance.settings.origin
        )
        body = _joined("", read.source, pictures)
        tags = " ".join(dictated.tags(read.source))
        try:
            draft = check_thread(ThreadForm(read.title, body, tags, typed.language))
        except Invalid as error:
            fields = {"status": " ".join(error.fields.values())}
            raise Invalid(fields) from error
        made = await writing.post_thread(tx, member, forum, replace(draft, poll=typed.poll))
        await uploads.posted(tx, member, typed.media)
        await posting.made(tx, once, made.id)
    return made.id


def _joined(*parts: str) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip())


async def _forum(call: Call, named: list[str]) -> tuple[Forum, str]:
    """The one forum that a text names, and how."""
    here = call.instance.settings.host
    meant: dict[int, tuple[Forum, str]] = {}
    async with call.instance.reading() as session:
        for handle in named:
            name, _, peer = handle.partition("@")
            try:
                away = peer if peer and peer != here else None
                forum = await forum_pages.one(session, call.viewer, name, away)
            except NotFound:
                continue
            meant.setdefault(forum.id, (forum, handle))
    if not meant:
        raise Invalid(message=NO_FORUM)
    if len(meant) > 1:
        raise Invalid(message="Name one forum only: this names several.")
    return next(iter(meant.values()))


async def change(call: Call) -> Json:
    """Change one's own status; what it said before stays readable."""
    typed = await _typed(call)
    _, status = await found(call)
    post = status.post
    if typed.poll is not None:
        asked = status.poll.choices if status.poll is not None else ()
        if tuple(one.title for one in asked) != typed.poll.options:
            raise Invalid(message=SETTLED)
    async with call.instance.transaction() as tx:
        pictures = await _added(tx, call, typed, status)
        if post.is_thread:
            read = dictated.thread(typed.source, typed.title)
            tags = dictated.tags(read.source, *status.tags)
            body = check_body(_joined("", read.source, pictures))
            draft = EditDraft(read.title, body, tags)
        else:
            body = check_body(_joined("", dictated.answer(typed.source), pictures))
            draft = EditDraft("", body)
        if (draft.title, draft.source) != (post.title, post.source):
            await editing.edit(tx, call.member, post, draft)
        await uploads.posted(tx, call.member, typed.media)
    return await shown(call)


async def _added(tx: Transaction, call: Call, typed: Typed, status: Status) -> str:
    """Pictures that an edit adds; those that the text shows already stay where they are."""
    already = {one["id"] for one in Statuses(call.instance).status(status)["media_attachments"]}
    fresh = [one for one in typed.media if str(one) not in already]
    return await uploads.as_markdown(tx.session, call.member, fresh, call.instance.settings.origin)


async def delete(call: Call) -> Json:
    """Delete one's own status; answers what it said, so that it can be written anew."""
    line, status = await found(call)
    if status.post.author_id != call.member.id:
        raise NotFound
    drawn = Statuses(call.instance).line(line, status)
    typed = dictated.written(status.post.title, status.post.source)
    async with call.instance.transaction() as tx:
        await editing.remove(tx, call.member, status.post)
    return drawn | {"text": typed}


TEXT = (
    "status", "spoiler_text", "media_ids[]", "language", "poll[options][]", "poll[expires_in]",
    "poll[multiple]", "poll[hide_totals]",
)  # fmt: skip
routes = [
    call(
        "POST", "/api/v1/statuses", post, "write:statuses", "Status", *TEXT, "in_reply_to_id",
        "visibility",
    ),
    call("PUT", "/api/v1/statuses/{id}", change, "write:statuses", "Status", *TEXT),
    call("DELETE", "/api/v1/statuses/{id}", delete, "write:statuses", "Status"),
]  # fmt: skip
