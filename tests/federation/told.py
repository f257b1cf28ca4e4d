# SPDX-License-Identifier: Apache-2.0
"""What the log says was told, and people on servers of every kind."""

from collections.abc import AsyncIterator

import orjson
import pytest
from sqlalchemy import select

from federation.outbox.tell import tell_waiting
from federation.station import Station
from server import peers
from server.instance import Instance
from server.peers import RuleDraft
from storage.facts import FactRow
from storage.log import ActivityBody, Form, LogRow
from storage.members import Member
from tests import makers
from tests.federation.wire_schema import Json


@pytest.fixture
async def station(instance: Instance) -> AsyncIterator[Station]:
    """The federation side, with nobody listening anywhere."""
    opened = Station(instance)
    yield opened
    await opened.close()


async def told(station: Station) -> list[tuple[str, Json]]:
    """Tell every fact; answers (form, body) of the whole log, in order."""
    while await tell_waiting(station):
        pass
    async with station.instance.reading() as session:
        failed = select(FactRow.error).where(FactRow.error != "")
        assert (await session.execute(failed)).scalars().all() == []
        question = (
            select(LogRow.form, ActivityBody.body)
            .join(ActivityBody, ActivityBody.id == LogRow.body_id)
            .order_by(LogRow.seq)
        )
        rows = (await session.execute(question)).all()
    return [(form, orjson.loads(body)) for form, body in rows if body is not None]


SOFTWARE = ("guildhall", "lemmy", "nodebb", "mastodon", "discourse", "")


async def people_everywhere(instance: Instance) -> list[Member]:
    """A person on a server of every kind."""
    found = []
    for name in SOFTWARE:
        host = f"{name or 'odd'}.localhost"
        found.append(await makers.person_elsewhere(instance, "marek", peer=host))
        async with instance.transaction() as tx:
            peer = await peers.seen(tx, host, f"http://{host}")
            peer.software = name
            await peers.add_rule(tx, None, RuleDraft(host))
    return found


def summed_up(form: str, body: Json) -> str:
    """`wrapped Update{Article}`: the form, and what was done to what."""
    inner = body["object"] if form in {Form.WRAPPED, Form.ARTICLE} else body
    thing = inner["object"]
    of = thing["type"] if isinstance(thing, dict) else "id"
    return f"{form} {inner['type']}{{{of}}}"
