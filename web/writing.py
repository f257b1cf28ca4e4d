# SPDX-License-Identifier: Apache-2.0
"""Writing threads and replies, and changing them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server import text
from server.errors import Gone, Invalid, Locked, NotAllowed, NotFound, Refusal, TooFast
from server.forums import pages as forums
from server.forums.standing import standing
from server.permissions import Permission, must
from server.posts import pages, reading
from server.posts.drafts import EditDraft, ReplyDraft, ThreadForm, check_body, check_thread
from server.posts.editing import edit as change
from server.posts.pages import FoundPost
from server.posts.writing import must_be_open, post_thread
from server.posts.writing import reply as post_reply
from server.rows import Kind
from web import polls, repeats
from web.errors import STATUS
from web.forms import Form, submit_writing
from web.forums import named
from web.spots import Spot, post_id
from web.templates import path_of
from web.visits import Visit, arrive

# What a form shows again with all that was typed; everything else is a page of its own.
KEEPS_THE_FORM = (Invalid, Locked, TooFast, Gone)
SIGNED_OUT = "You were signed out meanwhile: sign in in another tab, then post again."
STALE = "You signed in again since this form was opened. Please press the button once more."


async def found(session: AsyncSession, visit: Visit, identifier: int) -> FoundPost:
    """A post with its opener, author and forum, if the visitor may see it."""
    posts = await pages.found(session, visit.viewer, [identifier])
    if not posts:
        raise NotFound
    return posts[0]


@dataclass(frozen=True)
class Typed:
    """What a form holds, and what came of sending it."""

    form: ThreadForm = field(default_factory=ThreadForm)
    preview: str | None = None
    error: Refusal | None = None

    def page(self, visit: Visit, template: str, **values: object) -> Response:
        """The form with everything that was typed, and why it was refused if it was."""
        response = visit.page(
            template,
            STATUS.get(type(self.error), 400) if self.error else 200,
            typed=self.form,
            source=self.form.source,
            preview=self.preview,
            faults=_in_order(self.error.fields) if isinstance(self.error, Invalid) else {},
            sentence=self.error.sentence if self.error else "",
            once=repeats.new(visit),
            lasting_polls=polls.LASTING,
            **values,
        )
        if isinstance(self.error, TooFast):
            response.headers["Retry-After"] = str(self.error.retry_after)
        return response


def _in_order(faults: dict[str, str]) -> dict[str, str]:
    """Faults as their fields follow each other on the page."""
    order = ("title", "source", "poll_options", "poll_lasting", "tags", "language")
    return {name: faults[name] for name in (*order, *faults) if name in faults}


def _typed(form: Form) -> ThreadForm:
    poll = polls.typed(form)
    return ThreadForm(form["title"], form["source"], form["tags"], form["language"], poll=poll)


async def _previewed(form: ThreadForm) -> Typed:
    try:
        html = await asyncio.to_thread(text.render, check_body(form.source))
    except Invalid as error:
        return Typed(form, error=error)
    return Typed(form, preview=html)


async def _instead(sent: Form, form: ThreadForm) -> Typed | None:
    """What the form shows where it is not to be posted, or cannot be; None where it can."""
    if sent.stale:
        return Typed(form, error=NotAllowed(STALE))
    if sent["action"] == "preview":
        return await _previewed(form)
    if sent["action"] == "draft" and len(form.source) > text.MAX_SOURCE:
        return await _previewed(form)
    return None


def _signed_out(visit: Visit, sent: Form) -> Response:
    """The form once more for somebody whose session ended; tells nothing of where it goes."""
    typed = Typed(_typed(sent), error=NotAllowed(SIGNED_OUT))
    return typed.page(visit, "posts/kept.html", sent=sent.values)


async def _post_once(
    visit: Visit,
    sent: Form,
    typed: tuple[str, ThreadForm],
    post: Callable[[], Awaitable[tuple[str, str]]],
) -> Response:
    """Lead to what `post` makes (path, what to say), made now or when the form came before.

    `typed` is the place of the draft and the form.
    """
    digest = repeats.digest(*typed)
    async with repeats.turn(visit, sent["once"]) as turn:
        if turn.answer is None:
            turn.answer = await post()
            repeats.done(visit, turn, digest)
        elif turn.text != digest:
            raise Invalid(
                message="You have posted from this form already. To post this as well,"
                " press the button once more."
            )
        return visit.go(*turn.answer)


async def _kept(session: AsyncSession, visit: Visit, place: str, otherwise: ThreadForm) -> Typed:
    """The draft begun at this place, or else what the form shows at first."""
    draft = await reading.draft(session, visit.member, place)
    if draft is None:
        return Typed(otherwise)
    poll = polls.typed_before(draft.poll)
    return Typed(ThreadForm(draft.title, draft.source, draft.tags, otherwise.language, poll=poll))


async def keep_draft(visit: Visit, place: str, form: ThreadForm) -> None:
    """What somebody is writing at a place is there when they come back."""
    async with visit.instance.transaction() as tx:
        await reading.save_draft(
            tx,
            visit.member,
            place,
            title=form.title,
            source=form.source,
            tags=form.tags,
            poll=polls.kept(form.poll),
        )


async def new_thread(request: Request) -> Response:
    """The form for a thread, with the draft if one was begun."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        forum = await forums.one(session, visit.viewer, *named(request, visit))
        must(await standing(session, visit.member, forum), Permission.POST_THREAD)
        typed = await _kept(session, visit, f"forum:{forum.id}", ThreadForm())
    return typed.page(visit, "posts/new.html", forum=forum)


async def send_thread(request: Request) -> Response:
    """Post a thread, or show what it will look like, or keep it for later."""
    visit, sent = await submit_writing(request)
    if visit.viewer.member is None:
        return _signed_out(visit, sent)
    form = _typed(sent)
    async with visit.instance.reading() as session:
        forum = await forums.one(session, visit.viewer, *named(request, visit))
        must(await standing(session, visit.member, forum), Permission.POST_THREAD)
    place = f"forum:{forum.id}"
    if (shown := await _instead(sent, form)) is not None:
        return shown.page(visit, "posts/new.html", forum=forum)
    if sent["action"] == "draft":
        await keep_draft(visit, place, form)
        return visit.go(f"{path_of(forum)}/new", "draft_saved")

    async def post() -> tuple[str, str]:
        draft = replace(check_thread(form), poll=polls.draft_of(sent))
        async with visit.instance.transaction() as tx:
            made = await post_thread(tx, visit.member, forum, draft)
            await reading.drop_draft(tx, visit.member, place)
        return path_of(made), "posted" if forum.is_local else "sent"

    try:
        return await _post_once(visit, sent, (place, form), post)
    except KEEPS_THE_FORM as error:
        return Typed(form, error=error).page(visit, "posts/new.html", forum=forum)


def _reply_page(visit: Visit, typed: Typed, answered: FoundPost, on: str) -> Response:
    return typed.page(
        visit,
        "posts/reply.html",
        post=answered.post,
        opener=answered.opener,
        author=answered.author,
        forum=answered.forum,
        on=on,
    )


async def new_reply(request: Request) -> Response:
    """The form for a reply, with the draft if one was begun; `?quote=1` quotes the post."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        answered = await found(session, visit, post_id(request))
        must(await standing(session, visit.member, answered.forum), Permission.REPLY)
        must_be_open(answered.opener, answered.post)
        typed = await _kept(session, visit, f"reply:{answered.post.id}", ThreadForm())
    if request.query_params.get("quote"):
        said = answered.post.source or text.plain(answered.post.html)
        quoted = text.quote(said, answered.author.name)
        if quoted.strip() not in typed.form.source:
            typed = Typed(ThreadForm(source=quoted + typed.form.source))
    on = Spot.read(request.query_params.get("on", ""))
    return _reply_page(visit, typed, answered, str(on or ""))


async def send_reply(request: Request) -> Response:
    """Post a reply, or show what it will look like, or keep it for later."""
    visit, sent = await submit_writing(request)
    if visit.viewer.member is None:
        return _signed_out(visit, sent)
    form = _typed(sent)
    member = visit.member
    async with visit.instance.reading() as session:
        answered = await found(session, visit, post_id(request))
    parent, forum = answered.post, answered.forum
    place = f"reply:{parent.id}"
    on = Spot.read(sent["on"])
    if (shown := await _instead(sent, form)) is not None:
        return _reply_page(visit, shown, answered, str(on or ""))
    if sent["action"] == "draft":
        await keep_draft(visit, place, form)
        return visit.go(f"/p/{parent.id}/reply{f'?on={on}' if on else ''}", "draft_saved")

    async def post() -> tuple[str, str]:
        draft = ReplyDraft(check_body(form.source), parent.id)
        async with visit.instance.transaction() as tx:
            made = await post_reply(tx, member, draft)
            await reading.drop_draft(tx, member, place)
        spot = _where_it_shows(answered, made.id, on)
        return spot.path(made.id), "replied" if forum.is_local else "sent"

    try:
        return await _post_once(visit, sent, (place, form), post)
    except KEEPS_THE_FORM as error:
        return _reply_page(visit, Typed(form, error=error), answered, str(on or ""))


def _where_it_shows(answered: FoundPost, reply: int, on: Spot | None) -> Spot:
    """A page that shows a fresh reply: the one its author came from where it can."""
    parent, opener = answered.post, answered.opener
    if not parent.is_thread:
        return on or Spot(parent.id)
    # A new branch stands at the end, which for a long thread is on a later page.
    fits = opener.reply_count < pages.BRANCHES_A_PAGE
    return Spot(opener.id, None if fits else reply - 1)


async def edit_form(request: Request) -> Response:
    """The form that changes a post, with the draft if one was begun."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        held = await found(session, visit, post_id(request))
        must(await standing(session, visit.member, held.forum), Permission.EDIT_POST, held.post)
        now = await _as_it_is(session, held)
        typed = await _kept(session, visit, f"edit:{held.post.id}", now)
    return _edit_page(visit, typed, held)


async def _as_it_is(session: AsyncSession, held: FoundPost) -> ThreadForm:
    post = held.post
    if post.state == "deleted":
        raise Gone
    if post.kind == Kind.PRACTICE:
        raise NotAllowed("A practice is changed section by section, from its own page.")
    if post.kind == Kind.EVENT:
        raise NotAllowed("An event is changed with its own form, from its page.")
    if post.kind == Kind.RESOURCE:
        raise NotAllowed("A resource is changed by publishing a new version, from its own page.")
    if held.opener.locked:
        raise Locked("This thread is closed: its posts can no longer be changed.")
    tags = (await forums.tags_of(session, [post.id])).get(post.id, ())
    return ThreadForm(post.title, post.source, ", ".join(tags))


def _edit_page(visit: Visit, typed: Typed, held: FoundPost) -> Response:
    return typed.page(
        visit, "posts/edit.html", post=held.post, opener=held.opener, forum=held.forum
    )


async def send_edit(request: Request) -> Response:
    """Change a post, or show what it will look like, or keep it for later."""
    visit, sent = await submit_writing(request)
    if visit.viewer.member is None:
        return _signed_out(visit, sent)
    form = _typed(sent)
    member = visit.member
    async with visit.instance.reading() as session:
        held = await found(session, visit, post_id(request))
        must(await standing(session, member, held.forum), Permission.EDIT_POST, held.post)
        before = await _as_it_is(session, held)
    post = held.post
    if (shown := await _instead(sent, form)) is not None:
        return _edit_page(visit, shown, held)
    if sent["action"] == "draft":
        await keep_draft(visit, f"edit:{post.id}", form)
        return visit.go(f"/p/{post.id}/edit", "draft_saved")
    try:
        draft = _edit_draft(form, is_thread=post.is_thread)
        same = draft == _edit_draft(before, is_thread=post.is_thread)
        async with visit.instance.transaction() as tx:
            if not same:
                await change(tx, member, post, draft)
            await reading.drop_draft(tx, member, f"edit:{post.id}")
    except KEEPS_THE_FORM as error:
        return _edit_page(visit, Typed(form, error=error), held)
    return visit.go(Spot(post.thread_id).path(post.id), "edited_same" if same else "edited")


def _edit_draft(form: ThreadForm, *, is_thread: bool) -> EditDraft:
    if not is_thread:
        return EditDraft("", check_body(form.source))
    draft = check_thread(form)
    return EditDraft(draft.title, draft.source, draft.tags)


routes = [
    Route("/f/{where}/new", new_thread),
    Route("/f/{where}/new", send_thread, methods=["POST"]),
    Route("/p/{id}/reply", new_reply),
    Route("/p/{id}/reply", send_reply, methods=["POST"]),
    Route("/p/{id}/edit", edit_form),
    Route("/p/{id}/edit", send_edit, methods=["POST"]),
]
