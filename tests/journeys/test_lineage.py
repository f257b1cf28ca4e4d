# SPDX-License-Identifier: Apache-2.0
"""What is made of a practice stays tied to it, at three agencies."""

from server.library import drafts, lineage, publishing, warning
from storage.members import Member
from storage.posts import Post
from tests import makers
from tests.journeys.agency import Agency, until
from tests.journeys.test_practices import permits, practice_at
from tests.server.library.bench import published


async def adapted(agency: Agency, member: Member, source: Post, title: str) -> Post:
    """An adaptation in a forum of the agency's own."""
    agency.clock.turn(minutes=2)
    forum = await makers.forum(agency.instance, agency.admin, "counters")
    async with agency.instance.transaction() as tx:
        draft = await lineage.adapt(tx, member, source)
        await drafts.save(tx, member, draft.id, {"name": source.title}, {"name": title})
        await drafts.place(tx, member, draft.id, forum.id)
    async with agency.instance.transaction() as tx:
        return await publishing.publish(tx, member, draft.id)


async def shows(agency: Agency, uri: str, *words: str, without: str = "\0") -> str:
    """Wait until the page of a practice says all this, and not `without`."""

    async def so() -> str | None:
        post = await agency.held(uri)
        if post is None:
            return None
        text = (await agency.page(f"/p/{post.id}/{post.slug}")).text
        return text if all(one in text for one in words) and without not in text else None

    return await until(f"{words} on the page of {uri} at {agency.name}", so)


async def test_a_warning_follows_what_was_made_of_a_practice(
    riverton: Agency, lakeside: Agency, harbor: Agency
) -> None:
    await riverton.lists(harbor)
    await harbor.lists(riverton)
    forum = await permits(lakeside)
    ana = await makers.member(riverton.instance, "ana")
    await riverton.follow(ana, forum.uri)
    source = await published(lakeside.instance, lakeside.admin, forum)
    await practice_at(riverton, source.uri)
    copy = await riverton.sees(source.uri)
    made = await adapted(riverton, ana, copy, "Two-clock permits")
    # Lakeside does not follow Riverton's forum, and learns of it by a reply.
    await shows(lakeside, source.uri, "City of Riverton adapted this practice", made.uri)
    kim = await makers.member(harbor.instance, "kim")
    counters = await riverton.forum(f"{riverton.settings.origin}/f/counters")
    assert counters is not None
    await harbor.follow(kim, counters.uri)
    await practice_at(harbor, made.uri)

    words = "Step 3 is no longer lawful."
    lakeside.clock.turn(minutes=2)
    async with lakeside.instance.transaction() as tx:
        await warning.warn(tx, lakeside.admin, source, "withdrawn", words)
    for agency in (lakeside, riverton):
        text = await shows(agency, source.uri, words)
        assert "It was withdrawn" in text
    for agency in (riverton, harbor):
        text = await shows(agency, made.uri, words, "Withdrawn about")
        assert "City of Lakeside" in text
    assert await harbor.held(source.uri) is None
    told = await riverton.page("/notifications", ana)
    assert "warns about what this was made from" in told.text
    served = (await lakeside.page(f"/p/{source.id}/practice.md")).text
    assert words in served

    lakeside.clock.turn(minutes=2)
    async with lakeside.instance.transaction() as tx:
        await warning.lift(tx, lakeside.admin, source)
    for agency in (riverton, harbor):
        await shows(agency, made.uri, without="Withdrawn about")
    held = await practice_at(riverton, source.uri)
    assert held.evidence == 2
