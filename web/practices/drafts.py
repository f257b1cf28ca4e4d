# SPDX-License-Identifier: Apache-2.0
"""A draft as a whole: beginning it, its state, who writes it, publishing."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.errors import Gone, Invalid, Locked, NotAllowed, Refusal, TooFast
from server.forums import pages as forums
from server.library import drafts, exchange, invitations, publishing
from server.library.drafts import Open
from server.permissions import Permission, Standing, must
from server.practices import evidence, notices
from server.practices.evidence import Grounds
from server.practices.keeping import Library, library
from server.practices.record import Record
from server.practices.rendering import rendered
from server.practices.typed import document_of, part_keys
from server.records.editions import Beginning
from server.records.values import Faults
from server.rows import Forum, Post
from server.shown import ShownForum
from server.vetting import drafts as vetting
from web import repeats
from web.errors import STATUS
from web.forms import Form, submit, submit_writing
from web.forums import in_a_list
from web.practices.sections import Section, section_of, sections
from web.practices.showing import of_record
from web.practices.writing import SIGNED_OUT, draft_id, faults_of
from web.spots import identifier
from web.templates import path_of
from web.visits import Visit, arrive

KEEPS_THE_FORM = (Invalid, Locked, TooFast, Gone, NotAllowed)


async def new(request: Request) -> Response:
    """How to begin: with a title, or from a file."""
    visit = await arrive(request)
    must(Standing(visit.member), Permission.REPLY)
    return _new_page(visit, {}, None)


def _new_page(visit: Visit, typed: Mapping[str, str], error: Invalid | None) -> Response:
    return visit.page(
        "practices/new.html",
        422 if error else 200,
        typed=typed,
        faults=error.fields if error else {},
        sentence=error.sentence if error else "",
    )


async def begin(request: Request) -> Response:
    """Begin a draft, with what was given."""
    visit, sent = await submit(request)
    member = visit.member
    try:
        if sent["action"] == "import":
            file = sent.files.get("upload", b"").decode("utf-8", "replace") or sent["file"]
            typed = exchange.typed_from(file)
            said = "imported"
        else:
            agency = visit.instance.settings.agency_name
            kind = "attempt" if sent["kind"] == "attempt" else "practice"
            typed = {"kind": kind, "name": sent["name"].strip(), "agency": agency}
            said = "draft_begun"
        async with visit.instance.transaction() as tx:
            draft = await drafts.begin(tx, member, Beginning(typed))
    except Invalid as error:
        return _new_page(visit, sent.values, error)
    after = "" if said == "imported" else "/about"
    return visit.go(f"/practices/drafts/{draft.id}{after}", said)


@dataclass(frozen=True)
class Progress:
    """A section of a draft: how much of it is filled in, and what is wrong in it."""

    section: Section
    state: str
    faults: dict[str, str]


def progress(found: Open, kept: Library) -> list[Progress]:
    """Every section with its state: empty, begun, or needing another look."""
    told = faults_of(found.typed)
    lines = []
    for section in sections(kept.topics):
        mine = {
            name: words
            for name, words in told.items()
            if (section_of(name) or "about") == section.name
        }
        if section.parts:
            count = len(part_keys(found.typed, section.parts))
            state = f"{count} written" if count else "empty"
        else:
            filled = sum(1 for name in section.names if found.typed.get(name))
            is_begun = filled > (section.name == "about" and bool(found.typed.get("kind")))
            state = "begun" if is_begun else "empty"
        lines.append(Progress(section, state, mine))
    return lines


async def overview(request: Request) -> Response:
    """A draft with its sections, what is missing, and what may be done with it."""
    visit = await arrive(request)
    number = draft_id(request)
    response = await _overview(visit, number)
    async with visit.instance.reading() as session:
        is_new = await invitations.is_new(session, visit.member, number)
    if is_new:
        async with visit.instance.transaction() as tx:
            await invitations.seen(tx, visit.member, number)
    return response


async def _overview(
    visit: Visit, number: int, error: Refusal | None = None, note: str = "", handle: str = ""
) -> Response:
    async with visit.instance.reading() as session:
        found = await drafts.opened(session, visit.member, number)
        kept = await library(session)
        places = await forums.open_to(session, visit.viewer)
        post = await session.get(Post, found.draft.post_id) if found.draft.post_id else None
        source = await session.get(Post, found.draft.source_id or 0)
        warnings = await notices.seen(session, visit.viewer, [source.uri]) if source else []
    record = lenient(found.typed)
    period, now = kept.period, visit.instance.clock.now()
    stands = evidence.stand(Grounds(record, record.agency, now, period))
    return visit.page(
        "practices/draft.html",
        STATUS.get(type(error), 400) if error else 200,
        found=found,
        draft=found.draft,
        progress=progress(found, kept),
        places=[("", "Choose one"), *((str(one.id), in_a_list(one)) for one in places)],
        post=post,
        warnings=warnings,
        standing=stands,
        steps=list(evidence.Step),
        faults=_beside(error),
        sentence=error.sentence if error else "",
        note=note,
        handle=handle,
        is_owner=found.owner.id == visit.member.id,
        section_of=section_of,
        here="practices",
    )


def _beside(error: Refusal | None) -> dict[str, str]:
    """The faults of the overview's own fields; those of sections stand with their sections."""
    if not isinstance(error, Invalid):
        return {}
    return {n: words for n, words in error.fields.items() if n in {"forum", "note", "handle"}}


def lenient(typed: Mapping[str, str]) -> Record:
    """What can be read of a draft; whatever is wrong in it is left out."""
    return Record.parse(document_of(typed).made, "", Faults())


async def preview(request: Request) -> Response:
    """The practice as others will see it."""
    visit = await arrive(request)
    async with visit.instance.reading() as session:
        found = await drafts.opened(session, visit.member, draft_id(request))
        kept = await library(session)
    record = lenient(found.typed)
    parts = json.loads(await asyncio.to_thread(rendered, record))
    agency = record.agency or visit.instance.settings.agency_name
    return visit.page(
        "practices/preview.html",
        found=found,
        draft=found.draft,
        told=faults_of(found.typed),
        section_of=section_of,
        library=kept,
        here="practices",
        **of_record(record, parts, agency),
    )


async def publish(request: Request) -> Response:
    """Publish a draft, or keep where it is to be published."""
    visit, sent = await submit_writing(request)
    if visit.viewer.member is None:
        raise NotAllowed(SIGNED_OUT)
    number = draft_id(request)
    try:
        if sent.stale:
            raise NotAllowed("You signed in again meanwhile: press the button once more.")
        # The same form sent twice leads to the same page twice, though the draft is gone then.
        async with repeats.turn(visit, f"practice-{number}") as turn:
            if turn.answer is None:
                turn.answer = await _published(visit, number, sent)
            return visit.go(*turn.answer)
    except KEEPS_THE_FORM as error:
        return await _overview(visit, number, error, note=sent["note"])


async def _published(visit: Visit, number: int, sent: Form) -> tuple[str, str]:
    """Where the practice then is, and what to say."""
    async with visit.instance.transaction() as tx:
        draft = await drafts.must_write(tx.session, visit.member, number)
        is_new = draft.post_id is None
        if is_new:
            chosen = await _chosen(visit, identifier(sent["forum"]) or 0)
            await drafts.place(tx, visit.member, number, chosen.id)
        made = await publishing.publish(tx, visit.member, number, sent["note"])
        if is_new:
            await vetting.ended(tx, number, made)
    return path_of(made), "practice_published" if is_new else "version_published"


async def _chosen(visit: Visit, number: int) -> Forum | ShownForum:
    """The forum to publish in, if the member may post there."""
    async with visit.instance.reading() as session:
        places = await forums.open_to(session, visit.viewer)
    found = next((one for one in places if one.id == number), None)
    if found is None:
        raise Invalid({"forum": "Choose the forum to publish it in."})
    return found


async def people(request: Request) -> Response:
    """Have somebody write along, or no longer."""
    visit, sent = await submit(request)
    number, member = draft_id(request), visit.member
    try:
        async with visit.instance.transaction() as tx:
            if sent["action"] == "remove":
                person = identifier(sent["person"]) or 0
                await drafts.uninvite(tx, member, number, person)
            else:
                await drafts.invite(tx, member, number, sent["handle"])
    except Invalid as error:
        return await _overview(visit, number, error, handle=sent["handle"])
    if sent["action"] != "remove":
        return visit.go(f"/practices/drafts/{number}", "writer_added")
    left = sent["person"] == str(member.id)
    path = "/me/drafts" if left else f"/practices/drafts/{number}"
    return visit.go(path, "writer_left" if left else "writer_removed")


async def discard(request: Request) -> Response:
    """Throw a draft away."""
    visit, _ = await submit(request)
    async with visit.instance.transaction() as tx:
        await drafts.discard(tx, visit.member, draft_id(request))
        await vetting.ended(tx, draft_id(request), None)
    return visit.go("/me/drafts", "draft_dropped")


routes = [
    Route("/practices/new", new),
    Route("/practices/new", begin, methods=["POST"]),
    Route("/practices/drafts/{draft}", overview),
    Route("/practices/drafts/{draft}/preview", preview),
    Route("/practices/drafts/{draft}/publish", publish, methods=["POST"]),
    Route("/practices/drafts/{draft}/people", people, methods=["POST"]),
    Route("/practices/drafts/{draft}/discard", discard, methods=["POST"]),
]
