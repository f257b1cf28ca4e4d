# SPDX-License-Identifier: Apache-2.0
"""What authors warn of: advisories and withdrawals, by a practice's id.

A notice reaches whoever reads the practice, and whoever reads what was made of it: it is kept by
the uri of the practice, so that it can be known where the practice itself is not held.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server import text
from server.errors import Invalid
from server.facts import PracticeWarned
from server.practices.standing import reckon_uri
from server.transaction import Transaction
from server.viewers import Sight, Viewer, posts_in
from storage.among import among
from storage.forums import Forum
from storage.plain import Question, ask, found, whole
from storage.posts import Post
from storage.practices import PracticeNotice, PracticeWithdrawal

Row = PracticeNotice | PracticeWithdrawal
T = TypeVar("T", PracticeNotice, PracticeWithdrawal)

KINDS = {"advisory": "Advisory", "withdrawn": "Withdrawn"}
MOST_WORDS = 1_000
MOST_SHOWN = 20


@dataclass(frozen=True)
class Notice:
    """A warning as its author gave it; `given` is when.

    `steward` is the id of the steward who withdrew it, where that was not its author. `forum` is
    the title of the forum that withdrew what somebody of another agency had published in it.
    """

    kind: str
    words: str
    given: datetime
    steward: int | None = None
    forum: str = ""

    @property
    def label(self) -> str:
        """`Advisory`, `Withdrawn`, `Withdrawn by the stewards of Permits`."""
        label = KINDS[self.kind]
        return f"{label} by the stewards of {self.forum}" if self.forum else label

    @property
    def sentence(self) -> str:
        """`Advisory (27 November 2026): step 4 is no longer lawful.`"""
        return f"{self.label} ({self.given:%-d %B %Y}): {self.words}"


@dataclass(frozen=True)
class Warned:
    """Which practice a notice is about, and who gave it (the id of a member)."""

    uri: str
    title: str
    url: str
    agency: str
    by: int


def check(kind: str, words: str, now: datetime) -> Notice:
    """The notice of a form or of the wire; Invalid names what is wrong."""
    faults = {}
    if kind not in KINDS:
        faults["kind"] = "Choose whether it is an advisory or a withdrawal."
    said = text.clean_line(words, MOST_WORDS + 1)
    if not said:
        faults["words"] = "Say in a sentence what others have to know."
    elif len(said) > MOST_WORDS:
        faults["words"] = f"Keep it under {MOST_WORDS:,} characters."
    if faults:
        raise Invalid(faults)
    return Notice(kind, said, now)


def read(row: Row) -> Notice:
    """A stored notice."""
    if isinstance(row, PracticeWithdrawal):
        return Notice(row.kind, row.words, row.given, forum=row.forum)
    return Notice(row.kind, row.words, row.given, row.steward_id)


def about(row: Row, uri: str) -> str:
    """A stored notice for whoever reads the practice `uri`, which may be made of that one."""
    said = read(row).sentence
    if row.uri == uri:
        return said
    return f"Of “{row.title}” ({row.agency}), which this was made from: {said}"


def _standing(table: type[T]) -> Question[T]:
    return Question(
        select(table)
        .where(among(table.uri, "uris", Post.uri.type), table.active)
        .order_by(table.at.desc(), table.uri),
        whole,
    )


_OF_FORUMS, _OF_AUTHORS = _standing(PracticeWithdrawal), _standing(PracticeNotice)


async def of_all(session: AsyncSession, uris: Iterable[str]) -> list[Row]:
    """The notices that stand about these practices: of forums, then of authors, latest first."""
    wanted = sorted(set(uris))
    if not wanted:
        return []
    rows: list[Row] = [*await ask(session, _OF_FORUMS, uris=wanted)]
    return [*rows, *await ask(session, _OF_AUTHORS, uris=wanted)]


@cache
def _seen(sight: Sight) -> Question[tuple[str, bool]]:
    return Question(
        select(Post.uri, posts_in(sight))
        .join(Forum, Forum.id == Post.forum_id)
        .where(among(Post.uri, "uris", Post.uri.type)),
        lambda uri, is_seen: (uri, bool(is_seen)),
    )


async def seen(session: AsyncSession, viewer: Viewer, uris: Iterable[str]) -> list[Row]:
    """The same, without those about practices held here that the viewer may not see."""
    standing = await of_all(session, uris)
    if not standing:
        return []
    about = {"uris": [row.uri for row in standing], **viewer.values}
    is_seen = dict(await ask(session, _seen(viewer.sight), **about))
    return [row for row in standing if is_seen.get(row.uri, True)]


async def of(session: AsyncSession, uri: str) -> Notice | None:
    """The notice of its author, or in their name, that stands about a practice."""
    row = await found(session, PracticeNotice, uri)
    return read(row) if row is not None and row.active else None


async def of_forum(session: AsyncSession, uri: str) -> Notice | None:
    """The withdrawal, by the stewards of its forum, of what is another agency's own word."""
    row = await found(session, PracticeWithdrawal, uri)
    return read(row) if row is not None and row.active else None


async def apply(tx: Transaction, about: Warned, notice: Notice | None, at: datetime) -> bool:
    """What its author says of a practice from `at` on; None lifts what was said.

    Older news than what is held changes nothing; answers whether anything changed.
    """
    row = await tx.session.get(PracticeNotice, about.uri)
    if row is None and notice is None:
        return False
    if row is not None and (at < row.at or not _differs(row, notice)):
        return False
    row = row or PracticeNotice(uri=about.uri)
    if notice is not None:
        row.kind, row.words, row.given = notice.kind, notice.words, min(notice.given, tx.now)
    row.steward_id = notice.steward if notice is not None else None
    row.title, row.url, row.agency = about.title, about.url, about.agency
    row.active, row.at = notice is not None, at
    tx.session.add(row)
    await tx.session.flush()
    await reckon_uri(tx, about.uri)
    tx.record(PracticeWarned(about.uri, about.by, int(at.timestamp() * 1_000)))
    return True


def _differs(row: PracticeNotice, notice: Notice | None) -> bool:
    if notice is None:
        return row.active
    return not row.active or (row.kind, row.words) != (notice.kind, notice.words)
