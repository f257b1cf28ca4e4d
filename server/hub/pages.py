# SPDX-License-Identifier: Apache-2.0
"""What the page of one resource shows, beside its discussion."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import NotFound
from server.hub.uses import Use, uses_of
from server.permissions import Permission, may
from server.posts.detailed import detailed
from server.posts.pages import ThreadPage
from server.records.lineages import Family, family_of
from server.resources import licences
from server.resources.links import Dead, dead_link_of
from server.resources.record import Record, unpack
from server.shown import ShownPost
from server.viewers import Viewer
from storage.files import FilePreview, StoredFile
from storage.forums import Forum
from storage.members import Member
from storage.plain import Question, ask, found, given
from storage.posts import Post, PostState
from storage.resources import Resource, ResourceFile, ResourceVersion

MOST_VERSIONS = 100


@dataclass(frozen=True)
class FileLine:
    """A file of a version; `held` when its bytes are here.

    What its record says of it, and how it looks, is told of the latest version only: `access` is
    None for others.
    """

    file: ResourceFile
    held: bool
    preview: FilePreview | None = None
    language: str = ""
    access: str | None = None
    access_note: str = ""
    checked: str = ""

    @property
    def rows(self) -> list[list[str]]:
        """The first rows of a table."""
        is_table = self.preview is not None and self.preview.kind == "table"
        return json.loads(self.preview.body) if self.preview and is_table else []


@dataclass(frozen=True)
class VersionLine:
    """A version in the list of them, with its files."""

    version: int
    label: str
    note: str
    at: datetime
    by: str
    downloads: int
    files: tuple[FileLine, ...]


@dataclass(frozen=True)
class ResourcePage:
    """A resource as the viewer sees it; the first of `versions` is the latest."""

    resource: Resource
    record: Record
    versions: tuple[VersionLine, ...]
    family: Family
    uses: tuple[Use, ...]
    warning: str
    dead_link: Dead | None
    is_home: bool
    may_adapt: bool
    may_revise: bool
    may_use: bool

    @property
    def files(self) -> tuple[FileLine, ...]:
        """The files of the version that is shown."""
        return self.versions[0].files if self.versions else ()


async def resource_page(session: AsyncSession, viewer: Viewer, page: ThreadPage) -> ResourcePage:
    """The resource that opens a thread which was found to be the viewer's to see."""
    post = page.opener.post
    resource = await found(session, Resource, post.id)
    if resource is None:
        raise NotFound
    record = unpack(resource.record)
    family = await family_of(session, viewer, resource, post.uri)
    is_closed = isinstance(post, ShownPost) and post.locked
    is_live = post.state != PostState.DELETED
    return ResourcePage(
        resource=resource,
        record=record,
        versions=await _versions(session, post.id, record, resource.version),
        family=family,
        uses=await uses_of(session, viewer, post.uri),
        warning=await _warning(session, family, record),
        dead_link=await dead_link_of(session, post.id) if record.link else None,
        is_home=page.opener.author.is_local,
        may_adapt=is_live and viewer.is_member,
        may_revise=page.opener.may_edit and not is_closed,
        may_use=is_live and not is_closed and may(page.standing, Permission.REPLY),
    )


async def _warning(session: AsyncSession, family: Family, record: Record) -> str:
    """Where the licences of an adaptation and of its source do not go together."""
    if family.source is None:
        return ""
    source = await found(session, Resource, family.source.id)
    return licences.warning(source.license, record.license) if source is not None else ""


_OF_VERSION = ("version", "label", "note", "at", "by", "downloads")
_VERSIONS: Question[dict[str, Any]] = Question(
    select(*(getattr(ResourceVersion, name) for name in _OF_VERSION[:4]))
    .add_columns(Member.name, ResourceVersion.downloads)
    .join(Member, Member.id == ResourceVersion.by_id)
    .where(ResourceVersion.post_id == given("post"))
    .order_by(ResourceVersion.version.desc())
    .limit(MOST_VERSIONS),
    lambda *cells: dict(zip(_OF_VERSION, cells, strict=True)),
)
# How a file looks is shown of the latest version alone.
_FILES: Question[tuple[ResourceFile, str | None, FilePreview | None]] = Question(
    select(ResourceFile, StoredFile.sha256, FilePreview)
    .outerjoin(StoredFile, StoredFile.sha256 == ResourceFile.sha256)
    .outerjoin(
        FilePreview,
        and_(FilePreview.sha256 == ResourceFile.sha256, ResourceFile.version == given("latest")),
    )
    .where(ResourceFile.post_id == given("post"), ResourceFile.version >= given("first"))
    .order_by(ResourceFile.version, ResourceFile.position),
    lambda file, held, seen: (file, held, seen),
)


async def _versions(
    session: AsyncSession, number: int, record: Record, latest: int
) -> tuple[VersionLine, ...]:
    rows = await ask(session, _VERSIONS, post=number)
    files: dict[int, list[FileLine]] = {}
    about = {"latest": latest, "first": rows[-1]["version"] if rows else latest, "post": number}
    for file, held, seen in await ask(session, _FILES, **about):
        line = FileLine(file, held is not None, seen)
        if file.version == latest and file.position < len(record.files):
            said = record.files[file.position]
            line = FileLine(
                file, line.held, seen, said.language, said.access, said.access_note, said.checked
            )
        files.setdefault(file.version, []).append(line)
    return tuple(VersionLine(**row, files=tuple(files.get(row["version"], ()))) for row in rows)


@dataclass(frozen=True)
class Read:
    """A resource by itself."""

    post: Post
    forum: Forum
    author: Member
    resource: Resource
    record: Record


async def read(session: AsyncSession, viewer: Viewer, post_id: int) -> Read:
    """A resource that the viewer may see; NotFound for anything else."""
    post, forum, author, resource = await detailed(session, viewer, post_id, Resource)
    return Read(post, forum, author, resource, unpack(resource.record))
