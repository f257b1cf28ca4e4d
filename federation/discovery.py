# SPDX-License-Identifier: Apache-2.0
"""WebFinger and NodeInfo, ours and theirs."""

import re
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from federation.askers import Asker
from federation.authority import same_origin
from federation.errors import BadAnswer
from federation.fetch import Response
from federation.urls import Urls, host_of_uri
from federation.vocabulary.terms import ACTIVITY_JSON, is_activity_json
from federation.wire import VERSION, Wire
from server import peers
from server.errors import NotFound
from server.settings import Settings
from server.viewers import Viewer, visible_forums
from storage import members
from storage.forums import Forum, Visibility
from storage.members import Member, MemberState
from storage.peers import Peer
from storage.posts import Kind, Post, PostState

JRD = "application/jrd+json"
NODEINFO_SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"
SERVICE_REL = "https://www.w3.org/ns/activitystreams#Service"
INTENTS = "https://w3id.org/fep/3b86/"
_HANDLE = re.compile(r"[!@]?([A-Za-z0-9_.-]{1,64})@([A-Za-z0-9.-]{1,253}(?::\d{1,5})?)\Z")


def split_handle(text: str) -> tuple[str, str] | None:
    """(name, host) of `@name@host[:port]`, `!name@host` or `acct:name@host`, lower case."""
    found = _HANDLE.match(text.strip().removeprefix("acct:"))
    return (found[1].lower(), found[2].lower()) if found else None


async def webfinger(
    session: AsyncSession, settings: Settings, urls: Urls, asker: Asker, resource: str
) -> dict[str, Any]:
    """The JRD of a person, a forum or the instance; NotFound for anything else.

    Forums that are not public are named only to those that may see them.
    """
    name = _local_name(urls, settings, resource)
    if name == "":
        return _jrd(
            f"acct:{settings.host}@{settings.host}", urls.instance, urls.origin, SERVICE_REL
        )
    member = await members.by_handle(session, name)
    if member is not None and member.state != MemberState.GONE:
        return _person_jrd(urls, settings, member)
    visible = visible_forums(asker.viewer)
    question = select(Forum).where(
        Forum.handle == name,
        Forum.peer.is_(None),
        (Forum.visibility == Visibility.PUBLIC) | visible,
    )
    forum = (await session.execute(question)).scalar_one_or_none()
    if forum is None:
        raise NotFound
    return _jrd(f"acct:{forum.handle}@{settings.host}", forum.uri, forum.url)


def _local_name(urls: Urls, settings: Settings, resource: str) -> str:
    """The handle a resource means, "" for the instance; NotFound when it is not ours."""
    if resource.rstrip("/") in {urls.origin, urls.instance}:
        return ""
    for prefix in (f"{urls.origin}/u/", f"{urls.origin}/f/"):
        if resource.startswith(prefix):
            return resource.removeprefix(prefix)
    handle = split_handle(resource)
    if handle is None or handle[1] != settings.host:
        raise NotFound
    return "" if handle[0] in {settings.host, settings.hostname} else handle[0]


def _person_jrd(urls: Urls, settings: Settings, member: Member) -> dict[str, Any]:
    document = _jrd(f"acct:{member.handle}@{settings.host}", member.uri, member.url)
    search = f"{urls.origin}/search?q="
    document["links"] += [
        {"rel": "http://ostatus.org/schema/1.0/subscribe", "template": f"{search}{{uri}}"},
        {"rel": f"{INTENTS}Follow", "template": f"{search}{{object}}"},
        {"rel": f"{INTENTS}Object", "template": f"{search}{{object}}"},
    ]
    return document


def _jrd(subject: str, actor: str, page: str, rel: str = "self") -> dict[str, Any]:
    links = [{"rel": "self", "type": ACTIVITY_JSON, "href": actor}]
    if rel != "self":
        links.append({"rel": rel, "type": ACTIVITY_JSON, "href": actor})
    links.append(
        {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": page}
    )
    return {"subject": subject, "aliases": [actor], "links": links}


def nodeinfo_links(urls: Urls) -> dict[str, Any]:
    """/.well-known/nodeinfo (FEP-f1d5)."""
    return {
        "links": [
            {"rel": f"{NODEINFO_SCHEMA}{version}", "href": f"{urls.origin}/nodeinfo/{version}"}
            for version in ("2.0", "2.1")
        ]
    }


async def nodeinfo(session: AsyncSession, settings: Settings, version: str) -> dict[str, Any]:
    """NodeInfo 2.0 or 2.1; counts are of what is public only."""
    people = select(func.count()).where(Member.peer.is_(None), Member.state == MemberState.ACTIVE)
    written = (
        select(Post.kind, func.count())
        .join(Forum, Forum.id == Post.forum_id)
        .join(Member, Member.id == Post.author_id)
        .where(visible_forums(Viewer()), Member.peer.is_(None), Post.state == PostState.LIVE)
        .group_by(Post.kind)
    )
    counts = {row[0]: row[1] for row in (await session.execute(written)).all()}
    software = {"name": peers.GUILDHALL, "version": VERSION}
    return {
        "version": version,
        "software": software,
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {
            "users": {"total": (await session.execute(people)).scalar_one()},
            "localPosts": sum(counts.values()) - counts.get(Kind.REPLY, 0),
            "localComments": counts.get(Kind.REPLY, 0),
        },
        "metadata": {"nodeName": settings.site_name, "agency": settings.agency_name},
    }


async def find_actor(wire: Wire, name: str, host: str, *, deadline: float) -> str:
    """The actor id of `@name@host`, by WebFinger; BadAnswer when it does not loop back."""
    resource = quote(f"acct:{name}@{host}", safe="")
    url = f"{_scheme(wire, host)}://{host}/.well-known/webfinger?resource={resource}"
    answer = _json(await wire.plain(url, accept=f"{JRD}, application/json", deadline=deadline))
    subject = answer.get("subject")
    claimed = split_handle(subject) if isinstance(subject, str) else None
    if claimed is not None and claimed[1] != host:
        raise BadAnswer("The answer is about a name on another host.")
    for link in _links(answer):
        href, kind = link.get("href"), link.get("type")
        named = link.get("rel") == "self" and isinstance(href, str) and isinstance(kind, str)
        if named and is_activity_json(str(kind)) and host_of_uri(str(href)):
            return str(href)
    raise BadAnswer(f"Nobody called @{name}@{host} was found.")


async def describe(
    wire: Wire, host: str, *, deadline: float = 10.0, unlisted: bool = False
) -> Peer:
    """What a host runs and calls itself, by NodeInfo; stored with the peer.

    That it answers is a sign of life: what waits for it is tried at once.
    `unlisted` asks a host that no rule lets in, which only an admin may want.
    """
    base = f"{_scheme(wire, host)}://{host}"
    known = f"{base}/.well-known/nodeinfo"
    answer = await wire.plain(
        known, accept="application/json", deadline=deadline, unlisted=unlisted
    )
    links = _links(_json(answer))
    wanted = [f"{NODEINFO_SCHEMA}{version}" for version in ("2.1", "2.0")]
    href = next(
        (link["href"] for rel in wanted for link in links
         if link.get("rel") == rel and isinstance(link.get("href"), str)),
        None,
    )  # fmt: skip
    if href is None or not same_origin(href, base):
        raise BadAnswer("The host does not say what it runs.")
    info = _json(
        await wire.plain(href, accept="application/json", deadline=deadline, unlisted=unlisted)
    )
    software = info.get("software")
    software = software if isinstance(software, dict) else {}
    metadata = info.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    async with wire.instance.transaction() as tx:
        peer = await peers.seen(tx, host, base)
        before = peer.software
        peer.software = peers.shown_name(str(software.get("name", "")))[:64].lower()
        peer.version = peers.shown_name(str(software.get("version", "")))[:64]
        name = metadata.get("agency") or metadata.get("nodeName") or peer.name
        peer.name = peers.shown_name(str(name))
        peer.described = tx.now
    if peer.software != before:
        # What one of our kind is asked for waited until it was known to be one.
        wire.instance.wake()
    await wire.answered(host)
    return peer


def _scheme(wire: Wire, host: str) -> str:
    """https, but for hosts that the demo or a test resolves by name."""
    bare = urlsplit(f"//{host}").hostname or ""
    return "http" if bare in wire.instance.settings.resolve and not _tls(wire) else "https"


def _tls(wire: Wire) -> bool:
    return wire.instance.settings.is_https


def _json(response: Response) -> dict[str, Any]:
    try:
        found = orjson.loads(response.body)
    except orjson.JSONDecodeError as error:
        raise BadAnswer("The answer is not JSON.") from error
    if not isinstance(found, dict):
        raise BadAnswer("The answer is not a JSON object.")
    return found


def _links(document: dict[str, Any]) -> list[dict[str, Any]]:
    links = document.get("links")
    return (
        [link for link in links[:50] if isinstance(link, dict)] if isinstance(links, list) else []
    )
