# SPDX-License-Identifier: Apache-2.0
"""Where a practice came from, and what was made of it.

A lineage is everything with the same `root`: one question finds it, and its links are followed
here. At a copy the root of an adaptation is what was known when it came; who learns of an earlier
ancestor later sets the roots of what descends from it anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.errors import Gone
from server.library import drafts
from server.library.drafts import Beginning
from server.practices import comparing, notices, prose
from server.practices.keeping import library
from server.practices.record import Outcome, Point, Record, Setting, unpack
from server.practices.typed import typed_of
from server.transaction import Transaction
from server.viewers import Viewer, visible_posts
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from storage.practices import Practice, PracticeDraft, PracticeNotice, PracticeVersion
from storage.replications import Announcing

MOST = 200


@dataclass
class Kin:
    """A practice of a lineage, and what was adapted from it."""

    id: int
    slug: str
    uri: str
    title: str
    agency: str
    version: int
    based_on: str | None
    based_on_version: int | None
    children: "list[Kin]" = field(default_factory=list)


@dataclass(frozen=True)
class Told:
    """An adaptation that is not held here: who made it, and where it is."""

    agency: str
    uri: str


@dataclass(frozen=True)
class Lineage:
    """Where a practice came from and what came of it, as far as the viewer may see.

    `source_uri` is the address of a source that is not held here. `news` names the sections of
    the source that changed since. `warnings` are about what it descends from, `told` are
    adaptations that are not held here, which their authors told of.
    """

    source: Kin | None
    source_uri: str
    news: tuple[str, ...]
    tree: Kin | None
    adaptations: tuple[Kin, ...]
    warnings: tuple[PracticeNotice, ...] = ()
    told: tuple[Told, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.source or self.source_uri or self.adaptations or self.told)


async def lineage_of(
    session: AsyncSession, viewer: Viewer, practice: Practice, uri: str
) -> Lineage:
    """The lineage of a practice."""
    question = (
        select(
            *(Post.id, Post.slug, Post.uri, Post.title, Practice.agency, Practice.version),
            *(Practice.based_on, Practice.based_on_version),
        )
        .join(Practice, Practice.post_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .where(Practice.root == practice.root, Post.state == PostState.LIVE, visible_posts(viewer))
        .order_by(Post.id)
        .limit(MOST)
    )
    kin = {row[2]: Kin(*row) for row in (await session.execute(question)).all()}
    for one in kin.values():
        above = kin.get(one.based_on or "")
        if above is not None and not _descends(above, one, kin):
            above.children.append(one)
    source = kin.get(practice.based_on or "")
    mine = kin.get(uri)
    return Lineage(
        source=source,
        source_uri=(practice.based_on or "") if source is None else "",
        news=await _news(session, practice, source),
        tree=kin.get(practice.root),
        adaptations=tuple(mine.children) if mine is not None else (),
        warnings=tuple(await notices.seen(session, viewer, _above(kin, practice) - {uri})),
        told=await _told(session, practice, uri),
    )


def _descends(one: Kin, other: Kin, kin: Mapping[str, Kin]) -> bool:
    """Whether `one` is `other` or comes from it: strangers may name each other as their source."""
    seen: set[str] = set()
    here: Kin | None = one
    while here is not None and here.uri not in seen:
        if here is other:
            return True
        seen.add(here.uri)
        here = kin.get(here.based_on or "")
    return False


def _above(kin: Mapping[str, Kin], practice: Practice) -> set[str]:
    """The uris of everything that a practice descends from, as far as that is known here."""
    found: set[str] = set()
    at = practice.based_on
    while at and at not in found:
        found.add(at)
        at = kin[at].based_on if at in kin else practice.root
    return found


async def _told(session: AsyncSession, practice: Practice, uri: str) -> tuple[Told, ...]:
    """Adaptations that a reply below the practice tells of, and that are not held here."""
    other = aliased(Post)
    held = exists().where(other.uri == Announcing.announces)
    question = (
        select(Member.agency, Member.peer, Announcing.announces)
        .join(Post, Post.author_id == Member.id)
        .join(Announcing, Announcing.post_id == Post.id)
        .where(
            Post.thread_id == practice.post_id,
            Post.state == PostState.LIVE,
            Announcing.announces != uri,
            ~held,
        )
        .order_by(Post.id)
        .limit(MOST)
    )
    rows = (await session.execute(question)).all()
    return tuple(Told(agency or peer or "", at) for agency, peer, at in rows)


async def _news(session: AsyncSession, practice: Practice, source: Kin | None) -> tuple[str, ...]:
    """What changed at the source since this was made from it; nothing where that is not known."""
    if source is None or practice.based_on_version is None:
        return ()
    if source.version <= practice.based_on_version:
        return ()
    question = select(PracticeVersion.version, PracticeVersion.record).where(
        PracticeVersion.post_id == source.id,
        PracticeVersion.version.in_((practice.based_on_version, source.version)),
    )
    held = {row[0]: unpack(row[1]) for row in (await session.execute(question)).all()}
    if len(held) < 2:
        return ()
    titles = prose.section_titles()
    changed = comparing.changed_sections(held[practice.based_on_version], held[source.version])
    return tuple(titles[name] for name in changed)


async def adapt(tx: Transaction, member: Member, source: Post) -> PracticeDraft:
    """Begin an adaptation: what to do is taken over, what came of it there is not."""
    practice = await tx.session.get(Practice, source.id)
    if practice is None or source.state == PostState.DELETED:
        raise Gone
    profile = (await library(tx.session)).profile
    here = Setting(
        country=profile.country,
        level=profile.level,
        population_band=profile.population_band,
        urban_rural=profile.urban_rural,
    )
    record = adapted(unpack(practice.record), tx.settings.agency_name, here)
    beginning = Beginning(
        typed_of(record),
        source=source.id,
        source_version=practice.version,
        source_digest=practice.digest,
    )
    return await drafts.begin(tx, member, beginning)


def adapted(record: Record, agency: str, setting: Setting) -> Record:
    """A practice as another agency begins it: their steps and conditions, none of their results."""
    fresh = Record()
    return replace(
        record,
        agency=agency,
        setting=setting,
        kind="practice",
        novelty="adaptation",
        outcomes=tuple(_to_measure(outcome) for outcome in record.outcomes),
        **{
            name: getattr(fresh, name)
            for name in (
                *("partners", "contact", "reach", "costs", "cost_band", "staff", "stage"),
                *("started", "ended", "not_worked", "lessons", "sustain", "based_on"),
                *("derived_from", "credits"),
            )
        },
    )


def _to_measure(outcome: Outcome) -> Outcome:
    return replace(
        outcome,
        baseline=Point(),
        target=Point(),
        actual=Point(),
        source="",
        attribution="",
        extra={},
    )


async def revise(tx: Transaction, member: Member, post: Post) -> PracticeDraft:
    """The draft of a practice's next version: the one that was begun, or a new one."""
    practice = await tx.session.get(Practice, post.id)
    if practice is None or post.state == PostState.DELETED:
        raise Gone
    question = (
        select(PracticeDraft)
        .where(PracticeDraft.post_id == post.id, PracticeDraft.owner_id == member.id)
        .order_by(PracticeDraft.updated.desc())
        .limit(1)
    )
    begun = (await tx.session.execute(question)).scalar_one_or_none()
    if begun is not None and begun.source_version == practice.version:
        return begun
    beginning = Beginning(
        typed_of(unpack(practice.record)),
        forum=post.forum_id,
        post=post.id,
        source_version=practice.version,
    )
    return await drafts.begin(tx, member, beginning)
