# SPDX-License-Identifier: Apache-2.0
"""The server under test, seen from outside and counted inside."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Any

import httpx
import orjson
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased
from starlette.applications import Starlette

from federation.lookup import WireLookup
from federation.station import Station
from federation.urls import Urls
from server import peers
from server.instance import Instance
from server.members.accounts import add_keys
from server.peers import RuleDraft
from server.posts import writing
from server.posts.drafts import ThreadDraft
from server.settings import Settings
from storage import lanes, posts
from storage.base import Base, UtcDateTime
from storage.facts import FactRow
from storage.forums import Forum, Visibility
from storage.inbox import InboxRow, InboxState
from storage.log import ActivityBody, Form, Lane, LogRow, Parked
from storage.members import Member
from storage.peers import Peer
from storage.plain import Question, ask, given
from storage.posts import Post
from tests import makers
from tests.clock import TurnableClock
from tests.federation.wire_schema import must_be_sent_so
from tests.hostile.peer import ACTIVITY, PUBLIC, Json, ScriptedPeer
from tests.hostile.serving import serving
from web.app import create_app
from web.connections import Connection

HOST = "gh.localhost"
ORIGIN = f"http://{HOST}"
INBOX = f"{ORIGIN}/inbox"
SECONDS = 60.0
# One statement, since a test asks several times how much every table holds.
_COUNTING = select(
    *(
        select(func.count()).select_from(table).scalar_subquery().label(table.name)
        for table in Base.metadata.sorted_tables
    )
)


def _left() -> dict[str, Question[object]]:
    now = given("now", UtcDateTime())
    first = aliased(Parked)
    same = (first.lane_id == Parked.lane_id) & (first.order_key == Parked.order_key)
    is_first = Parked.seq == select(func.min(first.seq)).where(same).scalar_subquery()
    waiting = InboxRow.state == InboxState.WAITING
    # What was set aside waits with its peer where that is down, or held back.
    is_up = or_(Peer.next_try.is_(None), Peer.next_try <= now) & Peer.paused.is_(None)
    parked = (
        select(Parked.seq)
        .join(Lane, Lane.id == Parked.lane_id)
        .outerjoin(Peer, Peer.host == Lane.peer)
        .where(Parked.next_try <= now, is_first, is_up)
    )
    statements: dict[str, Select[Any]] = {
        "received": select(InboxRow.activity_id).where(waiting, InboxRow.next_try <= now),
        "untold": select(FactRow.kind).where(FactRow.done.is_(None), FactRow.next_try <= now),
        "parked": parked,
    }
    return {kind: Question(statement, str) for kind, statement in statements.items()}


# By kind, what is due and not done yet.
_LEFT = _left()


class Commons:
    """Our server with one admin, one public forum and one thread in it."""

    def __init__(self, app: Starlette, instance: Instance, clock: TurnableClock) -> None:
        self.app = app
        self.instance = instance
        self.clock = clock
        self.client: httpx.AsyncClient
        self.port: int
        self.admin: Member
        self.forum: Forum
        self.thread: Post

    @property
    def station(self) -> Station:
        station: Station = self.app.state.wire
        return station

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        instance: Instance,
        clock: TurnableClock,
        change: Callable[[Station], None] = lambda _: None,
    ) -> AsyncIterator["Commons"]:
        """Serve the instance while the block runs; `change` may replace its door before.

        An instance with nobody in it is founded first.
        """
        async with instance.reading() as session:
            if not (await session.execute(select(Member.id).limit(1))).all():
                await cls._found(instance)
        app = create_app(instance)
        # A page waits three seconds, which is a measure of the machine.
        app.state.lookup = WireLookup(app.state.wire, SECONDS)
        # How long is waited between two requests is asserted by counting, not by waiting.
        app.state.wire.repair.pace.every = 0.0
        change(app.state.wire)
        commons = cls(app, instance, clock)
        async with instance.reading() as session:
            commons.admin = (await session.execute(select(Member))).scalar_one()
            commons.forum = (await session.execute(select(Forum))).scalar_one()
            commons.thread = (await session.execute(select(Post))).scalar_one()
        clock.turn(minutes=2)
        async with serving(app, lifespan=True, http=Connection) as port:
            commons.port = port
            commons.client = httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}",
                headers={"Host": HOST},
                timeout=SECONDS,
                # Nothing here is https, and reading the list of authorities is slow.
                verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            )
            async with commons.client:
                yield commons
                await commons.must_have_sent_what_all_can_read()

    @staticmethod
    async def _found(instance: Instance) -> None:
        keys = await asyncio.to_thread(makers.keys, instance.vault)
        async with instance.transaction() as tx:
            add_keys(tx, Urls(instance.settings.origin).instance, keys)
        admin = await makers.member(instance, "sam", name="Sam Hale", admin=True)
        forum = await makers.forum(instance, admin)
        async with instance.transaction() as tx:
            draft = ThreadDraft("Opening hours", "When are you open?")
            await writing.post_thread(tx, admin, forum, draft)

    @classmethod
    async def found(cls, settings: Settings, listed: Collection[str]) -> None:
        """Make in an empty database what every test begins with, and have it told."""
        clock = TurnableClock()
        instance = await Instance.open(settings, clock=clock)
        async with cls.open(instance, clock) as commons:
            await commons.allow(*listed)
            await commons.settled()
        await instance.close()

    async def must_have_sent_what_all_can_read(self) -> None:
        """Whatever a test made us send satisfies the strictest reader."""
        for form, body in await self.log():
            must_be_sent_so(form, body, ORIGIN)

    async def log(self) -> list[tuple[str, Json]]:
        """Everything that was told so far and still has its words: the form, and the activity."""
        question = select(LogRow.form, ActivityBody.body).join(
            ActivityBody, ActivityBody.id == LogRow.body_id
        )
        async with self.instance.reading() as session:
            rows = (await session.execute(question)).all()
        return [(form, orjson.loads(body)) for form, body in rows if body is not None]

    async def allow(self, *hosts: str) -> None:
        async with self.instance.transaction() as tx:
            for host in hosts:
                await peers.add_rule(tx, self.admin, RuleDraft(host))

    async def is_guildhall(self, *hosts: str) -> None:
        """Have peers known as running Guildhall already."""
        async with self.instance.transaction() as tx:
            for host in hosts:
                peer = await peers.seen(tx, host, f"http://{host}")
                peer.software, peer.described = peers.GUILDHALL, tx.now

    async def narrow(self, visibility: Visibility) -> None:
        """Let fewer read the forum, as nobody but its database can."""
        async with self.instance.transaction() as tx:
            forum = await tx.session.get_one(Forum, self.forum.id)
            forum.visibility = visibility

    async def post(
        self, body: bytes, headers: Mapping[str, str], path: str = "/inbox"
    ) -> httpx.Response:
        """Deliver bytes under headers, whatever they say."""
        plain = {"Content-Type": ACTIVITY}
        return await self.client.post(path, content=body, headers={**plain, **headers})

    async def deliver(self, peer: ScriptedPeer, document: Json, **how: Any) -> httpx.Response:
        """Deliver an activity honestly signed by its actor."""
        body = orjson.dumps(document)
        how.setdefault("key_id", f"{document.get('actor')}#main-key")
        return await self.post(body, peer.sign(INBOX, body, self.clock.now(), **how))

    async def sent(self, peer: ScriptedPeer, document: Json) -> InboxRow:
        """Deliver, wait until it was worked on, and answer what became of it."""
        answer = await self.deliver(peer, document)
        assert answer.status_code == 202, answer.text
        await self.settled()
        return await self.row(str(document["id"]))

    async def get(
        self,
        path: str,
        peer: ScriptedPeer | None = None,
        *,
        key_id: str = "",
        accept: str = ACTIVITY,
    ) -> httpx.Response:
        """Ask for an address as ActivityPub, signed where a peer is given."""
        headers = {"Accept": accept}
        if peer is not None:
            url = f"{ORIGIN}{path}"
            headers |= peer.sign(url, None, self.clock.now(), method="GET", key_id=key_id)
        return await self.client.get(path, headers=headers)

    async def settled(self) -> None:
        """Wait until nothing that is due is left to do."""
        end = time.monotonic() + SECONDS
        self.instance.wake()
        pause = 0.01
        while busy := await self._busy():
            assert time.monotonic() < end, busy
            await asyncio.sleep(pause)
            # The worker gathers what it does for a tenth of a second.
            pause = min(0.05, pause * 2)

    async def _busy(self) -> str:
        """What is left to do, the first kind of it that is found."""
        now = self.instance.clock.now()
        async with self.instance.reading() as session:
            for kind, question in _LEFT.items():
                if left := await ask(session, question, now=now):
                    return f"{kind}: {left[:5]}"
            unsent = await lanes.waiting(session, self.station.delivery.owner, now)
        if unsent:
            return f"unsent: {len(unsent)}"
        # What an activity leads to, as documents asked for, may come after its commit.
        return " ".join(self.station.receiver.in_hand)

    async def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        async with self.instance.reading() as session:
            counted = (await session.execute(_COUNTING)).one()
        return dict(counted._mapping)

    async def held(self, uri: str) -> Post | None:
        async with self.instance.reading() as session:
            return await posts.by_uri(session, uri)

    async def row(self, activity_id: str) -> InboxRow:
        """What became of a received activity."""
        async with self.instance.reading() as session:
            question = select(InboxRow).where(InboxRow.activity_id == activity_id)
            return (await session.execute(question)).scalars().one()

    async def announced(self) -> list[str]:
        """The kinds of what the forum announced, in order."""
        question = (
            select(ActivityBody.body)
            .join(LogRow, LogRow.body_id == ActivityBody.id)
            .where(LogRow.form == Form.WRAPPED)
            .order_by(LogRow.seq)
        )
        async with self.instance.reading() as session:
            bodies = (await session.execute(question)).scalars().all()
        return [orjson.loads(body)["object"]["type"] if body else "" for body in bodies]

    async def endorsements(self, post: Post) -> int:
        found = await self.held(post.uri)
        assert found is not None
        return found.endorsement_count

    async def page(self, path: str) -> str:
        """What anybody reads there."""
        answer = await self.client.get(path, headers={"Accept": "text/html"})
        return answer.text


def like(actor: str, post: str, number: int = 1, **changes: Any) -> Json:
    """Like of a post."""
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{actor}#like-{number}",
        "type": "Like",
        "actor": actor,
        "object": post,
    } | changes


def note(uri: str, author: str, forum: str, **changes: Any) -> Json:
    """A Note in a forum; a reply where `inReplyTo` is given."""
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": uri,
        "type": "Note",
        "attributedTo": author,
        "to": [PUBLIC, forum],
        "cc": [],
        "audience": forum,
        "content": "<p>From nine to five.</p>",
        "published": "2026-11-23T09:00:00Z",
    } | changes


def doing(kind: str, actor: str, thing: object, number: object = 1, **changes: Any) -> Json:
    """Any activity."""
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{actor}#{kind.lower()}-{number}",
        "type": kind,
        "actor": actor,
        "object": thing,
        "to": [PUBLIC],
        "cc": [],
    } | changes
