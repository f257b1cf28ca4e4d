# SPDX-License-Identifier: Apache-2.0
"""The hub as a catalogue that other portals can harvest (DCAT 3, ADMS).

Only what anybody may see and what lives at this instance is in it: the files of other agencies
are in their own catalogues.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.resources import licences
from server.resources.record import File, Record, unpack
from server.resources.terms import KINDS
from server.settings import Settings
from server.viewers import VISITOR, visible_posts
from storage.forums import Forum
from storage.members import Member
from storage.posts import Post, PostState
from storage.resources import Resource, ResourceVersion

PAGE = 100
CONTEXT: dict[str, str] = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "prov": "http://www.w3.org/ns/prov#",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
Json = dict[str, Any]


async def catalog(session: AsyncSession, settings: Settings, before: int | None) -> Json:
    """The document at `/catalog.jsonld`, PAGE resources at a time, the newest first."""
    question = (
        select(Post, Resource, Member, ResourceVersion.note)
        .join(Resource, Resource.post_id == Post.id)
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .outerjoin(
            ResourceVersion,
            (ResourceVersion.post_id == Post.id) & (ResourceVersion.version == Resource.version),
        )
        .where(Post.state == PostState.LIVE, Member.peer.is_(None), visible_posts(VISITOR))
        .order_by(Post.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        question = question.where(Post.id < before)
    rows = (await session.execute(question)).all()
    url = f"{settings.origin}/catalog.jsonld"
    document: Json = {
        "@context": CONTEXT,
        "@id": url,
        "@type": "dcat:Catalog",
        "dct:title": f"{settings.site_name}: resources",
        "dct:publisher": {"@type": "foaf:Organization", "foaf:name": settings.agency_name},
        "foaf:homepage": {"@id": f"{settings.origin}/resources"},
        "dcat:dataset": [
            _entry(post, resource, author, note or "", settings)
            for post, resource, author, note in rows[:PAGE]
        ],
    }
    if len(rows) > PAGE:
        document["hydra:next"] = {"@id": f"{url}?before={rows[PAGE - 1][0].id}"}
    return document


def _entry(post: Post, resource: Resource, author: Member, note: str, settings: Settings) -> Json:
    """One resource in its latest version; members that say nothing are left out."""
    record = unpack(resource.record)
    agency = record.agency or author.agency or settings.agency_name
    found: Json = {
        "@id": post.uri,
        "@type": ["dcat:Dataset", "adms:Asset"],
        "dct:title": {"@value": post.title, "@language": post.language},
        "dct:description": {
            "@value": "\n\n".join(filter(None, (record.summary, record.description))),
            "@language": post.language,
        },
        "dct:type": KINDS[record.kind],
        "dct:publisher": {"@type": "foaf:Organization", "foaf:name": agency},
        "dct:issued": _moment(post.published.isoformat()),
        "dct:modified": _moment((post.updated or post.published).isoformat()),
        "dct:language": record.language or post.language,
        "dcat:version": record.label or str(resource.version),
        "adms:versionNotes": note,
        "dcat:keyword": [*record.tags, *record.topics],
        "dcat:landingPage": {"@id": post.url},
        "dcat:contactPoint": record.contact,
        "dct:source": [{"@id": source.uri} for source in record.based_on],
        "dct:identifier": f"https://doi.org/{record.doi}" if record.doi else "",
        "dct:bibliographicCitation": record.citation,
        "dct:license": _licence(record),
        "dcat:distribution": [
            *(_distribution(record, file, post.url) for file in record.files),
            *([_elsewhere(record)] if record.link else []),
        ],
    }
    return {name: value for name, value in found.items() if value not in ("", [], None)}


def _elsewhere(record: Record) -> Json:
    """What is had where the link of a resource leads."""
    found: Json = {
        "@type": "dcat:Distribution",
        "dct:title": record.name,
        "dcat:accessURL": {"@id": record.link},
        "dct:license": _licence(record),
    }
    return {name: value for name, value in found.items() if value is not None}


def _distribution(record: Record, file: File, page: str) -> Json:
    found: Json = {
        "@type": "dcat:Distribution",
        "dct:title": file.name,
        "dcat:accessURL": {"@id": page},
        "dcat:downloadURL": {"@id": file.url},
        "dcat:mediaType": f"https://www.iana.org/assignments/media-types/{file.media_type}",
        "dcat:byteSize": {"@value": str(file.size), "@type": "xsd:nonNegativeInteger"},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
            "spdx:checksumValue": file.sha256,
        },
        "dct:license": _licence(record),
        "dct:language": file.language,
    }
    return {name: value for name, value in found.items() if value not in ("", None)}


def _moment(iso: str) -> Json:
    return {"@value": iso, "@type": "xsd:dateTime"}


def _licence(record: Record) -> Json | None:
    known = licences.LICENCES.get(record.license)
    return {"@id": known.url} if known else None
