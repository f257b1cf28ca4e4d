# SPDX-License-Identifier: Apache-2.0
"""What is made of a practice stays tied to it, at three agencies."""

from sqlalchemy import select

from server.library import drafts, lineage, offering, publishing, warning
from server.library.offering import OfferDraft, OfferState
from server.practices.record import unpack
from storage.audit import AuditEntry
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post
from storage.practices import ChangeOffer
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
        held = drafts.fields_of(draft)
        fields = {"name": title, "problem": f"{held['problem']} Each cost a week."}
        await drafts.save(tx, member, draft.id, {name: held[name] for name in fields}, fields)
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


async def offer_at(agency: Agency, uri: str, state: OfferState) -> ChangeOffer:
    """Wait until an agency holds an offer in a state."""

    async def so() -> ChangeOffer | None:
        question = select(ChangeOffer).where(ChangeOffer.uri == uri, ChangeOffer.state == state)
        async with agency.instance.reading() as session:
            return (await session.execute(question)).scalar_one_or_none()

    return await until(f"{uri} {state} at {agency.name}", so)


async def test_a_change_is_offered_back_and_a_warning_follows_what_was_made_of_a_practice(
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

    await offers_go_back(riverton, lakeside, ana, (source, made))
    await a_warning_follows(lakeside, riverton, harbor, ana, (source, made))
    await the_forum_of_another_agency_withdraws(riverton, lakeside, ana, forum)


async def offers_go_back(
    riverton: Agency, lakeside: Agency, ana: Member, posts: tuple[Post, Post]
) -> None:
    """One is declined with a reason, the next is taken into the next version."""
    source, made = posts
    draft = OfferDraft(("problem",), "It says what the delay costs.")
    async with riverton.instance.transaction() as tx:
        first = await offering.offer(tx, ana, made, draft)
    there = await offer_at(lakeside, first.uri, OfferState.WAITING)
    page = await lakeside.page(f"/practices/offers/{there.id}", lakeside.admin)
    for told in ("Each cost a week.", "It says what the delay costs.", "City of Riverton"):
        assert told in page.text
    other = await makers.member(lakeside.instance, "priya")
    assert (await lakeside.page(f"/practices/offers/{there.id}", other)).status_code == 404
    assert "offers a change to" in (await lakeside.page("/notifications", lakeside.admin)).text
    async with lakeside.instance.transaction() as tx:
        await offering.decline(tx, lakeside.admin, there.id, "Give the figure it rests on.")
    assert (await offer_at(riverton, first.uri, OfferState.DECLINED)).reason.startswith("Give")
    async with riverton.instance.transaction() as tx:
        second = await offering.offer(tx, ana, made, draft)
    there = await offer_at(lakeside, second.uri, OfferState.WAITING)
    lakeside.clock.turn(minutes=2)
    async with lakeside.instance.transaction() as tx:
        begun = await offering.take(tx, lakeside.admin, there.id)
    async with lakeside.instance.transaction() as tx:
        await publishing.publish(tx, lakeside.admin, begun.id, "What the delay costs.")
    await offer_at(riverton, second.uri, OfferState.TAKEN)
    revised = unpack((await practice_at(riverton, source.uri, version=2)).record)
    assert revised.problem.endswith("Each cost a week.")
    assert [credit.uri for credit in revised.credits] == [ana.uri]
    await shows(riverton, made.uri, "The original has changed since, in The problem")


async def a_warning_follows(
    lakeside: Agency, riverton: Agency, harbor: Agency, ana: Member, posts: tuple[Post, Post]
) -> None:
    """A withdrawal stands on the adaptation, where the original is not held too; then no more."""
    source, made = posts
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
    held = await practice_at(riverton, source.uri, version=2)
    assert held.evidence == 2


async def the_forum_of_another_agency_withdraws(
    riverton: Agency, lakeside: Agency, ana: Member, forum: Forum
) -> None:
    """Riverton's practice in Lakeside's forum: Lakeside's word, told and repeated at Riverton."""
    copy = await riverton.forum(forum.uri)
    assert copy is not None
    hers = await published(riverton.instance, ana, copy)
    post = await lakeside.sees(hers.uri)
    words = "The builders were never asked."
    said = "Withdrawn by the stewards of Permits"
    lakeside.clock.turn(minutes=2)
    riverton.clock.turn(minutes=2)
    async with lakeside.instance.transaction() as tx:
        await warning.withdraw(tx, lakeside.admin, post, words)
    for agency in (lakeside, riverton):
        text = await shows(agency, hers.uri, said, f"It was withdrawn: {words}")
        assert "The stewards of its forum have to take that back." in text
    told = await riverton.page("/notifications", ana)
    assert "withdrew, as a steward, your practice" in told.text
    async with riverton.instance.reading() as session:
        verbs = await session.execute(select(AuditEntry).where(AuditEntry.subject == hers.uri))
        [line] = verbs.scalars()
    assert (line.verb, line.actor, line.detail) == (
        "practice.withdrawn", lakeside.admin.uri, words,
    )  # fmt: skip
    # Its own document says so as well, for those who hold only what was made of it.
    again = await lakeside.sees(hers.uri, revision=1)
    assert f"{said} (" in again.source
    refused = await riverton.page(f"/p/{hers.id}/notice", ana)
    assert "Only those who look after that forum can take this back" in refused.text

    lakeside.clock.turn(minutes=2)
    riverton.clock.turn(minutes=2)
    async with lakeside.instance.transaction() as tx:
        await warning.lift(tx, lakeside.admin, post)
    for agency in (lakeside, riverton):
        await shows(agency, hers.uri, without="It was withdrawn")
    assert said not in (await lakeside.sees(hers.uri, revision=2)).source

    riverton.clock.turn(minutes=2)
    # In a forum elsewhere, who looks after a site withdraws what its own people published.
    async with riverton.instance.transaction() as tx:
        await warning.withdraw(tx, riverton.admin, hers, "We measured it wrongly.")
    await shows(lakeside, hers.uri, "It was withdrawn: We measured it wrongly.")
