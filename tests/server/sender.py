# SPDX-License-Identifier: Apache-2.0
"""A log with lanes to other agencies, written row by row."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from server import peers, traffic
from server.instance import Instance
from server.traffic import PeerPage
from storage import log
from storage.inbox import InboxRow, InboxState
from storage.log import ActivityBody, Entry, Form, Lane, Parked
from tests import makers

HOST = makers.LAKESIDE
FORUM = "http://riverton.localhost:8000/f/counters"
OTHER = "harbor.example.gov"


@dataclass
class Sender:
    """Riverton's log, and the lanes it is sent over."""

    instance: Instance

    async def lane(self, inbox: str = f"http://{HOST}/inbox", host: str = HOST) -> int:
        """A lane that follows the forum from now on."""
        async with self.instance.transaction() as tx:
            await peers.seen(tx, host, f"http://{host}")
            lane = await log.lane_to(tx.session, inbox, host, tx.ids.next(), tx.now)
            await log.subscribe(tx.session, FORUM, lane, tx.ids.next())
            return lane.id

    async def write(
        self,
        number: int,
        *,
        to: tuple[int, ...] = (),
        form: Form = Form.WRAPPED,
        body: str | None = '{"type":"Announce","object":{"type":"Create"}}',
        subject: str = "",
        follows: bool = False,
    ) -> int:
        """One row of the log; `to` names the lanes of a direct one."""
        async with self.instance.transaction() as tx:
            about = subject or f"{FORUM}/{number}"
            row = ActivityBody(id=tx.ids.next(), body=body, subject=about)
            tx.session.add(row)
            await tx.session.flush()
            entry = Entry(
                form=form,
                activity_id=f"{FORUM}#a-{number}",
                signer=FORUM,
                order_key=about,
                audience=FORUM,
                subject=about,
                follows_subject=follows,
            )
            seq = await log.append(tx.session, entry, row.id, tx.now, to)
            assert seq is not None
            return seq

    async def park(self, lane: int, seq: int, error: str, key: str = "thread") -> None:
        async with self.instance.transaction() as tx:
            tx.session.add(
                Parked(
                    lane_id=lane,
                    seq=seq,
                    order_key=key,
                    attempts=2,
                    next_try=tx.now + timedelta(hours=1),
                    error=error,
                )
            )

    async def leave(self, audience: str, lane: int) -> None:
        async with self.instance.transaction() as tx:
            row = await tx.session.get_one(Lane, lane)
            await log.unsubscribe(tx.session, audience, row)

    async def move(self, lane: int, **values: Any) -> None:
        async with self.instance.transaction() as tx:
            row = await tx.session.get_one(Lane, lane)
            for name, value in values.items():
                setattr(row, name, value)

    async def page(self, host: str = HOST) -> PeerPage:
        async with self.instance.reading() as session:
            return await traffic.peer_page(session, host, self.instance.clock.now())

    async def receive(self, signer: str, number: int, state: str = InboxState.WAITING) -> None:
        async with self.instance.transaction() as tx:
            tx.session.add(
                InboxRow(
                    id=tx.ids.next(),
                    signer=signer,
                    activity_id=f"{signer}#like-{number}",
                    kind="Like",
                    key_id=f"{signer}#main-key",
                    request_digest="",
                    body="{}",
                    received=tx.now,
                    state=state,
                    next_try=tx.now,
                )
            )
