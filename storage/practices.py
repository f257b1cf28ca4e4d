# SPDX-License-Identifier: Apache-2.0
"""Practices: the detail row of a post, versions, facets, drafts, offers.

A practice is a `posts` row of the kind `practice`, so that replies, endorsements, search,
moderation and copies work on it as on any thread, and a row of `practices` with its record: one
JSON document (`server/practices/record`), the same that travels as `gh:practice`.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Url, Word
from storage.records import Recorded, RecordedFacet, RecordedVersion


class Practice(Recorded):
    """What a practice says now.

    `parts` is the HTML of its longer texts by field, rendered once. `evidence` is the step of the
    ladder and `why` the JSON of its reasons. `reviewed` is when somebody last said that it still
    holds.
    """

    __tablename__ = "practices"
    __table_args__ = (
        Index("ix_practices_root", "root", "post_id"),
        Index("ix_practices_based_on", "based_on", "post_id"),
    )

    parts: Mapped[str] = mapped_column(default="{}")
    reviewed: Mapped[datetime]
    evidence: Mapped[int] = mapped_column(Integer, default=0)
    why: Mapped[str] = mapped_column(default="{}")


class PracticeVersion(RecordedVersion):
    """What a practice said in one version; scrubbed with the post."""

    __tablename__ = "practice_versions"


class PracticeFacet(RecordedFacet):
    """One value that a practice is found by: a topic, a function, a level, a stage…"""

    __tablename__ = "practice_facets"
    __table_args__ = (Index("ix_practice_facets_value", "facet", "value", "post_id"),)


class PracticeThread(Base):
    """A discussion that a practice came of."""

    __tablename__ = "practice_threads"
    __table_args__ = (Index("ix_practice_threads_thread", "thread_id", "practice_id"),)

    practice_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)


class PracticeDraft(Base):
    """A practice being written; nobody sees it but its owner and those they invited.

    `typed` is the JSON of what stands in the form's fields, by field, whatever it may be: it is
    checked when it is published. `post_id` names the practice that it is to be a new version of,
    and `source_id` the one that it adapts, in the version and with the digest given.
    """

    __tablename__ = "practice_drafts"
    __table_args__ = (
        Index("ix_practice_drafts_owner", "owner_id", "updated"),
        Index("ix_practice_drafts_post", "post_id"),
        Index("ix_practice_drafts_thread", "thread_id"),
        Index("ix_practice_drafts_source", "source_id"),
    )

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    forum_id: Mapped[int | None] = mapped_column(ForeignKey("forums.id"))
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"))
    source_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"))
    source_version: Mapped[int | None] = mapped_column(Integer)
    source_digest: Mapped[str] = mapped_column(Characters(64), default="")
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"))
    title: Mapped[str] = mapped_column(Characters(500), default="")
    typed: Mapped[str] = mapped_column(default="{}")
    revision: Mapped[int] = mapped_column(Integer, default=0)
    created: Mapped[datetime]
    updated: Mapped[datetime]
    updated_by: Mapped[int]


class PracticeDraftPerson(Base):
    """Somebody whom the owner of a draft invited to write with them; `seen` is when they saw it."""

    __tablename__ = "practice_draft_people"
    __table_args__ = (Index("ix_practice_draft_people_member", "member_id", "draft_id"),)

    draft_id: Mapped[int] = mapped_column(ForeignKey("practice_drafts.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"), primary_key=True)
    at: Mapped[datetime]
    seen: Mapped[datetime | None]


class PracticeTopic(Base):
    """A topic that an admin added to the list, or took off it (`listed` False)."""

    __tablename__ = "practice_topics"

    slug: Mapped[Word] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(Characters(200))
    listed: Mapped[bool] = mapped_column(default=True)
    at: Mapped[datetime]


class LibrarySetting(Base):
    """What admins decide of the library, by name: a JSON value each."""

    __tablename__ = "library_settings"

    name: Mapped[Word] = mapped_column(primary_key=True)
    value: Mapped[str]
    at: Mapped[datetime]


class PracticeNotice(Base):
    """What the author of a practice warns of: for its readers, and those of its adaptations.

    `uri` is the practice, held here or not; `title`, `url` and `agency` say which one it is. One
    that was lifted stays as a row (`active` False), so that older news of it is known as old.
    `steward_id` is the member who withdrew it as a steward of its forum, where that was not its
    author.
    """

    __tablename__ = "practice_notices"

    uri: Mapped[Url] = mapped_column(primary_key=True)
    kind: Mapped[Word]
    words: Mapped[str] = mapped_column(Characters(2000), default="")
    title: Mapped[str] = mapped_column(Characters(500), default="")
    url: Mapped[Url]
    agency: Mapped[str] = mapped_column(Characters(500), default="")
    active: Mapped[bool] = mapped_column(default=True)
    given: Mapped[datetime]
    at: Mapped[datetime]
    steward_id: Mapped[int | None]


class PracticeAncestor(Base):
    """That the practice `uri`, which is not held here, descends from `above`, by its own word."""

    __tablename__ = "practice_ancestors"
    __table_args__ = (Index("ix_practice_ancestors_above", "above", "uri"),)

    uri: Mapped[Url] = mapped_column(primary_key=True)
    above: Mapped[Url] = mapped_column(primary_key=True)


class PracticeWithdrawal(Base):
    """That the stewards of a forum withdrew what somebody of another agency published in it.

    `uri` is the practice, held here or not, and `note` the reply that says so (empty where only
    the practice's own document does). `stated` says that its author's home states it as well. One
    that was taken back stays as a row (`active` False).
    """

    __tablename__ = "practice_withdrawals"
    __table_args__ = (Index("ix_practice_withdrawals_note", "note"),)

    uri: Mapped[Url] = mapped_column(primary_key=True)
    note: Mapped[Url]
    forum: Mapped[str] = mapped_column(Characters(500))
    words: Mapped[str] = mapped_column(Characters(2000))
    title: Mapped[str] = mapped_column(Characters(500))
    url: Mapped[Url]
    agency: Mapped[str] = mapped_column(Characters(500))
    active: Mapped[bool]
    stated: Mapped[bool]
    given: Mapped[datetime]
    at: Mapped[datetime]

    @property
    def kind(self) -> str:
        return "withdrawn"


class ChangeOffer(Base):
    """Sections of an adaptation that its author offers to the author of the original.

    `uri` is the id of the Offer, `based_on` that of the adaptation, `record` the JSON of what is
    offered, of the `sections` named in a JSON list. `reason` is why it was declined.
    """

    __tablename__ = "change_offers"
    __table_args__ = (
        Index("ix_change_offers_post", "post_id", "id"),
        Index("ix_change_offers_from", "from_id", "id"),
    )

    id: Mapped[Key]
    uri: Mapped[Url] = mapped_column(unique=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))
    from_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    based_on: Mapped[Url]
    of_version: Mapped[int] = mapped_column(Integer)
    sections: Mapped[str]
    record: Mapped[str]
    note: Mapped[str] = mapped_column(Characters(1000), default="")
    state: Mapped[Word]
    reason: Mapped[str] = mapped_column(Characters(500), default="")
    at: Mapped[datetime]
    answered: Mapped[datetime | None]
