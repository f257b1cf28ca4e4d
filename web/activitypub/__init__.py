# SPDX-License-Identifier: Apache-2.0
"""The machines' door: documents, inboxes, discovery."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from federation import discovery
from federation.askers import Asker, asker
from federation.digests import serving
from federation.digests.likes import LikeDocuments
from federation.digests.serving import DigestDocuments
from federation.documents import Documents, questions
from federation.followers.serving import FollowerDocuments
from federation.mentoring.serving import MentorDocuments
from federation.past_versions import VersionDocuments
from federation.quotes.serving import QuoteDocuments
from federation.station import Station
from federation.threads import ThreadDocuments
from federation.verification import Unverified
from federation.vocabulary.terms import ACTIVITY_JSON
from server.errors import NotFound, Unavailable
from server.freshness import Mark
from server.rows import Put
from web import cache, spots
from web.activitypub.arriving import InboxDoor
from web.activitypub.conditional import body_tag, holds, unless_held
from web.activitypub.requests import headers_of, signed_request
from web.faces import wants_activity
from web.resources import files

Json = dict[str, Any]
A_DAY = timedelta(days=1)
NOBODY = Asker(None, allowed=False, agency=False)


class MachineRoute(Route):
    """A route that is there only for those that ask for ActivityPub JSON."""

    def matches(self, scope: MutableMapping[str, Any]) -> tuple[Match, Any]:
        if scope["type"] == "http" and not wants_activity(scope):
            return Match.NONE, {}
        return super().matches(scope)


class SignedRoute(Route):
    """A route for those that sign what they ask; everybody else is shown the page of the place."""

    def matches(self, scope: MutableMapping[str, Any]) -> tuple[Match, Any]:
        signing = {b"signature", b"authorization"}
        if scope["type"] == "http" and not any(name in signing for name, _ in scope["headers"]):
            return Match.NONE, {}
        return super().matches(scope)


def _station(request: Request) -> Station:
    station: Station = request.app.state.wire
    return station


async def _asker(request: Request) -> Asker:
    """Who asks, by their signature; Unverified when they sign and it does not hold."""
    station = _station(request)
    signed = signed_request(request.scope, headers_of(request.scope), station, None)
    if "signature" not in request.headers and "authorization" not in request.headers:
        return await asker(station, None)
    claimed = station.verifier.claimed_host(signed)
    decision = await station.judge(claimed)
    if not decision.allowed:
        # Decided before any key is fetched and before anything is looked up.
        raise Unverified("This instance answers listed agencies only.", 403)
    verified = await station.verifier.request(signed)
    await station.liveness.heard(verified.host)
    # Nothing has happened since, unless the key had to be asked for.
    holds = verified.host == claimed and not verified.was_asked_for
    return await station.verifier.signer(verified, decision if holds else None)


Maker = Callable[[Documents, Request], Awaitable[tuple[int, Json]]]


Ahead = Callable[[Asker, Request], Iterable[Put]]


def _nothing(_who: Asker, _request: Request) -> Iterable[Put]:
    return ()


def _document(
    make: Maker, *, stub: bool = False, ahead: Ahead = _nothing
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for a document, with what it asks `ahead`.

    `stub` for those of which anybody gets something.
    """

    async def endpoint(request: Request) -> Response:
        station = _station(request)
        refusal = Unverified("Sign the request as an agency on this instance's list.")
        try:
            who = await _asker(request)
        except Unverified as error:
            who, refusal = NOBODY, error
        if not who.allowed and not stub:
            return _plain(refusal.status, refusal.sentence)

        async def look(session: AsyncSession) -> tuple[Mark | None, int, Json]:
            made = Documents(station, session, who)
            status, document = await make(made, request)
            return made.mark, status, document

        try:
            put = ahead(who, request)
            mark, status, document = await station.instance.looked(look, put)
        except NotFound as error:
            if not who.allowed:
                return _plain(refusal.status, refusal.sentence)
            return _plain(404, error.sentence)
        await station.fetches.note(who, document)
        response = _json(document, status)
        if mark is not None:
            # No clock is in it: a day is as good as any other time.
            cache.may_keep(request, mark, station.instance.clock.now() + A_DAY)
            response.headers["Vary"] = "Accept, Accept-Encoding, Signature"
        tag = serving.tag_of(document)
        return unless_held(request, response, f'"{tag}"' if tag else body_tag(response))

    return endpoint


def _json(document: Json, status: int = 200, media_type: str = ACTIVITY_JSON) -> Response:
    response = Response(orjson.dumps(document), status, media_type=media_type)
    response.headers["Vary"] = "Accept, Signature"
    response.headers["Cache-Control"] = "no-cache"
    return response


def _plain(status: int, sentence: str, retry_after: int | None = None) -> Response:
    response = Response(f"{sentence}\n", status, media_type="text/plain")
    response.headers["Vary"] = "Accept, Signature"
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


async def webfinger(request: Request) -> Response:
    """/.well-known/webfinger, for public names without looking at a signature."""
    resource = request.query_params.get("resource", "")[:2048]
    if not resource:
        return _plain(400, "Say which resource you ask about.")
    try:
        document = await _named(request, NOBODY, resource)
    except NotFound:
        try:
            document = await _named(request, await _asker(request), resource)
        except (NotFound, Unverified):
            return _open(_plain(404, "Nobody here has this name."))
    return _open(_json(document, media_type=discovery.JRD))


async def _named(request: Request, who: Asker, resource: str) -> Json:
    """The WebFinger answer as far as this asker may know it."""
    station = _station(request)
    settings = station.instance.settings
    async with station.instance.reading() as session:
        return await discovery.webfinger(session, settings, station.urls, who, resource)


async def instance_actor(request: Request) -> Response:
    """The instance actor: no signature is looked at, or two servers could never meet."""
    station = _station(request)
    async with station.instance.reading() as session:
        return _json(await Documents(station, session, NOBODY).instance())


async def nodeinfo_links(request: Request) -> Response:
    document = discovery.nodeinfo_links(_station(request).urls)
    return _open(_json(document, media_type="application/json"))


async def nodeinfo(request: Request) -> Response:
    """/nodeinfo/2.0 and 2.1."""
    station = _station(request)
    version = request.path_params["version"]
    if version not in {"2.0", "2.1"}:
        return _open(_plain(404, "There are versions 2.0 and 2.1."))
    async with station.instance.reading() as session:
        document = await discovery.nodeinfo(session, station.instance.settings, version)
    kind = f'application/json; profile="{discovery.NODEINFO_SCHEMA}{version}#"'
    return _open(_json(document, media_type=kind))


def _open(response: Response) -> Response:
    """Any page of the web may read these."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


async def _file(request: Request) -> Response:
    """A file of a resource, for agencies that may see it."""
    instance = _station(request).instance
    try:
        who = await _asker(request)
    except Unverified as error:
        return _plain(error.status, error.sentence)
    try:
        asked = await files.asked_for(request, instance, who.viewer)
        return await files.sent(request, asked)
    except NotFound as error:
        return _plain(404, error.sentence)
    except Unavailable as error:
        return _plain(503, error.sentence, retry_after=60)


def _number(request: Request, name: str) -> int | None:
    """A number in the query, None for anything else."""
    return spots.identifier(request.query_params.get(name, ""))


async def _member(d: Documents, r: Request) -> tuple[int, Json]:
    return 200, await d.member(r.path_params["handle"])


async def _forum(d: Documents, r: Request) -> tuple[int, Json]:
    return 200, await d.forum(r.path_params["handle"])


def _post_number(request: Request, name: str = "number") -> int:
    number = spots.identifier(request.path_params[name])
    if number is None:
        raise NotFound
    return number


async def _post(d: Documents, r: Request) -> tuple[int, Json]:
    return await d.post(_post_number(r))


def _of_post(who: Asker, request: Request) -> Iterable[Put]:
    return questions.ahead(who, _post_number(request))


async def _forums(d: Documents, r: Request) -> tuple[int, Json]:
    return 200, await d.forums(_number(r, "after"))


async def _mentors(d: Documents, r: Request) -> tuple[int, Json]:
    made = MentorDocuments(d.wire, d.session, d.asker)
    return 200, await made.cards(r.query_params.get("programme", ""))


async def _forum_part(d: Documents, r: Request) -> tuple[int, Json]:
    handle, part = r.path_params["handle"], r.path_params["part"]
    if part == "outbox":
        return 200, await d.forum_outbox(handle, _number(r, "before"))
    if part == "followers_synchronization":
        return 200, await FollowerDocuments(d.wire, d.session, d.asker).there(handle)
    makers = {"followers": d.followers, "featured": d.featured, "moderators": d.moderators}
    if part not in makers:
        raise NotFound
    return 200, await makers[part](handle)


async def _digest(d: Documents, r: Request) -> tuple[int, Json]:
    made = DigestDocuments(d.wire, d.session, d.asker)
    handle, asked = r.path_params["handle"], r.query_params
    after = asked.get("after", "")
    if "day" in asked:
        return 200, await made.day(handle, asked["day"], after)
    if "post" in asked:
        return 200, await made.one(handle, asked["post"], _number(r, "after") or 0)
    document = await made.days(handle, asked.get("before", ""))
    if holds(r, f'"{serving.tag_of(document)}"'):
        await made.is_level(document)
    return 200, document


async def _member_part(d: Documents, r: Request) -> tuple[int, Json]:
    handle, part = r.path_params["handle"], r.path_params["part"]
    if part == "outbox":
        return 200, await d.member_outbox(handle)
    if part not in {"followers", "following"}:
        raise NotFound
    return 200, await d.member_follows(handle, part)


async def _stamp(d: Documents, r: Request) -> tuple[int, Json]:
    made = QuoteDocuments(d.wire, d.session, d.asker)
    return 200, await made.stamp(_post_number(r), _post_number(r, "stamp"))


async def _post_part(d: Documents, r: Request) -> tuple[int, Json]:
    number, part = _post_number(r), r.path_params["part"]
    if part in {"context", "replies"}:
        made = ThreadDocuments(d.wire, d.session, d.asker)
        maker = made.context if part == "context" else made.replies
        return 200, await maker(number, _number(r, "after"))
    if part == "versions":
        return 200, await VersionDocuments(d.wire, d.session, d.asker).versions(number)
    if part == "likes":
        likes = LikeDocuments(d.wire, d.session, d.asker)
        return 200, await likes.likes(number, _number(r, "after"))
    # The words of a title: this is the address of the page, as people copy it.
    return await d.post(number)


routes = [
    Route("/.well-known/webfinger", webfinger),
    Route("/.well-known/nodeinfo", nodeinfo_links),
    Route("/nodeinfo/{version}", nodeinfo),
    Route("/inbox", InboxDoor(), methods=["POST"]),
    Route("/u/{handle}/inbox", InboxDoor(), methods=["POST"]),
    Route("/f/{handle}/inbox", InboxDoor(), methods=["POST"]),
    MachineRoute("/", instance_actor),
    Route("/instance", instance_actor),
    Route("/instance/forums", _document(_forums)),
    Route("/instance/mentors", _document(_mentors)),
    MachineRoute("/u/{handle}", _document(_member, stub=True)),
    MachineRoute("/f/{handle}", _document(_forum, stub=True)),
    MachineRoute("/p/{number}", _document(_post, ahead=_of_post)),
    MachineRoute("/u/{handle}/{part}", _document(_member_part)),
    MachineRoute("/f/{handle}/digest", _document(_digest)),
    MachineRoute("/f/{handle}/{part}", _document(_forum_part)),
    SignedRoute("/p/{id}/files/{edition}/{position}/{name}", _file),
    MachineRoute("/p/{number}/quotes/{stamp}", _document(_stamp)),
    MachineRoute("/p/{number}/{part}", _document(_post_part)),
]
