# SPDX-License-Identifier: Apache-2.0
"""Resources: the detail row of a post, its versions, files and drafts.

A resource is a `posts` row of the kind `resource`, and a row of `resources` with its record: one
JSON document (`server/resources/record`), the same that travels as `gh:resource`. The bytes of
its files lie under their SHA-256 (`storage/files`), here or at its home.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Characters, Key, Word
from storage.records import Recorded, RecordedFacet, RecordedVersion


class Resource(Recorded):
    """What a resource says now.

    `html` is its description, rendered once. `downloads` counts those from this instance, of all
    versions.
    """

    __tablename__ = "resources"
    __table_args__ = (
        Index("ix_resources_root", "root", "post_id"),
        Index("ix_resources_based_on", "based_on", "post_id"),
    )

    html: Mapped[str] = mapped_column(default="")
    license: Mapped[str] = mapped_column(Characters(100), default="")
    downloads: Mapped[int] = mapped_column(Integer, default=0)


class ResourceVersion(RecordedVersion):
    """What a resource said in one version; it never changes."""

    __tablename__ = "resource_versions"

    label: Mapped[str] = mapped_column(Characters(100), default="")
    downloads: Mapped[int] = mapped_column(Integer, default=0)


class ResourceFile(Base):
    """A file of a version; its bytes lie under `sha256`, once they are held here.

    `failed` is when its home was last asked for it in vain, and `fault` what came of that.
    """

    __tablename__ = "resource_files"
    __table_args__ = (Index("ix_resource_files_sha256", "sha256"),)

    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    sha256: Mapped[str] = mapped_column(Characters(64))
    size: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Characters(300))
    media_type: Mapped[str] = mapped_column(Characters(100))
    url: Mapped[str] = mapped_column(Characters(2048))
    failed: Mapped[datetime | None]
    fault: Mapped[str] = mapped_column(Characters(500), default="")


class ResourceFacet(RecordedFacet):
    """One value that a resource is found by: a kind, a topic, a licence, an agency…"""

    __tablename__ = "resource_facets"
    __table_args__ = (Index("ix_resource_facets_value", "facet", "value", "post_id"),)


class ResourceDraft(Base):
    """A resource being prepared by its owner, whom alone it is shown to.

    `typed` is the JSON of what stands in the form's fields, right or wrong. `post_id` names the
    resource that it is to be a new version of, and `source_id` the one that it adapts, in the
    version and with the digest given.
    """

    __tablename__ = "resource_drafts"
    __table_args__ = (
        Index("ix_resource_drafts_owner", "owner_id", "updated"),
        Index("ix_resource_drafts_post", "post_id"),
        Index("ix_resource_drafts_source", "source_id"),
    )

    id: Mapped[Key]
    owner_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    forum_id: Mapped[int | None] = mapped_column(ForeignKey("forums.id"))
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"))
    source_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id"))
    source_version: Mapped[int | None] = mapped_column(Integer)
    source_digest: Mapped[str] = mapped_column(Characters(64), default="")
    title: Mapped[str] = mapped_column(Characters(500), default="")
    typed: Mapped[str] = mapped_column(default="{}")
    created: Mapped[datetime]
    updated: Mapped[datetime]


class ResourceUpload(Base):
    """A file that waits in a draft; `said` is what was done to it on the way in."""

    __tablename__ = "resource_uploads"
    __table_args__ = (
        Index("ix_resource_uploads_draft", "draft_id", "id"),
        Index("ix_resource_uploads_sha256", "sha256"),
    )

    id: Mapped[Key]
    draft_id: Mapped[int] = mapped_column(ForeignKey("resource_drafts.id"))
    owner_id: Mapped[int]
    sha256: Mapped[str] = mapped_column(Characters(64))
    size: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Characters(300))
    media_type: Mapped[str] = mapped_column(Characters(100))
    said: Mapped[str] = mapped_column(Characters(500), default="")
    at: Mapped[datetime]


class ResourceUse(Base):
    """A reply that says that its author's agency uses a resource, and how it went."""

    __tablename__ = "resource_uses"
    __table_args__ = (Index("ix_resource_uses_of", "of", "post_id"),)

    post_id: Mapped[int] = mapped_column(
        ForeignKey("posts.id"), primary_key=True, autoincrement=False
    )
    of: Mapped[str] = mapped_column(Characters(2048))
    of_version: Mapped[int | None] = mapped_column(Integer)
    verdict: Mapped[Word]
    agency: Mapped[str] = mapped_column(Characters(500), default="")
