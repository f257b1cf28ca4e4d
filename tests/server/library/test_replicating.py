# SPDX-License-Identifier: Apache-2.0
"""Reports of other agencies: who sees them, and for whom they count."""

import pytest

from server.errors import NotAllowed
from server.library import replicating
from server.posts import pages, writing
from server.posts.drafts import ThreadDraft
from server.practices import reporting
from server.practices.record import unpack
from server.practices.standing import standing_of
from server.viewers import VISITOR, Viewer
from storage.forums import Forum, Visibility
from storage.posts import Kind, Post
from storage.practices import Practice
from tests import makers
from tests.server.library.bench import published
from tests.server.town import Town, row

OUTCOME = {
    "indicator": "Days from filing to permit",
    "unit": "days",
    "direction": "down",
    "baseline": {"value": 21},
    "actual": {"value": 12.6},
}


async def reported(town: Town, forum: Forum, practice: Post) -> Post:
    """A report by somebody of another agency, as it came to a forum."""
    said = reporting.parse({"v": 1, "of": practice.uri, "outcomes": [OUTCOME]})
    marek = await makers.person_elsewhere(town.instance, "marek", peer="lakeside.example.gov")
    async with town.instance.transaction() as tx:
        draft = ThreadDraft("Replication", reporting.markdown(said), kind=Kind.REPLICATION)
        post = await writing.apply_thread(tx, marek, forum, draft)
        await replicating.apply(tx, post, said)
    return post


async def test_a_report_in_a_closed_forum_tells_readers_of_an_open_one_nothing(
    town: Town,
) -> None:
    practice = await published(town.instance, town.ana, town.forum)
    inside = await makers.forum(town.instance, town.sam, "inside", visibility=Visibility.INSTANCE)
    hidden = await reported(town, inside, practice)
    held = await row(town.instance, Practice, practice.id)
    originals = unpack(held.record).outcomes
    assert "other agency" not in " ".join(standing_of(held).because)
    async with town.instance.reading() as session:
        assert await replicating.sites_of(session, VISITOR, practice.uri, originals) == ()
        [seen] = await replicating.sites_of(
            session, Viewer(member=town.ana), practice.uri, originals
        )
    assert seen.post.id == hidden.id


async def test_an_agency_does_not_replicate_its_own_practice(town: Town) -> None:
    practice = await published(town.instance, town.ana, town.forum)
    said = reporting.parse({"v": 1, "of": practice.uri, "outcomes": [OUTCOME]})
    with pytest.raises(NotAllowed, match="new version"):
        async with town.instance.transaction() as tx:
            await replicating.report(tx, town.dee, practice, said)


async def test_a_report_is_offered_to_be_deleted_and_not_to_be_edited(town: Town) -> None:
    async with town.instance.transaction() as tx:
        draft = ThreadDraft("What came of it here", "12.6 days", kind=Kind.REPLICATION)
        post = await writing.apply_thread(tx, town.ana, town.forum, draft)
    async with town.instance.reading() as session:
        page = await pages.thread_page(
            session, Viewer(member=town.ana), post.id, town.instance.clock.now()
        )
    assert page.opener.may_delete
    assert not page.opener.may_edit
