# SPDX-License-Identifier: Apache-2.0
"""Numbers that change, in the same commit, with whatever public pages show."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import event, func, inspect, select, union_all
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, UOWTransaction, mapped_column

from storage.among import Several
from storage.base import Base, Identifier, upsert
from storage.events import Event
from storage.files import FilePreview, StoredFile
from storage.forums import Forum, ForumSteward
from storage.keys import ActorKey
from storage.links import ResourceLink
from storage.members import Member
from storage.mentoring import OfferPost
from storage.peers import PolicyRule
from storage.plain import Question, given
from storage.polls import Poll
from storage.posts import Kind, Post, PostMention, PostTag
from storage.practices import (
    LibrarySetting,
    Practice,
    PracticeAncestor,
    PracticeNotice,
    PracticeThread,
    PracticeTopic,
    PracticeVersion,
    PracticeWithdrawal,
)
from storage.replications import Announcing, Replication
from storage.resources import Resource, ResourceFile, ResourceUse, ResourceVersion
from storage.reviews import Review, ReviewSeat, ReviewStatement
from storage.snapshots import Plain, Snapshot

BUCKETS = 1 << 14
EVERYTHING, PEOPLE, FORUMS, LIBRARY, CALENDAR, POLICY = range(6)
_FIRST = 16
# What no page for visitors shows, or shows only beside a thread that changed as well.
_UNSEEN = {
    Member: {"bio_source", "bio_html", "inbox", "shared_inbox", "is_admin", "email"}
    | {"password_hash", "created", "updated", "fetched", "state"},
    Forum: {"fetched", "updated", "created", "inbox", "shared_inbox", "outbox", "moderators"}
    | {"description_source", "uri"},
}
_COUNTERS = {"thread_count", "post_count", "bumped", "backfill_done", "backfill_total"}
# What a post says of itself on its own page only.
_OWN = {"reply_count", "endorsement_count", "withheld_count", "bumped", "pinned", "locked"}
# Practices and resources show each other, what others said of them, and what admins decided.
_OF_LIBRARY = (
    *(Practice, PracticeVersion, PracticeThread, PracticeNotice, PracticeTopic, LibrarySetting),
    *(
        PracticeAncestor,
        PracticeWithdrawal,
        Replication,
        Review,
        ReviewSeat,
        ReviewStatement,
        Announcing,
    ),
    *(Resource, ResourceVersion, ResourceFile, ResourceUse, ResourceLink, StoredFile, FilePreview),
)
# What is said with a post, which its object says too.
_WITH_A_POST = (Announcing, ResourceUse, ReviewStatement, PostMention, OfferPost)
WATCHED = {
    **{table.__tablename__: LIBRARY for table in _OF_LIBRARY},
    Event.__tablename__: CALENDAR,
    PolicyRule.__tablename__: POLICY,
    ActorKey.__tablename__: PEOPLE,
    # A statement does not say which rows it changes.
    **{
        table.__tablename__: EVERYTHING
        for table in (
            Post,
            PostTag,
            Member,
            Forum,
            ForumSteward,
            PracticeThread,
            Poll,
            *_WITH_A_POST,
        )
    },
}
SCOPES = "scopes"
"""The execution option by which a statement says which scopes it changes."""
COUNTED = {SCOPES: ()}
"""For statements beside a row that changes in the same deed and stands for all of it."""
_MARKS = "page_versions"


class PageVersion(Base):
    """How often what one scope stands for has changed.

    A scope stands for a thread, for a forum, or for the list of a forum's threads; many share
    one, so that the table stays small and a page is at worst rendered once too often. One stands
    for all practices and resources together, and one for all events.
    """

    __tablename__ = "page_versions"

    scope: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    version: Mapped[int]


def thread(identifier: int) -> int:
    """The scope of a thread: its posts, their counts and states, its tags."""
    return _FIRST + (identifier % BUCKETS) * 3


def forum(identifier: int) -> int:
    """The scope of a forum: its words, who keeps it, who may see it; not what is in it."""
    return _FIRST + (identifier % BUCKETS) * 3 + 1


def threads_of(identifier: int) -> int:
    """The scope of the list of a forum's threads, and of its counts."""
    return _FIRST + (identifier % BUCKETS) * 3 + 2


def _around() -> Question[tuple[int, int]]:
    given_ones = func.unnest(given("scopes", Several(Identifier)), type_=Identifier)
    named = given_ones.column_valued("scope")
    its_forum = _FIRST + 1 + Post.forum_id % BUCKETS * 3
    its_thread = _FIRST + Post.thread_id % BUCKETS * 3
    is_it = Post.id == given("post")
    asked = union_all(
        select(named.label("scope")),
        select(its_forum).where(is_it),
        select(its_thread).where(is_it),
    ).subquery()
    version = func.coalesce(PageVersion.version, 0, type_=Identifier)
    found = select(asked.c.scope, version).select_from(asked)
    return Question(
        found.outerjoin(PageVersion, PageVersion.scope == asked.c.scope), lambda *both: both
    )


AROUND = _around()
"""On PostgreSQL: scopes that are named, and those a post is in, each with its version."""


def question(scopes: int, *, is_sqlite: bool) -> str:
    """SQL for the versions of so many scopes; on PostgreSQL they are one parameter."""
    if is_sqlite:
        marks = ",".join("?" * scopes)
        return f"SELECT scope, version FROM page_versions WHERE scope IN ({marks})"  # noqa: S608
    return "SELECT scope, version FROM page_versions WHERE scope = ANY($1::bigint[])"


def question_of(scope: int) -> str:
    """SQL for the version of one scope; no row for one that never changed."""
    return f"SELECT version FROM page_versions WHERE scope = {scope:d}"  # noqa: S608 (a number)


async def versions(plain: Plain | Snapshot, scopes: Sequence[int]) -> tuple[int, ...]:
    """The version of each scope, 0 for one that never changed."""
    given = scopes if plain.is_sqlite else (list(scopes),)
    sql = question(len(scopes), is_sqlite=plain.is_sqlite)
    found = {row[0]: row[1] for row in await plain.fetch(sql, given)}
    return tuple(found.get(scope, 0) for scope in scopes)


def _changed(row: object) -> set[str]:
    state = inspect(row)
    return {attr.key for attr in state.attrs if attr.history.has_changes()}


def _scopes(session: Session, row: object, *, fresh: bool) -> Iterable[int]:
    """What a row that is stored, changed or dropped stands for."""
    if isinstance(row, Post):
        yield from _scopes_of_post(row, fresh=fresh)
    elif isinstance(row, PostTag):
        yield thread(row.post_id)
        opener = _held(session, row.post_id)
        yield threads_of(opener.forum_id) if opener is not None else EVERYTHING
    elif isinstance(row, ForumSteward):
        yield forum(row.forum_id)
    elif isinstance(row, Member) and not fresh:
        if _changed(row) - _UNSEEN[Member]:
            yield PEOPLE
    elif isinstance(row, ActorKey) and row.sealed is not None:
        # Their documents name the key that they are signed with.
        yield PEOPLE
    elif isinstance(row, Forum):
        yield from _scopes_of_forum(row, fresh=fresh)
    else:
        yield from _scopes_beside(session, row)


def _scopes_of_post(row: Post, *, fresh: bool) -> Iterable[int]:
    yield thread(row.thread_id)
    before: Any = inspect(row).attrs.thread_id.history.deleted
    yield from (thread(old) for old in before or () if old is not None)
    if row.is_thread:
        yield threads_of(row.forum_id)
    changed = set() if fresh else _changed(row)
    if row.kind in {Kind.THREAD, Kind.REPLY}:
        if changed & {"state", "thread_id"}:
            # A reply may have told of something in the library.
            yield LIBRARY
        return
    if fresh or changed - _OWN:
        yield CALENDAR if row.kind == Kind.EVENT else LIBRARY
    if "state" in changed:
        # The discussions that it came of name it.
        yield EVERYTHING


def _scopes_of_forum(row: Forum, *, fresh: bool) -> Iterable[int]:
    changed = _changed(row) - _UNSEEN[Forum]
    if fresh or changed - _COUNTERS:
        yield from (FORUMS, forum(row.id))
    if changed:
        yield threads_of(row.id)
    if "visibility" in changed and not fresh:
        # What is in it is named on pages of other forums as well.
        yield EVERYTHING


def _scopes_beside(session: Session, row: object) -> Iterable[int]:
    """What stands for a row beside a post."""
    if isinstance(row, PolicyRule):
        yield POLICY
    if isinstance(row, _OF_LIBRARY):
        yield LIBRARY
    if isinstance(row, Practice | Resource | Event | Poll):
        yield thread(row.post_id)
    if isinstance(row, Event) and _changed(row) - {"going", "waiting", "reminded"}:
        yield CALENDAR
    if isinstance(row, PracticeThread):
        # The discussion names the practice that came of it.
        yield from (thread(row.thread_id), thread(row.practice_id))
    if isinstance(row, _WITH_A_POST):
        post = _held(session, row.post_id)
        yield thread(post.thread_id) if post is not None else EVERYTHING


def _held(session: Session, post: int) -> Post | None:
    """A post that this deed has at hand."""
    found: Post | None = session.identity_map.get(session.identity_key(Post, post))
    return found


def _after_flush(session: Session, _context: UOWTransaction) -> None:
    touched: set[int] = session.info.setdefault(_MARKS, set())
    for rows, fresh in ((session.new, True), (session.dirty, False), (session.deleted, False)):
        for row in rows:
            touched.update(_scopes(session, row, fresh=fresh))


def _on_execute(state: ORMExecuteState) -> None:
    if state.is_select:
        return
    table: Any = getattr(state.statement, "table", None)
    scope = WATCHED.get(table.name) if table is not None else None
    if scope is not None:
        said = state.execution_options.get(SCOPES)
        state.session.info.setdefault(_MARKS, set()).update((scope,) if said is None else said)


def _before_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    touched: set[int] | None = session.info.pop(_MARKS, None)
    if not touched:
        return
    table = PageVersion.__table__
    statement = upsert(session.get_bind().dialect.name, PageVersion)
    statement = statement.on_conflict_do_update(
        index_elements=["scope"], set_={"version": table.c.version + 1}
    )
    # In one order everywhere, so that no two commits wait for each other.
    rows = [{"scope": scope, "version": 1} for scope in sorted(touched)]
    session.connection().execute(statement, rows)


def _after_rollback(session: Session) -> None:
    session.info.pop(_MARKS, None)


def count_in(sessions: type[Session]) -> None:
    """Have what sessions of this kind change counted."""
    event.listen(sessions, "after_flush", _after_flush)
    event.listen(sessions, "do_orm_execute", _on_execute)
    event.listen(sessions, "before_commit", _before_commit)
    event.listen(sessions, "after_rollback", _after_rollback)
