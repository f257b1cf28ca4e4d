# SPDX-License-Identifier: Apache-2.0
"""One received activity on its way through the handlers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from federation.actors import Actors
from federation.errors import BadAnswer, WireError
from federation.urls import host_of_uri
from federation.verification import Verifier
from federation.vocabulary.errors import Malformed
from federation.vocabulary.posts import Post as WirePost
from federation.vocabulary.posts import parse_post
from federation.wire import Wire
from server.transaction import Transaction
from storage.forums import Forum
from storage.inbox import InboxRow, InboxState
from storage.log import ActivityBody


class Ignored(WireError):
    """This means nothing to us."""

    permanent = True


@dataclass
class Incoming:
    """What a handler works with; `row` is None for what we fetched ourselves (backfill).

    `forum` and `member` are ids, set once known, so that a refusal can be answered; `copy` is
    the id of the forum elsewhere whose home tells this. `received` is when the row came.
    """

    wire: Wire
    actors: Actors
    verifier: Verifier
    raw: str = ""
    key_id: str = ""
    row: int | None = None
    received: datetime | None = None
    settles: bool = True
    is_settled: bool = False
    forum: int | None = None
    member: int | None = None
    copy: int | None = None

    @property
    def origin(self) -> str:
        return self.wire.urls.origin

    @asynccontextmanager
    async def deed(self, subject: str | None = None) -> AsyncIterator[Transaction]:
        """A transaction that also settles the row; with `subject` the bytes are kept to pass on."""
        async with self.wire.instance.transaction() as tx:
            if subject is not None:
                body = ActivityBody(id=tx.ids.next(), body=self.raw, subject=subject)
                tx.session.add(body)
                await tx.session.flush()
                tx.received = body.id
            yield tx
            if self.copy is not None:
                # What its home tells is as good as having asked.
                (await tx.session.get_one(Forum, self.copy)).checked = tx.now
            if tx.received is not None and not tx.facts:
                # Nothing came of it: there is nothing to pass on.
                await tx.session.delete(await tx.session.get_one(ActivityBody, tx.received))
            if self.row is not None and self.settles:
                await settle(tx, self.row, InboxState.APPLIED, "")
        self.is_settled = self.is_settled or self.settles

    async def is_allowed(self, uri: str) -> bool:
        """Whether policy lets in what the host of `uri` writes."""
        return (await self.wire.judge(host_of_uri(uri))).allowed

    async def fetch_post(self, uri: str) -> WirePost:
        """A post from its own origin, which is who may say what it is."""
        document = await self.wire.document(uri)
        try:
            return parse_post(document.data)
        except Malformed as error:
            raise BadAnswer(str(error)) from error


async def settle(tx: Transaction, row_id: int, state: InboxState, note: str) -> None:
    """The row is done with: its body goes, the row stays to recognise repeats."""
    values = {"state": state, "note": note[:500], "body": None}
    await tx.session.execute(
        update(InboxRow).where(InboxRow.id == row_id).values(values),
        execution_options={"synchronize_session": False},
    )
