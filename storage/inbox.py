# SPDX-License-Identifier: Apache-2.0
"""Activities received, durable before anybody is told 202."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Index,
    Integer,
    UniqueConstraint,
    and_,
    bindparam,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Url, UtcDateTime, Word, in_batches
from storage.plain import Question, ask, given, whole


class InboxState(StrEnum):
    """How far a received activity has come."""

    WAITING = "waiting"
    APPLIED = "applied"
    IGNORED = "ignored"
    REFUSED = "refused"


class InboxRow(Base):
    """One received activity; `signer` is the verified actor, `body` its own bytes.

    The body goes once the row is settled; the row stays, so that a repeat is known.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("signer", "activity_id", name="ux_inbox_signer_activity"),
        Index("ix_inbox_waiting", "state", "next_try", "id"),
    )

    id: Mapped[Key]
    signer: Mapped[Url]
    activity_id: Mapped[Url]
    kind: Mapped[Word]
    key_id: Mapped[Url]
    request_digest: Mapped[str] = mapped_column(Characters(64))
    body: Mapped[str | None]
    received: Mapped[datetime]
    state: Mapped[Word] = mapped_column(default=InboxState.WAITING)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_try: Mapped[datetime]
    note: Mapped[str] = mapped_column(Characters(500), default="")


async def by_activity(session: AsyncSession, signer: str, activity_id: str) -> InboxRow | None:
    """The row of an activity from this signer, if it was received before."""
    question = select(InboxRow).where(
        InboxRow.signer == signer, InboxRow.activity_id == activity_id
    )
    return (await session.execute(question)).scalar_one_or_none()


_KIND = select(InboxRow.kind).where(
    InboxRow.signer == bindparam("signer"), InboxRow.activity_id == bindparam("activity_id")
)


async def kind_of(session: AsyncSession, signer: str, activity_id: str) -> str | None:
    """Of what kind the activity from this signer was, if it was received before."""
    given = {"signer": signer, "activity_id": activity_id}
    return (await session.execute(_KIND, given)).scalar_one_or_none()


def of_origin(session: AsyncSession, origin: str) -> ColumnElement[bool]:
    """The condition for what actors of an origin sent."""
    signer: ColumnElement[str] = InboxRow.signer  # type: ignore[assignment]
    if session.get_bind().dialect.name == "postgresql":
        # Other collations pass over the punctuation that ends a host.
        signer = signer.collate("C")
    # "0" follows "/": the range holds every address below the origin, and no other.
    return and_(signer >= f"{origin}/", signer < f"{origin}0")


def of_host(session: AsyncSession, host: str) -> ColumnElement[bool]:
    """The condition for what actors of a host (`host[:port]`) sent, whatever the scheme."""
    return or_(*(of_origin(session, f"{scheme}://{host}") for scheme in ("https", "http")))


_DUE: Question[InboxRow] = Question(
    select(InboxRow)
    .where(
        InboxRow.state == InboxState.WAITING,
        InboxRow.next_try <= given("now", UtcDateTime()),
    )
    .order_by(InboxRow.id)
    .limit(given("limit", Integer())),
    whole,
)


async def due(
    session: AsyncSession, now: datetime, limit: int, but_of: Collection[str] = ()
) -> list[InboxRow]:
    """The oldest rows whose time has come, those of the hosts in `but_of` left out."""
    if not but_of:
        return await ask(session, _DUE, now=now, limit=limit)
    question = (
        select(InboxRow)
        .where(
            InboxRow.state == InboxState.WAITING,
            InboxRow.next_try <= now,
            *(not_(of_host(session, host)) for host in but_of),
        )
        .order_by(InboxRow.id)
        .limit(limit)
    )
    return list((await session.execute(question)).scalars())


async def try_again(
    session: AsyncSession, host: str, rows: Collection[int], moment: datetime
) -> bool:
    """Have what a host sent, and `rows`, tried at `moment` where it was to be later; if any was."""
    question = (
        update(InboxRow)
        .where(
            InboxRow.state == InboxState.WAITING,
            InboxRow.next_try > moment,
            or_(of_host(session, host), InboxRow.id.in_(rows)),
        )
        .values(next_try=moment)
        .returning(InboxRow.id)
    )
    return bool((await session.execute(question)).all())


async def not_yet_due(
    session: AsyncSession, host: str, before: int, now: datetime, limit: int = 1_000
) -> list[InboxRow]:
    """What a host sent before the row `before`, and what is to be tried again only after `now`."""
    question = (
        select(InboxRow)
        .where(
            InboxRow.state == InboxState.WAITING,
            InboxRow.next_try > now,
            InboxRow.id < before,
            of_host(session, host),
        )
        .order_by(InboxRow.id)
        .limit(limit)
    )
    return list((await session.execute(question)).scalars())


async def postponed(
    session: AsyncSession, uri: str, now: datetime, after: int, limit: int
) -> list[tuple[int, str]]:
    """Rows behind `after` that are tried again only after `now` and name an id, with their bytes.

    They are found by their state, of which little is ever held, and then by their words.
    """
    # Some software escapes what JSON has no need to.
    written = (uri, uri.replace("/", "\\/"))
    question = (
        select(InboxRow.id, InboxRow.body)
        .where(
            InboxRow.state == InboxState.WAITING,
            InboxRow.next_try > now,
            InboxRow.id > after,
            or_(*(InboxRow.body.contains(one, autoescape=True) for one in written)),
        )
        .order_by(InboxRow.id)
        .limit(limit)
    )
    rows = (await session.execute(question)).all()
    return [(row[0], row[1] or "") for row in rows]


async def drop(session: AsyncSession, rows: Sequence[int], note: str) -> None:
    """Settle rows that mean nothing any more; their bytes go."""
    for batch in in_batches(rows):
        await session.execute(
            update(InboxRow)
            .where(InboxRow.id.in_(batch))
            .values(state=InboxState.IGNORED, note=note, body=None)
        )
