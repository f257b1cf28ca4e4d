# SPDX-License-Identifier: Apache-2.0
"""Where a practice came from, and making more of it."""

from dataclasses import dataclass, replace

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.errors import Gone
from server.library import drafts
from server.practices import ancestry, comparing, notices, prose
from server.practices.keeping import library
from server.practices.record import Outcome, Point, Record, Setting, unpack
from server.practices.typed import typed_of
from server.records.editions import Beginning
from server.records.lineages import Family, family_of
from server.transaction import Transaction
from server.viewers import Viewer
from storage.members import Member
from storage.plain import Question, ask, given
from storage.posts import Post, PostState
from storage.practices import Practice, PracticeDraft, PracticeVersion
from storage.replications import Announcing

MOST = 200


@dataclass(frozen=True)
class Told:
    """An adaptation that is not held here: who made it, and where it is."""

    agency: str
    uri: str


@dataclass(frozen=True)
class Lineage:
    """Where a practice came from and what came of it, as far as the viewer may see.

    `news` names the sections of the source that changed since. `warnings` are about what it
    descends from, `told` are adaptations that are not held here, which their authors told of.
    """

    family: Family
    news: tuple[str, ...]
    warnings: tuple[notices.Row, ...] = ()
    told: tuple[Told, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self.family.is_empty and not self.told


async def lineage_of(
    session: AsyncSession, viewer: Viewer, practice: Practice, uri: str
) -> Lineage:
    """The lineage of a practice."""
    family = await family_of(session, viewer, practice, uri)
    above = await ancestry.above(session, practice, uri)
    return Lineage(
        family=family,
        news=await _news(session, practice, family),
        warnings=tuple(await notices.seen(session, viewer, above)),
        told=await _told(session, practice, uri),
    )


_OTHER = aliased(Post)
_TOLD = Question(
    select(Member.agency, Member.peer, Announcing.announces)
    .join(Post, Post.author_id == Member.id)
    .join(Announcing, Announcing.post_id == Post.id)
    .where(
        Post.thread_id == given("thread"),
        Post.state == PostState.LIVE,
        Announcing.announces != given("uri", Post.uri.type),
        ~exists().where(_OTHER.uri == Announcing.announces),
    )
    .order_by(Post.id)
    .limit(MOST),
    lambda agency, peer, at: Told(agency or peer or "", at),
)


async def _told(session: AsyncSession, practice: Practice, uri: str) -> tuple[Told, ...]:
    """Adaptations that a reply below the practice tells of, and that are not held here."""
    return tuple(await ask(session, _TOLD, thread=practice.post_id, uri=uri))


async def _news(session: AsyncSession, practice: Practice, family: Family) -> tuple[str, ...]:
    """What changed at the source since this was made from it; nothing where that is not known."""
    source, made_from = family.source, practice.based_on_version
    if source is None or made_from is None or not family.has_news:
        return ()
    question = select(PracticeVersion.version, PracticeVersion.record).where(
        PracticeVersion.post_id == source.id,
        PracticeVersion.version.in_((made_from, source.version)),
    )
    held = {row[0]: unpack(row[1]) for row in (await session.execute(question)).all()}
    if len(held) < 2:
        return ()
    titles = prose.section_titles()
    changed = comparing.changed_sections(held[made_from], held[source.version])
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
