# SPDX-License-Identifier: Apache-2.0
"""A home keeps older words than ours of a post, and says nothing of it."""

from datetime import timedelta

from server.posts import editing
from server.posts.drafts import EditDraft
from storage.forums import Forum
from storage.members import Member
from storage.posts import Draft, Post
from tests import makers
from tests.hostile.commons import Commons, doing
from tests.hostile.copy import announce
from tests.hostile.digest_home import DAY, Home, checked, known, line
from tests.hostile.peer import Json, Page, ScriptedPeer


async def edit(gh: Commons, post: Post, words: str) -> None:
    async with gh.instance.transaction() as tx:
        author = await tx.session.get_one(Member, post.author_id)
        await editing.edit(tx, author, post, EditDraft("", words))
    await gh.settled()


async def test_what_the_home_keeps_is_put_back_once_nothing_is_on_its_way(
    gh: Commons, vic: ScriptedPeer, home: Home, copy: Forum
) -> None:
    opener = await makers.thread(gh.instance, gh.admin, copy, "Permits")
    said = await makers.reply(gh.instance, gh.admin, opener, "In days.")
    await gh.settled()
    sent: dict[str, Json] = {one["object"]["id"]: one for one in vic.delivered[-2:]}
    for number, activity in enumerate(sent.values()):
        assert await announce(gh, vic, home.forum, activity, number) == "applied"

    async def words() -> str:
        held = await gh.held(said.uri)
        assert held is not None
        return held.source

    async def look() -> str:
        # Every hour as well, so that it is none of these looks that finds it.
        assert (await checked(gh, copy)).compare_error == ""
        return await words()

    home.lists(line(opener.uri), line(said.uri), day=DAY)
    home.passes_on(opener.uri, sent[opener.uri]["object"])
    home.passes_on(said.uri, sent[said.uri]["object"])
    assert await look() == "In days."
    vic.inbox_answer = lambda _: Page(status=422)
    await edit(gh, said, "In hours.")
    # It may stand in a queue there.
    assert await look() == "In hours."
    assert await known(gh) == {}
    # What the home passes on without its author's proof is nobody's word.
    gh.clock.turn(hours=2)
    forged = sent[said.uri]["object"] | {"content": "<p>Never.</p>", "source": None}
    home.passes_on(said.uri, forged)
    assert await look() == "In hours."
    home.passes_on(said.uri, sent[said.uri]["object"])
    home.lists(line(opener.uri), line(said.uri, endorsers="0" * 64), day=DAY)
    assert await look() == "In days."
    async with gh.instance.reading() as session:
        kept = await session.get_one(Draft, (gh.admin.id, f"edit:{said.id}"))
    assert kept.source == "In hours."
    # Another edit waits for a home that is down, for however long that is.
    vic.inbox_answer = lambda _: Page(status=503)
    await edit(gh, said, "In minutes.")
    gh.clock.turn(hours=3)
    assert await look() == "In minutes."
    # An edit that it has refused before the last one says nothing of that.
    refusal = doing("Reject", home.forum, f"{gh.admin.uri}#update-{said.id}-1", 9)
    assert (await gh.sent(vic, refusal)).state == "applied"
    held = await gh.held(said.uri)
    assert held is not None
    assert (held.source, held.reason) == ("In minutes.", "")
    assert held.updated == gh.clock.now() - timedelta(hours=3)
