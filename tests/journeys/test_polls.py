# SPDX-License-Identifier: Apache-2.0
"""A poll of each of two agencies in one forum, voted in from the other."""

from dataclasses import replace

import pytest

from server.polls import drafts, pages
from server.polls.pages import ShownPoll
from server.posts import counting, voting, writing
from server.posts.drafts import ThreadDraft
from server.viewers import VISITOR
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from tests import makers
from tests.journeys.agency import Agency, until

DAY = 86_400


async def asks(agency: Agency, author: Member, forum: Forum, *, multiple: bool = False) -> Post:
    """A thread of an agency's that carries a poll."""
    draft = ThreadDraft(f"What {agency.name} wonders", "Say.")
    poll = drafts.check(["Paper", "Online", "Both"], DAY, multiple=multiple)
    async with agency.instance.transaction() as tx:
        return await writing.post_thread(tx, author, forum, replace(draft, poll=poll))


async def votes(agency: Agency, member: Member, post: Post, *places: int) -> None:
    async with agency.instance.transaction() as tx:
        await voting.vote(tx, member, post, places)


async def counts(agency: Agency, post: Post, *votes: int, over: bool = False) -> ShownPoll:
    """Wait until an agency has counted so many votes for each choice."""

    async def so() -> ShownPoll | None:
        async with agency.instance.reading() as session:
            poll = (await pages.of_posts(session, VISITOR, [post.id])).get(post.id)
        held = poll is not None and [one.votes for one in poll.choices] == [*votes]
        return poll if held and poll is not None and poll.over is over else None

    return await until(f"{votes} at {agency.name}", so)


async def tends(agency: Agency) -> None:
    async with agency.instance.transaction() as tx:
        await counting.tend(tx)


@pytest.mark.fep("9967")
async def test_polls_are_voted_in_from_the_other_agency(riverton: Agency, lakeside: Agency) -> None:
    forum = await makers.forum(lakeside.instance, lakeside.admin, "permits", title="Permits")
    ana = await makers.member(riverton.instance, "ana")
    copy = await riverton.follow(ana, forum.uri)
    theirs = await asks(lakeside, lakeside.admin, forum, multiple=True)
    here = await riverton.sees(theirs.uri)
    poll = await counts(riverton, here, 0, 0, 0)
    assert (poll.multiple, poll.ours) == (True, False)
    assert "<li>Paper" not in here.html
    page = await riverton.page(f"/p/{here.id}/{here.slug}", ana)
    assert 'name="choice_2"' in page.text
    await votes(riverton, ana, here, 0, 2)
    await counts(lakeside, theirs, 1, 0, 1)
    await votes(lakeside, lakeside.admin, theirs, 2)
    await tends(lakeside)
    poll = await counts(riverton, here, 1, 0, 2)
    assert poll.voters == 2
    assert (await riverton.sees(theirs.uri)).revision == 0
    ours = await asks(riverton, ana, copy)
    there = await lakeside.sees(ours.uri, state=PostState.LIVE)
    await counts(lakeside, there, 0, 0, 0)
    await votes(lakeside, lakeside.admin, there, 1)
    await counts(riverton, ours, 0, 1, 0)
    await votes(riverton, ana, ours, 1)
    riverton.clock.turn(days=1, minutes=1)
    await tends(riverton)
    await counts(riverton, ours, 0, 2, 0, over=True)
    await tends(lakeside)
    await counts(lakeside, there, 0, 2, 0, over=True)
    assert "The poll ended" in (await lakeside.page(f"/p/{there.id}/{there.slug}")).text
