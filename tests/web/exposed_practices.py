# SPDX-License-Identifier: Apache-2.0
"""Practices with words of their own, and the addresses they are asked at."""

from starlette.routing import Route

from server.instance import Instance
from server.library import publishing
from server.library.restating import body_of
from server.posts import editing, writing
from server.posts.drafts import EditDraft, ThreadDraft
from server.practices.typed import record_of
from server.records.editions import Edition
from storage.forums import Forum
from storage.members import Member
from storage.posts import Kind, Post
from tests.server.library.bench import PERMITS
from web import practices


async def two_versions(instance: Instance, author: Member, forum: Forum, taint: str) -> Post:
    """A practice of two versions in a forum; everything of it says the taint."""
    async with instance.transaction() as tx:
        for version in (1, 2):
            typed = {**PERMITS, **tainted(taint), "solution": f"Kerb {taint}, {version}"}
            record = record_of(typed)
            body = body_of(record)
            if version == 1:
                draft = ThreadDraft(record.name, body, (taint,), "en", kind=Kind.PRACTICE)
                post = await writing.apply_thread(tx, author, forum, draft)
            else:
                post = await editing.apply_edit(tx, post, EditDraft(record.name, body))
            edition = Edition(record, version, f"Changed {taint}", author.id)
            await publishing.apply(tx, post, edition)
    return post


def tainted(taint: str) -> dict[str, str]:
    """The fields of a practice about kerbs."""
    said = ("name", "summary", "problem", "agency", "notWorked", "contact", "partners")
    return {
        **{name: f"Kerb {taint}" for name in said},
        "tags": f"kerbs, {taint}",
        "steps__1__title": taint,
    }


def ids_for(route: Route, posts: list[str], written: list[str]) -> list[str]:
    """What is the same for posts of every kind is asked of threads and replies alone."""
    if route.path in {"/p/{id}", "/p/{number}"}:
        return posts
    own = {one.path for one in practices.routes}
    if route.path in own and not route.path.endswith("/distil"):
        return written
    return [post for post in posts if post not in written]


def questions_of_practices(written: list[str]) -> list[str]:
    """Addresses of the library that ask something in their query."""
    found = ["/practices?tag=kerbs", "/practices?kind=practice"]
    found += ["/practices?topic=permits-and-licensing&agency=x", f"/practices?before={1 << 62}"]
    found += [f"/practices/compare?p={one}&p={written[0]}" for one in written]
    return found + [f"/p/{one}/versions?old=1&new=2" for one in written]
