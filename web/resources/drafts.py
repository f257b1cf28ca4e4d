# SPDX-License-Identifier: Apache-2.0
"""The form of a resource: beginning it, its files, publishing it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Gone, Invalid, Locked, NotAllowed, NotFound, Refusal, TooFast, Unavailable
from server.forums import pages as forums
from server.hub import publishing
from server.permissions import Permission, Standing, must
from server.practices.keeping import library
from server.records.editions import Beginning
from server.resources import drafts, intake, licences, terms
from server.resources.arrivals import drop
from server.resources.drafts import Open
from server.resources.typed import FIELDS, OTHER
from server.rows import Post
from web import limits, repeats
from web.errors import STATUS
from web.forms import Form, receiving, submit
from web.forums import in_a_list
from web.limits import spend
from web.resources import arrivals, programs
from web.resources.arrivals import letting_go
from web.spots import identifier
from web.templates import path_of
from web.visits import Visit, arrive

MB = 1_000_000
ROOM_FOR_FIELDS = 2 * 1024 * 1024
KEEPS_THE_FORM = (Invalid, Locked, TooFast, Gone, NotAllowed, Unavailable)
STALE = "You signed in again meanwhile: nothing is lost, press the button once more."


async def new(request: Request) -> Response:
    """How to begin: what it is, and a title."""
    visit = await arrive(request)
    must(Standing(visit.member), Permission.REPLY)
    return _new_page(visit, {}, None)


def _new_page(visit: Visit, typed: Mapping[str, str], error: Invalid | None) -> Response:
    return visit.page(
        "resources/new.html",
        422 if error else 200,
        typed=typed,
        faults=error.fields if error else {},
        kinds=[(k, terms.KINDS[k], words) for k, words in terms.KINDS_EXPLAINED.items()],
    )


async def begin(request: Request) -> Response:
    """Begin a draft, with what was given."""
    visit, sent = await submit(request)
    member = visit.member
    typed = {"kind": sent["kind"], "name": sent["name"].strip()}
    if typed["kind"] not in terms.KINDS:
        return _new_page(visit, typed, Invalid({"kind": "Choose what it is."}))
    if not typed["name"]:
        return _new_page(visit, typed, Invalid({"name": "Give it a title."}))
    async with visit.instance.transaction() as tx:
        draft = await drafts.begin(tx, member, Beginning(typed))
    return visit.go(f"/resources/drafts/{draft.id}", "draft_begun")


def draft_id(request: Request) -> int:
    """The draft that the address names; NotFound where it is no number."""
    found = identifier(request.path_params["draft"])
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class Shown:
    """What the form shows besides the draft: what was typed now, and what is wrong in it."""

    typed: Mapping[str, str] = field(default_factory=dict)
    error: Refusal | None = None


async def edit(request: Request) -> Response:
    """The form as it was left."""
    visit = await arrive(request)
    must(Standing(visit.member), Permission.REPLY)
    return await _page(visit, Shown())


async def _page(visit: Visit, shown: Shown) -> Response:
    async with visit.instance.reading() as session:
        found = await drafts.opened(session, visit.member, draft_id(visit.request))
        kept = await library(session)
        places = await forums.open_to(session, visit.viewer)
        used = await drafts.used_by(session, visit.member)
        post = await session.get(Post, found.draft.post_id or 0)
        source = await session.get(Post, found.draft.source_id or 0)
        warning = await publishing.warning(session, found) if source is not None else ""
    error, settings = shown.error, visit.instance.settings
    faults = error.fields if isinstance(error, Invalid) else {}
    response = visit.page(
        "resources/draft.html",
        STATUS.get(type(error), 200) if error else 200,
        draft=found.draft,
        uploads=found.uploads,
        arrivals=found.arrivals,
        typed={**found.typed, **shown.typed},
        topics=_topics(found, shown, kept.topics),
        faults=faults,
        sentence=error.sentence if error and not faults else "",
        places=[(str(one.id), in_a_list(one)) for one in places],
        post=post,
        source=source,
        warning=warning,
        offered=[licences.LICENCES[spdx] for spdx in licences.OFFERED],
        others=[one for one in licences.LICENCES.values() if one.spdx not in licences.OFFERED],
        terms=terms,
        used=used,
        quota=settings.upload_quota * MB,
        largest=settings.upload_size * MB,
        here="resources",
    )
    if isinstance(error, TooFast):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _topics(
    found: Open, shown: Shown, listed: tuple[tuple[str, str], ...]
) -> list[tuple[str, str, bool]]:
    """The topics to choose from, each with whether it is chosen."""
    chosen = shown.typed.get("topics", found.typed.get("topics", "")).split()
    known = dict(listed)
    others = [(slug, slug.replace("-", " ")) for slug in chosen if slug not in known]
    return [(slug, words, slug in chosen) for slug, words in [*listed, *others]]


async def change(request: Request) -> Response:
    """Keep what was typed; then add files, take one out, or publish it all."""
    visit = await arrive(request)
    member, number = visit.member, draft_id(request)
    async with visit.instance.reading() as session:
        # Before anything is read of what may be large.
        await drafts.must_own(session, member, number)
    largest = 2 * visit.instance.settings.upload_size * MB + ROOM_FOR_FIELDS
    async with receiving(request, visit, largest=largest) as (sent, uploads):
        typed = _typed(sent)
        try:
            if sent.stale:
                raise NotAllowed(STALE)
            async with visit.instance.transaction() as tx:
                await drafts.save(tx, member, number, typed)
            return await _done(visit, sent, uploads)
        except KEEPS_THE_FORM as error:
            return await _page(visit, Shown(typed, error))


def _typed(sent: Form) -> dict[str, str]:
    """The fields of the form as the draft keeps them."""
    found = {
        name: value.strip("\n")
        for name, value in sent.values.items()
        if name in FIELDS or name.startswith("file.")
    }
    if "name" in sent.values:
        # Boxes that are not ticked are not sent.
        ticked = [n.removeprefix("topic.") for n in sent.values if n.startswith("topic.")]
        found["topics"] = " ".join(ticked[:20])
        found["peerReviewed"] = sent["peerReviewed"]
    if found.get("license") != OTHER:
        found.pop("licenseOther", None)
    return found


async def _done(visit: Visit, sent: Form, uploads: list[UploadFile]) -> Response:
    number = draft_id(visit.request)
    verb, _, key = sent["action"].partition(":")
    back = f"/resources/drafts/{number}"
    if uploads:
        await _take(visit, number, uploads)
    if verb == "fill":
        return await programs.filled_in(visit, number)
    if verb == "publish":
        return await _published(visit, number, sent)
    if verb == "arrived":
        await arrivals.complete(visit, number, identifier(key) or 0)
        return visit.go(f"{back}#files", "file_added")
    if verb in {"remove", "drop"}:
        deed = drafts.remove_file if verb == "remove" else drop
        async with visit.instance.transaction() as tx:
            await deed(tx, visit.member, number, identifier(key) or 0)
        return visit.go(f"{back}#files", "file_removed")
    if verb == "upload":
        if not uploads:
            raise Invalid({"upload": "Choose a file first."})
        return visit.go(f"{back}#files", "file_added")
    return visit.go(back, "draft_saved")


async def _take(visit: Visit, number: int, uploads: list[UploadFile]) -> None:
    """Take the files in, one after the other; those before a refused one stay."""
    instance, member = visit.instance, visit.member
    largest, quota = instance.settings.upload_size * MB, instance.settings.upload_quota * MB
    for upload in uploads:
        spend(visit, limits.UPLOAD, f"member {member.id}")
        async with instance.reading() as session:
            await drafts.must_fit(session, member, number, upload.size or 0, quota)
        name = upload.filename or ""
        if name.casefold() in programs.NAMES:
            await programs.read_in(visit, number, upload)
            continue
        new = await intake.take_in(
            instance.files,
            upload.file,
            name,
            largest=largest,
            scanner=instance.settings.clamav,
        )
        async with letting_go(instance, new), instance.transaction() as tx:
            await drafts.add_file(tx, member, number, new)


async def _published(visit: Visit, number: int, sent: Form) -> Response:
    """Publish it; the same form sent twice leads to the same page."""
    async with repeats.turn(visit, f"resource-{number}") as turn:
        if turn.answer is None:
            async with visit.instance.reading() as session:
                known = {one.id for one in await forums.open_to(session, visit.viewer)}
            async with visit.instance.transaction() as tx:
                draft = await drafts.must_own(tx.session, visit.member, number)
                is_new = draft.post_id is None
                if is_new:
                    forum = identifier(sent["forum"]) or 0
                    draft.forum_id = forum if forum in known else None
                made = await publishing.publish(tx, visit.member, number)
            said = "resource_published" if is_new else "version_published"
            turn.answer = (path_of(made), said)
        return visit.go(*turn.answer)


async def discard(request: Request) -> Response:
    """Throw a draft away."""
    visit, _ = await submit(request)
    async with visit.instance.transaction() as tx:
        await drafts.discard(tx, visit.member, draft_id(request))
    return visit.go("/me/drafts", "draft_dropped")


routes = [
    Route("/resources/new", new),
    Route("/resources/new", begin, methods=["POST"]),
    Route("/resources/drafts/{draft}", edit),
    Route("/resources/drafts/{draft}", change, methods=["POST"]),
    Route("/resources/drafts/{draft}/discard", discard, methods=["POST"]),
]
