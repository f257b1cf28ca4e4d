# SPDX-License-Identifier: Apache-2.0
"""What the two of a pair are told, and what they may take back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server import letters
from server.errors import Gone, Invalid, NotAllowed, NotFound
from server.mentoring import (
    agreements,
    drafts,
    entries,
    meeting,
    tending,
)
from storage.letters import Letter
from tests.clock import TurnableClock
from tests.server.mentoring.office import Office, told


async def test_what_one_wrote_is_changed_or_taken_back_by_oneself(office: Office) -> None:
    pairing = await office.paired()
    async with office.instance.transaction() as tx:
        await letters.choose(tx, office.tom, [letters.About.EVENTS])
    wrote = [
        await office.write(office.ana, pairing, kind="message", text=f"Word {n}") for n in range(3)
    ]
    named, better = (pairing.id, wrote[0].id), drafts.read({"kind": "message", "text": "Better"})
    async with office.instance.transaction() as tx:
        with pytest.raises(NotAllowed, match="Only whoever wrote"):
            await entries.change(tx, office.tom, named, better, after=0)
        with pytest.raises(NotFound):
            await entries.remove(tx, office.dee, *named)
        await entries.change(tx, office.ana, named, better, after=0)
        with pytest.raises(Invalid, match="changed meanwhile"):
            await entries.change(tx, office.ana, named, better, after=0)
        await entries.remove(tx, office.ana, pairing.id, wrote[1].id)
        with pytest.raises(Gone):
            await entries.remove(tx, office.ana, pairing.id, wrote[1].id)
    async with office.instance.reading() as session:
        page = await meeting.page(session, office.tom, pairing.id)
        assert [one.source for one in page.messages] == ["Better", "", "Word 2"]
        assert [one.is_gone for one in page.messages] == [False, True, False]
        assert page.messages[0].changed is not None
        with pytest.raises(NotFound):
            await meeting.entry_page(session, office.tom, *named)
        sent = (await session.execute(select(Letter.text))).scalars().all()
    # Three messages that nobody read are one notice; Tom wants no letters about it.
    assert await told(office, office.tom) == ["asked", "message"]
    assert [one for one in sent if "Ana Ruiz wrote to you" in one] == []


async def test_two_who_propose_at_once_lose_nothing(office: Office) -> None:
    pairing = await office.paired()
    one, two = (agreements.read({"goals": goals, "confidentiality": "open"}) for goals in "ab")
    async with office.instance.transaction() as tx:
        await agreements.propose(tx, office.ana, pairing.id, one, after=0)
        with pytest.raises(Invalid, match="while you wrote"):
            await agreements.propose(tx, office.tom, pairing.id, two, after=0)
        await agreements.propose(tx, office.tom, pairing.id, two, after=1)
    assert (await told(office, office.ana))[-1] == "terms"


async def test_both_are_asked_how_a_session_went_once(office: Office, clock: TurnableClock) -> None:
    pairing = await office.paired()
    starts = clock.now() + timedelta(hours=1)
    said: dict[str, Any] = {
        "kind": "session",
        "title": "First look",
        "starts": starts,
        "minutes": 45,
    }
    await office.write(office.tom, pairing, **said)
    for hours, times in ((1, 0), (4, 1), (1, 1)):
        clock.turn(hours=hours)
        await tending.tend(office.instance)
        for one in (office.ana, office.tom):
            assert (await told(office, one)).count("feedback_due") == times
