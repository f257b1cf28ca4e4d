# SPDX-License-Identifier: Apache-2.0
"""Replies in forms are as the template writes them, and pages let go of."""

import gc
import re
from datetime import timedelta
from itertools import product
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.applications import Starlette

from server.instance import Instance
from server.posts.pages import Entry, Node
from server.shown import ShownPerson, ShownReply
from storage.members import Member
from tests import makers
from web import replies, templates
from web.ages import Ages

YES_NO = (False, True)
SLY = 'A "quoted" <b>{name}</b> & co'


def reply(instance: Instance, number: int, *, ours: bool, edits: int, count: int) -> Node:
    origin = instance.settings.origin if ours else "https://lakeside.example.gov"
    now = instance.clock.now() - timedelta(hours=3)
    post = ShownReply(
        id=number, uri=f"{origin}/p/{number}?a={{0}}&b", url=f"{origin}/p/{number}?x=1&y",
        author_id=7, thread_id=1, branch_id=number, parent_id=1, slug="",
        html="<p>{curly} 100 % done</p>",
        language="en" if edits else "de", published=now, deleted=None, arrived=now, state="live",
        reason="", revision=edits, endorsement_count=count, quoted_uri=None,
    )  # fmt: skip
    author = ShownPerson(
        7, "dee", None if ours else "lakeside.example.gov", SLY, "", SLY, None, None
    )
    entry = Entry(
        post, author, endorsed=False, unread=False, may_edit=False, may_delete=False,
        may_remove=False, unconfirmed=False,
    )  # fmt: skip
    return Node(entry, 1)


def squeezed(html: str) -> str:
    """Without the space between elements, where nothing is seen of it."""
    return re.sub(r"\s+", " ", re.sub(r">\s+<", "><", html)).strip()


def surroundings(app: Starlette, instance: Instance) -> dict[str, Any]:
    """What the page of a thread gives its templates; to visitors, as long as `me` is None."""
    page = SimpleNamespace(
        focus=None, may_reply=False, may_lock=False, may_pin=False,
        forum=SimpleNamespace(visibility="public"),
        opener=SimpleNamespace(post=SimpleNamespace(kind="thread", locked=False)), quoted={},
    )  # fmt: skip
    return {
        "page": page, "csrf": Markup("t0ken"), "on": "1-2", "deepest": 8, "sizes": {},
        "site": instance.settings, "ages": Ages(instance.clock.now()), "people": app.state.people,
        "pictures": app.state.pictures, "announced": {}, "me": None, "may_endorse": False,
    }  # fmt: skip


async def test_a_form_says_what_the_template_says(
    app: Starlette, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = templates.environment()
    shown = surroundings(app, instance)
    page = shown["page"]

    def never(context: Context) -> Any:
        raise AssertionError("something has no form")

    monkeypatch.setattr(replies, "_macros", never)
    seen = set()
    # Visitors can do nothing.
    sights = [(False, False, False), *product((True,), YES_NO, YES_NO)]
    states = product(YES_NO, YES_NO, YES_NO, YES_NO, YES_NO)
    for sight, state in product(sights, states):
        shown["me"] = SimpleNamespace(id=9, name="Ana") if sight[0] else None
        shown["may_endorse"], page.may_reply = sight[1:]
        for number, (ours, edits, count) in enumerate(product(YES_NO, (0, 1, 3), (0, 1, 2))):
            node = reply(instance, 100 + number, ours=ours, edits=edits, count=count)
            entry = node.entry
            entry.endorsed, entry.may_remove, entry.unread, deep, chained = state
            node.depth = 8 if deep else 1
            # Only what is unread leads to the next.
            node.next_unread = 104 if chained and entry.unread else None
            module: Any = environment.get_template("parts/post.html").make_module(shown)
            context: Any = environment.get_template("parts/post.html").new_context(shown)
            written = replies.branches(context, [node])
            expected = f'<ul class="replies"><li>{module.article(node)}</li></ul>'
            assert squeezed(written) == squeezed(expected)
            seen.add(written)
    assert len(seen) > 600


async def test_what_can_be_done_with_an_opener_is_as_the_template_says(
    app: Starlette, instance: Instance
) -> None:
    """What is held for visitors is given again only for an opener that shows the same."""
    shown = surroundings(app, instance)
    template = templates.environment().get_template("parts/post.html")
    module: Any = template.make_module(shown)
    context: Any = template.new_context(shown)
    seen = set()
    for ours, edits, count, kind in product(YES_NO, (0, 1), (0, 1, 2), ("thread", "practice")):
        shown["page"].opener.post.kind = kind
        for field, value in (
            *(("id", 501), ("slug", "a-slug"), ("url", "https://elsewhere.example/1")),
            *(("state", "sent"), ("name", "Eve"), ("agency", "A town"), ("peer", "b.example")),
        ):
            entry = reply(instance, 500, ours=ours, edits=edits, count=count).entry
            entry.post.thread_id = 500
            for _ in range(2):
                assert replies.deeds(context, entry) == module.actions(entry)
                setattr(entry.post if hasattr(entry.post, field) else entry.author, field, value)
            seen.add(replies.deeds(context, entry))
    assert len(seen) > 80


async def test_a_page_is_let_go_of_once_it_is_written(
    client: httpx.AsyncClient, instance: Instance, admin: Member
) -> None:
    """What holds itself stays until the collector comes, and with it all that a page shows."""
    thread = await makers.thread(instance, admin, await makers.forum(instance, admin))
    other = await makers.member(instance, "dee")
    await makers.reply(instance, admin, await makers.reply(instance, other, thread))
    await makers.sign_in(client, instance, admin)
    for path in (f"/p/{thread.id}", "/", f"/p/{thread.id}/reply", "/forums"):
        assert (await client.get(path, follow_redirects=True)).status_code == 200
        gc.collect()
        gc.disable()
        try:
            await client.get(path, follow_redirects=True)
            held = [one for one in gc.get_objects(0) if isinstance(one, Entry | Context)]
        finally:
            gc.enable()
        assert held == []
