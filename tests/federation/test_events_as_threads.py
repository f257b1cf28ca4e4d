# SPDX-License-Identifier: Apache-2.0
"""Events for software that shows none."""

from federation.askers import Asker
from federation.documents import Documents
from federation.station import Station
from server.calendar import writing
from server.forums import follows
from server.instance import Instance
from storage.log import Form
from storage.members import Member
from tests import makers
from tests.federation import told as telling
from tests.federation.told import SOFTWARE, people_everywhere, summed_up, told
from tests.federation.wire_schema import must_be_sent_so
from tests.server.calendar.bench import announced

station = telling.station


async def test_an_event_is_told_as_a_thread_where_no_events_are_shown(
    instance: Instance, admin: Member, station: Station
) -> None:
    forum = await makers.forum(instance, admin)
    people = await people_everywhere(instance)
    async with instance.transaction() as tx:
        for person in people:
            await follows.accept_follower(tx, person, forum, f"{person.uri}#follow-1")
    await told(station)
    post = await announced(instance, admin, forum, place="<Rathaus>", hidden="")
    async with instance.transaction() as tx:
        await writing.amend(tx, admin, post, status="cancelled")
    sent = [one for one in await told(station) if one[0] != Form.DIRECT]
    assert [summed_up(form, body) for form, body in sent] == [
        "wrapped Create{Event}", "boost Announce{id}", "article Create{Article}",
        "wrapped Update{Event}", "author Update{Event}", "article Update{Article}",
        "author-article Update{Article}",
    ]  # fmt: skip
    for form, body in sent:
        must_be_sent_so(form, body)
    changed = dict(sent)[Form.AUTHOR_ARTICLE]["object"]
    assert changed["id"] == post.uri
    assert changed["content"].startswith("<p><strong>Cancelled: Thursday 3 December 2026")
    assert "&lt;Rathaus&gt;" in changed["content"]
    assert "startTime" not in changed
    # Each server is shown what it was told.
    for name in (*SOFTWARE, None):
        host = None if name is None else f"{name or 'odd'}.localhost"
        async with instance.reading() as session:
            documents = Documents(station, session, Asker(host, True, False))
            status, shown = await documents.post(post.id)
        as_thread = name in {"nodebb", "discourse"}
        assert (status, shown["type"]) == (200, "Article" if as_thread else "Event"), name
        assert as_thread == ("gh:event" not in shown)
